//! Running git for a step: reading on a thread that may block, writing through the user's own program.

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    engine::{
        job::{Job, Stopper},
        process::{self, STORE_MARKER, Spec},
        recorder::Tap,
        steps::confine,
    },
    git::{GitError, INHERITED, Invocation, Repo},
    model::{Cause, Confine, EventKind, Exit, StepResult},
};

/// So much of a program's output is kept in memory.
pub(super) const KEEP: usize = 4 * 1024 * 1024;

/// What a step gets instead of what it asked for.
pub(super) type StepError = Box<StepResult>;

/// Runs what reads a repository where it may block.
pub(super) async fn read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, StepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Box::new(StepResult::error(Cause::Failed, error.to_string()))),
        Err(error) => Err(Box::new(StepResult::error(Cause::Failed, format!("git could not be read: {error}")))),
    }
}

/// The environment of a step's process: the clean one, what the project lets pass, and the store's marker.
pub(super) fn environment(job: &Job) -> Vec<(String, String)> {
    let mut env = process::clean_env(&job.project.env_pass);
    env.push((STORE_MARKER.to_owned(), job.shared.store.to_string()));
    env
}

/// A process of this step, within the project's limits.
pub(super) fn spec(job: &Job, argv: Vec<String>, directory: Utf8PathBuf, env: Vec<(String, String)>) -> Spec {
    Spec {
        argv,
        directory,
        env,
        stdin: None,
        timeout: job.project.limits.step_timeout,
        inactivity: job.project.limits.inactivity,
        pulse: None,
        grace: job.shared.grace,
        marker: job.id.to_string(),
        confinement: None,
        record: Some(job.shared.places.output(job.session.id, job.seq)),
        cap: job.project.limits.output,
        keep: KEEP,
    }
}

/// Runs an invocation of git to its end, held back like everything in a worktree, since the hooks run what the agent wrote.
/// Answers how it ended and what it said, both streams in one.
pub(super) async fn write(
    job: &Job,
    tap: &mut Tap,
    invocation: Invocation,
    stopper: &mut Stopper,
) -> Result<(Exit, String), StepError> {
    perform(job, tap, invocation, true, stopper).await
}

/// The same for what has to reach beyond the worktree, and is never held back: a push, and the filling of a new worktree.
pub(super) async fn write_freely(
    job: &Job,
    tap: &mut Tap,
    invocation: Invocation,
    stopper: &mut Stopper,
) -> Result<(Exit, String), StepError> {
    perform(job, tap, invocation, false, stopper).await
}

async fn perform(
    job: &Job,
    tap: &mut Tap,
    invocation: Invocation,
    held: bool,
    stopper: &mut Stopper,
) -> Result<(Exit, String), StepError> {
    match job.project.sandbox.mode {
        Confine::Off => {}
        Confine::Worktree => {
            let (root, worktree) = (job.project.root.clone(), invocation.directory.clone());
            read(move || Repo::open(&root)?.expect_own(&worktree)).await?;
        }
    }
    // Git acts as it does by the user's hand: with their configuration, keys and agents.
    let inherited: Vec<String> = INHERITED.iter().map(|name| (*name).to_owned()).collect();
    let mut env = process::clean_env(&inherited);
    env.push((STORE_MARKER.to_owned(), job.shared.store.to_string()));
    env.extend(invocation.env);
    tap.event(EventKind::Command { line: shown(&invocation.argv) });
    let spec = Spec { stdin: invocation.stdin, record: None, ..spec(job, invocation.argv, invocation.directory, env) };
    let mut said = String::new();
    let chunks = |chunk: process::Chunk| {
        if said.len() < KEEP {
            said.push_str(&chunk.text);
        }
        tap.text(chunk.text, |text| EventKind::Output { text, stderr: chunk.stderr });
    };
    let finished = if held {
        confine::run(job, spec, &[], chunks, stopper).await?
    } else {
        process::run(spec, chunks, stopper.stopped()).await
    };
    Ok((finished.exit, said))
}

/// A command line as a person would type it; git's `-c` settings, which only callboard needs, are left out.
pub(super) fn shown(argv: &[String]) -> String {
    let mut words = Vec::new();
    let mut rest = argv.iter().peekable();
    while let Some(word) = rest.next() {
        if word == "-c" && argv.first().is_some_and(|program| program == "git") {
            rest.next();
            continue;
        }
        let plain = |char: char| char.is_ascii_alphanumeric() || "-_./=:@,+%".contains(char);
        if !word.is_empty() && word.chars().all(plain) {
            words.push(word.clone());
        } else {
            words.push(format!("'{}'", word.replace('\'', r"'\''")));
        }
    }
    words.join(" ")
}

/// The session's worktree; a session that has none cannot go on.
pub(super) fn worktree(job: &Job) -> Result<&Utf8Path, StepError> {
    job.session.worktree.as_deref().ok_or_else(|| {
        Box::new(StepResult::error(
            Cause::Environment,
            "the session has no worktree: its initialize step never ended well; cancel it and make a new one",
        ))
    })
}
