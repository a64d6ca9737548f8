//! What is put to a person, and what the agent learns of the answer.

use callboard::{
    model::{HaltReason, SessionKind, Status, Step},
    store::Need,
};
use serde_json::{Value, json};

use super::super::integration::{BEGINNING, JOINED, Shop, TOML, WAKE_CART, WEIGHED};

fn asking(scenario: &[&str]) -> (Shop, callboard::model::SessionId) {
    let asks = TOML.replace("[reactivation]\npolicy = \"accept\"\n", "");
    assert_ne!(asks, TOML);
    Shop::with(&asks, &[&[BEGINNING], scenario].concat(), |_| {})
}

fn status(shop: &Shop, id: callboard::model::SessionId) -> Value {
    let text = shop.ok(&["tool", "get_reactivation_status", "--session", &id.to_string()]);
    serde_json::from_str::<Value>(&text).unwrap()["requests"].take()
}

#[test]
fn what_a_person_approves_is_done() {
    let (shop, id) = asking(&[JOINED, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "it waits for a person: {}", shop.story());
    let cart = shop.coding("Cart");
    assert_eq!(shop.store().session(cart).unwrap().generation, 1);
    let inbox: Value = serde_json::from_str(&shop.ok(&["inbox", "--json"])).unwrap();
    assert_eq!((&inbox[0]["session_id"], &inbox[0]["need"]), (&json!(id), &json!("request")));
    assert!(inbox[0]["message"].as_str().unwrap().contains("wake the session of Cart: It weighs nothing."), "{inbox}");
    let why = shop.ok(&["why", &id.to_string()]);
    assert!(why.contains("Approve it (A) or refuse it (x)"), "{why}");
    assert_eq!(status(&shop, id)[0]["status"], "asked");
    assert_eq!(shop.run(id), 3, "nothing goes on by itself");

    shop.ask(&["approve", &id.to_string(), "--note", "Grams, please."]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let woken = shop.store().session(cart).unwrap();
    assert_eq!((woken.status, woken.generation), (Status::Complete, 2));
    let told = shop.prompt(cart, Step::FixTestFailures, 1);
    assert!(
        told.contains("Add a weight.") && told.contains("The person who approved this adds: Grams, please."),
        "{told}"
    );
    let request = shop.store().requests(id, 9).unwrap().remove(0);
    let ruling = request.ruling.unwrap();
    assert_eq!((ruling.granted, ruling.user.as_str(), ruling.opened), (true, "ada@example.com", Some((cart, 2))));
    assert_eq!(status(&shop, id)[0]["status"], "resolved");
    assert_eq!(shop.store().board_row(id).unwrap().requests, 0);
}

#[test]
fn what_a_person_refuses_is_told_in_the_next_prompt() {
    let mends = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 2
prompt = "You asked to wake the session of Cart; ada@example.com refused: Weigh it yourself."
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;
    let (shop, id) = asking(&[JOINED, WAKE_CART, mends]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    shop.ask(&["refuse", &id.to_string(), "--note", "Weigh it yourself."]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    assert_eq!(shop.store().session(shop.coding("Cart")).unwrap().generation, 1);
    let told = status(&shop, id);
    assert_eq!((&told[0]["status"], &told[0]["why"]), (&json!("refused"), &json!("Weigh it yourself.")));
    assert!(shop.store().halts(id).unwrap().is_empty(), "asking is no empty diff");
}

#[test]
fn what_cannot_be_done_any_more_is_told_to_both() {
    let mends = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 2
prompt = "You asked to wake the session of Cart; that could not be done: it is active already"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;
    let (shop, id) = asking(&[JOINED, WAKE_CART, mends, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    // A person wakes it meanwhile, and nothing has driven it on.
    shop.ask(&["mode", &id.to_string(), "manual"]);
    shop.ask(&["reactivate", &shop.coding("Cart").to_string(), "--context", "Something else."]);
    shop.ask(&["approve", &id.to_string()]);
    shop.ask(&["mode", &id.to_string(), "agentic"]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    assert_eq!(status(&shop, id)[0]["status"], "could_not");
}

#[test]
fn a_session_that_is_cancelled_asks_for_nothing_any_more() {
    let (shop, id) = asking(&[JOINED, WAKE_CART]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    assert_eq!(shop.store().board_row(id).unwrap().need(), Some(Need::Request));
    shop.ask(&["cancel", &id.to_string()]);
    assert_eq!(shop.run(id), 4, "{}", shop.story());
    assert!(shop.store().inbox().unwrap().is_empty());
    assert_eq!(status(&shop, id)[0]["why"], "its session has ended");
}

#[test]
fn a_missing_component_is_made_and_merged() {
    let scale = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [{ tool = "create_session", arguments = { component = "Scale", kind = "component_coding", reason = "Nothing weighs.", context = "Write weight." } }]

[[turn]]
component = "Scale"
step = "generate_implementation"
prompt = "Nothing weighs."
write = [{ path = "src/orders/scale.txt", content = "weight\n" }]

[[turn]]
step = "generate_integration_tests"
write = [{ path = "tests/orders_together.t", content = "ac_1_weighs weight src/orders/scale.txt\n" }]
"#;
    let (shop, _) = Shop::new(&[JOINED, scale]);
    let scenario = std::fs::read_to_string(shop.project().join("scenario.toml")).unwrap();
    shop.write("scenario.toml", &scenario.replace("weight src/orders/cart.txt", "weight src/orders/scale.txt"));
    let tax = "  [[context.component]]\n  name = \"Tax\"";
    let toml = TOML.replace(tax, &format!("  [[context.component]]\n  name = \"Scale\"\n  kind = \"module\"\n{tax}"));
    assert_ne!(toml, TOML);
    shop.write("callboard.toml", &toml);
    shop.write("tests/scale.t", "weighs weight src/orders/scale.txt\n");
    shop.git(&["add", "--all"]);
    shop.git(&["commit", "--quiet", "--message", "Want a scale"]);
    let coded = shop.store().sessions_of("Orders").unwrap()[0].branch.clone().unwrap();
    shop.git(&["merge", "--quiet", "--no-edit", &coded]);
    let id = shop.session("integration");
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let made = shop.store().sessions_of("Scale").unwrap().remove(0);
    assert_eq!((made.kind, made.status), (SessionKind::ComponentCoding, Status::Complete));
    let branch = shop.store().session(id).unwrap().branch.unwrap();
    assert_eq!(shop.git(&["show", &format!("{branch}:src/orders/scale.txt")]), "weight\n");
    let told = status(&shop, id);
    assert_eq!(told[0]["asked_for"], "make a component_coding session for Scale");
    assert_eq!((&told[0]["status"], &told[0]["session"]), (&json!("resolved"), &json!(made.id)));
}

#[test]
fn a_reported_issue_stops_the_session_and_the_decision_is_told() {
    let reports = r#"
[[turn]]
step = "generate_context"
call = [{ tool = "report_architectural_issue", arguments = { summary = "Billing rounds what Orders must not.", details = "src/billing/rounding.txt" } }]

[[turn]]
step = "generate_context"
prompt = "A person decided to go on: Billing is right."
write = [{ path = "src/orders.txt", content = "joined\n" }]
"#;
    let (shop, id) = Shop::new(&[reports, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::ArchitecturalIssue);
    assert!(halt.message.contains("Billing rounds what Orders must not."), "{}", halt.message);
    assert_eq!(halt.evidence["about"][0]["details"], "src/billing/rounding.txt");
    assert_eq!(shop.store().session(id).unwrap().status, Status::Active, "nothing is proven");
    shop.ask(&["override", &id.to_string(), "--note", "Billing is right."]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let steps = shop.steps(id);
    assert_eq!(steps.iter().filter(|step| step.starts_with("generate_context")).count(), 2, "{steps:?}");
    assert!(shop.prompt(id, Step::GenerateContext, 2).contains("You reported an architectural issue."));
}
