//! The record: one SQLite file, one writer, many readers, intents.
