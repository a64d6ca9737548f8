//! What a person's decision about a halt was made on, and whether that is still there.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::model::{Decision, Halt, StepResult};

/// Whether a decision still is about what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Nothing of what it was made on has changed.
    Holds,
    /// Something has.
    Void,
    /// It cannot be said any more: the worktree is gone.
    Unknown,
}

/// The changed files that a halt is about; none: it is about everything that the session changed.
#[must_use]
pub fn halted_files(halt: &Halt) -> Vec<String> {
    let files = halt.evidence.pointer("/about/files").and_then(|files| files.as_array());
    files.into_iter().flatten().filter_map(|file| file.as_str()).map(str::to_owned).collect()
}

/// SHA-256 of what is decided on: the content of the [`halted_files`] in one word, what the step found, and the halt itself.
#[must_use]
pub fn evidence_hash(content: &str, halt: &Halt, result: Option<&StepResult>) -> String {
    let mut hash = Sha256::new();
    let found = result.and_then(|result| result.failure_set.clone()).unwrap_or_default();
    let said = result.and_then(|result| result.error_message.clone()).unwrap_or_default();
    for part in [content, halt.reason.as_str(), &halt.message, &halt.evidence.to_string(), &found, &said] {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a decision still is about what is there. `content` as for [`evidence_hash`]; `None`: it cannot be read.
#[must_use]
pub fn validity(decision: &Decision, content: Option<&str>, halt: &Halt, result: Option<&StepResult>) -> Validity {
    match content {
        None => Validity::Unknown,
        Some(content) if evidence_hash(content, halt, result) == decision.evidence_hash => Validity::Holds,
        Some(_) => Validity::Void,
    }
}
