//! What is read of the user's repository.

use std::fs;

use callboard::git::{GitError, Repo};
use camino::Utf8Path;

use super::world::{World, write};

#[test]
fn head_of_a_branch_and_detached() {
    let world = World::new();
    let head = world.repo().head().unwrap();
    assert_eq!(head.branch.as_deref(), Some("main"));
    assert_eq!(head.commit, world.git(&["rev-parse", "HEAD"]).trim());
    world.git(&["checkout", "--quiet", "--detach"]);
    assert_eq!(world.repo().head().unwrap().branch, None);
    assert_eq!(world.repo().head().unwrap().commit, head.commit);
}

#[test]
fn what_differs_between_two_commits_is_counted_by_file() {
    let world = World::new();
    let commit = |message: &str| {
        world.git(&["add", "--all"]);
        world.git(&["commit", "--quiet", "--message", message]);
        world.git(&["rev-parse", "HEAD"]).trim().to_owned()
    };
    write(&world.project.join("src/moved.rs"), "one\ntwo\nthree\nfour\n");
    write(&world.project.join("gone.txt"), "bye\n");
    let base = commit("base");
    fs::rename(world.project.join("src/moved.rs"), world.project.join("src/there.rs")).unwrap();
    fs::remove_file(world.project.join("gone.txt")).unwrap();
    write(&world.project.join("README.md"), "hello\nworld\n");
    fs::write(world.project.join("blob"), [0, 159, 146, 150, 0]).unwrap();
    let tip = commit("tip");
    let repo = world.repo();
    let (files, all) = repo.changed_between(&base, &tip, 10).unwrap();
    let told: Vec<String> =
        files.iter().map(|file| format!("{} {:?} {:?}", file.path, file.from, file.lines)).collect();
    let wanted = [
        "README.md None Some((1, 0))",
        "blob None None",
        "gone.txt None Some((0, 1))",
        "src/there.rs Some(\"src/moved.rs\") Some((0, 0))",
    ];
    assert_eq!((told.iter().map(String::as_str).collect::<Vec<_>>(), all), (wanted.to_vec(), 4));
    let (files, all) = repo.changed_between(&base, &tip, 1).unwrap();
    assert_eq!((files.len(), all), (1, 4));
    assert_eq!(repo.changed_between(&tip, &tip, 10).unwrap().1, 0);
    assert!(matches!(repo.changed_between(&base, "0123456789", 1), Err(GitError::NoRevision { .. })));
}

#[test]
fn a_checkout_has_moved_on_when_it_came_after_and_differs() {
    let world = World::new();
    let commit = |text: &str| {
        world.write("price.rs", text);
        world.commit_all(text);
        world.repo().head().unwrap().commit
    };
    let (first, second, third) = (commit("one\n"), commit("two\n"), commit("one\n"));
    let repo = world.repo();
    let mut progress = repo.progress().unwrap();
    let mut moved_on = |commit: &str, path: &str| progress.moved_on(commit, &["README.md".into(), path.into()]);
    assert!(!moved_on(&third, "price.rs").unwrap());
    assert!(moved_on(&second, "price.rs").unwrap());
    assert!(!moved_on(&second, "elsewhere.rs").unwrap(), "the same commit, another file");
    assert!(!moved_on(&first, "price.rs").unwrap(), "it is there and back again");
    assert!(matches!(moved_on("0123456789", "price.rs"), Err(GitError::NoRevision { .. })));
    // What the checkout does not have is ahead of it, not behind.
    world.git(&["reset", "--quiet", "--hard", &first]);
    assert!(!world.repo().progress().unwrap().moved_on(&second, &["price.rs".into()]).unwrap());
}

#[test]
fn a_repository_without_a_commit_says_so() {
    let world = World::unborn(&["init", "--quiet"]);
    assert!(matches!(world.repo().head(), Err(GitError::NoCommit { .. })));
    let prepared = world.repo().prepare(&world.worktree("a"), "callboard/a", "HEAD");
    assert!(matches!(prepared, Err(GitError::NoRevision { .. })), "{prepared:?}");
    assert!(!world.worktree("a").exists());
}

#[test]
fn only_a_checkouts_root_is_opened() {
    let world = World::new();
    write(&world.project.join("src/a"), "");
    let refused = |path: &Utf8Path| Repo::open(path).unwrap_err().to_string();
    assert!(refused(&world.project.join("src")).contains("a folder inside the repository"));
    assert!(refused(&world.project.join(".git")).contains("own folder"), "{}", refused(&world.project.join(".git")));
    assert!(refused(&world.data).contains("no repository"));
    let bare = world.remote("origin");
    assert!(refused(&bare).contains("bare repository"), "{}", refused(&bare));
}

#[test]
fn a_linked_worktree_of_the_users_is_fine_also_of_a_bare_repository() {
    let world = World::new();
    let mine = world.project.parent().unwrap().join("mine");
    world.git(&["worktree", "add", "--quiet", mine.as_str(), "-b", "mine"]);
    assert_eq!(Repo::open(&mine).unwrap().head().unwrap().branch.as_deref(), Some("mine"));
    let bare = world.remote("origin");
    world.git(&["push", "--quiet", "origin", "main"]);
    let checkout = world.project.parent().unwrap().join("checkout");
    world.git_in(&bare, &["worktree", "add", "--quiet", checkout.as_str(), "main"]);
    let repo = Repo::open(&checkout).unwrap();
    assert_eq!(repo.head().unwrap().branch.as_deref(), Some("main"));
    let prepared = repo.prepare(&world.worktree("a"), "callboard/a", "main").unwrap();
    assert_eq!(fs::read_to_string(prepared.worktree.join("README.md")).unwrap(), "hello\n");
    assert_eq!(world.git_in(&prepared.worktree, &["status", "--porcelain"]), "");
}

#[test]
fn repositories_that_libgit2_refuses_are_named_as_such() {
    for init in [&["init", "--object-format=sha256"][..], &["init", "--ref-format=reftable"]] {
        let world = World::unborn(init);
        let error = Repo::open(&world.project).unwrap_err();
        assert!(matches!(error, GitError::Unsupported { .. }), "{init:?}: {error:?}");
    }
    let world = World::new();
    world.git(&["config", "core.repositoryFormatVersion", "1"]);
    world.git(&["config", "extensions.partialClone", "origin"]);
    let error = Repo::open(&world.project).unwrap_err();
    assert!(matches!(error, GitError::Unsupported { .. }), "{error:?}");
}

#[test]
fn revisions_branches_and_ancestors() {
    let world = World::new();
    let first = world.repo().resolve("main").unwrap();
    world.git(&["tag", "--annotate", "v1", "--message", "one"]);
    world.write("second", "");
    world.commit_all("second");
    let repo = world.repo();
    let second = repo.resolve("HEAD").unwrap();
    assert_eq!(repo.resolve("v1").unwrap(), first);
    assert_eq!(repo.tip("main").unwrap(), Some(second.clone()));
    assert_eq!(repo.tip("nothing").unwrap(), None);
    assert_eq!(repo.tip("--all").unwrap(), None);
    assert!(repo.is_ancestor(&first, "main").unwrap() && repo.is_ancestor("main", "main").unwrap());
    assert!(!repo.is_ancestor("main", &first).unwrap());
    for nonsense in ["nothing", "", "--all", "main:README.md"] {
        assert!(matches!(repo.resolve(nonsense), Err(GitError::NoRevision { .. })), "{nonsense:?}");
    }
}

#[test]
fn files_at_a_commit_email_and_remotes() {
    let world = World::new();
    world.write("src/ä b.rs", "");
    world.commit_all("second");
    let repo = world.repo();
    for (path, there) in [
        ("README.md", true),
        ("src/ä b.rs", true),
        ("src", false),
        ("nothing", false),
        ("README.md/x", false),
        ("../README.md", false),
        ("/README.md", false),
        ("", false),
    ] {
        assert_eq!(repo.file_exists_at("main", path).unwrap(), there, "{path:?}");
    }
    assert!(!repo.file_exists_at("main~1", "src/ä b.rs").unwrap());
    assert_eq!(repo.user_email().as_deref(), Some("ada@example.com"));
    assert!(repo.remotes().is_empty());
    world.remote("origin");
    assert_eq!(world.repo().remotes(), ["origin"]);
}

#[test]
fn both_may_be_sent_to_another_thread() {
    fn sent<T: Send>() {}
    sent::<Repo>();
    sent::<callboard::git::Tree>();
}
