//! How agents are talked with. Knows prompts and worktrees only as text and paths.
//!
//! Only the pure parts and single writes are here: the engine spawns, waits and streams.

pub mod command;
pub mod script;
