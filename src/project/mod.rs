//! A project as its files describe it: `callboard.toml`, components, stories, and the user's settings beside it.
//!
//! Reading is done in full: whoever has written something wrong sees everything that is wrong, each with its line and
//! with what to try. Nothing here starts a process or knows the time.

mod agents;
mod check;
mod components;
mod config;
mod consent;
mod document;
mod error;
mod file;
mod init;
mod limits;
mod markdown;
mod near;
mod path;
mod read;
mod rules;
mod runner;
mod sandbox;
pub mod settings;
mod stories;
mod value;

pub use config::Project;
pub use error::{ConfigError, Problem, UnknownComponent, UnknownCriterion};
pub use file::find_root;
pub use init::{InitError, InitFacts, InitReport, init};
pub use limits::StatedLimits;
pub use path::snake_case;
pub use settings::Settings;

/// The file at a project's root that makes it one.
pub const FILE: &str = "callboard.toml";
