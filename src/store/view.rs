//! What the board and the command line read: rows that cost the same however long a session's history is.

use std::time::Duration;

use rusqlite::{OptionalExtension as _, Row, params};
use serde::Serialize;

use crate::{
    model::{
        Cause, Data, Event, Generation, Halt, HaltReason, Limits, Message, Micros, Mode, Performer, Permission,
        Request, ResultStatus, Session, SessionId, SessionKind, Status, Step,
    },
    workflow::{Bounds, Facts, LastAttempt, LedgerRow, Next, Pause, Tried, Waiting, next, pause},
};

use super::{Store, StoreError};

/// One row of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BoardRow {
    /// The session.
    pub id: SessionId,
    /// Its workflow.
    pub kind: SessionKind,
    /// Its component.
    pub component: String,
    /// The session that spawned it.
    pub parent_id: Option<SessionId>,
    /// Whether it is at work.
    pub status: Status,
    /// Its mode.
    pub mode: Mode,
    /// The step that is being attempted or was attempted last.
    pub step: Option<Step>,
    /// How that attempt ended; `None` while it is pending, or when there was none yet.
    pub step_status: Option<ResultStatus>,
    /// Which attempt at the step in this generation it is; 0 when there was none yet.
    pub iteration: u32,
    /// Counted from 1.
    pub generation: u32,
    /// When that attempt began.
    pub step_started_at: Option<Micros>,
    /// A step, `complete`, `halt` or `waiting`; `None`: nothing, it has ended.
    pub next: Option<String>,
    /// The halt that nobody has decided yet.
    pub halt: Option<HaltReason>,
    /// How many requests of its agent wait for a person.
    pub requests: u32,
    /// When it was made.
    pub created_at: Micros,
    /// When it last changed.
    pub updated_at: Micros,
    /// The session that had this generation opened: its parent, or another one that it works for.
    pub woken_by: Option<SessionId>,
    /// When this generation was opened.
    pub opened_at: Micros,
    /// Whether a person closed it, by approving its last halt.
    pub closed: bool,
    /// How many questions of its agent wait for a person.
    pub asks: u32,
}

/// What a session needs a person for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
pub enum Need {
    /// A decision about a halt.
    Decision {
        /// Its reason.
        reason: HaltReason,
    },
    /// A word on what its agent asks for.
    Request,
    /// A word on what its agent asks.
    Permission,
    /// Its next step is to be started.
    Advance,
    /// It failed, and nothing above it takes care of that.
    Failed,
}

impl BoardRow {
    /// Whether an attempt is being made.
    #[must_use]
    pub const fn is_running(&self) -> bool {
        self.step.is_some() && self.step_status.is_none() && matches!(self.status, Status::Active)
    }

    /// Whether it waits for the time at which its agent may be used again.
    #[must_use]
    pub fn waits_for_its_agent(&self) -> bool {
        let waits = self.status == Status::Active && self.next.as_deref() == Some("waiting");
        waits && self.step_status == Some(ResultStatus::Error)
    }

    /// What it needs a person for, if it does.
    #[must_use]
    pub fn need(&self) -> Option<Need> {
        if let Some(reason) = self.halt {
            return Some(Need::Decision { reason });
        }
        if self.asks > 0 {
            return Some(Need::Permission);
        }
        match self.status {
            Status::Active if self.requests > 0 => Some(Need::Request),
            Status::Active if self.mode == Mode::Manual && !self.is_running() => Some(Need::Advance),
            Status::Failed if self.parent_id.is_none() && !self.closed => Some(Need::Failed),
            Status::Active | Status::Failed | Status::Complete | Status::Cancelled => None,
        }
    }
}

/// One thing that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InboxItem {
    /// The session.
    pub session_id: SessionId,
    /// Its workflow.
    pub kind: SessionKind,
    /// Its component.
    pub component: String,
    /// What it needs.
    #[serde(flatten)]
    pub need: Need,
    /// What it is about, in words.
    pub message: String,
    /// Since when.
    pub since: Micros,
}

/// Everything that the tree shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    /// The project's name.
    pub project: String,
    /// In the order in which the sessions were made, so that a parent comes before its children.
    pub rows: Vec<BoardRow>,
}

/// One attempt, without its prompt and without what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Counted from 1 over the whole session.
    pub seq: u32,
    /// The generation.
    pub generation: u32,
    /// The step.
    pub step: Step,
    /// Which attempt at it in the generation.
    pub iteration: u32,
    /// How it ended; `None` while it is pending.
    pub status: Option<ResultStatus>,
    /// Why, if it did not end well.
    pub cause: Option<Cause>,
    /// What went wrong, in words.
    pub error_message: Option<String>,
    /// When it began.
    pub started_at: Micros,
    /// When it ended.
    pub completed_at: Option<Micros>,
}

impl From<&Summary> for Tried {
    fn from(it: &Summary) -> Self {
        let Summary { step, status, cause, started_at, completed_at, .. } = *it;
        Self { step, status, cause, started_at, completed_at }
    }
}

/// A session that another one waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitsFor {
    /// Which.
    pub id: SessionId,
    /// Its component.
    pub component: String,
    /// How far it is.
    pub status: Status,
    /// Its step.
    pub step: Option<Step>,
    /// Its halt.
    pub halt: Option<HaltReason>,
    /// When its step began.
    pub step_started_at: Option<Micros>,
}

impl WaitsFor {
    /// `Pricing (run_tests, 3m)`.
    fn in_words(&self, now: Micros) -> String {
        let minutes = self.step_started_at.map(|at| (now - at).max(0) / 60_000_000);
        let state = match (self.halt, self.step) {
            (Some(reason), _) => format!("halted: {reason}"),
            (None, Some(step)) => step.to_string(),
            (None, None) => "not begun".into(),
        };
        match minutes {
            Some(minutes) if minutes > 0 => format!("{} ({state}, {minutes}m)", self.component),
            Some(_) | None => format!("{} ({state})", self.component),
        }
    }
}

/// How far a session's record has come. Attempts, generations, halts and decisions are added and an attempt ends once: what is
/// read of them is the same as long as these are. The ledger is written with the end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The newest attempt's `seq`; 0: none.
    seq: u32,
    /// How many attempts have not ended.
    pending: u32,
    generations: u32,
    halts: u32,
    decisions: u32,
}

/// Everything that the panes show of one session, but for its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// How far the record had come when what follows from it was read.
    pub mark: Mark,
    /// The session.
    pub session: Session,
    /// Its row of the tree.
    pub row: BoardRow,
    /// Oldest first.
    pub generations: Vec<Generation>,
    /// Its attempts, oldest first: at most the last [`Detail::ATTEMPTS`].
    pub attempts: Vec<Summary>,
    /// The newest prompt, with its attempt's `seq`.
    pub prompt: Option<(u32, String)>,
    /// Its failure ledger.
    pub ledger: Vec<LedgerRow>,
    /// Its newest halt, decided or not.
    pub halt: Option<Halt>,
    /// Its halts, oldest first: at most the last [`Detail::HALTS`].
    pub halts: Vec<Halt>,
    /// What it waits for, or waited for last.
    pub waits_for: Vec<WaitsFor>,
    /// What its agent asks for and nobody has ruled on, oldest first.
    pub requests: Vec<Request>,
    /// The question of its agent that has waited longest for a person.
    pub question: Option<Permission>,
    /// What persons said to its agent and it has not taken in yet, oldest first.
    pub unseen: Vec<Message>,
    /// How many events it has.
    pub events: u64,
}

impl Detail {
    /// So many attempts are read for the board: the cost of a frame does not grow with a session's life.
    pub const ATTEMPTS: usize = 500;
    /// So many halts are.
    pub const HALTS: usize = 50;
}

pub(super) const ROW_COLUMNS: &str = "s.id, s.kind, s.component, p.id, s.status, s.mode, s.step, s.step_status, \
     s.iteration, s.generation, s.step_started_at, s.next, s.halt, s.created_at, s.updated_at, s.requests, \
     json_extract(g.origin, '$.id'), coalesce(g.opened_at, s.created_at), \
     s.status = 'failed' AND coalesce((SELECT d.verdict FROM halts h LEFT JOIN decisions d ON d.halt = h.id \
     WHERE h.session = s.row ORDER BY h.seq DESC, h.id DESC LIMIT 1) = 'approve', 0), s.asks";

/// What [`ROW_COLUMNS`] reads beside a session `s`: its parent and the generation it is in.
pub(super) const ROW_JOINS: &str = "LEFT JOIN sessions p ON p.row = s.parent \
     LEFT JOIN generations g ON g.session = s.row AND g.number = s.generation";

/// Reads [`ROW_COLUMNS`] that stand at column `at` of a row.
pub(super) fn board_row_at(row: &Row<'_>, at: usize) -> rusqlite::Result<BoardRow> {
    Ok(BoardRow {
        id: row.get(at)?,
        kind: row.get(at + 1)?,
        component: row.get(at + 2)?,
        parent_id: row.get(at + 3)?,
        status: row.get(at + 4)?,
        mode: row.get(at + 5)?,
        step: row.get(at + 6)?,
        step_status: row.get(at + 7)?,
        iteration: row.get(at + 8)?,
        generation: row.get(at + 9)?,
        step_started_at: row.get(at + 10)?,
        next: row.get(at + 11)?,
        halt: row.get(at + 12)?,
        created_at: row.get(at + 13)?,
        updated_at: row.get(at + 14)?,
        requests: row.get(at + 15)?,
        woken_by: row.get::<_, Option<String>>(at + 16)?.and_then(|id| id.parse().ok()),
        opened_at: row.get(at + 17)?,
        closed: row.get(at + 18)?,
        asks: row.get(at + 19)?,
    })
}

impl Store {
    /// The tree: every session that is active, and of the others the newest `ended`, with their parents.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn board(&self, ended: u32) -> Result<Board, StoreError> {
        let project = self.project()?;
        let name: Option<String> = self
            .connection
            .prepare_cached("SELECT name FROM projects WHERE id = ?1")?
            .query_row(params![project], |row| row.get(0))
            .optional()?;
        let sql = format!(
            "WITH shown (row) AS (\
                SELECT row FROM sessions WHERE project = ?1 AND status = 'active' \
                UNION SELECT row FROM (SELECT row FROM sessions WHERE project = ?1 ORDER BY row DESC LIMIT ?2) \
                UNION SELECT parent FROM sessions WHERE project = ?1 AND status = 'active' AND parent IS NOT NULL) \
             SELECT {ROW_COLUMNS} FROM shown JOIN sessions s ON s.row = shown.row {ROW_JOINS} \
             ORDER BY s.row"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows =
            statement.query_map(params![project, ended], |row| board_row_at(row, 0))?.collect::<Result<_, _>>()?;
        Ok(Board { project: name.unwrap_or_default(), rows })
    }

    /// One row of the tree.
    ///
    /// # Errors
    /// When there is no such session.
    pub fn board_row(&self, session: SessionId) -> Result<BoardRow, StoreError> {
        let sql = format!("SELECT {ROW_COLUMNS} FROM sessions s {ROW_JOINS} WHERE s.id = ?1 AND s.project = ?2");
        self.connection
            .prepare_cached(&sql)?
            .query_row(params![session, self.project()?], |row| board_row_at(row, 0))
            .optional()?
            .ok_or_else(|| StoreError::UnknownSession { given: session.to_string() })
    }

    /// What waits for a person, oldest first.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn inbox(&self) -> Result<Vec<InboxItem>, StoreError> {
        let project = self.project()?;
        let sql = format!(
            "SELECT {ROW_COLUMNS} FROM sessions s {ROW_JOINS} WHERE s.project = ?1 AND \
             (s.halt IS NOT NULL OR s.asks > 0 OR (s.status = 'active' AND (s.mode = 'manual' OR s.requests > 0)) OR (s.status = 'failed' AND s.parent IS NULL)) \
             ORDER BY s.updated_at, s.row"
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows: Vec<BoardRow> =
            statement.query_map(params![project], |row| board_row_at(row, 0))?.collect::<Result<_, _>>()?;
        let mut items = Vec::new();
        for row in rows {
            items.extend(self.inbox_item(&row)?);
        }
        Ok(items)
    }

    /// What a row of the tree needs a person for, in words, if it needs one.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn inbox_item(&self, row: &BoardRow) -> Result<Option<InboxItem>, StoreError> {
        let Some(need) = row.need() else { return Ok(None) };
        Ok(Some(InboxItem {
            session_id: row.id,
            kind: row.kind,
            component: row.component.clone(),
            need,
            message: self.need_message(row, need)?,
            since: row.updated_at,
        }))
    }

    /// What a session did last.
    ///
    /// # Errors
    /// When there is no such session, or the row cannot be read.
    pub fn last_event(&self, session: SessionId) -> Result<Option<Event>, StoreError> {
        let count = self.event_count(session)?;
        Ok(if count == 0 { None } else { self.events(session, count - 1, 1)?.pop() })
    }

    /// What [`crate::workflow::why`] explains a session from. `engine`: whether one is alive.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn facts(&self, detail: &Detail, limits: &Limits, engine: bool, now: Micros) -> Result<Facts, StoreError> {
        let session = &detail.session;
        let bounds = Bounds { iterations: limits.iterations, same_failures: limits.same_failures };
        let next = next(&self.history(session, bounds)?);
        let slots = match &next {
            Ok(Next::Step(step)) => self.slots(*step, limits)?,
            Ok(Next::Complete | Next::Halt(_) | Next::Waiting(_)) | Err(_) => None,
        };
        let pause = match &next {
            Ok(Next::Step(step)) => self.pause(session, *step, limits)?.filter(|pause| pause.until > now),
            Ok(Next::Complete | Next::Halt(_) | Next::Waiting(_)) | Err(_) => None,
        };
        let waits = detail.waits_for.iter().filter(|other| !other.status.is_terminal());
        let until = match &next {
            Ok(Next::Waiting(Waiting::Agent { seq, .. })) => self.resumes_at(session.id, *seq)?,
            Ok(Next::Step(_) | Next::Complete | Next::Halt(_) | Next::Waiting(_)) | Err(_) => None,
        };
        Ok(Facts {
            status: session.status,
            mode: session.mode,
            next,
            last: detail.attempts.last().map(|last| LastAttempt {
                step: last.step,
                started_at: last.started_at,
                ended: last.status.map(|status| last.error_message.clone().unwrap_or_else(|| status.to_string())),
            }),
            halt: detail.halt.clone().filter(|halt| halt.decision.is_none() && detail.row.halt.is_some()),
            waits_for: waits.map(|other| other.in_words(now)).chain(until.map(in_words)).collect(),
            requests: detail.requests.iter().map(Request::in_words).collect(),
            engine,
            slots,
            pause: pause.map(|pause| pause.length),
            updated_at: session.updated_at,
        })
    }

    /// When what an attempt ran into has passed, by its result; `None`: it does not say.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn resumes_at(&self, session: SessionId, seq: u32) -> Result<Option<Micros>, StoreError> {
        let result = self.interaction(session, seq)?.and_then(|interaction| interaction.result);
        Ok(match result.and_then(|result| result.data) {
            Some(Data::Agent(report)) => report.resumes_at,
            Some(_) | None => None,
        })
    }

    /// The pause before the next attempt at a step, if its last ones failed at once.
    ///
    /// # Errors
    /// When a row cannot be read.
    pub fn pause(&self, session: &Session, step: Step, limits: &Limits) -> Result<Option<Pause>, StoreError> {
        let decided = self.decided(session.id)?;
        let is_counted = |it: &&Summary| it.generation == session.generation && it.seq > decided;
        let last = self.summaries(session.id, Self::LOOKED_AT)?;
        let tried: Vec<Tried> = last.iter().filter(is_counted).map(Tried::from).collect();
        Ok(pause(&tried, step, Duration::from_secs(u64::from(limits.longest_pause))))
    }

    /// So many attempts are looked at for a pause: after fewer it is as long as it gets.
    const LOOKED_AT: usize = 16;

    fn slots(&self, step: Step, limits: &Limits) -> Result<Option<(u32, u32)>, StoreError> {
        let limit = match step.performer() {
            Performer::Agent => limits.agents,
            Performer::Tests => limits.tests,
            Performer::Git | Performer::Spawn | Performer::Check => return Ok(None),
        };
        let running = self.running()?;
        let taken = running.iter().filter(|(other, _)| other.performer() == step.performer()).map(|(_, count)| count);
        Ok(Some((limit, taken.sum())))
    }

    fn need_message(&self, row: &BoardRow, need: Need) -> Result<String, StoreError> {
        Ok(match need {
            Need::Decision { .. } => self.last_halt(row.id)?.map(|halt| halt.message).unwrap_or_default(),
            Need::Request => self.open_requests(row.id)?.first().map(Request::in_words).unwrap_or_default(),
            Need::Permission => {
                self.question(row.id)?.map(|it| format!("{}: {}", it.tool, it.title)).unwrap_or_default()
            }
            Need::Advance => format!("waits before {}", row.next.as_deref().unwrap_or("its next step")),
            Need::Failed => self.last_error(row.id)?.unwrap_or_else(|| "failed".into()),
        })
    }

    /// Everything that the panes show of one session, but for its events.
    ///
    /// # Errors
    /// When there is no such session, or a row cannot be read.
    pub fn detail(&self, session: SessionId) -> Result<Detail, StoreError> {
        // Before what it stands for: what is written meanwhile is read again.
        let mark = self.mark(session)?;
        let halts = self.last_halts(session, Detail::HALTS)?;
        Ok(Detail {
            mark,
            row: self.board_row(session)?,
            generations: self.generations(session)?,
            attempts: self.summaries(session, Detail::ATTEMPTS)?,
            prompt: self.last_prompt(session)?,
            ledger: self.ledger(session)?,
            halt: halts.last().cloned(),
            halts,
            waits_for: self.waits_for(session)?,
            requests: self.open_requests(session)?,
            question: self.question(session)?,
            unseen: self.unseen(session)?,
            events: self.event_count(session)?,
            session: self.session(session)?,
        })
    }

    /// The same detail as it is now. What costs much is read again only when the record has come further.
    ///
    /// # Errors
    /// As for [`Store::detail`].
    pub fn detail_since(&self, known: &Detail) -> Result<Detail, StoreError> {
        let session = known.session.id;
        if self.mark(session)? != known.mark {
            return self.detail(session);
        }
        Ok(Detail {
            row: self.board_row(session)?,
            waits_for: self.waits_for(session)?,
            requests: self.open_requests(session)?,
            question: self.question(session)?,
            unseen: self.unseen(session)?,
            events: self.event_count(session)?,
            session: self.session(session)?,
            ..known.clone()
        })
    }

    /// How far a session's record has come.
    fn mark(&self, session: SessionId) -> Result<Mark, StoreError> {
        self.connection
            .prepare_cached(
                "SELECT (SELECT coalesce(max(seq), 0) FROM interactions WHERE session = s.row), \
                 (SELECT count(*) FROM interactions WHERE session = s.row AND status IS NULL), \
                 (SELECT count(*) FROM generations WHERE session = s.row), \
                 (SELECT count(*) FROM halts WHERE session = s.row), \
                 (SELECT count(*) FROM halts JOIN decisions ON decisions.halt = halts.id WHERE halts.session = s.row) \
                 FROM sessions s WHERE s.id = ?1 AND s.project = ?2",
            )?
            .query_row(params![session, self.project()?], |row| {
                Ok(Mark {
                    seq: row.get(0)?,
                    pending: row.get(1)?,
                    generations: row.get(2)?,
                    halts: row.get(3)?,
                    decisions: row.get(4)?,
                })
            })
            .optional()?
            .ok_or_else(|| StoreError::UnknownSession { given: session.to_string() })
    }
}

/// A time, to the second.
fn in_words(at: Micros) -> String {
    let second = at - at.rem_euclid(1_000_000);
    jiff::Timestamp::from_microsecond(second).map_or_else(|_| String::new(), |at| at.to_string())
}
