//! Making changes, inside a transaction that the caller opened.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::model::{
    Component, CriterionCheck, CriterionState, Decision, Event, Generation, Grant, Halt, HaltId, Intent, Interaction,
    JSON_VERSION, Message, Micros, Permission, PermissionId, Request, RequestId, Ruling, Scope, Session, SessionId,
    Status, StepResult, Story,
};

use super::{Change, StoreError, codec::to_json, criteria::TAKEN_BACK};

/// Where changes are made: a connection inside a transaction, and a project.
pub(super) struct Target<'a> {
    connection: &'a Connection,
    scope: &'a Scope,
    project: i64,
}

impl<'a> Target<'a> {
    pub(super) fn new(connection: &'a Connection, scope: &'a Scope) -> Result<Self, StoreError> {
        let found: Option<i64> = connection
            .prepare_cached("SELECT id FROM projects WHERE account = ?1 AND root = ?2")?
            .query_row(params![scope.account, scope.project], |row| row.get(0))
            .optional()?;
        let project = match found {
            Some(project) => project,
            None => connection
                .prepare_cached("INSERT INTO projects (account, root, name) VALUES (?1, ?2, '')")?
                .insert(params![scope.account, scope.project])?,
        };
        Ok(Self { connection, scope, project })
    }

    /// Makes one change.
    pub(super) fn apply(&self, change: &Change) -> Result<(), StoreError> {
        match change {
            Change::Project { name, description } => self.exec(
                "UPDATE projects SET name = ?2, description = ?3 WHERE id = ?1 AND (name, description) <> (?2, ?3)",
                params![self.project, name, description],
            ),
            Change::Catalogue { components, stories } => self.catalogue(components, stories),
            Change::NewSession(session, generation) => self.new_session(session, generation),
            Change::Reopen { session, generation } => self.reopen(*session, generation),
            Change::Begin { interaction, owner } => self.begin(interaction, owner.as_deref()),
            Change::Finish { session, seq, result, at } => self.finish(*session, *seq, result, *at),
            Change::Await { session, seq, sessions } => self.wait_for(*session, *seq, sessions),
            Change::Status { session, status } => self.set(*session, "UPDATE sessions SET status = ?2 WHERE row = ?1", status),
            Change::Mode { session, mode } => self.set(*session, "UPDATE sessions SET mode = ?2 WHERE row = ?1", mode),
            Change::Conversation { session, id } => {
                self.set(*session, "UPDATE sessions SET conversation_id = ?2 WHERE row = ?1", id)
            }
            Change::Prepared { session, branch, worktree, base_commit } => self.exec(
                "UPDATE sessions SET branch = ?2, worktree = ?3, base_commit = ?4 WHERE row = ?1",
                params![self.row(*session)?, branch, worktree.as_str(), base_commit],
            ),
            Change::Commit { session, commit } => {
                self.set(*session, "UPDATE sessions SET last_commit = ?2 WHERE row = ?1", commit)
            }
            Change::CreatedBy { component, file, session } => self.exec(
                "UPDATE components SET created_by = json_set(created_by, '$.' || ?3, ?4) WHERE project = ?1 AND name = ?2",
                params![self.project, component, file, self.known(*session)?],
            ),
            Change::AwaitAlso { session, seq, awaited } => self.exec(
                "INSERT INTO awaits (session, awaited, seq) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (session, awaited) DO UPDATE SET seq = excluded.seq",
                params![self.row(*session)?, self.row(*awaited)?, seq],
            ),
            Change::BaseRuns { commit, tests } => tests.iter().try_for_each(|(test, failed)| {
                self.exec(
                    "INSERT INTO base_runs (project, commit_id, test, failed) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT (project, commit_id, test) DO UPDATE SET failed = excluded.failed",
                    params![self.project, commit, test, failed],
                )
            }),
            Change::Criteria { session, checks, files, commit, at } => self.criteria(*session, checks, files, commit, *at),
            Change::Stale { session, files } => self.stale(*session, files),
            Change::CriterionWord { criterion, state, note, user, at } => self.exec(
                "INSERT INTO criterion_words (project, criterion, at, state, note, user) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT (project, criterion, at) DO UPDATE SET state = excluded.state, note = excluded.note, user = excluded.user",
                params![self.project, criterion, at, state.map_or(TAKEN_BACK, CriterionState::as_str), note, user],
            ),
            Change::Ledger { session, rows } => self.exec(
                "INSERT INTO ledgers (session, version, body) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (session) DO UPDATE SET version = excluded.version, body = excluded.body",
                params![self.row(*session)?, JSON_VERSION, to_json("ledgers", rows)?],
            ),
            Change::Halt(halt) => self.halt(halt),
            Change::Decide { halt, decision } => self.decide(*halt, decision),
            Change::Outlook { session, next, halt, at } => self.exec(
                "UPDATE sessions SET next = ?2, halt = ?3, updated_at = max(updated_at, ?4) WHERE row = ?1",
                params![self.row(*session)?, next, halt, at],
            ),
            Change::Question(permission) => self.question(permission),
            Change::Permit { id, ruling, at } => self.permit(*id, ruling, *at),
            Change::Message(message) => self.message(message),
            Change::Delivered { session, message, seq, at } => self.exec(
                "UPDATE messages SET seq = ?3, delivered_at = ?4 WHERE session = ?1 AND id = ?2 AND seen_at IS NULL",
                params![self.row(*session)?, message, seq, at],
            ),
            Change::Seen { session, message, at } => self.exec(
                "UPDATE messages SET seen_at = ?3 WHERE session = ?1 AND id = ?2 AND seen_at IS NULL",
                params![self.row(*session)?, message, at],
            ),
            Change::Ask(intent) => self.ask(intent),
            Change::Answer { intent, answer, at } => self.once(
                "UPDATE intents SET answer = ?2, answered_at = ?3, version = max(version, ?5) WHERE id = ?1 AND answered_at IS NULL \
                 AND session IN (SELECT row FROM sessions WHERE project = ?4)",
                params![intent, to_json("intents", answer)?, at, self.project, JSON_VERSION],
                "the intent is answered already",
            ),
            Change::Request(request) => self.request(request),
            Change::Rule { session, request, ruling } => self.rule(*session, *request, ruling),
            Change::Events(events) => self.events(events),
            Change::Consent { hash, user, at } => self.exec(
                "INSERT INTO consents (project, hash, user, at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                params![self.project, hash, user, at],
            ),
        }
    }

    fn exec(&self, sql: &str, values: impl rusqlite::Params) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// Executes what must change exactly one row; otherwise the whole transition is void.
    fn once(&self, sql: &str, values: impl rusqlite::Params, otherwise: &'static str) -> Result<(), StoreError> {
        match self.connection.prepare_cached(sql)?.execute(values)? {
            1 => Ok(()),
            _ => Err(StoreError::Conflict(otherwise)),
        }
    }

    fn set(&self, session: SessionId, sql: &str, value: &dyn rusqlite::ToSql) -> Result<(), StoreError> {
        self.exec(sql, params![self.row(session)?, value])
    }

    /// The row of a session of this project.
    fn row(&self, session: SessionId) -> Result<i64, StoreError> {
        self.connection
            .prepare_cached("SELECT row FROM sessions WHERE id = ?1 AND project = ?2")?
            .query_row(params![session, self.project], |row| row.get(0))
            .optional()?
            .ok_or_else(|| StoreError::UnknownSession { given: session.to_string() })
    }

    /// The id of a session of this project, as text.
    fn known(&self, session: SessionId) -> Result<String, StoreError> {
        self.row(session).map(|_| session.to_string())
    }

    fn catalogue(&self, components: &[Component], stories: &[Story]) -> Result<(), StoreError> {
        for component in components {
            self.exec(
                "INSERT INTO components (project, name, version, body) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (project, name) DO UPDATE SET version = excluded.version, body = excluded.body",
                params![self.project, component.name, JSON_VERSION, to_json("components", component)?],
            )?;
        }
        self.exec("DELETE FROM criteria WHERE project = ?1", params![self.project])?;
        self.exec("DELETE FROM stories WHERE project = ?1", params![self.project])?;
        for (at, story) in stories.iter().enumerate() {
            self.exec(
                "INSERT INTO stories (project, title, position, component) VALUES (?1, ?2, ?3, ?4)",
                params![self.project, story.title, position(at), story.component],
            )?;
            for (at, criterion) in story.criteria.iter().enumerate() {
                self.exec(
                    "INSERT INTO criteria (project, id, position, story, text) VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![self.project, criterion.id, position(at), story.title, criterion.text],
                )?;
            }
        }
        Ok(())
    }

    fn new_session(&self, session: &Session, generation: &Generation) -> Result<(), StoreError> {
        let parent = session.parent_id.map(|parent| self.row(parent)).transpose()?;
        self.exec(
            "INSERT INTO sessions (id, project, kind, component, parent, status, mode, agent, base, generation, created_at, \
             updated_at, next) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                session.id, self.project, session.kind, session.component, parent, session.status, session.mode,
                session.agent, session.base, session.generation, session.created_at, session.updated_at, generation.start,
            ],
        )?;
        self.generation(self.connection.last_insert_rowid(), generation)
    }

    fn generation(&self, row: i64, generation: &Generation) -> Result<(), StoreError> {
        self.exec(
            "INSERT INTO generations (session, number, start, context, version, origin, opened_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row,
                generation.number,
                generation.start,
                generation.context,
                JSON_VERSION,
                to_json("generations", &generation.origin)?,
                generation.opened_at,
            ],
        )
    }

    fn reopen(&self, session: SessionId, generation: &Generation) -> Result<(), StoreError> {
        let row = self.row(session)?;
        self.once(
            "UPDATE sessions SET status = ?2, generation = ?3, updated_at = max(updated_at, ?4), next = ?5, halt = NULL, \
             step = NULL, step_seq = 0, step_status = NULL, iteration = 0, step_started_at = NULL \
             WHERE row = ?1 AND status <> ?2 AND generation = ?3 - 1",
            params![row, Status::Active, generation.number, generation.opened_at, generation.start],
            "the session is active already",
        )?;
        self.generation(row, generation)
    }

    fn begin(&self, interaction: &Interaction, owner: Option<&str>) -> Result<(), StoreError> {
        let row = self.row(interaction.session_id)?;
        self.once(
            "INSERT INTO interactions (id, session, seq, generation, step, iteration, version, command, owner, started_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (session, seq) DO NOTHING",
            params![
                interaction.id, row, interaction.seq, interaction.generation, interaction.step, interaction.iteration,
                JSON_VERSION, to_json("interactions", &interaction.command)?, owner, interaction.started_at,
            ],
            "the attempt has begun already",
        )?;
        self.once(
            "UPDATE sessions SET step = ?2, step_seq = ?3, step_status = NULL, iteration = ?4, step_started_at = ?5, \
             next = 'waiting', updated_at = max(updated_at, ?5) WHERE row = ?1 AND status = 'active'",
            params![row, interaction.step, interaction.seq, interaction.iteration, interaction.started_at],
            "the session is not active any more",
        )
    }

    fn finish(&self, session: SessionId, seq: u32, result: &StepResult, at: Micros) -> Result<(), StoreError> {
        let row = self.row(session)?;
        self.once(
            "UPDATE interactions SET status = ?3, cause = ?4, failure_set = ?5, result = ?6, completed_at = ?7, \
             version = max(version, ?8) \
             WHERE session = ?1 AND seq = ?2 AND status IS NULL",
            params![
                row,
                seq,
                result.status,
                result.cause,
                result.failure_set,
                to_json("interactions", result)?,
                at,
                JSON_VERSION,
            ],
            "the attempt has ended already",
        )?;
        self.exec(
            "UPDATE sessions SET step_status = ?2, updated_at = max(updated_at, ?3) WHERE row = ?1 AND step_seq = ?4",
            params![row, result.status, at, seq],
        )?;
        // Nobody asks any more.
        self.exec(
            "UPDATE permissions SET answered_at = ?3, allowed = 0, lasts = 'once', user = '' \
             WHERE session = ?1 AND seq = ?2 AND answered_at IS NULL",
            params![row, seq, at],
        )?;
        self.count_questions(row, at)
    }

    /// An agent asks something, in an attempt that is being made.
    fn question(&self, permission: &Permission) -> Result<(), StoreError> {
        let Permission { id, session_id, seq, tool, title, detail, subject, files, asked_at, until } = permission;
        let row = self.row(*session_id)?;
        self.once(
            "INSERT INTO permissions (id, session, seq, tool, title, detail, subject, files, asked_at, until) \
             SELECT ?1, session, seq, ?4, ?5, ?8, ?9, ?10, ?6, ?7 FROM interactions WHERE session = ?2 AND seq = ?3 AND status IS NULL",
            params![id, row, seq, tool, title, asked_at, until, detail, subject, files],
            "the attempt has ended already",
        )?;
        self.count_questions(row, *asked_at)
    }

    fn permit(&self, id: PermissionId, ruling: &Grant, at: Micros) -> Result<(), StoreError> {
        self.once(
            "UPDATE permissions SET answered_at = ?2, allowed = ?3, lasts = ?4, user = ?5 WHERE id = ?1 AND answered_at IS NULL \
             AND session IN (SELECT row FROM sessions WHERE project = ?6)",
            params![id, at, ruling.allowed, ruling.lasts, ruling.user, self.project],
            "the question is answered already",
        )?;
        let row: i64 = self
            .connection
            .prepare_cached("SELECT session FROM permissions WHERE id = ?1")?
            .query_row(params![id], |row| row.get(0))?;
        self.count_questions(row, at)
    }

    fn count_questions(&self, row: i64, at: Micros) -> Result<(), StoreError> {
        self.exec(
            "WITH open (asks) AS (SELECT count(*) FROM permissions WHERE session = ?1 AND answered_at IS NULL) \
             UPDATE sessions SET asks = open.asks, updated_at = max(updated_at, ?2) FROM open \
             WHERE row = ?1 AND sessions.asks <> open.asks",
            params![row, at],
        )
    }

    fn message(&self, message: &Message) -> Result<(), StoreError> {
        let Message { id, session_id, user, text, at, seq, delivered_at, seen_at } = message;
        self.exec(
            "INSERT INTO messages (id, session, user, text, at, seq, delivered_at, seen_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![id, self.row(*session_id)?, user, text, at, seq, delivered_at, seen_at],
        )
    }

    fn wait_for(&self, session: SessionId, seq: u32, sessions: &[SessionId]) -> Result<(), StoreError> {
        let row = self.row(session)?;
        self.exec("DELETE FROM awaits WHERE session = ?1", params![row])?;
        for awaited in sessions {
            self.exec(
                "INSERT INTO awaits (session, awaited, seq) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                params![row, self.row(*awaited)?, seq],
            )?;
        }
        Ok(())
    }

    fn criteria(
        &self,
        session: SessionId,
        checks: &[CriterionCheck],
        files: &[String],
        commit: &str,
        at: Micros,
    ) -> Result<(), StoreError> {
        for check in checks {
            let body = to_json("criterion_checks", &(check, files))?;
            self.exec(
                "INSERT INTO criterion_checks (project, criterion, session, version, body, commit_id, at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (project, criterion) DO UPDATE SET \
                 session = excluded.session, version = excluded.version, body = excluded.body, \
                 commit_id = excluded.commit_id, at = excluded.at, stale = 0",
                params![self.project, check.id, self.row(session)?, JSON_VERSION, body, commit, at],
            )?;
        }
        Ok(())
    }

    fn request(&self, request: &Request) -> Result<(), StoreError> {
        let row = self.row(request.session_id)?;
        let ruling = request.ruling.as_ref().map(|ruling| to_json("requests", ruling)).transpose()?;
        self.once(
            "INSERT INTO requests (id, session, seq, kind, version, body, at, ruling, ruled_at) \
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 WHERE EXISTS \
             (SELECT 1 FROM interactions WHERE session = ?2 AND seq = ?3 AND status IS NULL)",
            params![
                request.id,
                row,
                request.seq,
                request.wish.kind(),
                JSON_VERSION,
                to_json("requests", &request.wish)?,
                request.at,
                ruling,
                request.ruling.as_ref().map(|ruling| ruling.at),
            ],
            "the attempt in which it was asked has ended",
        )?;
        self.count_requests(row)
    }

    fn rule(&self, session: SessionId, request: RequestId, ruling: &Ruling) -> Result<(), StoreError> {
        let row = self.row(session)?;
        self.once(
            "UPDATE requests SET ruling = ?3, ruled_at = ?4, version = max(version, ?5) \
             WHERE id = ?1 AND session = ?2 AND ruled_at IS NULL",
            params![request, row, to_json("requests", ruling)?, ruling.at, JSON_VERSION],
            "the request was ruled on already",
        )?;
        self.count_requests(row)
    }

    fn count_requests(&self, row: i64) -> Result<(), StoreError> {
        self.exec(
            "UPDATE sessions SET requests = (SELECT count(*) FROM requests WHERE session = ?1 AND ruled_at IS NULL) WHERE row = ?1",
            params![row],
        )
    }

    fn stale(&self, session: SessionId, files: &[String]) -> Result<(), StoreError> {
        let row = self.row(session)?;
        for file in files {
            self.exec(
                "UPDATE criterion_checks SET stale = 1 WHERE project = ?1 AND session <> ?2 AND stale = 0 AND EXISTS \
                 (SELECT 1 FROM json_each(body, '$[1]') WHERE json_each.value = ?3)",
                params![self.project, row, file],
            )?;
        }
        Ok(())
    }

    fn halt(&self, halt: &Halt) -> Result<(), StoreError> {
        self.exec(
            "INSERT INTO halts (id, session, seq, reason, message, version, evidence, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                halt.id, self.row(halt.session_id)?, halt.seq, halt.reason, halt.message, JSON_VERSION,
                to_json("halts", &halt.evidence)?, halt.at,
            ],
        )
    }

    fn decide(&self, halt: HaltId, decision: &Decision) -> Result<(), StoreError> {
        self.once(
            "INSERT INTO decisions (halt, verdict, note, user, at, evidence_hash) \
             SELECT halts.id, ?2, ?3, ?4, ?5, ?6 FROM halts JOIN sessions ON sessions.row = halts.session \
             WHERE halts.id = ?1 AND sessions.project = ?7 ON CONFLICT (halt) DO NOTHING",
            params![
                halt,
                decision.verdict,
                decision.note,
                decision.user,
                decision.at,
                decision.evidence_hash,
                self.project
            ],
            "the halt is decided already",
        )
    }

    fn ask(&self, intent: &Intent) -> Result<(), StoreError> {
        let user = if intent.user.is_empty() { &self.scope.user } else { &intent.user };
        self.exec(
            "INSERT INTO intents (id, session, user, version, action, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                intent.id,
                self.row(intent.session_id)?,
                user,
                JSON_VERSION,
                to_json("intents", &intent.action)?,
                intent.at
            ],
        )
    }

    fn events(&self, events: &[Event]) -> Result<(), StoreError> {
        for run in events.chunk_by(|a, b| a.session_id == b.session_id) {
            let Some(first) = run.first() else { continue };
            let row = self.row(first.session_id)?;
            let mut n: i64 = self
                .connection
                .prepare_cached("UPDATE sessions SET events = events + ?2 WHERE row = ?1 RETURNING events - ?2")?
                .query_row(params![row, position(run.len())], |row| row.get(0))?;
            let mut insert = self
                .connection
                .prepare_cached("INSERT INTO events (session, n, interaction, at, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for event in run {
                n += 1;
                insert.execute(params![row, n, event.interaction, event.at, to_json("events", &event.kind)?])?;
            }
        }
        Ok(())
    }
}

fn position(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}
