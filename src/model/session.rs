//! Sessions, their generations and their interactions.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{Command, InteractionId, Micros, SessionId, SessionKind, Step, StepResult, kind::words};

words! {
    /// Whether a session is still at work.
    Status {
        /// At work, waiting or halted.
        Active = "active",
        /// Its workflow came to its end.
        Complete = "complete",
        /// Closed without its goal.
        Failed = "failed",
        /// Closed by a person.
        Cancelled = "cancelled",
    }
}

impl Status {
    /// Whether this status ends a session (until it is reactivated).
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Active => false,
            Self::Complete | Self::Failed | Self::Cancelled => true,
        }
    }
}

words! {
    /// What makes a session's next step start.
    Mode {
        /// Every step waits for *advance*.
        Manual = "manual",
        /// Steps follow by themselves; what an agent asks for is asked of the person.
        Auto = "auto",
        /// Nothing is asked; only halts stop it.
        Agentic = "agentic",
    }
}

/// One run of one workflow on one component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The workflow.
    pub kind: SessionKind,
    /// The component's name, unique in the project.
    pub component: String,
    /// The session that spawned it.
    pub parent_id: Option<SessionId>,
    /// Whether it is still at work.
    pub status: Status,
    /// What makes its next step start.
    pub mode: Mode,
    /// The agent's name in the configuration; `None`: the project's default.
    pub agent: Option<String>,
    /// The agent's conversation, once there is one. Stays the same over fixes and reactivations.
    pub conversation_id: Option<String>,
    /// The commit or branch that a person asked to start from; `None`: decided by `initialize`.
    pub base: Option<String>,
    /// The branch that `initialize` really made.
    pub branch: Option<String>,
    /// The worktree that `initialize` really made, absolute.
    pub worktree: Option<Utf8PathBuf>,
    /// The commit at which the branch was made.
    pub base_commit: Option<String>,
    /// The last commit that `finalize` made or found.
    pub commit: Option<String>,
    /// The current generation, counted from 1.
    pub generation: u32,
    /// When it was made.
    pub created_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
}

impl Session {
    /// A session that is about to begin.
    #[must_use]
    pub fn new(kind: SessionKind, component: &str, mode: Mode, at: Micros) -> Self {
        Self {
            id: SessionId::generate(),
            kind,
            component: component.to_owned(),
            parent_id: None,
            status: Status::Active,
            mode,
            agent: None,
            conversation_id: None,
            base: None,
            branch: None,
            worktree: None,
            base_commit: None,
            commit: None,
            generation: 1,
            created_at: at,
            updated_at: at,
        }
    }
}

/// What opened a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Origin {
    /// The session was new.
    New,
    /// A person reactivated it.
    Person {
        /// Their `scope.user`.
        user: String,
    },
    /// Its parent's validation found it wanting, or another session asked for it.
    Session {
        /// That session.
        id: SessionId,
    },
}

/// A stretch of a session's life: from its start, or from a reactivation, to its end. Only interactions of the current one
/// decide what comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generation {
    /// Counted from 1.
    pub number: u32,
    /// The step at which it starts.
    pub start: Step,
    /// What the reactivation wants the agent to know. Empty in the first generation.
    pub context: String,
    /// What opened it.
    pub origin: Origin,
    /// When.
    pub opened_at: Micros,
}

/// One attempt at a step. Never deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// Its id.
    pub id: InteractionId,
    /// The session that it belongs to.
    pub session_id: SessionId,
    /// Counted from 1 over all generations of the session.
    pub seq: u32,
    /// The generation that it belongs to.
    pub generation: u32,
    /// The step that was attempted.
    pub step: Step,
    /// Which attempt at this step in this generation it is, counted from 1.
    pub iteration: u32,
    /// What was done.
    pub command: Command,
    /// What came of it; `None` while it is pending.
    pub result: Option<StepResult>,
    /// When it began.
    pub started_at: Micros,
    /// When its result was recorded.
    pub completed_at: Option<Micros>,
}
