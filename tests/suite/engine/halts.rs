//! What only a person can mend: said with everything that is needed to mend it, and gone on from when it is mended.

use callboard::model::{HaltReason, IntentAction, Status};

use super::lab::{Lab, Shape};

#[test]
fn a_runner_that_is_not_there_is_the_environments_fault() {
    let lab = Lab::new();
    let runner = |program: &str| Shape {
        runner: Some(format!(
            "files = [\"{program}\", \"{{report}}\", \"{{file}}\"]\nsuite = [\"{program}\", \"{{report}}\"]\n"
        )),
        ..Shape::default()
    };
    for (component, program, script, words) in [
        ("Alpha", "no-such-runner", "", vec!["no-such-runner", "not found"]),
        (
            "Beta",
            "./broken-runner",
            "echo 'bash: pytest: command not found' >&2; exit 127",
            vec!["exit code 127", "pytest: command not found"],
        ),
    ] {
        lab.configure(&runner(program));
        lab.ok(&["trust", "--yes"]);
        let engine = lab.engine();
        super::lab::executable(&lab.root.join("broken-runner"), script);
        let act = "mkdir -p tests; echo 'adds one' > tests/$name.t; cp $LAB/broken-runner .";
        lab.act("any-generate_tests_and_fixtures", act);
        let id = lab.session("component_test", component);
        let halt = lab.halt_of(id);
        assert_eq!(halt.reason, HaltReason::Environment);
        let worktree = lab.worktree(id);
        for word in words.into_iter().chain(["command: ", ".t", worktree.as_str()]) {
            assert!(halt.message.contains(word), "{word}: {}", halt.message);
        }
        lab.configure(&Shape::default());
        lab.ok(&["trust", "--yes"]);
        lab.done(id, IntentAction::Retry);
        lab.completes(id);
        lab.stop(engine);
    }
}

#[test]
fn a_configuration_that_breaks_in_mid_session_halts_it() {
    let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
    lab.act("any-generate_tests_and_fixtures", "hold x; mkdir -p tests; echo 'adds one' > tests/$name.t");
    lab.hold("x");
    lab.engine();
    let alone = lab.session("component_test", "Alpha");
    let parent = lab.session("context_testing", "Shop");
    lab.wait("three agents", |_| lab.logged("= agent") == 3);
    let good = lab.read("project/callboard.toml");
    lab.write("project/callboard.toml", &good.replace("[limits]", "[limits]\nagnets = 3"));
    lab.release("x");
    let children = [lab.child(parent, "Alpha"), lab.child(parent, "Beta")];
    for id in [alone, children[0], children[1]] {
        let halt = lab.halt_of(id);
        assert_eq!(halt.reason, HaltReason::Environment);
        assert!(halt.message.contains("agnets") && halt.message.contains("callboard.toml:"), "{}", halt.message);
    }
    assert!(lab.refused(alone, IntentAction::Advance).contains("halted"));
    lab.done(alone, IntentAction::Retry);
    lab.wait("halted again", |store| store.halts(alone).unwrap().len() == 2);
    lab.halt_of(alone);
    lab.write("project/callboard.toml", &good);
    for id in [alone, children[0], children[1]] {
        lab.done(id, IntentAction::Retry);
    }
    lab.completes(alone);
    lab.completes(parent);
}

#[test]
fn without_consent_nothing_of_the_projects_runs() {
    let lab = Lab::with(Shape { trust: false, ..Shape::default() });
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::Environment);
    assert!(halt.message.contains("callboard trust") && halt.message.contains("agent.sh"), "{}", halt.message);
    assert_eq!(lab.log(), Vec::<String>::new());
    lab.done(id, IntentAction::Retry);
    lab.wait("halted again", |store| store.halts(id).unwrap().len() == 2);
    lab.ok(&["trust", "--yes"]);
    lab.halt_of(id);
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
    // What was agreed to is no longer what would run.
    lab.configure(&Shape { worktree: "setup = [\"touch\", \"owned\"]".into(), ..Shape::default() });
    let id = lab.session("component_test", "Beta");
    assert!(lab.halt_of(id).message.contains("touch owned"));
    assert!(!lab.worktree(id).join("owned").exists());
    // A runner alone needs it as well.
    lab.configure(&Shape {
        agent: Some("protocol = \"script\"\nscenario = \"scenario.toml\"\n".into()),
        ..Shape::default()
    });
    lab.write("project/scenario.toml", "[[turn]]\nwrite = [{ path = \"tests/gamma.t\", content = \"adds one\\n\" }]\n");
    let id = lab.session("component_test", "Gamma");
    assert!(lab.halt_of(id).message.contains("callboard trust"));
    assert_eq!(lab.steps(id)[2], "run_tests:environment");
    assert_eq!(lab.logged("+ tests gamma"), 0);
}

#[test]
fn children_that_do_not_merge_wait_for_a_person() {
    let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
    lab.act(
        "any-generate_tests_and_fixtures",
        "mkdir -p tests; echo 'adds one' > tests/$name.t; echo $name > shared.txt",
    );
    lab.engine();
    let id = lab.session("context_testing", "Shop");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::MergeConflict);
    let worktree = lab.worktree(id);
    assert!(halt.message.contains("shared.txt") && halt.message.contains(worktree.as_str()), "{}", halt.message);
    assert_eq!(lab.git_in(&worktree, &["status", "--porcelain"]), "", "nothing is left half merged");
    assert_eq!(lab.commits(&lab.branch(id)), ["Merge: Test Alpha", "Test Alpha"]);
    // A person merges, but forgets to commit: their work is not thrown away.
    let theirs = lab.branch(lab.child(id, "Beta"));
    let merge = format!("git merge --no-ff {theirs} || true; echo both > shared.txt; git add shared.txt");
    lab.shell(&worktree, &merge);
    lab.done(id, IntentAction::Retry);
    lab.wait("halted again", |store| store.halts(id).unwrap().len() == 2);
    assert!(lab.halt_of(id).message.contains("merge is in progress"), "{}", lab.message(id));
    assert_eq!(std::fs::read_to_string(worktree.join("shared.txt")).unwrap(), "both\n");
    lab.shell(&worktree, "git commit --quiet --no-edit");
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
    assert_eq!(lab.git(&["show", &format!("{}:shared.txt", lab.branch(id))]), "both\n");
    assert_eq!(lab.commits(&lab.branch(id)).iter().filter(|subject| subject.starts_with("Merge")).count(), 2);
}

#[test]
fn a_child_that_failed_is_listed_and_taken_up_alone() {
    let lab = Lab::with(Shape { components: vec!["Alpha", "Beta", "Gamma"], ..Shape::default() });
    // Fails once, in its parent's worktree only: beside the others its tests pass before there is code.
    lab.act(
        "alpha-generate_tests_and_fixtures",
        "mkdir -p tests src/shop; echo 'adds one' > tests/alpha.t; echo one > src/shop/beta.txt",
    );
    lab.act("beta-fix_compilation_errors", "echo 'rejects seven' > tests/beta.t");
    lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.completes(id);
    let spawn = "spawn_component_testing_sessions";
    assert_eq!(lab.steps(id), ["initialize".to_owned(), format!("{spawn}:failed"), spawn.into(), "finalize".into()]);
    let message = lab.history(id)[1].result.clone().unwrap().error_message.unwrap();
    assert!(
        message.starts_with("Beta: merged with the other components,") && message.lines().count() == 1,
        "{message}"
    );
    let generations: Vec<u32> = lab.open().children(id).unwrap().iter().map(|child| child.generation).collect();
    assert_eq!(generations, [1, 2, 1]);
    assert!(lab.read("prompts/beta-fix_compilation_errors-2-1").contains("merged with the other components"));
}

#[test]
fn a_hook_or_a_remote_that_refuses_fails_the_session_and_loses_nothing() {
    for hook in ["pre-commit", "commit-msg"] {
        let lab = Lab::new();
        lab.hook(hook, "echo 'no such commits here' >&2; exit 1");
        lab.engine();
        let id = lab.session("component_test", "Alpha");
        assert_eq!(lab.end_of(id), Status::Failed);
        assert!(lab.message(id).contains("no such commits here"), "{}", lab.message(id));
        assert!(lab.worktree(id).join("tests/alpha.t").exists());
        for _ in 0..2 {
            lab.done(id, IntentAction::Retry);
            assert_eq!(lab.end_of(id), Status::Failed);
        }
        std::fs::remove_file(lab.project.join(".git/hooks").join(hook)).unwrap();
        lab.done(id, IntentAction::Retry);
        lab.completes(id);
        assert_eq!(lab.commits(&lab.branch(id)), ["Test Alpha"]);
    }
    let lab = Lab::with(Shape { limits: "iterations = 1".into(), ..Shape::default() });
    lab.remote_hook("pre-receive", "echo 'closed on Sundays' >&2; exit 1");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    assert_eq!(lab.end_of(id), Status::Failed);
    assert!(lab.message(id).contains("closed on Sundays"), "{}", lab.message(id));
    let commit = lab.tip(&lab.branch(id));
    assert_eq!(lab.get(id).commit.as_deref(), Some(commit.as_str()));
    assert_eq!(lab.pushed(&lab.branch(id)), "");
    // As often as a person likes: it is they who say so each time.
    for _ in 0..4 {
        let before = lab.steps(id).len();
        lab.done(id, IntentAction::Retry);
        lab.wait("refused again", |store| {
            lab.steps(id).len() > before && store.session(id).unwrap().status == Status::Failed
        });
    }
    std::fs::remove_file(lab.root.join("remote.git/hooks/pre-receive")).unwrap();
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
    assert_eq!((lab.tip(&lab.branch(id)), lab.pushed(&lab.branch(id))), (commit.clone(), commit));
}
