//! Counts tests and keeps what there is room for.

use super::{Format, text};
use crate::model::{CaseStatus, TestCase, TestFailure, TestRun, TestStatus};

/// So many bytes of what failing tests printed are kept of one run; after that only their messages' first words.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A run that is being read.
#[derive(Debug)]
pub(super) struct Tally {
    /// The run so far.
    pub(super) run: TestRun,
    room: usize,
}

impl Tally {
    /// Nothing counted yet.
    pub(super) fn new(format: Format) -> Self {
        Self { run: TestRun::empty(format.name(), TestStatus::Unparsable), room: MAX_TEXT }
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
        if self.run.tests.len() < TestRun::MAX_TESTS {
            self.run.tests.push(case);
        }
    }

    /// Keeps a failure, without counting it.
    pub(super) fn failure(&mut self, mut failure: TestFailure) {
        if self.run.failures.len() >= TestRun::MAX_TESTS {
            return;
        }
        let size = failure.message.len() + failure.stack.len();
        if size > self.room {
            failure.message = text::cap(&failure.message, text::NAME / 4);
            failure.stack = String::new();
        }
        self.room = self.room.saturating_sub(size);
        self.run.failures.push(failure);
    }
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
