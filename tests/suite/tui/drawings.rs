//! Every pane in every phase, and everything that comes on top, as text and as styles.

use callboard::{
    model::{HaltReason, Mode, Origin, SessionId, SessionKind, Status, Step, Verdict},
    store::Change,
    tui::{App, Colors, Options},
};
use insta::assert_snapshot;

use super::{
    board::{Board, Shelf, shop},
    scene::{self, Cast, MINUTE, SECOND, agent, broken, failing},
};

fn at(session: impl Fn(&Cast) -> SessionId, keys: &str) -> String {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(session(&cast));
    board.press(keys);
    board.pictures()
}

#[test]
fn nothing_yet() {
    let shelf = Shelf::new();
    drop(shelf.scene());
    let mut board = shelf.board((80, 24));
    let with_engine = board.pictures();
    let mut board = Board { app: App::open(shelf.options(false), (80, 24)).unwrap() };
    assert_snapshot!("empty", format!("{with_engine}\nNo engine:\n\n{}", board.pictures()));
}

#[test]
fn a_parent_and_what_its_children_do() {
    assert_snapshot!("parent_live", at(|cast| cast.coding, "2"));
}

#[test]
fn an_agent_at_work() {
    assert_snapshot!("running_live", at(|cast| cast.shipping, "2"));
    assert_snapshot!("running_prompt", at(|cast| cast.shipping, "1"));
    assert_snapshot!("running_history", at(|cast| cast.shipping, "6"));
}

#[test]
fn tests_that_fail() {
    assert_snapshot!("failing_failures", at(|cast| cast.shipping, "3"));
}

#[test]
fn a_halt_and_what_to_do() {
    assert_snapshot!("halted_failures", at(|cast| cast.tax, "3"));
    assert_snapshot!("halted_history", at(|cast| cast.tax, "6"));
    assert_snapshot!("halted_live", at(|cast| cast.tax, "2"));
}

#[test]
fn a_session_that_waits_for_a_person() {
    assert_snapshot!("manual_live", at(|cast| cast.manual, "2"));
}

#[test]
fn sessions_that_have_ended() {
    assert_snapshot!("complete_history", at(|cast| cast.cart, "6"));
    assert_snapshot!("complete_failures", at(|cast| cast.cart, "3"));
    assert_snapshot!("failed_live", at(|cast| cast.lost, "2"));
}

#[test]
fn a_session_that_was_not_begun() {
    assert_snapshot!("not_begun_live", at(|cast| cast.total, "2"));
    assert_snapshot!("not_begun_prompt", at(|cast| cast.total, "1"));
}

/// Everything that can become of a failure, and what people and other sessions did about it.
#[test]
fn a_long_story() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let id = scene.session(SessionKind::ComponentCoding, "Pricing", None, Mode::Auto);
    scene.prepare(id, "generate_implementation");
    scene.pass(id, Step::GenerateImplementation, agent("Write it."), 30 * SECOND, "run_tests");
    let test = |name: &'static str, line| (name, "tests/pricing_test.rs", line, "assertion `left == right` failed");
    let runs = [
        broken(&[("src/pricing.rs", 14, "error[E0308]: mismatched types\n  expected `i64`, found `u32`")]),
        failing(&[test("adds_up", 10), test("rounds_down", 20)]),
        failing(&[test("rounds_down", 20)]),
        failing(&[test("adds_up", 10), test("rounds_down", 20)]),
        failing(&[test("rounds_down", 20)]),
        failing(&[test("adds_up", 10), ("rounds_down", "tests/pricing_test.rs", 21, "left: 3\nright: 4")]),
    ];
    for run in &runs {
        scene.tests(id, run, "fix_test_failures");
        scene.pass(id, Step::FixTestFailures, agent("Mend it."), 20 * SECOND, "run_tests");
    }
    let halt = scene.halt(id, HaltReason::IterationLimit, "run_tests ended badly 6 times; the limit is 5.");
    scene.wait(MINUTE).decide(id, halt, Verdict::Override, "adds_up is flaky, go on.", "run_tests");
    scene.tests(id, &failing(&[test("adds_up", 10)]), "fix_test_failures");
    scene.end(id, Status::Cancelled);
    scene.wait(MINUTE).reopen(
        id,
        "The clock of adds_up is fixed now.\nTake the old tests.",
        Origin::Person { user: "ada@example.com".into() },
    );
    scene.begin(id, Step::FixTestFailures, agent("Go on."));
    scene.wait(3 * SECOND);
    assert!(scene.at.get() <= scene::NOW);
    let mut board = shelf.board((120, 40));
    board.press("3");
    let failures = board.pictures();
    board.press("6");
    assert_snapshot!("story_failures", failures);
    assert_snapshot!("story_history", board.pictures());
}

#[test]
fn many_sessions() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let parent = scene.session(SessionKind::ContextTesting, "Warehouse", None, Mode::Auto);
    let kids: Vec<SessionId> = (1..=60)
        .map(|n| scene.session(SessionKind::ComponentTest, &format!("Shelf{n:02}"), Some(parent), Mode::Agentic))
        .collect();
    scene.prepare(parent, "spawn_component_testing_sessions");
    scene.begin(parent, Step::SpawnComponentTestingSessions, scene::spawn(&kids));
    scene.write(vec![Change::Await { session: parent, seq: 2, sessions: kids.clone() }]);
    for (at, kid) in kids.iter().enumerate() {
        match at % 4 {
            0 => {
                scene.prepare(*kid, "generate_tests_and_fixtures");
                scene.end(*kid, Status::Complete);
            }
            1 => {
                scene.begin(*kid, Step::GenerateTestsAndFixtures, agent("Write tests."));
                scene.events(*kid, vec![scene::said(&format!("Counting what is on shelf {at}.\n"))]);
            }
            _ => {}
        }
    }
    let mut board = shelf.board((80, 24));
    let first = board.pictures();
    board.press("G");
    assert_snapshot!("many", format!("{first}\nAt the end:\n\n{}", board.pictures()));
}

#[test]
fn what_comes_on_top() {
    let over = |session: fn(&Cast) -> SessionId, keys: &str, text: &str| {
        let (shelf, cast) = shop();
        let mut board = shelf.board((80, 24));
        board.go(session(&cast));
        board.press(keys);
        board.write(text);
        board.pictures()
    };
    assert_snapshot!("over_help", over(|cast| cast.coding, "?", ""));
    assert_snapshot!("over_help_end", over(|cast| cast.coding, "? G", ""));
    assert_snapshot!("over_inbox", over(|cast| cast.coding, "! j", ""));
    assert_snapshot!("over_cancel", over(|cast| cast.coding, "c", ""));
    assert_snapshot!("over_mode", over(|cast| cast.manual, "m j", ""));
    assert_snapshot!("over_why", over(|cast| cast.coding, "w", ""));
    assert_snapshot!("over_override", over(|cast| cast.tax, "O", "The rate is in dispute.\nGo on."));
    assert_snapshot!("over_reactivate", over(|cast| cast.cart, "R", ""));
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.tax);
    board.press("A");
    board.write("Not yet");
    board.press("Esc");
    assert_snapshot!("over_discard", board.pictures());
    assert_snapshot!("over_filter", over(|cast| cast.coding, "/", "ta"));
}

#[test]
fn a_pane_alone_and_scrolled_back() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    board.go(cast.shipping);
    board.press("Enter z 1 PgDn");
    let prompt = board.pictures();
    board.press("2 k k k");
    assert_snapshot!("zoomed", format!("{prompt}\nLive, three rows back:\n\n{}", board.pictures()));
}

#[test]
fn without_colours() {
    let (shelf, cast) = shop();
    let options = Options { colors: Colors::None, ..shelf.options(true) };
    let mut board = Board { app: App::open(options, (80, 24)).unwrap() };
    board.go(cast.tax);
    board.press("3");
    assert_snapshot!("no_color", board.picture());
    let coloured = board.picture().lines().skip_while(|line| !line.starts_with("── styles")).any(|line| {
        ["red", "green", "yellow", "blue", "cyan", "magenta"].iter().any(|color| line.to_lowercase().contains(color))
    });
    assert!(!coloured);
}

#[test]
fn any_size_is_drawn() {
    let (shelf, cast) = shop();
    let mut board = shelf.board((80, 24));
    for session in [cast.coding, cast.tax, cast.shipping] {
        board.go(session);
        for keys in ["2", "3", "1", "4", "5", "6", "Tab", "H", "Esc", "?", "!", "w", "m", "c", "R", "O", "/"] {
            board.press(keys);
            for (width, height) in
                [(1, 1), (2, 2), (3, 5), (5, 3), (10, 4), (20, 6), (39, 9), (70, 7), (200, 60), (500, 3)]
            {
                board.resize(width, height);
                board.text();
            }
            board.press("Esc Esc");
            board.press("n");
        }
    }
}
