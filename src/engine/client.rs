//! What other processes have to do with an engine: start one, stop it, wait for what it does.

use std::{
    fs::OpenOptions,
    io,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use camino::Utf8Path;
use rustix::process::{Pid, Signal, kill_process, setsid};

use crate::store::Watch;

use super::lock::{Holder, holder};

/// Without notifications the store is looked at this often.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Behind the notifications it is looked at this often.
const LOOK_BEHIND: Duration = Duration::from_millis(500);

/// Starts an engine of a store in the background: `program engine run --background --store STORE`. What it logs goes to
/// `engine.log` in the folder beside the store. The engine ends by itself when another one has the lock.
///
/// # Errors
/// When the folder cannot be made, or the program not be started.
pub fn start(program: &std::path::Path, store: &Utf8Path) -> io::Result<()> {
    let folder = store.with_extension("d");
    std::fs::create_dir_all(&folder)?;
    let log = OpenOptions::new().create(true).append(true).open(folder.join("engine.log"))?;
    let mut command = Command::new(program);
    command.args(["engine", "run", "--background", "--store", store.as_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).current_dir(&folder);
    // An engine that an agent's command starts must not look like something that the agent left behind.
    let ours =
        std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("CALLBOARD_"));
    for name in ours {
        command.env_remove(name);
    }
    command.spawn().map(drop)
}

/// Leaves the terminal and the session of whoever started this process, which may end without ending it.
pub fn detach() {
    // It fails only for a process that leads a group, which has left already.
    setsid().map(drop).unwrap_or_default();
}

/// What came of telling an engine to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// There was none.
    None,
    /// It has ended.
    Ended,
    /// It was told, and has not ended in time.
    Told(Holder),
}

/// Tells the engine of a store to stop, and waits until it has.
///
/// # Errors
/// When it cannot be told.
pub fn stop(store: &Utf8Path, at_most: Duration) -> io::Result<Stopped> {
    let Some(engine) = holder(store) else { return Ok(Stopped::None) };
    let pid = i32::try_from(engine.pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("it has just begun; try again"))?;
    kill_process(pid, Signal::TERM)?;
    let gone = || (holder(store).map(|now| now.pid) != Some(engine.pid)).then_some(());
    let ended = wait_for(None, Some(at_most), || Ok::<_, io::Error>(gone()))?;
    Ok(if ended.is_some() { Stopped::Ended } else { Stopped::Told(engine) })
}

/// Looks until there is something to see: at once, then whenever the store may have changed. `None`: not within `at_most`.
///
/// # Errors
/// What `look` says.
pub fn wait_for<T, E>(
    watch: Option<&Watch>,
    at_most: Option<Duration>,
    mut look: impl FnMut() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look()? {
            return Ok(Some(seen));
        }
        if at_most.is_some_and(|limit| begun.elapsed() > limit) {
            return Ok(None);
        }
        match watch {
            Some(watch) => watch.wait(LOOK_BEHIND),
            None => thread::sleep(LOOK_EVERY),
        }
    }
}
