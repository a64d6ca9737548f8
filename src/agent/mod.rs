//! How agents are talked with. Knows prompts and worktrees only as text and paths.
//!
//! Only the pure parts and single writes are here: the engine spawns, waits and streams. A protocol is a machine that gets the
//! agent's lines one by one and answers what is to be done about each.

pub mod acp;
pub mod claude;
pub mod codex;
pub mod command;
mod diff;
mod lines;
pub mod script;
mod takeover;
mod talk;
mod terminal;

pub use lines::Lines;
pub use takeover::takeover;
pub use talk::{Access, Conversation, Effect, Failure, FileRequest, Opening, Question, Talk};
pub use terminal::{Ended, Start, Terminal, Told};
