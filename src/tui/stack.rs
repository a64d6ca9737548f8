//! What comes on top of the board. It is a stack; only the topmost gets keys.

use tui_textarea::TextArea;

use crate::model::{Lasts, Mode, PermissionId, RequestId, Seen, SessionId};

use super::{keys::Scope, scroll::Position};

/// What is on top of the board; only the topmost gets keys.
#[derive(Debug, Clone)]
pub enum Overlay {
    /// All keys.
    Help {
        /// Where its text stands.
        position: Position,
    },
    /// Why a session stands where it stands.
    Why {
        /// The session.
        session: SessionId,
        /// Where its text stands.
        position: Position,
    },
    /// A halt, with everything that a decision needs.
    Halt {
        /// The session.
        session: SessionId,
        /// Where its text stands.
        position: Position,
    },
    /// What waits for a person.
    Inbox {
        /// The session of the row that is chosen.
        chosen: Option<SessionId>,
    },
    /// A choice of modes.
    Modes {
        /// The session.
        session: SessionId,
        /// The mode that is chosen.
        chosen: Mode,
    },
    /// What an agent may be told.
    Permit {
        /// The session.
        session: SessionId,
        /// What it asks.
        question: PermissionId,
        /// The row that is chosen.
        chosen: usize,
        /// How far down what it asks is read.
        position: Position,
    },
    /// A question.
    Question(Question),
    /// Something to be written.
    Editor(Box<Editor>),
    /// The filter's line.
    Filter,
}

/// What an agent may be told: whether it may, how long that holds, and that in words.
pub const RULINGS: [(bool, Lasts, &str); 6] = [
    (true, Lasts::Once, "allow it this once"),
    (true, Lasts::Session, "allow every use of this tool in this session"),
    (true, Lasts::Always, "allow exactly this from now on: a rule in your settings"),
    (false, Lasts::Once, "deny it this once"),
    (false, Lasts::Session, "deny every use of this tool in this session"),
    (false, Lasts::Always, "deny exactly this from now on: a rule in your settings"),
];

/// What an answer says. A rule about files is about every change to them.
#[must_use]
pub(super) fn ruling((allow, lasts, words): (bool, Lasts, &'static str), files: bool) -> &'static str {
    match (files, lasts, allow) {
        (true, Lasts::Always, true) => "allow any change to this file from now on: a rule in your settings",
        (true, Lasts::Always, false) => "deny any change to this file from now on: a rule in your settings",
        (_, Lasts::Once | Lasts::Session | Lasts::Always, _) => words,
    }
}

/// A question that is answered with yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether a session is to be cancelled.
    Cancel(SessionId),
    /// Whether what is written in the editor below may be lost.
    Discard,
}

/// What is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// For the agent of a session that is at work.
    Say,
    /// For the agent of a session that is made active again.
    Reactivate,
    /// For the agents of new sessions: the component is designed anew, then worked on anew.
    Redesign,
    /// For the record, with an approval; may be empty.
    Approve,
    /// For the record, with an override.
    Override,
    /// For the record and the agent, with a yes or a no to what it asks for; may be empty.
    Rule {
        /// What it asks for.
        request: RequestId,
        /// Yes, or no.
        granted: bool,
    },
}

/// A text that is being written.
#[derive(Debug, Clone)]
pub struct Editor {
    /// The session.
    pub session: SessionId,
    /// What for.
    pub purpose: Purpose,
    /// The halt that is decided, as it was when the editor was opened.
    pub seen: Option<Seen>,
    /// The text.
    pub area: TextArea<'static>,
}

impl Editor {
    /// What is written, without white space around it.
    #[must_use]
    pub fn text(&self) -> String {
        self.area.lines().join("\n").trim().to_owned()
    }
}

impl Overlay {
    /// Where its keys are looked up.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Help { .. } | Self::Why { .. } => Scope::Text,
            Self::Halt { .. } => Scope::Halt,
            Self::Inbox { .. } => Scope::Inbox,
            Self::Modes { .. } | Self::Permit { .. } => Scope::Menu,
            Self::Question(_) => Scope::Question,
            Self::Editor(_) => Scope::Editor,
            Self::Filter => Scope::Filter,
        }
    }
}
