//! The command line as a person types it: the real program, nothing of the machine but git and cargo.

mod catalogue;
mod contract;
mod demo;
mod hostile;
mod life;
mod mistakes;
mod next;
mod output;
mod places;
mod report;
mod takeover;
pub(crate) mod world;
