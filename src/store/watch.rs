//! Noticing that another process has committed.
//!
//! The WAL file changes before a commit can be read (its frames are written first, then synced, then published in shared
//! memory), so whoever looks at once may look too early and never again. Therefore every commit of callboard's rings a bell
//! when it is done: it touches the store's file, which changes nothing but its times.

use std::{
    mem::MaybeUninit,
    os::fd::OwnedFd,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use camino::Utf8Path;
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use super::StoreError;

/// Wakes whoever waits when the store may have changed. It may wake for nothing, but it misses nothing.
pub struct Watch {
    // Kept alive: dropping it ends the notifications.
    _watching: Watching,
    changed: Receiver<()>,
}

impl Watch {
    /// Watches the store at `path`.
    ///
    /// # Errors
    /// When the system refuses: then poll slowly instead.
    pub fn new(path: &Utf8Path) -> Result<Self, StoreError> {
        let (sender, changed) = sync_channel(1);
        let watching = Self::with(path, move || wake(&sender))?;
        Ok(Self { _watching: watching, changed })
    }

    /// Watches the store at `path` and calls `wake` from another thread whenever it may have changed, until what this answers
    /// is dropped.
    ///
    /// # Errors
    /// When the system refuses: then poll slowly instead.
    pub fn with(path: &Utf8Path, wake: impl Fn() + Send + 'static) -> Result<Watching, StoreError> {
        watch(path, wake).map_err(|error| StoreError::Open {
            path: path.to_owned(),
            message: error.to_string(),
            hint: "the system watches no more files",
        })
    }

    /// Waits until the store may have changed, at most so long.
    pub fn wait(&self, at_most: Duration) {
        // Whether it was woken or the time is over: whoever waits looks again.
        self.changed.recv_timeout(at_most).unwrap_or_default();
    }
}

/// A wake-up that is still waiting stands for all that follow.
fn wake(sender: &SyncSender<()>) {
    sender.try_send(()).unwrap_or_default();
}

/// Tells everyone who watches that something was committed. A bell that cannot be rung is no error: a slow look behind it
/// finds the commit too.
pub(super) fn ring(path: &Utf8Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    utimensat(CWD, path.as_str(), &times, AtFlags::empty()).unwrap_or_default();
}

/// A thread that waits for the bell. It ends when this is dropped.
pub struct Watching {
    inotify: Arc<OwnedFd>,
    watch: i32,
}

impl Drop for Watching {
    fn drop(&mut self) {
        // The thread is told of that too, and ends.
        inotify::remove_watch(&self.inotify, self.watch).unwrap_or_default();
    }
}

/// Waits for the bell only: each commit writes the WAL several times, and to be woken by every write would cost more than the
/// commit.
fn watch(path: &Utf8Path, wake: impl Fn() + Send + 'static) -> std::io::Result<Watching> {
    let file = path.file_name().unwrap_or_default().to_owned();
    let inotify = Arc::new(inotify::init(CreateFlags::CLOEXEC)?);
    // The folder, not the file: a store that is replaced is still watched.
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let watch = inotify::add_watch(&inotify, folder.as_str(), WatchFlags::ATTRIB | WatchFlags::MOVED_TO)?;
    let theirs = Arc::clone(&inotify);
    thread::Builder::new().name("store-watch".into()).spawn(move || listen(&theirs, &file, &wake))?;
    Ok(Watching { inotify, watch })
}

fn listen(inotify: &OwnedFd, file: &str, wake: &impl Fn()) {
    let mut buffer = [const { MaybeUninit::uninit() }; 4096];
    let mut events = Reader::new(inotify, &mut buffer);
    loop {
        match events.next() {
            Ok(event) if event.events().contains(ReadFlags::IGNORED) => return,
            Ok(event) => {
                let ours = event.file_name().is_some_and(|name| name.to_bytes() == file.as_bytes());
                if ours || event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                    wake();
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => {
                tracing::warn!("the store is not watched any more: {error}");
                return;
            }
        }
    }
}
