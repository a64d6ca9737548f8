//! Opening the store.

use std::{cell::Cell, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, config::DbConfig, params};

use crate::model::Scope;

use super::{StoreError, migrations};

/// So long one process waits for another one's write.
const BUSY: Duration = Duration::from_secs(10);

/// A connection to the record, within one scope: what is of other scopes is as good as not there.
#[derive(Debug)]
pub struct Store {
    pub(super) connection: Connection,
    pub(super) path: Utf8PathBuf,
    pub(super) scope: Scope,
    /// The scope's row in `projects`; found when first needed.
    pub(super) project: Cell<Option<i64>>,
}

/// Where the store is unless `--store` names another: in the XDG data directory.
#[must_use]
pub fn default_path(data_home: &Utf8Path) -> Utf8PathBuf {
    data_home.join("callboard").join("callboard.db")
}

/// Opens the file, makes it and its folder when they are not there, and brings it to the newest version.
pub(super) fn connect(path: &Utf8Path) -> Result<Connection, StoreError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Open {
            path: path.to_owned(),
            message: error.to_string(),
            hint: "check the folder's permissions, or name another store with --store",
        })?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| open_error(path, &error))?;
    prepare(&mut connection, path)
        .map_err(|error| if let StoreError::Sqlite(error) = error { open_error(path, &error) } else { error })?;
    Ok(connection)
}

fn prepare(connection: &mut Connection, path: &Utf8Path) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    migrations::check(connection, path)?;
    write_ahead(connection)?;
    // Every transition is on disk before anything acts on it: FULL syncs the WAL at each commit.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise most statements are compiled anew whenever they are used: the plan might be a better one for the new values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    migrations::migrate(connection, path)
}

/// Switches a fresh store to its journal. When several do so at once, SQLite does not wait where they would wait for each other,
/// but says at once that the store is locked; whoever gets the lock to write has waited for the others, and tries again.
fn write_ahead(connection: &Connection) -> Result<(), rusqlite::Error> {
    const TRIES: u32 = 50;
    for _ in 0..TRIES {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
            }
            other => return other,
        }
    }
    connection.pragma_update(None, "journal_mode", "WAL")
}

fn open_error(path: &Utf8Path, error: &rusqlite::Error) -> StoreError {
    let not_a_store = |what| StoreError::NotAStore { path: path.to_owned(), what };
    if path.is_dir() {
        return not_a_store("a folder");
    }
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => return not_a_store("no SQLite file"),
        Some(ErrorCode::DatabaseCorrupt) => {
            "it is damaged: restore it from a backup, or name another store with --store"
        }
        Some(ErrorCode::ReadOnly) => "it cannot be written: check its permissions, or name another store with --store",
        Some(ErrorCode::DiskFull) => "the disk is full",
        _ => "check that the path is a file that you may write, or name another store with --store",
    };
    StoreError::Open { path: path.to_owned(), message: error.to_string(), hint }
}

impl Store {
    /// Opens the store for one scope.
    ///
    /// # Errors
    /// When the file cannot be opened, is no store, or was written by a newer callboard.
    pub fn open(path: &Utf8Path, scope: Scope) -> Result<Self, StoreError> {
        Ok(Self { connection: connect(path)?, path: path.to_owned(), scope, project: Cell::new(None) })
    }

    /// The same store for another scope, on a connection of its own.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn reopen(&self, scope: Scope) -> Result<Self, StoreError> {
        Self::open(&self.path, scope)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The scope that it was opened for.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A number that changes whenever another connection has committed something.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?)
    }

    /// Every scope that the store knows, for the engine. `user` is left empty: it is recorded with what people do.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn scopes(&self) -> Result<Vec<Scope>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT account, root FROM projects ORDER BY id")?;
        let rows = statement
            .query_map([], |row| Ok(Scope { account: row.get(0)?, project: row.get(1)?, user: String::new() }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The scope's row in `projects`, or one that no row has when the project is not recorded yet.
    pub(super) fn project(&self) -> Result<i64, StoreError> {
        if let Some(project) = self.project.get() {
            return Ok(project);
        }
        let found: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM projects WHERE account = ?1 AND root = ?2")?
            .query_row(params![self.scope.account, self.scope.project], |row| row.get(0))
            .optional()?;
        self.project.set(found);
        Ok(found.unwrap_or(-1))
    }
}
