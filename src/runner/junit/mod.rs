//! Any runner that writes JUnit XML: its report, and its text for what the report does not say.

mod case;
mod compile;
mod perl;
mod walk;

use std::borrow::Cow;

use self::case::Verdict;
use super::{Finished, Format, cargo, plan::reports_on_stdout, tally, tally::Tally};
use crate::model::{CaseStatus, CustomRunner, Exit, TestFailure, TestRun, TestStatus};

/// A larger report is not read.
const MAX_REPORT: usize = 64 * 1024 * 1024;

/// Whether the runner got as far as a test.
pub(super) fn began(custom: &CustomRunner, finished: &Finished<'_>) -> bool {
    let report = report(custom, finished).unwrap_or_default();
    report.windows(9).any(|window| window == b"<testcase")
}

/// Reads a finished run.
pub(super) fn read(custom: &CustomRunner, finished: &Finished<'_>) -> TestRun {
    read_report(&Finished { report: report(custom, finished), ..*finished })
}

/// The report: a runner that was given no place for it writes it to its standard output. From any other runner such text is
/// only something that a test printed.
fn report<'a>(custom: &CustomRunner, finished: &Finished<'a>) -> Option<&'a [u8]> {
    if finished.report.is_some() || !reports_on_stdout(custom) {
        return finished.report;
    }
    let starts = |window: &[u8]| window.starts_with(b"<?xml ") || window.starts_with(b"<testsuite");
    let at = finished.stdout.windows(10).position(starts)?;
    finished.stdout.get(at..)
}

/// What the walk found.
struct Found {
    tally: Tally,
    document: walk::Document,
    /// A test was interrupted, or the runner failed itself.
    broken: bool,
    /// Failing tests that are named by a file's path.
    files: Vec<String>,
}

/// Reads a run whose report, if any, is in [`Finished::report`].
pub(super) fn read_report(finished: &Finished<'_>) -> TestRun {
    let report = finished.report.filter(|report| report.len() <= MAX_REPORT);
    let text = report.map(decode);
    let mut found = walk(text.as_deref().unwrap_or_default(), finished);
    let blank = text.as_deref().is_some_and(|text| text.trim().is_empty());
    let run = &mut found.tally.run;
    let silent = u64::from(run.passed) + u64::from(run.failed) + u64::from(run.errored) + u64::from(run.skipped) == 0;
    if silent && !blank && run.compile_errors.is_empty() && finished.exit.code().is_some_and(|code| code != 0) {
        run.compile_errors = compile::errors(finished.stdout, finished.stderr, finished.worktree);
    }
    perl::complete(&mut run.failures, finished.stderr, finished.worktree);
    if !found.files.is_empty() {
        for output in [finished.stdout, finished.stderr] {
            run.compile_errors.extend(compile::node(&found.files, output, finished.worktree));
        }
    }
    found.tally.run.status = status(&found, text.as_deref(), finished);
    let too_large = finished.report.is_some_and(|report| report.len() > MAX_REPORT);
    found.tally.run.unreadable = (too_large && found.tally.run.status == TestStatus::Unparsable)
        .then(|| format!("the test report is larger than {} MiB, the most that is read", MAX_REPORT / 1024 / 1024));
    found.tally.run
}

fn status(found: &Found, text: Option<&str>, finished: &Finished<'_>) -> TestStatus {
    let run = &found.tally.run;
    let code = match finished.exit {
        Exit::Timeout | Exit::Inactive => return TestStatus::Timeout,
        Exit::NotStarted { .. } => return TestStatus::Unparsable,
        Exit::Signal { .. } | Exit::Cancelled => return TestStatus::Crashed,
        Exit::Code { code } => *code,
    };
    if !run.compile_errors.is_empty() {
        return TestStatus::CompileError;
    }
    let Some(text) = text else {
        let oversized = finished.report.is_some();
        let none =
            || compile::nothing_to_run(finished.stdout, finished.stderr) || cargo::nothing_there(finished.stderr);
        return if !oversized && none() { TestStatus::NoTests } else { TestStatus::Unparsable };
    };
    let text = text.trim_start();
    let begun = text.is_empty() || found.document.is_junit || text.starts_with('<');
    let broken = found.broken || !found.document.closed || text.is_empty();
    if begun && broken {
        return TestStatus::Crashed;
    }
    if !found.document.is_junit {
        return TestStatus::Unparsable;
    }
    // An error of a suite that belongs to no test is still one.
    if found.document.suite_error { TestStatus::Failed } else { tally::verdict(run, code) }
}

fn walk(text: &str, finished: &Finished<'_>) -> Found {
    let mut tally = Tally::new(Format::Junit);
    let (mut broken, mut files) = (false, Vec::new());
    let mut each = |case: walk::Case| match case::judge(&case, finished.worktree) {
        Verdict::Test(test, failure) => {
            tally.count(test.status, 1);
            if let Some(failure) = failure {
                if case.name.starts_with('/') && failure.name != case.name && files.len() < TestRun::MAX_TESTS {
                    files.push(failure.name.clone());
                }
                tally.failure(placed(*failure));
            }
            tally.case(test);
        }
        Verdict::Compile(error) => tally.compile_error(error),
        Verdict::Unfinished => broken = true,
        Verdict::Internal(failure) => {
            broken = true;
            tally.count(CaseStatus::Errored, 1);
            tally.failure(*failure);
        }
    };
    let document = walk::walk(text, &mut each);
    tally.run.duration_ms = document.duration_ms;
    Found { tally, document, broken, files }
}

/// A failing test that is a file (node) fails in that file.
fn placed(mut failure: TestFailure) -> TestFailure {
    if failure.file.is_none() && failure.name.contains('/') && super::place::has_extension(&failure.name) {
        failure.file = Some(failure.name.clone());
    }
    failure
}

/// The report as text: UTF-8 with or without a mark, or UTF-16 with one; what is neither is replaced.
fn decode(report: &[u8]) -> Cow<'_, str> {
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|pair| read(*pair)).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match report {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(report),
    }
}
