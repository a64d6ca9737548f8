//! What `/proc` says about processes. A pid alone never names one for longer than a moment: pids are used again, so
//! whoever remembers a process remembers when it started.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt as _;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};

/// More than any environment the kernel lets a program start with by default.
const ENVIRON_MAX: u64 = 16 << 20;

/// One process for as long as the machine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Identity {
    pub(super) pid: i32,
    /// Clock ticks from boot to its start.
    pub(super) start: u64,
}

/// A line of `/proc/PID/stat`, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) id: Identity,
    pub(super) parent: i32,
    pub(super) group: i32,
    pub(super) session: i32,
    /// Ended, but not yet waited for.
    pub(super) zombie: bool,
}

pub(super) fn me() -> i32 {
    rustix::process::getpid().as_raw_pid()
}

/// The process that has this pid now.
pub(super) fn read(pid: i32) -> Option<Process> {
    let mut buffer = [0; 1024];
    let length = File::open(format!("/proc/{pid}/stat")).and_then(|mut file| file.read(&mut buffer)).ok()?;
    parse(pid, buffer.get(..length)?)
}

/// Fields are counted from the last parenthesis: a program may have any name, also one with spaces and parentheses.
fn parse(pid: i32, stat: &[u8]) -> Option<Process> {
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(stat.get(name_end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let zombie = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let start = fields.nth(15)?.parse().ok()?;
    Some(Process { id: Identity { pid, start }, parent, group, session, zombie })
}

/// Every process on the machine.
pub(super) fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(read).collect()
}

/// The environment a process of our user started with; nothing if it is not ours to see, or overwrote it.
pub(super) fn environ(pid: i32) -> Option<String> {
    let file = File::open(format!("/proc/{pid}/environ")).ok()?;
    if file.metadata().ok()?.uid() != rustix::process::geteuid().as_raw() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(ENVIRON_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The value of a variable in what [`environ`] gave.
pub(super) fn value<'a>(environ: &'a str, name: &str) -> Option<&'a str> {
    environ.split('\0').find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

/// Sends a signal to exactly this process, and says whether it was there to get it. The descriptor pins the process
/// before its identity is looked at, so that no other can take its pid in between.
pub(super) fn signal(id: Identity, signal: Signal) -> bool {
    let Some(pid) = Pid::from_raw(id.pid) else { return false };
    let same = || read(id.pid).is_some_and(|now| now.id == id && !now.zombie);
    match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(pidfd) => same() && rustix::process::pidfd_send_signal(&pidfd, signal).is_ok(),
        Err(Errno::NOSYS) => same() && rustix::process::kill_process(pid, signal).is_ok(),
        Err(_) => false,
    }
}

/// Takes the exit status of a dead child, so that it does not stay a zombie. Only for children that nobody waits for.
pub(super) fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        // An error says that it is no longer there to be reaped.
        rustix::process::waitpid(Some(pid), WaitOptions::NOHANG).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, Process, parse, value};

    #[test]
    fn a_process_may_have_any_name() {
        let stat = b"77 (a) R 1 (b) S 5 6 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 99 1 2 3\n";
        let expected =
            Process { id: Identity { pid: 77, start: 4242 }, parent: 5, group: 6, session: 7, zombie: false };
        assert_eq!(parse(77, stat), Some(expected));
        assert_eq!(parse(77, b"77 (sh"), None);
        assert_eq!(parse(77, b"77 (sh) Z 1 2"), None);
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let environ = "XRUN=0\0RUN_=1\0RUN=2=3\0";
        assert_eq!(value(environ, "RUN"), Some("2=3"));
        assert_eq!(value(environ, "UN"), None);
    }
}
