//! What is on top of the board: its answers, and what is typed into it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::{TextArea, WrapMode};

use crate::{
    model::{IntentAction, Message, Seen, SessionId},
    tui::{
        able::able,
        keys::{Command, Reply},
        model::Model,
        scroll::Position,
        snapshot::Snapshot,
        stack::{Editor, Overlay, Purpose, Question, RULINGS},
        text::Tone,
    },
};

use super::{Effect, ask, pasted, say, travel};

/// So much may be written, in bytes: it goes into a prompt.
const WRITTEN: usize = 256 * 1024;
/// So long a filter may be, in bytes.
const FILTER: usize = 200;

/// An empty editor.
pub(super) fn editor(session: SessionId, purpose: Purpose) -> Overlay {
    let mut area = TextArea::default();
    area.set_wrap_mode(WrapMode::WordOrGlyph);
    area.set_max_histories(200);
    area.set_placeholder_text(match purpose {
        Purpose::Say => "What it should know, or do differently …",
        Purpose::Reactivate => "What went wrong, how it fits in, what is wanted now …",
        Purpose::Redesign => "What is wrong with the design, how the component fits in, what is wanted now …",
        Purpose::Approve => "Why it was right to stop; may stay empty",
        Purpose::Override => "Why it is right to go on; required",
        Purpose::Rule { .. } => "What its agent should know of it; may stay empty",
    });
    Overlay::Editor(Box::new(Editor { session, purpose, seen: None, area }))
}

/// An editor for a decision about the session's halt, which is bound to what is shown now.
pub(super) fn decision(snapshot: &Snapshot, session: SessionId, purpose: Purpose) -> Overlay {
    let mut overlay = editor(session, purpose);
    if let Overlay::Editor(editor) = &mut overlay {
        let halt = snapshot.inspected(session).and_then(|inspected| inspected.detail.halt.as_ref());
        editor.seen = halt.map(|halt| Seen {
            halt: halt.id,
            content: snapshot.changes(session).and_then(|changes| changes.content.clone()),
        });
    }
    overlay
}

/// The inbox, with the selected session's row chosen if it has one. What waits is read only now: until it is there, the tree
/// says which sessions need a person, so that a key that is pressed at once finds one.
pub(super) fn inbox(model: &Model, snapshot: &Snapshot) -> Overlay {
    let mut waiting = travel::waiting(snapshot);
    if waiting.is_empty() {
        let needing = snapshot.tree.nodes.iter().filter(|node| node.row.need().is_some());
        waiting.extend(needing.map(|node| (node.row.updated_at, node.row.id)).min().map(|(_, id)| id));
    }
    let selected = model.selected.filter(|id| waiting.contains(id));
    Overlay::Inbox { chosen: selected.or_else(|| waiting.first().copied()) }
}

/// What may be told to the agent of a session that asks.
pub(super) fn permit(session: SessionId, snapshot: &Snapshot) -> Option<Overlay> {
    let question = snapshot.inspected(session)?.detail.question.as_ref()?.id;
    Some(Overlay::Permit { session, question, chosen: 0, position: Position::Top })
}

/// What is on top may be about sessions that are gone now.
pub(super) fn refresh(model: &mut Model, snapshot: &Snapshot) {
    let waiting = travel::waiting(snapshot);
    for overlay in &mut model.overlays {
        if let Overlay::Inbox { chosen } = overlay
            && !waiting.is_empty()
            && chosen.is_none_or(|id| !waiting.contains(&id))
        {
            *chosen = waiting.first().copied();
        }
    }
}

/// An answer to what is on top.
pub(super) fn reply(model: &mut Model, snapshot: &Snapshot, reply: Reply) -> Vec<Effect> {
    match reply {
        Reply::Close => {
            close(model);
            Vec::new()
        }
        Reply::Jump => {
            if let Some(Overlay::Inbox { chosen: Some(session) }) = model.overlays.pop() {
                travel::show(model, snapshot, session);
                if snapshot.tree.node(session).is_some_and(|node| node.row.halt.is_some()) {
                    model.overlays.push(Overlay::Halt { session, position: Position::Top });
                }
            }
            Vec::new()
        }
        Reply::Choose => match model.overlays.pop() {
            Some(Overlay::Modes { session, chosen }) => {
                ask(model, snapshot, session, IntentAction::SetMode { mode: chosen })
            }
            Some(Overlay::Permit { session, question, chosen, .. }) => match RULINGS.get(chosen) {
                Some((allow, lasts, _)) => {
                    let action = IntentAction::Permit { id: question, allow: *allow, lasts: *lasts };
                    ask(model, snapshot, session, action)
                }
                None => Vec::new(),
            },
            Some(other) => {
                model.overlays.push(other);
                Vec::new()
            }
            None => Vec::new(),
        },
        Reply::Yes => yes(model, snapshot),
        Reply::No | Reply::Keep => {
            model.overlays.pop();
            Vec::new()
        }
        Reply::Drop => {
            model.overlays.pop();
            travel::filter(model, snapshot, String::new());
            Vec::new()
        }
        Reply::Send => send(model, snapshot),
    }
}

/// Closes what is on top; what is written is not lost without a question.
fn close(model: &mut Model) {
    if let Some(Overlay::Editor(editor)) = model.overlays.last()
        && !editor.text().is_empty()
    {
        model.overlays.push(Overlay::Question(Question::Discard));
        return;
    }
    model.overlays.pop();
}

fn yes(model: &mut Model, snapshot: &Snapshot) -> Vec<Effect> {
    match model.overlays.pop() {
        Some(Overlay::Question(Question::Cancel(session))) => ask(model, snapshot, session, IntentAction::Cancel),
        Some(Overlay::Question(Question::Discard)) => {
            model.overlays.pop();
            Vec::new()
        }
        Some(
            other @ (Overlay::Help { .. }
            | Overlay::Why { .. }
            | Overlay::Halt { .. }
            | Overlay::Inbox { .. }
            | Overlay::Modes { .. }
            | Overlay::Permit { .. }
            | Overlay::Editor(_)
            | Overlay::Filter),
        ) => {
            model.overlays.push(other);
            Vec::new()
        }
        None => Vec::new(),
    }
}

/// Sends what is written, unless it may not be sent: then it stays.
fn send(model: &mut Model, snapshot: &Snapshot) -> Vec<Effect> {
    let Some(Overlay::Editor(editor)) = model.overlays.last() else { return Vec::new() };
    let (session, purpose, text, seen) = (editor.session, editor.purpose, editor.text(), editor.seen.clone());
    let (command, action) = match purpose {
        Purpose::Say => (Command::Say, IntentAction::Say { text: text.clone() }),
        Purpose::Reactivate => {
            let context = text.clone();
            (Command::Reactivate, IntentAction::Reactivate { context, requester: None, redesign: false })
        }
        Purpose::Redesign => {
            let context = text.clone();
            (Command::Redesign, IntentAction::Reactivate { context, requester: None, redesign: true })
        }
        Purpose::Approve => {
            let note = (!text.is_empty()).then(|| text.clone());
            (Command::Approve, IntentAction::Approve { note, seen })
        }
        Purpose::Override => (Command::Override, IntentAction::Override { note: text.clone(), seen }),
        Purpose::Rule { request, granted } => {
            let note = (!text.is_empty()).then(|| text.clone());
            let command = if granted { Command::Approve } else { Command::Refuse };
            (command, IntentAction::Rule { request, granted, note })
        }
    };
    let missing = match purpose {
        Purpose::Say => Some("message: write something"),
        Purpose::Override => Some("override: a note is required, it goes on the record"),
        Purpose::Redesign => Some("redesign: say what is wrong with the design"),
        Purpose::Reactivate => Some("reactivate: say what its agent should know"),
        Purpose::Approve | Purpose::Rule { .. } => None,
    };
    if let (true, Some(missing)) = (text.is_empty(), missing) {
        say(model, Tone::Warn, missing);
        return Vec::new();
    }
    if purpose == Purpose::Say && text.len() > Message::LONGEST {
        let (length, longest) = (text.len(), Message::LONGEST);
        say(model, Tone::Warn, format!("message: {length} bytes, at most {longest}"));
        return Vec::new();
    }
    // The session may have changed while it was written.
    if model.selected == Some(session)
        && let Err(why) = able(command, model, snapshot)
    {
        say(model, Tone::Warn, format!("not sent: {why}"));
        return Vec::new();
    }
    model.overlays.pop();
    ask(model, snapshot, session, action)
}

/// A key that no command has, where text is written.
pub(super) fn type_in(model: &mut Model, snapshot: &Snapshot, event: KeyEvent) {
    match model.overlays.last_mut() {
        Some(Overlay::Editor(editor)) => {
            let full = editor.area.lines().iter().map(String::len).sum::<usize>() >= WRITTEN;
            let adds = matches!(event.code, KeyCode::Char(_) | KeyCode::Enter | KeyCode::Tab);
            if !(full && adds) {
                editor.area.input(event);
            }
        }
        Some(Overlay::Filter) => {
            let mut text = model.filter.clone();
            if event.code == KeyCode::Backspace {
                text.pop();
            } else if event.code == KeyCode::Char('u') && event.modifiers.contains(KeyModifiers::CONTROL) {
                text.clear();
            } else if let KeyCode::Char(char) = event.code
                && event.modifiers.difference(KeyModifiers::SHIFT).is_empty()
            {
                text.push(char);
            } else {
                return;
            }
            write_filter(model, snapshot, &text);
        }
        Some(
            Overlay::Help { .. }
            | Overlay::Why { .. }
            | Overlay::Halt { .. }
            | Overlay::Inbox { .. }
            | Overlay::Modes { .. }
            | Overlay::Permit { .. }
            | Overlay::Question(_),
        )
        | None => {}
    }
}

/// A text that was pasted: into what takes text, and nowhere else.
pub(super) fn paste(model: &mut Model, snapshot: &Snapshot, text: &str) {
    match model.overlays.last_mut() {
        Some(Overlay::Editor(editor)) => {
            let text = pasted(text);
            let written: usize = editor.area.lines().iter().map(String::len).sum();
            let room = WRITTEN.saturating_sub(written);
            editor.area.insert_str(&text[..text.floor_char_boundary(room)]);
        }
        Some(Overlay::Filter) => {
            let text = format!("{}{}", model.filter, pasted(text).replace('\n', " "));
            write_filter(model, snapshot, &text);
        }
        Some(
            Overlay::Help { .. }
            | Overlay::Why { .. }
            | Overlay::Halt { .. }
            | Overlay::Inbox { .. }
            | Overlay::Modes { .. }
            | Overlay::Permit { .. }
            | Overlay::Question(_),
        )
        | None => say(model, Tone::Dim, "there is nothing here to paste into"),
    }
}

fn write_filter(model: &mut Model, snapshot: &Snapshot, text: &str) {
    let text = text[..text.floor_char_boundary(FILTER)].to_owned();
    travel::filter(model, snapshot, text);
}
