//! What a client asks the engine to do. Intents are taken in order, exactly once, and each is answered.

use serde::{Deserialize, Serialize};

use super::{HaltId, IntentId, Lasts, Micros, Mode, PermissionId, RequestId, SessionId, SessionKind};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum IntentAction {
    /// A session was made: begin.
    Start,
    /// Let the next step of a manual session start.
    Advance,
    /// Try again what failed, or what was halted.
    Retry,
    /// Turn a finished session active again.
    Reactivate {
        /// What the agent should know.
        context: String,
        /// The session that asks, and waits until this one has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        requester: Option<SessionId>,
        /// Whether the component is to be designed anew: new sessions do it, and its design comes first.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        redesign: bool,
    },
    /// Have the work of the session's component go on: in the session that began it, or in new ones when its design has
    /// changed since.
    Renew {
        /// What the agent should know.
        context: String,
    },
    /// End the session and everything that it started, its children too.
    Cancel,
    /// Change what makes its next step start.
    SetMode {
        /// The new mode.
        mode: Mode,
    },
    /// The halt was right: close the session as failed.
    Approve {
        /// Why.
        note: Option<String>,
        /// What the person had before them; if something else is there by now, nothing is decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Seen>,
    },
    /// Make a session for a component, as the session's agent asks; it waits until that one has ended.
    Create {
        /// The workflow.
        kind: SessionKind,
        /// The component.
        component: String,
        /// What its agent should know.
        context: String,
    },
    /// Say yes or no to what the session's agent asks for.
    Rule {
        /// What.
        request: RequestId,
        /// Yes, or no.
        granted: bool,
        /// Why.
        note: Option<String>,
    },
    /// Answer what its agent asks.
    Permit {
        /// The question.
        id: PermissionId,
        /// Whether the agent may.
        allow: bool,
        /// How long that holds.
        lasts: Lasts,
    },
    /// Say something to the session's agent: at once if it is at work, else with its next prompt.
    Say {
        /// What.
        text: String,
    },
    /// End the step that its agent or its tests are at, and let nothing begin by itself: its mode is manual then.
    Interrupt,
    /// A person goes on with its agent's conversation in the agent's own program.
    TakeOver {
        /// The program and its arguments, as a person would type them.
        line: String,
    },
    /// That person has left the program.
    GiveBack,
    /// Go on in spite of the halt.
    Override {
        /// Why: required, since it goes on the record.
        note: String,
        /// What the person had before them; if something else is there by now, nothing is decided.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Seen>,
    },
}

/// What a person had before them who decides a halt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The halt.
    pub halt: HaltId,
    /// The content of the files that it is about, in one word; `None`: they were not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What a client asks the engine to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id.
    pub id: IntentId,
    /// The session that it is about.
    pub session_id: SessionId,
    /// Who asks: `scope.user`.
    pub user: String,
    /// What.
    pub action: IntentAction,
    /// When it was written.
    pub at: Micros,
}

/// What the engine said to an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It was carried out.
    Done,
    /// A person is asked first; what becomes of it is on record as a request.
    Asked,
    /// It was not, and nothing changed.
    Refused {
        /// What was expected, what was found, what to try.
        why: String,
    },
}
