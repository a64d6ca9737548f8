//! How both kinds of report write times and how much of a text they take.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    git::{ChangedFile, Patch},
    model::{
        Command, Halt, Intent, IntentAction, Interaction, Micros, Placement, SessionId, TestFailure, TestRun, Verdict,
    },
    tui,
    workflow::{LedgerRow, Sentence},
};

use super::{Changes, Told};

/// So many lines of a story are told; of a longer one the first and the last.
pub(super) const SENTENCES: usize = 400;
/// So many rows a table has.
pub(super) const ROWS: usize = 300;
/// So many tests or files are listed in a cell.
pub(super) const LISTED: usize = 6;
/// So many bytes of a text are taken: an error message, a note, an item of evidence.
pub(super) const TEXT: usize = 4_000;
/// So many bytes of one prompt are taken.
pub(super) const PROMPT: usize = 64 * 1024;
/// So many bytes of prompts a report has in all.
pub(super) const PROMPTS: usize = 2 * 1024 * 1024;

/// A report that has so many bytes tells of no further session.
pub(super) const WHOLE: usize = 8 * 1024 * 1024;

/// A time to the second, in UTC: a report is read anywhere.
pub(super) fn time(at: Micros) -> String {
    Timestamp::from_microsecond(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// The time of day.
pub(super) fn clock(at: Micros) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |time| time.strftime("%H:%M:%S").to_string())
}

/// A text without control characters, cut after so many bytes with a word that says so.
pub(super) fn cut(text: &str, bytes: usize) -> String {
    let end = text.floor_char_boundary(bytes);
    let cleaned = tui::clean(&text[..end]);
    if end < text.len() { format!("{cleaned}… ({} bytes more)", text.len() - end) } else { cleaned }
}

/// The same on one line.
pub(super) fn line(text: &str, bytes: usize) -> String {
    tui::clean_line(&cut(text, bytes))
}

/// A path in full view: a name that hides something is shown as what it is.
pub(super) fn path(path: &str, bytes: usize) -> String {
    let end = path.floor_char_boundary(bytes);
    let shown = tui::visible(&path[..end]);
    if end < path.len() { format!("{shown}…") } else { shown }
}

/// What stands in place of the lines of a file that has none, or too many.
pub(super) const fn no_lines(file: &ChangedFile) -> &'static str {
    if file.too_large { "too large to count" } else { "binary" }
}

/// How much changed; where not every line was counted, the least that did.
pub(super) fn counted(changes: &Changes) -> String {
    let (came, went) = changes.lines();
    let whole = changes.files.len() == changes.all && changes.files.iter().all(|file| !file.too_large);
    let least = if whole { "" } else { "≥" };
    format!("{}, +{least}{came} −{least}{went}", count(changes.all, "file", "files"))
}

/// A commit in short.
pub(super) fn short(commit: &str) -> String {
    commit.chars().take(10).collect()
}

/// `1 file`, `3 files`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Names in a row, the first of them.
pub(super) fn list<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| line(name.as_ref(), 300)).collect();
    let shown = shown.join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}

/// The first failures of a ledger, those outside the context before the others.
pub(super) fn failures(told: &Told) -> Vec<&LedgerRow> {
    let mut rows: Vec<&LedgerRow> = told.ledger.iter().collect();
    rows.sort_by_key(|row| Placement::rank(row.placement));
    rows.truncate(ROWS);
    rows
}

/// How the tests of a run fared.
pub(super) fn tests(run: &TestRun) -> String {
    let bad = run.failed + run.errored;
    let skipped = if run.skipped > 0 { format!(", {} skipped", run.skipped) } else { String::new() };
    if !run.status.ran() {
        return run.status.as_str().replace('_', " ");
    }
    if run.must_fail {
        return format!("{bad} fail, as they must before there is code");
    }
    match bad {
        0 => format!("{} passed{skipped}", run.passed),
        bad => format!("{bad} failed, {} passed{skipped}", run.passed),
    }
}

/// What was asked, as a verb, and the words that went with it.
pub(super) fn wish(action: &IntentAction) -> (String, Option<&str>) {
    match action {
        IntentAction::Start => ("asked for it".into(), None),
        IntentAction::Advance => ("had its next step started".into(), None),
        IntentAction::Retry => ("had it tried again".into(), None),
        IntentAction::Reactivate { context, redesign: false, .. } => ("woke it".into(), Some(context)),
        IntentAction::Reactivate { context, redesign: true, .. } => {
            ("had its component designed anew".into(), Some(context))
        }
        IntentAction::Renew { context } => ("had its component's work go on".into(), Some(context)),
        IntentAction::Create { kind, component, context } => {
            (format!("asked for a {kind} session for {component}"), Some(context))
        }
        IntentAction::Permit { allow: true, .. } => ("allowed what its agent asked".into(), None),
        IntentAction::Permit { allow: false, .. } => ("denied what its agent asked".into(), None),
        IntentAction::Rule { granted, note, .. } => {
            let what = if *granted { "approved what its agent asks for" } else { "refused what its agent asks for" };
            (what.into(), note.as_deref())
        }
        IntentAction::Say { text } => ("said to its agent".into(), Some(text)),
        IntentAction::Interrupt => ("interrupted it".into(), None),
        IntentAction::TakeOver { line } => (format!("took its conversation over with {line}"), None),
        IntentAction::GiveBack => ("gave its conversation back".into(), None),
        IntentAction::Cancel => ("cancelled it".into(), None),
        IntentAction::SetMode { mode } => (format!("gave it the mode {mode}"), None),
        IntentAction::Approve { note, .. } => ("approved its halt".into(), note.as_deref()),
        IntentAction::Override { note, .. } => ("overrode its halt".into(), Some(note)),
    }
}

/// A verdict as what somebody did.
pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved: the halt was right",
        Verdict::Override => "overrode it: go on",
        Verdict::Retry => "had the step tried again",
    }
}

/// What a halt is about.
pub(super) struct Evidence {
    /// The tests that broke.
    pub(super) tests: Vec<TestFailure>,
    /// The files that may be the cause.
    pub(super) files: Vec<String>,
    /// What was changed in them, as it was then; empty when that is not on record.
    pub(super) patch: String,
    /// All of it, as data; empty when there is nothing but the message.
    pub(super) whole: String,
}

/// The evidence of a halt.
pub(super) fn evidence(halt: &Halt) -> Evidence {
    let empty = |value: &&Value| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
    let part = |name: &str| halt.evidence.get(name).filter(empty);
    let about = part("about").or_else(|| part("problems"));
    let tests = about.and_then(|about| about.get("tests")).or(about);
    let tests = tests.and_then(|tests| serde_json::from_value(tests.clone()).ok()).unwrap_or_default();
    let files = about.and_then(|about| about.get("files"));
    let files = files.and_then(|files| serde_json::from_value(files.clone()).ok()).unwrap_or_default();
    let patch = about.and_then(|about| about.get("patch"));
    let patch = patch.and_then(|patch| serde_json::from_value::<Patch>(patch.clone()).ok());
    let mut rest = about.cloned();
    if let Some(Value::Object(fields)) = &mut rest {
        fields.remove("patch");
    }
    let whole = rest.and_then(|about| serde_json::to_string_pretty(&about).ok()).unwrap_or_default();
    Evidence { tests, files, patch: patch.map(|patch| patch.text()).unwrap_or_default(), whole }
}

/// The beginning and the end of a story that is too long to be told, and how much lies between.
pub(super) fn ends(story: &[Sentence]) -> (&[Sentence], &[Sentence], usize) {
    let left = story.len().saturating_sub(SENTENCES);
    if left == 0 {
        return (story, &[], 0);
    }
    let (first, rest) = story.split_at(SENTENCES / 2);
    (first, rest.get(left..).unwrap_or_default(), left)
}

/// Who asked: a person, or a session.
pub(super) fn who(intent: &Intent, names: &BTreeMap<SessionId, String>) -> String {
    let session = |id: &SessionId| names.get(id).cloned().unwrap_or_else(|| format!("session {}", id.short()));
    match &intent.action {
        IntentAction::Reactivate { requester: Some(id), .. } if intent.user.is_empty() => session(id),
        IntentAction::Create { .. } => "its agent".to_owned(),
        IntentAction::Reactivate { .. }
        | IntentAction::Renew { .. }
        | IntentAction::Rule { .. }
        | IntentAction::Permit { .. }
        | IntentAction::Start
        | IntentAction::Advance
        | IntentAction::Retry
        | IntentAction::Cancel
        | IntentAction::Say { .. }
        | IntentAction::Interrupt
        | IntentAction::TakeOver { .. }
        | IntentAction::GiveBack
        | IntentAction::SetMode { .. }
        | IntentAction::Approve { .. }
        | IntentAction::Override { .. } => line(&intent.user, 200),
    }
}

/// The attempt, the agent and the prompt, if the attempt had one.
pub(super) fn prompt(it: &Interaction) -> Option<(&Interaction, &str, &str)> {
    match &it.command {
        Command::Agent { agent, prompt, .. } => Some((it, agent, prompt)),
        Command::Tests { .. } | Command::Git { .. } | Command::SpawnSessions { .. } | Command::Check { .. } => None,
    }
}
