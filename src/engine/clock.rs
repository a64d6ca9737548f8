//! The only clock.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::model::Micros;

/// The time now. A clock before 1970 reads as 1970.
#[must_use]
pub fn now() -> Micros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Micros::try_from(since.as_micros()).unwrap_or(Micros::MAX)
}
