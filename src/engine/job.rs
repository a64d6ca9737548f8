//! One attempt at a step: what it needs, and its life from the permit to the recorded result.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    engine::{
        clock,
        permits::{Permit, Permits},
        places::Places,
        process::Grace,
        record,
        recorder::{Recorder, Tap},
        steps,
    },
    model::{
        Answer, Cause, Command, Generation, Grant, IntentId, Interaction, InteractionId, Message, Performer,
        PermissionId, Scope, Session, SessionId, Standing, Step, StepResult, TestRun,
    },
    project::Project,
    store::{Change, Makers, Said, StoreError, Writer},
    workflow::{History, LedgerRow, Pause},
};

/// What every attempt of an engine shares.
pub(super) struct Shared {
    pub(super) writer: Arc<Writer>,
    pub(super) recorder: Arc<Recorder>,
    pub(super) branches: Branches,
    pub(super) questions: Questions,
    pub(super) ears: Ears,
    pub(super) places: Places,
    /// This engine, as the owner of its attempts.
    pub(super) owner: String,
    /// The store's file, as every process of a step knows it.
    pub(super) store: Utf8PathBuf,
    pub(super) grace: Grace,
    /// This program, for the sessions tool of agents.
    pub(super) program: Option<String>,
}

/// Branches that were given to sessions whose beginning is not recorded yet, with the repository that each is in: several
/// accounts may work on one.
#[derive(Default)]
pub(super) struct Branches(Mutex<HashSet<(String, String)>>);

impl Branches {
    pub(super) fn has(&self, root: &str, branch: &str) -> bool {
        self.lock().contains(&(root.to_owned(), branch.to_owned()))
    }

    /// Keeps a branch for a session.
    pub(super) fn keep(&self, root: &str, branch: &str) {
        self.lock().insert((root.to_owned(), branch.to_owned()));
    }

    /// A set is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, HashSet<(String, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Questions of agents that wait for a person, by their ids: where the word is to go.
#[derive(Default)]
pub(super) struct Questions(Mutex<HashMap<PermissionId, oneshot::Sender<Grant>>>);

impl Questions {
    /// A question is asked; its word comes to the receiver.
    pub(super) fn ask(&self, id: PermissionId) -> oneshot::Receiver<Grant> {
        let (sender, receiver) = oneshot::channel();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Those whose attempt has ended wait for nothing any more.
        open.retain(|_, sender| !sender.is_closed());
        open.insert(id, sender);
        receiver
    }

    /// A person has said a word; whether somebody waits for it.
    pub(super) fn tell(&self, id: PermissionId, ruling: Grant) -> bool {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        sender.is_some_and(|sender| sender.send(ruling).is_ok())
    }
}

/// Agents that can be told something while their turn runs, by their sessions.
#[derive(Default)]
pub(super) struct Ears(Mutex<HashMap<SessionId, mpsc::UnboundedSender<Message>>>);

impl Ears {
    /// An agent listens from now on; no other one of the session does.
    pub(super) fn open(&self, session: SessionId) -> mpsc::UnboundedReceiver<Message> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, sender| !sender.is_closed());
        open.insert(session, sender);
        receiver
    }

    /// Somebody says something. If nobody listens, it is in the next prompt.
    pub(super) fn tell(&self, message: Message) {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = open.get(&message.session_id) {
            sender.send(message).unwrap_or_default();
        }
    }
}

/// Why an attempt is to end early: the later ones count for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// It is not.
    Run,
    /// It has not begun, and must not.
    Withdrawn,
    /// A person interrupted it.
    Interrupted,
    /// Its session was cancelled.
    Cancelled,
    /// The engine ends.
    Shutdown,
}

/// The end of the line by which an attempt is told to stop.
#[derive(Clone)]
pub(super) struct Stopper(pub(super) watch::Receiver<Stop>);

impl Stopper {
    /// Resolves when an attempt that has not begun must not begin.
    async fn withdrawn(&mut self) {
        // A dispatcher that is gone has no use for the attempt either.
        self.0.wait_for(|stop| *stop != Stop::Run).await.map(drop).unwrap_or_default();
    }

    /// Resolves when an attempt that has begun is to end.
    pub(super) async fn stopped(&mut self) {
        self.0
            .wait_for(|stop| matches!(stop, Stop::Interrupted | Stop::Cancelled | Stop::Shutdown))
            .await
            .map(drop)
            .unwrap_or_default();
    }

    /// Why, once it is; [`Stop::Run`] before.
    pub(super) fn now(&self) -> Stop {
        *self.0.borrow()
    }

    /// What became of a step that was ended on our word: `ended`, and who did it where that is not the session's own record.
    pub(super) fn words(&self, ended: &str) -> String {
        match self.now() {
            Stop::Interrupted => format!("{ended}: a person interrupted it"),
            Stop::Run | Stop::Withdrawn | Stop::Cancelled | Stop::Shutdown => ended.to_owned(),
        }
    }

    /// The cause that a process which was ended on our word has.
    pub(super) fn cause(&self) -> Cause {
        match self.now() {
            Stop::Cancelled => Cause::Cancelled,
            Stop::Run | Stop::Withdrawn | Stop::Interrupted | Stop::Shutdown => Cause::Interrupted,
        }
    }
}

/// Where `initialize` is to work: decided before it begins and recorded with its beginning, so that a repeat finds the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) branch: String,
    pub(super) worktree: Utf8PathBuf,
    pub(super) base: String,
    /// What there is to say about the base.
    pub(super) note: Option<String>,
}

/// What an attempt needs beside its session.
pub(super) enum Work {
    /// `initialize`; or why there is no place for it.
    Prepare(Result<Place, String>),
    /// An agent step.
    Agent(Box<AgentWork>),
    /// A test step.
    Tests {
        /// The failures so far.
        ledger: Vec<LedgerRow>,
        /// What is run.
        tested: Tested,
        /// Sessions whose branches are merged before, as far as they are complete.
        merge: Vec<Session>,
    },
    /// A pure check.
    Check(Check),
    /// Children that have all ended: they are merged and judged.
    Validate {
        /// The children with what their last error was.
        children: Vec<(Session, Option<String>)>,
    },
    /// `finalize`.
    Finalize {
        /// The components that the children worked on.
        components: Vec<String>,
    },
    /// It cannot be attempted, and why.
    Impossible {
        /// For the record.
        command: Command,
        /// The result.
        result: Box<StepResult>,
    },
}

/// Which tests a test step runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tested {
    /// The component's test file.
    Component,
    /// The context's integration test file.
    Integration,
    /// Everything.
    Suite,
}

/// What a check looks at.
pub(super) enum Check {
    /// Whether the parent context's design is there to be read.
    ContextDesign,
    /// The component's design.
    Design,
    /// The acceptance criteria, by the newest run of the integration tests and by what people said.
    Criteria(Option<Box<TestRun>>, Vec<(String, Said)>),
}

/// What an agent step needs.
pub(super) struct AgentWork {
    /// The step's result that it is to mend, if it is a fix.
    pub(super) judged: Option<StepResult>,
    /// Whether the fix before changed nothing about the failures.
    pub(super) unchanged: bool,
    /// The failures so far.
    pub(super) ledger: Vec<LedgerRow>,
    /// The turns of its scenario that were played in this session.
    pub(super) used: Vec<usize>,
    /// Who reactivated the session, in words.
    pub(super) by: String,
    /// Whether an agent has spoken in its conversation before.
    pub(super) resumed: bool,
    /// Words of persons that hold for longer than once.
    pub(super) standing: Vec<Standing>,
    /// What persons said to it and it has not taken in yet.
    pub(super) unseen: Vec<Message>,
    /// What became of sessions that this one has woken.
    pub(super) news: Vec<String>,
    /// The sessions that made the components' files, by component.
    pub(super) makers: Vec<(String, Makers)>,
}

/// One attempt at a step, before it is made.
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) scope: Arc<Scope>,
    pub(super) project: Arc<Project>,
    pub(super) consented: bool,
    pub(super) permits: Arc<Permits>,
    pub(super) session: Session,
    pub(super) generation: Generation,
    pub(super) step: Step,
    pub(super) seq: u32,
    pub(super) iteration: u32,
    /// Without this attempt; for a validation with it, pending.
    pub(super) history: History,
    pub(super) work: Work,
    /// The intent that started it.
    pub(super) intent: Option<IntentId>,
    /// How long it waits before it begins, since the attempts before it failed at once.
    pub(super) pause: Option<Pause>,
    pub(super) id: InteractionId,
}

impl Job {
    pub(super) fn tap(&self) -> Tap {
        Tap::new(&self.shared.recorder, &self.scope, self.session.id, self.seq)
    }

    /// Waits until the pause is over. `false`: stopped before.
    async fn paused(&self, stopper: &mut Stopper) -> bool {
        let Some(pause) = self.pause else { return true };
        let left = u64::try_from(pause.until.saturating_sub(clock::now())).unwrap_or(0);
        // A clock that was set back must not make it longer.
        let left = Duration::from_micros(left).min(pause.length);
        if left.is_zero() {
            return true;
        }
        let before = Tap::new(&self.shared.recorder, &self.scope, self.session.id, self.seq.saturating_sub(1));
        before.note(format!("It failed at once. {} is tried again in {}s.", self.step, pause.length.as_secs()));
        tokio::select! {
            biased;
            () = stopper.withdrawn() => false,
            () = tokio::time::sleep(left) => true,
        }
    }

    /// Takes the permit that the step needs. `None`: stopped before there was one.
    async fn permit(&self, stopper: &mut Stopper) -> Option<Option<Permit>> {
        let permits = match (&self.work, self.step.performer()) {
            (Work::Agent(_), Performer::Agent) => &self.permits.agents,
            (Work::Tests { .. }, Performer::Tests) => &self.permits.tests,
            (Work::Prepare(_), _) => &self.permits.places,
            _ => return Some(None),
        };
        tokio::select! {
            biased;
            () = stopper.withdrawn() => None,
            permit = permits.acquire() => Some(Some(permit)),
        }
    }
}

/// What came of performing a step, beside the store's own bookkeeping.
pub(super) struct Performed {
    pub(super) result: StepResult,
    pub(super) changes: Vec<Change>,
}

impl From<StepResult> for Performed {
    fn from(result: StepResult) -> Self {
        Self { result, changes: Vec::new() }
    }
}

/// What an attempt will do: its command for the record, and what its beginning changes.
pub(super) struct Composed {
    pub(super) command: Command,
    pub(super) changes: Vec<Change>,
    pub(super) plan: steps::Plan,
}

/// Makes one attempt: waits for a permit, records its beginning, performs it, records its result.
///
/// # Errors
/// When the record cannot be kept.
pub(super) async fn attempt(job: Job, mut stopper: Stopper) -> Result<(), StoreError> {
    if !job.paused(&mut stopper).await {
        return Ok(());
    }
    let Some(_permit) = job.permit(&mut stopper).await else { return Ok(()) };
    let composed = steps::compose(&job).await;
    if stopper.now() != Stop::Run {
        return Ok(());
    }
    match begin(&job, &composed).await {
        Ok(()) => perform_and_record(&job, composed.plan, &mut stopper).await,
        Err(StoreError::Conflict(why)) => {
            tracing::warn!(session = %job.session.id, step = %job.step, "the attempt did not begin: {why}");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Validates the children of an attempt that has begun long ago.
///
/// # Errors
/// When the record cannot be kept.
pub(super) async fn validate(job: Job, mut stopper: Stopper) -> Result<(), StoreError> {
    perform_and_record(&job, steps::Plan::Validate, &mut stopper).await
}

/// Whether a result is only that the engine ended under the validation of children: nobody's attempt, so it stays pending
/// and the next engine validates.
fn is_cut_validation(job: &Job, result: &StepResult) -> bool {
    matches!(job.work, Work::Validate { .. }) && result.cause == Some(Cause::Interrupted)
}

async fn begin(job: &Job, composed: &Composed) -> Result<(), StoreError> {
    let now = clock::now();
    let interaction = Interaction {
        id: job.id,
        session_id: job.session.id,
        seq: job.seq,
        generation: job.session.generation,
        step: job.step,
        iteration: job.iteration,
        command: composed.command.clone(),
        result: None,
        started_at: now,
        completed_at: None,
    };
    let mut transition =
        vec![Change::Begin { interaction: Box::new(interaction), owner: Some(job.shared.owner.clone()) }];
    transition.extend(composed.changes.iter().cloned());
    if let Some(intent) = job.intent {
        transition.push(Change::Answer { intent, answer: Answer::Done, at: now });
    }
    job.shared.writer.apply(&job.scope, transition).await
}

async fn perform_and_record(job: &Job, plan: steps::Plan, stopper: &mut Stopper) -> Result<(), StoreError> {
    let started = Instant::now();
    let mut performed = steps::perform(job, plan, stopper).await;
    performed.result.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    job.shared.recorder.flush();
    if is_cut_validation(job, &performed.result) {
        return Ok(());
    }
    let transition = record::finish(job, performed, clock::now());
    match job.shared.writer.apply(&job.scope, transition).await {
        // The session was cancelled under the attempt, and its end is recorded with that.
        Ok(()) | Err(StoreError::Conflict(_)) => Ok(()),
        Err(error) => {
            tracing::error!(session = %job.session.id, step = %job.step, "the result was not recorded: {error}");
            Err(error)
        }
    }
}
