//! Test steps: the project's tests are run, read and judged.

use camino::Utf8Path;

use crate::{
    engine::{
        job::{Composed, Job, Performed, Stopper, Tested, Work},
        process,
        recorder::Tap,
        steps::{Plan, children, confine, git, initialize, integration},
    },
    git::Repo,
    model::{
        Cause, Command, Component, EventKind, Exit, OutputFile, Placement, Runner, SessionKind, StepResult, TestRun,
    },
    runner::{self, Target},
    workflow::{self, Expected},
};

/// So much of a report is read.
const REPORT: u64 = 64 * 1024 * 1024;
/// So much of a design is read.
const DESIGN: u64 = 1024 * 1024;

pub(super) fn compose(job: &Job) -> Composed {
    let is_suite = matches!(job.work, Work::Tests { tested: Tested::Suite, .. });
    let planned = if is_suite { suite_plan(job) } else { plan(job, &job.session.component, 0) };
    match planned {
        Ok((plan, directory)) => Composed {
            command: Command::Tests { argv: plan.argv.clone(), directory: directory.to_owned() },
            changes: Vec::new(),
            plan: Plan::Tests(plan),
        },
        Err(result) => super::known(job, *result),
    }
}

/// How the tests of a component are run in the session's worktree.
fn plan<'a>(job: &'a Job, component: &str, nth: usize) -> Result<(runner::Plan, &'a Utf8Path), git::StepError> {
    let environment = |message: String| Box::new(StepResult::error(Cause::Environment, message));
    let worktree = git::worktree(job)?;
    let component = job.project.component(component).map_err(|error| environment(error.to_string()))?;
    let test = component.paths.test.as_deref().ok_or_else(|| environment(no_test_path(component)))?;
    let plan = plan_of(job, Target::Files(&[test]), worktree, nth)?;
    Ok((plan, worktree))
}

/// How the whole project's tests are run in the session's worktree.
fn suite_plan(job: &Job) -> Result<(runner::Plan, &Utf8Path), git::StepError> {
    let worktree = git::worktree(job)?;
    let plan = plan_of(job, Target::Suite, worktree, 0)?;
    Ok((plan, worktree))
}

/// How some tests are run in a worktree, if the project's runner may be.
pub(super) fn plan_of(
    job: &Job,
    target: Target<'_>,
    worktree: &Utf8Path,
    nth: usize,
) -> Result<runner::Plan, git::StepError> {
    if matches!(job.project.runner, Runner::Custom(_)) && !job.consented {
        return Err(Box::new(initialize::no_consent(job)));
    }
    let report = job.shared.places.report(job.session.id, job.seq, nth);
    runner::plan(&job.project.runner, target, worktree, &report)
        .map_err(|error| Box::new(StepResult::error(Cause::Environment, error.to_string())))
}

/// What is said of a component that nobody can test.
pub(super) fn no_test_path(component: &Component) -> String {
    format!(
        "{} has no test path: give it `test = \"…\"` in callboard.toml, or set [paths] {}",
        component.name,
        if component.kind.is_context() { "integration_test" } else { "test" }
    )
}

pub(super) async fn perform(job: &Job, plan: runner::Plan, stopper: &mut Stopper) -> Performed {
    match try_perform(job, plan, stopper).await {
        Ok(result) | Err(result) => Performed::from(*result),
    }
}

async fn try_perform(job: &Job, plan: runner::Plan, stopper: &mut Stopper) -> Result<git::StepError, git::StepError> {
    initialize::ensure(job, stopper).await?;
    let (tested, merge) = if let Work::Tests { tested, merge, .. } = &job.work {
        (*tested, merge.as_slice())
    } else {
        (Tested::Component, [].as_slice())
    };
    children::merge_complete(job, merge, stopper).await?;
    let mut tap = job.tap();
    if tested == Tested::Suite {
        return integration::suite(job, plan, &mut tap, stopper).await;
    }
    let component = job
        .project
        .component(&job.session.component)
        .map_err(|error| Box::new(StepResult::error(Cause::Environment, error.to_string())))?;
    let expected = expected(job, component, job.session.kind).await?;
    run(job, component, &expected, plan, &mut tap, stopper).await
}

/// What the tests of a component are judged against, in a session of this kind.
async fn expected(job: &Job, component: &Component, kind: SessionKind) -> Result<Expected, git::StepError> {
    let test_first = match (kind, &component.paths.code, &job.session.base_commit) {
        (SessionKind::ComponentTest, Some(code), Some(base)) => {
            let (root, code, base) = (job.project.root.clone(), code.clone(), base.clone());
            !git::read(move || Repo::open(&root)?.file_exists_at(&base, &code)).await?
        }
        _ => false,
    };
    let design = match (&component.paths.design, &job.session.worktree) {
        (Some(design), Some(worktree)) if test_first => read_text(&worktree.join(design), DESIGN).unwrap_or_default(),
        _ => String::new(),
    };
    Ok(Expected { kind, test_first, assertions: workflow::assertions(&design) })
}

/// Runs a component's tests and judges them. Every way in which they may have fared is an `Ok` of it.
async fn run(
    job: &Job,
    component: &Component,
    expected: &Expected,
    plan: runner::Plan,
    tap: &mut Tap,
    stopper: &mut Stopper,
) -> Result<git::StepError, git::StepError> {
    let worktree = git::worktree(job)?;
    let executed = execute(job, plan, worktree, tap, stopper).await?;
    let result = workflow::judge(expected, placed(executed.run.clone(), component));
    let result = with_missing_file(result, worktree, component);
    Ok(Box::new(executed.finish(result)))
}

/// A test run that came to an end, however it fared.
pub(super) struct Executed {
    pub(super) run: TestRun,
    finished: process::Finished,
    output: Option<OutputFile>,
}

impl Executed {
    /// A judged result with what the process has to say for itself.
    pub(super) fn finish(self, result: StepResult) -> StepResult {
        let code = self.finished.exit.code();
        StepResult { code, output: self.output, ..with_tail(result, &self.finished) }
    }
}

/// Runs tests and reads what came of them. An error ends the step: it was ended, or its runner cannot start.
pub(super) async fn execute(
    job: &Job,
    plan: runner::Plan,
    worktree: &Utf8Path,
    tap: &mut Tap,
    stopper: &mut Stopper,
) -> Result<Executed, git::StepError> {
    if let Some(report) = &plan.report {
        fresh(report).map_err(|message| Box::new(StepResult::error(Cause::Environment, message)))?;
    }
    let mut env = git::environment(job);
    env.extend(plan.env.iter().cloned());
    let spec = git::spec(job, plan.argv.clone(), worktree.to_owned(), env);
    // What runs elsewhere does not take the place of what the step itself had to say.
    let record = spec.record.clone().filter(|_| job.session.worktree.as_deref() == Some(worktree));
    tap.event(EventKind::Command { line: git::shown(&plan.argv) });
    confine::say(job, &[]);
    let spec = process::Spec { record: record.clone(), ..spec };
    let chunks = |chunk: process::Chunk| tap.text(chunk.text, |text| EventKind::Output { text, stderr: chunk.stderr });
    let finished = confine::run(job, spec, &[], chunks, stopper).await?;
    let output = record.filter(|_| finished.bytes > 0).map(|path| OutputFile {
        path,
        bytes: finished.bytes,
        kept: finished.kept,
    });
    if finished.exit == Exit::Cancelled {
        return Err(Box::new(StepResult {
            output,
            ..StepResult::error(stopper.cause(), stopper.words("the test run was ended"))
        }));
    }
    if let Some(error) = &finished.record_error {
        tap.note(format!("The output file is not complete: {error}"));
    }
    let report = plan.report.as_deref().and_then(|path| read_bytes(path, REPORT));
    let read = runner::Finished {
        exit: &finished.exit,
        stdout: &finished.stdout,
        stderr: &finished.stderr,
        report: report.as_deref(),
        worktree,
    };
    if let Some(why) = runner::cannot_start(&job.project.runner, &read) {
        let message = format!(
            "the test runner cannot start: {why}\ncommand: {}\ndirectory: {worktree}\nit {}\n{}",
            git::shown(&plan.argv),
            ended(&finished.exit),
            tail(&finished.stderr, &finished.stdout)
        );
        let code = finished.exit.code();
        return Err(Box::new(StepResult { code, output, ..StepResult::error(Cause::Environment, message) }));
    }
    let run = runner::read(&job.project.runner, &read);
    Ok(Executed { run, finished, output })
}

/// Every failure of a component's own test file belongs to that component.
fn placed(mut run: TestRun, component: &Component) -> TestRun {
    for failure in &mut run.failures {
        failure.component = Some(component.name.clone());
        failure.context = Some(component.parent.clone().unwrap_or_else(|| component.name.clone()));
        failure.placement = Some(Placement::Inside);
    }
    run
}

fn with_missing_file(result: StepResult, worktree: &Utf8Path, component: &Component) -> StepResult {
    match (&component.paths.test, &result.error_message) {
        (Some(test), Some(message)) if !worktree.join(test).is_file() => {
            StepResult { error_message: Some(format!("the test file {test} is not there ({message})")), ..result }
        }
        _ => result,
    }
}

/// A run that could not be read has only its output to tell why.
fn with_tail(result: StepResult, finished: &process::Finished) -> StepResult {
    let unreadable = result
        .test_run()
        .is_some_and(|run| !run.status.ran() && run.compile_errors.is_empty() && run.failures.is_empty());
    match &result.error_message {
        Some(message) if unreadable => {
            let message =
                format!("{message}; it {}:\n{}", ended(&finished.exit), tail(&finished.stderr, &finished.stdout));
            StepResult { error_message: Some(message), ..result }
        }
        _ => result,
    }
}

/// Judges a component in the worktree of its parent, for the validation of children. `None`: its tests are as they should
/// be; otherwise what is wrong. A result that ends the whole validation is an error.
pub(super) async fn judge_child(
    job: &Job,
    component: &Component,
    kind: SessionKind,
    nth: usize,
    stopper: &mut Stopper,
) -> Result<Option<String>, git::StepError> {
    if component.paths.test.is_none() {
        return Ok(Some(no_test_path(component)));
    }
    let _permit = tokio::select! {
        biased;
        () = stopper.stopped() => return Err(Box::new(StepResult::error(stopper.cause(), "the validation was ended"))),
        permit = job.permits.tests.acquire() => permit,
    };
    let (plan, _) = plan(job, &component.name, nth)?;
    let expected = expected(job, component, kind).await?;
    let mut tap = job.tap();
    let result = run(job, component, &expected, plan, &mut tap, stopper).await?;
    Ok(result.error_message)
}

/// Makes sure that a report which is found later is one of this run.
fn fresh(report: &Utf8Path) -> Result<(), String> {
    if let Some(folder) = report.parent() {
        std::fs::create_dir_all(folder).map_err(|error| format!("cannot make the folder {folder}: {error}"))?;
    }
    match std::fs::remove_file(report) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(format!("cannot remove the old report {report}: {error}")),
    }
}

fn read_bytes(path: &Utf8Path, at_most: u64) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).ok()?;
    // A pipe or a device would block or never end.
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(at_most + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

pub(super) fn read_text(path: &Utf8Path, at_most: u64) -> Option<String> {
    read_bytes(path, at_most).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// How a process ended, in words that follow its name.
pub(super) fn ended(exit: &Exit) -> String {
    match exit {
        Exit::Code { code } => format!("ended with exit code {code}"),
        Exit::Signal { signal } => format!("died of signal {signal}"),
        Exit::Timeout => "took too long and was ended".into(),
        Exit::Inactive => "was silent for too long and was ended".into(),
        Exit::Cancelled => "was ended".into(),
        Exit::NotStarted { message } => format!("could not be started: {message}"),
    }
}

/// The last lines of what a process said: of the first stream that says anything.
pub(super) fn tail(first: &[u8], second: &[u8]) -> String {
    const LINES: usize = 12;
    const LINE: usize = 400;
    let bytes = if first.iter().all(u8::is_ascii_whitespace) { second } else { first };
    let end = bytes.len().saturating_sub(LINES * LINE * 4);
    let text = String::from_utf8_lossy(&bytes[end..]);
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let shown = lines.iter().skip(lines.len().saturating_sub(LINES));
    shown.map(|line| line.get(..line.floor_char_boundary(LINE)).unwrap_or(line)).collect::<Vec<_>>().join("\n")
}
