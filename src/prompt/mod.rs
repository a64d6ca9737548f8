//! The prompts of agent steps, from templates and rules.
//!
//! ```text
//! PromptInput ──► view: bounded, cleaned ──► parts/*.md ──► <kind>/<step>.md ──► the prompt
//! ```
//!
//! A prompt gives paths, not pasted files. What comes from outside (test output, what a person wrote into a reactivation)
//! is shortened and put into fences or quotes that it cannot leave. Templates are minijinja; the built-in ones are in
//! `assets/prompts/`, a project replaces any of them by a file of the same name in `.callboard/prompts/`.

mod error;
mod files;
mod input;
mod language;
mod render;
mod rules;
mod templates;
mod text;
mod view;

pub use error::{PromptError, PromptErrorKind};
pub use input::{
    ComponentInfo, ContextInfo, LedgerLine, LedgerState, Neighbour, ProjectInfo, PromptInput, PromptPaths, Reactivation,
};
pub use render::{MAX_PROMPT, add_messages, render};
pub use rules::{Rule, rules};
pub use text::{clip, inline};
