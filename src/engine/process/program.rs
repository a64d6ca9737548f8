//! From a [`Spec`] to a running child, or to words that say why there is none.

use std::io::{Error, ErrorKind};
use std::path::Path;
use std::process::Stdio;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::Access;
use rustix::io::Errno;
use tokio::process::{Child, Command};

use super::confine::{Confinement, Refusal};
use super::{RUN_MARKER, Spec};

/// Where programs are when the environment does not say.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Why a process did not start.
#[derive(Debug)]
pub(super) enum Failure {
    /// Someone is still writing the program. Whoever wrote it may well have closed it, while a process that was just being
    /// started still holds a copy of the descriptor: that passes.
    Busy(String),
    /// It will not start later either.
    Final(String),
}

/// Starts the process, or says why it cannot be. Blocks until the system has loaded the program.
///
/// The standard library starts a process by `posix_spawn`, which costs a fraction of a fork, unless it has to search a
/// changed `PATH` in the child. So the program is searched here.
pub(super) fn spawn(spec: &Spec) -> Result<Child, Failure> {
    let Some((name, arguments)) = spec.argv.split_first().filter(|(name, _)| !name.is_empty()) else {
        return Err(Failure::Final("there is no program to run: its name is empty".to_owned()));
    };
    let Some(program) = find(name, spec) else { return Err(Failure::Final(absent(name, spec))) };
    let mut command = match &spec.confinement {
        None => Command::new(&program),
        Some(confinement) => {
            let unprepared =
                |error| Failure::Final(unconfined(&format!("{} cannot be made: {error}", confinement.refusal)));
            confinement.prepare().map_err(unprepared)?;
            Command::from(confinement.command(&program, name))
        }
    };
    if spec.confinement.is_none() {
        command.arg0(name);
    }
    command.args(arguments).current_dir(&spec.directory).process_group(0);
    command.env_clear().envs(spec.env.iter().map(|(name, value)| (name, value))).env(RUN_MARKER, &spec.marker);
    command.stdin(if spec.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().map_err(|error| {
        let message = match &spec.confinement {
            Some(confinement) if is_absent(&error) && missing_directory(&spec.directory).is_none() => {
                unconfined(&format!("`{}` could not be started: {error}", confinement.program))
            }
            _ => refused(&error, &program, &spec.directory),
        };
        if error.kind() == ErrorKind::ExecutableFileBusy { Failure::Busy(message) } else { Failure::Final(message) }
    })
}

/// The file to run. With a slash in its name it is returned unseen: the attempt to start it says more.
fn find(name: &str, spec: &Spec) -> Option<Utf8PathBuf> {
    if name.contains('/') {
        return Some(spec.directory.join(name));
    }
    candidates(name, spec).find(|path| is_executable(path))
}

/// Every file that the name can mean. An empty entry in `PATH` means the working directory.
fn candidates<'a>(name: &'a str, spec: &'a Spec) -> impl Iterator<Item = Utf8PathBuf> + 'a {
    // Of a variable that is given twice, the child sees the last.
    let path = spec.env.iter().rev().find(|(name, _)| name == "PATH").map_or(USUAL_PATH, |(_, value)| value);
    path.split(':').map(move |entry| spec.directory.join(entry).join(name))
}

fn is_executable(path: &Utf8Path) -> bool {
    rustix::fs::access(path.as_std_path(), Access::EXEC_OK).is_ok() && path.is_file()
}

fn absent(name: &str, spec: &Spec) -> String {
    if let Some(message) = missing_directory(&spec.directory) {
        return message;
    }
    match candidates(name, spec).find(|path| path.is_file()) {
        Some(path) => not_executable(&path),
        None => format!("the program `{name}` was not found in PATH"),
    }
}

/// A confined process: what it was to become says itself whether that came about.
#[derive(Debug)]
pub(super) struct Confined {
    confinement: Confinement,
    program: Utf8PathBuf,
    directory: Utf8PathBuf,
}

impl Confined {
    /// `None` for a process that is not confined.
    pub(super) fn of(spec: &Spec) -> Option<Self> {
        let program = spec.argv.first().and_then(|name| find(name, spec))?;
        Some(Self { confinement: spec.confinement.clone()?, program, directory: spec.directory.clone() })
    }

    /// Why it did not start, if it did not; to be asked once, when it has ended.
    pub(super) fn refused(&self) -> Option<String> {
        Some(match self.confinement.refused()? {
            Refusal::Program(code) => refused(&Error::from_raw_os_error(code), &self.program, &self.directory),
            Refusal::Confinement(why) => unconfined(&why),
        })
    }
}

fn unconfined(why: &str) -> String {
    format!("it could not be confined: {why}")
}

/// Whether the error is about the file that was to be started: for a confined process that is callboard itself.
fn is_absent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
}

fn refused(error: &Error, program: &Utf8Path, directory: &Utf8Path) -> String {
    if let Some(message) = missing_directory(directory) {
        return message;
    }
    let exists = program.exists();
    match Errno::from_io_error(error) {
        Some(Errno::NOENT) if exists => {
            format!("`{program}` could not be started: the interpreter that it names was not found")
        }
        Some(Errno::NOENT) => format!("the program `{program}` was not found"),
        Some(Errno::ACCESS) if program.is_dir() => format!("`{program}` is a directory, not a program"),
        Some(Errno::ACCESS) if exists && !is_executable(program) => not_executable(program),
        Some(Errno::TOOBIG) => format!("`{program}` could not be started: its arguments and environment are too long"),
        Some(Errno::NOEXEC) => {
            format!(
                "`{program}` is not a program: neither a binary for this machine nor a script that names its interpreter"
            )
        }
        _ => format!("`{program}` could not be started: {error}"),
    }
}

fn not_executable(path: &Utf8Path) -> String {
    format!("`{path}` is not executable: it lacks the permission (chmod +x)")
}

fn missing_directory(directory: &Utf8Path) -> Option<String> {
    let path: &Path = directory.as_std_path();
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => None,
        Ok(_) => Some(format!("the directory to run in is not a directory: `{directory}`")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some(format!("the directory to run in does not exist: `{directory}`"))
        }
        Err(error) => Some(format!("the directory to run in cannot be entered: `{directory}`: {error}")),
    }
}
