//! Numbered migrations: `user_version` says how many have been applied.

use camino::Utf8Path;
use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// In order; a migration that was ever released is never changed.
const MIGRATIONS: &[&str] = &[include_str!("../../assets/migrations/0001_begin.sql")];

/// Brings the store to the newest version. Any number of processes may do this at once.
pub(super) fn migrate(connection: &mut Connection, path: &Utf8Path) -> Result<(), StoreError> {
    let known = MIGRATIONS.len();
    if version(connection)? == known {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found: to_i64(found), known: to_i64(known) });
    }
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", to_i64(known))?;
    transaction.commit()?;
    Ok(())
}

fn version(connection: &Connection) -> Result<usize, StoreError> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // A negative version is nothing that callboard writes; taken for newer, it is refused.
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

fn to_i64(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
