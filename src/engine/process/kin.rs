//! Who belongs to which run.
//!
//! As a subreaper, this process becomes the parent of every descendant whose own parent died. The kernel hands them to
//! the main thread, while the processes we start ourselves belong to the thread that started them. The list of the main
//! thread's children is therefore nearly always empty, and an empty list proves that no run left anything behind.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::RUN_MARKER;
use super::proc::{self, Identity, Process};

/// A dead child that may be someone else's to wait for is theirs for so long.
const COURTESY: Duration = Duration::from_secs(1);

static ADOPTING: AtomicBool = AtomicBool::new(false);

/// Of the whole process, since children are: runs of two engines in one process must know of each other.
static LIVE: Mutex<Live> = Mutex::new(Live { next: 0, runs: BTreeMap::new(), suspects: Vec::new() });

struct Live {
    next: u64,
    runs: BTreeMap<u64, Run>,
    /// Dead children that might be someone else's, and since when we know them.
    suspects: Vec<(Identity, Instant)>,
}

#[derive(Debug, Clone)]
struct Run {
    /// Not known while it is being started.
    leader: Option<i32>,
    marker: String,
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes this process the parent of its orphaned descendants. To be called once, when the engine starts. Without it,
/// each run walks through `/proc` at its end, and orphans that dropped their marker get away.
///
/// # Errors
/// When the kernel refuses (older than Linux 3.4).
pub fn adopt_orphans() -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    ADOPTING.store(true, Ordering::Release);
    Ok(())
}

/// Whether orphans come to us.
pub(super) fn adopting() -> bool {
    ADOPTING.load(Ordering::Acquire)
}

/// A run's place among the living, from before its process is started until nothing of it is left.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    marker: String,
}

pub(super) fn enter(marker: &str) -> Place {
    let mut live = live();
    let number = live.next;
    live.next += 1;
    live.runs.insert(number, Run { leader: None, marker: marker.to_owned() });
    Place { number, marker: marker.to_owned() }
}

impl Place {
    pub(super) fn started(&self, leader: i32) {
        if let Some(run) = live().runs.get_mut(&self.number) {
            run.leader = Some(leader);
        }
    }

    /// What to look for when this run's descendants are searched.
    pub(super) fn search(&self, group: Option<i32>, remembered: Vec<Identity>) -> Search {
        Search { number: self.number, marker: self.marker.clone(), group, remembered }
    }

    /// This run's living descendants among our adopted children. Dead ones are reaped, whosever they were.
    ///
    /// `group` is the run's process group if it still exists. Its leader must have been waited for.
    pub(super) fn adopted(&self, group: Option<i32>) -> Vec<Process> {
        // First the list, then who is known: a child that shows up in the list was entered before it was started.
        let mut children = children();
        if !children.is_empty() {
            let live = live();
            children.retain(|pid| live.runs.values().all(|run| run.leader != Some(*pid)));
        }
        if children.is_empty() {
            return Vec::new();
        }
        let processes = children.into_iter().filter_map(proc::read).collect();
        let (dead, alive): (Vec<_>, Vec<_>) = Vec::into_iter(processes).partition(|process: &Process| process.zombie);
        bury(&dead, group);
        let search = self.search(group, Vec::new());
        let view = View::of(&search);
        alive.into_iter().filter(|process| view.holds(process)).collect()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        live().runs.remove(&self.number);
    }
}

/// Reaps the dead that came to us as orphans. A direct child of another room has our group, or is the leader of a new group in
/// our session; an orphan can look like the latter too, so such a one is first given time to be waited for.
fn bury(dead: &[Process], group: Option<i32>) {
    let home = Home::get();
    let mut unsure = Vec::new();
    for process in dead {
        if Some(process.group) == group || process.session != home.session {
            proc::reap(process.id.pid);
        } else if process.group != home.group {
            if process.group == process.id.pid { unsure.push(process.id) } else { proc::reap(process.id.pid) }
        }
    }
    let mut live = live();
    if unsure.is_empty() && live.suspects.is_empty() {
        return;
    }
    let known = std::mem::take(&mut live.suspects);
    for id in unsure {
        let since = known.iter().find(|(other, _)| *other == id).map_or_else(Instant::now, |(_, since)| *since);
        if since.elapsed() >= COURTESY { proc::reap(id.pid) } else { live.suspects.push((id, since)) }
    }
}

/// Where we are ourselves.
#[derive(Debug, Clone, Copy)]
struct Home {
    group: i32,
    session: i32,
}

impl Home {
    /// As `/proc` tells it, which says 0 for a session or a group that a container's outside made, like it does for
    /// every process that shares it. (The system calls say 0 too, and the library that wraps them takes that for an error.)
    fn get() -> Self {
        let me = proc::read(proc::me());
        me.map_or(Self { group: 0, session: 0 }, |me| Self { group: me.group, session: me.session })
    }
}

/// Which run's descendants are wanted.
#[derive(Debug, Clone)]
pub(super) struct Search {
    number: u64,
    marker: String,
    group: Option<i32>,
    /// Found before.
    remembered: Vec<Identity>,
}

/// Everything that is needed to say whose an adopted process is.
#[derive(Debug)]
struct View<'a> {
    search: &'a Search,
    others: Vec<Run>,
    home: Home,
}

impl<'a> View<'a> {
    fn of(search: &'a Search) -> Self {
        let live = live();
        let others = live.runs.iter().filter(|(number, _)| **number != search.number);
        let others = others.map(|(_, run)| run.clone()).collect();
        Self { search, others, home: Home::get() }
    }

    /// Whether an adopted process belongs to the run.
    fn holds(&self, process: &Process) -> bool {
        if Some(process.group) == self.search.group || self.search.remembered.contains(&process.id) {
            return true;
        }
        let environ = proc::environ(process.id.pid);
        let marker = environ.as_deref().and_then(|environ| proc::value(environ, RUN_MARKER));
        marker == Some(self.search.marker.as_str()) || self.inherits(process, marker)
    }

    /// Whether an adopted process that does not carry the run's marker is nevertheless the run's to end. Servers
    /// overwrite their environment for a nice title, others are started with an empty one. Such a one left our
    /// session; it goes with the last run that can have started it, as long as that is not another one's marked process.
    fn inherits(&self, process: &Process, marker: Option<&str>) -> bool {
        let older = |run: &Run| match run.leader {
            Some(leader) => proc::read(leader).is_none_or(|leader| leader.id.start <= process.id.start),
            None => true,
        };
        process.session != self.home.session
            && self.others.iter().all(|run| marker != Some(run.marker.as_str()))
            && !self.others.iter().any(older)
    }
}

/// All living descendants of a run, its leader included: its group, its marked ones, its adopted ones, and the
/// descendants of all those. Walks through all of `/proc`.
pub(super) fn descendants(search: &Search) -> Vec<Process> {
    let adopted: HashSet<i32> = children().into_iter().collect();
    let all = proc::all();
    let view = View::of(search);
    let mut untouchable = ancestors(&all, proc::me());
    untouchable.extend(view.others.iter().filter_map(|run| run.leader));
    let candidates = || all.iter().filter(|process| !process.zombie && !untouchable.contains(&process.id.pid));
    let belongs = |process: &&Process| {
        let theirs = Some(process.group) == search.group || search.remembered.contains(&process.id);
        let orphan = adopted.contains(&process.id.pid);
        theirs || if orphan { view.holds(process) } else { marked(process, RUN_MARKER, &search.marker) }
    };
    let mut found: Vec<Process> = candidates().filter(belongs).copied().collect();
    let mut pids: HashSet<i32> = found.iter().map(|process| process.id.pid).collect();
    loop {
        let is_new = |process: &&Process| pids.contains(&process.parent) && !pids.contains(&process.id.pid);
        let new: Vec<Process> = candidates().filter(is_new).copied().collect();
        if new.is_empty() {
            return found;
        }
        pids.extend(new.iter().map(|process| process.id.pid));
        found.extend(new);
    }
}

/// Whether a process is the one that the run of this marker started, or came of it through parents that all live. Neither a
/// group nor a variable would prove that: a process of another run could take both. `None`: the run is only being started.
pub(super) fn comes_of(pid: i32, marker: &str) -> Option<bool> {
    const DEEPEST: usize = 10_000;
    let leader = {
        let live = live();
        let Some(run) = live.runs.values().find(|run| run.marker == marker) else { return Some(false) };
        run.leader?
    };
    let mut ancestors = std::iter::successors(Some(pid), |pid| proc::read(*pid).map(|process| process.parent));
    Some(ancestors.by_ref().take(DEEPEST).take_while(|pid| *pid > 0).any(|pid| pid == leader))
}

/// All living processes of our user with this exact variable that also carry a run's marker, but never we or
/// our ancestors: a user may have set the same variable for a shell.
pub(super) fn marked_processes(name: &str, value: &str) -> Vec<Process> {
    let all = proc::all();
    let untouchable = ancestors(&all, proc::me());
    let mut found = all;
    found.retain(|process| !process.zombie && !untouchable.contains(&process.id.pid) && marked(process, name, value));
    found
}

fn marked(process: &Process, name: &str, value: &str) -> bool {
    proc::environ(process.id.pid).is_some_and(|environ| {
        proc::value(&environ, name) == Some(value) && proc::value(&environ, RUN_MARKER).is_some()
    })
}

/// A process and all its ancestors.
fn ancestors(all: &[Process], pid: i32) -> HashSet<i32> {
    let mut found = HashSet::new();
    let mut next = Some(pid);
    while let Some(pid) = next.filter(|pid| found.insert(*pid)) {
        next = all.iter().find(|process| process.id.pid == pid).map(|process| process.parent);
    }
    found
}

/// The children that orphans can be among: the main thread's, or all of ours where the kernel does not list them
/// (built without `CONFIG_PROC_CHILDREN`).
fn children() -> Vec<i32> {
    static LIST: LazyLock<Option<File>> =
        LazyLock::new(|| File::open(format!("/proc/self/task/{}/children", proc::me())).ok());
    LIST.as_ref().and_then(|list| listed(list).ok()).unwrap_or_else(searched)
}

/// Reads the list of a thread's children. The kernel may skip one while another is being reaped, but then the list it
/// gives is not empty: it is read again until it says the same twice (or is too lively for that to matter: the next run
/// looks again).
fn listed(list: &File) -> io::Result<Vec<i32>> {
    let mut last = list_once(list)?;
    for _ in 0..4 {
        if last.is_empty() {
            break;
        }
        let next = list_once(list)?;
        if next == last {
            break;
        }
        last = next;
    }
    Ok(last)
}

fn list_once(list: &File) -> io::Result<Vec<i32>> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match list.read_at(&mut buffer, text.len() as u64)? {
            0 => break,
            length => text.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    }
    let text = String::from_utf8_lossy(&text);
    Ok(text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

fn searched() -> Vec<i32> {
    let me = proc::me();
    proc::all().into_iter().filter(|process| process.parent == me).map(|process| process.id.pid).collect()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::process::Command;

    use super::{Home, Run, Search, View, listed, searched};
    use crate::engine::process::proc::{Identity, Process, me};

    #[test]
    fn both_ways_of_listing_children_find_a_child() {
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let mine = File::open("/proc/thread-self/children").map(|list| listed(&list).unwrap());
        let all = searched();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(all.contains(&pid));
        // The kernel need not have this list; where it has, it names the child.
        assert!(mine.is_err() || mine.is_ok_and(|mine| mine.contains(&pid)));
    }

    #[test]
    fn a_stray_goes_with_the_last_run_that_can_have_started_it() {
        let search = Search { number: 0, marker: "ours".into(), group: Some(10), remembered: vec![] };
        let home = Home { group: 1, session: 1 };
        let stray = |session| Process {
            id: Identity { pid: 50, start: u64::MAX },
            parent: 1,
            group: 50,
            session,
            zombie: false,
        };
        let inherits = |others: &[Run], session, marker| {
            View { search: &search, others: others.to_vec(), home }.inherits(&stray(session), marker)
        };
        let older = Run { leader: Some(me()), marker: "older".into() };
        let starting = Run { leader: None, marker: "starting".into() };
        assert!(inherits(&[], 50, None));
        assert!(inherits(&[], 50, Some("of a run within the run")));
        assert!(!inherits(&[], 1, None), "a direct child of another room shares our session");
        assert!(!inherits(std::slice::from_ref(&older), 50, None));
        assert!(!inherits(std::slice::from_ref(&starting), 50, None));
        assert!(!inherits(std::slice::from_ref(&older), 50, Some("older")));
    }
}
