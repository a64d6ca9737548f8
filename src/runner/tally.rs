//! Counts tests and keeps what there is room for.

use super::{Format, text};
use crate::model::{CaseStatus, CompileError, TestCase, TestFailure, TestRun, TestStatus};

/// So many bytes of what failing tests printed are kept of one run; after that only their messages' first words.
const MAX_TEXT: usize = 4 * 1024 * 1024;
/// So many bytes of the names, files and markers of tests are kept, and of failures as much again: a report may name one long
/// file once for a million tests.
const MAX_NAMES: usize = 32 * 1024 * 1024;

/// A run that is being read.
#[derive(Debug)]
pub(super) struct Tally {
    /// The run so far.
    pub(super) run: TestRun,
    /// For what failing tests printed.
    room: usize,
    /// For tests by name.
    tests: usize,
    /// For failures by name.
    failures: usize,
}

impl Tally {
    /// Nothing counted yet.
    pub(super) fn new(format: Format) -> Self {
        Self {
            run: TestRun::empty(format.name(), TestStatus::Unparsable),
            room: MAX_TEXT,
            tests: MAX_NAMES,
            failures: MAX_NAMES,
        }
    }

    /// Counts tests.
    pub(super) fn count(&mut self, status: CaseStatus, number: u64) {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        let total = match status {
            CaseStatus::Passed => &mut self.run.passed,
            CaseStatus::Failed => &mut self.run.failed,
            CaseStatus::Errored => &mut self.run.errored,
            CaseStatus::Skipped => &mut self.run.skipped,
        };
        *total = total.saturating_add(number);
    }

    /// Keeps a test by name, without counting it.
    pub(super) fn case(&mut self, case: TestCase) {
        let size = case.name.len() + length(&case.file) + case.markers.iter().map(String::len).sum::<usize>();
        if self.run.tests.len() < TestRun::MAX_TESTS && fits(&mut self.tests, size) {
            self.run.tests.push(case);
        }
    }

    /// Keeps a place that does not compile.
    pub(super) fn compile_error(&mut self, mut error: CompileError) {
        if self.run.compile_errors.len() >= TestRun::MAX_TOLD {
            error.message = String::new();
        }
        if self.run.compile_errors.len() < TestRun::MAX_TESTS && fits(&mut self.failures, error.file.len()) {
            self.run.compile_errors.push(error);
        }
    }

    /// Keeps a failure, without counting it.
    pub(super) fn failure(&mut self, mut failure: TestFailure) {
        let named = failure.name.len() + length(&failure.file) + length(&failure.foreign_file);
        if self.run.failures.len() >= TestRun::MAX_TESTS || !fits(&mut self.failures, named) {
            return;
        }
        let size = failure.message.len() + failure.stack.len();
        if self.run.failures.len() >= TestRun::MAX_TOLD {
            // Which of them are told in the end is not known before they are placed.
            failure.message = text::cap(&failure.message, text::NAME / 4);
            failure.stack = String::new();
        } else if size > self.room {
            failure.message = text::cap(&failure.message, text::NAME / 4);
            failure.stack = String::new();
        }
        self.room = self.room.saturating_sub(size);
        self.run.failures.push(failure);
    }
}

fn length(text: &Option<String>) -> usize {
    text.as_ref().map_or(0, String::len)
}

/// Takes room, if there is so much.
fn fits(room: &mut usize, size: usize) -> bool {
    room.checked_sub(size).map(|left| *room = left).is_some()
}

/// What a run that came to its end was worth. An exit code other than 0 is a veto; tests that were all skipped prove nothing.
pub(super) fn verdict(run: &TestRun, code: i32) -> TestStatus {
    let executed = u64::from(run.passed) + u64::from(run.failed) + u64::from(run.errored);
    let content = code == 0 && run.failed == 0 && run.errored == 0;
    if executed == 0 && (content || run.skipped == 0) {
        TestStatus::NoTests
    } else if content {
        TestStatus::Passed
    } else {
        TestStatus::Failed
    }
}
