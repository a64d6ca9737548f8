//! A small web shop. All amounts are whole cents.

pub mod billing;
pub mod orders;
