//! What a person does with a session's conversation: say something into it, interrupt it, go on with it in a terminal.

use crate::{
    engine::{EngineError, desk::Desk, intents::Weighed},
    model::{Event, EventKind, Intent, Message, MessageId, MessageState, Mode, Performer, Session, Step},
    prompt::inline,
    store::{Change, StoreError},
    workflow,
};

/// So many messages may wait for a session's agent, and so long may they be together, in bytes: they all go into one prompt.
const WAITING: usize = 20;
const TOGETHER: usize = 64 * 1024;
/// So much of a message is repeated when it comes further, in bytes.
const REMINDER: usize = 160;

/// The message that an intent says. Its id is the intent's, so that it is the same however often it is made.
pub(super) fn message(intent: &Intent, text: &str) -> Message {
    Message {
        id: MessageId::from_bytes(*intent.id.as_bytes()),
        session_id: intent.session_id,
        user: intent.user.clone(),
        text: text.to_owned(),
        at: intent.at,
        seq: None,
        delivered_at: None,
        seen_at: None,
    }
}

/// The news of a message. Its text is told once; then a piece of it will do.
pub(super) fn news(message: &Message, state: MessageState) -> EventKind {
    let text = match state {
        MessageState::Queued => message.text.clone(),
        MessageState::Delivered | MessageState::Seen => inline(&message.text, REMINDER),
    };
    EventKind::Message { user: message.user.clone(), text, state }
}

impl Desk {
    /// A person says something to the session's agent.
    pub(super) fn say(&self, session: &Session, text: &str, intent: &Intent) -> Result<Weighed, EngineError> {
        let refuse = |why: String| Ok(Weighed::Refuse(why));
        let longest = Message::LONGEST;
        match text.len() {
            _ if text.trim().is_empty() => return refuse("there is nothing to say: write something".into()),
            length if length > longest => {
                let why = format!("the message has {length} bytes, it may have {longest}: name a file instead");
                return refuse(why);
            }
            _ if !workflow::has_agent(session.kind) => {
                return refuse(format!("a {} session has no agent: say it to one of its children", session.kind));
            }
            _ if session.status.is_terminal() => {
                return refuse(format!("it is {}: reactivate it, with this as its context", session.status));
            }
            _ => {}
        }
        let waiting = self.store.unseen(session.id)?;
        let together: usize = waiting.iter().map(|message| message.text.len()).sum();
        if waiting.len() >= WAITING || together + text.len() > TOGETHER {
            let count = waiting.len();
            return refuse(format!("{count} messages wait for its agent already: wait until it has taken them in"));
        }
        let message = message(intent, text);
        let queued = self.event(session, intent, news(&message, MessageState::Queued))?;
        Ok(Weighed::Do([Change::Message(message)].into_iter().chain(queued).collect()))
    }

    /// A person ends the step that runs. Nothing begins by itself then.
    pub(super) fn interrupt(&self, session: &Session, running: bool, intent: &Intent) -> Result<Weighed, EngineError> {
        let pending = self.store.attempts(session)?.last().filter(|last| last.outcome.is_none()).map(|last| last.step);
        if !running {
            return Ok(Weighed::Refuse("none of its steps is running: there is nothing to interrupt".into()));
        }
        if let Some(step) = pending.filter(|step| !is_long(*step)) {
            let why = match step.performer() {
                Performer::Spawn => "its children are at work: interrupt those".to_owned(),
                Performer::Agent | Performer::Tests | Performer::Git | Performer::Check => {
                    format!("{step} ends by itself in a moment; put it to manual, and nothing follows")
                }
            };
            return Ok(Weighed::Refuse(why));
        }
        let note = EventKind::Note { text: format!("{} interrupted it. Its mode is manual now.", intent.user) };
        let mode = Change::Mode { session: session.id, mode: Mode::Manual };
        Ok(Weighed::Do([mode].into_iter().chain(self.event(session, intent, note)?).collect()))
    }

    /// A person has begun, or ended, to go on with its conversation in the agent's own program.
    pub(super) fn note(&self, session: &Session, intent: &Intent, text: String) -> Result<Weighed, EngineError> {
        Ok(Weighed::Do(self.event(session, intent, EventKind::Note { text })?.into_iter().collect()))
    }

    /// An event of the session's last attempt, when it was asked for; before the first there is none.
    fn event(&self, session: &Session, intent: &Intent, kind: EventKind) -> Result<Option<Change>, StoreError> {
        let interaction = self.store.last_seq(session.id)?;
        let event = Event { session_id: session.id, n: 0, interaction, at: intent.at, kind };
        Ok((interaction > 0).then(|| Change::Events(vec![event])))
    }
}

/// Whether a step may take long enough to be interrupted.
const fn is_long(step: Step) -> bool {
    match step.performer() {
        // A set-up command, or a hook.
        Performer::Agent | Performer::Tests | Performer::Git => true,
        Performer::Spawn | Performer::Check => false,
    }
}
