//! The failure ledger: what happened to each failing test from run to run, and the fingerprints by which failures are
//! told apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::Regex;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ChildProblem, DesignProblem, TestFailure, TestRun, TestStatus};

/// What became of a failure in the latest run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// It failed for the first time.
    New,
    /// It failed as before.
    StillFailing,
    /// It failed, but says something else than before.
    MessageChanged,
    /// It failed before and does not any more.
    Fixed,
    /// It was fixed and failed again.
    CameBack,
    /// It came back more than once.
    Flaky,
}

impl LedgerState {
    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::StillFailing => "still failing",
            Self::MessageChanged => "message changed",
            Self::Fixed => "fixed",
            Self::CameBack => "came back",
            Self::Flaky => "flaky",
        }
    }

    /// Whether it failed in the latest run.
    #[must_use]
    pub const fn is_failing(self) -> bool {
        match self {
            Self::New | Self::StillFailing | Self::MessageChanged | Self::CameBack | Self::Flaky => true,
            Self::Fixed => false,
        }
    }
}

/// One failing test, or one place that does not compile, over the runs of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// The test's name; for a compile error its file.
    pub test: String,
    /// Where it failed last.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: Option<u32>,
    /// What it said last.
    pub message: String,
    /// Whether it is a place that does not compile.
    pub compile: bool,
    /// Test id and message, without what changes from run to run.
    pub fingerprint: String,
    /// What became of it in the latest run.
    pub state: LedgerState,
    /// The `seq` of the interaction in which it failed first.
    pub first: u32,
    /// The `seq` of the interaction in which it failed last.
    pub last: u32,
    /// How often it came back after it was fixed.
    pub returns: u32,
}

/// Enters a test run into the ledger. `seq` is the interaction's.
///
/// A run whose tests could not run says nothing about tests that failed before, so those rows stay as they are.
pub fn absorb(ledger: &mut Vec<LedgerRow>, run: &TestRun, seq: u32) {
    let mut seen: BTreeSet<(bool, String)> = BTreeSet::new();
    for entry in entries(run) {
        if !seen.insert((entry.compile, entry.test.clone())) {
            continue;
        }
        match ledger.iter_mut().find(|row| row.compile == entry.compile && row.test == entry.test) {
            Some(row) => fail_again(row, entry, seq),
            None => ledger.push(LedgerRow { first: seq, last: seq, ..entry }),
        }
    }
    for row in ledger.iter_mut() {
        let judged =
            if row.compile { run.status != TestStatus::CompileError && !is_mute(run) } else { run.status.ran() };
        if judged && !seen.contains(&(row.compile, row.test.clone())) {
            row.state = LedgerState::Fixed;
        }
    }
}

/// Whether the run says nothing about whether the code compiles.
fn is_mute(run: &TestRun) -> bool {
    matches!(run.status, TestStatus::Unparsable | TestStatus::Timeout)
}

fn fail_again(row: &mut LedgerRow, entry: LedgerRow, seq: u32) {
    row.state = if row.state == LedgerState::Fixed {
        row.returns += 1;
        if row.returns > 1 { LedgerState::Flaky } else { LedgerState::CameBack }
    } else if row.fingerprint == entry.fingerprint {
        LedgerState::StillFailing
    } else {
        LedgerState::MessageChanged
    };
    *row = LedgerRow { state: row.state, first: row.first, returns: row.returns, last: seq, ..entry };
}

/// The failures and compile errors of a run as rows that are new.
fn entries(run: &TestRun) -> impl Iterator<Item = LedgerRow> + '_ {
    let compile = run.compile_errors.iter().map(|error| {
        // Two errors in one file are two rows: the message tells them apart, the line does not (it moves).
        let fingerprint = fingerprint(&error.file, &error.message);
        LedgerRow {
            test: format!("{}: {}", error.file, first_line(&error.message)),
            file: Some(error.file.clone()),
            line: error.line,
            message: error.message.clone(),
            compile: true,
            fingerprint,
            state: LedgerState::New,
            first: 0,
            last: 0,
            returns: 0,
        }
    });
    let failures = run.failures.iter().map(|failure| LedgerRow {
        test: test_id(failure),
        file: failure.file.clone(),
        line: failure.line,
        message: failure.message.clone(),
        compile: false,
        fingerprint: fingerprint(&test_id(failure), &failure.message),
        state: LedgerState::New,
        first: 0,
        last: 0,
        returns: 0,
    });
    compile.chain(failures)
}

fn test_id(failure: &TestFailure) -> String {
    failure.name.clone()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The patterns of what changes from run to run, with what stands for them. All are constant, so none fails to compile; a
/// pattern that did would only make fingerprints too fine.
static CHANGING: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "<id>"),
        (r"0x[0-9a-fA-F]+", "<address>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d\d?:\d\d(?::\d\d)?(?:\.\d+)?", "<time>"),
        (r"\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|secs?|seconds?|minutes?)\b", "<time>"),
        (r"#(?:PID)?<[\d.]+>", "<id>"),
        (r"\b[0-9a-f]{12,64}\b", "<id>"),
        (r"(?:[A-Za-z]:)?(?:\.{0,2}/|[\w.-]+/)(?:[\w.@+-]+/)*[\w.@+-]+(?::\d+)*", "<path>"),
    ]
    .into_iter()
    .filter_map(|(pattern, stands_for)| Regex::new(pattern).ok().map(|regex| (regex, stands_for)))
    .collect()
});

/// So much of a message is looked at: two failures that differ only later are the same failure.
const LOOKED_AT: usize = 2_000;

/// Test id and message without paths, ids, addresses and times, so that the same failure of another run is recognised.
#[must_use]
pub fn fingerprint(test: &str, message: &str) -> String {
    let end = message.floor_char_boundary(LOOKED_AT);
    let mut text = message[..end].to_owned();
    for (pattern, stands_for) in CHANGING.iter() {
        text = pattern.replace_all(&text, *stands_for).into_owned();
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{test}\n{text}")
}

/// Identifies the set of failures of a run: equal sets, equal text. `None` for a run that passed.
#[must_use]
pub fn failure_set(run: &TestRun) -> Option<String> {
    if run.status == TestStatus::Passed {
        return None;
    }
    let fingerprints: BTreeSet<String> = entries(run).map(|entry| entry.fingerprint).collect();
    Some(set_hash(run.status.as_str(), fingerprints))
}

/// The same for what a validation found. `None` when it found nothing.
#[must_use]
pub fn problem_set(children: &[ChildProblem], design: &[DesignProblem]) -> Option<String> {
    let mut prints: BTreeMap<String, ()> = BTreeMap::new();
    for problem in children {
        prints.insert(fingerprint(&problem.component, &problem.message), ());
    }
    for problem in design {
        prints.insert(fingerprint(&problem.section, &problem.message), ());
    }
    (!prints.is_empty()).then(|| set_hash("problems", prints.into_keys()))
}

fn set_hash(kind: &str, prints: impl IntoIterator<Item = String>) -> String {
    let mut hash = Sha256::new();
    hash.update(kind);
    for print in prints {
        hash.update([0]);
        hash.update(print);
    }
    hash.finalize().iter().take(12).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
