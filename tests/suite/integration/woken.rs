//! Sessions that are woken: who waits for whom, and what becomes of it.

use std::fs;

use callboard::model::{CriterionState, Status, Step};
use serde_json::Value;

use super::{JOINED, Shop, WAKE_CART, until};

#[test]
fn a_session_that_is_woken_and_fails_is_news() {
    let refused = r#"
[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nforbidden\n" }]

[[turn]]
step = "fix_integration_test_failures"
iteration = 2
prompt = "The session of Cart, which was woken for this one, failed: the commit was refused"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
"#;
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, refused]);
    shop.hook("pre-commit", "if git diff --cached | grep -q '^+forbidden'; then echo 'forbidden word' >&2; exit 1; fi");
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let cart = shop.coding("Cart");
    let woken = shop.store().session(cart).unwrap();
    assert_eq!((woken.status, woken.generation), (Status::Failed, 2));
    let prompt = shop.prompt(id, Step::FixIntegrationTestFailures, 2);
    assert!(prompt.contains("forbidden word"), "{prompt}");
    let log = shop.git(&["log", "--format=%s", &shop.store().session(id).unwrap().branch.unwrap()]);
    assert_eq!(log.matches("Merge: Implement Cart").count(), 1, "what failed is not merged: {log}");
}

#[test]
fn those_who_would_wait_for_each_other_are_refused() {
    let back = r#"
[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]
call = [{ tool = "reactivate_session", arguments = { session = "ORDERS", reason = "Ask me again." } }]
"#;
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, back]);
    let scenario = shop.project().join("scenario.toml");
    let text = fs::read_to_string(&scenario).unwrap().replace("ORDERS", &id.to_string());
    fs::write(scenario, text).unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let notes = shop.notes(shop.coding("Cart"));
    assert!(notes.iter().any(|note| note.contains("integration Orders → component_coding Cart")), "{notes:?}");
    assert_eq!(shop.store().session(id).unwrap().generation, 1);
}

#[test]
fn all_who_were_woken_are_waited_for() {
    let both = r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [
  { tool = "reactivate_session", arguments = { component = "Cart", reason = "It weighs nothing." } },
  { tool = "reactivate_session", arguments = { component = "Tax", reason = "It knows no country." } },
]

[[turn]]
component = "Cart"
step = "fix_test_failures"
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]

[[turn]]
component = "Tax"
step = "fix_test_failures"
write = [{ path = "src/orders/tax.txt", content = "rate\ncountry\n" }]
"#;
    let (shop, id) = Shop::new(&[JOINED, both]);
    // Tax ends when it is let: its commit waits for a file.
    let let_go = shop.folder.join("let-go");
    shop.hook(
        "pre-commit",
        &format!("git diff --cached --name-only | grep -q tax || exit 0; until [ -e {let_go} ]; do sleep 0.05; done"),
    );
    let mut run = shop.start(id);
    let (store, tax) = (shop.store(), shop.coding("Tax"));
    until("Cart is done and Tax is not", || {
        store.session(shop.coding("Cart")).is_ok_and(|it| it.generation == 2 && it.status == Status::Complete)
    });
    let shown = || serde_json::from_str::<Value>(&shop.ok(&["show", &id.to_string(), "--json"])).unwrap();
    until("it waits", || shown()["next"] == "waiting");
    assert_eq!(shown()["waiting_on"], serde_json::json!([tax]));
    fs::write(&let_go, "").unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0), "{}", shop.story());
    let ended = store.interactions(tax, 0).unwrap().last().unwrap().completed_at.unwrap();
    let interactions = store.interactions(id, 0).unwrap();
    let again = interactions.iter().filter(|it| it.step == Step::RunIntegrationTests).nth(1).unwrap();
    assert!(again.started_at >= ended);
    let branch = store.session(id).unwrap().branch.unwrap();
    assert_eq!(shop.git(&["show", &format!("{branch}:src/orders/tax.txt")]), "rate\ncountry\n");
    let criteria = store.criteria(Some("Orders")).unwrap();
    assert_eq!(criteria[0].shown.as_ref().unwrap().state, CriterionState::Satisfied);
}
