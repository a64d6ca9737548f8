//! What can go wrong with the record.

use camino::Utf8PathBuf;

/// What can go wrong with the record.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A newer callboard wrote it.
    #[error(
        "the store {path} was written by a newer callboard (its version is {found}, this one knows {known}); \
         use that callboard, or name another store with --store"
    )]
    Newer {
        /// The store.
        path: Utf8PathBuf,
        /// Its version.
        found: i64,
        /// The highest version that is known here.
        known: i64,
    },
    /// The file is something else.
    #[error("{path} is not a store of callboard's, but {what}; name another file with --store")]
    NotAStore {
        /// The file.
        path: Utf8PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file cannot be opened or made.
    #[error("cannot open the store {path}: {message}; {hint}")]
    Open {
        /// The store.
        path: Utf8PathBuf,
        /// What the system said.
        message: String,
        /// What to try.
        hint: &'static str,
    },
    /// The disk is full.
    #[error("the disk is full: nothing was recorded; free some space below {path} and try again")]
    Full {
        /// The store.
        path: String,
    },
    /// It may only be read.
    #[error(
        "the store cannot be written: {message}; check the permissions of its file and folder, or name another with --store"
    )]
    ReadOnly {
        /// What SQLite said.
        message: String,
    },
    /// A row holds something that callboard did not write, or that a newer one wrote.
    #[error("the store holds a row of {table} that cannot be read: {message}")]
    Row {
        /// The table.
        table: &'static str,
        /// What is wrong.
        message: String,
    },
    /// No session has this id.
    #[error("no session has an id that begins or ends with {given:?}; `callboard ls` lists them")]
    UnknownSession {
        /// What was given.
        given: String,
    },
    /// More than one session fits.
    #[error("{given:?} fits more than one session: {}; give more characters", candidates.join(", "))]
    Ambiguous {
        /// What was given.
        given: String,
        /// Some that fit.
        candidates: Vec<String>,
    },
    /// A transition was built on a state that is not there any more.
    #[error("the record has changed meanwhile: {0}")]
    Conflict(&'static str),
    /// The writer has ended.
    #[error("the store's writer has ended")]
    Closed,
    /// Anything else that SQLite says.
    #[error("the store: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full { path: "the store's folder".into() },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { message: error.to_string() },
            _ => Self::Sqlite(error),
        }
    }
}
