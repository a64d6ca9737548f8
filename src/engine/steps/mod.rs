//! Performing steps: from a job to a command, from a command to a result.

mod agent;
mod asking;
mod calls;
mod checks;
mod children;
mod confine;
mod finalize;
mod git;
mod initialize;
mod integration;
mod line;
mod opening;
mod script;
mod talk;
mod terminal;
mod tests;

pub(super) use children::{ChildPlan, plan_children, restart};

use crate::{
    engine::job::{Composed, Job, Performed, Stopper, Work},
    model::{Command, StepResult},
};

/// What is to be performed once the attempt's beginning is recorded.
pub(super) enum Plan {
    /// `initialize`.
    Prepare,
    /// An agent step.
    Agent(agent::AgentPlan),
    /// A test step.
    Tests(crate::runner::Plan),
    /// The validation of children.
    Validate,
    /// `finalize`.
    Finalize,
    /// Nothing: the result is known.
    Known(Box<StepResult>),
}

/// Decides exactly what an attempt will do, before it is recorded.
pub(super) async fn compose(job: &Job) -> Composed {
    match &job.work {
        Work::Prepare(place) => initialize::compose(job, place),
        Work::Agent(work) => agent::compose(job, work).await,
        Work::Tests { .. } => tests::compose(job),
        Work::Check(check) => checks::compose(job, check),
        Work::Validate { .. } => known(job, StepResult::ok()),
        Work::Finalize { .. } => finalize::compose(job),
        Work::Impossible { command, result } => {
            Composed { command: command.clone(), changes: Vec::new(), plan: Plan::Known(result.clone()) }
        }
    }
}

/// How far the processes of a plan are held back, in a sentence; `None` when it has none.
pub(super) fn sandbox(job: &Job, plan: &Plan) -> Option<String> {
    let also: &[String] = match plan {
        Plan::Agent(plan) => plan.also()?,
        Plan::Tests(_) | Plan::Validate | Plan::Finalize => &[],
        Plan::Prepare if !job.project.worktree.setup.is_empty() => &[],
        Plan::Prepare | Plan::Known(_) => return None,
    };
    Some(confine::sentence(&job.project.sandbox, also))
}

/// Why what a project asks its processes to be held back by is not there.
pub(super) fn lacks(job: &Job) -> Option<String> {
    confine::problem(&job.project.sandbox)
}

/// An attempt whose result is known before anything is run.
fn known(job: &Job, result: StepResult) -> Composed {
    let subject = format!("{} of {}", job.step, job.session.component);
    Composed { command: Command::Check { subject }, changes: Vec::new(), plan: Plan::Known(Box::new(result)) }
}

/// Performs what was composed.
pub(super) async fn perform(job: &Job, plan: Plan, stopper: &mut Stopper) -> Performed {
    match plan {
        Plan::Prepare => initialize::perform(job, stopper).await,
        Plan::Agent(plan) => agent::perform(job, plan, stopper).await,
        Plan::Tests(plan) => tests::perform(job, plan, stopper).await,
        Plan::Validate => children::validate(job, stopper).await,
        Plan::Finalize => finalize::perform(job, stopper).await,
        Plan::Known(result) => Performed::from(*result),
    }
}
