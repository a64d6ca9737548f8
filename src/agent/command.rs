//! The `command` agent: any program that takes a prompt on standard input.

use camino::Utf8PathBuf;

use crate::model::{SessionId, SessionKind, Step};

/// The variable that says where the sessions tool asks instead of opening the record.
pub const SOCKET: &str = "CALLBOARD_SOCKET";

/// What an agent program is told about the step that it performs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFacts {
    /// The session.
    pub session_id: SessionId,
    /// Its workflow.
    pub kind: SessionKind,
    /// Its component's name.
    pub component: String,
    /// The step.
    pub step: Step,
    /// Which attempt at the step it is, counted from 1.
    pub iteration: u32,
    /// The session's generation, counted from 1.
    pub generation: u32,
    /// The conversation that the attempt is part of; the same again on a fix and a reactivation.
    pub conversation_id: String,
    /// The session's worktree, absolute.
    pub worktree: Utf8PathBuf,
    /// The command line of the sessions tool; `None`: the agent does not get it.
    pub mcp: Option<String>,
    /// The socket that the sessions tool asks over where it cannot write the record.
    pub socket: Option<Utf8PathBuf>,
}

/// The `CALLBOARD_*` variables of an agent's environment (DESIGN 5). What the agent does not get is left out, not empty.
#[must_use]
pub fn environment(facts: &StepFacts) -> Vec<(String, String)> {
    let pairs = [
        ("CALLBOARD_SESSION_ID", Some(facts.session_id.to_string())),
        ("CALLBOARD_SESSION_KIND", Some(facts.kind.to_string())),
        ("CALLBOARD_COMPONENT", Some(facts.component.clone())),
        ("CALLBOARD_STEP", Some(facts.step.to_string())),
        ("CALLBOARD_ITERATION", Some(facts.iteration.to_string())),
        ("CALLBOARD_GENERATION", Some(facts.generation.to_string())),
        ("CALLBOARD_CONVERSATION_ID", Some(facts.conversation_id.clone())),
        ("CALLBOARD_WORKTREE", Some(facts.worktree.to_string())),
        ("CALLBOARD_MCP", facts.mcp.clone()),
        (SOCKET, facts.socket.as_ref().map(ToString::to_string)),
    ];
    // A NUL cannot be in an environment: the program would not even start.
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.replace('\0', "")))).collect()
}
