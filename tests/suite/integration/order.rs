//! Whoever was woken may end in any order and in any way: the session that asked waits for all.

use callboard::model::{Status, Step};

use super::{JOINED, Shop};

/// Both are woken; Cart takes so long, Tax so long. What Tax writes is refused by a hook.
fn both(cart: u32, tax: u32) -> String {
    format!(
        r#"
[[turn]]
step = "fix_integration_test_failures"
iteration = 1
call = [
  {{ tool = "reactivate_session", arguments = {{ component = "Cart", reason = "It weighs nothing." }} }},
  {{ tool = "reactivate_session", arguments = {{ component = "Tax", reason = "It knows no country." }} }},
]

[[turn]]
component = "Cart"
step = "fix_test_failures"
delay_ms = {cart}
write = [{{ path = "src/orders/cart.txt", content = "price\nweight\n" }}]

[[turn]]
component = "Tax"
step = "fix_test_failures"
delay_ms = {tax}
write = [{{ path = "src/orders/tax.txt", content = "rate\nforbidden\n" }}]
"#
    )
}

#[test]
fn in_whatever_order_they_end() {
    for (cart, tax) in [(0, 500), (500, 0), (100, 100)] {
        let (shop, id) = Shop::new(&[JOINED, &both(cart, tax)]);
        shop.hook("pre-commit", "if git diff --cached | grep -q '^+forbidden'; then echo 'forbidden' >&2; exit 1; fi");
        assert_eq!(shop.run(id), 0, "{cart} {tax}:\n{}", shop.story());
        let store = shop.store();
        let ended = |component: &str, status| {
            let session = store.session(shop.coding(component)).unwrap();
            assert_eq!((session.generation, session.status), (2, status), "{cart} {tax} {component}");
            store.interactions(session.id, 0).unwrap().last().unwrap().completed_at.unwrap()
        };
        let last = ended("Cart", Status::Complete).max(ended("Tax", Status::Failed));
        let interactions = store.interactions(id, 0).unwrap();
        let again = interactions.iter().filter(|it| it.step == Step::RunIntegrationTests).nth(1).unwrap();
        assert!(again.started_at >= last, "{cart} {tax}");
        // What came to a good end is merged, what failed is not.
        let session = store.session(id).unwrap();
        let range = format!("{}..{}", session.base_commit.unwrap(), session.branch.unwrap());
        let log = shop.git(&["log", "--format=%s", &range]);
        assert_eq!((log.matches("Merge: Implement Cart").count(), log.matches("Merge: Implement Tax").count()), (1, 0));
    }
}
