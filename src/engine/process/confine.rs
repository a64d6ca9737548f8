//! Keeps what a process writes in a few places: callboard starts itself, confines itself (landlock(7)), and then becomes the
//! process. What is confined stays so for all its descendants, whatever they leave: group, session, parent, environment.

use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd,
    RestrictSelf, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, Scope,
};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::{BUSY_PAUSE, BUSY_TRIES};

/// The first Landlock with which nothing outside can be changed: an older one lets every file be cut to nothing.
const FILES: ABI = ABI::V3;
/// The first Landlock that knows of TCP.
const TCP: ABI = ABI::V4;
/// The first Landlock that keeps signals inside.
const SIGNALS: ABI = ABI::V6;

/// What is said of a process that ended before it could say anything itself.
const UNCLEAR: &str = "it ended before it was";

/// A refusal is one line.
const REFUSAL: u64 = 64 << 10;

/// Where a process and all that comes of it may write. What it reads is not restricted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confinement {
    /// callboard's own program.
    pub program: Utf8PathBuf,
    /// Folders, with all that is in them, and files; absolute, and there.
    pub write: Vec<Utf8PathBuf>,
    /// Whether it may open TCP connections and listen.
    pub network: bool,
    /// A path where nothing is yet, out of the process's reach: a file there says why the process did not start, for as long
    /// as it has not. The run makes and removes it.
    pub refusal: Utf8PathBuf,
}

/// Why a process did not start, from the one that was to become it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Refusal {
    /// The system did not take the program.
    Program(i32),
    /// It could not be confined.
    Confinement(String),
}

impl Confinement {
    /// The command that confines itself and then becomes `program`, which is called `name`.
    pub(super) fn command(&self, program: &Utf8Path, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["confine", "--refusal", self.refusal.as_str()]);
        for path in &self.write {
            command.args(["--write", path.as_str()]);
        }
        if !self.network {
            command.arg("--offline");
        }
        command.args(["--", program.as_str(), name]);
        command
    }

    /// Makes the file that says why the process did not start: it has not.
    pub(super) fn prepare(&self) -> io::Result<()> {
        std::fs::write(&self.refusal, UNCLEAR)
    }

    /// Why the process did not start, if it did not. `None` also for a file that is not there.
    pub(super) fn refused(&self) -> Option<Refusal> {
        let mut text = Vec::new();
        let read = File::open(&self.refusal).and_then(|file| file.take(REFUSAL).read_to_end(&mut text));
        std::fs::remove_file(&self.refusal).unwrap_or_default();
        read.ok().filter(|length| *length > 0)?;
        let unclear = |_| Refusal::Confinement(UNCLEAR.to_owned());
        Some(serde_json::from_slice(&text).unwrap_or_else(unclear))
    }
}

/// Confines this process and becomes `program`, which is called `name`. Returns only if that fails; the reason is in the file
/// `refusal`, too, for a supervisor that cannot tell this process's end from the program's.
#[must_use]
pub fn become_confined(
    write: &[PathBuf],
    network: bool,
    refusal: Option<&Path>,
    program: &Path,
    name: &OsString,
    arguments: &[OsString],
) -> String {
    // It is opened, and emptied, before nothing can be written any more, and the program does not inherit it.
    let file = match refusal.map(|path| File::options().write(true).open(path)).transpose() {
        Ok(file) => file,
        Err(error) => return format!("the file for the refusal cannot be opened: {error}"),
    };
    let confined = confine(write, network);
    let emptied = file.as_ref().map_or(Ok(()), |file| file.set_len(0));
    let refusal = match confined.and_then(|()| emptied.map_err(|error| error.to_string())) {
        Ok(()) => {
            let error = execute(program, name, arguments);
            Refusal::Program(error.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error()))
        }
        Err(why) => Refusal::Confinement(why),
    };
    if let Some(mut file) = file {
        let line = serde_json::to_vec(&refusal).unwrap_or_default();
        // Whoever reads half of it says that it is not clear why.
        file.write_all(&line).unwrap_or_default();
    }
    match refusal {
        Refusal::Program(code) => {
            format!("`{}` could not be started: {}", program.display(), io::Error::from_raw_os_error(code))
        }
        Refusal::Confinement(why) => why,
    }
}

/// Becomes the program, unless the system refuses.
fn execute(program: &Path, name: &OsString, arguments: &[OsString]) -> io::Error {
    // The C library gives to a shell what the kernel does not know. Unconfined, it is refused.
    if is_unknown(program) {
        return Errno::NOEXEC.into();
    }
    let mut tries = 0;
    loop {
        let error = Command::new(program).arg0(name).args(arguments).exec();
        if error.kind() != io::ErrorKind::ExecutableFileBusy || tries == BUSY_TRIES {
            return error;
        }
        tries += 1;
        thread::sleep(BUSY_PAUSE);
    }
}

/// Whether the kernel knows no way to run the file. What cannot be read may be run all the same.
fn is_unknown(program: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(program).and_then(|file| file.take(4).read_to_end(&mut start));
    let known = start.starts_with(b"#!") || start == b"\x7fELF";
    read.is_ok() && !known && !has_other_formats()
}

/// Whether somebody taught this kernel to run other files (binfmt_misc).
fn has_other_formats() -> bool {
    let entries = std::fs::read_dir("/proc/sys/fs/binfmt_misc");
    entries.is_ok_and(|entries| {
        entries.flatten().any(|entry| !matches!(entry.file_name().to_str(), Some("register" | "status")))
    })
}

/// Confines this thread, and all that comes of it.
fn confine(write: &[PathBuf], network: bool) -> Result<(), String> {
    let support = landlock();
    if let Some(why) = support.lacks(network) {
        return Err(why);
    }
    let failed = |error: RulesetError| format!("the kernel did not take the rules: {error}");
    let created = rules(network).and_then(Ruleset::create).map_err(failed)?;
    let allowed = allowed();
    let confined = write.iter().try_fold(created, |created, path| {
        let place = PathFd::new(path).map_err(|error| format!("expected a place to write at, found none: {error}"))?;
        let rights = if path.is_dir() { allowed } else { allowed & AccessFs::from_file(ABI::V5) };
        created.add_rule(PathBeneath::new(place, rights)).map_err(failed)
    })?;
    confined.restrict_self().map(drop).map_err(failed)
}

/// What is refused unless a place allows it. Sockets that are files are left alone: one is the agent's line to callboard.
fn rules(network: bool) -> Result<Ruleset, RulesetError> {
    let must = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let must = must.handle_access(AccessFs::from_write(FILES))?;
    let must = if network { must } else { must.handle_access(AccessNet::from_all(TCP))? };
    // What this kernel may not know yet, and what is no writing of files.
    let also = must.set_compatibility(CompatLevel::BestEffort);
    let also = also.handle_access(AccessFs::IoctlDev)?.scope(Scope::Signal)?;
    if network { Ok(also) } else { also.scope(Scope::AbstractUnixSocket) }
}

/// What may be done at a place: everything, apart from making devices.
fn allowed() -> landlock::BitFlags<AccessFs> {
    AccessFs::from_write(ABI::V5) & !(AccessFs::MakeBlock | AccessFs::MakeChar)
}

/// How far this machine's kernel can confine processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Landlock {
    /// It was built without Landlock, or is too old for it.
    Missing,
    /// It has Landlock, which was not turned on when it started.
    Off,
    /// It has this version of Landlock's interface.
    Version(u32),
}

/// Asks the kernel.
#[must_use]
pub fn landlock() -> Landlock {
    // To apply nothing changes nothing, and says what could be applied.
    match RestrictSelf::default().no_new_privs(false).apply().map(|status| status.landlock) {
        Ok(LandlockStatus::Available { effective_abi, kernel_abi }) => {
            let newer = kernel_abi.and_then(|version| u32::try_from(version).ok());
            Landlock::Version(newer.unwrap_or(effective_abi as u32))
        }
        Ok(LandlockStatus::NotEnabled) => Landlock::Off,
        Ok(LandlockStatus::NotImplemented) | Err(_) => Landlock::Missing,
    }
}

impl Landlock {
    /// Why processes cannot be confined with this kernel, if they cannot, and what to try.
    #[must_use]
    pub fn lacks(self, network: bool) -> Option<String> {
        let version = match self {
            Self::Version(version) => version,
            Self::Off | Self::Missing => 0,
        };
        if version < FILES as u32 {
            return Some(format!("expected a kernel with Landlock {} (Linux 6.2), found {self}", FILES as u32));
        }
        (!network && version < TCP as u32).then(|| {
            format!("to cut the network off, expected a kernel with Landlock {} (Linux 6.7), found {self}", TCP as u32)
        })
    }

    /// What it can do, in words.
    #[must_use]
    pub fn means(self) -> &'static str {
        match self {
            Self::Version(version) if version >= SIGNALS as u32 => "files, TCP, signals",
            Self::Version(version) if version >= TCP as u32 => "files, TCP",
            Self::Version(version) if version >= FILES as u32 => "files, not TCP",
            Self::Version(_) | Self::Off | Self::Missing => "nothing",
        }
    }
}

impl std::fmt::Display for Landlock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Version(version) => write!(f, "Landlock {version}"),
            Self::Off => f.write_str("Landlock turned off (boot with lsm=landlock,…)"),
            Self::Missing => f.write_str("no Landlock"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Landlock;

    #[test]
    fn what_a_kernel_lacks_is_said_with_what_it_has() {
        for (kernel, files, offline) in [
            (Landlock::Missing, false, false),
            (Landlock::Off, false, false),
            (Landlock::Version(2), false, false),
            (Landlock::Version(3), true, false),
            (Landlock::Version(4), true, true),
            (Landlock::Version(99), true, true),
        ] {
            assert_eq!(kernel.lacks(true).is_none(), files, "{kernel}");
            assert_eq!(kernel.lacks(false).is_none(), offline, "{kernel}");
            assert!(kernel.lacks(false).is_none_or(|why| why.contains(&kernel.to_string())));
        }
    }
}
