//! `initialize`: branch and worktree. Run twice, it finds the same branch and the same worktree.

use std::time::Duration;

use camino::Utf8Path;

use crate::{
    engine::{
        job::{Composed, Job, Performed, Place, Stopper, Work},
        process,
        steps::{Plan, confine, git},
    },
    git::{Repo, Tree},
    model::{Cause, Command, Data, EventKind, StepResult},
    store::Change,
};

/// Two files that are written this far apart have different times, on any kernel.
const FILE_TIME: Duration = Duration::from_millis(11);

pub(super) fn compose(job: &Job, place: &Result<Place, String>) -> Composed {
    match place {
        Err(message) => Composed {
            command: Command::Git { operations: Vec::new() },
            changes: Vec::new(),
            plan: Plan::Known(Box::new(StepResult::error(Cause::Environment, message.clone()))),
        },
        Ok(place) => {
            let mut operations =
                vec![format!("git worktree add -b {} {} {}", place.branch, place.worktree, place.base)];
            if !job.project.worktree.copy.is_empty() {
                let files: Vec<&str> = job.project.worktree.copy.iter().map(|path| path.as_str()).collect();
                operations.push(format!("copy {}", files.join(" ")));
            }
            if !job.project.worktree.setup.is_empty() {
                operations.push(git::shown(&job.project.worktree.setup));
            }
            Composed {
                command: Command::Git { operations },
                changes: vec![Change::Prepared {
                    session: job.session.id,
                    branch: place.branch.clone(),
                    worktree: place.worktree.clone(),
                    base_commit: place.base.clone(),
                }],
                plan: Plan::Prepare,
            }
        }
    }
}

pub(super) async fn perform(job: &Job, stopper: &mut Stopper) -> Performed {
    match try_perform(job, stopper).await {
        Ok(performed) => performed,
        Err(result) => Performed::from(*result),
    }
}

async fn try_perform(job: &Job, stopper: &mut Stopper) -> Result<Performed, git::StepError> {
    let Work::Prepare(Ok(place)) = &job.work else {
        return Err(Box::new(StepResult::error(Cause::Failed, "there is no place for a worktree")));
    };
    let mut tap = job.tap();
    if let Some(note) = &place.note {
        tap.note(note.clone());
    }
    let prepared = make(job, place, &mut tap, stopper).await?;
    let changes = vec![Change::Prepared {
        session: job.session.id,
        branch: prepared.branch.clone(),
        worktree: prepared.worktree.clone(),
        base_commit: place.base.clone(),
    }];
    let data = Data::Prepared {
        branch: prepared.branch,
        worktree: prepared.worktree,
        base_commit: place.base.clone(),
        created: prepared.created,
    };
    Ok(Performed { result: StepResult::ok().with_data(data), changes })
}

/// Makes a worktree with all that a new one gets. One that is there is used as it is.
pub(super) async fn make(
    job: &Job,
    place: &Place,
    tap: &mut crate::engine::recorder::Tap,
    stopper: &mut Stopper,
) -> Result<crate::git::Prepared, git::StepError> {
    let prepared = prepare(job, place, stopper).await?;
    copy(job, &prepared.worktree, tap).await?;
    setup(job, &prepared.worktree, tap, stopper).await?;
    Ok(prepared)
}

/// Makes sure that branch and worktree are there.
async fn prepare(job: &Job, place: &Place, stopper: &mut Stopper) -> Result<crate::git::Prepared, git::StepError> {
    let root = job.project.root.clone();
    let Place { branch, worktree, base, note: _ } = place.clone();
    let prepared = git::read(move || Repo::open(&root)?.prepare(&worktree, &branch, &base)).await?;
    if let Some(checkout) = prepared.checkout.clone() {
        let mut tap = job.tap();
        let (exit, said) = git::write_freely(job, &mut tap, checkout, stopper).await?;
        if exit.code() != Some(0) {
            return Err(Box::new(StepResult::error(
                Cause::Failed,
                format!("the worktree could not be filled: {said}"),
            )));
        }
    }
    if prepared.filled {
        tokio::time::sleep(FILE_TIME).await;
        let at = prepared.worktree.clone();
        git::read(move || Tree::open(&at)?.trust_files()).await?;
    }
    Ok(prepared)
}

/// Makes the worktree of a session again if it is gone, with all that a new one gets: every later step calls this first.
pub(super) async fn ensure(job: &Job, stopper: &mut Stopper) -> Result<(), git::StepError> {
    let worktree = git::worktree(job)?;
    // What was cut off may have left lock files, which `prepare` clears. A validation that was cut off leaves no other trace.
    let last = job.history.attempts.iter().rev().find_map(|attempt| attempt.outcome);
    let clean = !matches!(job.work, Work::Validate { .. }) && last.is_some_and(|last| !is_cut_off(last.cause));
    let there = worktree.join(".git").exists();
    if there && clean {
        return Ok(());
    }
    let (Some(branch), Some(base)) = (job.session.branch.clone(), job.session.base_commit.clone()) else {
        return Err(Box::new(StepResult::error(Cause::Environment, "the session has no branch")));
    };
    if !there {
        job.tap().note("The worktree was gone and is made again from its branch.");
    }
    let place = Place { branch, worktree: worktree.to_owned(), base, note: None };
    let prepared = prepare(job, &place, stopper).await?;
    if there {
        return Ok(());
    }
    let mut tap = job.tap();
    copy(job, &prepared.worktree, &tap).await?;
    setup(job, &prepared.worktree, &mut tap, stopper).await
}

/// Whether processes of an attempt that ended so may have been killed.
const fn is_cut_off(cause: Option<Cause>) -> bool {
    match cause {
        Some(Cause::Interrupted | Cause::Cancelled | Cause::Timeout | Cause::Inactive) => true,
        Some(
            Cause::Failed
            | Cause::CouldNotRun
            | Cause::EmptyDiff
            | Cause::Environment
            | Cause::AgentUnavailable
            | Cause::Quota
            | Cause::Overloaded
            | Cause::MergeConflict
            | Cause::ArchitecturalIssue
            | Cause::FailuresOutside,
        )
        | None => false,
    }
}

async fn copy(job: &Job, worktree: &Utf8Path, tap: &crate::engine::recorder::Tap) -> Result<(), git::StepError> {
    if job.project.worktree.copy.is_empty() {
        return Ok(());
    }
    let (root, files) = (job.project.root.clone(), job.project.worktree.copy.clone());
    let to = worktree.to_owned();
    let copied = git::read(move || Repo::open(&root)?.copy_ignored(&to, &files)).await?;
    for skipped in &copied.skipped {
        tap.note(format!("Not copied into the worktree: {} ({})", skipped.file, skipped.reason));
    }
    Ok(())
}

async fn setup(
    job: &Job,
    worktree: &Utf8Path,
    tap: &mut crate::engine::recorder::Tap,
    stopper: &mut Stopper,
) -> Result<(), git::StepError> {
    let argv = &job.project.worktree.setup;
    if argv.is_empty() {
        return Ok(());
    }
    if !job.consented {
        return Err(Box::new(no_consent(job)));
    }
    tap.event(EventKind::Command { line: git::shown(argv) });
    let spec = git::spec(job, argv.clone(), worktree.to_owned(), git::environment(job));
    confine::say(job, &[]);
    let chunks = |chunk: process::Chunk| tap.text(chunk.text, |text| EventKind::Output { text, stderr: chunk.stderr });
    let finished = confine::run(job, spec, &[], chunks, stopper).await?;
    if finished.exit.code() == Some(0) {
        return Ok(());
    }
    let tail = super::tests::tail(&finished.stderr, &finished.stdout);
    let cause = if finished.exit == crate::model::Exit::Cancelled { stopper.cause() } else { Cause::Environment };
    Err(Box::new(StepResult {
        code: finished.exit.code(),
        ..StepResult::error(
            cause,
            format!(
                "the setup command `{}` {} in {worktree}:\n{tail}\nrun it there by hand, or change [worktree] setup",
                git::shown(argv),
                super::tests::ended(&finished.exit)
            ),
        )
    }))
}

/// What a step says whose command came with the project and was never consented to.
pub(super) fn no_consent(job: &Job) -> StepResult {
    StepResult::error(
        Cause::Environment,
        format!(
            "callboard.toml brings commands that nobody has agreed to run here: {}. \
             Read them, then agree with `callboard trust` and retry",
            job.project.foreign_commands().join("; ")
        ),
    )
}
