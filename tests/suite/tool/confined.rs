//! Agents in a sandbox: they cannot write the record, and have the tool all the same.

use callboard::model::{SessionId, Step};

use super::{
    super::integration::{BEGINNING, Shop, TOML, WEIGHED},
    called, cart_was_woken_by,
};
use crate::confine::is_possible;

/// Does its steps; what it does about failing integration tests is in `fix.sh`.
const AGENT: &str = r#"
callboard=${CALLBOARD_MCP%% *}
cat > /dev/null
wake() { "$callboard" tool reactivate_session --arguments '{"component": "Cart", "reason": "It weighs nothing.", "context": "Add a weight."}'; }
# Nothing is waited for once the test is over.
wait_for() { until [ -e "$1" ] || ! [ -e agent.sh ]; do sleep 0.02; done; }
case $CALLBOARD_STEP in
generate_integration_tests) echo 'ac_1_weighs weight src/orders/cart.txt' > tests/orders_together.t ;;
generate_context) echo joined > src/orders.txt ;;
fix_integration_test_failures) . ./fix.sh ;;
esac
"#;

/// A project in a sandbox, whose integration session has a shell script as its agent.
pub(super) fn shop(sandbox: &str, fix: &str) -> (Shop, SessionId) {
    shop_with(sandbox, fix, "")
}

/// The same whose tests do this as well, before they tell how many they were.
pub(super) fn shop_with(sandbox: &str, fix: &str, tests: &str) -> (Shop, SessionId) {
    let agent = "[agents.shell]\nprotocol = \"command\"\ncommand = [\"sh\", \"agent.sh\"]\n\n[agents.player]";
    let toml = TOML.replace("[agents.player]", agent) + &format!("\n[sandbox]\nmode = \"worktree\"\n{sandbox}\n");
    let (shop, _) = Shop::with(&toml, &[BEGINNING, WEIGHED], |shop| {
        shop.write("agent.sh", AGENT);
        shop.write("fix.sh", fix);
        let run = std::fs::read_to_string(shop.project().join("run.sh")).unwrap();
        shop.write("run.sh", &run.replace("echo \"$n tests", &format!("{tests}echo \"$n tests")));
    });
    let id = shop.ok(&["new", "integration", "Orders", "--agent", "shell"]).trim().parse().unwrap();
    (shop, id)
}

pub(super) fn said(shop: &Shop, id: SessionId) -> String {
    shop.ok(&["events", &id.to_string()])
}

/// The names of what is in the folder of sockets.
pub(super) fn sockets(shop: &Shop) -> Vec<String> {
    let all = std::fs::read_dir(shop.folder.join("callboard.d/sockets"));
    all.map_or_else(|_| Vec::new(), |all| all.map(|it| it.unwrap().file_name().into_string().unwrap()).collect())
}

/// Over the command and over MCP, with no network, from a folder that is no project, and never as anybody else; and all that it
/// does to the record goes this way.
#[test]
fn a_shell_script_wakes_a_components_session() {
    if !is_possible() {
        return;
    }
    let fix = r#"
(cd / && "$callboard" --project /no/such tool get_test_failures) || exit 7
hello='{"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "sh", "version": "1"}}}'
ready='{"jsonrpc": "2.0", "method": "notifications/initialized"}'
call='{"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "get_session"}}'
(printf '%s\n' "$hello" "$ready" "$call"; until grep -q '"id":2' answer.tmp; do sleep 0.02; done) | env -u CALLBOARD_SOCKET $CALLBOARD_MCP > answer.tmp || exit 8
cat answer.tmp; rm answer.tmp
wake || exit 9
"$callboard" tool reactivate_session --arguments '{"component": "Rounding", "reason": "Round up."}' 2>&1 && exit 10
"$callboard" tool get_session --session 00000000 2>&1 && exit 11
"$callboard" tool get_session --session "$CALLBOARD_SESSION_ID" > own.tmp || exit 12; rm own.tmp
record() { "$callboard" --store "$CALLBOARD_STORE" --project "$CALLBOARD_WORKTREE" "$@" 2>&1; }
record tool report_architectural_issue --arguments '{"summary": "x"}' && exit 13
record cancel "$CALLBOARD_SESSION_ID" && exit 14
for place in "$CALLBOARD_STORE" "$CALLBOARD_STORE-wal" "$CALLBOARD_STORE-shm" "$CALLBOARD_SOCKET"; do
  ( echo x >> "$place" ) 2>&1 && exit 15
  rm -f "$place" 2>&1 && exit 16
done
true
"#;
    let (shop, id) = shop("network = \"off\"", fix);
    assert_eq!(shop.run(id), 0, "{}\n{}", shop.story(), said(&shop, id));

    cart_was_woken_by(&shop, id);
    assert_eq!(
        called(&shop, id),
        ["get_test_failures", "get_session", "reactivate_session", "reactivate_session", "get_session"]
    );
    let prompt = shop.prompt(id, Step::FixIntegrationTestFailures, 1);
    assert!(prompt.contains("callboard tool report_architectural_issue --arguments"), "{prompt}");
    let said = said(&shop, id);
    for wanted in [
        "ac_1_weighs",
        "\"structuredContent\"",
        "\"status\": \"granted\"",
        "Rounding is not a component of Orders",
        &format!("this is the sessions tool of session {id}, and answers nobody else"),
        "the store cannot be written",
        "callboard.db: Permission denied",
    ] {
        assert!(said.contains(wanted), "{wanted} is missing in {said}");
    }
    assert_eq!(sockets(&shop), Vec::<String>::new());
}
