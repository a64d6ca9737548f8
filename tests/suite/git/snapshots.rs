//! The hash that says whether an agent changed anything, and the diff.

use std::{fs, os::unix::fs::symlink};

use callboard::git::{FileChange, Patch, Sign, Tree};

use super::world::{World, executable, write};

fn hash(tree: &Tree) -> String {
    // Opened anew, as the engine does, and once more through the old one: both must see the same.
    let fresh = Tree::open(tree.root()).unwrap().change_hash().unwrap();
    assert_eq!(tree.change_hash().unwrap(), fresh);
    fresh
}

#[test]
fn every_kind_of_change_is_seen() {
    let world = World::new();
    world.write("dir/file", "one");
    world.write(".gitignore", "ignored\n");
    world.commit_all("second");
    let tree = world.tree("a");
    let at = |path: &str| tree.root().join(path);
    type Step<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let steps: [Step<'_>; 9] = [
        ("content", Box::new(|| write(&at("README.md"), "other\n"))),
        ("mode", Box::new(|| executable(&at("README.md")))),
        ("new file", Box::new(|| write(&at("new folder/new file"), "x"))),
        ("its content", Box::new(|| write(&at("new folder/new file"), "y"))),
        ("its mode", Box::new(|| executable(&at("new folder/new file")))),
        ("rename", Box::new(|| fs::rename(at("new folder/new file"), at("new folder/other file")).unwrap())),
        ("deletion", Box::new(|| fs::remove_file(at("dir/file")).unwrap())),
        (
            "file to link",
            Box::new(|| {
                fs::remove_file(at("README.md")).unwrap();
                symlink("nowhere", at("README.md")).unwrap();
            }),
        ),
        (
            "link's target",
            Box::new(|| {
                fs::remove_file(at("README.md")).unwrap();
                symlink("no-where", at("README.md")).unwrap();
            }),
        ),
    ];
    let mut seen = vec![hash(&tree)];
    for (name, step) in steps {
        step();
        let now = hash(&tree);
        assert!(!seen.contains(&now), "{name}");
        seen.push(now);
    }
    write(&at("ignored"), "x");
    fs::create_dir(at("empty")).unwrap();
    assert_eq!(hash(&tree), *seen.last().unwrap());
}

#[test]
fn a_change_that_is_undone_is_none_and_a_commit_changes_nothing() {
    let world = World::new();
    let tree = world.tree("a");
    let clean = hash(&tree);
    write(&tree.root().join("README.md"), "other\n");
    write(&tree.root().join("new"), "");
    let changed = hash(&tree);
    world.commit(&tree, "work");
    assert_eq!(hash(&tree), changed);
    write(&tree.root().join("README.md"), "hello\n");
    fs::remove_file(tree.root().join("new")).unwrap();
    assert_eq!(hash(&tree), clean);
}

#[test]
fn the_same_size_in_the_same_second_is_seen() {
    let world = World::new();
    for round in 0..20 {
        let tree = world.tree(&format!("a{round}"));
        let before = hash(&tree);
        write(&tree.root().join("README.md"), "jello\n");
        let after = hash(&tree);
        assert_ne!(before, after);
        world.git_in(tree.root(), &["add", "README.md"]);
        write(&tree.root().join("README.md"), "cello\n");
        assert_ne!(hash(&tree), after);
        world.commit(&tree, "cello");
        write(&tree.root().join("README.md"), "jello\n");
        assert_eq!(hash(&tree), after);
    }
}

#[test]
fn nested_repositories_and_odd_names_are_part_of_it() {
    let world = World::new();
    let tree = world.tree("a");
    let before = hash(&tree);
    world.git(&["clone", "--quiet", world.project.as_str(), tree.root().join("nested").as_str()]);
    let with_nested = hash(&tree);
    assert_ne!(before, with_nested);
    write(&tree.root().join("-dash \n \"quoted\" ü"), "x");
    assert_ne!(hash(&tree), with_nested);
}

#[test]
fn changed_files_and_diff_are_since_the_base() {
    let world = World::new();
    world.write("old name", &"line\n".repeat(20));
    world.write("gone", "x\n");
    world.commit_all("second");
    let tree = world.tree("a");
    let at = |path: &str| tree.root().join(path);
    write(&at("README.md"), "hello\nworld\n");
    world.commit(&tree, "work");
    fs::rename(at("old name"), at("new name")).unwrap();
    fs::remove_file(at("gone")).unwrap();
    write(&at("new/ü\n-file"), "fresh\n");
    fs::write(at("latin1"), b"gr\xfc\xdfe\n").unwrap();
    fs::write(at("binary"), b"\0\x01\x02").unwrap();
    let files = tree.changed_files("main").unwrap();
    assert_eq!(files, ["README.md", "binary", "gone", "latin1", "new name", "new/ü\n-file", "old name"]);
    let whole = tree.patch("main", &[], 100_000).unwrap();
    assert!(!whole.cut);
    let file = |patch: &Patch, path: &str| patch.files.iter().find(|file| file.path == path).cloned();
    let shown = |path: &str| {
        let file = file(&whole, path).unwrap_or_else(|| panic!("{path} is not in {whole:?}"));
        let lines = file.lines.iter().filter(|line| matches!(line.sign, Sign::Added | Sign::Removed));
        let lines: Vec<_> = lines.map(|line| (line.sign, line.number, line.text.clone())).collect();
        (file.change, file.from, file.added, file.removed, file.binary, lines)
    };
    let added = |number, text: &str| (Sign::Added, number, text.to_owned());
    assert_eq!(shown("README.md"), (FileChange::Modified, None, 1, 0, false, vec![added(2, "world")]));
    assert_eq!(shown("gone"), (FileChange::Deleted, None, 0, 1, false, vec![(Sign::Removed, 1, "x".into())]));
    assert_eq!(shown("new/ü\n-file"), (FileChange::Added, None, 1, 0, false, vec![added(1, "fresh")]));
    assert_eq!(shown("latin1").5, [added(1, "gr\u{fffd}\u{fffd}e")]);
    assert_eq!(shown("binary"), (FileChange::Added, None, 0, 0, true, vec![]));
    assert_eq!(shown("new name"), (FileChange::Renamed, Some("old name".into()), 0, 0, false, vec![]));
    assert_eq!(whole.counts(), (3, 1));
    let some = tree.patch("main", &["gone".into(), "*".into()], 100_000).unwrap();
    assert_eq!(some.files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["gone"]);
    let cut = tree.patch("main", &[], 20).unwrap();
    assert!(cut.cut && cut.files.len() < whole.files.len(), "{cut:?}");
    assert_eq!((cut.all, whole.all), (whole.files.len(), whole.files.len()));
    fs::write(at("large"), "a line\n".repeat(700_000)).unwrap();
    let large = file(&tree.patch("main", &["large".into()], 100_000).unwrap(), "large").unwrap();
    assert_eq!((large.binary, large.too_large, large.added), (true, Some(4_900_000), 0));
    assert_eq!(file(&whole, "binary").unwrap().too_large, None);
    fs::remove_file(at("large")).unwrap();
    // What is committed is the same between commits, once the worktree is gone.
    let between = world.repo().patch("main", "callboard/component_test/a", &[], 100_000).unwrap();
    assert_eq!(file(&between, "README.md"), file(&whole, "README.md"));
    assert_eq!(between.files.len(), 1);
    assert!(tree.changed_files("nothing").is_err());
}
