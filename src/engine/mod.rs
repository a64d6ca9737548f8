//! The only place that spawns, sleeps, kills or reads the clock: it drives sessions.
pub mod process;
