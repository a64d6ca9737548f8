//! How a process ended, seen by whoever reads its output.

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "exit", rename_all = "snake_case")]
pub enum Exit {
    /// It exited by itself.
    Code {
        /// Its exit code.
        code: i32,
    },
    /// It died of a signal that callboard did not send.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// It ran longer than it may and was ended.
    Timeout,
    /// It was silent for longer than it may be and was ended.
    Inactive,
    /// Its session was cancelled and it was ended.
    Cancelled,
    /// It never ran.
    NotStarted {
        /// What the system said.
        message: String,
    },
}

impl Exit {
    /// The exit code, if it exited by itself.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        match self {
            Self::Code { code } => Some(*code),
            Self::Signal { .. } | Self::Timeout | Self::Inactive | Self::Cancelled | Self::NotStarted { .. } => None,
        }
    }
}
