//! What is asked and what is said to it: clients of the engine, agents of persons, persons of agents.

use rusqlite::{OptionalExtension as _, Row, params};

use crate::model::{Answer, Grant, Intent, IntentId, Message, Permission, Request, SessionId, Standing};

use super::{Store, StoreError, codec::from_json};

/// Whether a person agreed to have something run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// To exactly this.
    Given,
    /// Not to this.
    Missing,
}

/// So many requests of a session are looked through for open ones: it does nothing further while one is.
const REQUESTS: u32 = 1_000;

impl Store {
    /// The intents of the scope that nobody has answered, in order.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.id, s.id, i.user, i.version, i.action, i.at FROM intents i JOIN sessions s ON s.row = i.session \
             WHERE i.answered_at IS NULL AND s.project = ?1 ORDER BY i.n",
        )?;
        let mut rows = statement.query(params![self.project()?])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let action: String = row.get(4)?;
            found.push(Intent {
                id: row.get(0)?,
                session_id: row.get(1)?,
                user: row.get(2)?,
                action: from_json("intents", row.get(3)?, &action)?,
                at: row.get(5)?,
            });
        }
        Ok(found)
    }

    /// What was ever asked about a session and what the engine said to it, oldest first: at most the last `at_most`.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn asked(&self, session: SessionId, at_most: usize) -> Result<Vec<(Intent, Option<Answer>)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.id, i.user, i.version, i.action, i.at, i.answer FROM intents i JOIN sessions s ON s.row = i.session \
             WHERE s.id = ?1 AND s.project = ?2 ORDER BY i.n DESC LIMIT ?3",
        )?;
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![session, self.project()?, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let version = row.get(2)?;
            let (action, answer): (String, Option<String>) = (row.get(3)?, row.get(5)?);
            let intent = Intent {
                id: row.get(0)?,
                session_id: session,
                user: row.get(1)?,
                action: from_json("intents", version, &action)?,
                at: row.get(4)?,
            };
            found.push((intent, answer.map(|text| from_json("intents", version, &text)).transpose()?));
        }
        found.reverse();
        Ok(found)
    }

    /// What a session's agent asked for, oldest first; at most the newest so many.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn requests(&self, session: SessionId, at_most: u32) -> Result<Vec<Request>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.id, r.seq, r.version, r.body, r.at, r.ruling FROM sessions s JOIN requests r ON r.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 ORDER BY r.at DESC, r.id DESC LIMIT ?3",
        )?;
        let mut rows = statement.query(params![session, self.project()?, at_most])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let version: u32 = row.get(2)?;
            let (body, ruling): (String, Option<String>) = (row.get(3)?, row.get(5)?);
            found.push(Request {
                id: row.get(0)?,
                session_id: session,
                seq: row.get(1)?,
                wish: from_json("requests", version, &body)?,
                at: row.get(4)?,
                ruling: ruling.map(|text| from_json("requests", version, &text)).transpose()?,
            });
        }
        found.reverse();
        Ok(found)
    }

    pub(super) fn requests_open(&self, session: SessionId) -> Result<u32, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT requests FROM sessions WHERE id = ?1 AND project = ?2")?;
        Ok(statement.query_row(params![session, self.project()?], |row| row.get(0)).optional()?.unwrap_or(0))
    }

    /// What a session's agent asked for and nobody has ruled on, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn open_requests(&self, session: SessionId) -> Result<Vec<Request>, StoreError> {
        let mut open = self.requests(session, REQUESTS)?;
        open.retain(|request| request.ruling.is_none());
        Ok(open)
    }

    /// What the engine said to an intent; `None` while it has not.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn answer(&self, intent: IntentId) -> Result<Option<Answer>, StoreError> {
        let row: Option<(u32, String)> = self
            .connection
            .prepare_cached(
                "SELECT i.version, i.answer FROM intents i JOIN sessions s ON s.row = i.session \
                 WHERE i.id = ?1 AND s.project = ?2 AND i.answer IS NOT NULL",
            )?
            .query_row(params![intent, self.project()?], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(version, text)| from_json("intents", version, &text)).transpose()
    }

    /// Whether a person agreed to have run what this hash is of.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn consent(&self, hash: &str) -> Result<Consent, StoreError> {
        let given: bool = self
            .connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM consents WHERE project = ?1 AND hash = ?2)")?
            .query_row(params![self.project()?, hash], |row| row.get(0))?;
        Ok(if given { Consent::Given } else { Consent::Missing })
    }

    /// The question of a session's agent that has waited longest for a person.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn question(&self, session: SessionId) -> Result<Option<Permission>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT p.id, s.id, p.seq, p.tool, p.title, p.detail, p.subject, p.files, p.asked_at, p.until FROM sessions s \
             JOIN permissions p ON p.session = s.row AND p.answered_at IS NULL WHERE s.id = ?1 AND s.project = ?2 ORDER BY p.id",
        )?;
        let read = |row: &Row<'_>| {
            Ok(Permission {
                id: row.get(0)?,
                session_id: row.get(1)?,
                seq: row.get(2)?,
                tool: row.get(3)?,
                title: row.get(4)?,
                detail: row.get(5)?,
                subject: row.get(6)?,
                files: row.get(7)?,
                asked_at: row.get(8)?,
                until: row.get(9)?,
            })
        };
        Ok(statement.query_row(params![session, self.project()?], read).optional()?)
    }

    /// What persons said of tools for the whole session: the newest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn standing(&self, session: SessionId) -> Result<Vec<Standing>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT p.tool, p.allowed, p.lasts, p.user FROM permissions p JOIN sessions s ON s.row = p.session \
             WHERE s.project = ?2 AND p.lasts = 'session' AND s.id = ?1 ORDER BY p.answered_at DESC, p.id DESC LIMIT 1000",
        )?;
        let read = |row: &Row<'_>| {
            let ruling = Grant { allowed: row.get(1)?, lasts: row.get(2)?, user: row.get(3)? };
            Ok(Standing { tool: row.get(0)?, ruling })
        };
        let rows = statement.query_map(params![session, self.project()?], read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What persons said to a session's agent and it has not taken in yet, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn unseen(&self, session: SessionId) -> Result<Vec<Message>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.id, m.user, m.text, m.at, m.seq, m.delivered_at, m.seen_at FROM sessions s \
             JOIN messages m ON m.session = s.row AND m.seen_at IS NULL WHERE s.id = ?1 AND s.project = ?2 ORDER BY m.id",
        )?;
        let rows = statement.query_map(params![session, self.project()?], |row| message_of(session, row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What persons said to a session's agent, oldest first; at most the newest so many.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn messages(&self, session: SessionId, at_most: u32) -> Result<Vec<Message>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT m.id, m.user, m.text, m.at, m.seq, m.delivered_at, m.seen_at FROM sessions s \
             JOIN messages m ON m.session = s.row WHERE s.id = ?1 AND s.project = ?2 ORDER BY m.id DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(params![session, self.project()?, at_most], |row| message_of(session, row))?;
        let mut found: Vec<Message> = rows.collect::<Result<_, _>>()?;
        found.reverse();
        Ok(found)
    }
}

fn message_of(session: SessionId, row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        session_id: session,
        user: row.get(1)?,
        text: row.get(2)?,
        at: row.get(3)?,
        seq: row.get(4)?,
        delivered_at: row.get(5)?,
        seen_at: row.get(6)?,
    })
}
