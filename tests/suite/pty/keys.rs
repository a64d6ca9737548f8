//! What a person does with keys.

use std::collections::BTreeSet;

use super::term::{Term, board, callboard};
use crate::cli::world::World;

fn manual(world: &World, component: &str) -> String {
    world.session(&["component_test", component, "--base", "main", "--mode", "manual"])
}

fn alone() -> (World, String, Term) {
    let world = World::trusted();
    let id = manual(&world, "Pricing");
    let term = board(&world);
    term.shows("● engine");
    (world, id, term)
}

#[test]
fn a_step_by_hand_and_then_by_itself() {
    let (_world, _, mut term) = alone();
    term.press("a", "advance Pricing: done");
    term.press("A", "approve: it is not halted, there is nothing to decide");
    term.press("w", "rule");
    term.keys("q");
    term.hides("rule ");
    term.press("m", "Mode of Pricing");
    term.keys("j\r");
    term.shows("✓ Pricing");
    term.press("a", "advance: it is complete; R reactivates it");
}

#[test]
fn cancelled_and_made_active_again() {
    let (world, id, mut term) = alone();
    for no in ["n", "\x1b"] {
        term.press("c", "Cancel Pricing?");
        term.keys(no);
        term.hides("Cancel Pricing?");
    }
    assert_eq!(world.json(&["show", &id])["status"], "active");
    term.press("c", "Cancel Pricing?");
    term.press("y", "– Pricing");
    term.press("R", "Reactivate Pricing");
    term.press("Mind the tax", "Mind the tax");
    term.press("\x1b", "Leave without sending?");
    term.keys("n");
    term.hides("Leave without sending?");
    term.press("\x1b[200~ and q\nquit\x1b[201~", "quit");
    term.press("\x13", "reactivate Pricing: done");
    let shown = world.wait(&id, "it is active again", |session| session["generation"] == 2);
    assert_eq!(shown["status"], "active");
    term.press("6", "Mind the tax and q");
    term.shows("quit");
}

#[test]
fn finding_ones_way() {
    let world = World::trusted();
    manual(&world, "Pricing");
    manual(&world, "Total");
    let mut term = board(&world);
    term.shows("● engine");
    term.press("/tot", "1 of 2");
    term.hides("Pricing ");
    term.keys("\r");
    term.press("\x1b", "Pricing");
    term.press("?", "Keys ·");
    term.press("G", "Leave without sending");
    term.keys("\x1b");
    term.hides("Keys ·");
    let mut jumped = BTreeSet::new();
    for row in ["g", "G"] {
        term.press("!", "Inbox · 2 things for you");
        term.keys(row);
        term.keys("\r");
        term.hides("Inbox");
        let screen = term.contents();
        let selected = screen.lines().find(|line| line.starts_with('▌')).unwrap();
        jumped.insert(if selected.contains("Pricing") { "Pricing" } else { "Total" });
    }
    assert_eq!(jumped.len(), 2, "each row leads to its own session");
}

#[test]
fn any_size() {
    let (_world, _, mut term) = alone();
    for (width, height) in [(40, 12), (1, 1), (500, 200), (80, 24)] {
        term.answers("\x1b[?2026l", |term| term.resize(width, height));
    }
    term.shows("Pricing");
    term.press("?", "Keys ·");
}

#[test]
fn keys_and_bytes_that_mean_nothing() {
    let (world, id, mut term) = alone();
    term.press("X", "X does nothing here; ? lists the keys");
    // Pasted keys are no keys.
    term.keys("\x1b[200~qcy\x03\x1b]0;own\x07\r\x1b[201~");
    term.press("v", "v does nothing here");
    for garbage in [
        &b"\x1b[999;999H"[..],
        b"\x1b[?1;2c",
        b"\xff\xfe\x80",
        b"\x1bOZ",
        b"\x1b[<0;1;1M",
        b"\0\0",
        b"\x1b[1;1R",
        b"\xc3(",
    ] {
        term.keys(garbage);
        term.keys("x");
        term.press("v", "v does nothing here");
    }
    assert_eq!(world.json(&["show", &id])["status"], "active");
    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
}

#[test]
fn without_colours() {
    let colours = |term: &Term| {
        let written = String::from_utf8_lossy(&term.written()).into_owned();
        let sets = written.split("\x1b[").skip(1).filter_map(|rest| {
            let end = rest.find(|char: char| char.is_ascii_alphabetic())?;
            rest[end..].starts_with('m').then(|| rest[..end].to_owned())
        });
        sets.flat_map(|set| set.split(';').map(str::to_owned).collect::<Vec<_>>())
            .filter(|number| matches!(number.parse(), Ok(30..=38 | 40..=48 | 90..=97 | 100..=107)))
            .count()
    };
    let (world, _, mut term) = alone();
    term.press("?", "Keys ·");
    assert_ne!(colours(&term), 0, "there is something to look for");
    for command in [callboard(&world, &[]).env("NO_COLOR", "1"), &mut callboard(&world, &["--color", "never"])] {
        let mut term = Term::open(command);
        term.shows("● engine");
        term.press("?", "Keys ·");
        assert_eq!(colours(&term), 0);
    }
}
