//! A store in a folder of its own, and small values to put into it.

use callboard::{
    model::{
        Command, Generation, Halt, HaltId, HaltReason, Intent, IntentAction, IntentId, Interaction, InteractionId,
        Mode, Origin, Request, RequestId, Scope, Session, SessionId, SessionKind, Step, Wish,
    },
    store::{Change, Store},
    workflow,
};
use camino::{Utf8Path, Utf8PathBuf};

pub(crate) struct World {
    _folder: tempfile::TempDir,
    pub(crate) folder: Utf8PathBuf,
    pub(crate) path: Utf8PathBuf,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(folder.path()).unwrap().canonicalize_utf8().unwrap();
        Self { path: root.join("callboard.db"), folder: root, _folder: folder }
    }

    pub(crate) fn open(&self) -> Store {
        self.open_as("local", "/shop")
    }

    pub(crate) fn open_as(&self, account: &str, project: &str) -> Store {
        Store::open(&self.path, scope(account, project)).unwrap()
    }

    /// The file, past callboard.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }

    /// Every row of every table, as text.
    pub(crate) fn dump(&self) -> Vec<String> {
        let raw = self.raw();
        let mut tables = raw.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
        let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut rows = Vec::new();
        for table in tables {
            let mut all = raw.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns = all.column_count();
            let found = all.query_map([], |row| {
                (0..columns).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect::<rusqlite::Result<Vec<_>>>()
            });
            rows.extend(found.unwrap().map(|row| format!("{table}: {}", row.unwrap().join(" "))));
        }
        rows
    }
}

pub(crate) fn scope(account: &str, project: &str) -> Scope {
    Scope { account: account.into(), project: project.into(), user: "ada@example.com".into() }
}

pub(crate) fn id(number: u128) -> SessionId {
    SessionId::from_u128(number)
}

pub(crate) fn session(id: SessionId, kind: SessionKind, component: &str, parent: Option<SessionId>) -> Session {
    Session { id, parent_id: parent, ..Session::new(kind, component, Mode::Auto, 1) }
}

pub(crate) fn generation(number: u32, start: Step) -> Generation {
    let origin = if number == 1 { Origin::New } else { Origin::Person { user: "ada@example.com".into() } };
    Generation { number, start, context: String::new(), origin, opened_at: i64::from(number) }
}

/// A new component_test session.
pub(crate) fn new(id: SessionId) -> Change {
    created(session(id, SessionKind::ComponentTest, "Pricing", None))
}

pub(crate) fn created(session: Session) -> Change {
    let start = workflow::first_step(session.kind);
    Change::NewSession(Box::new(session), generation(1, start))
}

pub(crate) fn interaction(session: SessionId, seq: u32, step: Step) -> Interaction {
    Interaction {
        id: InteractionId::generate(),
        session_id: session,
        seq,
        generation: 1,
        step,
        iteration: 1,
        command: Command::Agent { agent: "sh".into(), prompt: "do it".into(), conversation_id: None },
        result: None,
        started_at: i64::from(seq),
        completed_at: None,
    }
}

pub(crate) fn begin(session: SessionId, seq: u32, step: Step) -> Change {
    Change::Begin { interaction: Box::new(interaction(session, seq, step)), owner: Some("engine".into()) }
}

pub(crate) fn halt(session: SessionId, seq: u32, reason: HaltReason) -> Halt {
    Halt {
        id: HaltId::generate(),
        session_id: session,
        seq,
        reason,
        message: "the compiler is gone".into(),
        evidence: serde_json::json!({"seq": seq}),
        at: 9,
        decision: None,
    }
}

/// An open request of a session's agent.
pub(crate) fn request(session: SessionId, seq: u32) -> Request {
    let wish = Wish::Reactivate { session, component: "Pricing".into(), context: "secret".into(), redesign: false };
    Request { id: RequestId::generate(), session_id: session, seq, wish, at: 3, ruling: None }
}

pub(crate) fn intent(id: IntentId, session: SessionId) -> Change {
    Change::Ask(Intent { id, session_id: session, user: String::new(), action: IntentAction::Advance, at: 3 })
}
