//! What an agent asks for beside its work, and what a person or the project's policy says to it.

use serde::{Deserialize, Serialize};

use super::{Micros, RequestId, SessionId, SessionKind, kind::words};

words! {
    /// What becomes of the requests of agents to wake or make other sessions.
    Policy {
        /// They are carried out.
        Accept = "accept",
        /// A person is asked.
        Ask = "ask",
        /// They are refused.
        Refuse = "refuse",
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Wish {
    /// A session is to be woken.
    Reactivate {
        /// The session.
        session: SessionId,
        /// Its component.
        component: String,
        /// What its agent should know.
        context: String,
        /// Whether the component is to be designed anew.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        redesign: bool,
    },
    /// A session is to be made.
    Create {
        /// The workflow.
        session_kind: SessionKind,
        /// The component.
        component: String,
        /// What its agent should know.
        context: String,
    },
    /// The architecture is wrong, says the agent: its session is to stop for a person when the step ends.
    Issue {
        /// What is wrong.
        summary: String,
        /// What shows it.
        details: String,
    },
}

impl Wish {
    /// Its word in the record.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Reactivate { .. } => "reactivate",
            Self::Create { .. } => "create",
            Self::Issue { .. } => "issue",
        }
    }

    /// What it is, as what is to be done: `wake the session of Cart`.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Self::Reactivate { component, redesign: false, .. } => format!("wake the session of {component}"),
            Self::Reactivate { component, redesign: true, .. } => format!("have {component} designed anew"),
            Self::Create { session_kind, component, .. } => format!("make a {session_kind} session for {component}"),
            Self::Issue { .. } => "stop for an architectural issue".into(),
        }
    }

    /// Why, in the agent's words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Reactivate { context, .. } | Self::Create { context, .. } => context,
            Self::Issue { summary, .. } => summary,
        }
    }
}

/// Something that an agent asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The session whose agent asks.
    pub session_id: SessionId,
    /// The `seq` of the attempt in which it asks.
    pub seq: u32,
    /// What it asks for.
    pub wish: Wish,
    /// When.
    pub at: Micros,
    /// What was said to it; `None`: nothing yet.
    pub ruling: Option<Ruling>,
}

impl Request {
    /// What is asked for, and why.
    #[must_use]
    pub fn in_words(&self) -> String {
        format!("its agent asks to {}: {}", self.wish.in_words(), self.wish.reason())
    }
}

/// What was said to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// Whether it was granted.
    pub granted: bool,
    /// Who: `scope.user`; empty: nobody was asked.
    pub user: String,
    /// Why; or why what was granted could not be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The session that was woken or made, and its generation that this opened. `None`: there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened: Option<(SessionId, u32)>,
    /// When.
    pub at: Micros,
}
