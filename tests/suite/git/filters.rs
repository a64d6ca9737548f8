//! Conversions between worktree and repository: what comes out must be what the user's git makes.

use std::{collections::BTreeMap, fs};

use callboard::git::{CommitOutcome, Staged, Tree};

use super::world::{World, write};

const TEXTS: [(&str, &[u8]); 7] = [
    ("lf.txt", b"a\nb\n"),
    ("crlf.txt", b"a\r\nb\r\n"),
    ("mixed.txt", b"a\r\nb\nc\r"),
    ("run.bat", b"a\r\nb\r\n"),
    ("binary.bin", b"\0\r\n\x01\n"),
    ("empty.txt", b""),
    ("id.txt", b"$Id$\n"),
];

fn bytes(folder: &camino::Utf8Path) -> BTreeMap<String, Vec<u8>> {
    TEXTS.iter().filter_map(|(name, _)| Some((name.to_string(), fs::read(folder.join(name)).ok()?))).collect()
}

#[test]
fn line_ends_are_what_git_makes_of_them() {
    for (attributes, autocrlf) in [
        ("", "false"),
        ("", "true"),
        ("", "input"),
        ("* text=auto\n", "false"),
        ("* text=auto\n*.bat text eol=crlf\n*.bin -text\n", "true"),
        ("*.txt text\n*.txt eol=crlf\n", "input"),
        ("*.txt ident\n", "false"),
    ] {
        let world = World::new();
        world.write(".gitattributes", attributes);
        for (name, text) in TEXTS {
            fs::write(world.project.join(name), text).unwrap();
        }
        world.commit_all("as they are");
        world.git(&["config", "core.autocrlf", autocrlf]);
        let case = format!("{attributes:?} {autocrlf}");
        let ours = world.tree("ours");
        let gits = world.worktree("gits");
        world.git(&["worktree", "add", "--quiet", "--detach", gits.as_str(), "main"]);
        assert_eq!(bytes(ours.root()), bytes(&gits), "{case}");
        assert_eq!(
            world.git_in(ours.root(), &["status", "--porcelain"]),
            world.git_in(&gits, &["status", "--porcelain"]),
            "{case}"
        );
        for (number, (_, text)) in TEXTS.iter().enumerate() {
            for folder in [ours.root(), gits.as_path()] {
                fs::write(folder.join(TEXTS[number].0), [*text, b"new\r\nlines\n"].concat()).unwrap();
                fs::write(folder.join(format!("new-{}", TEXTS[number].0)), text).unwrap();
            }
        }
        world.commit(&ours, "work");
        world.git_in(&gits, &["add", "--all"]);
        let tree = world.git_in(&gits, &["write-tree"]);
        assert_eq!(world.git_in(ours.root(), &["rev-parse", "HEAD^{tree}"]), tree, "{case}");
    }
}

#[test]
fn files_without_carriage_returns_need_no_git() {
    let world = World::new();
    world.write(".gitattributes", "* text=auto\n");
    world.commit_all("attributes");
    let tree = world.tree("a");
    write(&tree.root().join("new.txt"), "a\nb\n");
    assert_eq!(tree.stage_all().unwrap(), Staged::Done { something: true, skipped: vec![] });
}

/// A driver that stores text upside down, as LFS stores pointers.
fn with_driver() -> World {
    let world = World::new();
    world.git(&["config", "filter.turn.clean", "tr a-z A-Z"]);
    world.git(&["config", "filter.turn.smudge", "tr A-Z a-z"]);
    world.git(&["config", "filter.turn.required", "true"]);
    world.write(".gitattributes", "*.big filter=turn\n");
    world.write("one.big", "content\n");
    world.commit_all("big");
    world
}

#[test]
fn drivers_are_run_by_git() {
    let world = with_driver();
    assert!(world.git(&["show", "main:one.big"]).contains("CONTENT"));
    let prepared = world.prepare("a");
    let checkout = prepared.checkout.expect("only git runs a driver");
    assert_eq!(world.prepare("a").checkout.as_ref(), Some(&checkout), "until it was run");
    let (exit, output) = world.run(&checkout);
    assert_eq!(exit.code(), Some(0), "{output}");
    assert_eq!(world.prepare("a").checkout, None);
    let tree = Tree::open(&prepared.worktree).unwrap();
    assert_eq!(fs::read_to_string(tree.root().join("one.big")).unwrap(), "content\n");
    assert_eq!(world.git_in(tree.root(), &["status", "--porcelain"]), "");

    let clean = tree.change_hash().unwrap();
    world.git_in(tree.root(), &["update-index", "--refresh"]);
    assert_eq!(tree.change_hash().unwrap(), clean);
    write(&tree.root().join("one.big"), "CONTENT\n");
    assert_ne!(tree.change_hash().unwrap(), clean, "the driver makes the same of it, but it is another file");

    write(&tree.root().join("two.big"), "second\n");
    assert!(matches!(tree.stage_all().unwrap(), Staged::UseGit { .. }));
    assert!(matches!(world.commit(&tree, "work"), CommitOutcome::Committed { .. }));
    assert_eq!(world.git_in(tree.root(), &["show", "HEAD:two.big"]), "SECOND\n");
    write(&tree.root().join("plain"), "x\n");
    let hash = tree.change_hash().unwrap();
    world.git_in(tree.root(), &["add", "--all"]);
    assert_eq!(tree.change_hash().unwrap(), hash);
}
