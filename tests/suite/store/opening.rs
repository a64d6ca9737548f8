//! What opens as a store, and what is refused without a trace.

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::{Command, Stdio},
};

use callboard::store::{SessionFilter, Store, StoreError};

use super::world::{World, new, scope};

const V1: &str = include_str!("../../data/store/v1.sql");
/// On top of version 1.
const V2: &str = include_str!("../../data/store/v2.sql");
/// On top of version 2.
const V4: &str = include_str!("../../data/store/v4.sql");

fn refusal(world: &World) -> StoreError {
    Store::open(&world.path, scope("local", "/shop")).unwrap_err()
}

fn not_a_store(world: &World) -> String {
    let error = refusal(world);
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn a_fresh_one_is_made_with_its_folder() {
    let mut world = World::new();
    world.path = world.folder.join("a/b/callboard.db");
    drop(world.open());
    let raw = world.raw();
    let pragma = |name: &str| raw.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(pragma("user_version"), 5);
    assert_eq!(pragma("application_id"), 0x6361_6c6c);
    assert_eq!(raw.query_row("PRAGMA journal_mode", [], |row| row.get::<_, String>(0)).unwrap(), "wal");
    drop(world.open());
}

#[test]
fn an_empty_file_is_as_good_as_none() {
    let world = World::new();
    fs::write(&world.path, "").unwrap();
    assert!(world.open().sessions(SessionFilter::default()).unwrap().is_empty());
}

#[test]
fn a_newer_one_is_refused_and_left_alone() {
    let world = World::new();
    drop(world.open());
    world.raw().pragma_update(None, "user_version", 99).unwrap();
    let before = world.dump();
    let error = refusal(&world);
    assert!(matches!(error, StoreError::Newer { found: 99, known: 5, .. }), "{error:?}");
    assert!(error.to_string().contains("its version is 99, this one knows 5"), "{error}");
    assert_eq!(world.dump(), before);
}

#[test]
fn a_negative_version_is_refused() {
    let world = World::new();
    drop(world.open());
    world.raw().pragma_update(None, "user_version", -3).unwrap();
    assert!(matches!(refusal(&world), StoreError::Newer { .. }));
}

#[test]
fn other_files_are_refused_and_left_alone() {
    let world = World::new();
    for garbage in ["hello", &"x".repeat(5000), "SQLite format 3\0 but no more"] {
        fs::write(&world.path, garbage).unwrap();
        let message = not_a_store(&world);
        assert!(message.contains("name another file with --store"), "{message}");
        assert_eq!(fs::read_to_string(&world.path).unwrap(), garbage);
    }
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    let world = World::new();
    world.raw().execute_batch("CREATE TABLE bookmarks (url TEXT); PRAGMA user_version = 1").unwrap();
    let before = fs::read(&world.path).unwrap();
    assert!(not_a_store(&world).contains("a SQLite file of another program"));
    assert_eq!(fs::read(&world.path).unwrap(), before, "not even its journal mode changed");
}

#[test]
fn a_folder_is_refused() {
    let world = World::new();
    fs::create_dir(&world.path).unwrap();
    assert!(not_a_store(&world).contains("but a folder"));
}

#[test]
fn a_damaged_one_says_so() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(super::world::id(1))]).unwrap();
    drop(store);
    world.raw().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut bytes = fs::read(&world.path).unwrap();
    for byte in &mut bytes[4096..] {
        *byte = 0xa5;
    }
    fs::write(&world.path, bytes).unwrap();
    let error = match Store::open(&world.path, scope("local", "/shop")) {
        Err(error) => error,
        Ok(store) => store.sessions(SessionFilter::default()).unwrap_err(),
    };
    assert!(error.to_string().contains("malformed"), "{error}");
}

#[test]
fn version_1_with_data_still_opens() {
    let world = World::new();
    world.raw().execute_batch(V1).unwrap();
    let store = world.open_as("local", "/home/ada/shop");
    let sessions = store.sessions(SessionFilter::default()).unwrap();
    assert_eq!(sessions.len(), 3);
    for (session, row) in &sessions {
        assert_eq!(store.detail(session.id).unwrap().row, *row);
        store.interactions(session.id, 0).unwrap();
        store.halts(session.id).unwrap();
        assert!(store.requests(session.id, 9).unwrap().is_empty());
        store.events(session.id, 0, 100).unwrap();
    }
    super::oracle::check(&store);
    assert_eq!(store.open_intents().unwrap().len(), 1);
    let criteria = store.criteria(None).unwrap();
    assert!(criteria.iter().all(|one| one.standing() == "untested"), "{criteria:?}");
    store.created_by().unwrap();
    assert_eq!(store.base_runs("0", &["adds".into()]).unwrap(), []);
    let version = world.raw().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version, 5, "it was brought up");
    assert_eq!(world.open_as("other", "/home/ada/shop").sessions(SessionFilter::default()).unwrap().len(), 1);
}

#[test]
fn version_2_with_data_still_opens() {
    let world = World::new();
    world.raw().execute_batch(V1).unwrap();
    world.raw().execute_batch(V2).unwrap();
    let store = world.open_as("local", "/home/ada/shop");
    for (session, row) in store.sessions(SessionFilter::default()).unwrap() {
        assert_eq!((row.asks, store.question(session.id).unwrap()), (0, None));
        assert_eq!(store.detail(session.id).unwrap().row, row);
    }
    super::oracle::check(&store);
    assert_eq!(store.base_runs("abc", &["adds".into()]).unwrap(), [("adds".into(), true)]);
    let rows: Vec<String> = world.dump().into_iter().filter(|row| row.starts_with("criterion_")).collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    let version = world.raw().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version, 5, "it was brought up");
}

#[test]
fn version_4_with_data_still_opens() {
    let world = World::new();
    for version in [V1, V2, V4] {
        world.raw().execute_batch(version).unwrap();
    }
    let store = world.open_as("local", "/home/ada/shop");
    let sessions = store.sessions(SessionFilter::default()).unwrap();
    let asking = sessions.iter().find(|(_, row)| row.asks > 0).unwrap();
    let question = store.question(asking.0.id).unwrap().unwrap();
    assert_eq!((question.title.as_str(), question.detail.as_str()), ("cargo add serde", ""));
    assert_eq!(store.open_requests(asking.0.id).unwrap().len(), 1);
    for (session, row) in &sessions {
        assert_eq!(store.detail(session.id).unwrap().row, *row);
        assert_eq!(store.messages(session.id, 9).unwrap(), []);
    }
    super::oracle::check(&store);
    let version = world.raw().query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(version, 5, "it was brought up");
}

#[test]
fn eight_processes_may_open_a_fresh_one_at_once() {
    for round in 0..3 {
        let world = World::new();
        let children: Vec<_> = (0..8)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "store::opening::opens_and_writes", "--include-ignored", "--nocapture"])
                    .env("CALLBOARD_TEST_STORE", &world.path)
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "round {round}: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert_eq!(world.open().sessions(SessionFilter::default()).unwrap().len(), 8);
    }
}

#[test]
#[ignore = "the other process of another test"]
fn opens_and_writes() {
    let Ok(path) = std::env::var("CALLBOARD_TEST_STORE") else { return };
    let mut store = Store::open(path.as_str().into(), scope("local", "/shop")).unwrap();
    store.apply(&vec![new(callboard::model::SessionId::generate())]).unwrap();
}

/// Runs this test in a process that is not root, to whom permissions mean something.
fn as_nobody(test: &str, world: &World) -> std::process::Output {
    // The folder that this program was built in may be closed to others. Another process copies it: what this one writes is
    // open in every child that is starting meanwhile, and such a program is busy.
    let program = world.folder.join("suite");
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap();
    assert!(copied.success());
    let mut command = Command::new(program);
    command.args(["--exact", test, "--include-ignored", "--nocapture"]).env("CALLBOARD_TEST_STORE", &world.path);
    command.current_dir("/");
    set_mode(&world.folder, 0o555);
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534);
    }
    command.output().unwrap()
}

fn set_mode(path: &camino::Utf8Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_read_only_one_refuses_writes_and_says_what_to_check() {
    let world = World::new();
    drop(world.open());
    set_mode(&world.path, 0o444);
    let output = as_nobody("store::opening::writes_nothing", &world);
    set_mode(&world.folder, 0o755);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "the other process of another test"]
fn writes_nothing() {
    let Ok(path) = std::env::var("CALLBOARD_TEST_STORE") else { return };
    let error = Store::open(path.as_str().into(), scope("local", "/shop"))
        .and_then(|mut store| store.apply(&vec![new(super::world::id(1))]))
        .unwrap_err();
    assert!(matches!(error, StoreError::ReadOnly { .. } | StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains("check"), "{error}");
}
