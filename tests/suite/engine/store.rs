//! A store that is full, may not be written, or is not one.

use std::process::Command;

use callboard::model::Status;

use super::lab::{Lab, Shape};

/// A small file system of its own, where the machine lets us make one.
struct Small(camino::Utf8PathBuf);

impl Small {
    fn at(folder: camino::Utf8PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "callboard-test", folder.as_str()])
            .output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(folder))
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        Command::new("umount").args(["--lazy", self.0.as_str()]).output().ok();
    }
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    let mut lab = Lab::with(Shape { components: vec!["Alpha"], trust: false, ..Shape::default() });
    let Some(small) = Small::at(lab.root.join("small"), "3m") else {
        eprintln!("no file system can be mounted here");
        return;
    };
    lab.store = small.0.join("callboard.db");
    lab.ok(&["trust", "--yes"]);
    lab.act("alpha-generate_tests_and_fixtures", "hold x; mkdir -p tests; echo 'adds one' > tests/alpha.t");
    lab.hold("x");
    let id = lab.session("component_test", "Alpha");
    let run = lab.spawn(lab.callboard(&["run", &id.to_string()]));
    lab.sees("= agent alpha");
    let filler = small.0.join("filler");
    let full = Command::new("dd").args(["if=/dev/zero", &format!("of={filler}"), "bs=4096"]).output().unwrap();
    assert!(!full.status.success());
    lab.release("x");
    // It cannot keep its record, so it says so and ends, instead of going on without one.
    let code = lab.exit(run);
    assert_ne!(code, Some(0));
    let said = lab.read("engine.log");
    assert!(said.contains("disk is full"), "{said}");
    let (code, said) = lab.output(&["new", "component_test", "Alpha"]);
    assert_ne!(code, 0);
    assert!(said.contains("full"), "{said}");
    std::fs::remove_file(filler).unwrap();
    let check: String = rusqlite::Connection::open(&lab.store)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    assert_eq!(lab.exit(lab.spawn(lab.callboard(&["run", &id.to_string()]))), Some(0), "{}", lab.story());
    assert_eq!(lab.steps(id)[1..3], ["generate_tests_and_fixtures:interrupted", "generate_tests_and_fixtures"]);
    drop(lab);
    drop(small);
}

#[test]
fn a_store_that_is_none_is_told() {
    let lab = Lab::new();
    let other = lab.root.join("other/callboard.db");
    for (what, word) in [("text", "no SQLite file"), ("folder", "but a folder"), ("newer", "newer callboard")] {
        std::fs::remove_dir_all(other.parent().unwrap()).ok();
        std::fs::create_dir_all(other.parent().unwrap()).unwrap();
        match what {
            "text" => std::fs::write(&other, "dear diary, ".repeat(500)).unwrap(),
            "folder" => std::fs::create_dir(&other).unwrap(),
            _ => {
                std::fs::copy(&lab.store, &other).unwrap();
                let connection = rusqlite::Connection::open(&other).unwrap();
                connection.pragma_update(None, "user_version", 4711).unwrap();
            }
        }
        for arguments in [&["ls"][..], &["engine", "run"], &["new", "component_test", "Alpha"]] {
            let mut command = lab.callboard(arguments);
            command.args(["--store", other.as_str()]);
            let (code, said) = lab.finish(command);
            assert!(code > 0 && said.contains(word) && said.contains("--store"), "{what} {arguments:?}: {code} {said}");
        }
        if what == "text" {
            assert!(std::fs::read_to_string(&other).unwrap().starts_with("dear diary"));
        }
    }
}

#[test]
fn a_session_that_a_newer_version_wrote_stands_still_alone() {
    let lab = Lab::new();
    let theirs = lab.session("component_test", "Alpha");
    let ours = lab.session("component_test", "Beta");
    let connection = rusqlite::Connection::open(&lab.store).unwrap();
    connection.execute("UPDATE generations SET version = 4711 WHERE session = 1", []).unwrap();
    drop(connection);
    lab.engine();
    lab.completes(ours);
    assert_eq!(lab.steps(theirs), Vec::<String>::new());
    let why = lab.refused(theirs, callboard::model::IntentAction::Advance);
    assert!(why.contains("auto") || why.contains("4711"), "{why}");
    let (code, said) = lab.output(&["preview", &theirs.to_string()]);
    assert!(code > 0 && said.contains("generations") && said.contains("newer"), "{said}");
}

#[test]
fn a_read_only_store_is_told() {
    let mut lab = Lab::with(Shape { components: vec!["Alpha"], trust: false, ..Shape::default() });
    let Some(small) = Small::at(lab.root.join("small"), "8m") else { return };
    lab.store = small.0.join("callboard.db");
    lab.ok(&["trust", "--yes"]);
    let id = lab.session("component_test", "Alpha");
    let remount = |how: &str| {
        let done = Command::new("mount").args(["-o", &format!("remount,{how}"), small.0.as_str()]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    remount("ro");
    for arguments in
        [vec!["run".to_owned(), id.to_string()], vec!["new".into(), "component_test".into(), "Alpha".into()]]
    {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, said) = lab.output(&arguments);
        assert!(
            code > 0 && said.contains("check that the path is a file that you may write"),
            "{arguments:?}: {code} {said}"
        );
    }
    remount("rw");
    assert_eq!(lab.exit(lab.spawn(lab.callboard(&["run", &id.to_string()]))), Some(0));
    assert_eq!(lab.get(id).status, Status::Complete);
    drop(lab);
    drop(small);
}
