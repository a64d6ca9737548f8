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
        /// For exactly this, in every session of the project.
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

/// A word that holds for longer than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The tool.
    pub tool: String,
    /// What exactly; `None`: whatever the tool does.
    pub title: Option<String>,
    /// The word.
    pub ruling: Grant,
}

impl Standing {
    /// Whether it is about this.
    #[must_use]
    pub fn covers(&self, tool: &str, title: &str) -> bool {
        self.tool == tool && self.title.as_deref().is_none_or(|own| own == title)
    }
}
