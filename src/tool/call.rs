//! A call of a tool, from what the agent sent to what it is told.

use serde_json::{Map, Value, json};

use crate::{
    model::{Answer, Event, EventKind, Intent, IntentAction, IntentId, Micros, Session, SessionId, Step},
    project::Project,
    prompt::inline,
    store::{Change, Store, StoreError, Transition},
};

use super::{Given, Tool};

/// The longest answer, in bytes of JSON.
const ANSWER: usize = 256 * 1024;
/// How much of an argument is in the line that people see of a call.
const TITLE: usize = 160;
/// How much of a refusal people see.
const WHY: usize = 1_000;

/// Who calls: never what a tool's arguments say, always the session that the tool was handed to.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The session.
    pub session: Session,
    /// The step that is being attempted; `None`: none is.
    pub step: Option<Step>,
    /// The attempt that the call belongs to: the pending one, or the last.
    pub seq: u32,
}

impl Caller {
    /// The caller that a session's agent is.
    ///
    /// # Errors
    /// When there is no such session in the store's scope.
    pub fn of(store: &Store, session: SessionId) -> Result<Self, StoreError> {
        let session = store.session(session)?;
        let attempts = store.attempts(&session)?;
        let pending = attempts.last().filter(|attempt| attempt.outcome.is_none());
        let step = pending.map(|attempt| attempt.step);
        let seq = match pending {
            Some(attempt) => attempt.seq,
            None => store.last_seq(session.id)?,
        };
        Ok(Self { session, step, seq })
    }

    fn event(&self, kind: EventKind, at: Micros) -> Event {
        Event { session_id: self.session.id, n: 0, interaction: self.seq, at, kind }
    }
}

/// What a tool works with.
pub(super) struct Call<'a> {
    pub(super) store: &'a Store,
    project: Result<&'a Project, &'a str>,
    pub(super) caller: &'a Caller,
    pub(super) given: &'a Given,
    pub(super) now: Micros,
    tool: &'a Tool,
}

impl<'a> Call<'a> {
    /// The project, if its configuration can be read.
    pub(super) fn project(&self) -> Result<&'a Project, Stop> {
        self.project.map_err(|error| {
            Stop::Refused(format!("the project's configuration cannot be read, a person has to mend it: {error}"))
        })
    }

    /// Refuses a call in a step that may not make it, with what to do instead.
    pub(super) fn permitted(&self) -> Result<(), Stop> {
        let Caller { session, step, .. } = self.caller;
        if self.tool.may(session.kind, *step) {
            return Ok(());
        }
        let here = match step {
            Some(step) => format!("{step} of {}", session.kind),
            None => format!("a session ({}) that is at no step", session.kind),
        };
        let there: Vec<String> =
            self.tool.steps.unwrap_or_default().iter().map(|(kind, step)| format!("{step} of {kind}")).collect();
        refuse(format!("it may not be called from {here}, only from {}; {}", there.join(" and "), self.tool.instead))
    }

    /// The session that is named, or the caller's.
    pub(super) fn session(&self) -> Result<Session, Stop> {
        match self.given.text("session") {
            Some(given) => Ok(self.store.session(self.store.find(given)?)?),
            None => Ok(self.caller.session.clone()),
        }
    }
}

/// What a tool comes to.
pub(super) enum Run {
    /// It is known already.
    Known(Value),
    /// The engine is asked.
    Ask {
        /// The session that it is about.
        session: SessionId,
        /// What.
        action: IntentAction,
        /// The same in words: `wake the session of Cart`.
        words: String,
    },
    /// It goes on record, and this is known.
    Write(Vec<Change>, Value),
}

/// Why a tool does nothing.
pub(super) enum Stop {
    /// It may not, or cannot.
    Refused(String),
    /// The record cannot be read.
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::UnknownSession { .. } | StoreError::Ambiguous { .. }) {
            Self::Refused(error.to_string())
        } else {
            Self::Store(error)
        }
    }
}

pub(super) fn refuse<T>(why: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Refused(why.into()))
}

/// What the agent is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// What it asked for.
    Done(Value),
    /// Why not, and what to do instead.
    Refused(String),
}

/// What comes of the beginning of a call.
#[derive(Debug)]
pub struct Begun {
    /// To be written at once: that the tool was called, and what is asked of the engine.
    pub changes: Transition,
    /// What follows.
    pub then: Then,
}

/// What follows once a call's beginning is written.
#[derive(Debug)]
pub enum Then {
    /// The agent is told.
    Tell(Reply),
    /// The engine answers this intent, and [`end`] says what that means.
    Wait {
        /// The intent.
        intent: IntentId,
        /// What was asked, in words.
        words: String,
    },
}

/// Begins a call of a tool by the agent of a session.
///
/// # Errors
/// When the record cannot be read.
pub fn begin(
    store: &Store,
    project: Result<&Project, &str>,
    caller: &Caller,
    tool: &Tool,
    arguments: Map<String, Value>,
    now: Micros,
) -> Result<Begun, StoreError> {
    let mut changes = Vec::new();
    let (title, ran) = match Given::check(tool.arguments, arguments) {
        Ok(given) => {
            let call = Call { store, project, caller, given: &given, now, tool };
            (title(tool, &given), (tool.run)(&call).and_then(bounded))
        }
        Err(why) => (String::new(), Err(Stop::Refused(why))),
    };
    let mut events = vec![caller.event(EventKind::ToolCall { tool: tool.name.to_owned(), title }, now)];
    let then = match ran {
        Ok(Run::Known(value)) => Then::Tell(Reply::Done(value)),
        Ok(Run::Write(more, value)) => {
            changes.extend(more);
            Then::Tell(Reply::Done(value))
        }
        Ok(Run::Ask { session, action, words }) => {
            let intent = IntentId::generate();
            changes.push(Change::Ask(Intent { id: intent, session_id: session, user: String::new(), action, at: now }));
            Then::Wait { intent, words }
        }
        Err(Stop::Refused(why)) => {
            let text = format!("{} was refused: {}", tool.name, inline(&why, WHY));
            events.push(caller.event(EventKind::Note { text }, now));
            Then::Tell(Reply::Refused(why))
        }
        Err(Stop::Store(error)) => return Err(error),
    };
    // Before what is asked: the event is there when the engine acts on it.
    changes.insert(0, Change::Events(events));
    Ok(Begun { changes, then })
}

/// What the engine's answer means. `None`: it did not answer in time. The changes are to be written.
#[must_use]
pub fn end(caller: &Caller, words: &str, answer: Option<Answer>, now: Micros) -> (Transition, Reply) {
    let (text, reply) = match answer {
        Some(Answer::Done) => (
            format!("Granted: {words}."),
            Reply::Done(json!({
                "status": "granted",
                "message": format!("Granted: {words}. Finish your step now: callboard waits until that session has ended, merges \
                    what it did, and goes on with you."),
            })),
        ),
        Some(Answer::Asked) => (
            format!("A person is asked whether it may {words}."),
            Reply::Done(json!({
                "status": "asked",
                "message": format!("A person is asked whether you may {words}. Finish your step now: callboard waits for the answer. \
                    get_reactivation_status has it, and so has your next prompt."),
            })),
        ),
        Some(Answer::Refused { why }) => (format!("Refused to {words}: {}", inline(&why, WHY)), Reply::Refused(why)),
        None => (
            format!("Not answered yet, whether it may {words}."),
            Reply::Refused(format!(
                "the engine has not answered in time; what you asked for ({words}) stays on record, and get_reactivation_status \
                 says what becomes of it"
            )),
        ),
    };
    (vec![Change::Events(vec![caller.event(EventKind::Note { text }, now)])], reply)
}

/// A call in a line for people: what it is about, and why.
fn title(tool: &Tool, given: &Given) -> String {
    let texts = tool.arguments.iter().filter_map(|argument| given.text(argument.name));
    texts.take(2).map(|text| inline(text, TITLE)).collect::<Vec<_>>().join(": ")
}

/// An answer that is longer than an agent can use is none.
fn bounded(run: Run) -> Result<Run, Stop> {
    match &run {
        Run::Known(value) if value.to_string().len() > ANSWER => {
            refuse(format!("the answer would be longer than {ANSWER} bytes: ask for less"))
        }
        Run::Known(_) | Run::Ask { .. } | Run::Write(..) => Ok(run),
    }
}
