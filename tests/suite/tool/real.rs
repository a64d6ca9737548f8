//! The sessions tool in the hands of real agents: one of them has the session woken that made a component.

use callboard::model::{Status, Step};
use serde_json::json;

use super::super::{
    engine::real::{Kind, Setting},
    integration::{BEGINNING, Shop, TOML},
};
use crate::{
    confine::is_possible,
    model::{Act, Model, Rule},
};

/// A sandbox in which an agent reaches its model.
const SANDBOX: &str = "\n[sandbox]\nmode = \"worktree\"\n";

/// What the integration test misses is asked of Cart's session, and Cart's agent, who remembers what it wrote, adds it.
fn wakes_a_session_that_remembers(kind: Kind, tool: &str, more: &str) {
    let Some(setting) = Setting::of(kind) else { return };
    let say = |text: &str| vec![Act::Say(text.into())];
    let write = |path: &str, content: &str| vec![Act::Write { path: path.into(), content: content.into() }];
    let arguments = json!({"component": "Cart", "reason": "It weighs nothing.", "context": "Add a weight."});
    let call = vec![Act::Call { name: tool.into(), arguments }];
    let model = Model::start(vec![
        Rule::new(
            &["Write the code of `Cart`"],
            vec![write("src/orders/cart.txt", "price\n"), say("Cart has its price.")],
        ),
        Rule::new(&["Write the code of `Tax`"], vec![write("src/orders/tax.txt", "rate\n"), say("Tax has its rate.")]),
        Rule::new(
            &["Write the integration tests of"],
            vec![write("tests/orders_together.t", "ac_1_weighs weight src/orders/cart.txt\n"), say("Tested.")],
        ),
        Rule::new(&["work together"], vec![write("src/orders.txt", "joined\n"), say("Joined.")]),
        Rule::new(&["Mend the integration of"], vec![call, say("Cart has to weigh: its session does that.")]),
        Rule::new(
            &["Make the tests of `Cart` pass", "It weighs nothing."],
            vec![write("src/orders/cart.txt", "price\nweight\n"), say("It weighs now.")],
        ),
    ]);
    let toml =
        TOML.replace("agent = \"player\"", &format!("agent = \"{}\"", kind.preset)) + &setting.table(&model) + more;
    let (shop, id) = Shop::with(&toml, &[BEGINNING], |shop| {
        let home = shop.folder.join("home");
        setting.configure(&model, &home);
        // What a sandbox opens must be there.
        std::fs::create_dir_all(home.join(".claude")).unwrap();
        std::fs::write(home.join(".claude.json"), "{}").unwrap();
    });
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let confined = shop.notes(id).iter().any(|note| note.starts_with("Confined: "));
    assert_eq!(confined, !more.is_empty(), "{:?}", shop.notes(id));

    let store = shop.store();
    let cart = store.session(shop.coding("Cart")).unwrap();
    assert_eq!((cart.generation, cart.status), (2, Status::Complete), "{}", shop.story());
    let steps = shop.steps(id);
    let fixes = steps.iter().filter(|step| step.starts_with("fix")).count();
    assert_eq!(fixes, 1, "{steps:?}");
    // The woken agent has its whole conversation before it: its first prompt, and what it said then.
    let woken = model.asked().into_iter().find(|asked| asked.heard("Make the tests of `Cart` pass")).unwrap();
    assert!(woken.heard("Write the code of `Cart`") && woken.told("Cart has its price."), "{woken:?}");
    let prompt = shop.prompt(cart.id, Step::FixTestFailures, 1);
    assert!(prompt.contains("It weighs nothing.") && prompt.contains("Add a weight."), "{prompt}");
    let branch = store.session(id).unwrap().branch.unwrap();
    assert_eq!(shop.git(&["show", &format!("{branch}:src/orders/cart.txt")]), "price\nweight\n");
}

#[test]
fn claude_wakes_a_session() {
    let claude = Kind { preset: "claude", program: "claude" };
    wakes_a_session_that_remembers(claude, "mcp__callboard__reactivate_session", "");
}

#[test]
fn codex_wakes_a_session() {
    let codex = Kind { preset: "codex", program: "codex" };
    wakes_a_session_that_remembers(codex, "mcp__callboard__reactivate_session", "");
}

#[test]
fn an_agent_of_the_client_protocol_wakes_a_session() {
    let acp = Kind { preset: "claude-acp", program: "claude-agent-acp" };
    wakes_a_session_that_remembers(acp, "mcp__callboard__reactivate_session", "");
}

#[test]
fn a_confined_claude_wakes_a_session() {
    if !is_possible() {
        return;
    }
    let claude = Kind { preset: "claude", program: "claude" };
    wakes_a_session_that_remembers(claude, "mcp__callboard__reactivate_session", SANDBOX);
}

#[test]
fn a_confined_agent_of_the_client_protocol_wakes_a_session() {
    if !is_possible() {
        return;
    }
    let acp = Kind { preset: "claude-acp", program: "claude-agent-acp" };
    wakes_a_session_that_remembers(acp, "mcp__callboard__reactivate_session", SANDBOX);
}

/// Its own sandbox cannot start in another, so it asks before each edit, and edits in its worktree it may make.
#[test]
fn a_confined_codex_wakes_a_session() {
    if !is_possible() {
        return;
    }
    let codex = Kind { preset: "codex", program: "codex" };
    wakes_a_session_that_remembers(codex, "mcp__callboard__reactivate_session", SANDBOX);
}

#[test]
fn opencode_wakes_a_session() {
    let opencode = Kind { preset: "opencode", program: "opencode" };
    wakes_a_session_that_remembers(opencode, "callboard_reactivate_session", "");
}
