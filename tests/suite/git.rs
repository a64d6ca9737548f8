//! Tests of `git`: real repositories, the real `git`, and nothing of the machine's configuration.

mod checkout;
mod commands;
mod filters;
mod names;
mod parallel;
mod reads;
mod snapshots;
mod staging;
mod worktrees;
pub(crate) mod world;
