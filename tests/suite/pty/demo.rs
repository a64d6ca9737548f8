//! `callboard demo`, as the README shows it.

use callboard::model::{SessionKind, Status};

use super::term::{Term, callboard};
use crate::cli::world::{World, until};

/// Goes down the list until the selected session's header begins so.
fn choose(term: &mut Term, header: &str) {
    term.keys("g");
    for _ in 0..30 {
        if term.contents().contains(header) {
            return;
        }
        term.answers("\x1b[", |term| term.keys("j"));
    }
    term.shows(header);
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

    term.press("/tax", "/tax");
    term.keys("\r3");
    choose(&mut term, "Tax  test");
    term.shows("Fixed");
    term.shows("tests/");
    term.keys("\x1b");
    term.shows("✓ Cart");
    term.press("/shipping", "/shipping");
    term.keys("\r3");
    choose(&mut term, "Shipping  code");
    term.shows("Fixed");
    term.shows("fixed  #");

    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
    term.shows("what runs goes on. Open its board again with");
    term.shows("engine stop --store");

    let arguments = ["--project", project.as_str(), "--store", world.store.as_str()];
    let mut term = Term::open(&mut callboard(&world, &arguments));
    term.shows("12 complete");
    term.press("/discount", "/discount");
    term.keys("\r");
    choose(&mut term, "Discount  code");
    term.keys("4z");
    term.shows("dbg!(");
    term.shows("reactivated it");
}
