//! The one thread that touches the store: it carries out what is asked in order, and keeps the newest snapshot where the
//! screen finds it. The screen never waits for it.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc::Sender},
    time::Duration,
};

use crate::{model::Micros, store::Watch};

use super::{
    Message,
    changes::{Changes, Differ},
    reader::{Ask, Reader, View},
    snapshot::Snapshot,
};

/// Where the system does not tell of changes, they are looked for so often.
const POLL: Duration = Duration::from_millis(500);

/// What is to be done. A newer view stands for an older one; what is asked stays in order.
#[derive(Default)]
struct Todo {
    view: Option<View>,
    changes: Option<Changes>,
    asks: VecDeque<Ask>,
    changed: bool,
    pulse: bool,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Todo>,
    filled: Condvar,
    newest: Mutex<Option<Snapshot>>,
}

/// The screen's end of the worker.
pub(super) struct Worker {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread. It tells of news through `news`.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(mut reader: Reader, news: Sender<Message>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        reader.ask_git_on(Differ::start(move |changes| {
            lock(&theirs.inbox).changes = Some(changes);
            theirs.filled.notify_one();
        })?);
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("board-store".into()).spawn(move || {
            let _alarm = Alarm(news.clone());
            run(reader, &theirs, &news);
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The screen looks at something else now.
    pub(super) fn look(&self, view: View) {
        self.put(|it| it.view = Some(view));
    }

    /// Asks the engine for something.
    pub(super) fn ask(&self, ask: Ask) {
        self.put(|it| it.asks.push_back(ask));
    }

    /// Looks whether the engine is alive: nothing in the store tells when it dies.
    pub(super) fn pulse(&self) {
        self.put(|it| it.pulse = true);
    }

    /// The newest snapshot, if there is one that was not taken yet.
    #[must_use]
    pub(super) fn newest(&self) -> Option<Snapshot> {
        lock(&self.shared.newest).take()
    }

    fn put(&self, change: impl FnOnce(&mut Todo)) {
        change(&mut lock(&self.shared.inbox));
        self.shared.filled.notify_one();
    }
}

impl Drop for Worker {
    /// What was asked for is written before the board closes.
    fn drop(&mut self) {
        self.put(|it| it.closed = true);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the board's store thread panicked");
        }
    }
}

/// Tells the screen when the thread ends, however that comes about.
struct Alarm(Sender<Message>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.send(Message::Lost("its store thread has ended".into())).unwrap_or_default();
    }
}

/// What is locked is plain data, whole even if a thread panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run(mut reader: Reader, shared: &Arc<Shared>, news: &Sender<Message>) {
    let wake = Arc::clone(shared);
    let watch = Watch::with(reader.path(), move || {
        lock(&wake.inbox).changed = true;
        wake.filled.notify_one();
    });
    let poll = watch.as_ref().err().map(|_| POLL);
    // What happened between the first frame and the watch is not missed.
    lock(&shared.inbox).changed = true;
    loop {
        let todo = next(shared, poll, || reader.rest());
        for ask in todo.asks {
            reader.ask(ask, news);
        }
        if todo.closed {
            return;
        }
        let mut fresh = todo.view.is_some_and(|view| reader.look(view));
        fresh |= todo.changes.is_some_and(|changes| reader.changed(changes));
        // A bell may have been missed: a pulse looks, too. That costs one number when nothing was committed.
        if todo.changed || todo.pulse {
            fresh |= reader.refresh(news);
        }
        fresh |= (todo.pulse || fresh) && reader.check_engine();
        if fresh {
            let first = lock(&shared.newest).replace(reader.snapshot()).is_none();
            if first && news.send(Message::Fresh).is_err() {
                return;
            }
        }
    }
}

/// Waits until there is something to do. What others wrote waits `rest` microseconds more; what a person does does not.
fn next(shared: &Shared, poll: Option<Duration>, rest: impl Fn() -> Micros) -> Todo {
    let mut inbox = lock(&shared.inbox);
    let mut due = false;
    loop {
        let rest = if due { Duration::ZERO } else { Duration::from_micros(u64::try_from(rest()).unwrap_or(0)) };
        let urgent =
            inbox.view.is_some() || inbox.changes.is_some() || !inbox.asks.is_empty() || inbox.pulse || inbox.closed;
        if urgent || (inbox.changed && rest.is_zero()) {
            let changed = inbox.changed && rest.is_zero();
            inbox.changed &= !changed;
            return Todo {
                view: inbox.view.take(),
                changes: inbox.changes.take(),
                asks: std::mem::take(&mut inbox.asks),
                changed,
                pulse: std::mem::take(&mut inbox.pulse),
                closed: inbox.closed,
            };
        }
        let wait = if inbox.changed { Some(rest) } else { poll };
        inbox = match wait {
            None => shared.filled.wait(inbox).unwrap_or_else(PoisonError::into_inner),
            Some(wait) => {
                let (mut inbox, result) =
                    shared.filled.wait_timeout(inbox, wait).unwrap_or_else(PoisonError::into_inner);
                if result.timed_out() {
                    inbox.changed = true;
                    due = true;
                }
                inbox
            }
        };
    }
}
