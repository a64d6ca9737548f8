//! What comes next in a session: a pure function over its history.

use std::fmt;

use crate::model::{Cause, HaltReason, ResultStatus, SessionId, SessionKind, Status, Step, StepResult};

use super::table::{self, Then};

/// How an attempt ended, as far as the workflow cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How.
    pub status: ResultStatus,
    /// Why, if not ok.
    pub cause: Option<Cause>,
}

impl Outcome {
    /// The part of a result that decides.
    #[must_use]
    pub const fn of(result: &StepResult) -> Self {
        Self { status: result.status, cause: result.cause }
    }

    const fn is_good(self) -> bool {
        match self.status {
            ResultStatus::Ok | ResultStatus::Warning => true,
            ResultStatus::Error => false,
        }
    }

    /// Whether the attempt counts as not having happened: it was cut off from outside.
    fn is_void(self) -> bool {
        matches!(self.cause, Some(Cause::Interrupted | Cause::Cancelled))
    }

    /// Whether the attempt only met an agent that could not be used for now. It is made again, and counts for nothing.
    #[must_use]
    pub const fn is_for_later(self) -> bool {
        !self.is_good() && matches!(self.cause, Some(Cause::Quota | Cause::Overloaded))
    }
}

/// One attempt at a step, as far as the workflow cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The interaction's `seq`.
    pub seq: u32,
    /// The step.
    pub step: Step,
    /// How it ended; `None` while it is pending.
    pub outcome: Option<Outcome>,
    /// The set of failures it found, if it found any.
    pub failure_set: Option<String>,
}

/// A session that another one waits for: a child, or one that it reactivated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// Which.
    pub session: SessionId,
    /// How far it is.
    pub status: Status,
}

/// The limits that the workflow itself holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How often one step may end badly before a person is asked.
    pub iterations: u32,
    /// After so many runs with the same failures a person is asked; 0: never, and A→B→A is not looked for either.
    pub same_failures: u32,
}

/// Everything that decides what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The workflow.
    pub kind: SessionKind,
    /// Whether the session is still at work.
    pub status: Status,
    /// The step at which the current generation starts.
    pub start: Step,
    /// The attempts of the current generation, in order.
    pub attempts: Vec<Attempt>,
    /// The `seq` up to which a person has decided: halts there are settled, and limits count from there. 0: nothing.
    pub decided: u32,
    /// The sessions that this one waits for.
    pub awaited: Vec<Awaited>,
    /// How many requests of its agent wait for a person's word.
    pub requests: u32,
    /// The limits.
    pub bounds: Bounds,
}

/// What a session waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// The attempt that is being made.
    Attempt {
        /// Its `seq`.
        seq: u32,
    },
    /// Other sessions.
    Sessions(Vec<SessionId>),
    /// A person's word on what its agent asks for.
    Ruling,
    /// The judgement of children that have all ended; part of the attempt `seq`.
    Validation {
        /// Its `seq`.
        seq: u32,
    },
    /// The time at which the agent may be used again, which the result of the attempt `seq` has; then the same step.
    Agent {
        /// Its `seq`.
        seq: u32,
        /// The step.
        step: Step,
    },
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// This step.
    Step(Step),
    /// The session's end.
    Complete,
    /// A stop that only a person ends.
    Halt(HaltReason),
    /// Nothing until something else has happened.
    Waiting(Waiting),
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => f.pad(step.as_str()),
            Self::Complete => f.pad("complete"),
            Self::Halt(_) => f.pad("halt"),
            Self::Waiting(_) => f.pad("waiting"),
        }
    }
}

/// Why there is no answer to what comes next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WorkflowError {
    /// `session_complete`
    #[error("the session is {0}: nothing comes next until it is reactivated")]
    SessionComplete(Status),
    /// `invalid_interaction`
    #[error("{step} is not a step of {kind}")]
    InvalidInteraction {
        /// The workflow.
        kind: SessionKind,
        /// The step that it does not have.
        step: Step,
    },
    /// `invalid_state`
    #[error("the history makes no sense: {0}")]
    InvalidState(&'static str),
}

/// What comes next in a session with this history.
///
/// # Errors
/// `session_complete` for a session that has ended, `invalid_interaction` for a step that its kind does not have,
/// `invalid_state` for a history that cannot have come about.
pub fn next(history: &History) -> Result<Next, WorkflowError> {
    if history.status.is_terminal() {
        return Err(WorkflowError::SessionComplete(history.status));
    }
    check(history)?;
    let Some(last) = history.attempts.last() else {
        // A session that is made for work on another one's result begins when that one has ended.
        return Ok(match unfinished(history) {
            sessions if sessions.is_empty() => Next::Step(history.start),
            sessions => Next::Waiting(Waiting::Sessions(sessions)),
        });
    };
    let Some(outcome) = last.outcome else { return Ok(Next::Waiting(pending(history, last))) };
    let row = table::row(history.kind, last.step)
        .ok_or(WorkflowError::InvalidInteraction { kind: history.kind, step: last.step })?;
    if outcome.is_void() {
        return Ok(retry_void(history, last));
    }
    if outcome.is_for_later() && last.seq > history.decided {
        return Ok(Next::Waiting(Waiting::Agent { seq: last.seq, step: last.step }));
    }
    if outcome.is_good() {
        return Ok(match row.ok {
            Then::Complete => Next::Complete,
            Then::Step(_) if row.waits && history.requests > 0 => Next::Waiting(Waiting::Ruling),
            Then::Step(step) => match unfinished(history) {
                waiting if row.waits && !waiting.is_empty() => Next::Waiting(Waiting::Sessions(waiting)),
                _ => Next::Step(step),
            },
        });
    }
    if last.seq <= history.decided {
        return Ok(Next::Step(after_decision(outcome.cause, last.step, row.otherwise)));
    }
    if let Some(reason) = halt_of(outcome.cause).or_else(|| brake(history, last)) {
        return Ok(Next::Halt(reason));
    }
    if bad_endings(history, last.step) > history.bounds.iterations {
        return Ok(Next::Halt(HaltReason::IterationLimit));
    }
    Ok(Next::Step(row.otherwise))
}

/// What a session's status is once this step ended so. Everything but the end of the workflow leaves it active.
#[must_use]
pub fn status_after(step: Step, outcome: Outcome) -> Status {
    if outcome.is_void() || outcome.is_for_later() {
        return Status::Active;
    }
    match (step == Step::Finalize, outcome.is_good(), outcome.cause) {
        (true, true, _) => Status::Complete,
        // What finalize could not do is kept for a person to read; nothing is lost, and a retry finalizes again.
        (true, false, cause) if halt_of(cause).is_none() => Status::Failed,
        (_, false, Some(Cause::FailuresOutside)) => Status::Failed,
        (true | false, true | false, _) => Status::Active,
    }
}

fn check(history: &History) -> Result<(), WorkflowError> {
    let known = |step| match table::row(history.kind, step) {
        Some(_) => Ok(()),
        None => Err(WorkflowError::InvalidInteraction { kind: history.kind, step }),
    };
    known(history.start)?;
    for attempt in &history.attempts {
        known(attempt.step)?;
    }
    let before_last = history.attempts.len().saturating_sub(1);
    if history.attempts.iter().take(before_last).any(|attempt| attempt.outcome.is_none()) {
        return Err(WorkflowError::InvalidState("an attempt is pending, but a later one exists"));
    }
    if !history.attempts.is_sorted_by(|a, b| a.seq < b.seq) {
        return Err(WorkflowError::InvalidState("attempts are not in order"));
    }
    if history.attempts.first().is_some_and(|first| first.step != history.start) {
        return Err(WorkflowError::InvalidState("the generation does not begin with its start step"));
    }
    let ended = |attempt: &Attempt| {
        attempt.step == Step::Finalize && attempt.outcome.is_some_and(|outcome| outcome.is_good() && !outcome.is_void())
    };
    if history.attempts.iter().take(before_last).any(ended) {
        return Err(WorkflowError::InvalidState("there are attempts after the end of the workflow"));
    }
    Ok(())
}

fn unfinished(history: &History) -> Vec<SessionId> {
    history.awaited.iter().filter(|awaited| !awaited.status.is_terminal()).map(|awaited| awaited.session).collect()
}

fn pending(history: &History, last: &Attempt) -> Waiting {
    if history.kind.child_kind().is_none() || last.step != table::fix_step(history.kind) {
        return Waiting::Attempt { seq: last.seq };
    }
    match unfinished(history) {
        sessions if sessions.is_empty() => Waiting::Validation { seq: last.seq },
        sessions => Waiting::Sessions(sessions),
    }
}

/// An attempt that was cut off is made again, but not for ever: something may be cutting it off each time.
fn retry_void(history: &History, last: &Attempt) -> Next {
    let in_a_row = history
        .attempts
        .iter()
        .rev()
        .take_while(|attempt| attempt.seq > history.decided && attempt.outcome.is_some_and(Outcome::is_void))
        .count();
    if in_a_row > history.bounds.iterations as usize {
        return Next::Halt(HaltReason::IterationLimit);
    }
    Next::Step(last.step)
}

const fn halt_of(cause: Option<Cause>) -> Option<HaltReason> {
    match cause {
        Some(Cause::Environment) => Some(HaltReason::Environment),
        Some(Cause::AgentUnavailable) => Some(HaltReason::AgentUnavailable),
        Some(Cause::MergeConflict) => Some(HaltReason::MergeConflict),
        Some(Cause::FailuresOutside) => Some(HaltReason::ArchitecturalFailure),
        Some(Cause::EmptyDiff) => Some(HaltReason::NoProgress),
        Some(Cause::ArchitecturalIssue) => Some(HaltReason::ArchitecturalIssue),
        Some(
            Cause::Failed
            | Cause::Interrupted
            | Cause::Cancelled
            | Cause::Timeout
            | Cause::Inactive
            | Cause::Quota
            | Cause::Overloaded
            | Cause::CouldNotRun,
        )
        | None => None,
    }
}

/// Where a person's word to go on leads: the step is tried again, since what stood in its way may be mended by hand; only
/// failures outside the context open the last chance to fix them.
const fn after_decision(cause: Option<Cause>, step: Step, otherwise: Step) -> Step {
    match cause {
        Some(Cause::FailuresOutside) => otherwise,
        Some(
            Cause::Environment
            | Cause::AgentUnavailable
            | Cause::ArchitecturalIssue
            | Cause::MergeConflict
            | Cause::EmptyDiff
            | Cause::Failed
            | Cause::Interrupted
            | Cause::Cancelled
            | Cause::Timeout
            | Cause::Inactive
            | Cause::Quota
            | Cause::Overloaded
            | Cause::CouldNotRun,
        )
        | None => step,
    }
}

/// The attempts at a step that ended badly since a person last decided.
fn bad_attempts(history: &History, step: Step) -> impl DoubleEndedIterator<Item = &Attempt> {
    history.attempts.iter().filter(move |attempt| {
        attempt.step == step
            && attempt.seq > history.decided
            && attempt
                .outcome
                .is_some_and(|outcome| !outcome.is_good() && !outcome.is_void() && !outcome.is_for_later())
    })
}

fn bad_endings(history: &History, step: Step) -> u32 {
    u32::try_from(bad_attempts(history, step).count()).unwrap_or(u32::MAX)
}

/// Stops a loop that gets nowhere: the same failures so many times in a row, or A→B→A.
fn brake(history: &History, last: &Attempt) -> Option<HaltReason> {
    let wanted = history.bounds.same_failures as usize;
    last.failure_set.as_ref()?;
    if wanted == 0 {
        return None;
    }
    let sets: Vec<&str> =
        bad_attempts(history, last.step).rev().map_while(|attempt| attempt.failure_set.as_deref()).collect();
    let stuck = sets.len() >= wanted && sets.iter().take(wanted).all(|set| *set == sets[0]);
    let swings = matches!(sets.as_slice(), [a, b, c, ..] if a == c && a != b);
    (stuck || swings).then_some(HaltReason::NoProgress)
}
