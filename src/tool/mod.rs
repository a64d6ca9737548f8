//! The sessions tool: what an agent may see of its project's sessions, and what it may ask for (DESIGN 11).
//!
//! One table ([`TOOLS`]) has every tool with its arguments, who may call it, and what it does. Nothing here waits or knows the
//! time: [`begin`] answers what is to be written and whether the engine is to be waited for, [`end`] what its answer means.
//! Whoever carries that out is on a floor above: `callboard mcp` and `callboard tool`, which write the record themselves, and the
//! engine for those who cannot: the script agent, and agents in a sandbox, whose calls come to it as [`wire`] has them.

mod argument;
mod ask;
mod call;
mod look;
mod table;
pub mod wire;

pub use argument::{Argument, Given, Is};
pub use call::{Begun, Caller, Reply, Then, begin, end};
pub use table::{TOOLS, Tool, find, listing, schema, unknown};
