//! `run_test_suite`: the whole project's tests, each failure placed, and what was red before told apart.

use std::collections::{BTreeSet, HashSet};

use camino::Utf8PathBuf;
use serde_json::json;

use crate::{
    engine::{
        job::{Job, Place, Stopper},
        recorder::Tap,
        steps::{git, initialize, tests},
    },
    git::Tree,
    model::{Cause, Placement, ResultStatus, Scope, StepResult, TestFailure, TestRun, TestStatus},
    runner::{self, Target},
    store::{Change, Store, StoreError},
    workflow::{self, Expected},
};

/// So much of the patch that broke something is kept with the halt, in bytes.
const PATCH: usize = 64 * 1024;
/// So many files are named on a command line; for more the whole suite is run.
const NAMED_FILES: usize = 200;

/// Asks the record something on a connection of its own: for what is asked seldom.
pub(super) async fn ask_store<T: Send + 'static>(
    path: Utf8PathBuf,
    scope: Scope,
    question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, git::StepError> {
    let asked = tokio::task::spawn_blocking(move || question(&Store::open(&path, scope)?)).await;
    let failed = |message: String| Box::new(StepResult::error(Cause::Environment, message));
    match asked {
        Ok(answer) => answer.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(format!("the store could not be asked: {error}"))),
    }
}

/// Runs the whole suite and judges it: green, red inside the context, or broken outside of it.
pub(super) async fn suite(
    job: &Job,
    plan: runner::Plan,
    tap: &mut Tap,
    stopper: &mut Stopper,
) -> Result<git::StepError, git::StepError> {
    let worktree = git::worktree(job)?;
    let executed = tests::execute(job, plan, worktree, tap, stopper).await?;
    let mut run = executed.run.clone();
    workflow::place(&job.project.components, &job.session.component, &mut run);
    if run.status == TestStatus::CompileError {
        let changed = changed_files(job).await?;
        workflow::place_compile_errors(&job.project.components, &job.session.component, &changed, &mut run);
    }
    mark_pre_existing(job, &mut run, tap, stopper).await?;
    let expected = Expected { kind: job.session.kind, test_first: false, assertions: Vec::new() };
    let judged = workflow::judge(&expected, run.clone());
    let outside = outside(&run);
    let result = if !outside.is_empty() {
        broken_outside(job, judged, &outside).await?
    } else if !run.status.ran() || run.failures.is_empty() {
        judged
    } else if failures(&run, Placement::Inside).is_empty() {
        let old = run.failures.len();
        StepResult {
            status: ResultStatus::Warning,
            cause: None,
            failure_set: None,
            error_message: Some(format!(
                "{old} {} failing before this branch began",
                if old == 1 { "test fails that was" } else { "tests fail that were" }
            )),
            ..judged
        }
    } else {
        judged
    };
    Ok(Box::new(executed.finish(result)))
}

/// What broke outside the context: failing tests of a run that came to its end, or files that do not compile.
fn outside(run: &TestRun) -> Vec<TestFailure> {
    match run.status {
        TestStatus::CompileError => workflow::uncompiled_outside(run),
        status if status.ran() => {
            let named = failures(run, Placement::Outside).into_iter().cloned();
            named.chain(nameless(run)).collect()
        }
        TestStatus::Passed
        | TestStatus::Failed
        | TestStatus::Crashed
        | TestStatus::NoTests
        | TestStatus::Timeout
        | TestStatus::Unparsable => Vec::new(),
    }
}

/// Failures whose names were not kept stand for one that cannot be placed.
fn nameless(run: &TestRun) -> Option<TestFailure> {
    let left_out = run.unlisted_failures();
    (left_out > 0).then(|| TestFailure {
        name: format!("{left_out} failing tests without a name"),
        message: "the report names more failures than are kept; what cannot be placed counts as outside".to_owned(),
        placement: Some(Placement::Outside),
        ..TestFailure::default()
    })
}

fn failures(run: &TestRun, placement: Placement) -> Vec<&TestFailure> {
    run.failures.iter().filter(|failure| failure.placement == Some(placement)).collect()
}

/// The files that differ from the commit at which the branch began.
async fn changed_files(job: &Job) -> Result<Vec<String>, git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let base = job.session.base_commit.clone().unwrap_or_default();
    git::read(move || Tree::open(&worktree)?.changed_files(&base)).await
}

/// The result that stops the session at once, with what a person needs to decide.
async fn broken_outside(job: &Job, judged: StepResult, outside: &[TestFailure]) -> Result<StepResult, git::StepError> {
    let changed = changed_files(job).await?;
    let files = workflow::shared_files(&job.project.components, &changed, &outside.iter().collect::<Vec<_>>());
    let contexts: BTreeSet<&str> =
        outside.iter().map(|failure| failure.context.as_deref().unwrap_or("no context")).collect();
    let message = format!(
        "tests outside {} broke: {} in {}; changed here, and theirs or used by them: {}",
        job.session.component,
        workflow::listed(outside.iter().map(|failure| failure.name.as_str()), outside.len()),
        workflow::listed(contexts.iter().copied(), contexts.len()),
        if files.is_empty() {
            "nothing that is known".to_owned()
        } else {
            workflow::listed(files.iter().map(String::as_str), files.len())
        }
    );
    // What is decided on is kept as it is now: the session may go on, and its worktree may go.
    let worktree = git::worktree(job)?.to_owned();
    let (base, paths) = (job.session.base_commit.clone().unwrap_or_default(), files.clone());
    let patch = git::read(move || Tree::open(&worktree)?.patch(&base, &paths, PATCH)).await?;
    let told = outside.get(..TestRun::MAX_TOLD).unwrap_or(outside);
    let left_out = outside.len() - told.len();
    let evidence = json!({"contexts": contexts, "tests": told, "left_out": left_out, "files": files, "patch": patch});
    Ok(StepResult {
        cause: Some(Cause::FailuresOutside),
        error_message: Some(message),
        evidence: Some(evidence),
        ..judged
    })
}

/// Runs the tests that fail outside once more at the branch's base commit: what is red there already is not this session's.
async fn mark_pre_existing(
    job: &Job,
    run: &mut TestRun,
    tap: &mut Tap,
    stopper: &mut Stopper,
) -> Result<(), git::StepError> {
    let Some(base) = job.session.base_commit.clone() else { return Ok(()) };
    let mut outside: Vec<String> = if run.status == TestStatus::CompileError {
        outside(run).into_iter().map(|failure| failure.name).collect()
    } else if run.status.ran() {
        failures(run, Placement::Outside).into_iter().map(|failure| failure.name.clone()).collect()
    } else {
        Vec::new()
    };
    outside.sort();
    outside.dedup();
    if outside.is_empty() {
        return Ok(());
    }
    let mut red = known(job, &base, &outside).await?;
    if red.len() < outside.len() {
        red = run_at_base(job, &base, run, &outside, tap, stopper).await?;
    }
    let red: HashSet<&str> = red.iter().filter(|(_, failed)| *failed).map(|(test, _)| test.as_str()).collect();
    let was_red = |name: &str| red.contains(name);
    for failure in &mut run.failures {
        if failure.placement == Some(Placement::Outside) && was_red(&failure.name) {
            failure.placement = Some(Placement::PreExisting);
        }
    }
    for error in &mut run.compile_errors {
        if error.placement == Some(Placement::Outside) && was_red(&workflow::uncompiled(&error.file)) {
            error.placement = Some(Placement::PreExisting);
        }
    }
    Ok(())
}

/// What is on record of these tests at a commit.
async fn known(job: &Job, commit: &str, tests: &[String]) -> Result<Vec<(String, bool)>, git::StepError> {
    let (commit, tests) = (commit.to_owned(), tests.to_vec());
    ask_store(job.shared.store.clone(), job.scope.as_ref().clone(), move |store| store.base_runs(&commit, &tests)).await
}

/// Runs the files of these tests in a worktree at the base commit, and records which fail there.
async fn run_at_base(
    job: &Job,
    base: &str,
    run: &TestRun,
    outside: &[String],
    tap: &mut Tap,
    stopper: &mut Stopper,
) -> Result<Vec<(String, bool)>, git::StepError> {
    tap.note(format!(
        "Tests outside {} fail. They are run once more at {base}, where this branch began.",
        job.session.component
    ));
    let worktree = job.shared.places.at_commit(&job.scope.project, base);
    let branch = format!("callboard/base/{}", base.get(..12).unwrap_or(base));
    let place = Place { branch, worktree, base: base.to_owned(), note: None };
    let prepared = initialize::make(job, &place, tap, stopper).await?;
    let wanted: HashSet<&str> = outside.iter().map(String::as_str).collect();
    let cases = run.tests.iter().filter(|case| wanted.contains(case.name.as_str()));
    let files: BTreeSet<&str> = cases.filter_map(|case| case.file.as_deref()).collect();
    let files: Vec<&str> = files.into_iter().collect();
    let target = if files.is_empty() || files.len() > NAMED_FILES { Target::Suite } else { Target::Files(&files) };
    let plan = tests::plan_of(job, target, &prepared.worktree, 1)?;
    let there = tests::execute(job, plan, &prepared.worktree, tap, stopper).await?.run;
    if !there.status.ran() && there.status != TestStatus::CompileError {
        tap.note("They could not be run there, so nothing is known of how they were.".to_owned());
        return Ok(Vec::new());
    }
    let broken = there.compile_errors.iter().map(|error| workflow::uncompiled(&error.file));
    let failed: HashSet<String> = there.failures.iter().map(|failure| failure.name.clone()).chain(broken).collect();
    let red: Vec<(String, bool)> = outside.iter().map(|test| (test.clone(), failed.contains(test))).collect();
    let record = vec![Change::BaseRuns { commit: base.to_owned(), tests: red.clone() }];
    job.shared
        .writer
        .apply(&job.scope, record)
        .await
        .map_err(|error| Box::new(StepResult::error(Cause::Environment, error.to_string())))?;
    Ok(red)
}
