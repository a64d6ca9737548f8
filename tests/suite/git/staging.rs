//! Staging, held against what `git add -A` makes of the same files.

use std::{fs, os::unix::fs::symlink};

use callboard::git::{CommitOutcome, GitError, Staged, Tree};

use super::world::{World, executable, write};

const NAMES: [&str; 7] = ["with space", "-dash", "--all", "ü ñ 日本", "new\nline", "quo\"te\\back", ":(top)magic"];

/// What is staged, told by `git`.
fn staged(world: &World, tree: &Tree) -> String {
    world.git_in(tree.root(), &["ls-files", "--stage", "-z"])
}

fn done(tree: &Tree) -> (bool, Vec<String>) {
    match tree.stage_all().unwrap() {
        Staged::Done { something, skipped } => (something, skipped),
        Staged::UseGit { add, .. } => panic!("{add:?}"),
    }
}

/// Changes of every kind.
fn change(tree: &Tree) {
    let at = |path: &str| tree.root().join(path);
    write(&at("README.md"), "changed\n");
    for name in NAMES {
        write(&at(name), name);
        write(&at("folder").join(name), name);
    }
    executable(&at("tool"));
    fs::remove_file(at("gone")).unwrap();
    fs::remove_file(at("file to folder")).unwrap();
    write(&at("file to folder/inside"), "x");
    fs::remove_dir_all(at("folder to file")).unwrap();
    write(&at("folder to file"), "x");
    symlink("README.md", at("link")).unwrap();
    write(&at("ignored"), "x");
    write(&at("tracked though ignored"), "changed");
    write(&at("target/deep/ignored.o"), "x");
    fs::create_dir_all(at("empty")).unwrap();
}

fn world() -> World {
    let world = World::new();
    for name in ["tool", "gone", "file to folder", "folder to file/a", "folder to file/b", "tracked though ignored"] {
        world.write(name, "one\n");
    }
    world.commit_all("files");
    world.write(".gitignore", "ignored\ntracked*\n/target\n");
    world.commit_all("ignore");
    world
}

#[test]
fn is_the_same_as_git_add() {
    let world = world();
    let (ours, gits) = (world.tree("ours"), world.tree("gits"));
    assert_eq!(done(&ours), (false, vec![]));
    change(&ours);
    change(&gits);
    assert_eq!(done(&ours), (true, vec![]));
    world.git_in(gits.root(), &["add", "--all"]);
    assert_eq!(staged(&world, &ours), staged(&world, &gits));
    assert!(world.git_in(ours.root(), &["status", "--porcelain", "-z"]).split('\0').all(|line| !line.starts_with(' ')));
    assert!(matches!(world.commit(&ours, "work"), CommitOutcome::Committed { .. }));
    assert!(!ours.is_dirty().unwrap());
    assert_eq!(done(&ours), (false, vec![]));
    assert_eq!(world.commit(&ours, "again"), CommitOutcome::NothingToCommit);
}

#[test]
fn what_an_agent_staged_itself_is_something_to_commit() {
    let world = World::new();
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    world.git_in(tree.root(), &["add", "--intent-to-add", "new"]);
    assert_eq!(done(&tree), (true, vec![]));
    assert_eq!(done(&tree), (true, vec![]));
    fs::remove_file(tree.root().join("new")).unwrap();
    assert_eq!(done(&tree), (false, vec![]));
}

#[test]
fn nested_repositories_are_reported_and_never_staged() {
    let world = World::new();
    let tree = world.tree("a");
    let nested = tree.root().join("vendor/library");
    world.git(&["clone", "--quiet", world.project.as_str(), nested.as_str()]);
    assert_eq!(done(&tree), (false, vec!["vendor/library".into()]));
    write(&tree.root().join("new"), "x");
    assert_eq!(done(&tree), (true, vec!["vendor/library".into()]));
    assert!(!staged(&world, &tree).contains("vendor"));
    // The same through `git add`.
    write(&tree.root().join(".gitattributes"), "*.txt text\n");
    write(&tree.root().join("crlf.txt"), "a\r\n");
    let Staged::UseGit { add, skipped } = tree.stage_all().unwrap() else { panic!("expected git") };
    assert_eq!(skipped, ["vendor/library"]);
    assert_eq!(world.run(&add).0.code(), Some(0));
    assert!(staged(&world, &tree).contains("crlf.txt") && !staged(&world, &tree).contains("vendor"));
}

#[test]
fn submodules_keep_their_commit() {
    let world = World::new();
    let library = world.project.with_file_name("library");
    world.git(&["clone", "--quiet", world.project.as_str(), library.as_str()]);
    world.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library.as_str(), "lib"]);
    world.commit_all("submodule");
    let tree = world.tree("a");
    let before = staged(&world, &tree);
    assert!(before.contains("160000"));
    assert!(!tree.is_dirty().unwrap());
    assert_eq!(done(&tree), (false, vec![]), "a submodule that is not checked out is no change");
    world.git_in(tree.root(), &["-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init"]);
    write(&tree.root().join("lib/new"), "x");
    world.git_in(&tree.root().join("lib"), &["add", "new"]);
    world.git_in(
        &tree.root().join("lib"),
        &["-c", "user.name=A", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x"],
    );
    assert_eq!(done(&tree), (false, vec!["lib".into()]));
    fs::remove_dir_all(tree.root().join("lib")).unwrap();
    assert_eq!(done(&tree), (false, vec!["lib".into()]));
    assert_eq!(staged(&world, &tree), before);
}

#[test]
fn a_lock_that_somebody_holds_is_named() {
    let world = World::new();
    let tree = world.tree("a");
    write(&tree.root().join("new"), "x");
    let link = fs::read_to_string(tree.root().join(".git")).unwrap();
    write(&camino::Utf8Path::new(link.trim().strip_prefix("gitdir: ").unwrap()).join("index.lock"), "");
    let error = tree.stage_all().unwrap_err().to_string();
    assert!(error.contains("index.lock") || error.contains("lock"), "{error}");
}

#[test]
fn an_index_that_an_agent_split_says_how_to_join_it() {
    let world = World::new();
    let tree = world.tree("a");
    world.git_in(tree.root(), &["update-index", "--split-index"]);
    let error = Tree::open(tree.root()).unwrap().stage_all().unwrap_err();
    assert!(matches!(error, GitError::Unsupported { .. }), "{error:?}");
    assert!(error.to_string().contains("--no-split-index"), "{error}");
    world.git_in(tree.root(), &["update-index", "--no-split-index"]);
    assert_eq!(done(&Tree::open(tree.root()).unwrap()), (false, vec![]));
}
