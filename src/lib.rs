//! callboard drives AI coding sessions as checked workflows and shows them on a terminal board.
//!
//! The house, from the roof down. Each floor may use what lies below it, never what lies above or beside it;
//! `tests/suite/layers.rs` holds that.
//!
//! ```text
//! main       thin
//! cli        clap types, one call per command; output is the JSON contract
//! report     one session as a document for whoever reviews it: pure
//! tui        the board: reads the store, writes intents        │ engine   the only place that spawns, sleeps, kills or reads the clock
//! tool       the sessions tool: what agents may see and ask for
//! agent  runner  git  prompt  project  store                     what the engine uses; they do not know each other
//! workflow   pure: tables, orchestrator, limits, failure ledger, continuation, explanations
//! model      the shared words
//! ```
//!
//! The way of the data is one loop: key → action → intent (store) → engine → [`workflow`] says what is next → a step makes a
//! command → it is performed → its result is stored in one transaction → every watcher redraws.

pub mod agent;
pub mod cli;
pub mod engine;
pub mod git;
pub mod model;
pub mod project;
pub mod prompt;
pub mod report;
pub mod runner;
pub mod store;
pub mod tool;
pub mod tui;
pub mod workflow;
