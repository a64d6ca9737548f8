//! Supervises one process: streams what it prints, ends it when it must end, and leaves nothing of it behind.
//!
//! ```text
//! run ─┬─ program      which file argv[0] is, and why it could not start
//!      │    └─ confine where it may write
//!      ├─ pump         pipes in and out, without ever waiting for the process
//!      │    └─ output  what is kept of a stream: chunks, head and tail, the record file
//!      └─ leash        waits, signals, sweeps up
//!           └─ kin     whose descendant is this? which of our children were adopted?
//!                └─ proc   what /proc says
//! ```
//!
//! A process may leave its group (`setsid`) and its parent (double fork), and drop its environment, but hardly all
//! three unseen. Group, ancestry and the `CALLBOARD_RUN` marker are therefore all used to find what belongs to a run.
//! A run that leaves nothing behind pays for two system calls to know it, never for a walk through `/proc`.

mod confine;
mod environment;
mod kin;
mod leash;
mod output;
mod proc;
mod program;
mod pump;

use std::future::{Future, poll_fn};
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use camino::Utf8PathBuf;
use tokio::sync::mpsc;
use tokio::time::Instant;

pub use self::confine::{Confinement, Landlock, become_confined, landlock};
pub use self::environment::clean_env;
pub use self::kin::adopt_orphans;
pub use self::leash::{Marker, end_marked};
pub use self::output::LINE_CUT;

use self::output::LINE_CAP;

use self::leash::Leash;
use self::program::Failure;
use self::pump::{Progress, Pump};
use crate::model::Exit;

/// The variable that marks every descendant of one run.
pub const RUN_MARKER: &str = "CALLBOARD_RUN";

/// The variable that marks every process that was started for one store.
pub const STORE_MARKER: &str = "CALLBOARD_STORE";

/// How long stragglers may go on printing once the process itself is gone.
const DRAIN: Duration = Duration::from_millis(250);

/// How long what a dead process left in its pipes may take to be read, should someone unknown keep them filled.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// How often and after how long a program that is still being written is tried again.
const BUSY_TRIES: u32 = 40;
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// The longest line of a process that is talked with: a message with a whole file in it is one line.
pub const MESSAGE_CAP: usize = 16 << 20;

/// What to run, and within which bounds.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Program and arguments. A program without a slash is looked up in the `PATH` of `env`; one with a slash is
    /// taken relative to `directory`.
    pub argv: Vec<String>,
    /// Where it runs; absolute.
    pub directory: Utf8PathBuf,
    /// Its whole environment, apart from [`RUN_MARKER`]: nothing is inherited. See [`clean_env`].
    pub env: Vec<(String, String)>,
    /// What it reads; without it, `/dev/null`.
    pub stdin: Option<Vec<u8>>,
    /// How long it may run; [`Duration::MAX`] for as long as it likes.
    pub timeout: Duration,
    /// How long it may print nothing; [`Duration::MAX`] for as long as it likes.
    pub inactivity: Duration,
    /// Signs of life that count as if it had printed something.
    pub pulse: Option<Pulse>,
    /// How long it may take to end when it must.
    pub grace: Grace,
    /// The value of [`RUN_MARKER`] for it and all its descendants. No other run may use it at the same time, since
    /// whatever carries it is ended with this run.
    pub marker: String,
    /// Where it may write; without it, wherever its user may.
    pub confinement: Option<Confinement>,
    /// The file that gets every byte of both streams, in the order of reading, up to `cap`. It is made, or emptied,
    /// when the first byte arrives: a silent process has none.
    pub record: Option<Utf8PathBuf>,
    /// The most bytes `record` gets.
    pub cap: u64,
    /// The most bytes of each stream to keep in memory: half from its head, half from its tail.
    pub keep: usize,
}

/// How long a process may take to end: first it is asked by SIGINT, then by SIGTERM, then it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// After SIGINT to its group.
    pub interrupt: Duration,
    /// After SIGTERM to it and all its descendants.
    pub terminate: Duration,
}

/// When there was a sign of life of something that a process waits for.
#[derive(Debug, Clone)]
pub struct Pulse(Arc<Mutex<Instant>>);

impl Default for Pulse {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Pulse {
    /// There is one now.
    pub fn beat(&self) {
        *self.lock() = Instant::now();
    }

    fn last(&self) -> Instant {
        *self.lock()
    }

    /// A time is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece of output as it arrives: what one read gave, 64 KiB at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// From standard error rather than standard output.
    pub stderr: bool,
    /// The text; bytes that are not UTF-8 are shown as U+FFFD. What a line has beyond 64 KiB ([`MESSAGE_CAP`] for a
    /// process that is talked with) is replaced by [`LINE_CUT`].
    pub text: String,
}

/// How a process ended and what is left of its output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// Head and tail of standard output, with a mark where something was left out.
    pub stdout: Vec<u8>,
    /// Head and tail of standard error, with a mark where something was left out.
    pub stderr: Vec<u8>,
    /// How much it printed on both streams.
    pub bytes: u64,
    /// How much of that is in the record file.
    pub kept: u64,
    /// Why the record file is incomplete, if that is not for its cap. The process is not stopped for it.
    pub record_error: Option<String>,
    /// From the call to the end of the last descendant.
    pub duration: Duration,
    /// Descendants that did not end with the process and had to be ended.
    pub leftovers: u32,
}

/// Whether a process is one of the run with this marker, which is going on: the one that was started, or one whose parents lead
/// there. An orphan is taken for none.
pub async fn is_of_run(pid: i32, marker: &str) -> bool {
    // The run's own process may be here before whoever started it knows its number.
    for _ in 0..BUSY_TRIES {
        if let Some(known) = kin::comes_of(pid, marker) {
            return known;
        }
        tokio::time::sleep(BUSY_PAUSE).await;
    }
    false
}

/// Runs a process to its end, and returns when none of its descendants is left (or cannot be ended: another user's,
/// or stuck in the kernel).
///
/// `chunks` is called with every piece of output; while it takes its time, the process waits. `cancel` ends the process
/// when it becomes ready. To drop the future kills the process and its descendants.
///
/// Needs a Tokio runtime with time and I/O.
pub async fn run(spec: Spec, chunks: impl FnMut(Chunk) + Send, cancel: impl Future<Output = ()> + Send) -> Finished {
    supervised(spec, None, chunks, cancel).await
}

/// The same for a process that is talked with: after `spec.stdin` it reads what `input` brings, until every sender of that is
/// gone. Once it reads no more, `input` is closed.
pub async fn talk(
    spec: Spec,
    input: mpsc::Receiver<Vec<u8>>,
    chunks: impl FnMut(Chunk) + Send,
    cancel: impl Future<Output = ()> + Send,
) -> Finished {
    let spec = Spec { stdin: Some(spec.stdin.unwrap_or_default()), ..spec };
    supervised(spec, Some(input), chunks, cancel).await
}

async fn supervised(
    spec: Spec,
    input: Option<mpsc::Receiver<Vec<u8>>>,
    chunks: impl FnMut(Chunk) + Send,
    cancel: impl Future<Output = ()> + Send,
) -> Finished {
    let started = Instant::now();
    let limits = Limits {
        started,
        timeout: spec.timeout,
        inactivity: spec.inactivity,
        pulse: spec.pulse.clone(),
        grace: spec.grace,
    };
    let (spec, mut leash) = match start(spec).await {
        Ok(running) => running,
        Err(message) => return not_started(message, started),
    };
    let confined = program::Confined::of(&spec);
    let progress = Progress::new(started);
    let mut pump = Pump::new(spec, input, leash.pipes(), &progress, chunks);
    let exit = {
        let mut supervision = pin!(supervise(&mut leash, &limits, &progress, cancel));
        // The supervisor goes first: Tokio gives a task a budget, and a flood of output would use it up, so that no
        // timer would ever be seen to have run out. It goes again once the pipes closed: nothing else would wake it.
        poll_fn(|context| {
            if let Poll::Ready(exit) = supervision.as_mut().poll(context) {
                return Poll::Ready(exit);
            }
            pump.poll(context);
            if progress.done() { supervision.as_mut().poll(context) } else { Poll::Pending }
        })
        .await
    };
    let leftovers = leash.settle();
    let output = pump.finish();
    // One that was ended in its first moments may not have come so far as to say that it began.
    if let (Some(message), Exit::Code { .. }) = (confined.and_then(|confined| confined.refused()), &exit) {
        return not_started(message, started);
    }
    Finished {
        exit,
        stdout: output.stdout,
        stderr: output.stderr,
        bytes: output.bytes,
        kept: output.kept,
        record_error: output.record_error,
        duration: started.elapsed(),
        leftovers,
    }
}

/// Starts the process in a thread that may block: whoever starts a process sleeps until the program is loaded, and meanwhile
/// a Tokio worker would hold up all that waits for it, the other processes' output among it.
async fn start(mut spec: Spec) -> Result<(Spec, Leash), String> {
    let mut tries = 0;
    loop {
        let attempt = tokio::task::spawn_blocking(move || (Leash::start(&spec), spec));
        let result = attempt.await.map_err(|error| format!("the engine could not start it: {error}"))?;
        match result {
            (Ok(leash), spec) => return Ok((spec, leash)),
            (Err(Failure::Busy(_)), back) if tries < BUSY_TRIES => spec = back,
            (Err(Failure::Busy(message) | Failure::Final(message)), _) => return Err(message),
        }
        tries += 1;
        tokio::time::sleep(BUSY_PAUSE).await;
    }
}

fn not_started(message: String, started: Instant) -> Finished {
    Finished {
        exit: Exit::NotStarted { message },
        stdout: Vec::new(),
        stderr: Vec::new(),
        bytes: 0,
        kept: 0,
        record_error: None,
        duration: started.elapsed(),
        leftovers: 0,
    }
}

/// When a running process has to end.
struct Limits {
    started: Instant,
    timeout: Duration,
    inactivity: Duration,
    pulse: Option<Pulse>,
    grace: Grace,
}

impl Limits {
    /// Waits until a limit is reached and says which. Sleeps exactly as long as it can know that none is: output only
    /// moves the point at which it looks again.
    async fn reached(&self, progress: &Progress) -> Exit {
        let timeout = later(self.started, self.timeout);
        loop {
            let silence = later(self.last(progress), self.inactivity);
            tokio::time::sleep_until(timeout.min(silence)).await;
            if Instant::now() >= timeout {
                return Exit::Timeout;
            }
            // We may be the ones who were late: let the pipes be read before the process is called silent.
            tokio::task::yield_now().await;
            if Instant::now() >= later(self.last(progress), self.inactivity) {
                return Exit::Inactive;
            }
        }
    }

    /// When there was a sign of life.
    fn last(&self, progress: &Progress) -> Instant {
        self.pulse.as_ref().map_or(progress.last(), |pulse| pulse.last().max(progress.last()))
    }
}

async fn supervise(
    leash: &mut Leash,
    limits: &Limits,
    progress: &Progress,
    cancel: impl Future<Output = ()> + Send,
) -> Exit {
    let exit = tokio::select! {
        biased;
        status = leash.wait() => exited(status),
        () = cancel => Exit::Cancelled,
        exit = limits.reached(progress) => exit,
    };
    if matches!(exit, Exit::Cancelled | Exit::Timeout | Exit::Inactive) {
        leash.end(limits.grace).await;
    } else {
        leash.sweep_up(limits.grace).await;
    }
    progress.drained().await;
    exit
}

fn exited(status: std::io::Result<ExitStatus>) -> Exit {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => Exit::Code { code },
            (None, Some(signal)) => Exit::Signal { signal },
            (None, None) => Exit::NotStarted { message: format!("it ended in an unknown way: {status}") },
        },
        Err(error) => Exit::NotStarted { message: format!("how it ended could not be read: {error}") },
    }
}

/// `from + wait`, or a point beyond anyone's patience if there is no such time.
fn later(from: Instant, wait: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    from.checked_add(wait.min(CENTURY)).unwrap_or(from)
}
