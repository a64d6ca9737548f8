//! Stops that only a person ends, and what the person decided.

use serde::{Deserialize, Serialize};

use super::{HaltId, Micros, SessionId, kind::words};

words! {
    /// Why a session stands still until a person decides.
    HaltReason {
        /// Tests outside the session's context broke.
        ArchitecturalFailure = "architectural_failure",
        /// The agent says that the architecture is wrong.
        ArchitecturalIssue = "architectural_issue",
        /// A loop went round as often as it may.
        IterationLimit = "iteration_limit",
        /// A loop goes round without getting anywhere.
        NoProgress = "no_progress",
        /// Branches do not merge.
        MergeConflict = "merge_conflict",
        /// The agent cannot be started.
        AgentUnavailable = "agent_unavailable",
        /// Something on this machine is missing or refused.
        Environment = "environment",
    }
}

words! {
    /// What a person decided about a halt.
    Verdict {
        /// The halt was right: the session is closed as failed.
        Approve = "approve",
        /// Go on.
        Override = "override",
        /// What stood in the way was mended: try the step again.
        Retry = "retry",
    }
}

/// A stop that only a person ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Its id.
    pub id: HaltId,
    /// The session that stands still.
    pub session_id: SessionId,
    /// The `seq` of the interaction after which it was raised.
    pub seq: u32,
    /// Why.
    pub reason: HaltReason,
    /// What it is about, in words: for people.
    pub message: String,
    /// What it is about, as data.
    pub evidence: serde_json::Value,
    /// When it was raised.
    pub at: Micros,
    /// What a person decided, once somebody did.
    pub decision: Option<Decision>,
}

/// What a person decided about a halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What.
    pub verdict: Verdict,
    /// Why, in their words.
    pub note: Option<String>,
    /// `scope.user`.
    pub user: String,
    /// When.
    pub at: Micros,
    /// SHA-256 of what was decided on. If that changes later, the decision is void.
    pub evidence_hash: String,
}
