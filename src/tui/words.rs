//! How times, kinds and states are written on the board.

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    model::{HaltReason, Micros, SessionKind, Status, Step},
    store::{BoardRow, Need},
};

use super::text::Tone;

const SECOND: i64 = 1_000_000;

/// A duration in at most five columns: `9s`, `59m`, `3h12`, `14d`.
#[must_use]
pub fn brief(micros: Micros) -> String {
    let seconds = micros.max(0) / SECOND;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..36_000 => format!("{}h{:02}", seconds / 3_600, seconds / 60 % 60),
        36_000..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration with what a person wants to know of it: `0.3s`, `12s`, `3m 12s`, `2h 05m`.
#[must_use]
pub fn exact(micros: Micros) -> String {
    let micros = micros.max(0);
    let seconds = micros / SECOND;
    match seconds {
        0..10 => format!("{}.{}s", seconds, micros / 100_000 % 10),
        10..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// The time of day; with the date when it is more than half a day from `now`.
#[must_use]
pub(super) fn clock(at: Micros, now: Micros, zone: &TimeZone) -> String {
    let Ok(time) = Timestamp::from_microsecond(at) else { return String::new() };
    let time = time.to_zoned(zone.clone());
    let form = if (now - at).abs() < 43_200 * SECOND { "%H:%M:%S" } else { "%b %d %H:%M" };
    time.strftime(form).to_string()
}

/// A kind in at most ten columns. A context's kinds are in the plural: they run many of the component's.
#[must_use]
pub(super) const fn kind(kind: SessionKind) -> &'static str {
    match kind {
        SessionKind::ComponentDesign => "design",
        SessionKind::ComponentTest => "test",
        SessionKind::ComponentCoding => "code",
        SessionKind::ContextDesign => "designs",
        SessionKind::ContextTesting => "tests",
        SessionKind::ContextCoding => "coding",
        SessionKind::Integration => "integrate",
    }
}

/// A step in a word or two.
#[must_use]
pub(super) const fn step(step: Step) -> &'static str {
    match step {
        Step::Initialize => "set up",
        Step::ReadContextDesign => "read design",
        Step::GenerateComponentDesign => "write design",
        Step::ValidateDesign => "check design",
        Step::ReviseDesign => "revise design",
        Step::GenerateTestsAndFixtures => "write tests",
        Step::RunTests => "run tests",
        Step::FixCompilationErrors => "fix compile",
        Step::GenerateImplementation => "write code",
        Step::FixTestFailures | Step::FixIntegrationTestFailures => "fix failures",
        Step::SpawnComponentDesignSessions
        | Step::SpawnComponentTestingSessions
        | Step::SpawnComponentCodingSessions => "children",
        Step::GenerateIntegrationTests => "write tests",
        Step::GenerateContext => "write context",
        Step::RunIntegrationTests => "run tests",
        Step::RunTestSuite => "run suite",
        Step::ValidateAcceptanceCriteria => "check criteria",
        Step::Finalize => "finalize",
    }
}

/// How a session stands, in one column: the shape tells what the colour tells.
#[must_use]
pub(super) const fn glyph(row: &BoardRow) -> (&'static str, Tone) {
    if row.halt.is_some() || (row.requests > 0 && matches!(row.status, Status::Active)) {
        return ("◆", Tone::Warn);
    }
    match row.status {
        Status::Active if row.is_running() => ("●", Tone::Busy),
        Status::Active => ("○", Tone::Busy),
        Status::Complete => ("✓", Tone::Good),
        Status::Failed => ("✗", Tone::Bad),
        Status::Cancelled => ("–", Tone::Dim),
    }
}

/// What a session needs a person for, in a word.
#[must_use]
pub(super) const fn need(need: Need) -> &'static str {
    match need {
        Need::Decision { .. } => "decide",
        Need::Request | Need::Permission => "asks",
        Need::Advance => "advance",
        Need::Failed => "failed",
    }
}

/// A halt's reason as people say it.
#[must_use]
pub(super) const fn reason(reason: HaltReason) -> &'static str {
    match reason {
        HaltReason::ArchitecturalFailure => "broke tests outside its context",
        HaltReason::ArchitecturalIssue => "architectural issue",
        HaltReason::IterationLimit => "out of attempts",
        HaltReason::NoProgress => "no progress",
        HaltReason::MergeConflict => "merge conflict",
        HaltReason::AgentUnavailable => "agent unavailable",
        HaltReason::Environment => "environment",
    }
}

/// `1 child`, `3 children`.
#[must_use]
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    count_of(number as u64, one, many)
}

/// The same of a large number.
#[must_use]
pub(super) fn count_of(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
