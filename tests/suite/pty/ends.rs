//! Every way out gives the terminal back, and none stops the work.

use std::{fs, path::Path};

use rustix::process::Signal;

use super::term::{Term, board, callboard};
use crate::cli::world::{World, ran};

fn shop() -> World {
    let world = World::trusted();
    world.session(&["component_test", "Pricing", "--base", "main", "--mode", "manual"]);
    world
}

fn opened(world: &World) -> Term {
    let term = board(world);
    term.shows("● engine");
    term.until("the terminal is the board's", |screen| {
        screen.alternate_screen() && screen.hide_cursor() && screen.bracketed_paste()
    });
    assert_ne!(term.line_discipline(), term.before);
    term
}

#[test]
fn keys_and_signals() {
    let world = shop();
    for key in ["q", "\x03"] {
        let mut term = opened(&world);
        term.keys(key);
        assert_eq!(term.ended(), 0, "{key:?}");
        term.is_given_back();
    }
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut term = opened(&world);
        term.signal(signal);
        assert_eq!(term.ended(), code, "{signal:?}");
        term.is_given_back();
    }
    assert_eq!(world.run(&["engine", "status"]).code, 0, "the engine is still there");
}

/// Names the file with which [`a_board_that_panics`] is made to.
const CLOCK: &str = "PANIC_IN_CLOCK";
/// The same for the store's thread.
const WATCH: &str = "PANIC_IN_WATCH";

fn panics(name: &str) {
    if std::env::var(name).is_ok_and(|path| Path::new(&path).exists()) {
        panic!("as wanted");
    }
}

fn clock() -> i64 {
    panics(CLOCK);
    callboard::engine::now()
}

/// No test by itself: what [`a_panic`] runs in a terminal.
#[test]
fn a_board_that_panics() {
    let Ok(store) = std::env::var("PANIC_STORE") else { return };
    let scope = callboard::model::Scope {
        account: "local".into(),
        project: std::env::var("PANIC_PROJECT").unwrap(),
        user: String::new(),
    };
    let options = callboard::tui::Options {
        store: callboard::store::Store::open(store.as_str().into(), scope).unwrap(),
        project: "shop".into(),
        now: clock,
        zone: jiff::tz::TimeZone::UTC,
        colors: callboard::tui::Colors::Sixteen,
        limits: callboard::model::Limits::default(),
        start: Box::new(|| {}),
        engine: Box::new(|| {
            panics(WATCH);
            true
        }),
    };
    callboard::tui::run(options, &(Box::new(|_| Err("nothing is".into())) as callboard::tui::TakeOver)).unwrap();
}

#[test]
fn a_panic() {
    let world = shop();
    let program = std::env::current_exe().unwrap();
    for (n, where_) in [CLOCK, WATCH].into_iter().enumerate() {
        let now = world.folder.join(format!("panic-{n}"));
        let arguments = ["--exact", "pty::ends::a_board_that_panics", "--nocapture"];
        let mut command = world.command_of(program.to_str().unwrap(), &arguments);
        command.env("PANIC_STORE", &world.store).env("PANIC_PROJECT", &world.project).env(where_, &now);
        let mut term = Term::open(&mut command);
        term.shows("Pricing");
        fs::write(&now, "").unwrap();
        // A key makes it look at the clock; the engine is looked for when a second went by.
        while !String::from_utf8_lossy(&term.written()).contains("as wanted") {
            term.answers("\x1b[", |term| term.keys("j"));
        }
        assert_eq!(term.ended(), 101, "{where_}");
        term.is_given_back();
        assert!(term.contents().contains("as wanted"), "{where_}: {}", term.contents());
    }
}

#[test]
fn into_the_background_and_back() {
    let world = shop();
    let program = env!("CARGO_BIN_EXE_callboard");
    let mut shell = callboard(&world, &[]);
    let mut command = std::process::Command::new("sh");
    command.arg("-i").current_dir(&world.project).env("PS1", "ready> ");
    for (name, value) in shell.env("BOARD", program).get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    let mut term = Term::open(&mut command);
    term.shows("ready> ");
    term.press("\"$BOARD\"\r", "● engine");
    for _ in 0..2 {
        term.keys("\x1a");
        term.until("the shell is back", |screen| {
            !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().contains("Stopped")
        });
        term.press("echo alive $((40 + 2)); clear\r", "ready> ");
        term.keys("fg\r");
        term.until("the board is back", |screen| {
            screen.alternate_screen() && screen.hide_cursor() && screen.contents().contains("● engine")
        });
        term.press("?", "Keys ·");
        term.keys("q");
        term.hides("Keys ·");
    }
    term.keys("q");
    term.until("the shell is back", |screen| {
        !screen.alternate_screen() && !screen.hide_cursor() && screen.contents().trim_end().ends_with("ready>")
    });
    term.keys("\r");
    term.keys("exit 7\r");
    assert_eq!(term.ended(), 7);
}

#[test]
fn stopped_and_told_to_go_on() {
    let world = shop();
    let mut term = opened(&world);
    term.signal(Signal::STOP);
    term.answers("\x1b[?1049h", |term| term.signal(Signal::CONT));
    term.press("?", "Keys ·");
}

#[test]
fn a_closed_terminal_stops_nothing() {
    let world = World::trusted();
    let gate = world.folder.join("gate");
    world.edit("agent.sh", "cat > /dev/null", &format!("cat > /dev/null; cat {gate}"));
    world.commit_all("An agent that takes its time");
    assert_eq!(ran(std::process::Command::new("mkfifo").arg(&gate)).code, 0);
    let id = world.session(&["component_test", "Pricing", "--base", "main"]);
    let mut term = board(&world);
    term.shows("● engine");
    world.wait(&id, "its agent runs", |session| session["step"] == "generate_tests_and_fixtures");
    // Opened for writing as soon as the agent reads.
    let mut gate = fs::OpenOptions::new().write(true).open(&gate).unwrap();
    term.close();
    term.ended();
    std::io::Write::write_all(&mut gate, b"go on\n").unwrap();
    drop(gate);
    world.wait(&id, "the generated tests", |session| {
        session["interactions"].as_array().unwrap().iter().any(|it| it["step"] == "run_tests")
    });
}
