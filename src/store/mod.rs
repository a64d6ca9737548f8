//! The record: one SQLite file in WAL mode, one writer, many readers.
//!
//! Readers ([`Store`]) see committed state only. What changes the record is a [`Change`]; a transition is a list of them,
//! applied in one transaction. The engine hands transitions to its [`Writer`] thread, which commits whatever has queued up
//! together (one durable commit for all) and answers each only after that commit.

mod apply;
mod asked;
mod change;
mod codec;
mod criteria;
mod error;
mod migrations;
mod open;
mod read;
mod view;
mod watch;
mod writer;

pub use asked::Consent;
pub use change::{Change, Transition};
pub use criteria::{CriterionRecord, Makers, Said, Shown};
pub use error::StoreError;
pub use open::{Store, default_path};
pub use read::{Glance, SessionFilter};
pub use view::{Board, BoardRow, Detail, InboxItem, Mark, Need, Summary, WaitsFor};
pub use watch::Watch;
pub use writer::Writer;
