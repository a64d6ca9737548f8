//! The failure ledger: what happened to each failing test from run to run, and the fingerprints by which failures are
//! told apart.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ChildProblem, DesignProblem, Placement, TestFailure, TestRun, TestStatus};

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
    /// Where it belongs, seen from the session, where the run was placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
    /// The context that it belongs to, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
}

impl LedgerRow {
    /// Whether it fails, and not only since before the session began.
    #[must_use]
    pub fn is_breakage(&self) -> bool {
        self.state.is_failing() && !self.was_red_before()
    }

    /// Whether it failed before the session began.
    #[must_use]
    pub fn was_red_before(&self) -> bool {
        self.placement == Some(Placement::PreExisting)
    }

    /// Where it belongs, in words, if it is not the session's own.
    #[must_use]
    pub fn belongs(&self) -> Option<String> {
        Placement::in_words(self.placement, self.context.as_deref())
    }
}

/// Enters a test run into the ledger. `seq` is the interaction's.
///
/// A run whose tests could not run says nothing about tests that failed before, so those rows stay as they are. Neither does
/// a list of failures that was cut say anything about those that are not on it.
pub fn absorb(ledger: &mut Vec<LedgerRow>, run: &TestRun, seq: u32) {
    let mut rows: BTreeMap<(bool, String), usize> =
        ledger.iter().enumerate().map(|(at, row)| ((row.compile, row.test.clone()), at)).collect();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for entry in entries(run) {
        let at = *rows.entry((entry.compile, entry.test.clone())).or_insert(ledger.len());
        if !seen.insert(at) {
            continue;
        }
        match ledger.get_mut(at) {
            Some(row) => fail_again(row, entry, seq),
            None => ledger.push(LedgerRow { first: seq, last: seq, ..entry }),
        }
    }
    let compiled = run.status != TestStatus::CompileError && !is_mute(run);
    let ran = run.status.ran() && !is_cut(run);
    for (at, row) in ledger.iter_mut().enumerate() {
        let judged = if row.compile { compiled } else { ran };
        if judged && !seen.contains(&at) {
            row.state = LedgerState::Fixed;
        }
    }
}

/// Whether more failed than the run lists.
fn is_cut(run: &TestRun) -> bool {
    run.unlisted_failures() > 0
}

/// Whether the run says nothing about whether the code compiles.
fn is_mute(run: &TestRun) -> bool {
    matches!(run.status, TestStatus::Unparsable | TestStatus::Timeout)
}

fn fail_again(row: &mut LedgerRow, entry: LedgerRow, seq: u32) {
    row.state = if row.state == LedgerState::Fixed {
        row.returns += 1;
        if row.returns > 1 { LedgerState::Flaky } else { LedgerState::CameBack }
    } else if row.fingerprint == entry.fingerprint || entry.message.is_empty() || row.message.is_empty() {
        // What it says is not kept of every one of very many.
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
            placement: error.placement,
            context: error.context.clone(),
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
        placement: failure.placement,
        context: failure.context.clone(),
    });
    compile.chain(failures)
}

fn test_id(failure: &TestFailure) -> String {
    failure.name.clone()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The patterns of what changes from run to run, with what stands for them, in this order: a path swallows the ids and the
/// numbers of lines in it before they can be taken for something else. All are constant, so none fails to compile; a pattern
/// that did would only make fingerprints too fine.
///
/// What a test compares is not to be taken for one of them: `1/2`, `text/html`, `/orders`, `0x1f` and long numbers stay.
static CHANGING: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        // Absolute or dotted, with a directory in it.
        (r"(^|[^\w./])(?:[A-Za-z]:|~|\.{1,2})?/+(?:[\w.@+-]+/)+[\w.@+-]*(?::\d+)*", "$1<path>"),
        // Relative: known by its suffix, and without a directory also by its line.
        (r"(?:[\w.@+-]+/)+[\w.@+-]*\.[A-Za-z]\w*(?::\d+)*|[\w.@+-]+\.[A-Za-z]\w*(?::\d+)+", "<path>"),
        // Rust's panics name the thread with its number.
        (r"(thread '[^'\n]*') \(\d+\)", "$1 (<id>)"),
        (r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}", "<id>"),
        (r"0x[0-9a-fA-F]{8,}", "<address>"),
        (r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?", "<time>"),
        (r"\b\d\d?:\d\d(?::\d\d)?(?:\.\d+)?", "<time>"),
        (r"\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|secs?|seconds?|minutes?)\b", "<time>"),
        (r"#(?:PID|Port|Reference)?<[\d.]+>", "<id>"),
    ]
    .into_iter()
    .filter_map(|(pattern, stands_for)| Regex::new(pattern).ok().map(|regex| (regex, stands_for)))
    .collect()
});

/// What may be an id in hexadecimal digits; it is one if it is no number (see [`is_hex_id`]).
static HEX: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{12,64}\b").ok());

fn is_hex_id(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

/// So much of a message is looked at.
const LOOKED_AT: usize = 3_000;

/// So much of it is kept once what changes is taken out: two failures that differ only later are the same failure. It is
/// less than what is looked at, so that a path or a time of another length does not move the place where it is cut.
const KEPT: usize = 2_000;

/// Test id and message without paths, ids, addresses and times, so that the same failure of another run is recognised.
#[must_use]
pub fn fingerprint(test: &str, message: &str) -> String {
    let mut text = message[..message.floor_char_boundary(LOOKED_AT)].to_owned();
    for (pattern, stands_for) in CHANGING.iter() {
        if let Cow::Owned(changed) = pattern.replace_all(&text, *stands_for) {
            text = changed;
        }
    }
    if let Some(hex) = HEX.as_ref() {
        let id = |found: &Captures<'_>| if is_hex_id(&found[0]) { "<id>".to_owned() } else { found[0].to_owned() };
        text = hex.replace_all(&text, id).into_owned();
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{test}\n{}", &text[..text.floor_char_boundary(KEPT)])
}

/// Identifies the set of failures of a run: equal sets, equal text. `None` for a run that passed.
#[must_use]
pub fn failure_set(run: &TestRun) -> Option<String> {
    if run.status == TestStatus::Passed {
        return None;
    }
    // Of so many only some messages are kept, and which of them may differ from run to run.
    let named = run.failures.len() > TestRun::MAX_TOLD || run.compile_errors.len() > TestRun::MAX_TOLD;
    let print = |entry: LedgerRow| match (named, entry.compile) {
        (false, _) => entry.fingerprint,
        (true, false) => entry.test,
        (true, true) => entry.file.unwrap_or_default(),
    };
    let fingerprints: BTreeSet<String> = entries(run).map(print).collect();
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
