//! Tests of `workflow`: pure functions, so every test is a history and an answer.

mod continuation;
mod criteria;
mod errors;
mod explain;
mod ledger;
mod limits;
mod pause;
mod placement;
mod properties;
mod render;
mod story;
mod tables;
mod waiting;

use callboard::{
    model::{Cause, ResultStatus, SessionId, SessionKind, Status, Step},
    workflow::{Attempt, Awaited, Bounds, History, Outcome, fix_step},
};

const OK: Outcome = Outcome { status: ResultStatus::Ok, cause: None };
const WARNING: Outcome = Outcome { status: ResultStatus::Warning, cause: None };

/// An error without a cause.
const ERROR: Outcome = Outcome { status: ResultStatus::Error, cause: None };

const fn error(cause: Cause) -> Outcome {
    Outcome { status: ResultStatus::Error, cause: Some(cause) }
}

/// Every outcome that a step can have in earnest.
fn outcomes() -> Vec<Outcome> {
    [OK, WARNING, ERROR].into_iter().chain(Cause::ALL.iter().map(|cause| error(*cause))).collect()
}

/// An active session whose generation starts at `start` and in which nothing has happened yet.
fn begun_at(kind: SessionKind, start: Step) -> History {
    History {
        kind,
        status: Status::Active,
        start,
        attempts: Vec::new(),
        decided: 0,
        awaited: Vec::new(),
        requests: 0,
        bounds: Bounds { iterations: 5, same_failures: 3 },
    }
}

/// The same, with one attempt at its start step.
fn after(kind: SessionKind, step: Step, outcome: impl Into<Option<Outcome>>) -> History {
    let mut history = begun_at(kind, step);
    push(&mut history, step, outcome);
    history
}

/// Appends an attempt.
fn push(history: &mut History, step: Step, outcome: impl Into<Option<Outcome>>) {
    let seq = history.attempts.last().map_or(1, |last| last.seq + 1);
    history.attempts.push(Attempt { seq, step, outcome: outcome.into(), failure_set: None });
}

/// Appends an attempt at a step that found these failures.
fn push_failures(history: &mut History, step: Step, set: &str) {
    push(history, step, error(Cause::Failed));
    history.attempts.last_mut().unwrap().failure_set = Some(set.to_owned());
}

/// A person says to go on from where the session stands.
fn decide(history: &mut History) {
    history.decided = history.attempts.last().map_or(0, |last| last.seq);
}

fn session(number: u128) -> SessionId {
    SessionId::from_u128(number)
}

fn awaited(statuses: &[Status]) -> Vec<Awaited> {
    (1..).zip(statuses).map(|(number, status)| Awaited { session: session(number), status: *status }).collect()
}

/// The kinds that spawn children, each with the step that does it.
fn spawning() -> impl Iterator<Item = (SessionKind, Step)> {
    SessionKind::ALL.iter().filter(|kind| kind.child_kind().is_some()).map(|kind| (*kind, fix_step(*kind)))
}
