//! The dispatcher: puts everything that happens in a line, asks the workflow what comes next in a session, and starts it.
//! Between steps it knows nothing that is not in the store.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use camino::Utf8PathBuf;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::Instant,
};

use crate::{
    engine::{
        EngineError, clock,
        desk::Desk,
        job::{self, Branches, Ears, Job, Questions, Shared, Stop, Stopper},
        places::Places,
        process::{self, Grace, Marker},
        record,
        recorder::Recorder,
    },
    model::{Cause, Intent, IntentId, Micros, Mode, Scope, Session, SessionId, Status, Step, StepResult},
    project::{Project, Settings},
    store::{Change, Store, StoreError, Watch, Writer},
    workflow::{self, History, Next, Outcome, Waiting},
};

/// How an engine is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The store that it is the engine of.
    pub store: Utf8PathBuf,
    /// Drive only this session and what it spawns, and end when nothing of it can go on by itself.
    pub only: Option<(Scope, SessionId)>,
    /// End after so long without anything to do.
    pub idle: Option<Duration>,
    /// The user's settings.
    pub settings: Settings,
    /// How long processes may take to end.
    pub grace: Grace,
    /// This program, as processes of a step can start it: the sessions tool of agents. `None`: they do not get it.
    pub program: Option<String>,
}

/// Why an engine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// There was nothing to do for long.
    Idle,
    /// Nothing of its one session can go on by itself.
    Settled,
}

/// Other processes' commits are looked at no more often than this.
const WAKE_EVERY: Duration = Duration::from_millis(10);
/// Behind the notifications the store is looked at this often: a client may have been killed right after its commit.
const POLL: Duration = Duration::from_secs(5);
/// The same when the system tells nothing of commits.
const POLL_BLIND: Duration = Duration::from_millis(200);

/// A session of a scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) account: String,
    pub(super) project: String,
    pub(super) session: SessionId,
}

/// An attempt has ended, or was never begun.
struct AttemptEnded {
    key: Key,
    /// Whether its end is on record; `None`: it broke off without one.
    recorded: Option<Result<(), StoreError>>,
}

/// An attempt that is being made, or waits for its permit.
struct Running {
    stop: watch::Sender<Stop>,
    /// The intent that is answered with its beginning.
    intent: Option<IntentId>,
    /// Its `seq`.
    seq: u32,
}

pub(super) struct Dispatcher {
    pub(super) options: Options,
    pub(super) shared: Arc<Shared>,
    pub(super) desks: HashMap<(String, String), Desk>,
    running: HashMap<Key, Running>,
    todo: VecDeque<Key>,
    /// Sessions that wait for a time: they are looked at again when it has come.
    later: HashMap<Key, Micros>,
    /// Whether intents wait for an attempt whose end is on record and was not heard of yet.
    pub(super) postponed: bool,
    ended: mpsc::UnboundedSender<AttemptEnded>,
}

/// Runs an engine until it is told to stop, is idle for long, or its one session is settled. The caller holds the lock.
///
/// # Errors
/// When the store cannot be opened or read.
pub async fn run(options: Options, stop: impl Future<Output = ()>) -> Result<Ended, EngineError> {
    if let Err(error) = process::adopt_orphans() {
        tracing::warn!("orphaned processes cannot be adopted: {error}");
    }
    let writer = Arc::new(Writer::start(&options.store)?);
    let recorder = Recorder::new(Arc::clone(&writer));
    let flusher = tokio::spawn(Arc::clone(&recorder).run());
    let (ended, mut inbox) = mpsc::unbounded_channel();
    let store = options.store.clone();
    let shared = Arc::new(Shared {
        writer,
        recorder,
        branches: Branches::default(),
        questions: Questions::default(),
        ears: Ears::default(),
        places: Places::of(&store),
        owner: format!("{}-{}", std::process::id(), uuid::Uuid::now_v7().simple()),
        store: store.clone(),
        grace: options.grace,
        program: options.program.clone(),
    });
    let mut dispatcher = Dispatcher {
        options,
        shared,
        desks: HashMap::new(),
        running: HashMap::new(),
        todo: VecDeque::new(),
        later: HashMap::new(),
        postponed: false,
        ended,
    };
    let wake = Arc::new(Notify::new());
    let ring = Arc::clone(&wake);
    let watched = Watch::with(&store, move || ring.notify_one());
    dispatcher.recover().await?;
    let outcome = dispatcher.serve(&mut inbox, &wake, watched.is_ok(), stop).await;
    dispatcher.shut_down(&mut inbox).await;
    flusher.abort();
    dispatcher.shared.recorder.flush();
    outcome
}

impl Dispatcher {
    async fn serve(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<AttemptEnded>,
        wake: &Notify,
        watched: bool,
        stop: impl Future<Output = ()>,
    ) -> Result<Ended, EngineError> {
        tokio::pin!(stop);
        let mut looked = Instant::now();
        let mut quiet_since = Instant::now();
        self.look().await?;
        loop {
            self.drive_all().await?;
            let later = self.wait();
            if !self.running.is_empty() || later.is_some() {
                quiet_since = Instant::now();
            } else if self.options.only.is_some() {
                return Ok(Ended::Settled);
            }
            let busy = !self.running.is_empty() || later.is_some();
            let idle = self.options.idle.filter(|_| !busy).map(|idle| quiet_since + idle);
            tokio::select! {
                biased;
                () = &mut stop => return Ok(Ended::Stopped),
                Some(ended) = inbox.recv() => {
                    self.attempt_ended(ended).await?;
                    if std::mem::take(&mut self.postponed) {
                        self.look().await?;
                    }
                }
                () = until(later) => {}
                () = woken(wake, looked + WAKE_EVERY) => {
                    looked = Instant::now();
                    self.look().await?;
                }
                () = tokio::time::sleep_until(looked + if watched { POLL } else { POLL_BLIND }) => {
                    looked = Instant::now();
                    self.look().await?;
                }
                () = until(idle) => {
                    self.look().await?;
                    if self.todo.is_empty() && self.running.is_empty() {
                        return Ok(Ended::Idle);
                    }
                }
            }
        }
    }

    /// Has sessions looked at again whose time has come; answers when the next one's comes. A clock that was set, or a machine
    /// that slept, is noticed within a minute.
    fn wait(&mut self) -> Option<Instant> {
        const AT_MOST: Duration = Duration::from_secs(60);
        let now = clock::now();
        let come: Vec<Key> = self.later.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in &come {
            self.later.remove(key);
        }
        let again = !come.is_empty();
        self.todo.extend(come);
        let next = self.later.values().min()?;
        let left = Duration::from_micros(u64::try_from(next.saturating_sub(now)).unwrap_or_default());
        Some(Instant::now() + if again { Duration::ZERO } else { left.min(AT_MOST) })
    }

    /// Looks at what other processes have written: projects, intents.
    async fn look(&mut self) -> Result<(), EngineError> {
        self.meet()?;
        let scopes: Vec<(String, String)> = self.desks.keys().cloned().collect();
        for scope in scopes {
            let intents = match self.desks.get(&scope) {
                Some(desk) => desk.store.open_intents()?,
                None => continue,
            };
            for intent in intents {
                if !self.is_being_done(&intent) {
                    self.take(&scope, intent).await?;
                }
            }
        }
        Ok(())
    }

    /// Opens a desk for every project that has none.
    fn meet(&mut self) -> Result<(), EngineError> {
        let any = match self.desks.values().next() {
            Some(desk) => desk.store.scopes()?,
            None => Store::open(&self.options.store, nobody())?.scopes()?,
        };
        for scope in any {
            let key = (scope.account.clone(), scope.project.clone());
            if !self.desks.contains_key(&key) {
                self.desks.insert(key, Desk::open(Store::open(&self.options.store, scope)?));
            }
        }
        Ok(())
    }

    /// Ends what a dead engine left running, records its attempts as interrupted, and goes on with every active session.
    async fn recover(&mut self) -> Result<(), EngineError> {
        let ended = process::end_marked(Marker::Store(self.options.store.as_str()), self.options.grace.terminate).await;
        if ended > 0 {
            tracing::info!("{ended} processes of an earlier engine were ended");
        }
        // Their temporary folders and sockets; what cannot be removed is in nobody's way.
        for folder in [self.shared.places.temporary(), self.shared.places.sockets()] {
            std::fs::remove_dir_all(folder).unwrap_or_default();
        }
        self.meet()?;
        let scopes: Vec<(String, String)> = self.desks.keys().cloned().collect();
        for scope in scopes {
            let Some(desk) = self.desks.get_mut(&scope) else { continue };
            drop(desk.project(&self.options.settings));
            for (session, seq) in desk.store.orphans(&self.shared.owner)? {
                match interrupt(&self.shared, desk, session, seq).await {
                    Err(EngineError::Store(error @ StoreError::Row { .. })) => {
                        tracing::error!(session = %session, "it stands still: {error}");
                    }
                    other => other?,
                }
            }
            for session in desk.store.active()? {
                self.todo.push_back(Key { account: scope.0.clone(), project: scope.1.clone(), session });
            }
        }
        Ok(())
    }

    /// An attempt has ended, one way or the other: its session goes on, and so do those that wait for it. An engine that
    /// cannot keep the record ends: the next one takes what was not recorded for interrupted.
    async fn attempt_ended(&mut self, ended: AttemptEnded) -> Result<(), EngineError> {
        let AttemptEnded { key, recorded } = &ended;
        self.running.remove(key);
        self.todo.push_back(key.clone());
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(()) };
        let session = desk.store.session(key.session)?;
        if recorded.is_none()
            && let Some(last) = desk.store.attempts(&session)?.last().filter(|last| last.outcome.is_none())
        {
            interrupt(&self.shared, desk, session.id, last.seq).await?;
        }
        // Only an end changes anything for those that wait: with many children, looking at each step would be felt.
        if session.status.is_terminal() {
            self.rouse(key)?;
        }
        ended.recorded.unwrap_or(Ok(())).map_err(EngineError::from)
    }

    /// Looks again at the sessions that wait for this one.
    pub(super) fn rouse(&mut self, key: &Key) -> Result<(), EngineError> {
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(()) };
        let waiting = desk.store.waiting_on(key.session)?;
        self.todo.extend(waiting.into_iter().map(|session| Key { session, ..key.clone() }));
        Ok(())
    }

    /// Has a session looked at again.
    pub(super) fn todo(&mut self, key: Key) {
        self.todo.push_back(key);
    }

    async fn drive_all(&mut self) -> Result<(), EngineError> {
        while let Some(key) = self.todo.pop_front() {
            if self.running.contains_key(&key) || !self.is_mine(&key)? {
                continue;
            }
            match self.drive(&key, None).await {
                Ok(()) => {}
                // Somebody else changed the session meanwhile; whoever did makes it be looked at again.
                Err(EngineError::Store(StoreError::Conflict(why))) => tracing::debug!(session = %key.session, "{why}"),
                // What this version cannot read stands still; the other sessions go on.
                Err(EngineError::Store(error @ StoreError::Row { .. })) => {
                    tracing::error!(session = %key.session, "it stands still: {error}");
                }
                Err(error) => return Err(error),
            }
            // A thousand children may begin at once, and what they began wants to run.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether this engine drives the session: all of them, or one with what it spawned and what it waits for.
    fn is_mine(&self, key: &Key) -> Result<bool, EngineError> {
        let Some((scope, root)) = &self.options.only else { return Ok(true) };
        if scope.account != key.account || scope.project != key.project {
            return Ok(false);
        }
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(false) };
        let mut open = vec![key.session];
        let mut seen = HashSet::new();
        while let Some(session) = open.pop() {
            if session == *root {
                return Ok(true);
            }
            if seen.insert(session) {
                open.extend(desk.store.session(session)?.parent_id);
                open.extend(desk.store.waiting_on(session)?);
            }
        }
        Ok(false)
    }

    /// Does what comes next in a session. With `intent`, a person started it, and the intent is answered with its beginning.
    pub(super) async fn drive(&mut self, key: &Key, intent: Option<IntentId>) -> Result<(), EngineError> {
        self.later.remove(key);
        let Some(desk) = self.desks.get_mut(&key.desk()) else { return Ok(()) };
        let (project, changes) = desk.project(&self.options.settings);
        if let Some(changes) = changes {
            self.shared.writer.post(&desk.scope, changes);
        }
        let Some((session, history)) = desk.active(key.session)? else { return Ok(()) };
        match workflow::next(&history) {
            Err(error) => tracing::error!(session = %session.id, "its record cannot be followed: {error}"),
            Ok(Next::Waiting(Waiting::Validation { seq })) => match project {
                Ok(project) => {
                    let job = desk.validation(&self.shared, project, session, history, seq)?;
                    self.start(key, job, true);
                }
                Err(message) => {
                    let step = workflow::fix_step(session.kind);
                    desk.unreadable(&self.shared, &session, &history, step, message, Some(seq)).await?;
                }
            },
            // Nobody makes it, or the session would not be looked at: it broke off.
            Ok(Next::Waiting(Waiting::Attempt { seq })) => {
                interrupt(&self.shared, desk, session.id, seq).await?;
                self.todo.push_back(key.clone());
            }
            // Whom an attempt has woken is known only now that it has ended.
            Ok(Next::Waiting(waiting @ (Waiting::Sessions(_) | Waiting::Ruling))) => {
                let next = Next::Waiting(waiting).to_string();
                if desk.store.board_row(session.id)?.next.as_ref() != Some(&next) {
                    let outlook =
                        Change::Outlook { session: session.id, next: Some(next), halt: None, at: clock::now() };
                    self.shared.writer.apply(&desk.scope, vec![outlook]).await?;
                }
            }
            Ok(Next::Waiting(Waiting::Agent { seq, step })) => {
                let at = desk.store.resumes_at(session.id, seq)?.unwrap_or_default();
                if intent.is_none() && session.mode == Mode::Manual {
                    return Ok(());
                }
                if intent.is_none() && at > clock::now() {
                    self.later.insert(key.clone(), at);
                    return Ok(());
                }
                match project {
                    Ok(project) => self.start_step(key, project, session, history, step, intent).await?,
                    Err(message) => desk.unreadable(&self.shared, &session, &history, step, message, None).await?,
                }
            }
            Ok(Next::Complete) => {
                let changes = vec![
                    Change::Status { session: session.id, status: Status::Complete },
                    Change::Outlook { session: session.id, next: None, halt: None, at: clock::now() },
                ];
                self.shared.writer.apply(&desk.scope, changes).await?;
                self.rouse(key)?;
            }
            Ok(Next::Halt(reason)) => desk.halt(&self.shared, &session, &history, reason).await?,
            Ok(Next::Step(_)) if session.mode == Mode::Manual && intent.is_none() => {}
            Ok(Next::Step(step)) => match project {
                Ok(project) => self.start_step(key, project, session, history, step, intent).await?,
                Err(message) => desk.unreadable(&self.shared, &session, &history, step, message, None).await?,
            },
        }
        Ok(())
    }

    async fn start_step(
        &mut self,
        key: &Key,
        project: Arc<Project>,
        session: Session,
        history: History,
        step: Step,
        intent: Option<IntentId>,
    ) -> Result<(), EngineError> {
        let Some(desk) = self.desks.get_mut(&key.desk()) else { return Ok(()) };
        let Some(plan) = desk.spawn_plan(&project, &session, step)? else {
            let job = desk.job(&self.shared, project, session, history, step, intent)?;
            self.start(key, job, false);
            return Ok(());
        };
        let children = desk.begin_spawn(&self.shared, &session, &history, step, plan, intent).await?;
        self.todo.extend(children.into_iter().map(|session| Key { session, ..key.clone() }));
        self.todo.push_back(key.clone());
        Ok(())
    }

    /// Starts an attempt, or the validation that ends one.
    fn start(&mut self, key: &Key, job: Job, validation: bool) {
        let (stop, stopper) = watch::channel(Stop::Run);
        self.running.insert(key.clone(), Running { stop, intent: job.intent, seq: job.seq });
        let (ended, key) = (self.ended.clone(), key.clone());
        let stopper = Stopper(stopper);
        let attempt = async move {
            if validation { job::validate(job, stopper).await } else { job::attempt(job, stopper).await }
        };
        tokio::spawn(async move {
            // A panic in an attempt must not leave its session running for ever.
            let joined = tokio::spawn(attempt).await;
            if let Err(error) = &joined {
                tracing::error!(session = %key.session, "an attempt broke off: {error}");
            }
            // Without a dispatcher nobody needs to know.
            ended.send(AttemptEnded { key, recorded: joined.ok() }).unwrap_or_default();
        });
    }

    /// Whether an attempt of the session is being made, or waits for its permit.
    pub(super) fn is_running(&self, key: &Key) -> bool {
        self.running.contains_key(key)
    }

    /// Whether the attempt of the session that runs is this one.
    pub(super) fn runs(&self, key: &Key, seq: u32) -> bool {
        self.running.get(key).is_some_and(|running| running.seq == seq)
    }

    /// Whether an attempt that this intent started is about to begin, and to answer it.
    fn is_being_done(&self, intent: &Intent) -> bool {
        self.running.values().any(|running| running.intent == Some(intent.id))
    }

    /// Tells the attempt of a session to stop. What it was told before and counts for more stays.
    pub(super) fn signal(&self, key: &Key, stop: Stop) {
        if let Some(running) = self.running.get(key) {
            running.stop.send_if_modified(|now| {
                let more = stop > *now;
                *now = stop.max(*now);
                more
            });
        }
    }

    /// Ends every attempt, records each as interrupted, and waits until all of that is done.
    async fn shut_down(&mut self, inbox: &mut mpsc::UnboundedReceiver<AttemptEnded>) {
        for running in self.running.values() {
            running.stop.send_replace(Stop::Shutdown);
        }
        let Grace { interrupt, terminate } = self.options.grace;
        let limit = interrupt + terminate + Duration::from_secs(10);
        let all = async {
            while !self.running.is_empty() {
                match inbox.recv().await {
                    Some(ended) => self.running.remove(&ended.key),
                    None => break,
                };
            }
        };
        if tokio::time::timeout(limit, all).await.is_err() {
            tracing::error!("some attempts did not end in time; the next engine records them as interrupted");
        }
    }
}

impl Key {
    pub(super) fn desk(&self) -> (String, String) {
        (self.account.clone(), self.project.clone())
    }
}

/// The scope of nobody, to look around with.
fn nobody() -> Scope {
    Scope { account: String::new(), project: String::new(), user: String::new() }
}

/// Resolves once something was written since the last look, and that is a while ago. The wait comes first: a notification
/// that has been taken is lost when another event wins.
async fn woken(wake: &Notify, not_before: Instant) {
    tokio::time::sleep_until(not_before).await;
    wake.notified().await;
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Records an attempt that a dead engine was making as interrupted.
async fn interrupt(shared: &Shared, desk: &Desk, session: SessionId, seq: u32) -> Result<(), EngineError> {
    let session = desk.store.session(session)?;
    let mut history = desk.history(&session)?;
    let result = StepResult::error(Cause::Interrupted, "the engine ended under it");
    if let Some(last) = history.attempts.last_mut().filter(|last| last.seq == seq) {
        last.outcome = Some(Outcome::of(&result));
    }
    let at = clock::now();
    let mut transition = record::outlook(&session, &history, &result, at);
    transition.insert(0, Change::Finish { session: session.id, seq, result: Box::new(result), at });
    match shared.writer.apply(&desk.scope, transition).await {
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
