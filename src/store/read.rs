//! Reading the record, within the store's scope.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, Row, params};

use crate::{
    model::{
        Command, Decision, Event, EventKind, Generation, Halt, Interaction, Micros, Scope, Session, SessionId,
        SessionKind, Status, Step, StepResult,
    },
    workflow::{Attempt, Awaited, Bounds, History, LedgerRow, Outcome, Woken, first_step},
};

use super::{
    BoardRow, Store, StoreError, Summary, Transition, WaitsFor,
    apply::Target,
    codec::{from_json, known},
    view::{ROW_COLUMNS, ROW_JOINS, board_row_at},
    watch,
};

/// Which sessions a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionFilter {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those of this kind.
    pub kind: Option<SessionKind>,
}

/// Many reads of one state of the record: see [`Store::glance`].
pub struct Glance<'a>(&'a Store);

impl Drop for Glance<'_> {
    fn drop(&mut self) {
        let ended = self.0.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = ended {
            tracing::warn!("a glance at the record did not end: {error}");
        }
    }
}

/// So much of what was given as an id is repeated in a message.
const LONGEST_ID: usize = 60;

const SESSION_COLUMNS: &str = "s.id, s.kind, s.component, p.id, s.status, s.mode, s.agent, s.conversation_id, s.base, \
     s.branch, s.worktree, s.base_commit, s.last_commit, s.generation, s.created_at, s.updated_at";

fn session_of(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get(0)?,
        kind: row.get(1)?,
        component: row.get(2)?,
        parent_id: row.get(3)?,
        status: row.get(4)?,
        mode: row.get(5)?,
        agent: row.get(6)?,
        conversation_id: row.get(7)?,
        base: row.get(8)?,
        branch: row.get(9)?,
        worktree: row.get::<_, Option<String>>(10)?.map(Into::into),
        base_commit: row.get(11)?,
        commit: row.get(12)?,
        generation: row.get(13)?,
        created_at: row.get(14)?,
        updated_at: row.get(15)?,
    })
}

impl Store {
    /// Makes a transition at once, on this connection: for clients. The engine has a [`super::Writer`].
    ///
    /// # Errors
    /// As for [`super::Writer::apply`].
    pub fn apply(&mut self, transition: &Transition) -> Result<(), StoreError> {
        let scope: Scope = self.scope.clone();
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let target = Target::new(&transaction, &scope)?;
        for change in transition {
            target.apply(change)?;
        }
        transaction.commit()?;
        watch::ring(&self.path);
        Ok(())
    }

    /// While what this answers lives, every read sees the record as it was at the first of them, and none but the first pays for
    /// looking whether it has changed. Not to be held over a write, nor for long: what was written meanwhile is not seen.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn glance(&self) -> Result<Glance<'_>, StoreError> {
        self.connection.prepare_cached("BEGIN")?.execute([])?;
        Ok(Glance(self))
    }

    /// The session that `given` names: its id, or a beginning or an ending of it that no other id has.
    ///
    /// # Errors
    /// When none fits, or more than one.
    pub fn find(&self, given: &str) -> Result<SessionId, StoreError> {
        let unknown = || {
            let cut = if given.chars().nth(LONGEST_ID).is_some() { "…" } else { "" };
            StoreError::UnknownSession { given: given.chars().take(LONGEST_ID).chain(cut.chars()).collect() }
        };
        let wanted: String = given.chars().filter(|char| *char != '-').collect::<String>().to_ascii_uppercase();
        if wanted.is_empty() || wanted.len() > 32 || !wanted.chars().all(|char| char.is_ascii_hexdigit()) {
            return Err(unknown());
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT id FROM sessions WHERE project = ?1 AND \
             (substr(hex(id), 1, length(?2)) = ?2 OR substr(hex(id), -length(?2)) = ?2) ORDER BY row DESC LIMIT 5",
        )?;
        let found: Vec<SessionId> =
            statement.query_map(params![self.project()?, wanted], |row| row.get(0))?.collect::<Result<_, _>>()?;
        match found.as_slice() {
            [] => Err(unknown()),
            [one] => Ok(*one),
            many => Err(StoreError::Ambiguous {
                given: given.to_owned(),
                candidates: many.iter().map(ToString::to_string).collect(),
            }),
        }
    }

    /// A session.
    ///
    /// # Errors
    /// When there is none with this id in this scope.
    pub fn session(&self, id: SessionId) -> Result<Session, StoreError> {
        let sql = format!(
            "SELECT {SESSION_COLUMNS} FROM sessions s LEFT JOIN sessions p ON p.row = s.parent WHERE s.id = ?1 AND s.project = ?2"
        );
        self.connection
            .prepare_cached(&sql)?
            .query_row(params![id, self.project()?], session_of)
            .optional()?
            .ok_or_else(|| StoreError::UnknownSession { given: id.to_string() })
    }

    /// Sessions and their rows of the tree, in the order in which they were made.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn sessions(&self, filter: SessionFilter) -> Result<Vec<(Session, BoardRow)>, StoreError> {
        let sql = format!(
            "SELECT {SESSION_COLUMNS}, {ROW_COLUMNS} FROM sessions s {ROW_JOINS} \
             WHERE s.project = ?1 AND (?2 IS NULL OR s.status = ?2) AND (?3 IS NULL OR s.kind = ?3) ORDER BY s.row"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![self.project()?, filter.status, filter.kind])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push((session_of(row)?, board_row_at(row, 16)?));
        }
        Ok(found)
    }

    /// The ids of the active sessions, in the order in which they were made.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn active(&self) -> Result<Vec<SessionId>, StoreError> {
        self.ids(
            "SELECT id FROM sessions WHERE project = ?1 AND status = 'active' ORDER BY row",
            params![self.project()?],
        )
    }

    /// The children of a session, in the order in which they were made.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn children(&self, parent: SessionId) -> Result<Vec<Session>, StoreError> {
        let sql = format!(
            "SELECT {SESSION_COLUMNS} FROM sessions p JOIN sessions s ON s.parent = p.row \
             WHERE p.id = ?1 AND p.project = ?2 ORDER BY s.row"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![parent, self.project()?], session_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The sessions that wait for this one.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn waiting_on(&self, session: SessionId) -> Result<Vec<SessionId>, StoreError> {
        self.ids(
            "SELECT w.id FROM sessions s JOIN awaits a ON a.awaited = s.row JOIN sessions w ON w.row = a.session \
             WHERE s.id = ?1 AND s.project = ?2 AND w.status = 'active' ORDER BY w.row",
            params![session, self.project()?],
        )
    }

    /// The sessions of a component, in the order in which they were made.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn sessions_of(&self, component: &str) -> Result<Vec<Session>, StoreError> {
        let sql = format!(
            "SELECT {SESSION_COLUMNS} FROM sessions s LEFT JOIN sessions p ON p.row = s.parent \
             WHERE s.project = ?1 AND s.component = ?2 ORDER BY s.row"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![self.project()?, component], session_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Whether a session of this project, of whatever account, has recorded this branch as its own: they share one repository.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn branch_is_taken(&self, branch: &str) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM sessions JOIN projects ON projects.id = sessions.project \
                 WHERE projects.root = ?1 AND sessions.branch = ?2)",
            )?
            .query_row(params![self.scope.project, branch], |row| row.get(0))?)
    }

    fn ids(&self, sql: &str, values: impl rusqlite::Params) -> Result<Vec<SessionId>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What decides what comes next in a session.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn history(&self, session: &Session, bounds: Bounds) -> Result<History, StoreError> {
        let start = self.generations(session.id)?.last().map_or(first_step(session.kind), |last| last.start);
        Ok(History {
            kind: session.kind,
            status: session.status,
            start,
            attempts: self.attempts(session)?,
            decided: self.decided(session.id)?,
            awaited: self.awaited(session.id)?,
            requests: self.requests_open(session.id)?,
            bounds,
        })
    }

    /// The attempts of a session's current generation, as the workflow sees them.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn attempts(&self, session: &Session) -> Result<Vec<Attempt>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.seq, i.step, i.status, i.cause, i.failure_set FROM sessions s JOIN interactions i ON i.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 AND i.generation = ?3 ORDER BY i.seq",
        )?;
        let rows = statement.query_map(params![session.id, self.project()?, session.generation], |row| {
            let status: Option<_> = row.get(2)?;
            let cause = row.get(3)?;
            Ok(Attempt {
                seq: row.get(0)?,
                step: row.get(1)?,
                outcome: status.map(|status| Outcome { status, cause }),
                failure_set: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The `seq` of a session's last attempt over all generations; 0: none.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn last_seq(&self, session: SessionId) -> Result<u32, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce(max(i.seq), 0) FROM sessions s JOIN interactions i ON i.session = s.row \
                 WHERE s.id = ?1 AND s.project = ?2",
            )?
            .query_row(params![session, self.project()?], |row| row.get(0))?)
    }

    /// The `seq` up to which a person has decided halts of a session; 0: none.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn decided(&self, session: SessionId) -> Result<u32, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "SELECT coalesce(max(h.seq), 0) FROM sessions s JOIN halts h ON h.session = s.row \
                 JOIN decisions d ON d.halt = h.id WHERE s.id = ?1 AND s.project = ?2",
            )?
            .query_row(params![session, self.project()?], |row| row.get(0))?)
    }

    /// The sessions that a session waits for, as the workflow sees them.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn awaited(&self, session: SessionId) -> Result<Vec<Awaited>, StoreError> {
        Ok(self.waits_for(session)?.into_iter().map(|it| Awaited { session: it.id, status: it.status }).collect())
    }

    /// How a session waits, over others, for another one: `integration Orders → component_coding Cart`. `None`: it does not.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn wait_chain(&self, from: SessionId, to: SessionId) -> Result<Option<String>, StoreError> {
        let mut seen = vec![from];
        let mut open = vec![vec![from]];
        while let Some(way) = open.pop() {
            let Some(last) = way.last().copied() else { continue };
            if last == to {
                let names: Result<Vec<String>, StoreError> = way
                    .iter()
                    .map(|id| self.session(*id).map(|session| format!("{} {}", session.kind, session.component)))
                    .collect();
                return Ok(Some(names?.join(" → ")));
            }
            for next in self.awaited(last)?.into_iter().filter(|next| !next.status.is_terminal()) {
                if !seen.contains(&next.session) {
                    seen.push(next.session);
                    open.push(way.iter().copied().chain([next.session]).collect());
                }
            }
        }
        Ok(None)
    }

    /// The sessions that a session waits for, or waited for last.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn waits_for(&self, session: SessionId) -> Result<Vec<WaitsFor>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT o.id, o.component, o.status, o.step, o.halt, o.step_started_at FROM sessions s \
             JOIN awaits a ON a.session = s.row JOIN sessions o ON o.row = a.awaited \
             WHERE s.id = ?1 AND s.project = ?2 ORDER BY o.row",
        )?;
        let rows = statement.query_map(params![session, self.project()?], |row| {
            Ok(WaitsFor {
                id: row.get(0)?,
                component: row.get(1)?,
                status: row.get(2)?,
                step: row.get(3)?,
                halt: row.get(4)?,
                step_started_at: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What a session had woken or made, but for its children, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn woke(&self, session: SessionId) -> Result<Vec<Woken>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT g.opened_at, o.kind, o.component, g.number, g.context FROM sessions s \
             JOIN awaits a ON a.session = s.row JOIN sessions o ON o.row = a.awaited \
             JOIN generations g ON g.session = o.row AND json_extract(g.origin, '$.id') = ?3 \
             WHERE s.id = ?1 AND s.project = ?2 AND coalesce(o.parent, 0) != s.row ORDER BY g.opened_at, o.row",
        )?;
        let rows = statement.query_map(params![session, self.project()?, session.to_string()], |row| {
            Ok(Woken {
                at: row.get(0)?,
                kind: row.get(1)?,
                component: row.get(2)?,
                generation: row.get(3)?,
                context: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A session's generations, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn generations(&self, session: SessionId) -> Result<Vec<Generation>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT g.number, g.start, g.context, g.version, g.origin, g.opened_at FROM sessions s \
             JOIN generations g ON g.session = s.row WHERE s.id = ?1 AND s.project = ?2 ORDER BY g.number",
        )?;
        let mut rows = statement.query(params![session, self.project()?])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let origin: String = row.get(4)?;
            found.push(Generation {
                number: row.get(0)?,
                start: row.get(1)?,
                context: row.get(2)?,
                origin: from_json("generations", row.get(3)?, &origin)?,
                opened_at: row.get(5)?,
            });
        }
        Ok(found)
    }

    /// A session's attempts after `after`, oldest first, whole.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn interactions(&self, session: SessionId, after: u32) -> Result<Vec<Interaction>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.id, i.seq, i.generation, i.step, i.iteration, i.version, i.command, i.result, i.started_at, \
             i.completed_at FROM sessions s JOIN interactions i ON i.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 AND i.seq > ?3 ORDER BY i.seq",
        )?;
        let mut rows = statement.query(params![session, self.project()?, after])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(interaction_of(session, row)?);
        }
        Ok(found)
    }

    /// One attempt, whole.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn interaction(&self, session: SessionId, seq: u32) -> Result<Option<Interaction>, StoreError> {
        Ok(self.interactions(session, seq.saturating_sub(1))?.into_iter().find(|interaction| interaction.seq == seq))
    }

    /// The pending attempts of the scope that another engine than `owner` was making.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn orphans(&self, owner: &str) -> Result<Vec<(SessionId, u32)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT s.id, i.seq FROM interactions i JOIN sessions s ON s.row = i.session \
             WHERE s.project = ?1 AND i.status IS NULL AND i.owner IS NOT NULL AND i.owner <> ?2 ORDER BY i.row",
        )?;
        let rows = statement.query_map(params![self.project()?, owner], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many attempts are being made in the scope, by step.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn running(&self) -> Result<BTreeMap<Step, u32>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.step, count(*) FROM interactions i JOIN sessions s ON s.row = i.session \
             WHERE s.project = ?1 AND i.status IS NULL AND i.owner IS NOT NULL GROUP BY i.step",
        )?;
        let rows = statement.query_map(params![self.project()?], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// A session's last attempts in short, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn summaries(&self, session: SessionId, at_most: usize) -> Result<Vec<Summary>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT * FROM (SELECT i.seq, i.generation, i.step, i.iteration, i.status, i.cause, \
             substr(i.result ->> 'error_message', 1, 4000), i.started_at, i.completed_at, i.version \
             FROM sessions s JOIN interactions i ON i.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 ORDER BY i.seq DESC LIMIT ?3) ORDER BY 1",
        )?;
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![session, self.project()?, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            known("interactions", row.get(9)?)?;
            found.push(Summary {
                seq: row.get(0)?,
                generation: row.get(1)?,
                step: row.get(2)?,
                iteration: row.get(3)?,
                status: row.get(4)?,
                cause: row.get(5)?,
                error_message: row.get(6)?,
                started_at: row.get(7)?,
                completed_at: row.get(8)?,
            });
        }
        Ok(found)
    }

    /// The newest prompt of a session, with its attempt's `seq`.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn last_prompt(&self, session: SessionId) -> Result<Option<(u32, String)>, StoreError> {
        let row: Option<(u32, u32, String)> = self
            .connection
            .prepare_cached(
                "SELECT i.version, i.seq, i.command ->> 'prompt' FROM sessions s JOIN interactions i ON i.session = s.row \
                 WHERE s.id = ?1 AND s.project = ?2 AND i.command ->> 'type' = 'agent' ORDER BY i.seq DESC LIMIT 1",
            )?
            .query_row(params![session, self.project()?], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        row.map(|(version, seq, prompt)| known("interactions", version).map(|()| (seq, prompt))).transpose()
    }

    /// The message of a session's last attempt that ended badly.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn last_error(&self, session: SessionId) -> Result<Option<String>, StoreError> {
        let row: Option<(u32, Option<String>)> = self
            .connection
            .prepare_cached(
                "SELECT i.version, i.result ->> 'error_message' FROM sessions s JOIN interactions i ON i.session = s.row \
                 WHERE s.id = ?1 AND s.project = ?2 AND i.status = 'error' ORDER BY i.seq DESC LIMIT 1",
            )?
            .query_row(params![session, self.project()?], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((version, message)) = row else { return Ok(None) };
        known("interactions", version).map(|()| message)
    }

    /// The turns of its scenario that were played in a session; those that were cut off do not count.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn turns_played(&self, session: SessionId) -> Result<Vec<usize>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT i.version, i.result ->> '$.data.turn' FROM sessions s JOIN interactions i ON i.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 AND i.result ->> '$.data.turn' IS NOT NULL \
             AND coalesce(i.cause, '') NOT IN ('interrupted', 'cancelled') ORDER BY i.seq",
        )?;
        let mut rows = statement.query(params![session, self.project()?])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            known("interactions", row.get(0)?)?;
            found.push(usize::try_from(count(row, 1)?).unwrap_or(usize::MAX));
        }
        Ok(found)
    }

    /// The steps that ever ended well in a session.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn done(&self, session: SessionId) -> Result<Vec<Step>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT i.step FROM sessions s JOIN interactions i ON i.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 AND i.status IN ('ok', 'warning')",
        )?;
        let rows = statement.query_map(params![session, self.project()?], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The newest run of tests in a session: the step, when it ended, and its result.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn last_test_run(&self, session: SessionId) -> Result<Option<(Step, Micros, StepResult)>, StoreError> {
        let row: Option<(u32, Step, Micros, String)> = self
            .connection
            .prepare_cached(
                "SELECT i.version, i.step, i.completed_at, i.result FROM sessions s JOIN interactions i ON i.session = s.row \
                 WHERE s.id = ?1 AND s.project = ?2 AND i.result ->> '$.data.framework' IS NOT NULL \
                 ORDER BY i.seq DESC LIMIT 1",
            )?
            .query_row(params![session, self.project()?], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        row.map(|(version, step, at, text)| Ok((step, at, from_json("interactions", version, &text)?))).transpose()
    }

    /// The newest result of a step in a session that was not cut off.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn last_result(&self, session: SessionId, step: Step) -> Result<Option<StepResult>, StoreError> {
        let row: Option<(u32, String)> = self
            .connection
            .prepare_cached(
                "SELECT i.version, i.result FROM sessions s JOIN interactions i ON i.session = s.row \
                 WHERE s.id = ?1 AND s.project = ?2 AND i.step = ?3 AND i.status IS NOT NULL \
                 AND coalesce(i.cause, '') NOT IN ('interrupted', 'cancelled') ORDER BY i.seq DESC LIMIT 1",
            )?
            .query_row(params![session, self.project()?, step], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map(|(version, text)| from_json("interactions", version, &text)).transpose()
    }

    /// A session's failure ledger.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn ledger(&self, session: SessionId) -> Result<Vec<LedgerRow>, StoreError> {
        let row: Option<(u32, String)> = self
            .connection
            .prepare_cached(
                "SELECT l.version, l.body FROM sessions s JOIN ledgers l ON l.session = s.row WHERE s.id = ?1 AND s.project = ?2",
            )?
            .query_row(params![session, self.project()?], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        row.map_or_else(|| Ok(Vec::new()), |(version, body)| from_json("ledgers", version, &body))
    }

    /// A session's newest halt with its decision.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn last_halt(&self, session: SessionId) -> Result<Option<Halt>, StoreError> {
        Ok(self.last_halts(session, 1)?.pop())
    }

    /// A session's halts with their decisions, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn halts(&self, session: SessionId) -> Result<Vec<Halt>, StoreError> {
        self.last_halts(session, usize::MAX)
    }

    /// A session's last halts with their decisions, oldest first.
    pub(super) fn last_halts(&self, session: SessionId, at_most: usize) -> Result<Vec<Halt>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT h.id, h.seq, h.reason, h.message, h.version, h.evidence, h.at, \
             d.verdict, d.note, d.user, d.at, d.evidence_hash FROM sessions s JOIN halts h ON h.session = s.row \
             LEFT JOIN decisions d ON d.halt = h.id WHERE s.id = ?1 AND s.project = ?2 ORDER BY h.seq DESC, h.id DESC LIMIT ?3",
        )?;
        let limit = i64::try_from(at_most).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![session, self.project()?, limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(halt_of(session, row)?);
        }
        found.reverse();
        Ok(found)
    }

    /// Events of a session after `after`, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn events(&self, session: SessionId, after: u64, at_most: u32) -> Result<Vec<Event>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT e.n, e.interaction, e.at, e.body FROM sessions s JOIN events e ON e.session = s.row \
             WHERE s.id = ?1 AND s.project = ?2 AND e.n > ?3 ORDER BY e.n LIMIT ?4",
        )?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![session, self.project()?, after, at_most])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let body: String = row.get(3)?;
            let kind: EventKind = from_json("events", 0, &body)?;
            found.push(Event {
                session_id: session,
                n: count(row, 0)?,
                interaction: row.get(1)?,
                at: row.get(2)?,
                kind,
            });
        }
        Ok(found)
    }

    /// How many events a session has.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn event_count(&self, session: SessionId) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached("SELECT events FROM sessions WHERE id = ?1 AND project = ?2")?
            .query_row(params![session, self.project()?], |row| count(row, 0))
            .optional()?
            .unwrap_or(0))
    }
}

/// SQLite's integers are signed; a negative count is nothing that callboard writes.
fn count(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or(0))
}

fn interaction_of(session: SessionId, row: &Row<'_>) -> Result<Interaction, StoreError> {
    let version: u32 = row.get(5)?;
    let command: String = row.get(6)?;
    let result: Option<String> = row.get(7)?;
    Ok(Interaction {
        id: row.get(0)?,
        session_id: session,
        seq: row.get(1)?,
        generation: row.get(2)?,
        step: row.get(3)?,
        iteration: row.get(4)?,
        command: from_json::<Command>("interactions", version, &command)?,
        result: result.map(|text| from_json::<StepResult>("interactions", version, &text)).transpose()?,
        started_at: row.get(8)?,
        completed_at: row.get(9)?,
    })
}

fn halt_of(session: SessionId, row: &Row<'_>) -> Result<Halt, StoreError> {
    let evidence: String = row.get(5)?;
    let decision = match row.get::<_, Option<crate::model::Verdict>>(7)? {
        Some(verdict) => Some(Decision {
            verdict,
            note: row.get(8)?,
            user: row.get(9)?,
            at: row.get(10)?,
            evidence_hash: row.get(11)?,
        }),
        None => None,
    };
    Ok(Halt {
        id: row.get(0)?,
        session_id: session,
        seq: row.get(1)?,
        reason: row.get(2)?,
        message: row.get(3)?,
        evidence: from_json("halts", row.get(4)?, &evidence)?,
        at: row.get(6)?,
        decision,
    })
}
