//! Spawning children, and judging their work together once they have all ended.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::json;

use crate::{
    engine::{
        job::{Job, Performed, Stopper, Work},
        steps::{checks, finalize, git, initialize, tests},
    },
    git::{MergeOutcome, Repo, Tree},
    model::{
        Cause, ChildProblem, Component, Data, Exit, Generation, Micros, Mode, Origin, Performer, Session, SessionId,
        SessionKind, Status, Step, StepResult,
    },
    project::Project,
    workflow,
};

/// So many files that do not merge are kept as evidence.
const CONFLICTS: usize = 2_000;

/// What a spawn step will do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::engine) struct ChildPlan {
    /// New sessions with their first generation.
    pub(in crate::engine) create: Vec<(Session, Generation)>,
    /// Sessions that are reactivated, with the generation that this opens.
    pub(in crate::engine) reopen: Vec<(SessionId, Generation)>,
    /// Every child, by priority, then name.
    pub(in crate::engine) children: Vec<SessionId>,
    /// What could not be created.
    pub(in crate::engine) problems: Vec<ChildProblem>,
}

/// Decides which children a spawn step creates, reuses and reactivates. Pure but for the ids of new sessions.
///
/// `existing` are the parent's children with the step at which each would be reactivated, `last` the problems that the
/// validation before found.
pub(in crate::engine) fn plan_children(
    project: &Project,
    parent: &Session,
    existing: &[(Session, Step)],
    last: &[ChildProblem],
    now: Micros,
) -> Result<ChildPlan, String> {
    let kind = parent.kind.child_kind().ok_or_else(|| format!("{} spawns no children", parent.kind))?;
    if let Some((wrong, _)) = existing.iter().find(|(child, _)| child.kind != kind) {
        return Err(format!("the child {} is a {}, but {} spawns {kind}", wrong.id, wrong.kind, parent.kind));
    }
    let components = project.children_of(&parent.component);
    if components.is_empty() {
        return Err(format!(
            "{} has no components: add [[context.component]] entries to it in callboard.toml",
            parent.component
        ));
    }
    let mut plan = ChildPlan::default();
    for component in components {
        match existing.iter().find(|(child, _)| child.component == component.name) {
            Some((child, start)) => {
                plan.children.push(child.id);
                let generation = reopening(parent, child, *start, last, now);
                plan.reopen.extend(generation.map(|generation| (child.id, generation)));
            }
            None if lacks_path(kind, component).is_some() => plan.problems.push(ChildProblem {
                session_id: None,
                component: component.name.clone(),
                status: None,
                message: lacks_path(kind, component).unwrap_or_default(),
            }),
            None => {
                let child = new_child(parent, kind, &component.name, now);
                plan.children.push(child.0.id);
                plan.create.push(child);
            }
        }
    }
    if plan.children.is_empty() {
        let why: Vec<&str> = plan.problems.iter().map(|problem| problem.message.as_str()).collect();
        return Err(format!("no child could be created: {}", why.join("; ")));
    }
    Ok(plan)
}

/// Why a component cannot have a child session of this kind: the project does not say where its file would be.
fn lacks_path(kind: SessionKind, component: &Component) -> Option<String> {
    if kind == SessionKind::ComponentDesign {
        let missing = component.paths.design.is_none();
        return missing.then(|| format!("{} has no design path: set [paths] design in callboard.toml", component.name));
    }
    component.paths.test.is_none().then(|| tests::no_test_path(component))
}

/// Whether a child that is there is reactivated: only one that has ended and is not good.
fn reopening(parent: &Session, child: &Session, start: Step, last: &[ChildProblem], now: Micros) -> Option<Generation> {
    let told: Vec<&str> = last
        .iter()
        .filter(|problem| problem.session_id == Some(child.id))
        .map(|problem| problem.message.as_str())
        .collect();
    let good = child.status == Status::Complete && told.is_empty();
    if good || !child.status.is_terminal() {
        return None;
    }
    let context = if told.is_empty() { format!("It was {} before.", child.status) } else { told.join("\n\n") };
    Some(Generation {
        number: child.generation + 1,
        start,
        context,
        origin: Origin::Session { id: parent.id },
        opened_at: now,
    })
}

/// The step at which a session starts when it is reactivated: its kind's fix step, unless it never got as far as having
/// something to fix. `done` are the steps that ever ended well in it.
pub(in crate::engine) fn restart(kind: SessionKind, done: &[Step]) -> Step {
    let fix = workflow::fix_step(kind);
    let before = workflow::rows(kind).iter().map(|row| row.step).take_while(|step| {
        // From the first step that judges or mends on there is something to fix.
        *step != fix && matches!(step.performer(), Performer::Git | Performer::Agent) && *step != Step::Finalize
    });
    before.into_iter().find(|step| !done.contains(step)).unwrap_or(fix)
}

fn new_child(parent: &Session, kind: SessionKind, component: &str, now: Micros) -> (Session, Generation) {
    let session = Session {
        parent_id: Some(parent.id),
        agent: parent.agent.clone(),
        ..Session::new(kind, component, Mode::Agentic, now)
    };
    let generation = Generation {
        number: 1,
        start: workflow::first_step(kind),
        context: String::new(),
        origin: Origin::New,
        opened_at: now,
    };
    (session, generation)
}

/// Merges the children's branches and judges every component. Collects every problem; only a conflict, a test runner that
/// cannot start and the end of the session stop it early.
pub(super) async fn validate(job: &Job, stopper: &mut Stopper) -> Performed {
    match try_validate(job, stopper).await {
        Ok(result) | Err(result) => Performed::from(*result),
    }
}

async fn try_validate(job: &Job, stopper: &mut Stopper) -> Result<git::StepError, git::StepError> {
    initialize::ensure(job, stopper).await?;
    let Work::Validate { children } = &job.work else {
        return Err(Box::new(StepResult::error(Cause::Failed, "there are no children to validate")));
    };
    let kind = job
        .session
        .kind
        .child_kind()
        .ok_or_else(|| Box::new(StepResult::error(Cause::Failed, "this kind has no children")))?;
    let sessions: Vec<Session> = children.iter().map(|(session, _)| session.clone()).collect();
    let merged = merge_complete(job, &sessions, stopper).await?;
    let by_component: BTreeMap<&str, &(Session, Option<String>)> =
        children.iter().map(|child| (child.0.component.as_str(), child)).collect();
    let mut problems = Vec::new();
    for (nth, component) in job.project.children_of(&job.session.component).into_iter().enumerate() {
        let child = by_component.get(component.name.as_str());
        if let Some(problem) = judge(job, component, child.copied(), kind, nth + 1, stopper).await? {
            problems.push(problem);
        }
    }
    Ok(Box::new(verdict(problems, merged)))
}

/// What is wrong with one component, if anything is.
async fn judge(
    job: &Job,
    component: &Component,
    child: Option<&(Session, Option<String>)>,
    kind: SessionKind,
    nth: usize,
    stopper: &mut Stopper,
) -> Result<Option<ChildProblem>, git::StepError> {
    let problem = |message: String| ChildProblem {
        session_id: child.map(|(session, _)| session.id),
        component: component.name.clone(),
        status: child.map(|(session, _)| session.status),
        message,
    };
    let Some((session, error)) = child else {
        return Ok(Some(problem(lacks_path(kind, component).unwrap_or_else(|| "it has no session".into()))));
    };
    let reason = error.as_deref().unwrap_or("no reason was recorded");
    match session.status {
        Status::Active => return Ok(Some(problem("its session is still active".into()))),
        Status::Failed => return Ok(Some(problem(format!("its session failed: {reason}")))),
        Status::Cancelled => return Ok(Some(problem("its session was cancelled".into()))),
        Status::Complete => {}
    }
    let worktree = git::worktree(job)?;
    if kind == SessionKind::ComponentDesign {
        return Ok(checks::design_of(job, component, worktree).error_message.map(problem));
    }
    if let Some(test) = component.paths.test.as_deref().filter(|test| !worktree.join(test).is_file()) {
        return Ok(Some(problem(format!("its test file {test} is missing"))));
    }
    let wrong = tests::judge_child(job, component, kind, nth, stopper).await?;
    Ok(wrong.map(|wrong| problem(format!("merged with the other components, {wrong}"))))
}

fn verdict(problems: Vec<ChildProblem>, merged: Vec<String>) -> StepResult {
    let data = Data::Children { problems: problems.clone(), merged };
    if problems.is_empty() {
        return StepResult::ok().with_data(data);
    }
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("{}: {}", problem.component, problem.message)).collect();
    StepResult {
        failure_set: workflow::problem_set(&problems, &[]),
        ..StepResult::error(Cause::Failed, lines.join("\n"))
    }
    .with_data(data)
}

/// Merges the branches of those sessions that are complete, in their order; answers which there were.
pub(super) async fn merge_complete(
    job: &Job,
    sessions: &[Session],
    stopper: &mut Stopper,
) -> Result<Vec<String>, git::StepError> {
    let mut merged = Vec::new();
    let there = Arc::new(merged_before(job).await?);
    for child in sessions {
        if let (Status::Complete, Some(branch)) = (child.status, &child.branch)
            && merge(job, child, branch, &there, stopper).await?
        {
            merged.push(branch.clone());
        }
    }
    Ok(merged)
}

/// The commits that an earlier validation merged. Looked up once: to ask for each child whether its commit came before HEAD is to
/// walk through all that was merged, a thousand times over with a thousand children.
async fn merged_before(job: &Job) -> Result<BTreeSet<String>, git::StepError> {
    let Some(base) = job.session.base_commit.clone() else { return Ok(BTreeSet::new()) };
    let worktree = git::worktree(job)?.to_owned();
    git::read(move || Tree::open(&worktree)?.commits_since(&base)).await
}

/// Merges one branch whose commit is not `there`. Answers whether there was anything to merge.
async fn merge(
    job: &Job,
    child: &Session,
    branch: &str,
    there: &Arc<BTreeSet<String>>,
    stopper: &mut Stopper,
) -> Result<bool, git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let mut tap = job.tap();
    let message = finalize::merge_message(job, child);
    let (root, at, name) = (job.project.root.clone(), worktree.clone(), branch.to_owned());
    let (union, attributes) = (job.project.worktree.union.clone(), job.shared.places.attributes());
    give_up_own_merge(job, stopper).await?;
    // `None`: everything is there already. Git would say so too, but a process costs more than a look.
    let there = Arc::clone(there);
    let prepared = git::read(move || {
        let (tree, repo) = (Tree::open(&at)?, Repo::open(&root)?);
        if repo.tip(&name)?.is_some_and(|tip| there.contains(&tip)) {
            return Ok(None);
        }
        tree.merge_begins()?;
        Ok(Some(tree.merge(&name, &message, &union, &attributes)?))
    })
    .await?;
    let Some(invocation) = prepared else { return Ok(false) };
    let (exit, said) = git::write(job, &mut tap, invocation, stopper).await?;
    if exit == Exit::Cancelled {
        return Err(Box::new(StepResult::error(stopper.cause(), "the merge was ended")));
    }
    let at = worktree.clone();
    let outcome = git::read(move || {
        let tree = Tree::open(&at)?;
        let outcome = tree.merged(&exit, &said)?;
        if matches!(outcome, MergeOutcome::Merged { .. } | MergeOutcome::UpToDate) {
            tree.merge_ended()?;
        }
        Ok(outcome)
    })
    .await?;
    let mut evidence = None;
    let problem = match outcome {
        MergeOutcome::Merged { .. } => return Ok(true),
        MergeOutcome::UpToDate => return Ok(false),
        MergeOutcome::Conflict { files } => {
            let named = workflow::listed(files.iter().map(String::as_str), files.len());
            evidence = Some(json!({"conflicts": files.get(..CONFLICTS).unwrap_or(&files), "all": files.len()}));
            format!("{branch} does not merge into {}: both changed {named}", own_branch(job))
        }
        MergeOutcome::Failed { message } => format!("{branch} could not be merged: {message}"),
    };
    give_up_own_merge(job, stopper).await?;
    let message = format!(
        "{problem}\nmerge it by hand in {worktree} and commit, or list files with lines of several components in [worktree] union, then retry"
    );
    Err(Box::new(StepResult { evidence, ..StepResult::error(Cause::MergeConflict, message) }))
}

fn own_branch(job: &Job) -> &str {
    job.session.branch.as_deref().unwrap_or("the session's branch")
}

/// Gives up a merge that callboard began here and did not end: what it had is on the branches, and the session's own work
/// stays. A merge that a person began is theirs to end.
async fn give_up_own_merge(job: &Job, stopper: &mut Stopper) -> Result<(), git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let at = worktree.clone();
    let (ours, given_up) = git::read(move || {
        let tree = Tree::open(&at)?;
        // Git knows more of a merge in progress than we do; of one that was killed before it was one, only we know.
        let given_up = if tree.merge_in_progress() { Some(tree.merge_abort()) } else { tree.merge_taken_back()? };
        Ok((tree.merge_is_ours()?, given_up))
    })
    .await?;
    if let Some(invocation) = given_up {
        if !ours {
            let message = format!("a merge is in progress in {worktree}: end it there (`git commit`), then retry");
            return Err(Box::new(StepResult::error(Cause::MergeConflict, message)));
        }
        let mut tap = job.tap();
        let (exit, said) = git::write(job, &mut tap, invocation, stopper).await?;
        if exit.code() != Some(0) {
            let message = format!("a merge that was cut off could not be given up in {worktree}: {said}");
            let cause = if exit == Exit::Cancelled { stopper.cause() } else { Cause::MergeConflict };
            return Err(Box::new(StepResult::error(cause, message)));
        }
        tap.note("A merge that was not ended was given up.");
    }
    git::read(move || Tree::open(&worktree)?.merge_ended()).await
}
