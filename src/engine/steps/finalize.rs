//! `finalize`: the commit that names session, context and components; for a session without parent the push.

use std::collections::BTreeSet;

use crate::{
    engine::{
        clock,
        job::{Composed, Job, Performed, Stopper, Work},
        steps::{Plan, git, initialize, integration},
    },
    git::{CommitOutcome, PushOutcome, Staged, Tree, pushed},
    model::{Cause, Command, Data, Exit, Session, SessionKind, Step, StepResult},
    store::Change,
};

pub(super) fn compose(job: &Job) -> Composed {
    let mut operations = vec!["git add --all".to_owned(), format!("git commit -m '{}'", subject(&job.session))];
    if let (Some(remote), Some(branch)) = (remote(job), &job.session.branch) {
        operations.push(format!("git push {remote} {branch}"));
    }
    Composed { command: Command::Git { operations }, changes: Vec::new(), plan: Plan::Finalize }
}

/// Where the session's branch is pushed: a child's work reaches the remote with its parent's.
fn remote(job: &Job) -> Option<&str> {
    job.project.remote.as_deref().filter(|_| job.session.parent_id.is_none())
}

pub(super) async fn perform(job: &Job, stopper: &mut Stopper) -> Performed {
    match try_perform(job, stopper).await {
        Ok(performed) => performed,
        Err(result) => Performed::from(*result),
    }
}

async fn try_perform(job: &Job, stopper: &mut Stopper) -> Result<Performed, git::StepError> {
    initialize::ensure(job, stopper).await?;
    let (commit, committed) = commit(job, stopper).await?;
    let mut changes = vec![Change::Commit { session: job.session.id, commit: commit.clone() }];
    let pushed_to = match push(job, stopper).await {
        Ok(pushed_to) => pushed_to,
        // The commit is there and stays on record; only the push is to be done again.
        Err(result) => return Ok(Performed { result: *result, changes }),
    };
    let files = changed_files(job).await?;
    changes.extend(created_by(job));
    changes.extend(shown(job, &commit, &files).await?);
    changes.push(Change::Stale { session: job.session.id, files: files.clone() });
    let data = Data::Finalized { commit, committed, pushed_to, files };
    Ok(Performed { result: StepResult::ok().with_data(data), changes })
}

async fn commit(job: &Job, stopper: &mut Stopper) -> Result<(String, bool), git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let mut tap = job.tap();
    on_its_branch(job).await?;
    let at = worktree.clone();
    let staged = git::read(move || Tree::open(&at)?.stage_all()).await?;
    let (add, skipped) = match staged {
        Staged::Done { skipped, .. } => (None, skipped),
        Staged::UseGit { add, skipped } => (Some(add), skipped),
    };
    for nested in &skipped {
        tap.note(format!("Not committed: {nested} is a repository of its own."));
    }
    if let Some(add) = add {
        let (exit, said) = git::write(job, &mut tap, add, stopper).await?;
        if exit.code() != Some(0) {
            return Err(ended_or(stopper, &exit, format!("git could not stage the work: {said}")));
        }
    }
    let (at, message) = (worktree.clone(), message(job));
    let (head, invocation) = git::read(move || {
        let tree = Tree::open(&at)?;
        let head = tree.head()?.commit;
        Ok((head, if tree.has_staged()? { Some(tree.commit(&message)) } else { None }))
    })
    .await?;
    let Some(invocation) = invocation else { return Ok((head, false)) };
    let (exit, said) = git::write(job, &mut tap, invocation, stopper).await?;
    let ended = ended_or(stopper, &exit, format!("the commit was refused: {}", said.trim()));
    let outcome = git::read(move || Tree::open(&worktree)?.committed(&exit, &said)).await?;
    match outcome {
        CommitOutcome::Committed { commit } => Ok((commit, true)),
        CommitOutcome::NothingToCommit => Ok((head, false)),
        CommitOutcome::Refused { .. } => Err(ended),
    }
}

/// An agent may have left the branch: what is committed elsewhere would be lost to everyone who looks at the branch.
async fn on_its_branch(job: &Job) -> Result<(), git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let at = worktree.clone();
    let head = git::read(move || Tree::open(&at)?.head()).await?;
    match (&job.session.branch, head.branch) {
        (Some(branch), found) if found.as_ref() != Some(branch) => {
            let found = found.unwrap_or_else(|| format!("no branch, at {}", head.commit));
            Err(Box::new(StepResult::error(
                Cause::Failed,
                format!(
                    "the worktree {worktree} is on {found} instead of {branch}: bring the work there onto {branch}, then retry"
                ),
            )))
        }
        _ => Ok(()),
    }
}

/// The result for a git command that ended badly: on our word, or by itself.
fn ended_or(stopper: &Stopper, exit: &Exit, message: String) -> git::StepError {
    let cause = match exit {
        Exit::Cancelled => stopper.cause(),
        Exit::Timeout => Cause::Timeout,
        Exit::Inactive => Cause::Inactive,
        Exit::Code { .. } | Exit::Signal { .. } => Cause::Failed,
        Exit::NotStarted { .. } => Cause::Environment,
    };
    Box::new(StepResult { code: exit.code(), ..StepResult::error(cause, message) })
}

async fn push(job: &Job, stopper: &mut Stopper) -> Result<Option<String>, git::StepError> {
    let (Some(remote), Some(branch)) = (remote(job), job.session.branch.clone()) else { return Ok(None) };
    let worktree = git::worktree(job)?.to_owned();
    let to = remote.to_owned();
    let invocation = git::read(move || Tree::open(&worktree)?.push(&to, &branch)).await?;
    let (exit, said) = git::write_freely(job, &mut job.tap(), invocation, stopper).await?;
    match pushed(&exit, &said) {
        PushOutcome::Pushed | PushOutcome::UpToDate => Ok(Some(remote.to_owned())),
        PushOutcome::Rejected { message } => {
            let message =
                format!("the commit is made, but {remote} refused the push: {message}\nmend that, then retry");
            Err(ended_or(stopper, &exit, message))
        }
    }
}

async fn changed_files(job: &Job) -> Result<Vec<String>, git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    let Some(base) = job.session.base_commit.clone() else { return Ok(Vec::new()) };
    git::read(move || Tree::open(&worktree)?.changed_files(&base)).await
}

/// What an integration session has shown of the criteria, with the files that showed it.
async fn shown(job: &Job, commit: &str, files: &[String]) -> Result<Option<Change>, git::StepError> {
    if job.session.kind != SessionKind::Integration {
        return Ok(None);
    }
    let id = job.session.id;
    let checked = integration::ask_store(job.shared.store.clone(), job.scope.as_ref().clone(), move |store| {
        store.last_result(id, Step::ValidateAcceptanceCriteria)
    })
    .await?;
    let Some(Data::Criteria { criteria, .. }) = checked.and_then(|result| result.data) else { return Ok(None) };
    let context = &job.session.component;
    let mut made_of: BTreeSet<String> = files.iter().cloned().collect();
    for component in &job.project.components {
        if component.name == *context || component.parent.as_ref() == Some(context) {
            made_of.extend([&component.paths.code, &component.paths.test].into_iter().flatten().cloned());
        }
    }
    Ok(Some(Change::Criteria {
        session: id,
        checks: criteria,
        files: made_of.into_iter().collect(),
        commit: commit.to_owned(),
        at: clock::now(),
    }))
}

/// Which of the component's files this session made.
fn created_by(job: &Job) -> Option<Change> {
    let file = match job.session.kind {
        SessionKind::ComponentDesign => "design",
        SessionKind::ComponentTest => "test",
        SessionKind::ComponentCoding => "code",
        SessionKind::ContextDesign
        | SessionKind::ContextTesting
        | SessionKind::ContextCoding
        | SessionKind::Integration => return None,
    };
    Some(Change::CreatedBy { component: job.session.component.clone(), file: file.into(), session: job.session.id })
}

fn subject(session: &Session) -> String {
    let name = &session.component;
    match session.kind {
        SessionKind::ComponentDesign => format!("Design {name}"),
        SessionKind::ComponentTest => format!("Test {name}"),
        SessionKind::ComponentCoding => format!("Implement {name}"),
        SessionKind::ContextDesign => format!("Design the components of {name}"),
        SessionKind::ContextTesting => format!("Test the components of {name}"),
        SessionKind::ContextCoding => format!("Implement the components of {name}"),
        SessionKind::Integration => format!("Integrate {name}"),
    }
}

/// Subject, then who and what, as trailers that git can find again.
fn message(job: &Job) -> String {
    let session = &job.session;
    let (context, components) = match &job.work {
        Work::Finalize { components } if session.kind.is_for_context() => {
            (Some(session.component.clone()), components.join(", "))
        }
        Work::Finalize { .. }
        | Work::Prepare(_)
        | Work::Agent(_)
        | Work::Tests { .. }
        | Work::Check(_)
        | Work::Validate { .. }
        | Work::Impossible { .. } => {
            let context = job.project.context_of(&session.component).map(|context| context.name.clone());
            (context, session.component.clone())
        }
    };
    let mut text = format!("{}\n\nCallboard-Session: {}\n", subject(session), session.id);
    if let Some(context) = context {
        text.push_str(&format!("Callboard-Context: {context}\n"));
    }
    if !components.is_empty() {
        text.push_str(&format!("Callboard-Components: {components}\n"));
    }
    text
}

/// The message of the commit that merges a child's branch.
pub(super) fn merge_message(job: &Job, child: &Session) -> String {
    format!(
        "Merge: {}\n\nCallboard-Session: {}\nCallboard-Context: {}\nCallboard-Components: {}\n",
        subject(child),
        child.id,
        job.session.component,
        child.component
    )
}
