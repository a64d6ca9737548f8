//! Numbered migrations: `user_version` says how many have been applied.

use camino::Utf8Path;
use rusqlite::{Connection, TransactionBehavior};

use super::StoreError;

/// In order; a migration that was ever released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("../../assets/migrations/0001_begin.sql"),
    include_str!("../../assets/migrations/0002_criteria.sql"),
    include_str!("../../assets/migrations/0003_requests.sql"),
    include_str!("../../assets/migrations/0004_permissions.sql"),
    include_str!("../../assets/migrations/0005_messages.sql"),
];

/// Says of a SQLite file that it is callboard's: `application_id`, "call" in ASCII.
const APPLICATION: i64 = 0x6361_6c6c;

/// Refuses a SQLite file of another program, before anything in it is changed. An empty file is as good as none.
pub(super) fn check(connection: &mut Connection, path: &Utf8Path) -> Result<(), StoreError> {
    // All of one moment: another process may be making the store just now.
    let moment = connection.transaction()?;
    let number = |sql| moment.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let application = number("PRAGMA application_id")?;
    if application == APPLICATION || (application == 0 && tables == 0 && version(&moment)? == 0) {
        return Ok(());
    }
    Err(StoreError::NotAStore { path: path.to_owned(), what: "a SQLite file of another program" })
}

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
    transaction.pragma_update(None, "application_id", APPLICATION)?;
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
