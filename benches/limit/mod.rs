//! The least that anybody can do: the same processes, and two durable transactions a step.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::{Condvar, Mutex, mpsc},
    thread,
    time::Instant,
};

use camino::Utf8PathBuf;
use rusqlite::{Connection, TransactionBehavior, params};

use crate::support::world::World;

/// At a time.
const WORKERS: usize = 8;

/// How many bytes a step's columns have on the average.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) command: f64,
    pub(crate) result: f64,
    pub(crate) prompt: f64,
}

/// One of a step's two transactions.
enum Write {
    Begin { session: i64, seq: i64 },
    Finish { session: i64, seq: i64 },
}

struct Job {
    write: Write,
    done: mpsc::SyncSender<()>,
}

#[derive(Default)]
struct Queue {
    jobs: Mutex<(Vec<Job>, bool)>,
    filled: Condvar,
}

/// Steps per second of eight threads that start a process and wait for it, with a transaction before and one after, which one
/// writer thread commits for all that wait.
pub(crate) fn durable(world: &World, commands: &[&[&str]], steps: usize, shape: &Shape) -> f64 {
    let connection = Connection::open(&world.store).unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    let sessions: Vec<i64> = connection
        .prepare("SELECT row FROM sessions ORDER BY row LIMIT 8")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let (queue, shape) = (Queue::default(), *shape);
    let directory = world.folder().join("by-hand");
    std::fs::create_dir_all(&directory).unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(connection, &queue, &shape));
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (queue, session) = (&queue, sessions[worker % sessions.len()]);
                let directory = directory.join(worker.to_string());
                scope.spawn(move || {
                    std::fs::create_dir_all(&directory).unwrap();
                    let prompt = vec![b'p'; size(shape.prompt)];
                    let (done, wait) = mpsc::sync_channel(1);
                    for (nth, command) in (0..steps / WORKERS).zip(commands.iter().cycle()) {
                        let seq = i64::try_from(1_000_000 + worker * 100_000 + nth).unwrap();
                        queue.push(Write::Begin { session, seq }, &done);
                        wait.recv().unwrap();
                        supervised(command, &directory, if command[0] == "true" { None } else { Some(&prompt) });
                        queue.push(Write::Finish { session, seq }, &done);
                        wait.recv().unwrap();
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().unwrap();
        }
        queue.jobs.lock().unwrap().1 = true;
        queue.filled.notify_one();
        writer.join().unwrap();
    });
    rate(steps, begun)
}

/// Processes per second of eight threads that do nothing but start one and wait for it.
pub(crate) fn bare(world: &World, commands: &[&[&str]], steps: usize) -> f64 {
    let directory = world.folder().join("bare");
    std::fs::create_dir_all(&directory).unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                for (_, command) in (0..steps / WORKERS).zip(commands.iter().cycle()) {
                    let mut process = process(command, &directory);
                    process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
                }
            });
        }
    });
    rate(steps, begun)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn rate(steps: usize, begun: Instant) -> f64 {
    (steps / WORKERS * WORKERS) as f64 / begun.elapsed().as_secs_f64()
}

fn process(command: &[&str], directory: &Utf8PathBuf) -> Command {
    let mut process = Command::new(program(command[0]));
    process.args(&command[1..]).current_dir(directory).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    process
}

/// The program's file: to search `PATH` in the child costs a fork.
fn program(name: &str) -> Utf8PathBuf {
    let paths = ["/usr/local/bin", "/usr/bin", "/bin"];
    paths.iter().map(|folder| Utf8PathBuf::from(folder).join(name)).find(|path| path.exists()).unwrap()
}

/// As a step's process has to be run: given its prompt, both streams read to their end.
fn supervised(command: &[&str], directory: &Utf8PathBuf, prompt: Option<&[u8]>) {
    let mut process = process(command, directory);
    process.stdin(if prompt.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if let (Some(mut stdin), Some(prompt)) = (child.stdin.take(), prompt) {
        // It need not read.
        stdin.write_all(prompt).unwrap_or_default();
    }
    child.wait_with_output().unwrap();
}

impl Queue {
    fn push(&self, write: Write, done: &mpsc::SyncSender<()>) {
        self.jobs.lock().unwrap().0.push(Job { write, done: done.clone() });
        self.filled.notify_one();
    }
}

fn write(mut connection: Connection, queue: &Queue, shape: &Shape) {
    // Random text, as ids and words are: SQLite does not compress, but the disk may.
    let text = |length: f64| serde_json::to_string(&"x".repeat(size(length - 2.0))).unwrap();
    let (command, result) = (text(shape.command), text(shape.result));
    loop {
        let jobs = queue.filled.wait_while(queue.jobs.lock().unwrap(), |(jobs, closed)| jobs.is_empty() && !*closed);
        let jobs = std::mem::take(&mut jobs.unwrap().0);
        if jobs.is_empty() {
            return;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
        for job in &jobs {
            make(&transaction, &job.write, &command, &result);
        }
        transaction.commit().unwrap();
        for job in jobs {
            job.done.send(()).unwrap();
        }
    }
}

fn make(connection: &Connection, write: &Write, command: &str, result: &str) {
    let at = callboard::engine::now();
    match write {
        Write::Begin { session, seq } => {
            let id = uuid::Uuid::now_v7();
            connection
                .prepare_cached(
                    "INSERT INTO interactions (id, session, seq, generation, step, iteration, version, command, owner, started_at) \
                     VALUES (?1, ?2, ?3, 1, 'run_tests', 1, 1, ?4, 'by hand', ?5)",
                )
                .unwrap()
                .execute(params![id.as_bytes(), session, seq, command, at])
                .unwrap();
            connection
                .prepare_cached("UPDATE sessions SET step_seq = ?2, step_status = NULL, updated_at = ?3 WHERE row = ?1")
                .unwrap()
                .execute(params![session, seq, at])
                .unwrap();
        }
        Write::Finish { session, seq } => {
            connection
                .prepare_cached(
                    "UPDATE interactions SET status = 'error', cause = 'failed', result = ?3, completed_at = ?4 \
                     WHERE session = ?1 AND seq = ?2",
                )
                .unwrap()
                .execute(params![session, seq, result, at])
                .unwrap();
            connection
                .prepare_cached("UPDATE sessions SET step_status = 'error', updated_at = ?2 WHERE row = ?1")
                .unwrap()
                .execute(params![session, at])
                .unwrap();
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a length")]
fn size(length: f64) -> usize {
    length.max(0.0).round() as usize
}
