//! How acceptance criteria stand: by the tests, by a person's word, and when the checkout has moved on.

use callboard::model::Step;
use serde_json::Value;

use super::{BEGINNING, JOINED, Shop, TOML, WAKE_CART, WEIGHED};

#[test]
fn what_was_shown_is_stale_when_the_checkout_moves_on() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let standing = || {
        let criteria: Value = serde_json::from_str(&shop.ok(&["criterion", "ls", "--json"])).unwrap();
        criteria[0]["standing"].as_str().unwrap().to_owned()
    };
    assert_eq!(standing(), "satisfied", "the checkout does not have the work yet");
    shop.git(&["merge", "--quiet", "--ff-only", &shop.store().session(id).unwrap().branch.unwrap()]);
    assert_eq!(standing(), "satisfied");
    shop.write("notes.txt", "nothing that was tested\n");
    shop.git(&["add", "--all"]);
    shop.git(&["commit", "--quiet", "--message", "Note"]);
    assert_eq!(standing(), "satisfied");
    shop.write("src/orders/cart.txt", "price\nweight\ncolour\n");
    shop.git(&["commit", "--quiet", "--all", "--message", "Colour"]);
    assert_eq!(standing(), "stale");
    assert!(shop.ok(&["report", &id.to_string()]).contains("| stale |"), "{}", shop.ok(&["report", &id.to_string()]));
    // A person's word wins, until it is taken back.
    shop.ok(&["criterion", "set", "AC-1", "satisfied", "--note", "looked at it"]);
    assert_eq!(standing(), "satisfied");
    shop.ok(&["criterion", "unset", "AC-1"]);
    assert_eq!(standing(), "stale");
}

#[test]
fn a_persons_word_on_a_criterion_wins() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    shop.ok(&["criterion", "set", "AC-1", "unmet", "--note", "It weighs the wrong thing."]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let told = shop.prompt(id, Step::GenerateIntegrationTests, 2);
    assert!(told.contains("a person says that it is not met: It weighs the wrong thing."), "{told}");

    let unmarked = BEGINNING.replace("ac_1_weighs", "weighs");
    let (shop, id) = Shop::with(TOML, &[&unmarked, JOINED, WAKE_CART, WEIGHED], |_| {});
    shop.ok(&["criterion", "set", "AC-1", "satisfied", "--note", "Seen on the scales."]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let criteria: Value = serde_json::from_str(&shop.ok(&["criterion", "ls", "--json"])).unwrap();
    assert_eq!(criteria[0]["standing"], "satisfied");
    assert_eq!(criteria[0]["said"]["note"], "Seen on the scales.");
    assert_eq!(criteria[0]["shown"]["state"], "untested", "the tests show what they show: {criteria}");
    assert!(shop.ok(&["report", &id.to_string()]).contains("by a person's word: AC-1"));
}
