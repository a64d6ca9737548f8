//! How long an agent that fails at once is left alone before it is tried again.

use std::time::Duration;

use crate::model::{Cause, Micros, Performer, ResultStatus, Step};

/// One attempt, as far as a pause depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// The step.
    pub step: Step,
    /// How it ended; `None` while it is pending.
    pub status: Option<ResultStatus>,
    /// Why, if it did not end well.
    pub cause: Option<Cause>,
    /// When it began.
    pub started_at: Micros,
    /// When it ended.
    pub completed_at: Option<Micros>,
}

/// A pause before the next attempt at an agent step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// How long it is.
    pub length: Duration,
    /// When it is over.
    pub until: Micros,
}

/// What ends within this time has failed at once, in microseconds.
const AT_ONCE: Micros = 1_000_000;

/// The pause before the next attempt at `step`, if its last attempts failed at once: one second after the first of them, twice as
/// long after each that follows, at most `longest`. `attempts` are those since the session began, or since a person last
/// decided, in order. One that was cut off with its engine does not count.
#[must_use]
pub fn pause(attempts: &[Tried], step: Step, longest: Duration) -> Option<Pause> {
    if step.performer() != Performer::Agent || longest.is_zero() {
        return None;
    }
    let counted = || attempts.iter().rev().filter(|tried| tried.cause != Some(Cause::Interrupted));
    let failed = counted().take_while(|tried| tried.step == step && failed_at_once(tried)).count();
    let doubled = u32::try_from(failed.checked_sub(1)?).unwrap_or(u32::MAX);
    let length = Duration::from_secs(1_u64.checked_shl(doubled).unwrap_or(u64::MAX)).min(longest);
    let ended = counted().next()?.completed_at?;
    let until = ended.saturating_add(Micros::try_from(length.as_micros()).unwrap_or(Micros::MAX));
    Some(Pause { length, until })
}

fn failed_at_once(tried: &Tried) -> bool {
    let took = tried.completed_at.map(|at| at.saturating_sub(tried.started_at));
    tried.status == Some(ResultStatus::Error) && took.is_some_and(|took| took < AT_ONCE)
}
