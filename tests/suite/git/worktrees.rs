//! Making, mending and removing worktrees.

use std::fs;

use callboard::git::{GitError, Tree};
use camino::{Utf8Path, Utf8PathBuf};

use super::world::{World, write};

/// The administrative folder of a worktree.
fn admin(worktree: &Utf8Path) -> Utf8PathBuf {
    let link = fs::read_to_string(worktree.join(".git")).unwrap();
    link.trim().strip_prefix("gitdir: ").unwrap().into()
}

/// A worktree that `git` itself finds nothing wrong with.
fn assert_sound(world: &World, worktree: &Utf8Path, branch: &str) {
    assert_eq!(world.git_in(worktree, &["status", "--porcelain"]), "");
    assert_eq!(world.git_in(worktree, &["branch", "--show-current"]).trim(), branch);
    assert_eq!(fs::read_to_string(worktree.join("README.md")).unwrap(), "hello\n");
    assert!(world.git(&["worktree", "list", "--porcelain"]).contains(&format!("worktree {worktree}\n")));
    assert_eq!(world.git(&["worktree", "prune", "--dry-run", "--verbose"]), "");
    assert!(!admin(worktree).join("locked").exists());
    world.git(&["fsck", "--no-progress"]);
}

#[test]
fn prepare_twice_is_prepare_once() {
    let world = World::new();
    let first = world.prepare("a");
    assert!(first.created && first.checkout.is_none());
    assert_eq!(first.base_commit, world.repo().resolve("main").unwrap());
    assert_sound(&world, &first.worktree, "callboard/component_test/a");
    write(&first.worktree.join("work.rs"), "mine");
    let second = world.prepare("a");
    assert!(!second.created);
    assert_eq!((&second.worktree, &second.base_commit), (&first.worktree, &first.base_commit));
    assert_eq!(fs::read_to_string(first.worktree.join("work.rs")).unwrap(), "mine");
    let link = world.project.with_file_name("link");
    std::os::unix::fs::symlink(&world.data, &link).unwrap();
    let third = world.repo().prepare(&link.join("a"), &first.branch, "main").unwrap();
    assert_eq!(third, second);
    assert_eq!(Tree::open(&link.join("a")).unwrap().root(), first.worktree);
}

#[test]
fn a_branch_keeps_its_commit_and_its_base() {
    let world = World::new();
    let tree = world.tree("a");
    let base = world.repo().resolve("main").unwrap();
    write(&tree.root().join("work.rs"), "mine");
    world.commit(&tree, "work");
    let tip = tree.head().unwrap().commit;
    world.write("elsewhere", "");
    world.commit_all("main goes on");
    world.repo().remove_worktree(tree.root(), false).unwrap();
    let again = world.prepare("a");
    assert!(!again.created);
    assert_eq!(again.base_commit, base);
    assert_eq!(world.repo().tip(&again.branch).unwrap(), Some(tip));
    assert_eq!(fs::read_to_string(again.worktree.join("work.rs")).unwrap(), "mine");
}

#[test]
fn every_half_way_state_is_completed() {
    let branch = "callboard/component_test/a";
    type Break = fn(&World, &Utf8Path);
    let states: [(&str, Break); 11] = [
        ("only the branch", |world, worktree| world.repo().remove_worktree(worktree, false).unwrap()),
        ("folder gone", |_, worktree| fs::remove_dir_all(worktree).unwrap()),
        ("folder gone and pruned", |world, worktree| {
            fs::remove_dir_all(worktree).unwrap();
            world.git(&["worktree", "prune"]);
        }),
        ("folder empty", |_, worktree| {
            fs::remove_dir_all(worktree).unwrap();
            fs::create_dir(worktree).unwrap();
        }),
        ("folder with an empty .git", |_, worktree| {
            fs::remove_dir_all(worktree).unwrap();
            write(&worktree.join(".git"), "");
        }),
        ("no files yet, still locked", |_, worktree| {
            fs::remove_file(worktree.join("README.md")).unwrap();
            fs::remove_file(admin(worktree).join("index")).unwrap();
            write(&admin(worktree).join("locked"), "callboard is making this worktree\n");
        }),
        ("checkout cut off in a file", |_, worktree| {
            write(&worktree.join("README.md"), "he");
            fs::remove_file(admin(worktree).join("index")).unwrap();
            write(&admin(worktree).join("index.lock"), "half");
        }),
        ("administrative folder without HEAD", |_, worktree| fs::remove_file(admin(worktree).join("HEAD")).unwrap()),
        ("administrative folder gone", |_, worktree| fs::remove_dir_all(admin(worktree)).unwrap()),
        ("administrative folder not yet in place", |_, worktree| {
            let admin = admin(worktree);
            let common = admin.parent().unwrap().parent().unwrap();
            fs::rename(&admin, common.join(format!("{}.new", admin.file_name().unwrap()))).unwrap();
            fs::remove_dir_all(worktree).unwrap();
        }),
        ("a killed git's locks", |world, worktree| {
            write(&admin(worktree).join("index.lock"), "");
            write(&admin(worktree).join("HEAD.lock"), "");
            write(&admin(worktree).join("ORIG_HEAD.lock"), "");
            write(&world.project.join(".git/refs/heads/callboard/component_test/a.lock"), "");
        }),
    ];
    for (name, break_it) in states {
        let world = World::new();
        let first = world.prepare("a");
        break_it(&world, &first.worktree);
        let again = world.prepare("a");
        assert!(!again.created, "{name}");
        assert_eq!(again.base_commit, first.base_commit, "{name}");
        assert_sound(&world, &again.worktree, branch);
        write(&again.worktree.join("new.rs"), name);
        world.commit(&Tree::open(&again.worktree).unwrap(), name);
        assert_sound(&world, &again.worktree, branch);
    }
}

#[test]
fn work_in_a_pruned_worktree_is_kept() {
    let world = World::new();
    let first = world.prepare("a");
    write(&first.worktree.join("README.md"), "changed\n");
    write(&first.worktree.join("new.rs"), "mine");
    fs::remove_dir_all(admin(&first.worktree)).unwrap();
    let lost = Tree::open(&first.worktree).unwrap_err().to_string();
    assert!(lost.contains("no longer knows") && lost.contains("mends"), "{lost}");
    let again = world.prepare("a");
    assert_eq!(world.git_in(&again.worktree, &["status", "--porcelain"]), " M README.md\n?? new.rs\n");
}

#[test]
fn a_moved_repository_is_mended() {
    let mut world = World::new();
    let first = world.prepare("a");
    write(&first.worktree.join("new.rs"), "mine");
    let moved = world.project.with_file_name("moved");
    fs::rename(&world.project, &moved).unwrap();
    world.project = moved;
    let again = world.prepare("a");
    assert_eq!(world.git_in(&again.worktree, &["status", "--porcelain"]), "?? new.rs\n");
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let world = World::new();
    let at = world.worktree("a");
    let attempt = || world.repo().prepare(&at, "callboard/a", "main").unwrap_err().to_string();
    write(&at.join("precious"), "x");
    assert!(attempt().contains("no worktree of callboard"), "{}", attempt());
    assert!(world.repo().remove_worktree(&at, true).is_err());
    world.git(&["init", "--quiet", at.as_str()]);
    assert!(attempt().contains("a repository of its own"), "{}", attempt());
    fs::remove_dir_all(&at).unwrap();
    world.git(&["worktree", "add", "--quiet", at.as_str(), "-b", "mine"]);
    assert!(attempt().contains("a worktree of"), "{}", attempt());
    assert!(world.repo().remove_worktree(&at, true).is_err());
    assert!(Tree::open(&at).is_err());
    world.git(&["worktree", "remove", at.as_str()]);
    write(&at, "a file");
    assert!(attempt().contains("found a file"), "{}", attempt());
    fs::remove_file(&at).unwrap();
    std::os::unix::fs::symlink(&world.project, &at).unwrap();
    assert!(attempt().contains("a symbolic link"), "{}", attempt());
    assert_eq!(world.repo().tip("callboard/a").unwrap(), None, "nothing was made");
}

#[test]
fn never_inside_the_checkout() {
    let world = World::new();
    for inside in ["wt", ".git/wt", ".git/worktrees/x"] {
        let error = world.repo().prepare(&world.project.join(inside), "callboard/a", "main").unwrap_err();
        assert!(matches!(error, GitError::Worktree { .. }), "{error}");
    }
    assert!(Tree::open(&world.project).is_err());
}

#[test]
fn branches_that_are_in_use_or_in_the_way() {
    let world = World::new();
    let attempt = |branch: &str| world.repo().prepare(&world.worktree("a"), branch, "main").unwrap_err().to_string();
    world.git(&["checkout", "--quiet", "-b", "callboard/seen"]);
    assert!(attempt("callboard/seen").contains(&format!("checked out in {}", world.project)));
    let other = world.repo().prepare(&world.worktree("b"), "callboard/b", "main").unwrap();
    assert!(attempt("callboard/b").contains(&format!("checked out in {}", other.worktree)));
    assert!(attempt("callboard/b/c").contains("there is a branch"), "{}", attempt("callboard/b/c"));
    assert!(attempt("--force").contains("branch name"));
    world.git_in(&other.worktree, &["checkout", "--quiet", "-b", "wip"]);
    let moved = world.repo().prepare(&world.worktree("b"), "callboard/b", "main").unwrap_err().to_string();
    assert!(moved.contains("expected a worktree on branch callboard/b") && moved.contains("HEAD at wip"), "{moved}");
}

#[test]
fn removing_refuses_to_lose_work() {
    let world = World::new();
    let repo = world.repo();
    let tree = world.tree("a");
    write(&tree.root().join("new.rs"), "x");
    let error = repo.remove_worktree(tree.root(), false).unwrap_err();
    assert!(error.to_string().contains("new.rs"), "{error}");
    repo.remove_worktree(tree.root(), true).unwrap();
    assert!(!tree.root().exists());
    assert!(!world.git(&["worktree", "list"]).contains("worktrees/a"));
    assert!(repo.tip("callboard/component_test/a").unwrap().is_some());
    repo.remove_worktree(tree.root(), false).unwrap();
    assert_eq!(fs::read_dir(&world.data).unwrap().count(), 0);
    let again = world.prepare("a");
    fs::remove_dir_all(admin(&again.worktree)).unwrap();
    assert!(repo.remove_worktree(&again.worktree, false).is_err(), "files that nothing accounts for");
    repo.remove_worktree(&again.worktree, true).unwrap();
}

#[test]
fn a_submodules_own_checkout_works_too() {
    let world = World::new();
    let library = world.project.with_file_name("library");
    world.git(&["clone", "--quiet", world.project.as_str(), library.as_str()]);
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.as_str(), "lib"]);
    let repo = callboard::git::Repo::open(&world.project.join("lib")).unwrap();
    let prepared = repo.prepare(&world.worktree("a"), "callboard/a", "main").unwrap();
    assert_eq!(world.git_in(&prepared.worktree, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(prepared.worktree.join("README.md")).unwrap(), "hello\n");
}
