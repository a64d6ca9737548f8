//! What people ask for: done once and in order, or refused without a trace.

use callboard::model::{IntentAction, Mode, SessionId, Status, Step};

use super::lab::{Lab, Shape};

fn cancel() -> IntentAction {
    IntentAction::Cancel
}

fn reactivate(context: &str) -> IntentAction {
    IntentAction::Reactivate { context: context.into(), requester: None, redesign: false }
}

fn mode(mode: Mode) -> IntentAction {
    IntentAction::SetMode { mode }
}

#[test]
fn a_step_that_waits_for_its_permit_is_advanced_once() {
    let lab = Lab::with(Shape { limits: "agents = 1".into(), ..Shape::default() });
    lab.act("alpha-generate_tests_and_fixtures", "echo hello; hold a; mkdir -p tests; echo 'adds one' > tests/alpha.t");
    lab.hold("a");
    lab.engine();
    let first = lab.session("component_test", "Alpha");
    lab.sees("= agent alpha");
    let id = lab.session_with("component_test", "Beta", &["--mode", "manual"]);
    lab.done(id, IntentAction::Advance);
    lab.wait("initialized", |_| lab.steps(id) == ["initialize"]);
    let intent = lab.ask(id, IntentAction::Advance);
    // Something else is written meanwhile, so the engine looks at its intents again.
    for _ in 0..3 {
        lab.done(first, mode(Mode::Agentic));
        lab.done(first, mode(Mode::Auto));
    }
    let again = lab.refused(id, IntentAction::Advance);
    assert!(again.contains("waits") || again.contains("running"), "{again}");
    assert_eq!(lab.open().answer(intent).unwrap(), None, "it has not begun yet");
    lab.release("a");
    assert_eq!(lab.answer(intent), callboard::model::Answer::Done);
    lab.wait("it ran", |_| lab.steps(id) == ["initialize", "generate_tests_and_fixtures"]);
    lab.completes(first);
    assert_eq!(lab.steps(id).len(), 2);
}

#[test]
fn manual_steps_wait_and_modes_change_while_it_runs() {
    let lab = Lab::new();
    lab.act("alpha-generate_tests_and_fixtures", "hold a; mkdir -p tests; echo 'adds one' > tests/alpha.t");
    lab.hold("a");
    lab.engine();
    let id = lab.session_with("component_test", "Alpha", &["--mode", "manual"]);
    lab.done(id, IntentAction::Advance);
    lab.wait("initialized", |_| lab.steps(id) == ["initialize"]);
    lab.done(id, IntentAction::Advance);
    lab.sees("= agent alpha");
    assert!(lab.refused(id, IntentAction::Advance).contains("running"));
    lab.done(id, mode(Mode::Auto));
    assert!(lab.refused(id, IntentAction::Advance).contains("auto"));
    lab.done(id, mode(Mode::Manual));
    lab.release("a");
    lab.wait("the agent ended", |_| lab.steps(id).last().unwrap() == "generate_tests_and_fixtures");
    lab.done(id, IntentAction::Advance);
    lab.wait("tested", |_| lab.steps(id).last().unwrap() == "run_tests");
    assert_eq!(lab.get(id).status, Status::Active);
    lab.done(id, mode(Mode::Agentic));
    lab.completes(id);
    assert_eq!(lab.steps(id).len(), 4);
}

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let lab = Lab::new();
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let before = (lab.get(id), lab.steps(id));
    for (action, why) in [
        (IntentAction::Advance, "reactivate it"),
        (IntentAction::Retry, "reactivate it"),
        (cancel(), "complete already"),
        (mode(Mode::Manual), "complete"),
        (IntentAction::Approve { note: None, seen: None }, "not halted"),
        (IntentAction::Override { note: "x".into(), seen: None }, "not halted"),
        (reactivate("  "), "empty"),
    ] {
        let said = lab.refused(id, action.clone());
        assert!(said.contains(why), "{action:?}: {said}");
    }
    assert_eq!(before, (lab.get(id), lab.steps(id)));
}

#[test]
fn intents_of_many_clients_are_done_once_and_in_order() {
    let lab = Lab::new();
    let id = lab.session_with("component_test", "Alpha", &["--mode", "manual"]);
    // Before there is an engine: the last of these holds, and each is answered.
    let asked: Vec<_> =
        (0..40).map(|at| lab.ask(id, mode(if at % 2 == 0 { Mode::Auto } else { Mode::Manual }))).collect();
    let advances: Vec<_> = (0..5).map(|_| lab.ask(id, IntentAction::Advance)).collect();
    // Two more engines try.
    let engine = lab.engine();
    let others: Vec<u32> = (0..2).map(|_| lab.spawn(lab.callboard(&["engine", "run"]))).collect();
    for other in others {
        assert_eq!(lab.exit(other), Some(1), "one engine per store");
    }
    let done = |intent| lab.answer(intent) == callboard::model::Answer::Done;
    assert!(asked.into_iter().all(done));
    assert!(advances.into_iter().filter(|intent| done(*intent)).count() >= 1);
    lab.wait("a step", |_| lab.steps(id).first().is_some_and(|step| step == "initialize"));
    assert_eq!(lab.get(id).mode, Mode::Manual);
    let seqs: Vec<u32> = lab.history(id).iter().map(|it| it.seq).collect();
    assert_eq!(seqs, (1..=u32::try_from(seqs.len()).unwrap()).collect::<Vec<_>>());
    lab.stop(engine);
}

/// Cancels a session while its step is held, and expects everything to be gone at once.
fn cancelled_in(lab: &Lab, id: SessionId, step: Step) {
    lab.at_step(id, step);
    lab.done(id, cancel());
    assert_eq!(lab.get(id).status, Status::Cancelled);
    let last = lab.history(id).pop().unwrap();
    assert_eq!(last.result.unwrap().cause, Some(callboard::model::Cause::Cancelled));
    lab.nobody_left();
}

#[test]
fn cancel_ends_whatever_is_done() {
    // An agent with a grandchild that left the group, tests, setup and a hook.
    let lab = Lab::with(Shape {
        components: vec!["Alpha", "Beta", "Gamma", "Delta"],
        worktree: "setup = [\"sh\", \"-c\", \"while [ -e ../../../../../hold/setup ]; do sleep 0.02; done\"]".into(),
        ..Shape::default()
    });
    lab.hold("x");
    lab.act("alpha-generate_tests_and_fixtures", "setsid sleep 600 & (setsid sleep 600 &) ; hold x");
    lab.act("tests-beta", "setsid sleep 600 & hold x");
    lab.hook("pre-commit", &format!("while [ -e {}/hold/x ]; do sleep 0.02; done", lab.root));
    lab.engine();
    let agent = lab.session("component_test", "Alpha");
    lab.sees("= agent alpha");
    cancelled_in(&lab, agent, Step::GenerateTestsAndFixtures);
    let tests = lab.session("component_test", "Beta");
    lab.sees("= tests beta");
    cancelled_in(&lab, tests, Step::RunTests);
    let hook = lab.session("component_test", "Gamma");
    lab.at_step(hook, Step::Finalize);
    lab.wait("the hook runs", |_| lab.processes().len() > 1);
    cancelled_in(&lab, hook, Step::Finalize);
    assert_eq!(lab.commits(&lab.branch(hook)), Vec::<String>::new());
    lab.hold("setup");
    let setup = lab.session("component_test", "Delta");
    lab.at_step(setup, Step::Initialize);
    lab.wait("setup runs", |_| !lab.processes().is_empty());
    cancelled_in(&lab, setup, Step::Initialize);
    // Before it was ready: it starts anew where it was.
    lab.release("setup");
    lab.release("x");
    lab.done(setup, reactivate("go on"));
    lab.completes(setup);
    assert_eq!(lab.steps(setup)[1], "initialize");
    // After: at the fix.
    lab.done(hook, reactivate("go on"));
    lab.completes(hook);
    assert!(lab.steps(hook).contains(&"fix_compilation_errors".to_owned()));
    assert!(lab.read("prompts/gamma-fix_compilation_errors-2-1").contains("go on"));
}

#[test]
fn cancel_ends_a_parent_with_all_its_children() {
    let lab = Lab::with(Shape { limits: "agents = 2".into(), ..Shape::default() });
    lab.hold("x");
    lab.act("any-generate_tests_and_fixtures", "setsid sleep 600 & hold x");
    lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.wait("two at work", |_| lab.logged("= agent") == 2);
    lab.done(id, cancel());
    lab.nobody_left();
    let children = lab.open().children(id).unwrap();
    assert_eq!(children.len(), 5);
    for child in &children {
        assert_eq!(child.status, Status::Cancelled);
        assert!(lab.history(child.id).iter().all(|it| it.result.is_some()));
    }
    assert_eq!(lab.logged("= agent"), 2, "who waited for a permit never began");
    // All of it is picked up again.
    lab.release("x");
    lab.no_act("any-generate_tests_and_fixtures");
    lab.done(id, reactivate("it was a mistake"));
    lab.completes(id);
    assert_eq!(lab.open().children(id).unwrap().len(), 5);
}

#[test]
fn a_session_is_reactivated_with_its_conversation_even_without_its_worktree() {
    let lab = Lab::with(Shape {
        worktree: "setup = [\"sh\", \"-c\", \"mkdir -p ignored && echo made > ignored/setup\"]\ncopy = [\".env\"]"
            .into(),
        ..Shape::default()
    });
    lab.write("project/.env", "SECRET=1\n");
    lab.act("tests-alpha", "cat ignored/setup .env > /dev/null || exit 3");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let (first, conversation) = (lab.get(id), lab.get(id).conversation_id);
    std::fs::remove_dir_all(lab.worktree(id)).unwrap();
    lab.act("alpha-fix_compilation_errors", "echo 'doubles three' >> tests/alpha.t");
    lab.done(id, reactivate("also double it"));
    lab.completes(id);
    let now = lab.get(id);
    assert_eq!((now.generation, now.conversation_id, now.branch), (2, conversation, first.branch.clone()));
    assert_eq!(lab.steps(id)[4..], ["fix_compilation_errors", "run_tests", "finalize"]);
    assert_eq!(lab.commits(&first.branch.unwrap()), ["Test Alpha", "Test Alpha"]);
    assert!(lab.read("prompts/alpha-fix_compilation_errors-2-1").contains("also double it"));
}

#[test]
fn a_halt_is_over_once_its_session_is_cancelled() {
    let lab = Lab::new();
    lab.act("alpha-generate_tests_and_fixtures", "exit 3");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.halt_of(id);
    lab.done(id, cancel());
    for action in [
        IntentAction::Retry,
        IntentAction::Approve { note: None, seen: None },
        IntentAction::Override { note: "no".into(), seen: None },
    ] {
        let why = lab.refused(id, action);
        assert!(why.contains("cancelled"), "{why}");
    }
    assert_eq!(lab.get(id).status, Status::Cancelled);
    lab.no_act("alpha-generate_tests_and_fixtures");
    lab.done(id, reactivate("now"));
    lab.completes(id);
}
