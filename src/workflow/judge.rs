//! Whether a test run is what its step wants: not every failing test is bad news (DESIGN 2, run_tests).

use crate::model::{CaseStatus, Cause, Placement, ResultStatus, SessionKind, StepResult, TestRun, TestStatus};

use super::{design, ledger};

/// What a test run is judged against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The kind of the session that wrote the tests or the code.
    pub kind: SessionKind,
    /// Whether the code did not exist when the session began: then its tests must fail.
    pub test_first: bool,
    /// The test assertions that the design lists.
    pub assertions: Vec<String>,
}

/// So many names are listed in a message before "and N more".
const LISTED: usize = 5;

/// Judges a test run. The result has everything but its duration, exit code and output.
#[must_use]
pub fn judge(expected: &Expected, mut run: TestRun) -> StepResult {
    run.forget();
    run.must_fail = expected.kind == SessionKind::ComponentTest && expected.test_first;
    let verdict = if !run.status.ran() {
        Verdict::bad(Cause::CouldNotRun, could_not_run(&run), ledger::failure_set(&run))
    } else if run.must_fail {
        test_first(expected, &run)
    } else if run.status == TestStatus::Passed {
        Verdict::good()
    } else {
        Verdict::bad(Cause::Failed, failing(&run), ledger::failure_set(&run))
    };
    StepResult {
        status: if verdict.cause.is_some() { ResultStatus::Error } else { ResultStatus::Ok },
        cause: verdict.cause,
        error_message: verdict.message,
        failure_set: verdict.set,
        ..StepResult::ok()
    }
    .with_data(crate::model::Data::TestRun(run))
}

struct Verdict {
    cause: Option<Cause>,
    message: Option<String>,
    set: Option<String>,
}

impl Verdict {
    const fn good() -> Self {
        Self { cause: None, message: None, set: None }
    }

    const fn bad(cause: Cause, message: String, set: Option<String>) -> Self {
        Self { cause: Some(cause), message: Some(message), set }
    }
}

/// Before the code exists every test must fail, and every assertion of the design must have one.
fn test_first(expected: &Expected, run: &TestRun) -> Verdict {
    let named = |status: CaseStatus| {
        run.tests.iter().filter(move |case| case.status == status).map(|case| case.name.as_str()).collect::<Vec<_>>()
    };
    if run.failed + run.errored == 0 && run.passed == 0 {
        let message = "every test is skipped: before the code exists, each must run and fail".to_owned();
        return Verdict::bad(Cause::Failed, message, Some("all skipped".into()));
    }
    if run.passed > 0 {
        let passing = named(CaseStatus::Passed);
        let message = format!(
            "{} of {} tests pass before the code exists, so they assert nothing yet: {}",
            run.passed,
            run.passed + run.failed + run.errored + run.skipped,
            list(&passing)
        );
        return Verdict::bad(Cause::Failed, message, Some(format!("passing: {}", passing.join("\n"))));
    }
    let tests: Vec<&str> = run.tests.iter().map(|case| case.name.as_str()).collect();
    let missing = design::unmatched(&expected.assertions, &tests);
    if missing.len() * 10 > expected.assertions.len() {
        let message = format!(
            "{} of the {} test assertions in the design have no test: {}",
            missing.len(),
            expected.assertions.len(),
            list(&missing)
        );
        return Verdict::bad(Cause::Failed, message, Some(format!("missing: {}", missing.join("\n"))));
    }
    Verdict::good()
}

fn could_not_run(run: &TestRun) -> String {
    match run.status {
        TestStatus::CompileError => {
            let places: Vec<String> = run
                .compile_errors
                .iter()
                .map(|error| {
                    let line = error.line.map(|line| format!(":{line}")).unwrap_or_default();
                    format!("{}{line}: {}", error.file, error.message.lines().next().unwrap_or_default())
                })
                .collect();
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            let errors = if places.len() == 1 { "error" } else { "errors" };
            format!("the tests do not compile ({} {errors}): {}", places.len(), list(&places))
        }
        TestStatus::Crashed => format!(
            "the test run ended before its own end after {} passed and {} failed tests",
            run.passed,
            run.failed + run.errored
        ),
        TestStatus::NoTests => "no test was found".into(),
        TestStatus::Timeout => format!(
            "the test run took too long and was ended, after {} passed and {} failed tests",
            run.passed,
            run.failed + run.errored
        ),
        TestStatus::Unparsable => {
            run.unreadable.clone().unwrap_or_else(|| "nothing in the output tells how the tests fared".into())
        }
        TestStatus::Passed | TestStatus::Failed => String::new(),
    }
}

fn failing(run: &TestRun) -> String {
    let bad = run.bad();
    if run.failures.is_empty() {
        return format!("{} tests passed, but the runner reports a failure", run.passed);
    }
    let old = run.failures.iter().filter(|failure| failure.placement == Some(Placement::PreExisting)).count();
    let old = match old {
        0 => String::new(),
        old => format!(", {old} of them before this branch began"),
    };
    let names = listed(run.failures.iter().map(|failure| failure.name.as_str()), bad);
    format!("{bad} of {} tests fail{old}: {names}", bad.saturating_add(run.passed as usize))
}

fn list(names: &[&str]) -> String {
    listed(names.iter().copied(), names.len())
}

/// The first names in a row, and how many there are beside them of `all`.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>, all: usize) -> String {
    let shown: Vec<&str> = names.into_iter().take(LISTED).collect();
    match all.saturating_sub(shown.len()) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The part of a judged run that belongs in the failure ledger: tests that must fail, and do, are no failures.
#[must_use]
pub fn for_ledger(run: &TestRun) -> TestRun {
    let wanted = run.must_fail && run.status.ran();
    TestRun { failures: if wanted { Vec::new() } else { run.failures.clone() }, ..run.clone() }
}
