//! The JSON contract (DESIGN 10): fields are added, never changed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    git::Tree,
    model::{
        Command, Component, Data, Halt, Interaction, Message, Micros, Permission, Request, Session, SessionId,
        StepResult,
    },
    store::{BoardRow, CriterionRecord, Makers, Store, StoreError},
    workflow,
};

/// So many requests and messages of a session are printed.
const REQUESTS: u32 = 1_000;

/// A time as RFC 3339, with microseconds.
pub(super) fn time(at: Micros) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |time| format!("{time:.6}"))
}

/// A session, as `ls` and `show` print it.
pub(super) fn session(store: &Store, session: &Session, row: &BoardRow) -> Result<Value, StoreError> {
    let halt = if row.halt.is_some() || session.status.is_terminal() { store.last_halt(session.id)? } else { None };
    let waiting_on: Vec<String> = if row.next.as_deref() == Some("waiting") {
        let unfinished = store.waits_for(session.id)?;
        unfinished.into_iter().filter(|other| !other.status.is_terminal()).map(|other| other.id.to_string()).collect()
    } else {
        Vec::new()
    };
    Ok(json!({
        "id": session.id, "kind": session.kind, "component": session.component, "parent_id": session.parent_id,
        "status": session.status, "mode": session.mode, "step": row.step, "next": row.next, "iteration": row.iteration,
        "generation": session.generation, "halt": halt.as_ref().map(halt_value), "waiting_on": waiting_on,
        "branch": session.branch, "worktree": session.worktree, "base_commit": session.base_commit,
        "commit": session.commit, "agent": session.agent, "conversation_id": session.conversation_id,
        "created_at": time(session.created_at), "updated_at": time(session.updated_at),
    }))
}

fn halt_value(halt: &Halt) -> Value {
    json!({
        "reason": halt.reason, "message": halt.message, "evidence": halt.evidence, "at": time(halt.at),
        "decision": halt.decision.as_ref().map(|decision| json!({
            "verdict": decision.verdict, "note": decision.note, "user": decision.user, "at": time(decision.at),
            "evidence_hash": decision.evidence_hash,
        })),
    })
}

/// A session with its interactions and children.
pub(super) fn whole(store: &Store, it: &Session, row: &BoardRow) -> Result<Value, StoreError> {
    let mut value = session(store, it, row)?;
    let interactions: Vec<Value> = store.interactions(it.id, 0)?.iter().map(interaction).collect();
    let children: Vec<String> = store.children(it.id)?.iter().map(|child| child.id.to_string()).collect();
    if let Value::Object(fields) = &mut value {
        fields.insert("interactions".into(), json!(interactions));
        fields.insert("children".into(), json!(children));
        fields.insert("ledger".into(), json!(store.ledger(it.id)?));
        fields.insert("halts".into(), halts(store, it)?);
        let requests: Vec<Value> = store.requests(it.id, REQUESTS)?.iter().map(request).collect();
        fields.insert("requests".into(), json!(requests));
        let messages: Vec<Value> = store.messages(it.id, REQUESTS)?.iter().map(message).collect();
        fields.insert("messages".into(), json!(messages));
        fields.insert("question".into(), json!(store.question(it.id)?.as_ref().map(question)));
    }
    Ok(value)
}

/// All halts of a session, with whether the decisions still are about what is there.
fn halts(store: &Store, it: &Session) -> Result<Value, StoreError> {
    let tree = it.worktree.as_ref().and_then(|worktree| Tree::open(worktree).ok());
    let mut values = Vec::new();
    for halt in store.halts(it.id)? {
        let mut value = halt_value(&halt);
        if let (Some(decision), Some(shown)) = (&halt.decision, value.get_mut("decision")) {
            let content = tree.as_ref().and_then(|tree| tree.content_hash(&workflow::halted_files(&halt)).ok());
            let result = store.interaction(it.id, halt.seq)?.and_then(|interaction| interaction.result);
            shown["validity"] = json!(workflow::validity(decision, content.as_deref(), &halt, result.as_ref()));
        }
        values.push(value);
    }
    Ok(Value::Array(values))
}

/// What a session's agent asked for, and what was said to it.
fn request(it: &Request) -> Value {
    json!({
        "id": it.id, "seq": it.seq, "wish": it.wish, "at": time(it.at),
        "ruling": it.ruling.as_ref().map(|ruling| json!({
            "granted": ruling.granted, "user": ruling.user, "note": ruling.note,
            "session_id": ruling.opened.map(|(session, _)| session), "at": time(ruling.at),
        })),
    })
}

/// What a person said to its agent.
fn message(it: &Message) -> Value {
    json!({
        "id": it.id, "user": it.user, "text": it.text, "state": it.state(), "seq": it.seq, "at": time(it.at),
        "delivered_at": it.delivered_at.map(time), "seen_at": it.seen_at.map(time),
    })
}

/// What its agent asks a person.
fn question(it: &Permission) -> Value {
    json!({
        "id": it.id, "seq": it.seq, "tool": it.tool, "title": it.title, "detail": it.detail, "files": it.files,
        "asked_at": time(it.asked_at), "until": time(it.until),
    })
}

fn interaction(it: &Interaction) -> Value {
    json!({
        "seq": it.seq, "generation": it.generation, "step": it.step, "iteration": it.iteration,
        "command": command(&it.command), "result": it.result.as_ref().map(result),
        "started_at": time(it.started_at), "completed_at": it.completed_at.map(time),
    })
}

pub(super) fn command(command: &Command) -> Value {
    json!(command)
}

fn result(result: &StepResult) -> Value {
    json!({
        "status": result.status, "cause": result.cause, "code": result.code, "error_message": result.error_message,
        "data": result.data.as_ref().map(data), "duration_ms": result.duration_ms, "output": result.output,
    })
}

fn data(data: &Data) -> Value {
    json!(data)
}

/// A criterion, as `criterion ls` prints it.
pub(super) fn criterion(it: &CriterionRecord) -> Value {
    json!({
        "id": it.id, "text": it.text, "story": it.story, "component": it.component,
        "standing": it.standing(), "by_hand": it.said.is_some(),
        "shown": it.shown.as_ref().map(|shown| json!({
            "state": shown.state, "tests": shown.tests, "session_id": shown.session_id, "commit": shown.commit,
            "files": shown.files, "stale": shown.stale, "at": time(shown.at),
        })),
        "said": it.said.as_ref().map(|said| json!({
            "state": said.state, "note": said.note, "user": said.user, "at": time(said.at),
        })),
    })
}

/// A component with the sessions that made its files and all that it has, oldest first.
pub(super) fn component(it: &Component, makers: &Makers, sessions: &[Session]) -> Value {
    let sessions: Vec<SessionId> = sessions.iter().map(|session| session.id).collect();
    json!({
        "name": it.name, "kind": it.kind, "parent": it.parent, "priority": it.priority, "description": it.description,
        "depends_on": it.depends_on, "paths": it.paths, "created_by": makers, "sessions": sessions,
    })
}

/// The answer to something that was asked of the engine.
#[derive(Debug, Serialize)]
pub(super) struct Answered {
    /// The session.
    pub(super) session_id: String,
    /// `done`, or `asked`: a person is.
    pub(super) answer: &'static str,
}
