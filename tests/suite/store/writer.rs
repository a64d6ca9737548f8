//! What the writer has answered is on disk, whatever happens to the process right after.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    sync::Arc,
};

use callboard::{
    model::{Event, EventKind},
    store::{Change, StoreError, Writer},
};

use super::world::{World, id, new, scope};

const THREADS: u128 = 8;
const TRANSITIONS: u64 = 200;

fn event(session: u128, text: String) -> Change {
    let kind = EventKind::Note { text };
    Change::Events(vec![Event { session_id: id(session), n: 0, interaction: 1, at: 1, kind }])
}

#[test]
#[ignore = "the other process of another test"]
fn writes_until_it_is_killed() {
    let Ok(path) = std::env::var("CALLBOARD_TEST_STORE") else { return };
    let writer = Arc::new(Writer::start(path.as_str().into()).unwrap());
    let scope = Arc::new(scope("local", "/shop"));
    let threads: Vec<_> = (1..=THREADS)
        .map(|thread| {
            let (writer, scope) = (Arc::clone(&writer), Arc::clone(&scope));
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                for n in 1..=TRANSITIONS {
                    runtime.block_on(writer.apply(&scope, vec![event(thread, n.to_string())])).unwrap();
                    // One write each: lines of several threads do not mix.
                    std::io::stderr().write_all(format!("answered {thread} {n}\n").as_bytes()).unwrap();
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    eprintln!("all");
    // The writer is never closed in good order: only a signal ends this process.
    loop {
        std::thread::park();
    }
}

/// Kills the writing process once `enough` says so, and compares what it was answered with what is there.
fn killed_when(enough: impl Fn(u64, &str) -> bool) -> u64 {
    let world = World::new();
    world.open().apply(&(1..=THREADS).map(|thread| new(id(thread))).collect()).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::writer::writes_until_it_is_killed", "--include-ignored", "--nocapture"])
        .env("CALLBOARD_TEST_STORE", &world.path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut answered = [0; THREADS as usize + 1];
    let mut count = 0;
    for line in BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap) {
        if let Some((thread, n)) = line.strip_prefix("answered ").and_then(|rest| rest.split_once(' ')) {
            answered[thread.parse::<usize>().unwrap()] = n.parse::<u64>().unwrap();
            count += 1;
        }
        if enough(count, &line) {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    let store = world.open();
    for thread in 1..=THREADS {
        let there = store.event_count(id(thread)).unwrap();
        let answered = answered[usize::try_from(thread).unwrap()];
        // One more may have been committed whose answer never came.
        assert!(there == answered || there == answered + 1, "thread {thread}: {answered} answered, {there} there");
        let events = store.events(id(thread), 0, 1000).unwrap();
        let texts: Vec<u64> = events.iter().map(|event| number(&event.kind)).collect();
        assert_eq!(texts, (1..=there).collect::<Vec<_>>());
    }
    let check: String = world.raw().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    count
}

fn number(kind: &EventKind) -> u64 {
    let EventKind::Note { text } = kind else { panic!("{kind:?}") };
    text.parse().unwrap()
}

#[test]
fn what_was_answered_survives_a_kill_right_after() {
    assert_eq!(killed_when(|_, line| line == "all"), THREADS as u64 * TRANSITIONS);
}

#[test]
fn what_was_answered_survives_a_kill_in_the_middle() {
    let count = killed_when(|count, _| count == 700);
    assert!(count >= 700);
}

#[tokio::test]
async fn a_writer_that_is_dropped_writes_what_is_queued() {
    let world = World::new();
    world.open().apply(&vec![new(id(1))]).unwrap();
    let writer = Writer::start(&world.path).unwrap();
    let scope = Arc::new(scope("local", "/shop"));
    for n in 1..=1000 {
        writer.post(&scope, vec![event(1, n.to_string())]);
    }
    drop(writer);
    assert_eq!(world.open().event_count(id(1)).unwrap(), 1000);
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_an_answer_not_a_hang() {
    let world = World::new();
    world.open().apply(&vec![new(id(1))]).unwrap();
    let writer = Writer::start(&world.path).unwrap();
    let scope = Arc::new(scope("local", "/shop"));
    world.raw().execute_batch("DROP TABLE events").unwrap();
    let result = writer.apply(&scope, vec![event(1, "1".into())]).await;
    assert!(matches!(result, Err(StoreError::Sqlite(_))), "{result:?}");
    writer.apply(&scope, vec![Change::Commit { session: id(1), commit: "c".into() }]).await.unwrap();
}
