//! What agents ask a person, and what they are told.

use serde::{Deserialize, Serialize};

use super::{Micros, PermissionId, SessionId, kind::words};

words! {
    /// How long an answer holds.
    Lasts {
        /// This once.
        Once = "once",
        /// For every use of the tool in the session.
        Session = "session",
        /// For exactly this command, or for these files whatever becomes of them, in every session of the project: it becomes a rule in the user's settings.
        Always = "always",
    }
}

/// An agent asks whether it may do something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Its id.
    pub id: PermissionId,
    /// The session.
    pub session_id: SessionId,
    /// The `seq` of the attempt that it is asked in.
    pub seq: u32,
    /// The tool's name.
    pub tool: String,
    /// What it would do, in one line.
    pub title: String,
    /// The same whole: a command with every line, or what would be different in a file. Empty: the title says it all.
    pub detail: String,
    /// What a rule for it is about, whole: a command, or the files. Empty: it is too long for one.
    pub subject: String,
    /// The subject is files: a rule is about whatever the tool does to them, not only about this.
    pub files: bool,
    /// When it was asked.
    pub asked_at: Micros,
    /// No answer until then is a no.
    pub until: Micros,
}

/// What an agent is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whether it may.
    pub allowed: bool,
    /// How long that holds.
    pub lasts: Lasts,
    /// `scope.user` of who said so; empty: nobody did in time.
    pub user: String,
}

/// A person's word on a tool, which holds for the whole session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The tool.
    pub tool: String,
    /// The word.
    pub ruling: Grant,
}
