//! Where the engine keeps what is not in the store: worktrees, outputs, reports. All of it stands in one folder beside the
//! store, never in a person's checkout.

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest, Sha256};

use crate::{
    git,
    model::{InteractionId, SessionId},
};

/// The folder beside a store.
#[derive(Debug, Clone)]
pub(super) struct Places {
    folder: Utf8PathBuf,
}

impl Places {
    /// For the store at `store`: `callboard.db` has `callboard.d`.
    pub(super) fn of(store: &Utf8Path) -> Self {
        Self { folder: store.with_extension("d") }
    }

    /// The worktree of a session.
    pub(super) fn worktree(&self, root: &str, component: &str, session: SessionId) -> Utf8PathBuf {
        self.of_project(root).join(format!("{}-{}", git::slug(component), session.short()))
    }

    /// The worktree in which tests are run at a commit that no session works on.
    pub(super) fn at_commit(&self, root: &str, commit: &str) -> Utf8PathBuf {
        self.of_project(root).join(format!("base-{}", commit.get(..12).unwrap_or(commit)))
    }

    fn of_project(&self, root: &str) -> Utf8PathBuf {
        let hash = Sha256::digest(root.as_bytes())
            .iter()
            .take(3)
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let name = Utf8Path::new(root).file_name().unwrap_or("project");
        self.folder.join("worktrees").join(format!("{}-{hash}", git::slug(name)))
    }

    /// The file with the whole output of an attempt.
    pub(super) fn output(&self, session: SessionId, seq: u32) -> Utf8PathBuf {
        self.folder.join("outputs").join(session.to_string()).join(format!("{seq}.log"))
    }

    /// A fresh path for the report of a test run.
    pub(super) fn report(&self, session: SessionId, seq: u32, nth: usize) -> Utf8PathBuf {
        self.reports(session).join(format!("{seq}-{nth}.xml"))
    }

    /// The folder with a session's reports.
    pub(super) fn reports(&self, session: SessionId) -> Utf8PathBuf {
        self.folder.join("reports").join(session.to_string())
    }

    /// The file that whoever goes on with a session's conversation holds a lock on.
    pub(super) fn conversation(&self, session: SessionId) -> Utf8PathBuf {
        self.folder.join("conversations").join(format!("{session}.lock"))
    }

    /// Where confined processes have temporary folders of their own; nothing in it outlives its process.
    pub(super) fn temporary(&self) -> Utf8PathBuf {
        self.folder.join("tmp")
    }

    /// Where attempts have sockets; nothing in it outlives its attempt.
    pub(super) fn sockets(&self) -> Utf8PathBuf {
        self.folder.join("sockets")
    }

    /// The socket of an attempt, in a folder of its own.
    pub(super) fn socket(&self, attempt: InteractionId) -> Utf8PathBuf {
        self.sockets().join(attempt.to_string()).join("tool")
    }

    /// Where files for git's own use are written.
    pub(super) fn attributes(&self) -> Utf8PathBuf {
        self.folder.join("git")
    }
}
