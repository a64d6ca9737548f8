//! Whether a component's work goes on in the session that began it, or in a new one (DESIGN 2, Reactivation).

use crate::model::{Session, SessionId, SessionKind};

/// A session that a component already has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// Which.
    pub id: SessionId,
    /// Its workflow.
    pub kind: SessionKind,
    /// Whether work can go on in it: see [`has_work`].
    pub has_work: bool,
    /// Whether the component's design is another one than the session worked from.
    pub design_changed: bool,
}

/// What is wanted of the component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The workflow.
    pub kind: SessionKind,
    /// Whether the component is to be designed anew.
    pub redesign: bool,
}

/// How the work goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continuation {
    /// In this session, with its whole conversation.
    Continue(SessionId),
    /// In a new session.
    New {
        /// Whether a component_design session comes first.
        design_first: bool,
    },
}

/// Continue or start anew. `past` is in the order in which the sessions were made; the newest that fits is continued.
#[must_use]
pub fn continue_or_new(past: &[Past], wanted: Wanted) -> Continuation {
    let fitting = past.iter().rev().find(|past| past.kind == wanted.kind && past.has_work);
    let designs = wanted.kind == SessionKind::ComponentDesign;
    match fitting {
        Some(past) if !wanted.redesign && !past.design_changed => Continuation::Continue(past.id),
        Some(_) => Continuation::New { design_first: !designs },
        None => Continuation::New { design_first: wanted.redesign && !designs },
    }
}

/// Whether work can go on in a session: its agent has a conversation there, or its workflow asks no agent.
#[must_use]
pub const fn has_work(session: &Session) -> bool {
    session.conversation_id.is_some() || session.kind.child_kind().is_some()
}

/// The newest session of a kind in which work can go on. `sessions` are a component's, in the order in which they were made.
#[must_use]
pub fn newest_with_work(sessions: Vec<Session>, kind: SessionKind) -> Option<Session> {
    sessions.into_iter().rev().find(|it| it.kind == kind && has_work(it))
}
