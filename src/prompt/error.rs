//! What can be wrong with a template or a rule.

use std::fmt;

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptErrorKind {
    /// The step of this kind of session has no prompt, since no agent performs it.
    NotAnAgentStep,
    /// A file cannot be read, or is none that may be read.
    Unreadable,
    /// A template is not well-formed, or uses something that is not there.
    Template,
    /// The rendered prompt is longer than [`MAX_PROMPT`](super::MAX_PROMPT).
    TooLong,
    /// A rule's front matter is wrong.
    Rule,
}

/// Why a prompt could not be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PromptError {
    /// What kind of thing is wrong.
    pub kind: PromptErrorKind,
    /// The file, relative to the project's root; `assets/…` for one that is compiled in.
    pub file: String,
    /// The line in it, counted from 1.
    pub line: Option<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// What to try.
    pub hint: String,
}

impl fmt::Display for PromptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {} ({})", self.message, self.hint)
    }
}

impl std::error::Error for PromptError {}
