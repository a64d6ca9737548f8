//! Sessions whose processes write in their worktrees only: the work goes on as without, and nothing leaves.

use std::fs;

use callboard::model::{EventKind, HaltReason, SessionId};
use camino::Utf8Path;

use super::lab::{Lab, Shape, executable};
use crate::confine::is_possible;

/// A project whose scripts may write what they tell of themselves, and nothing else.
fn lab() -> Lab {
    with("network = \"off\"", Shape::default())
}

fn with(more: &str, shape: Shape) -> Lab {
    let lab = Lab::with(Shape { trust: false, ..shape.clone() });
    confine(&lab, more, &shape);
    lab.ok(&["trust", "--yes"]);
    lab
}

fn confine(lab: &Lab, more: &str, shape: &Shape) {
    let root = &lab.root;
    let sandbox = format!("[sandbox]\nmode = \"worktree\"\nwrite = [\"{root}/log\", \"{root}/prompts\"]\n{more}\n");
    lab.configure(&Shape { worktree: format!("{}{sandbox}", shape.worktree), ..shape.clone() });
}

fn output(lab: &Lab, id: SessionId) -> String {
    let text = |event: callboard::model::Event| match event.kind {
        EventKind::Output { text, .. } | EventKind::AgentText { text } => Some(text),
        _ => None,
    };
    lab.events(id).into_iter().filter_map(text).collect()
}

fn notes(lab: &Lab, id: SessionId) -> Vec<String> {
    let note = |event: callboard::model::Event| match event.kind {
        EventKind::Note { text } => Some(text),
        _ => None,
    };
    lab.events(id).into_iter().filter_map(note).collect()
}

fn files(folder: &Utf8Path) -> Vec<String> {
    fs::read_dir(folder)
        .map_or_else(|_| Vec::new(), |all| all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
}

#[test]
fn an_agent_does_its_work_and_nothing_else() {
    if !is_possible() {
        return;
    }
    let lab = lab();
    let attempts = [
        "echo x > $LAB/outside",
        "echo x > $LAB/tmp/outside",
        "echo x > /tmp/callboard-outside",
        "echo x > $HOME/.profile",
        "echo x >> $LAB/project/README.md",
        "echo x > $LAB/project/new",
        "ln -s $LAB way; echo x > way/outside",
        "echo x > $LAB/project/.git/hooks/pre-commit",
        "git config user.name Mallory",
        "git stash",
        "git update-ref refs/heads/main HEAD",
        "git tag mine",
        "setsid sh -c 'echo x > $LAB/outside'",
        "sh -c 'sh -c \"echo x > $LAB/outside\"'",
        "rm $LAB/data/callboard.db",
        "$CALLBOARD --store $LAB/data/callboard.db --project $LAB/project cancel $CALLBOARD_SESSION_ID",
    ];
    let mut act = format!("CALLBOARD='{}'\n", env!("CARGO_BIN_EXE_callboard"));
    act += "mkdir -p tests; echo 'adds one' > tests/alpha.t; git add tests; git commit --quiet -m mine || exit 9\n\
         echo changed >> tests/alpha.t; file=$(mktemp) || exit 9; echo \"temporary $file\"; echo x > $file\n";
    for attempt in attempts {
        act += &format!("if ( {attempt} ); then echo \"WENT {}\"; fi\n", attempt.replace(['"', '$'], ""));
    }
    act += "rm -f way; echo 'adds one' > tests/alpha.t\n";
    lab.act("alpha-generate_tests_and_fixtures", &act);
    let before = lab.checkout();
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let said = output(&lab, id);
    assert!(!said.contains("WENT"), "{said}");
    assert!(said.contains("cannot create") && said.contains("Permission denied"), "{said}");
    let temporary = lab.store.with_extension("d").join("tmp");
    assert!(said.contains(&format!("temporary {temporary}/")), "{said}");
    assert_eq!(files(&temporary), Vec::<String>::new());
    assert_eq!(lab.checkout(), before);
    assert!(!lab.root.join("outside").exists() && !lab.project.join(".git/hooks/pre-commit").exists());
    assert_eq!(lab.commits(&lab.branch(id)), ["mine"]);
    assert_eq!(lab.pushed(&lab.branch(id)), lab.tip(&lab.branch(id)));
    let root = &lab.root;
    let expected = format!("Confined: it writes in its worktree, {root}/log, {root}/prompts; network off.");
    assert_eq!(notes(&lab, id).iter().filter(|note| **note == expected).count(), 2, "{:?}", notes(&lab, id));
}

#[test]
fn tests_setup_and_hooks_are_confined_as_well() {
    if !is_possible() {
        return;
    }
    let attempt = |lab: &Lab, name: &str| format!("echo x > {}/{name} || true; echo x > here-{name}", lab.root);
    let setup = "setup = [\"sh\", \"-c\", \"echo x > $TMPDIR/../../../by-setup; echo x > ignored-by-setup\"]\n";
    let lab = with("", Shape { worktree: setup.into(), ..Shape::default() });
    lab.act("tests-alpha", &attempt(&lab, "by-tests"));
    lab.hook("pre-commit", &format!("{}; rm here-*", attempt(&lab, "by-hook")));
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let (said, worktree) = (output(&lab, id), lab.worktree(id));
    for name in ["by-setup", "by-tests", "by-hook"] {
        assert!(said.lines().any(|line| line.contains(name) && line.contains("Permission denied")), "{name}: {said}");
        assert!(!lab.root.join(name).exists() && !lab.root.join("data").join(name).exists());
    }
    assert!(worktree.join("ignored-by-setup").exists());
}

#[test]
fn children_are_merged_by_a_confined_git() {
    if !is_possible() {
        return;
    }
    let lab = with("", Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
    lab.engine();
    let id = lab.session("context_testing", "Shop");
    lab.completes(id);
    assert!(lab.commits(&lab.branch(id)).iter().any(|subject| subject == "Test Alpha"), "{}", lab.story());
    assert_eq!(lab.pushed(&lab.branch(id)), lab.tip(&lab.branch(id)));
}

/// What git is told in the worktree is the agent's word: its hooks would run as those of the user's.
#[test]
fn a_worktree_that_leads_elsewhere_is_not_committed() {
    if !is_possible() {
        return;
    }
    let evil = "git clone --quiet --shared . evil; hooks=$PWD/evil/.git/hooks; mkdir -p $hooks\n\
         printf '#!/bin/sh\\necho x > %s/outside\\n' $LAB > $hooks/pre-commit; chmod +x $hooks/pre-commit\n\
         cp $hooks/pre-commit $hooks/pre-push; admin=$(git rev-parse --absolute-git-dir)\n";
    let work = "mkdir -p tests; echo 'adds one' > tests/alpha.t\n";
    for change in [
        "echo \"$PWD/evil/.git\" > $admin/commondir",
        "printf '[core]\\n\\thooksPath = %s\\n' \"$PWD/evil/.git/hooks\" > $admin/config.worktree",
        "mkdir copy; cp -r $admin copy/; admin=$PWD/copy/$(basename $admin)\n\
         echo \"$PWD/evil/.git\" > $admin/commondir; echo \"gitdir: $admin\" > .git",
    ] {
        let lab = with("", Shape { limits: "iterations = 1".into(), ..Shape::default() });
        lab.act("alpha-generate_tests_and_fixtures", &format!("{work}{evil}{change}\n"));
        lab.engine();
        let id = lab.session("component_test", "Alpha");
        lab.wait("it stops", |store| {
            let row = store.board_row(id).unwrap();
            row.halt.is_some() || row.status.is_terminal()
        });
        assert!(!lab.root.join("outside").exists(), "{change}\n{}", lab.story());
        let said = lab.message(id);
        assert!(said.contains("found one whose .git was changed"), "{change}\n{}", lab.story());
        assert!(lab.pushed(&lab.branch(id)).is_empty(), "{change}");
    }
}

#[test]
fn a_place_that_nobody_agreed_to_is_not_opened() {
    if !is_possible() {
        return;
    }
    let lab = lab();
    confine(&lab, "network = \"on\"", &Shape::default());
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::Environment);
    assert!(halt.message.contains("network on") && halt.message.contains("callboard trust"), "{}", halt.message);
    assert_eq!(lab.logged("+ agent"), 0);
}

#[test]
fn what_is_not_there_and_what_cannot_start_is_said() {
    if !is_possible() {
        return;
    }
    let lab = Lab::with(Shape { trust: false, ..Shape::default() });
    let program = lab.root.join("late-agent");
    let agent = format!(
        "protocol = \"command\"\ncommand = [\"{program}\"]\nenv = {{ LAB = \"{}\" }}\nwrite = [\"~/state\", \"~/gone\"]\n",
        lab.root
    );
    confine(&lab, "", &Shape { agent: Some(agent), ..Shape::default() });
    fs::create_dir(lab.root.join("home/state")).unwrap();
    lab.ok(&["trust", "--yes"]);
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    assert!(halt.message.contains("late-agent` was not found"), "{}", halt.message);
    let gone = lab.root.join("home/gone");
    assert!(notes(&lab, id).contains(&format!("Nothing can be written at {gone}: it is not there.")));
    executable(&program, "echo x > ~/state/kept; echo x > ~/other; . $LAB/agent.sh");
    lab.done(id, callboard::model::IntentAction::Retry);
    lab.completes(id);
    assert_eq!((lab.read("home/state/kept"), lab.read("home/other")), ("x\n".into(), String::new()));
}

#[test]
fn preview_and_doctor_tell_how_far_it_is_confined() {
    if !is_possible() {
        return;
    }
    let lab = lab();
    let id = lab.session("component_test", "Alpha").to_string();
    let doctor = lab.output(&["doctor"]).1;
    assert!(doctor.contains("sandbox     on: agents and tests write in their worktrees, network off"), "{doctor}");
    assert!(doctor.contains("this kernel has Landlock "), "{doctor}");
    let engine = lab.engine();
    lab.hold("alpha");
    lab.act("alpha-generate_tests_and_fixtures", "hold alpha; exit 1");
    lab.sees("= agent alpha");
    lab.stop(engine);
    let preview = lab.ok(&["preview", &id]);
    assert!(preview.contains("\nsandbox: Confined: it writes in its worktree, "), "{preview}");
    lab.configure(&Shape::default());
    assert!(lab.ok(&["preview", &id]).contains("callboard trust"), "less is agreed to anew");
    lab.ok(&["trust", "--yes"]);
    assert!(lab.ok(&["preview", &id]).contains("\nsandbox: Not confined: it may write wherever you may.\n"));
    assert!(lab.output(&["doctor"]).1.contains("sandbox     off: agents and tests write wherever you may"));
}
