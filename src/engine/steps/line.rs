//! The line of a confined agent to callboard: it cannot write the record, so it asks the engine over a socket, and the engine
//! carries the call out. Who calls is decided by the socket, one for each attempt; what is sent says only what is wanted.
//!
//! Every confined process sees the sockets of all others, so whoever connects must have come of the agent's own process.

use std::{sync::Arc, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
    sync::{Semaphore, watch},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::{
    engine::{
        job::Job,
        process, socket,
        steps::{calls::Client, confine, git},
    },
    model::{Cause, StepResult},
    tool::{
        self,
        wire::{Asked, LONGEST, Told},
    },
};

/// So many connections are open at once; more wait until one is closed.
const OPEN: usize = 16;
/// So many calls are carried out at once.
const AT_ONCE: usize = 4;
/// So long a connection may take to bring its call, and to take its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// So long nobody is let in after the system could not.
const PAUSE: Duration = Duration::from_millis(100);

/// The line of an attempt. It is cut, and nothing of it is left, when this is dropped.
pub(super) struct Line {
    /// The folder of its socket.
    folder: Utf8PathBuf,
    over: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

/// Where an attempt's agent finds its line; `None` when it needs none.
pub(super) fn path(job: &Job) -> Option<Utf8PathBuf> {
    let wanted = confine::closes_the_record(job) && job.shared.program.is_some();
    wanted.then(|| job.shared.places.socket(job.id))
}

/// Opens the line of an attempt, if its agent needs one.
pub(super) async fn open(job: &Job) -> Result<Option<Line>, git::StepError> {
    let Some(path) = path(job) else { return Ok(None) };
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("the socket {path} for the agent's sessions tool cannot be made: {error}");
        Box::new(StepResult::error(Cause::Environment, message))
    };
    let at = path.clone();
    let listening = tokio::task::spawn_blocking(move || {
        let listener = socket::listen(&at)?;
        listener.set_nonblocking(true)?;
        Ok::<_, std::io::Error>(listener)
    });
    let listener = listening.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
    let listener = UnixListener::from_std(listener).map_err(|error| failed(&error))?;
    let counter = Counter { client: Client::of(job), marker: job.id.to_string(), turns: Semaphore::new(AT_ONCE) };
    let (over, ended) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, Arc::new(counter), ended));
    let folder = path.parent().map(Utf8Path::to_owned).unwrap_or_default();
    Ok(Some(Line { folder, over, serving }))
}

/// Cuts a line. What was asked for over it is on record when this returns, or never will be.
pub(super) async fn close(line: Option<Line>) {
    let Some(mut line) = line else { return };
    line.over.send_replace(true);
    // One that broke off has nothing more to say either.
    (&mut line.serving).await.unwrap_or_default();
}

impl Drop for Line {
    fn drop(&mut self) {
        self.serving.abort();
        std::fs::remove_dir_all(&self.folder).unwrap_or_default();
    }
}

/// What every connection of a line needs.
struct Counter {
    client: Client,
    /// The run that callers must be of.
    marker: String,
    turns: Semaphore,
}

async fn serve(listener: UnixListener, counter: Arc<Counter>, over: watch::Receiver<bool>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = ended(over.clone()) => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if open.len() < OPEN => match accepted {
                Ok((stream, _)) => drop(open.spawn(connection(stream, Arc::clone(&counter), over.clone()))),
                Err(error) => {
                    tracing::warn!("a call cannot be taken: {error}");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

/// Resolves once the attempt is over.
async fn ended(mut over: watch::Receiver<bool>) {
    // A line whose other end is gone is over, too.
    over.wait_for(|over| *over).await.map(drop).unwrap_or_default();
}

/// One connection, one call, one answer.
async fn connection(mut stream: UnixStream, counter: Arc<Counter>, over: watch::Receiver<bool>) {
    let heard = tokio::select! {
        biased;
        () = ended(over.clone()) => return,
        heard = counter.hear(&mut stream) => heard,
    };
    let told = match heard {
        Ok(asked) => counter.answer(asked, &over).await,
        Err(told) => Some(told),
    };
    let Some(mut line) = told.and_then(|told| serde_json::to_vec(&told).ok()) else { return };
    line.push(b'\n');
    tokio::select! {
        biased;
        () = ended(over) => {}
        // Whoever does not take its answer wants none.
        sent = timeout(PATIENCE, stream.write_all(&line)) => drop(sent),
    }
}

impl Counter {
    /// What a connection asks for, or what it is told at once.
    async fn hear(&self, stream: &mut UnixStream) -> Result<Asked, Told> {
        let failed = |error: std::io::Error| Told::Failed(format!("the call cannot be read: {error}"));
        let peer = stream.peer_cred().map_err(failed)?;
        let ours = peer.uid() == rustix::process::geteuid().as_raw();
        let Some(pid) = peer.pid().filter(|_| ours) else { return Err(stranger()) };
        if !process::is_of_run(pid, &self.marker).await {
            return Err(stranger());
        }
        let mut line = Vec::new();
        let most = u64::try_from(LONGEST).unwrap_or(u64::MAX);
        let mut limited = BufReader::new(stream.take(most));
        match timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await {
            Err(_) => return Err(Told::Failed(format!("no call came within {} s", PATIENCE.as_secs()))),
            Ok(read) => read.map_err(failed)?,
        };
        if line.len() >= LONGEST && line.last() != Some(&b'\n') {
            return Err(Told::Failed(format!("a call has at most {LONGEST} bytes, and this one has more")));
        }
        Asked::read(&line).map_err(Told::Failed)
    }

    /// Carries a call out when it is its turn; `None`: the attempt was over before.
    async fn answer(&self, asked: Asked, over: &watch::Receiver<bool>) -> Option<Told> {
        let _turn = tokio::select! {
            biased;
            () = ended(over.clone()) => return None,
            turn = self.turns.acquire() => turn.ok()?,
        };
        let Asked { tool: name, arguments, session } = asked;
        let own = self.client.session.to_string();
        // It may be named as everywhere, by a beginning or an ending.
        if session.is_some_and(|given| given.is_empty() || !(own.starts_with(&given) || own.ends_with(&given))) {
            return Some(Told::Refused(format!(
                "this is the sessions tool of session {own}, and answers nobody else: leave --session out"
            )));
        }
        let Some(tool) = tool::find(&name) else { return Some(Told::Failed(tool::unknown(&name))) };
        Some(match self.client.call(tool, arguments, ended(over.clone())).await {
            Ok(reply) => reply.into(),
            Err(message) => Told::Failed(message),
        })
    }
}

fn stranger() -> Told {
    Told::Refused(
        "the sessions tool answers only processes that the session's agent started, and that have not left it (an orphan has)"
            .into(),
    )
}
