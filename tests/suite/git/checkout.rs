//! The user's checkout, index and stash, before and after everything.

use std::fs;

use callboard::git::{CommitOutcome, MergeOutcome, PushOutcome, pushed};
use camino::Utf8PathBuf;

use super::world::{World, write};

/// A checkout in the middle of somebody's work: staged, unstaged, staged and changed again, deleted, new, ignored, stashed,
/// and touched so that the index's stat cache is stale.
fn busy() -> World {
    let world = World::new();
    for name in ["staged", "unstaged", "both", "deleted", "touched"] {
        world.write(name, "one\n");
    }
    world.write(".gitignore", ".env\n");
    world.write(".env", "SECRET=1\n");
    world.commit_all("second");
    world.write("stashed", "later\n");
    world.git(&["stash", "push", "--quiet", "--include-untracked"]);
    for name in ["staged", "both"] {
        world.write(name, "two\n");
        world.git(&["add", name]);
    }
    world.write("unstaged", "two\n");
    world.write("both", "three\n");
    world.write("new", "new\n");
    fs::remove_file(world.project.join("deleted")).unwrap();
    world.write("touched", "one\n");
    world
}

#[test]
fn stays_as_it_is_to_the_byte() {
    let world = busy();
    world.remote("origin");
    world.git(&["config", "merge.autoStash", "true"]);
    let before = world.fingerprint();
    let repo = world.repo();
    repo.head().unwrap();
    assert_eq!((repo.user_email().as_deref(), repo.remotes().len()), (Some("ada@example.com"), 1));
    repo.file_exists_at("HEAD", "new").unwrap();
    repo.free_branch("callboard/x/a", &|_| false).unwrap();
    let (ours, theirs) = (world.tree("ours"), world.tree("theirs"));
    let copied = repo.copy_ignored(ours.root(), &[Utf8PathBuf::from(".env")]).unwrap();
    assert_eq!(copied.copied, [".env"]);
    write(&ours.root().join("both"), "ours\n");
    write(&theirs.root().join("both"), "theirs\n");
    for tree in [&ours, &theirs] {
        tree.change_hash().unwrap();
        tree.is_dirty().unwrap();
        tree.changed_files("main").unwrap();
        tree.patch("main", &[], 10_000).unwrap();
        let outcome = world.commit(tree, "work");
        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
    }
    let outcome = world.merge(&ours, "callboard/component_test/theirs", &[]);
    assert_eq!(outcome, MergeOutcome::Conflict { files: vec!["both".into()] });
    assert!(repo.merge_in_progress(ours.root()));
    assert_eq!(repo.conflicted_files(ours.root()).unwrap(), ["both"]);
    assert_eq!(world.run(&ours.merge_abort()).0.code(), Some(0));
    write(
        &ours.root().join("README.md"),
        "not committed
",
    );
    world.merge(&ours, "main", &[]);
    world.merge(&ours, "callboard/component_test/theirs", &[]);
    world.run(&ours.merge_abort());
    let (exit, output) = world.run(&ours.push("origin", "callboard/component_test/ours").unwrap());
    assert_eq!(pushed(&exit, &output), PushOutcome::Pushed);
    assert!(repo.remove_worktree(ours.root(), false).is_err());
    repo.remove_worktree(ours.root(), true).unwrap();
    repo.remove_worktree(theirs.root(), false).unwrap();
    let after = world.fingerprint();
    let changed: Vec<_> =
        before.iter().filter(|(file, seen)| after.get(*file) != Some(*seen)).map(|(file, _)| file).collect();
    assert!(changed.is_empty(), "{changed:?}");
    assert_eq!(before.len(), after.len());
    assert_eq!(world.git(&["stash", "list"]).lines().count(), 1);
}

#[test]
fn a_split_index_of_the_users_is_no_obstacle() {
    let world = World::new();
    world.git(&["update-index", "--split-index"]);
    let before = world.fingerprint();
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    assert!(matches!(world.commit(&tree, "work"), CommitOutcome::Committed { .. }));
    world.repo().copy_ignored(tree.root(), &["README.md".into()]).unwrap();
    assert_eq!(world.fingerprint(), before);
}

#[test]
fn copies_only_ignored_files_and_never_across_a_border() {
    let world = World::new();
    world.write(".gitignore", ".env*\nsecret/\nlink*\n");
    world.write("tracked.env", "x");
    world.commit_all("ignore");
    let outside = world.project.with_file_name("outside");
    write(&outside, "outside");
    for (file, text) in [(".env", "A=1"), ("secret/key file", "k"), (".env.d/x", "x"), ("plain", "not ignored")] {
        world.write(file, text);
    }
    std::os::unix::fs::symlink(&outside, world.project.join("link-out")).unwrap();
    std::os::unix::fs::symlink(".env", world.project.join("link-in")).unwrap();
    let tree = world.tree("a");
    std::os::unix::fs::symlink(outside.parent().unwrap(), tree.root().join(".env.d")).unwrap();
    let files: Vec<Utf8PathBuf> = [
        ".env",
        "secret/key file",
        "link-in",
        ".env.missing",
        "link-out",
        "plain",
        "tracked.env",
        "../outside",
        "/etc/hosts",
        "",
        "secret",
        ".env.d/x",
        ".git/config",
    ]
    .map(Utf8PathBuf::from)
    .into();
    let copied = world.repo().copy_ignored(tree.root(), &files).unwrap();
    assert_eq!(copied.copied, [".env", "secret/key file", "link-in"]);
    let skipped: Vec<_> = copied.skipped.iter().map(|skipped| skipped.file.as_str()).collect();
    assert_eq!(skipped, files[3..].iter().map(|file| file.as_str()).collect::<Vec<_>>());
    assert_eq!(fs::read_to_string(tree.root().join(".env")).unwrap(), "A=1");
    assert!(!outside.with_file_name("x").exists());
    write(&tree.root().join(".env"), "changed by the session");
    let again = world.repo().copy_ignored(tree.root(), &files[..1]).unwrap();
    assert_eq!(again.skipped[0].reason, "the worktree has it already");
    assert_eq!(fs::read_to_string(tree.root().join(".env")).unwrap(), "changed by the session");
    assert_eq!(fs::read_dir(&world.data).unwrap().count(), 1, "nothing is left beside the worktree");
}
