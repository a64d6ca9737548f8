//! The engine: the only place that spawns, sleeps, kills or reads the clock. It drives sessions: the [`crate::workflow`] says
//! what comes next, a step makes a command of it, a process performs it, the store records what came of it.
//!
//! - `dispatcher`: everything that happens, in a line; `intents`: what clients ask for; `requests`: what agents ask for; `desk`: what is known of one project
//! - `assemble` → `job` → `steps/*` → `record`: the life of one attempt
//! - `process`: supervised processes; `recorder`: events on their way to the store
//! - `permits`: how many processes at once; `lock`: one engine per store; `takeover`: a person goes on with a conversation; `clock`; `places`: where worktrees and outputs are; `socket`: how
//!   what is confined reaches its engine

mod assemble;
pub mod client;
mod clock;
mod conversation;
mod desk;
mod dispatcher;
mod intents;
mod job;
mod lock;
mod permit;
mod permits;
mod places;
mod preview;
pub mod process;
mod record;
mod recorder;
mod renewal;
mod requests;
pub mod socket;
mod steps;
mod takeover;

pub use clock::now;
pub use desk::catalogue;
pub use dispatcher::{Ended, Options, run};
pub use lock::{Holder, Lock, holder};
pub use preview::{Preview, preview};
pub use takeover::{Refused, Takeover};

/// What ends an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The record cannot be kept.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}
