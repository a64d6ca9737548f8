//! The board with its worker on a real store, while others write to it.

use std::{
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use callboard::{
    model::{Answer, IntentAction, Mode, Origin, SessionKind, Status, Step, StepResult},
    store::{Change, Store},
    tui::{App, Message, Options},
};

use super::{
    board::{Board, Shelf, shop},
    scene::{self, MINUTE, agent, said},
};

pub(super) struct Story {
    pub(super) board: Board,
    news: Receiver<Message>,
}

impl Story {
    pub(super) fn open(shelf: &Shelf, engine: bool) -> Self {
        Self::with(shelf.options(engine))
    }

    pub(super) fn with(options: Options) -> Self {
        let mut app = App::open(options, (100, 30)).unwrap();
        let (sender, news) = channel();
        app.start(sender).unwrap();
        Self { board: Board { app }, news }
    }

    /// Takes in what arrives until the screen shows what is waited for.
    fn until(&mut self, wanted: impl Fn(&str) -> bool) {
        while !wanted(&self.board.text()) {
            let text = self.board.text();
            let message =
                self.news.recv_timeout(Duration::from_secs(20)).unwrap_or_else(|_| panic!("in vain:\n{text}"));
            self.board.app.take(message);
        }
    }

    pub(super) fn shows(&mut self, text: &str) {
        self.until(|screen| screen.contains(text));
    }
}

#[test]
fn what_others_write_is_seen() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let mut story = Story::open(&shelf, true);
    story.shows("Nothing is on the board yet");
    let id = scene.session(SessionKind::ComponentTest, "Pricing", None, Mode::Auto);
    story.shows("○ Pricing");
    scene.prepare(id, "generate_tests_and_fixtures");
    scene.begin(id, Step::GenerateTestsAndFixtures, agent("Write the tests of Pricing."));
    story.shows("● Pricing");
    scene.events(id, vec![said("Thinking about "), said("prices.\n")]);
    story.shows("Thinking about prices.");
    story.board.press("1");
    story.shows("Write the tests of Pricing.");
    scene.finish(id, StepResult::ok(), None);
    scene.end(id, Status::Complete);
    story.shows("✓ Pricing");
    story.shows("1 complete");
}

#[test]
fn an_intent_is_written_and_its_answer_shown() {
    let (shelf, cast) = shop();
    let mut story = Story::open(&shelf, true);
    story.board.press("a");
    story.shows("advance Invoice: asked");
    let mut engine = Store::open(&shelf.path, scene::scope()).unwrap();
    let [intent] = &engine.open_intents().unwrap()[..] else { panic!("one intent") };
    assert_eq!((intent.session_id, &intent.action), (cast.manual, &IntentAction::Advance));
    assert_eq!(intent.user, "ada@example.com");
    let answer = Answer::Refused { why: "its next step waits for Tax".into() };
    engine.apply(&vec![Change::Answer { intent: intent.id, answer, at: scene::NOW }]).unwrap();
    story.shows("advance Invoice was refused: its next step waits for Tax");
}

#[test]
fn what_was_asked_last_is_written_before_the_board_closes() {
    let (shelf, cast) = shop();
    let mut story = Story::open(&shelf, false);
    story.board.go(cast.coding);
    story.board.press("c y");
    drop(story);
    let intents = Store::open(&shelf.path, scene::scope()).unwrap().open_intents().unwrap();
    assert_eq!(intents.iter().map(|intent| &intent.action).collect::<Vec<_>>(), [&IntentAction::Cancel]);
}

#[test]
fn without_an_engine_it_says_so() {
    let (shelf, _) = shop();
    let mut story = Story::open(&shelf, false);
    story.shows("no engine");
    story.board.press("a");
    story.shows("recorded; an engine does it as soon as one is alive");
}

#[test]
fn the_stream_is_followed_and_read_back_without_losing_the_place() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let id = scene.session(SessionKind::ComponentCoding, "Pricing", None, Mode::Auto);
    scene.begin(id, Step::Initialize, scene::git());
    let lines = |from: u32, to: u32| (from..=to).map(|n| said(&format!("saying {n:05}\n"))).collect::<Vec<_>>();
    scene.events(id, lines(1, 3_000));
    let mut story = Story::open(&shelf, true);
    story.shows("saying 03000");
    story.board.press("Enter PgUp PgUp");
    let place = first_said(&story.board.text());
    scene.events(id, lines(3_001, 3_100));
    story.shows("newer events");
    story.until(|screen| screen.contains("▼ 1"));
    assert_eq!(first_said(&story.board.text()), place, "{}", story.board.text());
    // All the way back, through events that were not in the window.
    for _ in 0..400 {
        story.board.press("PgUp");
        let shown = first_said(&story.board.text());
        if shown.as_deref() == Some("saying 00001") {
            break;
        }
        while let Ok(message) = story.news.try_recv() {
            story.board.app.take(message);
        }
        std::thread::yield_now();
    }
    story.shows("saying 00001");
    story.board.press("G");
    story.shows("saying 03100");
}

fn first_said(screen: &str) -> Option<String> {
    screen.lines().find_map(|line| line.find("saying").map(|at| line[at..at + 12].to_owned()))
}

/// Children write as fast as they can: every change is seen in the end, and the snapshots that come are few.
#[test]
fn a_flood_is_looked_at_now_and_then() {
    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    let parent = scene.session(SessionKind::ContextCoding, "Orders", None, Mode::Auto);
    let kids: Vec<_> = (0..16)
        .map(|n| scene.session(SessionKind::ComponentCoding, &format!("Part{n}"), Some(parent), Mode::Agentic))
        .collect();
    for kid in &kids {
        scene.begin(*kid, Step::GenerateImplementation, agent("Write."));
    }
    let mut story = Story::open(&shelf, true);
    for round in 0..40 {
        for kid in &kids {
            scene.events(*kid, (0..20).map(|n| said(&format!("round {round} line {n}\n"))).collect());
        }
    }
    story.board.go(kids[3]);
    story.shows("round 39 line 19");
    // The clock stands still here, so a pause is never over before its time; what matters is that none was without end.
    assert!(story.board.app.snapshot.live(kids[3]).is_some_and(|live| live.total == 800));
}

#[test]
fn a_session_that_ends_is_kept_open_and_a_halt_appears() {
    let (shelf, cast) = shop();
    let mut story = Story::open(&shelf, true);
    story.board.go(cast.shipping);
    story.shows("Shipping");
    let mut scene = scene::Scene::again(&shelf.path);
    scene.at.set(scene::NOW - MINUTE);
    scene.finish(cast.shipping, StepResult::ok(), None);
    scene.halt(cast.shipping, callboard::model::HaltReason::AgentUnavailable, "claude: not found in PATH");
    story.shows("HALTED  agent unavailable");
    story.shows("claude: not found in PATH");
    story.shows("4 wait for you");
}

#[test]
fn a_store_that_cannot_be_read_any_more_is_said() {
    let (shelf, _) = shop();
    let mut story = Story::open(&shelf, true);
    let broken = rusqlite::Connection::open(&shelf.path).unwrap();
    broken.execute_batch("UPDATE sessions SET status = 'gone' WHERE row = 1").unwrap();
    drop(broken);
    // Only a commit of callboard wakes the board.
    let mut scene = scene::Scene::again(&shelf.path);
    scene.write(vec![Change::Project { name: "shop2".into(), description: String::new() }]);
    story.until(|screen| screen.contains("Conversion error"));
}

#[test]
fn a_child_that_is_woken_is_not_hidden() {
    let (shelf, cast) = shop();
    let mut scene = scene::Scene::again(&shelf.path);
    let child = scene.store.children(cast.testing).unwrap().pop().unwrap().id;
    let mut story = Story::open(&shelf, true);
    assert!(!story.board.text().contains(" g2 "), "its parent has ended and is folded:\n{}", story.board.text());
    scene.reopen(child, "Once more.", Origin::Session { id: cast.coding });
    story.shows(" g2 ");
    story.shows("← Orders");
    // Who folds it away again means it.
    story.board.go(cast.testing);
    story.board.press("h");
    assert!(!story.board.text().contains(" g2 "), "{}", story.board.text());
    scene.session(SessionKind::ComponentTest, "Pricing", None, Mode::Auto);
    story.shows("Pricing");
    assert!(!story.board.text().contains(" g2 "), "{}", story.board.text());
}
