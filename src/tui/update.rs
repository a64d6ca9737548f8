//! What the board does when something happens: a function of what it remembers, what the store says and what happened. All
//! that reaches outside comes out as effects.

mod overlays;
mod travel;

use crossterm::event::{Event, KeyEvent, KeyEventKind};

use crate::model::{Answer, IntentAction, Micros, Mode, SessionId};

use super::{
    able::{self, able},
    clean::{clean, clean_line},
    keys::{self, Command, Key, Row},
    model::{Asked, Model, Notice},
    panes::Pane,
    reader::Ask,
    scroll::Position,
    snapshot::Snapshot,
    stack::{Overlay, Purpose, Question},
    text::Tone,
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// In the terminal: a key, a text that was pasted, another size.
    Terminal(Event),
    /// A second went by.
    Tick,
    /// The snapshot is a newer one.
    Fresh,
    /// What was asked is on disk; the engine will answer it.
    Asked(u64),
    /// It is not.
    NotAsked(u64, String),
    /// The engine answered.
    Answered(u64, Answer),
    /// A conversation that was taken over has ended so, or could not be taken over.
    TakenOver(Result<String, String>),
    /// Something to be said to the person.
    Say(String),
}

/// Something that is to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the engine.
    Ask(Ask),
    /// Put a text into the clipboard.
    Copy(String),
    /// Draw everything anew.
    Redraw,
    /// Into the background of the shell.
    Suspend,
    /// Give the terminal to the agent's own program, for a session's conversation.
    TakeOver(SessionId),
    /// Leave.
    Quit,
}

/// A notice stays at least so long when keys are pressed, in microseconds.
const STAYS: Micros = 3_000_000;

/// Takes in what happened.
pub fn update(model: &mut Model, snapshot: &Snapshot, action: Action, now: Micros) -> Vec<Effect> {
    model.now = now;
    let effects = match action {
        Action::Terminal(Event::Key(key)) if key.kind != KeyEventKind::Release => press(model, snapshot, key),
        Action::Terminal(Event::Paste(text)) => {
            overlays::paste(model, snapshot, &text);
            Vec::new()
        }
        Action::Terminal(Event::Resize(width, height)) => {
            model.size = (width, height);
            Vec::new()
        }
        Action::Terminal(Event::Key(_) | Event::FocusGained | Event::FocusLost | Event::Mouse(_)) | Action::Tick => {
            Vec::new()
        }
        Action::Fresh => {
            model.relist(snapshot);
            overlays::refresh(model, snapshot);
            Vec::new()
        }
        Action::Asked(ticket) => {
            if let Some(asked) = model.asked.get(&ticket) {
                let text = if snapshot.engine {
                    format!("{}: asked", asked.words)
                } else {
                    format!("{}: recorded; an engine does it as soon as one is alive", asked.words)
                };
                say(model, if snapshot.engine { Tone::Dim } else { Tone::Warn }, text);
            }
            Vec::new()
        }
        Action::NotAsked(ticket, why) => {
            let words = model.asked.remove(&ticket).map(|asked| asked.words).unwrap_or_default();
            say(model, Tone::Bad, format!("{words}: not recorded: {}", clean_line(&why)));
            Vec::new()
        }
        Action::Answered(ticket, answer) => {
            answered(model, ticket, &answer);
            Vec::new()
        }
        Action::TakenOver(Ok(text)) => {
            say(model, Tone::Good, format!("took over: {}", clean_line(&text)));
            Vec::new()
        }
        Action::TakenOver(Err(why)) => {
            say(model, Tone::Warn, format!("take over: {}", clean_line(&why)));
            Vec::new()
        }
        Action::Say(text) => {
            say(model, Tone::Bad, clean_line(&text));
            Vec::new()
        }
    };
    model.fill(snapshot);
    model.follow();
    effects
}

fn answered(model: &mut Model, ticket: u64, answer: &Answer) {
    let Some(asked) = model.asked.remove(&ticket) else { return };
    match answer {
        Answer::Done => say(model, Tone::Good, format!("{}: done", asked.words)),
        Answer::Asked => say(model, Tone::Good, format!("{}: a person is asked", asked.words)),
        Answer::Refused { why } => {
            say(model, Tone::Bad, format!("{} was refused: {}", asked.words, clean_line(why)));
        }
    }
}

/// Says something to the person.
fn say(model: &mut Model, tone: Tone, text: impl Into<String>) {
    model.notice = Some(Notice { text: text.into(), tone, at: model.now });
}

fn press(model: &mut Model, snapshot: &Snapshot, event: KeyEvent) -> Vec<Effect> {
    if model.notice.as_ref().is_some_and(|notice| model.now - notice.at >= STAYS) {
        model.notice = None;
    }
    let scope = model.scope();
    let key = Key::of(event);
    match keys::find(scope, key) {
        Some(row) => match able(row.command, model, snapshot) {
            Ok(()) => run(model, snapshot, row),
            Err(why) => {
                say(model, Tone::Warn, format!("{}: {why}", row.label));
                Vec::new()
            }
        },
        None if scope.takes_text() => {
            overlays::type_in(model, snapshot, event);
            Vec::new()
        }
        None => {
            let helps = keys::of(scope).any(|row| row.command == Command::Help);
            let help = if helps { "; ? lists the keys" } else { "" };
            say(model, Tone::Dim, format!("{} does nothing here{help}", key.name()));
            Vec::new()
        }
    }
}

/// Carries out a command that works.
fn run(model: &mut Model, snapshot: &Snapshot, row: &Row) -> Vec<Effect> {
    let selected = model.selected;
    match row.command {
        Command::Quit => return vec![Effect::Quit],
        Command::Suspend => return vec![Effect::Suspend],
        Command::TakeOver => return selected.map(Effect::TakeOver).into_iter().collect(),
        Command::Redraw => return vec![Effect::Redraw],
        Command::Advance => return ask_selected(model, snapshot, IntentAction::Advance),
        Command::Retry => return ask_selected(model, snapshot, IntentAction::Retry),
        Command::CopyBranch => return copy(model, branch(model, snapshot)),
        Command::CopyId => return copy(model, selected.map(|id| id.to_string())),
        Command::Reply(reply) => return overlays::reply(model, snapshot, reply),
        Command::Move(step) => travel::step(model, snapshot, step),
        Command::Go(go) => travel::go(model, snapshot, go),
        Command::Cancel => open(model, selected.map(|id| Overlay::Question(Question::Cancel(id)))),
        Command::Interrupt => return ask_selected(model, snapshot, IntentAction::Interrupt),
        Command::Say => open(model, selected.map(|id| overlays::editor(id, Purpose::Say))),
        Command::Reactivate => open(model, selected.map(|id| overlays::editor(id, Purpose::Reactivate))),
        Command::Redesign => open(model, selected.map(|id| overlays::editor(id, Purpose::Redesign))),
        Command::Approve | Command::Refuse => {
            let halted = selected.and_then(|id| snapshot.tree.node(id)).is_some_and(|node| node.row.halt.is_some());
            let granted = row.command == Command::Approve;
            let rule = able::request(model, snapshot).map(|request| Purpose::Rule { request: request.id, granted });
            let overlay = |id| match rule {
                _ if halted => Some(overlays::decision(snapshot, id, Purpose::Approve)),
                rule => rule.map(|rule| overlays::editor(id, rule)),
            };
            open(model, selected.and_then(overlay));
        }
        Command::Override => open(model, selected.map(|id| overlays::decision(snapshot, id, Purpose::Override))),
        Command::Permit => open(model, selected.and_then(|id| overlays::permit(id, snapshot))),
        Command::Mode => {
            let chosen = selected.and_then(|id| snapshot.tree.node(id)).map_or(Mode::Manual, |node| node.row.mode);
            open(model, selected.map(|session| Overlay::Modes { session, chosen }));
        }
        Command::Halt => open(model, selected.map(|session| Overlay::Halt { session, position: Position::Top })),
        Command::Why => open(model, selected.map(|session| Overlay::Why { session, position: Position::Top })),
        Command::Help => open(model, Some(Overlay::Help { position: Position::Top })),
        Command::Inbox => open(model, Some(overlays::inbox(model, snapshot))),
        Command::Filter => open(model, Some(Overlay::Filter)),
        Command::Show(pane) => model.pane = pane,
        Command::NextPane => model.pane = model.pane.next(1),
        Command::PreviousPane => model.pane = model.pane.next(Pane::ALL.len() - 1),
        Command::Zoom => model.zoomed = !model.zoomed,
    }
    Vec::new()
}

fn open(model: &mut Model, overlay: Option<Overlay>) {
    model.overlays.extend(overlay);
}

fn branch(model: &Model, snapshot: &Snapshot) -> Option<String> {
    let inspected = model.selected.and_then(|id| snapshot.inspected(id));
    inspected.and_then(|inspected| inspected.detail.session.branch.clone())
}

fn copy(model: &mut Model, text: Option<String>) -> Vec<Effect> {
    let Some(text) = text else { return Vec::new() };
    say(model, Tone::Good, format!("copied {}", clean_line(&text)));
    vec![Effect::Copy(text)]
}

fn ask_selected(model: &mut Model, snapshot: &Snapshot, action: IntentAction) -> Vec<Effect> {
    model.selected.map_or_else(Vec::new, |session| ask(model, snapshot, session, action))
}

/// Asks the engine, unless the same was asked and is not answered yet.
fn ask(model: &mut Model, snapshot: &Snapshot, session: SessionId, action: IntentAction) -> Vec<Effect> {
    let verb = verb(&action);
    let name = snapshot.tree.node(session).map(|node| node.name.clone()).unwrap_or_else(|| session.short());
    let words = format!("{verb} {name}");
    if model.asked.values().any(|asked| asked.session == session && asked.action == action) {
        let why = if snapshot.engine { "the engine has not answered yet" } else { "no engine is alive to do it" };
        say(model, Tone::Warn, format!("{words}: asked already, {why}"));
        return Vec::new();
    }
    model.tickets += 1;
    let ticket = model.tickets;
    say(model, Tone::Dim, format!("{words} …"));
    model.asked.insert(ticket, Asked { session, action: action.clone(), words });
    vec![Effect::Ask(Ask { ticket, session, action })]
}

fn verb(action: &IntentAction) -> String {
    match action {
        IntentAction::Start => "start".into(),
        IntentAction::Advance => "advance".into(),
        IntentAction::Retry => "retry".into(),
        IntentAction::Reactivate { redesign: false, .. } => "reactivate".into(),
        IntentAction::Reactivate { redesign: true, .. } => "redesign".into(),
        IntentAction::Renew { .. } => "go on with the work of".into(),
        IntentAction::Say { .. } => "tell".into(),
        IntentAction::Interrupt => "interrupt".into(),
        IntentAction::TakeOver { .. } => "take over".into(),
        IntentAction::GiveBack => "give back".into(),
        IntentAction::Cancel => "cancel".into(),
        IntentAction::SetMode { mode } => format!("mode {mode} for"),
        IntentAction::Approve { .. } => "approve the halt of".into(),
        IntentAction::Override { .. } => "override the halt of".into(),
        IntentAction::Create { .. } => "make a session for".into(),
        IntentAction::Rule { granted: true, .. } => "approve the request of".into(),
        IntentAction::Rule { granted: false, .. } => "refuse the request of".into(),
        IntentAction::Permit { allow: true, .. } => "allow what is asked in".into(),
        IntentAction::Permit { allow: false, .. } => "deny what is asked in".into(),
    }
}

/// Foreign text that is about to be written into a line or a text.
fn pasted(text: &str) -> String {
    clean(&text.replace("\r\n", "\n"))
}
