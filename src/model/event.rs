//! What happens inside an interaction, one append-only line each.

use serde::{Deserialize, Serialize};

use super::{MessageState, Micros, SessionId, Usage, kind::words};

words! {
    /// How far an item of an agent's plan is.
    PlanState {
        /// Not begun.
        Pending = "pending",
        /// At work.
        Active = "active",
        /// Done.
        Done = "done",
    }
}

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
    /// The agent thought something. Pieces follow each other as those of `AgentText` do.
    AgentThought {
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
    /// What came of a tool call.
    ToolEnd {
        /// The tool's name.
        tool: String,
        /// Whether it did what it should.
        ok: bool,
        /// The begin of what it said.
        text: String,
    },
    /// The agent wrote a file.
    FileEdit {
        /// Relative to the worktree.
        path: String,
        /// What is different: lines that begin with `+`, `-` or a space. Empty where the agent did not tell.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        diff: String,
    },
    /// The agent's plan, whenever it changes.
    Plan {
        /// In order.
        items: Vec<PlanItem>,
    },
    /// The agent asked whether it may use a tool.
    Permission {
        /// The tool's name.
        tool: String,
        /// In short, for people.
        title: String,
        /// What it was told.
        allowed: bool,
        /// Who said so, or which rule.
        by: String,
    },
    /// A person says something to the agent, or it comes further on its way.
    Message {
        /// Who says it.
        user: String,
        /// What.
        text: String,
        /// How far it has come.
        state: MessageState,
    },
    /// What the agent used up in this attempt, at its end.
    Usage(Usage),
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

/// One item of an agent's plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanItem {
    /// What is to be done.
    pub text: String,
    /// How far it is.
    pub state: PlanState,
}
