//! Ending gracefully, and limits that change while work is done.

use callboard::{
    engine,
    model::{
        Cause, Command, EventKind, IntentAction, Interaction, InteractionId, Mode, SessionId, Status, Step, StepResult,
    },
    store::Change,
};
use rustix::process::Signal;

use super::lab::{Lab, Shape};

#[test]
fn limits_that_change_are_kept_at_once() {
    let shape = |agents: u32| Shape { limits: format!("agents = {agents}"), ..Shape::default() };
    let lab = Lab::with(shape(3));
    lab.act("any-generate_tests_and_fixtures", "hold $name; mkdir -p tests; echo 'adds one' > tests/$name.t");
    for name in ["alpha", "beta", "gamma", "delta", "epsilon"] {
        lab.hold(name);
    }
    lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.wait("three", |_| lab.logged("= agent") == 3);
    // Fewer: those that run may go on, nobody else begins before there is room.
    lab.configure(&shape(1));
    lab.done(id, IntentAction::SetMode { mode: callboard::model::Mode::Agentic });
    let running = || -> Vec<String> {
        let log = lab.log();
        let begun = log.iter().filter_map(|line| line.strip_prefix("+ agent ")?.split(' ').next().map(str::to_owned));
        begun.filter(|name| !log.contains(&format!("- agent {name}"))).collect()
    };
    let first = running();
    assert_eq!(first.len(), 3);
    for name in &first[..2] {
        lab.release(name);
        lab.sees(&format!("- agent {name}"));
    }
    for name in &first[..2] {
        lab.completes_in(id, name);
    }
    assert_eq!(running(), first[2..], "{}", lab.story());
    // More: at once.
    lab.configure(&shape(3));
    lab.done(id, IntentAction::SetMode { mode: callboard::model::Mode::Auto });
    lab.wait("three again", |_| running().len() == 3);
    for name in
        ["alpha", "beta", "gamma", "delta", "epsilon"].iter().filter(|name| !first[..2].contains(&(**name).to_owned()))
    {
        lab.release(name);
    }
    lab.completes(id);
    assert!(lab.most_at_once("agent") <= 3);
}

#[test]
fn an_engine_that_is_told_to_stop_leaves_nothing_running() {
    for how in ["engine stop", "TERM", "INT"] {
        let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
        lab.act(
            "any-generate_tests_and_fixtures",
            "setsid sleep 600 & hold x; mkdir -p tests; echo 'adds one' > tests/$name.t",
        );
        lab.hold("x");
        let engine = lab.engine();
        let id = lab.session("context_testing", "Shop");
        lab.wait("two at work", |_| lab.logged("= agent") == 2);
        match how {
            "engine stop" => drop(lab.ok(&["engine", "stop"])),
            "TERM" => lab.signal(engine, Signal::TERM),
            _ => lab.signal(engine, Signal::INT),
        }
        assert_eq!(lab.exit(engine), Some(0), "{how}");
        assert_eq!(lab.processes(), Vec::<u32>::new(), "{how}");
        let children = lab.open().children(id).unwrap();
        let interrupted: usize = children.iter().map(|child| lab.cut_off(child.id).len()).sum();
        assert_eq!(interrupted, 2, "{how}: {}", lab.story());
        assert!(children.iter().all(|child| child.status == Status::Active));
        lab.release("x");
        lab.engine();
        lab.completes(id);
    }
}

#[test]
fn run_tells_how_it_ended() {
    let lab = Lab::new();
    let run = |id: callboard::model::SessionId| lab.spawn(lab.callboard(&["run", &id.to_string()]));
    let complete = lab.session("component_test", "Alpha");
    assert_eq!(lab.exit(run(complete)), Some(0));
    // Interrupted, in an agent's step and in a parent's validation.
    lab.act(
        "beta-generate_tests_and_fixtures",
        "setsid sleep 600 & hold x; mkdir -p tests; echo 'adds one' > tests/beta.t",
    );
    lab.hold("x");
    let id = lab.session("component_test", "Beta");
    let pid = run(id);
    lab.sees("= agent beta");
    lab.signal(pid, Signal::INT);
    assert_eq!(lab.exit(pid), Some(130));
    assert_eq!(lab.processes(), Vec::<u32>::new());
    assert_eq!(lab.cut_off(id), [Step::GenerateTestsAndFixtures]);
    lab.release("x");
    assert_eq!(lab.exit(run(id)), Some(0));
    // Halted, failed, cancelled.
    lab.act("gamma-generate_tests_and_fixtures", "exit 1");
    let halted = lab.session("component_test", "Gamma");
    assert_eq!(lab.exit(run(halted)), Some(3));
    lab.hook("pre-commit", "exit 1");
    let failed = lab.session("component_test", "Delta");
    assert_eq!(lab.exit(run(failed)), Some(1));
    lab.act("epsilon-generate_tests_and_fixtures", "hold y");
    lab.hold("y");
    let cancelled = lab.session("component_test", "Epsilon");
    let pid = run(cancelled);
    lab.sees("= agent epsilon");
    lab.done(cancelled, IntentAction::Cancel);
    assert_eq!(lab.exit(pid), Some(4));
    assert_eq!(lab.history(cancelled).pop().unwrap().result.unwrap().cause, Some(Cause::Cancelled));
}

/// Enters attempts at writing the tests that failed at once, the last of them just now.
fn failed_at_once(lab: &Lab, id: SessionId, times: u32) {
    let mut store = lab.open();
    let first = store.last_seq(id).unwrap() + 1;
    for at in 0..times {
        let (seq, now) = (first + at, engine::now());
        let interaction = Interaction {
            id: InteractionId::generate(),
            session_id: id,
            seq,
            generation: 1,
            step: Step::GenerateTestsAndFixtures,
            iteration: at + 1,
            command: Command::Agent { agent: "sh".into(), prompt: "Write.".into(), conversation_id: None },
            result: None,
            started_at: now,
            completed_at: None,
        };
        let result = Box::new(StepResult::error(Cause::Failed, "no"));
        let begin = Change::Begin { interaction: Box::new(interaction), owner: None };
        store.apply(&vec![begin, Change::Finish { session: id, seq, result, at: now }]).unwrap();
    }
}

#[test]
fn an_agent_that_fails_at_once_is_left_alone_a_while() {
    let lab = Lab::with(Shape { limits: "longest_pause = 1000\niterations = 99\n".into(), ..Shape::default() });
    let engine = lab.engine();
    let prepared = |name: &str| {
        let id = lab.session_with("component_test", name, &["--mode", "manual"]);
        lab.done(id, IntentAction::Advance);
        lab.wait("it is prepared", |store| {
            store.board_row(id).unwrap().next.as_deref() == Some("generate_tests_and_fixtures")
        });
        id
    };
    let (alpha, beta, gamma) = (prepared("Alpha"), prepared("Beta"), prepared("Gamma"));
    let auto = IntentAction::SetMode { mode: Mode::Auto };
    failed_at_once(&lab, alpha, 1);
    lab.done(alpha, auto.clone());
    lab.completes(alpha);
    let history = lab.history(alpha);
    assert!(history[2].started_at - history[1].completed_at.unwrap() >= 1_000_000, "{history:?}");
    let notes = |id| {
        lab.events(id)
            .into_iter()
            .filter_map(|event| match event.kind {
                EventKind::Note { text } => Some(text),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(notes(alpha), ["It failed at once. generate_tests_and_fixtures is tried again in 1s."]);

    // It is said, and the next engine keeps it.
    failed_at_once(&lab, beta, 10);
    lab.done(beta, auto.clone());
    let says =
        |times: usize| notes(beta).iter().filter(|note| note.ends_with("is tried again in 512s.")).count() == times;
    lab.wait("it pauses", |_| says(1));
    let why = lab.ok(&["why", &beta.to_string()]);
    assert!(why.contains("It pauses for 512s before it tries generate_tests_and_fixtures again."), "{why}");
    lab.stop(engine);
    lab.engine();
    lab.wait("it pauses again", |_| says(2));
    // Nobody waits who asks for it, and it can be ended.
    failed_at_once(&lab, gamma, 10);
    lab.done(gamma, IntentAction::Advance);
    lab.wait("it is tried", |_| lab.logged("- agent gamma") == 1);
    lab.done(beta, IntentAction::Cancel);
    assert_eq!((lab.logged("+ agent beta"), lab.history(beta).len()), (0, 11));
    assert_eq!(lab.get(beta).status, Status::Cancelled);
}

#[test]
fn a_validation_that_is_stopped_is_made_again() {
    let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
    lab.hook(
        "pre-merge-commit",
        &format!("mkdir {0}/once 2>/dev/null && while [ -e {0}/hold/x ]; do sleep 0.02; done; true", lab.root),
    );
    lab.hold("x");
    let engine = lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.wait("it merges", |_| lab.root.join("once").exists());
    lab.stop(engine);
    assert_eq!(lab.processes(), Vec::<u32>::new());
    assert_eq!(lab.steps(id), ["initialize", "spawn_component_testing_sessions?"]);
    lab.engine();
    lab.completes(id);
    assert_eq!(lab.steps(id), ["initialize", "spawn_component_testing_sessions", "finalize"]);
}
