//! `kill -9` at any moment: the next engine says so, cleans up, goes on, and does nothing twice.

use std::collections::BTreeSet;

use callboard::model::{SessionId, Status, Step};

use super::lab::{Lab, Shape, is_alive};

/// Shell that hangs the first time that it is reached, with grandchildren that left group and parent.
fn hangs_once(lab: &Lab) -> String {
    let once = lab.root.join("once");
    format!(
        "if mkdir {once} 2>/dev/null; then (setsid sleep 600 &); setsid sleep 600 & nohup sleep 600 >/dev/null 2>&1 & : > {once}/there; sleep 600; fi\n"
    )
}

fn two() -> Shape {
    Shape { components: vec!["Alpha", "Beta"], ..Shape::default() }
}

/// Kills the engine where the script hangs and lets another one go on.
fn killed_and_continued(lab: &Lab, id: SessionId) {
    let first = lab.engine();
    lab.wait("it hangs", |_| lab.root.join("once/there").exists());
    // The shell, and three that it left behind.
    lab.wait("all are there", |_| lab.processes().len() >= 4);
    lab.kill(first);
    let orphans = lab.processes();
    assert!(orphans.len() >= 4);
    let second = lab.engine();
    lab.wait("it goes on", |store| {
        let row = store.board_row(id).unwrap();
        assert!(row.halt.is_none(), "{}", lab.story());
        row.status.is_terminal()
    });
    assert_eq!(lab.get(id).status, Status::Complete, "{}", lab.story());
    assert!(!orphans.into_iter().any(is_alive), "orphans were left");
    lab.nobody_left();
    lab.stop(second);
    whole(lab, id);
}

/// Nothing happened twice, and nothing is missing.
fn whole(lab: &Lab, id: SessionId) {
    for session in std::iter::once(id).chain(lab.open().children(id).unwrap().iter().map(|child| child.id)) {
        let history = lab.history(session);
        assert!(history.iter().all(|it| it.result.is_some()), "{}", lab.story());
        let seqs: Vec<usize> = history.iter().map(|it| it.seq as usize).collect();
        assert_eq!(seqs, (1..=seqs.len()).collect::<Vec<_>>());
    }
    let branch = lab.branch(id);
    let subjects = lab.commits(&branch);
    let unique: BTreeSet<&String> = subjects.iter().collect();
    assert_eq!(unique.len(), subjects.len(), "done twice: {subjects:?}");
    assert_eq!(lab.pushed(&branch), lab.tip(&branch));
    let children = lab.open().children(id).unwrap();
    let names: BTreeSet<&str> = children.iter().map(|child| child.component.as_str()).collect();
    assert_eq!(names.len(), children.len());
    assert_eq!(lab.git_in(&lab.worktree(id), &["status", "--porcelain"]), "");
    assert_eq!(
        lab.git(&["fsck", "--no-dangling", "--no-progress"])
            .replace("notice: HEAD points to an unborn branch (main)", ""),
        ""
    );
}

#[test]
fn in_the_setup_of_a_worktree() {
    let lab = Lab::with(two());
    let script = hangs_once(&lab);
    lab.write("setup.sh", &script);
    lab.configure(&Shape { worktree: format!("setup = [\"sh\", \"{}/setup.sh\"]", lab.root), ..two() });
    lab.ok(&["trust", "--yes"]);
    let id = lab.session("component_test", "Alpha");
    killed_and_continued(&lab, id);
    assert_eq!(lab.cut_off(id), [Step::Initialize]);
    assert_eq!(lab.git(&["worktree", "list"]).lines().count(), 2);
}

#[test]
fn in_an_agents_step() {
    let lab = Lab::with(two());
    lab.act(
        "alpha-generate_tests_and_fixtures",
        &format!(
            "mkdir -p tests; echo 'half one' > tests/alpha.t; {} echo 'adds one' > tests/alpha.t",
            hangs_once(&lab)
        ),
    );
    let id = lab.session("component_test", "Alpha");
    killed_and_continued(&lab, id);
    assert_eq!(lab.cut_off(id), [Step::GenerateTestsAndFixtures]);
    let conversations: BTreeSet<String> = lab
        .log()
        .iter()
        .filter(|line| line.starts_with("+ agent"))
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(conversations.len(), 1, "the same conversation goes on");
    assert_eq!(lab.history(id)[2].iteration, 1, "the repeat is the same attempt again");
}

#[test]
fn in_a_test_run() {
    let lab = Lab::with(two());
    lab.act("tests-alpha", &hangs_once(&lab));
    let id = lab.session("component_test", "Alpha");
    killed_and_continued(&lab, id);
    assert_eq!(lab.cut_off(id), [Step::RunTests]);
}

#[test]
fn in_the_hooks_of_a_commit() {
    for hook in ["pre-commit", "post-commit"] {
        let lab = Lab::with(two());
        lab.hook(hook, &hangs_once(&lab));
        let id = lab.session("component_test", "Alpha");
        killed_and_continued(&lab, id);
        assert_eq!(lab.cut_off(id), [Step::Finalize], "{hook}");
        assert_eq!(lab.commits(&lab.branch(id)), ["Test Alpha"], "{hook}");
    }
}

#[test]
fn in_the_hooks_of_a_push() {
    for hook in ["pre-push", "remote/pre-receive", "remote/post-receive"] {
        let lab = Lab::with(two());
        match hook.strip_prefix("remote/") {
            Some(hook) => lab.remote_hook(hook, &hangs_once(&lab)),
            None => lab.hook(hook, &hangs_once(&lab)),
        }
        let id = lab.session("component_test", "Alpha");
        killed_and_continued(&lab, id);
        assert_eq!(lab.cut_off(id), [Step::Finalize], "{hook}");
        assert_eq!(lab.commits(&lab.branch(id)), ["Test Alpha"], "{hook}");
    }
}

#[test]
fn with_children_at_work() {
    let lab = Lab::with(Shape { limits: "agents = 2".into(), ..Shape::default() });
    lab.act(
        "gamma-generate_tests_and_fixtures",
        &format!("{} mkdir -p tests; echo 'adds one' > tests/gamma.t", hangs_once(&lab)),
    );
    let id = lab.session("context_testing", "Shop");
    killed_and_continued(&lab, id);
    assert_eq!(lab.steps(id), ["initialize", "spawn_component_testing_sessions", "finalize"]);
    assert_eq!(lab.cut_off(lab.child(id, "Gamma")), [Step::GenerateTestsAndFixtures]);
    assert_eq!(lab.open().children(id).unwrap().len(), 5);
}

#[test]
fn in_the_validation_of_children() {
    for hook in ["tests", "pre-merge-commit", "post-merge"] {
        let lab = Lab::with(two());
        if hook == "tests" {
            // Once in its own session, the second time in its parent's.
            lab.act(
                "tests-beta",
                &format!("if mkdir {}/own 2>/dev/null; then :; else {} fi", lab.root, hangs_once(&lab)),
            );
        } else {
            lab.hook(hook, &hangs_once(&lab));
        }
        let id = lab.session("context_testing", "Shop");
        killed_and_continued(&lab, id);
        assert_eq!(lab.steps(id), ["initialize", "spawn_component_testing_sessions", "finalize"], "{hook}");
        let mut subjects = lab.commits(&lab.branch(id));
        subjects.sort();
        assert_eq!(subjects, ["Merge: Test Alpha", "Merge: Test Beta", "Test Alpha", "Test Beta"], "{hook}");
    }
}

#[test]
fn locks_that_a_killed_git_left_are_no_obstacle() {
    let lab = Lab::with(two());
    lab.hook("pre-merge-commit", &hangs_once(&lab));
    let id = lab.session("context_testing", "Shop");
    let first = lab.engine();
    lab.wait("it hangs", |_| lab.root.join("once/there").exists());
    // As if the machine had lost its power: nobody cleans up after himself.
    lab.kill(first);
    for pid in lab.processes() {
        lab.signal(pid, rustix::process::Signal::KILL);
    }
    lab.nobody_left();
    let admin = lab.git_in(&lab.worktree(id), &["rev-parse", "--absolute-git-dir"]);
    for name in ["index.lock", "HEAD.lock", "MERGE_HEAD.lock"] {
        std::fs::write(format!("{}/{name}", admin.trim()), "").unwrap();
    }
    lab.engine();
    lab.completes(id);
    whole(&lab, id);
}

#[test]
fn a_lock_of_a_branch_that_was_not_made_is_no_obstacle() {
    let lab = Lab::with(two());
    lab.write("project/.git/refs/heads/callboard/component_test/alpha.lock", "");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    whole(&lab, id);
}

#[test]
fn at_random_instants() {
    let lab = Lab::with(Shape {
        components: vec!["Alpha", "Beta", "Gamma"],
        limits: "iterations = 50\nagents = 2".into(),
        ..Shape::default()
    });
    let id = lab.session("context_testing", "Shop");
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64;
    eprintln!("seed {seed}");
    let mut state = seed | 1;
    for _ in 0..10 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let engine = lab.engine();
        // Not a wait for something: an instant.
        std::thread::sleep(std::time::Duration::from_micros(state % 250_000));
        lab.kill(engine);
    }
    lab.engine();
    lab.completes(id);
    whole(&lab, id);
    assert_eq!(lab.open().children(id).unwrap().len(), 3);
}
