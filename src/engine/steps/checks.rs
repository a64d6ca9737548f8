//! Checks: no process, only what is in the worktree and on record.

use camino::Utf8Path;

use crate::{
    engine::{
        job::{Check, Composed, Job},
        steps::{Plan, git, tests},
    },
    model::{Cause, Command, Component, Criterion, Data, ResultStatus, StepResult, TestRun},
    project::Project,
    store::Said,
    workflow,
};

/// So much of a design is read.
const DESIGN: u64 = 1024 * 1024;

pub(super) fn compose(job: &Job, check: &Check) -> Composed {
    let (subject, result) = match check {
        Check::ContextDesign => context_design(job),
        Check::Design => design(job),
        Check::Criteria(run, said) => {
            let subject = format!("the acceptance criteria of {}", job.session.component);
            (subject, criteria(&job.project, &job.session.component, run.as_deref(), said))
        }
    };
    Composed { command: Command::Check { subject }, changes: Vec::new(), plan: Plan::Known(Box::new(result)) }
}

/// A design that is not there is a warning: the prompts that follow name it only if it is.
fn context_design(job: &Job) -> (String, StepResult) {
    let context = job.project.context_of(&job.session.component);
    let Some(path) = context.and_then(|context| context.paths.design.clone()) else {
        let message = "no context, or none with a design path".to_owned();
        return ("the design of its context".into(), warning(message));
    };
    let there = git::worktree(job).is_ok_and(|worktree| worktree.join(&path).is_file());
    let result = if there { StepResult::ok() } else { warning(format!("{path} is not there")) };
    (path, result)
}

fn warning(message: String) -> StepResult {
    StepResult { status: ResultStatus::Warning, error_message: Some(message), ..StepResult::ok() }
}

fn design(job: &Job) -> (String, StepResult) {
    let subject = format!("the design of {}", job.session.component);
    let result = match (job.project.component(&job.session.component), git::worktree(job)) {
        (Ok(component), Ok(worktree)) => design_of(job, component, worktree),
        (Err(error), _) => StepResult::error(Cause::Environment, error.to_string()),
        (Ok(_), Err(result)) => *result,
    };
    (subject, result)
}

/// Checks the design of a component as it stands in a worktree.
pub(super) fn design_of(job: &Job, component: &Component, worktree: &Utf8Path) -> StepResult {
    let Some(path) = component.paths.design.clone() else {
        let message = format!("{} has no design path: set [paths] design in callboard.toml", component.name);
        return StepResult::error(Cause::Environment, message);
    };
    let Some(text) = tests::read_text(&worktree.join(&path), DESIGN) else {
        let message = format!("the design {path} was not written");
        return StepResult { failure_set: Some(message.clone()), ..StepResult::error(Cause::Failed, message) };
    };
    let design_problems = workflow::design_problems(&text, component, &job.project.components);
    let result = if design_problems.is_empty() {
        StepResult::ok()
    } else {
        let lines: Vec<String> = design_problems
            .iter()
            .map(|problem| {
                let line = problem.line.map(|line| format!(":{line}")).unwrap_or_default();
                format!("{path}{line} ({}): {}", problem.section, problem.message)
            })
            .collect();
        StepResult {
            failure_set: workflow::problem_set(&[], &design_problems),
            ..StepResult::error(Cause::Failed, lines.join("\n"))
        }
    };
    result.with_data(Data::Design { design_problems })
}

/// The criteria of a context's own stories: those of its components are for the components' tests.
pub(super) fn criteria_of<'a>(project: &'a Project, context: &str) -> Vec<&'a Criterion> {
    project.stories.iter().filter(|story| story.component == context).flat_map(|story| &story.criteria).collect()
}

fn criteria(project: &Project, context: &str, run: Option<&TestRun>, said: &[(String, Said)]) -> StepResult {
    let tests = run.map(|run| run.tests.as_slice()).unwrap_or_default();
    let all: Vec<&str> =
        project.stories.iter().flat_map(|story| &story.criteria).map(|criterion| criterion.id.as_str()).collect();
    let mut criteria = workflow::judge_criteria(&criteria_of(project, context), &all, tests);
    for check in &mut criteria {
        let word = said.iter().find(|(id, _)| *id == check.id);
        check.by_hand = word.map(|(_, said)| (said.state, said.note.clone()));
    }
    let gap_analysis = workflow::gap_analysis(&criteria);
    let result = match &gap_analysis {
        None => StepResult::ok(),
        Some(gaps) => StepResult {
            failure_set: Some(gaps.clone()),
            ..StepResult::error(Cause::Failed, format!("the tests do not cover every criterion:\n{gaps}"))
        },
    };
    result.with_data(Data::Criteria { criteria, gap_analysis })
}
