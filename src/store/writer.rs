//! The engine's writer: one thread that owns the connection, takes transitions in order and commits all that have queued up
//! in one durable commit, so that eight sessions pay for one sync of the disk, not for eight.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::JoinHandle,
};

use camino::Utf8Path;
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::model::Scope;

use super::{StoreError, Transition, apply::Target, open, watch};

type Reply = oneshot::Sender<Result<(), StoreError>>;

struct Job {
    scope: Arc<Scope>,
    transition: Transition,
    reply: Option<Reply>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    filled: Condvar,
}

/// A handle of the writer thread. Dropping it writes what is queued, then ends the thread.
pub struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// So many transitions at most share a commit: none waits long behind others.
const BATCH: usize = 256;

impl Writer {
    /// Starts the thread on a connection of its own.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub fn start(path: &Utf8Path) -> Result<Self, StoreError> {
        let mut connection = open::connect(path)?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn({
                let path = path.to_owned();
                move || run(&mut connection, &path, &theirs)
            })
            .map_err(|error| StoreError::Open {
                path: path.to_owned(),
                message: error.to_string(),
                hint: "the system refuses another thread",
            })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Makes a transition; answers once it is on disk, or was refused and left no trace.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the record has changed meanwhile; otherwise what SQLite said.
    pub async fn apply(&self, scope: &Arc<Scope>, transition: Transition) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.push(Job { scope: Arc::clone(scope), transition, reply: Some(reply) });
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Queues changes whose fate nobody waits for: events. They are made in order with everything else.
    pub fn post(&self, scope: &Arc<Scope>, transition: Transition) {
        self.push(Job { scope: Arc::clone(scope), transition, reply: None });
    }

    /// How many transitions wait to be written: whoever posts much looks here and slows down.
    #[must_use]
    pub fn backlog(&self) -> usize {
        lock(&self.shared).jobs.len()
    }

    fn push(&self, job: Job) {
        lock(&self.shared).jobs.push_back(job);
        self.shared.filled.notify_one();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared).closed = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the store's writer thread panicked");
        }
    }
}

/// The queue holds plain data, so it is whole even if a thread panicked while it held the lock.
fn lock(shared: &Shared) -> std::sync::MutexGuard<'_, Queue> {
    shared.queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(connection: &mut Connection, path: &Utf8Path, shared: &Shared) {
    loop {
        let mut queue = shared
            .filled
            .wait_while(lock(shared), |queue| queue.jobs.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let take = queue.jobs.len().min(BATCH);
        let batch: Vec<Job> = queue.jobs.drain(..take).collect();
        drop(queue);
        if batch.is_empty() {
            return;
        }
        commit(connection, path, batch);
    }
}

/// Makes a batch in one transaction, each transition in a savepoint: a refused one takes nothing with it.
fn commit(connection: &mut Connection, path: &Utf8Path, batch: Vec<Job>) {
    match try_commit(connection, &batch) {
        Ok(results) => {
            watch::ring(path);
            for (job, result) in batch.into_iter().zip(results) {
                answer(job, result);
            }
        }
        Err(error) => {
            for job in batch {
                answer(job, Err(for_each(&error, path)));
            }
        }
    }
}

fn try_commit(connection: &mut Connection, batch: &[Job]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(batch.len());
    for job in batch {
        let savepoint = transaction.savepoint()?;
        let made = Target::new(&savepoint, &job.scope)
            .and_then(|target| job.transition.iter().try_for_each(|change| target.apply(change)));
        match made {
            Ok(()) => {
                savepoint.commit()?;
                results.push(Ok(()));
            }
            // SQLite gives up the whole transaction when the disk is full or fails: then there is no savepoint any more.
            Err(error) if savepoint.finish().is_err() => return Err(error),
            Err(error) => results.push(Err(error)),
        }
    }
    transaction.commit()?;
    Ok(results)
}

/// What each transition of a batch is told that could not be committed.
fn for_each(error: &StoreError, path: &Utf8Path) -> StoreError {
    if matches!(error, StoreError::Full { .. }) {
        return StoreError::Full { path: path.parent().unwrap_or(path).to_string() };
    }
    StoreError::ReadOnly { message: error.to_string() }
}

fn answer(job: Job, result: Result<(), StoreError>) {
    match (job.reply, result) {
        // Whoever asked may have gone; the transition is made all the same.
        (Some(reply), result) => drop(reply.send(result)),
        (None, Err(error)) => tracing::warn!("events were not recorded: {error}"),
        (None, Ok(())) => {}
    }
}
