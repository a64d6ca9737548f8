//! How tests are run and how their reports are read.
