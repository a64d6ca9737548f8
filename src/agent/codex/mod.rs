//! Codex's app-server: `codex app-server`, JSON-RPC on lines, without its version field.

mod failure;
mod item;
mod talk;

pub use talk::{Talk, arguments};
