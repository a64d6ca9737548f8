//! Noticing that another process has committed.
//!
//! The WAL file changes before a commit can be read (its frames are written first, then synced, then published in shared
//! memory), so whoever looks at once may look too early and never again. Therefore every commit of callboard's rings a bell
//! when it is done: it touches the store's file, which changes nothing but its times.

use std::{
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use camino::Utf8Path;
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::StoreError;

/// Wakes whoever waits when the store may have changed. It may wake for nothing, but it misses nothing.
pub struct Watch {
    // Kept alive: dropping it ends the notifications.
    _watcher: RecommendedWatcher,
    changed: Receiver<()>,
}

impl Watch {
    /// Watches the store at `path`.
    ///
    /// # Errors
    /// When the system refuses: then poll slowly instead.
    pub fn new(path: &Utf8Path) -> Result<Self, StoreError> {
        let (sender, changed) = sync_channel(1);
        let watcher = watch(path, move || wake(&sender))?;
        Ok(Self { _watcher: watcher, changed })
    }

    /// Watches the store at `path` and calls `wake` from another thread whenever it may have changed.
    ///
    /// # Errors
    /// When the system refuses: then poll slowly instead.
    pub fn with(path: &Utf8Path, wake: impl Fn() + Send + 'static) -> Result<RecommendedWatcher, StoreError> {
        watch(path, wake)
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

fn watch(path: &Utf8Path, wake: impl Fn() + Send + 'static) -> Result<RecommendedWatcher, StoreError> {
    let file = path.file_name().unwrap_or_default().to_owned();
    let refuse = |error: notify::Error| StoreError::Open {
        path: path.to_owned(),
        message: error.to_string(),
        hint: "the system watches no more files",
    };
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let rung = notify::EventKind::Modify(notify::event::ModifyKind::Metadata(notify::event::MetadataKind::Any));
        let ours = event.is_ok_and(|event| {
            event.kind == rung
                && event.paths.iter().any(|path| path.file_name().is_some_and(|name| name == file.as_str()))
        });
        if ours {
            wake();
        }
    })
    .map_err(refuse)?;
    // The folder, not the file: a store that is replaced is still watched.
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    watcher.watch(folder.as_std_path(), RecursiveMode::NonRecursive).map_err(refuse)?;
    Ok(watcher)
}
