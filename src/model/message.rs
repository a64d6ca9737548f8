//! What persons say to agents beside their prompts.

use serde::{Deserialize, Serialize};

use super::{MessageId, Micros, SessionId, kind::words};

words! {
    /// How far a message has come.
    MessageState {
        /// It waits until its agent can be told.
        Queued = "queued",
        /// Its agent was told.
        Delivered = "delivered",
        /// Its agent has taken it in.
        Seen = "seen",
    }
}

/// What a person says to a session's agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The session.
    pub session_id: SessionId,
    /// Who says it: `scope.user`.
    pub user: String,
    /// What.
    pub text: String,
    /// When it was said.
    pub at: Micros,
    /// The `seq` of the attempt whose agent was told last; until it is seen, the next one's is told again.
    pub seq: Option<u32>,
    /// When the agent was told.
    pub delivered_at: Option<Micros>,
    /// When the agent had taken it in.
    pub seen_at: Option<Micros>,
}

impl Message {
    /// The longest text, in bytes.
    pub const LONGEST: usize = 16 * 1024;

    /// How far it has come.
    #[must_use]
    pub const fn state(&self) -> MessageState {
        match (self.delivered_at, self.seen_at) {
            (_, Some(_)) => MessageState::Seen,
            (Some(_), None) => MessageState::Delivered,
            (None, None) => MessageState::Queued,
        }
    }
}
