//! Commit, merge and push by the user's git, and what is read out of their end.

use std::fs;

use callboard::{
    git::{CommitOutcome, GitError, Invocation, MergeOutcome, PushOutcome, Tree, pushed},
    model::Exit,
};

use super::world::{World, write};

fn push(world: &World, tree: &Tree) -> PushOutcome {
    let branch = tree.head().unwrap().branch.unwrap();
    let (exit, output) = world.run(&tree.push("origin", &branch).unwrap());
    pushed(&exit, &output)
}

fn work(world: &World, name: &str, file: &str, text: &str) -> Tree {
    let tree = world.tree(name);
    write(&tree.root().join(file), text);
    let outcome = world.commit(&tree, name);
    assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
    tree
}

fn branch(name: &str) -> String {
    format!("callboard/component_test/{name}")
}

#[test]
fn no_command_can_wait_force_or_skip_hooks() {
    let world = World::new();
    world.remote("origin");
    let tree = world.tree("a");
    let merge = tree.merge("b", "m", &["x".into()], &world.data).unwrap();
    let push = tree.push("origin", "b").unwrap();
    for invocation in [tree.commit("m"), merge, push, tree.merge_abort()] {
        let Invocation { argv, directory, env, .. } = &invocation;
        assert_eq!((argv[0].as_str(), directory.as_path()), ("git", tree.root()));
        assert!(argv.windows(2).any(|pair| pair == ["-c", "gc.auto=0"]));
        assert!(!argv.iter().any(|part| part.contains("no-verify") || part.contains("force") || part == "-n"));
        for (name, value) in [("GIT_TERMINAL_PROMPT", "0"), ("GIT_EDITOR", "true"), ("LC_ALL", "C.UTF-8")] {
            assert!(env.contains(&(name.into(), value.into())));
        }
    }
}

#[test]
fn a_commits_message_arrives_as_it_is() {
    let world = World::new();
    world.git(&["config", "commit.cleanup", "strip"]);
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    let message = "-m --amend `id` $HOME ü\n\n# not a comment\n'quoted' \"twice\"";
    let CommitOutcome::Committed { commit } = world.commit(&tree, message) else { panic!("not committed") };
    assert_eq!(world.git(&["log", "-1", "--format=%B", &commit]).trim_end(), message);
    assert_eq!(world.git(&["log", "-1", "--format=%an <%ae>", &commit]), "Ada <ada@example.com>\n");
}

#[test]
fn a_hook_may_refuse_and_is_heard() {
    let world = World::new();
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    world.hook("pre-commit", "echo 'to stdout'; echo 'lint: too long' >&2; exit 1");
    let CommitOutcome::Refused { message } = world.commit(&tree, "work") else { panic!("not refused") };
    assert!(message.contains("lint: too long") && message.contains("to stdout"), "{message}");
    world.hook("pre-commit", "exit 3");
    let CommitOutcome::Refused { message } = world.commit(&tree, "work") else { panic!("not refused") };
    assert!(message.contains("exit code 1"), "{message}");
    world.hook("pre-commit", "");
    world.hook("commit-msg", "grep -q TICKET \"$1\" || { echo 'no ticket'; exit 1; }");
    assert_eq!(world.commit(&tree, "work"), CommitOutcome::Refused { message: "no ticket".into() });
    assert!(matches!(world.commit(&tree, "TICKET-1 work"), CommitOutcome::Committed { .. }));
}

#[test]
fn a_signature_that_fails_is_a_refusal() {
    let world = World::new();
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    let signer = world.project.with_file_name("signer");
    write(&signer, "#!/bin/sh\necho 'no secret key' >&2\nexit 2\n");
    super::world::executable(&signer);
    world.git(&["config", "commit.gpgSign", "true"]);
    world.git(&["config", "gpg.program", signer.as_str()]);
    let CommitOutcome::Refused { message } = world.commit(&tree, "work") else { panic!("not refused") };
    assert!(message.contains("no secret key"), "{message}");
}

#[test]
fn processes_that_were_ended_are_refusals_that_say_so() {
    let world = World::new();
    let tree = world.tree("a");
    for (exit, part) in [
        (Exit::Timeout, "too long"),
        (Exit::Inactive, "silent"),
        (Exit::Cancelled, "cancelled"),
        (Exit::Signal { signal: 9 }, "signal 9"),
        (Exit::NotStarted { message: "no such file".into() }, "install git"),
    ] {
        let CommitOutcome::Refused { message } = tree.committed(&exit, "so far").unwrap() else { panic!("{exit:?}") };
        assert!(message.contains(part) && message.contains("so far"), "{message}");
        assert!(matches!(tree.merged(&exit, "").unwrap(), MergeOutcome::Failed { .. }));
        assert!(matches!(pushed(&exit, ""), PushOutcome::Rejected { .. }));
    }
    let long = "ü".repeat(10_000);
    let PushOutcome::Rejected { message } = pushed(&Exit::Code { code: 1 }, &long) else { panic!() };
    assert!(message.len() <= 4000 && message.len() > 3990);
}

#[test]
fn a_merge_is_always_a_merge_commit() {
    let world = World::new();
    world.git(&["config", "merge.ff", "only"]);
    let child = work(&world, "child", "new", "x");
    let parent = world.tree("parent");
    let MergeOutcome::Merged { commit } = world.merge(&parent, &branch("child"), &[]) else { panic!("not merged") };
    let parents = world.git(&["log", "-1", "--format=%P%n%s", &commit]);
    assert!(parents.trim_end().ends_with(&format!("{}\nMerge {}", child.head().unwrap().commit, branch("child"))));
    assert_eq!(world.merge(&parent, &branch("child"), &[]), MergeOutcome::UpToDate);
    assert!(matches!(world.merge(&parent, "no such branch", &[]), MergeOutcome::Failed { .. }));
    assert!(matches!(world.merge(&parent, "--abort", &[]), MergeOutcome::Failed { .. }));
}

#[test]
fn conflicts_name_their_files_and_can_be_given_up_or_settled() {
    let world = World::new();
    world.write("ü \"file\"\n", "base\n");
    world.write("deleted here", "base\n");
    world.commit_all("base");
    let (ours, theirs) = (world.tree("ours"), world.tree("theirs"));
    for (tree, text) in [(&ours, "ours\n"), (&theirs, "theirs\n")] {
        write(&tree.root().join("ü \"file\"\n"), text);
        write(&tree.root().join("both new"), text);
        write(&tree.root().join("deleted here"), text);
    }
    fs::remove_file(ours.root().join("deleted here")).unwrap();
    for tree in [&ours, &theirs] {
        world.commit(tree, "work");
    }
    let clean = ours.change_hash().unwrap();
    let files = vec!["both new".to_owned(), "deleted here".into(), "ü \"file\"\n".into()];
    assert_eq!(world.merge(&ours, &branch("theirs"), &[]), MergeOutcome::Conflict { files: files.clone() });
    assert!(ours.merge_in_progress() && ours.is_dirty().unwrap());
    assert_ne!(ours.change_hash().unwrap(), clean);
    assert_eq!(world.merge(&ours, &branch("theirs"), &[]), MergeOutcome::Conflict { files }, "a merge on top of it");
    assert_eq!(world.run(&ours.merge_abort()).0.code(), Some(0));
    assert!(!ours.merge_in_progress());
    assert_eq!(ours.change_hash().unwrap(), clean);
    world.merge(&ours, &branch("theirs"), &[]);
    for file in ["ü \"file\"\n", "both new", "deleted here"] {
        write(&ours.root().join(file), "settled\n");
    }
    assert!(matches!(world.commit(&ours, "settled"), CommitOutcome::Committed { .. }));
    assert!(ours.conflicted_files().unwrap().is_empty() && !ours.merge_in_progress());
    assert_eq!(world.merge(&ours, &branch("theirs"), &[]), MergeOutcome::UpToDate);
}

#[test]
fn a_merge_that_a_hook_refuses_is_still_in_progress() {
    let world = World::new();
    work(&world, "child", "new", "x");
    let parent = world.tree("parent");
    world.hook("pre-merge-commit", "echo 'not today'; exit 1");
    let MergeOutcome::Failed { message } = world.merge(&parent, &branch("child"), &[]) else { panic!("merged") };
    assert!(message.contains("not today"), "{message}");
    assert!(parent.merge_in_progress() && parent.has_staged().unwrap());
    assert_eq!(world.run(&parent.merge_abort()).0.code(), Some(0));
    assert!(!parent.is_dirty().unwrap());
}

#[test]
fn a_merge_is_callboards_own_until_it_has_its_commit() {
    let world = World::new();
    work(&world, "child", "new", "x");
    let parent = world.tree("parent");
    assert!(!parent.merge_is_ours().unwrap());
    parent.merge_begins().unwrap();
    world.hook("pre-merge-commit", "exit 1");
    world.merge(&parent, &branch("child"), &[]);
    assert!(parent.merge_is_ours().unwrap());
    world.run(&parent.merge_abort());
    world.hook("pre-merge-commit", "exit 0");
    assert!(matches!(world.merge(&parent, &branch("child"), &[]), MergeOutcome::Merged { .. }));
    let (child, note) = (world.git(&["rev-parse", &branch("child")]), parent.root().join(".git"));
    let admin = fs::read_to_string(note).unwrap().trim_start_matches("gitdir: ").trim().to_owned();
    fs::write(format!("{admin}/MERGE_HEAD"), &child).unwrap();
    assert!(parent.merge_is_ours().unwrap(), "as a hook after the merge sees it");
    fs::remove_file(format!("{admin}/MERGE_HEAD")).unwrap();
    // Whoever was to note its end was killed: what is begun here from now on is not callboard's.
    assert!(!parent.merge_is_ours().unwrap());
    write(&parent.root().join("new"), "a person's");
    assert!(parent.merge_taken_back().unwrap().is_none() && parent.is_dirty().unwrap());
}

#[test]
fn union_keeps_the_lines_of_five_branches() {
    let world = World::new();
    for file in ["src/lib.rs", "other.rs", "we [ird] \"name\".rs", "theirs.lock"] {
        world.write(file, "first\nlast\n");
    }
    world.write(".gitattributes", "*.lock merge=binary\n");
    let own = world.project.with_file_name("own attributes");
    write(&own, "other.rs merge=union");
    world.git(&["config", "core.attributesFile", own.as_str()]);
    world.commit_all("base");
    for number in 1..=5 {
        let tree = world.tree(&format!("c{number}"));
        for file in ["src/lib.rs", "other.rs", "we [ird] \"name\".rs"] {
            write(&tree.root().join(file), &format!("first\nmod m{number};\nlast\n"));
        }
        world.commit(&tree, "work");
    }
    let parent = world.tree("parent");
    let union = ["src/*.rs", "we \\[ird] \"name\".rs", "*.lock"];
    for number in 1..=5 {
        let outcome = world.merge(&parent, &branch(&format!("c{number}")), &union);
        assert!(matches!(outcome, MergeOutcome::Merged { .. }), "{outcome:?}");
    }
    for file in ["src/lib.rs", "other.rs", "we [ird] \"name\".rs"] {
        let text = fs::read_to_string(parent.root().join(file)).unwrap();
        assert_eq!(text.lines().count(), 7, "{text}");
        assert!(text.starts_with("first\n") && text.ends_with("last\n"));
        assert!((1..=5).all(|number| text.contains(&format!("mod m{number};"))), "{text}");
    }
    let (one, two) = (work(&world, "one", "theirs.lock", "one\n"), work(&world, "two", "theirs.lock", "two\n"));
    let conflict = MergeOutcome::Conflict { files: vec!["theirs.lock".into()] };
    assert_eq!(world.merge(&one, &branch("two"), &union), conflict, "the project's own attributes are above ours");
    assert!(two.merge("x", "m", &["a\nb merge=ours".into()], &world.data).is_err());
    assert!(matches!(two.merge("x", "m", &["../up".into()], &world.data), Err(GitError::BadPath { .. })));
}

#[test]
fn a_push_makes_the_branch_and_nobodys_upstream() {
    let world = World::new();
    world.git(&["config", "push.autoSetupRemote", "true"]);
    world.git(&["config", "push.followTags", "true"]);
    let bare = world.remote("origin");
    let config = fs::read(world.project.join(".git/config")).unwrap();
    let tree = work(&world, "a", "new", "x");
    world.git_in(tree.root(), &["tag", "--annotate", "v1", "--message", "one"]);
    assert_eq!(push(&world, &tree), PushOutcome::Pushed);
    assert_eq!(push(&world, &tree), PushOutcome::UpToDate);
    let refs = world.git_in(&bare, &["for-each-ref", "--format=%(refname) %(objectname)"]);
    assert_eq!(refs.trim(), format!("refs/heads/{} {}", branch("a"), tree.head().unwrap().commit));
    assert_eq!(fs::read(world.project.join(".git/config")).unwrap(), config);
}

#[test]
fn a_push_that_is_not_a_fast_forward_is_rejected() {
    let world = World::new();
    let bare = world.remote("origin");
    let tree = work(&world, "a", "new", "x");
    assert_eq!(push(&world, &tree), PushOutcome::Pushed);
    world
        .git_in(&bare, &["update-ref", &format!("refs/heads/{}", branch("a")), &world.repo().resolve("main").unwrap()]);
    let other = work(&world, "b", "other", "y").head().unwrap().commit;
    world.git(&["push", "--quiet", "origin", &format!("{other}:refs/heads/{}", branch("a"))]);
    let PushOutcome::Rejected { message } = push(&world, &tree) else { panic!("pushed") };
    assert!(message.contains("fetch first") || message.contains("non-fast-forward"), "{message}");
    assert_eq!(world.git_in(&bare, &["rev-parse", &branch("a")]).trim(), other);
}

#[test]
fn hooks_on_both_sides_may_refuse_a_push() {
    let world = World::new();
    let bare = world.remote("origin");
    let tree = work(&world, "a", "new", "x");
    write(&bare.join("hooks/pre-receive"), "#!/bin/sh\necho 'policy says no'\nexit 1\n");
    super::world::executable(&bare.join("hooks/pre-receive"));
    let PushOutcome::Rejected { message } = push(&world, &tree) else { panic!("pushed") };
    assert!(message.contains("policy says no") && message.contains("pre-receive hook declined"), "{message}");
    fs::remove_file(bare.join("hooks/pre-receive")).unwrap();
    world.hook("pre-push", "echo 'tests are red' >&2; exit 1");
    let PushOutcome::Rejected { message } = push(&world, &tree) else { panic!("pushed") };
    assert!(message.contains("tests are red"), "{message}");
}

#[test]
fn only_configured_remotes_are_pushed_to() {
    let world = World::new();
    world.remote("origin");
    let tree = world.tree("a");
    for remote in ["elsewhere", "https://example.com/x", "ext::sh -c id", "--force", ""] {
        assert!(matches!(tree.push(remote, "b"), Err(GitError::Remote { .. })), "{remote:?}");
    }
}
