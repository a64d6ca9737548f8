//! What a step runs.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::SessionId;

/// What a step runs, as it is recorded before it is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Command {
    /// A prompt for a coding agent.
    Agent {
        /// The agent's name in the configuration.
        agent: String,
        /// The exact text that it gets.
        prompt: String,
        /// The conversation that it goes on with; `None`: a new one.
        conversation_id: Option<String>,
    },
    /// The project's tests.
    Tests {
        /// The program and its arguments; never a shell string.
        argv: Vec<String>,
        /// Where it runs.
        directory: Utf8PathBuf,
    },
    /// Git operations, each as a person would type it.
    Git {
        /// In order.
        operations: Vec<String>,
    },
    /// Child sessions.
    SpawnSessions {
        /// In the order in which they were made: priority, then name.
        child_session_ids: Vec<SessionId>,
        /// Those among them that this attempt reactivated.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reactivated: Vec<SessionId>,
    },
    /// A pure check.
    Check {
        /// What is checked, for people.
        subject: String,
    },
}
