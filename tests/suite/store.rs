//! Tests of the record: what opens, who sees what, what a transition leaves, what survives.

mod finding;
mod opening;
pub(crate) mod oracle;
mod scopes;
mod transitions;
mod versions;
mod world;
mod writer;
