//! A person goes on with a session's conversation in the real agents' own programs, and the session goes on with it afterwards.

use std::time::{Duration, Instant};

use super::term::{Term, board, callboard};
use crate::{
    cli::world::World,
    engine::real::{Kind, Setting},
    model::{Act, Model, Rule},
};

const TOML: &str = include_str!("../../data/cli/callboard.toml");

/// So long a step is waited for before the test gives up.
const LIMIT: Duration = Duration::from_secs(120);

/// A session whose agent has made one turn, and is now to be advanced.
struct Scene {
    world: World,
    model: Model,
    id: String,
}

impl Scene {
    /// `None`: the program is not installed.
    fn new(kind: Kind) -> Option<Self> {
        let setting = Setting::of(kind)?;
        let say = |text: &str| vec![Act::Say(text.into())];
        let write = |text: &str| vec![Act::Write { path: "src/pricing.txt".into(), content: text.into() }];
        let model = Model::start(vec![
            Rule::new(&["Write the code of `Pricing`"], vec![write("none\n"), say("Pricing is begun.")]),
            Rule::new(&["Round it to cents"], vec![say("Cents it will be.")]),
            Rule::new(&["Make the tests of `Pricing` pass"], vec![write("adds\n"), say("Pricing adds.")]),
        ]);
        let world = World::new();
        world.write("callboard.toml", &format!("{TOML}{}", setting.table(&model)));
        world.write("tests/pricing.txt", "adds\n");
        world.commit_all("Use a real agent");
        world.ok(&["trust", "--yes"]);
        let home = world.folder.join("home");
        setting.configure(&model, &home);
        let arguments = ["component_coding", "Pricing", "--base", "main", "--mode", "manual", "--agent", kind.preset];
        let id = world.session(&arguments);
        let scene = Self { world, model, id };
        let _engine = scene.world.engine();
        scene.advance("initialize", "ok");
        scene.advance("generate_implementation", "ok");
        let session = scene.world.json(&["show", &scene.id]);
        setting.used_by_hand(&home, session["worktree"].as_str().unwrap());
        Some(scene)
    }

    fn advance(&self, step: &str, status: &str) {
        self.world.ok(&["advance", &self.id]);
        let (store, id) = (self.world.open(), self.id.parse().unwrap());
        let begin = Instant::now();
        let result = loop {
            let last = store.interactions(id, 0).unwrap().pop().filter(|last| last.step.as_str() == step);
            if let Some(result) = last.and_then(|last| last.result) {
                break result;
            }
            assert!(begin.elapsed() < LIMIT, "not in time: {step}");
            std::thread::sleep(Duration::from_millis(5));
        };
        assert_eq!(result.status.as_str(), status, "{result:?}");
    }

    /// The person says something, and gets an answer from who remembers. The program shows `over` below an answer that is whole.
    fn talk(&self, term: &mut Term, over: &str) {
        term.shows("Pricing is begun.");
        term.press("Round it to cents", "Round it to cents");
        term.keys("\r");
        term.until("the answer is whole", |screen| {
            screen.contents().split_once("Cents it will be.").is_some_and(|(_, below)| below.contains(over))
        });
        let asked = self.model.asked().into_iter().find(|asked| asked.heard("Round it to cents")).unwrap();
        assert!(asked.heard("Write the code of `Pricing`") && asked.told("Pricing is begun."), "{:?}", asked.said);
    }

    /// The session's agent knows what the person said.
    fn goes_on(&self) {
        let _engine = self.world.engine();
        self.advance("run_tests", "error");
        self.advance("fix_test_failures", "ok");
        let asked = self.model.asked().pop().unwrap();
        assert!(asked.heard("Round it to cents") && asked.told("Cents it will be."), "{:?}", asked.said);
        assert!(asked.heard("Make the tests of `Pricing` pass") && asked.told("Pricing is begun."), "{:?}", asked.said);
    }
}

/// `bye` ends the program, which its list of commands calls so.
fn goes_on_with_what_was_said(kind: Kind, over: &str, bye: &str, called: &str) {
    let Some(scene) = Scene::new(kind) else { return };
    let mut term = Term::open(&mut callboard(&scene.world, &["takeover", &scene.id]));
    scene.talk(&mut term, over);
    term.press(bye, called);
    term.keys("\r");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
    scene.goes_on();
}

const CLAUDE: Kind = Kind { preset: "claude", program: "claude" };

#[test]
fn claude_goes_on_with_what_a_person_said() {
    goes_on_with_what_was_said(CLAUDE, "done ", "/exit", "Exit the CLI");
}

#[test]
fn codex_goes_on_with_what_a_person_said() {
    goes_on_with_what_was_said(Kind { preset: "codex", program: "codex" }, "Worked for", "/quit", "exit Codex");
}

#[test]
fn opencode_goes_on_with_what_a_person_said() {
    goes_on_with_what_was_said(Kind { preset: "opencode", program: "opencode" }, "▣", "/exit", "Exit the app");
}

#[test]
fn from_the_board_and_back() {
    let Some(scene) = Scene::new(CLAUDE) else { return };
    let mut term = board(&scene.world);
    term.shows("It waits before run_tests");
    term.keys("t");
    term.hides("It waits before run_tests");
    scene.talk(&mut term, "done ");
    term.press("/exit", "Exit the CLI");
    term.press("\r", "took over: claude --resume");
    term.keys("q");
    assert_eq!(term.ended(), 0);
    term.is_given_back();
    scene.world.ok(&["engine", "stop"]);
    scene.goes_on();
}
