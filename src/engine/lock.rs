//! One engine per store, one who goes on with a conversation: whoever holds the lock. The system gives a lock back when its
//! holder dies, however it dies.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, Write as _},
    thread,
    time::Duration,
};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::model::{Micros, SessionId};

use super::places::Places;

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

fn open(path: Utf8PathBuf) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

impl Lock {
    /// Takes the lock of a store; `None` when another process holds it.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub fn acquire(store: &Utf8Path, holder: &Holder) -> io::Result<Option<Self>> {
        let mut file = open(path(store))?;
        if !claim(&file)? {
            return Ok(None);
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(serde_json::to_string(holder)?.as_bytes())?;
        Ok(Some(Self { _file: file }))
    }
}

/// Takes the lock of a file for as long as it is open; `false`: another process has it. Blocks for a moment.
fn claim(file: &File) -> io::Result<bool> {
    // Whoever only asks whether somebody has it holds a shared lock for a moment: look more than once.
    for attempt in 0..10 {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(true),
            Err(rustix::io::Errno::WOULDBLOCK) if attempt < 9 => thread::sleep(Duration::from_millis(5)),
            Err(rustix::io::Errno::WOULDBLOCK) => break,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(false)
}

/// Whether somebody has the lock of a file.
fn is_claimed(file: &File) -> bool {
    matches!(flock(file, FlockOperation::NonBlockingLockShared), Err(rustix::io::Errno::WOULDBLOCK))
}

/// The right to go on with a session's conversation, until it is dropped: an attempt of the engine has it while its agent
/// is at work, or a person who took the conversation over. Two at once would spoil it.
#[derive(Debug)]
pub(super) struct Hold {
    _file: File,
}

impl Hold {
    /// Takes it; `None` when somebody else has it. Blocks for a moment.
    pub(super) fn take(store: &Utf8Path, session: SessionId) -> io::Result<Option<Self>> {
        let file = open(Places::of(store).conversation(session))?;
        Ok(claim(&file)?.then_some(Self { _file: file }))
    }

    /// Whether somebody has it.
    pub(super) fn is_taken(store: &Utf8Path, session: SessionId) -> bool {
        File::open(Places::of(store).conversation(session)).is_ok_and(|file| is_claimed(&file))
    }
}

/// Who is the engine of a store; `None` when there is none.
#[must_use]
pub fn holder(store: &Utf8Path) -> Option<Holder> {
    let mut file = File::open(path(store)).ok()?;
    if !is_claimed(&file) {
        return None;
    }
    let mut text = String::new();
    // The holder writes right after it took the lock; a moment earlier the file is empty or an old one.
    (&mut file).take(4096).read_to_string(&mut text).ok()?;
    Some(serde_json::from_str(&text).unwrap_or(Holder { pid: 0, since: 0, version: String::new(), foreground: false }))
}
