//! The Agent Client Protocol, version 1: JSON-RPC on lines. Every agent of this kind is driven so, whatever it is called.
//!
//! Agents take some liberties, and none of them does harm here: updates of tool calls that were never begun, kinds of updates that
//! are not in the protocol, a reason to stop that it does not have, words about another session.

mod call;
mod failure;
mod file;
mod host;
mod mode;
mod talk;
mod terminal;
mod typed;
mod usage;
mod wire;

pub use file::{are_inside, folder, serve};
pub use talk::Talk;
