//! Tests of `process`.
