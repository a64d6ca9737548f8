//! Processes of a step that write in their worktree only, as far as the project asks for it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use uuid::Uuid;

use crate::{
    engine::{
        job::{Job, Stopper, Work},
        process::{self, Chunk, Confinement, Finished, Spec},
        steps::{git, initialize},
    },
    git::Repo,
    model::{Cause, Confine, Network, Sandbox, StepResult},
};

/// This very program, also when another one has taken its place on the disk.
const PROGRAM: &str = "/proc/self/exe";

/// What every process writes to, in one way or another: nothing of it stays.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx", "/dev/pts"];

/// Runs a process of a step in a worktree; `also` is where this one may write beside it.
pub(super) async fn run(
    job: &Job,
    spec: Spec,
    also: &[String],
    chunks: impl FnMut(Chunk) + Send,
    stopper: &mut Stopper,
) -> Result<Finished, git::StepError> {
    let Held { spec, folder } = hold(job, spec, also).await?;
    let finished = process::run(spec, chunks, stopper.stopped()).await;
    release(folder).await;
    Ok(finished)
}

/// A process that is held back as far as the project asks for it, and its temporary folder, if it has one of its own.
pub(super) struct Held {
    pub(super) spec: Spec,
    pub(super) folder: Option<Utf8PathBuf>,
}

/// Holds a process back that is to run in a worktree. [`release`] goes with it, once it has ended.
pub(super) async fn hold(job: &Job, spec: Spec, also: &[String]) -> Result<Held, git::StepError> {
    if job.project.sandbox.mode == Confine::Off {
        return Ok(Held { spec, folder: None });
    }
    let (spec, folder) = confined(job, spec, also).await?;
    Ok(Held { spec, folder: Some(folder) })
}

/// How a process is held back that is held back like another one, while that one is there.
pub(super) fn alike(job: &Job, other: &Spec) -> Option<Confinement> {
    let refusal = job.shared.places.temporary().join(format!("{}.refusal", Uuid::now_v7().simple()));
    other.confinement.clone().map(|confinement| Confinement { refusal, ..confinement })
}

/// Removes the temporary folder of a process that has ended. What it made unreadable stays until the next engine begins.
pub(super) async fn release(folder: Option<Utf8PathBuf>) {
    let Some(folder) = folder else { return };
    tokio::task::spawn_blocking(move || fs::remove_dir_all(folder)).await.map(drop).unwrap_or_default();
}

/// Makes a process write in its worktree only. Answers its temporary folder, too.
async fn confined(job: &Job, mut spec: Spec, also: &[String]) -> Result<(Spec, Utf8PathBuf), git::StepError> {
    let sandbox = &job.project.sandbox;
    if let Some(problem) = problem(sandbox) {
        return Err(environment(problem));
    }
    let named = named(sandbox, also);
    if !named.is_empty() && !job.consented {
        return Err(Box::new(initialize::no_consent(job)));
    }
    // The last value is the one that the process sees.
    let home = spec.env.iter().rev().find(|(name, _)| name == "HOME").map(|(_, home)| home.clone());
    let (there, missing): (Vec<_>, Vec<_>) =
        named.into_iter().map(|place| at_home(place, home.as_deref())).partition(|place| place.exists());
    if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|place| place.as_str()).collect();
        job.tap().note(format!("Nothing can be written at {}: it is not there.", names.join(", ")));
    }
    let id = Uuid::now_v7().simple().to_string();
    let id = id.get(id.len().saturating_sub(12)..).unwrap_or(&id).to_owned();
    let all = job.shared.places.temporary();
    let folder = all.join(&id);
    let (root, worktree, own) = (job.project.root.clone(), spec.directory.clone(), folder.clone());
    let branch = branch(job, &worktree).map(str::to_owned);
    let made = git::read(move || {
        let folders = Repo::open(&root)?.writable(&worktree, branch.as_deref())?;
        Ok(fs::create_dir_all(&own).map(|()| folders))
    })
    .await?;
    let of_git = made.map_err(|error| environment(format!("the temporary folder {folder} cannot be made: {error}")))?;
    // A test runner writes its report there; what an agent writes there is removed before.
    let reports = Some(job.shared.places.reports(job.session.id)).filter(|folder| folder.is_dir());
    let devices = DEVICES.iter().map(Utf8PathBuf::from).filter(|device| device.exists());
    let write =
        [spec.directory.clone(), folder.clone()].into_iter().chain(of_git).chain(reports).chain(devices).chain(there);
    spec.env.push(("TMPDIR".to_owned(), folder.to_string()));
    spec.confinement = Some(Confinement {
        program: PROGRAM.into(),
        write: write.collect(),
        network: sandbox.network == Network::On,
        refusal: all.join(format!("{id}.refusal")),
    });
    Ok((spec, folder))
}

fn environment(message: String) -> git::StepError {
    Box::new(StepResult::error(Cause::Environment, message))
}

/// The branch that is checked out in a worktree, as the record has it: what stands in the worktree may be the agent's word.
fn branch<'a>(job: &'a Job, worktree: &Utf8Path) -> Option<&'a str> {
    if job.session.worktree.as_deref() == Some(worktree)
        && let Some(branch) = &job.session.branch
    {
        return Some(branch);
    }
    match &job.work {
        Work::Prepare(Ok(place)) if place.worktree == worktree => Some(&place.branch),
        Work::Prepare(_)
        | Work::Agent(_)
        | Work::Tests { .. }
        | Work::Check(_)
        | Work::Validate { .. }
        | Work::Finalize { .. }
        | Work::Impossible { .. } => None,
    }
}

/// The places that the configuration names.
fn named(sandbox: &Sandbox, also: &[String]) -> Vec<String> {
    let mut named: Vec<String> = sandbox.write.iter().chain(also).cloned().collect();
    named.sort();
    named.dedup();
    named
}

fn at_home(place: String, home: Option<&str>) -> Utf8PathBuf {
    match (place.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => Utf8Path::new(home).join(rest),
        _ => place.into(),
    }
}

/// Why the project's processes cannot be confined as it asks, if so, and what to try.
pub(super) fn problem(sandbox: &Sandbox) -> Option<String> {
    if sandbox.mode == Confine::Off {
        return None;
    }
    let lacks = process::landlock().lacks(sandbox.network == Network::On)?;
    let off = if lacks.contains("network") { "network = \"on\"" } else { "mode = \"off\"" };
    Some(format!(
        "callboard.toml asks for a sandbox that this machine does not have: {lacks}; or write {off} in [sandbox]"
    ))
}

/// How a process is held back, in a sentence.
pub(super) fn sentence(sandbox: &Sandbox, also: &[String]) -> String {
    match sandbox.mode {
        Confine::Off => "Not confined: it may write wherever you may.".to_owned(),
        Confine::Worktree => {
            let named = named(sandbox, also);
            let also = if named.is_empty() { String::new() } else { format!(", {}", named.join(", ")) };
            format!("Confined: it writes in its worktree{also}; network {}.", sandbox.network)
        }
    }
}

/// Whether what an agent starts cannot write callboard's record. The sessions tool, which an agent starts, has to: opened to it,
/// the record would be open to the agent, which could then agree to anything in a person's name. So it asks the engine.
pub(super) fn closes_the_record(job: &Job) -> bool {
    job.project.sandbox.mode == Confine::Worktree
}

/// Says that what follows is confined, if it is.
pub(super) fn say(job: &Job, also: &[String]) {
    match job.project.sandbox.mode {
        Confine::Off => {}
        Confine::Worktree => job.tap().note(sentence(&job.project.sandbox, also)),
    }
}
