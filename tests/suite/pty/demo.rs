//! `callboard demo`, as the README shows it.

use callboard::model::{SessionKind, Status};

use super::term::{Term, callboard};
use crate::cli::world::{World, until};

/// Looks at a pane of the session of this name whose header begins so.
fn look_at(term: &mut Term, name: &str, header: &str, pane: &str) {
    term.press(&format!("/{name}"), &format!("/{name}"));
    term.keys("\r");
    term.hides("Enter keep");
    term.press(pane, header);
}

#[test]
fn the_board_of_the_demo() {
    let world = World::empty();
    let mut term = Term::open(&mut callboard(&world, &["demo", "demo"]));
    term.until("children run beside each other", |screen| {
        screen.contents().lines().filter(|line| line.chars().take(8).any(|char| char == '●')).count() > 2
    });
    let project = world.project.join("demo/shop");
    let scope = callboard::model::Scope { account: "local".into(), project: project.to_string(), user: String::new() };
    let store = callboard::store::Store::open(&world.store, scope).unwrap();
    until("both sessions are complete", || {
        let of = |kind| {
            let filter = callboard::store::SessionFilter { kind: Some(kind), status: Some(Status::Complete) };
            store.sessions(filter).unwrap().len()
        };
        of(SessionKind::ContextTesting) + of(SessionKind::ContextCoding) == 2
    });
    term.shows("12 complete");

    look_at(&mut term, "tax component_test", "Tax  test", "3");
    term.shows("Fixed");
    term.shows("tests/");
    term.keys("\x1b");
    term.shows("✓ Cart");
    look_at(&mut term, "shipping component_coding", "Shipping  code", "3");
    term.shows("Fixed");
    term.shows("fixed  #");

    // The halt is read and decided, and the session goes on to its end.
    term.shows("1 waits for you");
    term.press("!", "Inbox");
    term.keys("\r");
    term.shows("Changed here, and theirs or used by them");
    term.shows("src/billing/rounding.rs");
    term.keys("O");
    term.shows("Override the halt of Orders");
    term.keys("Rounding stays as it is\x13");
    term.until("all are complete", |screen| ["13 complete", "✓13"].iter().any(|it| screen.contents().contains(it)));
    term.shows("overrode it: it went on");
    term.shows("VOID");
    // Escape and what follows it at once would be one key with Alt.
    term.keys("\x1b");
    term.hides("VOID");
    term.keys("4");
    term.shows("5 of 5 satisfied");

    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
    term.shows("what runs goes on. Open its board again with");
    term.shows("engine stop --store");

    let arguments = ["--project", project.as_str(), "--store", world.store.as_str()];
    let mut term = Term::open(&mut callboard(&world, &arguments));
    term.shows("13 complete");
    look_at(&mut term, "discount component_coding", "Discount  code", "6");
    term.keys("\rz");
    term.shows("dbg!(");
    term.shows("woke it");
}
