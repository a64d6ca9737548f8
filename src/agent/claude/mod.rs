//! Claude Code's JSON stream, in both directions: `claude -p --input-format stream-json --output-format stream-json`.

mod failure;
mod talk;
mod tool;

pub use talk::{Talk, arguments, environment};
