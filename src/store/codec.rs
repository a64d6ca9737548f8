//! Between values and columns.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::{Serialize, de::DeserializeOwned};

use crate::model::{
    Cause, CriterionState, HaltId, HaltReason, IntentId, InteractionId, JSON_VERSION, Lasts, MessageId, Mode,
    PermissionId, RequestId, ResultStatus, SessionId, SessionKind, Status, Step, Verdict,
};

use super::StoreError;

/// Words are stored as the design writes them; a word that is not known is an error of its row, never a guess.
macro_rules! word_columns {
    ($($word:ty),+ $(,)?) => {$(
        impl ToSql for $word {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_str()))
            }
        }

        impl FromSql for $word {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|error| FromSqlError::Other(Box::new(error)))
            }
        }
    )+};
}

word_columns!(Cause, CriterionState, HaltReason, Lasts, Mode, ResultStatus, SessionKind, Status, Step, Verdict);

macro_rules! id_columns {
    ($($id:ty),+ $(,)?) => {$(
        impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.as_bytes().to_vec()))
            }
        }

        impl FromSql for $id {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let bytes: [u8; 16] = value
                    .as_blob()?
                    .try_into()
                    .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: value.as_blob().map_or(0, <[u8]>::len) })?;
                Ok(Self::from_bytes(bytes))
            }
        }
    )+};
}

id_columns!(HaltId, IntentId, InteractionId, MessageId, PermissionId, RequestId, SessionId);

/// A JSON column's text.
pub(super) fn to_json<T: Serialize>(table: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Row { table, message: error.to_string() })
}

/// A JSON column's value. A shape that a newer callboard wrote is refused.
pub(super) fn from_json<T: DeserializeOwned>(table: &'static str, version: u32, text: &str) -> Result<T, StoreError> {
    known(table, version)?;
    serde_json::from_str(text).map_err(|error| StoreError::Row { table, message: error.to_string() })
}

/// Refuses a shape that a newer callboard wrote: for queries that take a field out of a JSON column.
pub(super) fn known(table: &'static str, version: u32) -> Result<(), StoreError> {
    if version <= JSON_VERSION {
        return Ok(());
    }
    let message = format!("it was written by a newer callboard (shape {version}, known here: {JSON_VERSION})");
    Err(StoreError::Row { table, message })
}
