//! What happens inside an interaction, one append-only line each.

use serde::{Deserialize, Serialize};

use super::{Micros, SessionId};

/// One line of what happened inside an interaction. Text in it is as it came from outside: whoever shows it cleans it first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The session.
    pub session_id: SessionId,
    /// Counted from 1 within the session, without gaps.
    pub n: u64,
    /// The interaction's `seq` in the session.
    pub interaction: u32,
    /// When.
    pub at: Micros,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The agent said something. Pieces follow each other without a separator of their own.
    AgentText {
        /// Valid UTF-8, otherwise as it came.
        text: String,
    },
    /// The agent used a tool.
    ToolCall {
        /// The tool's name.
        tool: String,
        /// In short, for people.
        title: String,
    },
    /// The agent wrote a file.
    FileEdit {
        /// Relative to the worktree.
        path: String,
    },
    /// A process wrote to its standard output or error.
    Output {
        /// Valid UTF-8, otherwise as it came.
        text: String,
        /// Whether it was standard error.
        stderr: bool,
    },
    /// A git command or another program that belongs to a step was started.
    Command {
        /// The program and its arguments, as a person would type it.
        line: String,
    },
    /// Something that callboard itself has to say about the interaction.
    Note {
        /// One sentence.
        text: String,
    },
}
