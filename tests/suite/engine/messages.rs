//! What a person does with a conversation: say something into it, interrupt it.

use std::fs;

use callboard::model::{Cause, EventKind, IntentAction, MessageState, Mode, SessionId, Status, Step};

use super::{
    lab::{Lab, Shape},
    real::{Kind, Real, rule, say, write_code, writes},
};
use crate::model::Act;

fn says(text: &str) -> IntentAction {
    IntentAction::Say { text: text.into() }
}

/// How far each message of a session has come.
fn states(lab: &Lab, id: SessionId) -> Vec<(String, &'static str)> {
    let messages = lab.open().messages(id, 99).unwrap();
    messages.into_iter().map(|message| (message.text.clone(), message.state().as_str())).collect()
}

/// The news of messages, by the attempt in which they are told.
fn news(lab: &Lab, id: SessionId) -> Vec<(u32, MessageState)> {
    let events = lab.events(id).into_iter();
    let state = |kind| if let EventKind::Message { state, .. } = kind { Some(state) } else { None };
    events.filter_map(|event| state(event.kind).map(|state| (event.interaction, state))).collect()
}

#[test]
fn what_is_said_while_no_agent_listens_is_in_the_next_prompt() {
    let lab = Lab::new();
    lab.write("hold/here", "");
    lab.act("tests-alpha", "hold here");
    lab.write("project/tests/alpha.t", "adds three\n");
    lab.git(&["add", "--all"]);
    lab.git(&["commit", "--quiet", "--message", "tests"]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.at_step(id, Step::RunTests);
    lab.ok(&["say", &id.to_string(), "mind the\n\u{1b}[31mtax"]);
    lab.done(id, says("and the\n## rounding"));
    assert_eq!(states(&lab, id).iter().map(|it| it.1).collect::<Vec<_>>(), ["queued", "queued"]);
    let show = lab.ok(&["show", &id.to_string(), "--json"]);
    let show: serde_json::Value = serde_json::from_str(&show).unwrap();
    assert_eq!(
        (&show["messages"][0]["state"], &show["messages"][0]["user"]),
        (&"queued".into(), &"ada@example.com".into())
    );
    lab.release("here");
    lab.completes(id);
    let prompt = lab.read("prompts/alpha-fix_test_failures-1-1");
    let (_, said) = prompt.split_once("## What a person says to you").unwrap();
    assert!(said.contains("ada@example.com:\n\n> mind the\n> tax\n"), "{said}");
    assert!(said.contains("> and the\n> ## rounding\n"), "what is said is quoted: {said}");
    assert_eq!(states(&lab, id).iter().map(|it| it.1).collect::<Vec<_>>(), ["seen", "seen"]);
    let (queued, delivered, seen) = (MessageState::Queued, MessageState::Delivered, MessageState::Seen);
    assert_eq!(news(&lab, id), [(3, queued), (3, queued), (4, delivered), (4, delivered), (4, seen), (4, seen)]);
    assert!(!lab.read("prompts/alpha-generate_implementation-1-1").contains("a person says"));
}

#[test]
fn what_was_told_and_not_heard_is_told_again_after_a_kill() {
    let lab = Lab::new();
    lab.act(
        "alpha-generate_tests_and_fixtures",
        "if mkdir $LAB/once 2>/dev/null; then sleep 600; fi; mkdir -p tests; echo 'adds one' > tests/alpha.t",
    );
    let first = lab.engine();
    let id = lab.session_with("component_test", "Alpha", &["--mode", "manual"]);
    lab.done(id, IntentAction::Advance);
    lab.wait("it is made", |store| {
        store.attempts(&store.session(id).unwrap()).unwrap().iter().any(|it| it.outcome.is_some())
    });
    lab.done(id, says("mind the tax"));
    lab.done(id, IntentAction::Advance);
    lab.wait("it hangs", |_| lab.root.join("once").exists());
    assert_eq!(states(&lab, id), [("mind the tax".to_owned(), "delivered")]);
    fs::remove_file(lab.root.join("prompts/alpha-generate_tests_and_fixtures-1-1")).unwrap();
    lab.kill(first);
    lab.engine();
    lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    lab.completes(id);
    assert!(lab.read("prompts/alpha-generate_tests_and_fixtures-1-1").contains("> mind the tax"));
    assert_eq!(states(&lab, id), [("mind the tax".to_owned(), "seen")]);
    assert_eq!(lab.steps(id)[1..3], ["generate_tests_and_fixtures:interrupted", "generate_tests_and_fixtures"]);
}

#[test]
fn what_an_agent_died_before_it_read_is_told_again() {
    let lab = Lab::new();
    let once = "if mkdir $LAB/once 2>/dev/null; then kill -9 $$; fi";
    lab.act("alpha-generate_tests_and_fixtures", &format!("{once}; mkdir -p tests; echo 'adds one' > tests/alpha.t"));
    lab.engine();
    let id = lab.session_with("component_test", "Alpha", &["--mode", "manual"]);
    lab.done(id, says("mind the tax"));
    lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    lab.completes(id);
    assert_eq!(lab.steps(id)[1..3], ["generate_tests_and_fixtures:failed", "generate_tests_and_fixtures"]);
    assert!(lab.read("prompts/alpha-generate_tests_and_fixtures-1-2").contains("> mind the tax"));
    let (delivered, seen) = (MessageState::Delivered, MessageState::Seen);
    assert_eq!(news(&lab, id), [(2, delivered), (3, delivered), (3, seen)]);
}

#[test]
fn what_cannot_be_said_is_refused() {
    let lab = Lab::new();
    lab.engine();
    let id = lab.session_with("component_test", "Alpha", &["--mode", "manual"]);
    assert!(lab.refused(id, says(" \n")).contains("nothing to say"));
    assert!(lab.refused(id, says(&"x".repeat(16 * 1024 + 1))).contains("16385 bytes"));
    for at in 0..20 {
        lab.done(id, says(&format!("{at}")));
    }
    assert!(lab.refused(id, says("one more")).contains("20 messages wait"));
    let other = lab.session_with("component_test", "Beta", &["--mode", "manual"]);
    for _ in 0..4 {
        lab.done(other, says(&"x".repeat(16 * 1024)));
    }
    assert!(lab.refused(other, says("one more")).contains("4 messages wait"), "together they are long");
    let context = lab.session_with("context_testing", "Shop", &["--mode", "manual"]);
    assert!(lab.refused(context, says("hello")).contains("has no agent"));
    assert!(lab.refused(id, IntentAction::Interrupt).contains("none of its steps is running"));
    lab.done(id, IntentAction::Cancel);
    assert!(lab.refused(id, says("hello")).contains("it is cancelled: reactivate it"));
    let (code, said) = lab.output(&["say", &id.to_string()]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_step_is_interrupted_and_goes_on_when_it_is_advanced() {
    let lab = Lab::new();
    let once = "if mkdir $LAB/$at 2>/dev/null; then setsid sleep 600 & sleep 600; fi";
    lab.act("alpha-generate_tests_and_fixtures", &format!("{once}; mkdir -p tests; echo 'adds one' > tests/alpha.t"));
    lab.act("tests-alpha", "if mkdir $lab/tested 2>/dev/null; then sleep 600; fi");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.wait("its agent hangs", |_| lab.root.join("alpha-generate_tests_and_fixtures").exists());
    lab.ok(&["interrupt", &id.to_string()]);
    lab.nobody_left();
    assert_eq!((lab.get(id).mode, lab.get(id).status), (Mode::Manual, Status::Active));
    lab.wait("it is on record", |store| !store.board_row(id).unwrap().is_running());
    assert_eq!(lab.history(id)[1].result.as_ref().unwrap().cause, Some(Cause::Interrupted));
    // So are tests.
    lab.done(id, IntentAction::Advance);
    lab.wait("it is done", |store| store.board_row(id).unwrap().next.as_deref() == Some("run_tests"));
    lab.done(id, IntentAction::Advance);
    lab.wait("its tests hang", |_| lab.root.join("tested").exists());
    lab.done(id, IntentAction::Interrupt);
    lab.nobody_left();
    lab.wait("it is on record", |store| !store.board_row(id).unwrap().is_running());
    lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    lab.completes(id);
    let wanted = [
        "initialize",
        "generate_tests_and_fixtures:interrupted",
        "generate_tests_and_fixtures",
        "run_tests:interrupted",
        "run_tests",
        "finalize",
    ];
    assert_eq!(lab.steps(id), wanted);
    assert_eq!(lab.history(id)[4].iteration, 1, "what was interrupted counts for nothing");
}

#[test]
fn a_set_up_command_and_a_hook_are_interrupted_too() {
    let lab = Lab::new();
    let root = lab.root.clone();
    lab.configure(&Shape {
        worktree: format!("setup = [\"sh\", \"-c\", \"mkdir {root}/set 2>/dev/null && sleep 600; true\"]"),
        ..Shape::default()
    });
    lab.ok(&["trust", "--yes"]);
    lab.hook("pre-commit", &format!("if mkdir {root}/hooked 2>/dev/null; then sleep 600; fi"));
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    for (there, step) in [("set", "initialize"), ("hooked", "finalize")] {
        lab.wait(step, |_| lab.root.join(there).exists());
        lab.done(id, IntentAction::Interrupt);
        lab.wait("it is on record", |store| !store.board_row(id).unwrap().is_running());
        lab.nobody_left();
        assert_eq!(lab.steps(id).last().unwrap(), &format!("{step}:interrupted"), "{}", lab.story());
        assert_eq!(lab.get(id).status, Status::Active);
        lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    }
    lab.completes(id);
    assert_eq!(lab.commits(&lab.branch(id)).len(), 1, "its work is committed once");
}

/// A tool that runs until it may end. Its files are in the worktree: not every agent lets it write elsewhere.
const WAIT: &str = "touch begun; while [ ! -e go ]; do sleep 0.1; done; rm begun go";

/// A person says something while the agent runs a tool. It is in the same conversation, and the step ends well with it.
fn is_heard_in_mid_turn(preset: &'static str, program: &'static str) {
    let Some(real) = Real::new(Kind { preset, program }, "permissions = \"allow\"", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    model.rules(vec![
        rule(&write_code("Alpha"), vec![vec![say("I look."), Act::Shell(WAIT.into())], vec![say("I am done.")]]),
        rule("one please", vec![vec![say("One it is."), writes("Alpha", "one\n")], vec![say("Written.")]]),
    ]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let place = |store: &callboard::store::Store| store.session(id).unwrap().worktree;
    lab.wait("the tool runs", |store| place(store).is_some_and(|worktree| worktree.join("begun").exists()));
    lab.done(id, says("one please"));
    fs::write(lab.worktree(id).join("go"), "").unwrap();
    lab.completes(id);
    assert_eq!(lab.steps(id), ["initialize", "generate_implementation", "run_tests", "finalize"]);
    assert_eq!(states(lab, id), [("one please".to_owned(), "seen")]);
    let wanted = [MessageState::Queued, MessageState::Delivered, MessageState::Seen];
    assert_eq!(news(lab, id), wanted.map(|state| (2, state)), "{}", lab.story());
    assert!(real.said(id, 2).contains("One it is."));
    let heard = model.asked().into_iter().find(|asked| asked.heard("one please")).unwrap();
    assert!(heard.heard(&write_code("Alpha")) && heard.told("I look."), "in the same conversation");
    lab.nobody_left();
}

#[test]
fn claude_hears_it_in_mid_turn() {
    is_heard_in_mid_turn("claude", "claude");
}

#[test]
fn codex_hears_it_in_mid_turn() {
    is_heard_in_mid_turn("codex", "codex");
}

#[test]
fn an_acp_agent_hears_it_in_mid_turn() {
    is_heard_in_mid_turn("claude-acp", "claude-agent-acp");
}

/// The agent is interrupted, told something, and goes on with the same conversation.
fn is_interrupted_and_told(preset: &'static str, program: &'static str) {
    let Some(real) = Real::new(Kind { preset, program }, "permissions = \"allow\"", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    model.rules(vec![rule(&write_code("Alpha"), vec![vec![say("I look."), Act::Shell(WAIT.into())]])]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let place = |store: &callboard::store::Store| store.session(id).unwrap().worktree;
    lab.wait("the tool runs", |store| place(store).is_some_and(|worktree| worktree.join("begun").exists()));
    lab.done(id, IntentAction::Interrupt);
    lab.wait("it is on record", |store| !store.board_row(id).unwrap().is_running());
    lab.nobody_left();
    model.rules(vec![rule("one please", vec![vec![writes("Alpha", "one\n")], vec![say("Written.")]])]);
    lab.done(id, says("one please"));
    lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    lab.completes(id);
    assert_eq!(lab.steps(id)[1..3], ["generate_implementation:interrupted", "generate_implementation"]);
    assert_eq!(states(lab, id), [("one please".to_owned(), "seen")]);
    let heard = model.asked().into_iter().find(|asked| asked.heard("one please")).unwrap();
    assert!(heard.told("I look."), "it goes on with the conversation");
}

/// What it was told and has not taken in yet would be its next turn: an interruption does not wait for that.
#[test]
fn claude_does_not_go_on_with_what_it_was_told_when_it_is_interrupted() {
    let claude = Kind { preset: "claude", program: "claude" };
    let Some(real) = Real::new(claude, "permissions = \"allow\"", Shape::default()) else { return };
    let Real { lab, model } = &real;
    real.tests(&["Alpha"], &["one"]);
    let late = vec![vec![Act::Shell("touch late".into())], vec![writes("Alpha", "one\n")], vec![say("Late.")]];
    model.rules(vec![
        rule(&write_code("Alpha"), vec![vec![say("I look."), Act::Shell(WAIT.into())]]),
        rule("one please", late),
    ]);
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let place = |store: &callboard::store::Store| store.session(id).unwrap().worktree;
    lab.wait("the tool runs", |store| place(store).is_some_and(|worktree| worktree.join("begun").exists()));
    lab.done(id, says("one please"));
    lab.wait("it was told", |store| store.messages(id, 9).unwrap()[0].delivered_at.is_some());
    lab.done(id, IntentAction::Interrupt);
    lab.wait("it is on record", |store| !store.board_row(id).unwrap().is_running());
    lab.nobody_left();
    assert_eq!(lab.steps(id), ["initialize", "generate_implementation:interrupted"], "{}", lab.story());
    assert!(!lab.worktree(id).join("late").exists());
    assert_eq!(states(lab, id), [("one please".to_owned(), "delivered")], "it is told again");
    model.rules(vec![rule("one please", vec![vec![writes("Alpha", "one\n")], vec![say("Written.")]])]);
    lab.done(id, IntentAction::SetMode { mode: Mode::Auto });
    lab.completes(id);
    assert_eq!(states(lab, id), [("one please".to_owned(), "seen")]);
}

#[test]
fn claude_is_interrupted_and_told() {
    is_interrupted_and_told("claude", "claude");
}

#[test]
fn codex_is_interrupted_and_told() {
    is_interrupted_and_told("codex", "codex");
}
