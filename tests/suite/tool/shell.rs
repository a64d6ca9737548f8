//! A shell script as the agent, which knows nothing but its environment.

use callboard::model::Step;
use serde_json::Value;

use super::{
    super::integration::{BEGINNING, Shop, TOML, WEIGHED},
    called, cart_was_woken_by,
};

/// Asks for what the integration test misses, and leaves what it was told beside its work.
const AGENT: &str = r#"
callboard=${CALLBOARD_MCP%% *}
cat > prompt.tmp
case $CALLBOARD_STEP in
generate_integration_tests) echo 'ac_1_weighs weight src/orders/cart.txt' > tests/orders_together.t ;;
generate_context) echo joined > src/orders.txt ;;
fix_integration_test_failures)
  "$callboard" tool get_test_failures > failures.json || exit 7
  printf '{"component": "Cart", "reason": "It weighs nothing.", "context": "Add a weight."}' |
    "$callboard" tool reactivate_session --arguments - > answer.json || exit 8
  "$callboard" tool reactivate_session --arguments '{"component": "Rounding", "reason": "Round up."}' 2> refused.txt && exit 9
  cat failures.json answer.json refused.txt
  rm failures.json answer.json refused.txt ;;
esac
rm prompt.tmp
"#;

#[test]
fn wakes_a_components_session_which_goes_on() {
    let toml = TOML.replace(
        "[agents.player]",
        "[agents.shell]\nprotocol = \"command\"\ncommand = [\"sh\", \"agent.sh\"]\n\n[agents.player]",
    );
    let (shop, _) = Shop::with(&toml, &[BEGINNING, WEIGHED], |shop| {
        shop.write("agent.sh", AGENT);
    });
    let id = shop.ok(&["new", "integration", "Orders", "--agent", "shell"]).trim().parse().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());

    cart_was_woken_by(&shop, id);

    assert_eq!(called(&shop, id), ["get_test_failures", "reactivate_session", "reactivate_session"]);
    let prompt = shop.prompt(id, Step::FixIntegrationTestFailures, 1);
    assert!(prompt.contains("callboard tool report_architectural_issue --arguments"), "{prompt}");
    let said = shop.ok(&["events", &id.to_string()]);
    for wanted in ["ac_1_weighs", "\"status\": \"granted\"", "Rounding is not a component of Orders"] {
        assert!(said.contains(wanted), "{wanted} is missing in {said}");
    }

    // The same afterwards, by hand.
    let status = shop.ok(&["tool", "get_reactivation_status", "--session", &id.to_string()]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(
        (&status["requests"][0]["status"], &status["requests"][0]["session"]),
        (&"resolved".into(), &shop.coding("Cart").to_string().into())
    );
    let shown: Value = serde_json::from_str(&shop.ok(&["show", &id.to_string(), "--json"])).unwrap();
    assert_eq!(shown["requests"][0]["ruling"]["granted"], true);
}
