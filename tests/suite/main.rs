//! The whole test suite in one binary, so that it links once. One module per room, one for the whole product.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "tests stop at the first surprise and say it"
)]

mod agent;
mod cli;
mod confine;
mod docs;
mod engine;
mod git;
mod integration;
mod layers;
mod machine;
#[path = "../model/server/mod.rs"]
#[expect(dead_code, reason = "some of it is for those who try it by hand")]
mod model;
mod process;
mod project;
mod prompt;
mod pty;
mod report;
mod runner;
mod store;
mod talk;
mod tool;
mod tui;
mod workflow;
