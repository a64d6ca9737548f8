//! What agents may do: hang, flood, lie, die, leave processes behind, and nothing of it harms.

use callboard::model::{Cause, EventKind, HaltReason, IntentAction, Status, Step};

use super::lab::{Lab, Shape, is_alive};

fn limits(text: &str) -> Shape {
    Shape { limits: text.into(), ..Shape::default() }
}

#[test]
fn a_missing_agent_halts_until_it_is_there() {
    let lab = Lab::new();
    let program = lab.root.join("late-agent");
    let agent = format!("protocol = \"command\"\ncommand = [\"{program}\"]\nenv = {{ LAB = \"{}\" }}\n", lab.root);
    lab.configure(&Shape { agent: Some(agent), ..Shape::default() });
    lab.ok(&["trust", "--yes"]);
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    assert!(halt.message.contains("late-agent") && halt.message.contains("not found"), "{}", halt.message);
    super::lab::executable(&program, &lab.read("agent.sh"));
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
    let wanted = ["initialize", "generate_tests_and_fixtures:agent_unavailable", "generate_tests_and_fixtures"];
    assert_eq!(lab.steps(id)[..3], wanted);
    let decision = lab.open().last_halt(id).unwrap().unwrap().decision.unwrap();
    assert_eq!((decision.verdict.as_str(), decision.user.as_str()), ("retry", super::lab::EMAIL));
}

#[test]
fn an_agent_that_hangs_is_ended_and_tried_again() {
    for (limit, cause) in [("step_timeout = \"2s\"", Cause::Timeout), ("inactivity = \"1s\"", Cause::Inactive)] {
        let lab = Lab::with(limits(limit));
        let act = "if mkdir $LAB/once 2>/dev/null; then setsid sleep 600 & sleep 600; fi; mkdir -p tests; echo 'adds one' > tests/alpha.t";
        lab.act("alpha-generate_tests_and_fixtures", act);
        lab.engine();
        let id = lab.session("component_test", "Alpha");
        lab.completes(id);
        assert_eq!(lab.steps(id)[1], format!("generate_tests_and_fixtures:{cause}"));
        lab.nobody_left();
    }
}

#[test]
fn output_of_any_kind_and_size_is_taken() {
    let lab = Lab::with(limits("output = \"1MiB\"\nagents = 8\n"));
    let then = "mkdir -p tests; echo 'adds one' > tests/$name.t";
    let acts = [
        ("alpha", "yes 'a line of the length that the lines of a test report usually have' | head -c 1000000000"),
        ("beta", "head -c 100000000 /dev/zero | tr '\\0' 'y'"),
        ("gamma", r"printf 'a\377\376\000b\033[2J\033]0;title\007\r\342\202'; printf 'to \033[31mstderr' >&2"),
        ("delta", "i=0; while [ $i -lt 3000 ]; do echo line $i; echo problem $i >&2; i=$((i+1)); done"),
    ];
    for (name, script) in acts {
        lab.act(&format!("{name}-generate_tests_and_fixtures"), &format!("{script}; {then}"));
    }
    // Never reads its prompt, and says nothing.
    lab.act("epsilon-generate_tests_and_fixtures.raw", &format!("exec <&-; {then}"));
    let engine = lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.completes(id);
    let peak = std::fs::read_to_string(format!("/proc/{engine}/status")).unwrap();
    let peak: u64 = peak
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!(peak < 400_000, "{peak} KiB");
    let flood = lab.child(id, "Alpha");
    let output = lab.history(flood)[1].result.clone().unwrap().output.unwrap();
    assert_eq!((output.bytes, output.kept), (1_000_000_000, 1 << 20));
    assert_eq!(std::fs::metadata(&output.path).unwrap().len(), 1 << 20);
    let said = |name| -> String {
        let texts = lab.events(lab.child(id, name)).into_iter().filter(|event| event.interaction == 2);
        texts
            .filter_map(|event| {
                if let EventKind::AgentText { text } | EventKind::Output { text, .. } = event.kind {
                    Some(text)
                } else {
                    None
                }
            })
            .collect()
    };
    assert!(said("Alpha").len() <= 4 << 20);
    assert!(said("Beta").len() < 200_000, "a line without end is cut");
    assert!(said("Gamma").contains("a\u{fffd}\u{fffd}\0b\u{1b}[2J"), "{:?}", said("Gamma"));
    assert!(said("Delta").contains("line 2999\n") && said("Delta").contains("problem 2999\n"));
    assert!(std::fs::metadata(&lab.store).unwrap().len() < 40 << 20);
}

#[test]
fn how_an_agent_died_is_told() {
    let lab = Lab::with(limits("iterations = 1"));
    lab.act("alpha-generate_tests_and_fixtures", "echo 'I am lost' >&2; kill -KILL $$");
    lab.act("beta-generate_tests_and_fixtures", "echo 'no key'; exit 7");
    lab.engine();
    for (component, code, words) in
        [("Alpha", None, ["signal 9", "I am lost"]), ("Beta", Some(7), ["exit code 7", "no key"])]
    {
        let id = lab.session("component_test", component);
        let halt = lab.halt_of(id);
        assert_eq!(halt.reason, HaltReason::IterationLimit);
        let result = lab.history(id)[1].result.clone().unwrap();
        assert_eq!((result.code, result.cause), (code, Some(Cause::Failed)));
        for word in words {
            assert!(result.error_message.as_ref().unwrap().contains(word), "{result:?}");
            assert!(halt.message.contains(word), "{}", halt.message);
        }
    }
}

#[test]
fn what_an_agent_leaves_behind_is_ended() {
    let lab = Lab::new();
    let act = "sleep 600 & echo $! >> $LAB/pids; setsid sleep 600 & echo $! >> $LAB/pids
        (setsid sh -c 'echo $$ >> $LAB/pids; exec sleep 600' &); sh -c '(trap \"\" TERM HUP INT; echo $$ >> $LAB/pids; while :; do sleep 1; done) &'
        while [ $(cat $LAB/pids | wc -l) -lt 4 ]; do sleep 0.01; done
        mkdir -p tests; echo 'adds one' > tests/alpha.t";
    lab.act("alpha-generate_tests_and_fixtures", act);
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.wait("the agent ended", |_| lab.steps(id).len() > 2);
    let pids: Vec<u32> = lab.read("pids").lines().map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 4);
    assert!(!pids.into_iter().any(is_alive));
    lab.completes(id);
    let noted = lab
        .events(id)
        .into_iter()
        .any(|event| matches!(event.kind, EventKind::Note { text } if text.contains("left behind")));
    assert!(noted);
}

#[test]
fn a_fix_that_changes_nothing_makes_no_progress() {
    let lab = Lab::new();
    lab.act(
        "alpha-generate_implementation",
        "mkdir -p tests src/shop; echo 'adds one' > tests/alpha.t; echo none > src/shop/alpha.txt",
    );
    lab.act("alpha-fix_test_failures", "echo thinking; touch src/shop/alpha.txt");
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::NoProgress);
    assert_eq!(lab.steps(id)[3], "fix_test_failures:empty_diff");
    assert!(halt.message.contains("changed nothing"), "{}", halt.message);
    lab.act("alpha-fix_test_failures", "echo one > src/shop/alpha.txt");
    lab.done(id, IntentAction::Override { note: "the agent was asleep".into(), seen: None });
    lab.completes(id);
    assert_eq!(lab.steps(id)[4..], ["fix_test_failures", "run_tests", "finalize"]);
    let decision = lab.open().halts(id).unwrap()[0].decision.clone().unwrap();
    assert_eq!((decision.verdict.as_str(), decision.note.as_deref()), ("override", Some("the agent was asleep")));
}

#[test]
fn the_same_failures_three_times_make_no_progress() {
    let lab = Lab::new();
    lab.act(
        "alpha-generate_implementation",
        "mkdir -p tests src/shop; echo 'adds one' > tests/alpha.t; echo none > src/shop/alpha.txt",
    );
    lab.act("alpha-fix_test_failures", "echo $CALLBOARD_ITERATION >> src/shop/alpha.txt");
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!((halt.reason, lab.logged("+ tests")), (HaltReason::NoProgress, 3));
    assert!(
        lab.read("prompts/alpha-fix_test_failures-1-2").len() > lab.read("prompts/alpha-fix_test_failures-1-1").len()
    );
    lab.done(id, IntentAction::Approve { note: Some("it cannot be done".into()), seen: None });
    assert_eq!(lab.get(id).status, Status::Failed);
    assert!(lab.worktree(id).exists(), "kept until clean-up");
    assert!(lab.refused(id, IntentAction::Retry).contains("failed"));
}

#[test]
fn a_limit_of_rounds_is_counted_anew_after_a_retry() {
    let lab = Lab::with(limits("iterations = 2\nsame_failures = 0"));
    lab.act(
        "alpha-generate_implementation",
        "mkdir -p tests src/shop; printf 'adds one\\nrounds five\\n' > tests/alpha.t; echo none > src/shop/alpha.txt",
    );
    lab.act("alpha-fix_test_failures", "echo $CALLBOARD_ITERATION >> src/shop/alpha.txt; [ $CALLBOARD_ITERATION = 6 ] && echo one five >> src/shop/alpha.txt; true");
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    assert_eq!(lab.halt_of(id).reason, HaltReason::IterationLimit);
    let before = lab.logged("+ tests");
    assert_eq!(before, 3, "{}", lab.story());
    lab.done(id, IntentAction::Retry);
    lab.wait("again", |_| lab.logged("+ tests") > before);
    lab.halt_of(id);
    assert_eq!(lab.logged("+ tests"), 6, "{}", lab.story());
    lab.done(id, IntentAction::Retry);
    lab.wait("go on", |store| store.board_row(id).unwrap().halt.is_none());
    // The sixth fix is good.
    lab.completes(id);
}

#[test]
fn the_environment_tells_an_agent_where_it_is() {
    let lab = Lab::new();
    lab.act(
        "alpha-generate_tests_and_fixtures",
        "env > $LAB/env; pwd > $LAB/pwd; mkdir -p tests; echo 'adds one' > tests/alpha.t",
    );
    let mut engine = lab.callboard(&["engine", "run"]);
    engine.env("SECRET_TOKEN", "x").env("CALLBOARD_MINE", "x");
    lab.spawn(engine);
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let env = lab.read("env");
    let session = lab.get(id);
    for (name, value) in [
        ("CALLBOARD_SESSION_ID", id.to_string()),
        ("CALLBOARD_SESSION_KIND", "component_test".into()),
        ("CALLBOARD_COMPONENT", "Alpha".into()),
        ("CALLBOARD_STEP", "generate_tests_and_fixtures".into()),
        ("CALLBOARD_ITERATION", "1".into()),
        ("CALLBOARD_GENERATION", "1".into()),
        ("CALLBOARD_CONVERSATION_ID", session.conversation_id.unwrap()),
        ("CALLBOARD_WORKTREE", session.worktree.unwrap().to_string()),
        ("HOME", lab.root.join("home").to_string()),
    ] {
        assert!(env.lines().any(|line| line == format!("{name}={value}")), "{name}={value}\n{env}");
    }
    assert!(!env.contains("SECRET_TOKEN") && !env.contains("CALLBOARD_MINE"), "{env}");
    assert_eq!(lab.read("pwd").trim(), lab.worktree(id));
}

#[test]
fn an_agent_that_leaves_its_branch_is_not_committed_elsewhere() {
    for how in ["git switch --quiet --create elsewhere", "git checkout --quiet --detach"] {
        let lab = Lab::new();
        lab.act(
            "alpha-generate_tests_and_fixtures",
            &format!("{how}; mkdir -p tests; echo 'adds one' > tests/alpha.t"),
        );
        lab.engine();
        let id = lab.session("component_test", "Alpha");
        assert_eq!(lab.end_of(id), Status::Failed);
        assert!(lab.message(id).contains("instead of callboard/component_test/alpha"), "{}", lab.message(id));
        lab.git_in(&lab.worktree(id), &["switch", "--quiet", "callboard/component_test/alpha"]);
        lab.done(id, IntentAction::Retry);
        lab.completes(id);
        assert_eq!(lab.commits(&lab.branch(id)), ["Test Alpha"]);
    }
}

#[test]
fn what_an_agent_committed_itself_counts() {
    let lab = Lab::new();
    lab.act(
        "alpha-generate_tests_and_fixtures",
        "mkdir -p tests; echo 'adds one' > tests/alpha.t; git add .; git commit --quiet -m mine",
    );
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    assert_eq!(lab.commits(&lab.branch(id)), ["mine"]);
    assert_eq!(lab.pushed(&lab.branch(id)), lab.tip(&lab.branch(id)));
}

#[test]
fn a_script_agent_stays_in_its_worktree_and_hangs_until_cancelled() {
    let scenario = |turn: &str| format!("[[turn]]\n{turn}\n");
    let lab = Lab::new();
    let shape = Shape {
        agent: Some("protocol = \"script\"\nscenario = \"scenario.toml\"\n".into()),
        limits: "iterations = 1".into(),
        ..Shape::default()
    };
    lab.configure(&shape);
    lab.ok(&["trust", "--yes"]);
    lab.engine();
    for path in ["../outside", "/tmp/outside", ".git/outside"] {
        lab.write("project/scenario.toml", &scenario(&format!("write = [{{ path = \"{path}\", content = \"x\" }}]")));
        let id = lab.session("component_test", "Alpha");
        lab.halt_of(id);
        let message = lab.history(id)[1].result.clone().unwrap().error_message.unwrap();
        assert!(message.contains("outside"), "{path}: {message}");
        lab.done(id, IntentAction::Cancel);
    }
    lab.write("project/scenario.toml", &scenario("say = [\"hello\"]\nhang = true"));
    let id = lab.session("component_test", "Beta");
    lab.at_step(id, Step::GenerateTestsAndFixtures);
    lab.done(id, IntentAction::Cancel);
    assert_eq!(lab.get(id).status, Status::Cancelled);
    lab.write(
        "project/scenario.toml",
        &scenario("times = 9\nwrite = [{ path = \"tests/beta.t\", content = \"adds one\\n\" }]"),
    );
    lab.done(id, IntentAction::Reactivate { context: "do not hang".into(), requester: None, redesign: false });
    lab.completes(id);
}
