//! One engine per store: whoever holds the lock beside it. The system gives the lock back when its holder dies, however it
//! dies.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::model::Micros;

/// The right to be the engine of a store, until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Who holds the lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub pid: u32,
    /// When it took the lock.
    pub since: Micros,
    /// The version of callboard that it is.
    pub version: String,
    /// Whether it drives only one session, in the foreground.
    pub foreground: bool,
}

fn path(store: &Utf8Path) -> Utf8PathBuf {
    Utf8PathBuf::from(format!("{store}.engine"))
}

fn open(store: &Utf8Path) -> io::Result<File> {
    if let Some(folder) = store.parent().filter(|folder| !folder.as_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path(store))
}

impl Lock {
    /// Takes the lock of a store; `None` when another process holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn acquire(store: &Utf8Path, holder: &Holder) -> io::Result<Option<Self>> {
        let mut file = open(store)?;
        // Whoever only asks whether an engine is alive holds a shared lock for a moment: look more than once.
        for attempt in 0..10 {
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {
                    file.set_len(0)?;
                    file.rewind()?;
                    file.write_all(serde_json::to_string(holder)?.as_bytes())?;
                    return Ok(Some(Self { _file: file }));
                }
                Err(rustix::io::Errno::WOULDBLOCK) if attempt < 9 => thread::sleep(Duration::from_millis(5)),
                Err(rustix::io::Errno::WOULDBLOCK) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }
}

/// Who is the engine of a store; `None` when there is none.
#[must_use]
pub fn holder(store: &Utf8Path) -> Option<Holder> {
    let mut file = File::open(path(store)).ok()?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Err(rustix::io::Errno::WOULDBLOCK) => {}
        Ok(()) | Err(_) => return None,
    }
    let mut text = String::new();
    // The holder writes right after it took the lock; a moment earlier the file is empty or an old one.
    (&mut file).take(4096).read_to_string(&mut text).ok()?;
    Some(serde_json::from_str(&text).unwrap_or(Holder { pid: 0, since: 0, version: String::new(), foreground: false }))
}
