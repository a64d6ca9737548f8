//! Holds a process and everything that comes of it, until nothing is left.

use std::collections::HashSet;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout_at};

use super::kin::{self, Place, Search};
use super::proc::{self, Identity, Process};
use super::program::{self, Failure};
use super::pump::Pipes;
use super::{DRAIN, Grace, RUN_MARKER, STORE_MARKER, Spec, later};

/// How long the kernel may take to end a process that was killed. One that hangs in a device takes longer.
const LAST_GRACE: Duration = Duration::from_secs(5);

/// How often it is looked whether processes are gone that we cannot wait for: first soon, then seldom.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A running process. To drop it unsettled kills it and what can be found of its descendants.
#[derive(Debug)]
pub(super) struct Leash {
    child: Child,
    place: Place,
    leader: Pid,
    /// Its status was taken, so its pid may be used again, unless others are still in its group.
    waited: bool,
    /// Its group was seen to be empty: from then on the number means nothing.
    group_gone: bool,
    /// Descendants that were found, so that they are still ours when their ancestors are gone.
    remembered: Vec<Identity>,
    /// Descendants that had to be told to end.
    ended: HashSet<Identity>,
    settled: bool,
}

impl Leash {
    /// Starts a process and holds it. Blocks until the system has loaded the program.
    pub(super) fn start(spec: &Spec) -> Result<Self, Failure> {
        let place = kin::enter(&spec.marker);
        let child = program::spawn(spec)?;
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        let leader = pid.ok_or_else(|| Failure::Final("the system gave it no process id".to_owned()))?;
        place.started(leader.as_raw_pid());
        let (remembered, ended) = (Vec::new(), HashSet::new());
        Ok(Self { child, place, leader, waited: false, group_gone: false, remembered, ended, settled: false })
    }

    /// Our ends of its pipes.
    pub(super) fn pipes(&mut self) -> Pipes {
        Pipes { stdin: self.child.stdin.take(), stdout: self.child.stdout.take(), stderr: self.child.stderr.take() }
    }

    /// Waits for the process itself.
    pub(super) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.child.wait().await;
        self.waited = true;
        status
    }

    /// Nothing more is to be done. Returns how many descendants had to be ended.
    pub(super) fn settle(mut self) -> u32 {
        self.settled = true;
        u32::try_from(self.ended.len()).unwrap_or(u32::MAX)
    }

    /// After the process ended by itself: gives what it left behind a moment to end as well, and then ends it.
    pub(super) async fn sweep_up(&mut self, grace: Grace) {
        let escaped_unseen = !kin::adopting() && !self.descendants().await.is_empty();
        if (self.has_left() || escaped_unseen) && !self.ends_by_itself().await {
            self.sweep(grace).await;
        }
    }

    /// Ends the process and everything that comes of it.
    pub(super) async fn end(&mut self, grace: Grace) {
        // Before anything is told to end: a process that left group and environment behind is only ours as long as
        // those between us live.
        self.descendants().await;
        self.signal_group(Signal::INT);
        if timeout_at(later(Instant::now(), grace.interrupt), self.wait()).await.is_ok() {
            self.ends_by_itself().await;
        }
        self.sweep(grace).await;
    }

    async fn sweep(&mut self, grace: Grace) {
        if !self.tell(Signal::TERM, grace.terminate).await {
            self.tell(Signal::KILL, LAST_GRACE).await;
        }
        // What was killed is dead, but its status may still wait for us.
        if self.waited || timeout_at(later(Instant::now(), LAST_GRACE), self.wait()).await.is_ok() {
            self.has_left();
        }
    }

    /// Sends a signal to all that is left, until nothing is left or the time is over, and says which.
    async fn tell(&mut self, signal: Signal, grace: Duration) -> bool {
        let until = later(Instant::now(), grace);
        let mut told = HashSet::new();
        loop {
            let left = self.descendants().await;
            if left.is_empty() {
                return true;
            }
            let leader = self.leader.as_raw_pid();
            // A group is told as one: some programs take a second signal for impatience.
            let in_group = |process: &Process| process.group == leader;
            if (told.is_empty() || signal == Signal::KILL) && left.iter().any(in_group) {
                self.signal_group(signal);
                told.extend(left.iter().filter(|process| in_group(process)).map(|process| process.id));
            }
            for process in &left {
                if told.insert(process.id) {
                    proc::signal(process.id, signal);
                }
            }
            self.ended.extend(left.iter().map(|process| process.id).filter(|id| id.pid != leader));
            if !self.waited && timeout_at(until, self.wait()).await.is_err() {
                return false;
            }
            if !before(until, || left.iter().all(|process| is_gone(process, &left))).await {
                return false;
            }
        }
    }

    /// Searches everywhere, and remembers what it finds.
    async fn descendants(&mut self) -> Vec<Process> {
        let search = self.search();
        let found = tokio::task::spawn_blocking(move || kin::descendants(&search)).await.unwrap_or_default();
        self.remember(&found);
        found
    }

    fn remember(&mut self, found: &[Process]) {
        let leader = self.leader.as_raw_pid();
        self.remembered = found.iter().map(|process| process.id).filter(|id| id.pid != leader).collect();
    }

    fn search(&mut self) -> Search {
        let group = self.has_group().then_some(self.leader.as_raw_pid());
        self.place.search(group, self.remembered.clone())
    }

    /// Waits a moment for everything to be gone.
    async fn ends_by_itself(&mut self) -> bool {
        before(Instant::now() + DRAIN, || !self.has_left()).await
    }

    /// Whether the process, once waited for, left anyone behind: a look at its group and at our adopted children.
    fn has_left(&mut self) -> bool {
        let group = self.has_group();
        let adopted = self.place.adopted(group.then_some(self.leader.as_raw_pid()));
        group || !adopted.is_empty()
    }

    /// Whether someone is in its group. Members that came to us as orphans and are dead are reaped.
    fn has_group(&mut self) -> bool {
        if !self.waited {
            return true;
        }
        while !self.group_gone {
            let empty = rustix::process::test_kill_process_group(self.leader) == Err(Errno::SRCH);
            // While others are in a group, nobody gets the pid of its dead leader. So if somebody has it, it is another's.
            let taken = || rustix::process::test_kill_process(self.leader) != Err(Errno::SRCH);
            self.group_gone = empty || taken();
            let reaped = !self.group_gone && {
                matches!(rustix::process::waitpgid(self.leader, WaitOptions::NOHANG), Ok(Some(_)))
            };
            if !reaped {
                break;
            }
        }
        !self.group_gone
    }

    fn signal_group(&mut self, signal: Signal) {
        if self.has_group() {
            // An error says that nobody is there any more, or nobody whom we may tell.
            rustix::process::kill_process_group(self.leader, signal).ok();
        }
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let found = kin::descendants(&self.search());
        self.signal_group(Signal::KILL);
        for process in found {
            proc::signal(process.id, Signal::KILL);
        }
    }
}

/// Waits for a condition that nothing wakes us for, and says whether it came true in time.
async fn before(until: Instant, mut condition: impl FnMut() -> bool) -> bool {
    let mut pause = FIRST_PAUSE;
    while !condition() {
        let now = Instant::now();
        if now >= until {
            return false;
        }
        sleep(pause.min(until - now)).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    true
}

/// A zombie is gone if it is reaped now, or if its parent is none of those that are ending: then that will reap it.
fn is_gone(process: &Process, processes: &[Process]) -> bool {
    match proc::read(process.id.pid) {
        Some(now) if now.id == process.id && now.zombie && now.parent == proc::me() => {
            proc::reap(now.id.pid);
            true
        }
        Some(now) if now.id == process.id && now.zombie => {
            !processes.iter().any(|process| process.id.pid == now.parent)
        }
        Some(now) => now.id != process.id,
        None => true,
    }
}

/// Which processes to end without having started them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker<'a> {
    /// Those of any run for this store: `CALLBOARD_STORE` is exactly this, and there is a `CALLBOARD_RUN`. (The second keeps
    /// a shell alive whose user chose the store by that variable.)
    Store(&'a str),
    /// Those of one run: `CALLBOARD_RUN` is exactly this.
    Run(&'a str),
}

/// Ends every process of our user on this machine that carries the marker, except ourselves and our ancestors: by SIGTERM,
/// after `grace` by SIGKILL. Returns how many there were.
///
/// For what a killed engine left behind. Must not be used for runs of this process: those end their own.
pub async fn end_marked(marker: Marker<'_>, grace: Duration) -> u32 {
    let (name, value) = match marker {
        Marker::Store(value) => (STORE_MARKER, value.to_owned()),
        Marker::Run(value) => (RUN_MARKER, value.to_owned()),
    };
    let mut ended = HashSet::new();
    for (signal, grace) in [(Signal::TERM, grace), (Signal::KILL, LAST_GRACE)] {
        let until = later(Instant::now(), grace);
        let mut told = HashSet::new();
        loop {
            let value = value.clone();
            let search = tokio::task::spawn_blocking(move || kin::marked_processes(name, &value));
            let left = search.await.unwrap_or_default();
            if left.is_empty() {
                return u32::try_from(ended.len()).unwrap_or(u32::MAX);
            }
            for process in left.iter().filter(|process| told.insert(process.id)) {
                proc::signal(process.id, signal);
            }
            ended.extend(left.iter().map(|process| process.id));
            // A child of ours that was given the marker without `run` is for its owner to wait for.
            let ended =
                |process: &Process| proc::read(process.id.pid).is_none_or(|now| now.id != process.id || now.zombie);
            if !before(until, || left.iter().all(ended)).await {
                break;
            }
        }
    }
    u32::try_from(ended.len()).unwrap_or(u32::MAX)
}
