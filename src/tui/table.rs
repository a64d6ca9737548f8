//! The one table of commands: keys, footer, help and the documentation are made from it.

use crossterm::event::KeyCode;

use super::{
    keys::{Command, Go, Key, Move, Reply, Row, Scope},
    panes::Pane,
};

const BOARD: &[Scope] = &[Scope::Tree, Scope::Pane];
const DECIDING: &[Scope] = &[Scope::Tree, Scope::Pane, Scope::Halt];
const HELPED: &[Scope] = &[Scope::Tree, Scope::Pane, Scope::Halt, Scope::Inbox];
const LISTS: &[Scope] = &[Scope::Tree, Scope::Pane, Scope::Text, Scope::Halt, Scope::Inbox];
const ROWS_OF: &[Scope] = &[Scope::Tree, Scope::Pane, Scope::Text, Scope::Halt, Scope::Inbox, Scope::Menu];

const fn row(
    command: Command,
    keys: &'static [Key],
    label: &'static str,
    help: &'static str,
    scopes: &'static [Scope],
    footer: u8,
) -> Row {
    Row { command, keys, label, help, scopes, footer }
}

/// Every command, in the order of the help.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    row(Command::Halt, &[Key::char('H')], "halt", "The halt: what broke, the diff of the files it is about, what was decided", BOARD, 3),
    row(Command::Permit, &[Key::char('p')], "answer", "Answer what the session's agent asks: allow or deny it, once or for longer", BOARD, 3),
    row(Command::Approve, &[Key::char('A')], "approve", "Approve the halt: it was right, the session is closed as failed; or what its agent asks for. Asks for a note, which may be empty", DECIDING, 3),
    row(Command::Override, &[Key::char('O')], "override", "Override the halt: go on; asks for a note, which goes on the record", DECIDING, 4),
    row(Command::Refuse, &[Key::char('x')], "refuse", "Refuse what its agent asks for; asks for a note, which may be empty", BOARD, 4),
    row(Command::Advance, &[Key::char('a')], "advance", "Start the next step of a session in manual mode", BOARD, 3),
    row(Command::Retry, &[Key::char('r')], "retry", "Try again what failed or halted", DECIDING, 4),
    row(Command::Reactivate, &[Key::char('R')], "reactivate", "Make a session that has ended active again; asks what its agent should know", BOARD, 5),
    row(Command::Redesign, &[Key::char('D')], "redesign", "Have the component designed anew: a new design session first, then a new one for this work", BOARD, 0),
    row(Command::Say, &[Key::char('i')], "message", "Say something to its agent: at once if it is at work, else with its next prompt", BOARD, 8),
    row(Command::Interrupt, &[Key::char('I')], "interrupt", "End the step that runs; its mode is manual then, so that nothing follows by itself", BOARD, 9),
    row(Command::Cancel, &[Key::char('c')], "cancel", "End the session and its children; says first what will end", BOARD, 8),
    row(Command::TakeOver, &[Key::char('t')], "take over", "Go on with the agent's conversation yourself, in its own program; the board comes back when that ends", BOARD, 0),
    row(Command::Mode, &[Key::char('m')], "mode", "Choose what makes the next step start: a person, or the step before it", BOARD, 9),
    row(Command::Why, &[Key::char('w')], "why", "Why the session stands where it stands, and who can go on", BOARD, 6),
    row(Command::Inbox, &[Key::char('!')], "inbox", "Everything that waits for a person", BOARD, 7),
    row(Command::Go(Go::NextNeed), &[Key::char(']')], "next", "To the next session that needs a person", BOARD, 5),
    row(Command::Go(Go::PreviousNeed), &[Key::char('[')], "previous", "To the one before", BOARD, 0),
    row(Command::Move(Move::Down), &[Key::char('j'), Key::plain(KeyCode::Down)], "down", "Down", ROWS_OF, 0),
    row(Command::Move(Move::Up), &[Key::char('k'), Key::plain(KeyCode::Up)], "up", "Up", ROWS_OF, 0),
    row(Command::Move(Move::Down), &[Key::plain(KeyCode::Down)], "down", "Down", &[Scope::Filter], 0),
    row(Command::Move(Move::Up), &[Key::plain(KeyCode::Up)], "up", "Up", &[Scope::Filter], 0),
    row(Command::Move(Move::First), &[Key::char('g'), Key::plain(KeyCode::Home)], "first", "To the first row", LISTS, 0),
    row(Command::Move(Move::Last), &[Key::char('G'), Key::plain(KeyCode::End)], "last", "To the last row; in Live, follow what comes", LISTS, 0),
    row(Command::Move(Move::PageDown), &[Key::plain(KeyCode::PageDown), Key::ctrl('f')], "page down", "A page down", LISTS, 0),
    row(Command::Move(Move::PageUp), &[Key::plain(KeyCode::PageUp), Key::ctrl('b')], "page up", "A page up", LISTS, 0),
    row(Command::Move(Move::HalfDown), &[Key::ctrl('d'), Key::char('J')], "pane down", "Scroll the pane half a page down, also from the tree", ROWS_OF, 0),
    row(Command::Move(Move::HalfUp), &[Key::ctrl('u'), Key::char('K')], "pane up", "Scroll the pane half a page up, also from the tree", ROWS_OF, 0),
    row(Command::Go(Go::In), &[Key::plain(KeyCode::Enter), Key::char('l'), Key::plain(KeyCode::Right)], "open", "Open a session's children; on one that is open or has none, go into its pane", &[Scope::Tree], 10),
    row(Command::Go(Go::Out), &[Key::char('h'), Key::plain(KeyCode::Left)], "close", "Close a session's children, or go to its parent", &[Scope::Tree], 0),
    row(Command::Go(Go::Out), &[Key::char('h'), Key::plain(KeyCode::Left), Key::plain(KeyCode::Enter)], "to the tree", "Back to the tree", &[Scope::Pane], 10),
    row(Command::Go(Go::Fold), &[Key::char(' ')], "fold", "Open or close a session's children", &[Scope::Tree], 0),
    row(Command::NextPane, &[Key::plain(KeyCode::Tab)], "pane", "The next pane", BOARD, 11),
    row(Command::PreviousPane, &[Key::plain(KeyCode::BackTab)], "pane before", "The pane before", BOARD, 0),
    row(Command::Show(Pane::Prompt), &[Key::char('1')], "prompt", "Prompt: what the agent was told last", BOARD, 0),
    row(Command::Show(Pane::Live), &[Key::char('2')], "live", "Live: what happens, as it happens", BOARD, 0),
    row(Command::Show(Pane::Failures), &[Key::char('3')], "failures", "Failures: what failed, and what became of it", BOARD, 0),
    row(Command::Show(Pane::Criteria), &[Key::char('4')], "criteria", "Criteria: each acceptance criterion, the tests that carry it, where it was shown, and what is missing", BOARD, 0),
    row(Command::Show(Pane::Diff), &[Key::char('5'), Key::char('d')], "diff", "Diff: what the session changed since its branch began", BOARD, 0),
    row(Command::Show(Pane::History), &[Key::char('6')], "history", "History: every attempt, decision and reactivation", BOARD, 0),
    row(Command::Zoom, &[Key::char('z')], "zoom", "Give the whole screen to the tree or the pane", BOARD, 0),
    row(Command::Filter, &[Key::char('/')], "filter", "Show only sessions whose name, kind, status or step has this text", BOARD, 12),
    row(Command::CopyBranch, &[Key::char('y')], "copy branch", "Copy the session's branch to the clipboard", BOARD, 0),
    row(Command::CopyId, &[Key::char('Y')], "copy id", "Copy the session's id to the clipboard", BOARD, 0),
    row(Command::Go(Go::Back), &[Key::plain(KeyCode::Esc)], "back", "Back to the tree; there, end the filter", BOARD, 0),
    row(Command::Redraw, &[Key::ctrl('l')], "redraw", "Draw the screen anew", BOARD, 0),
    row(Command::Suspend, &[Key::ctrl('z')], "suspend", "Into the background of the shell; `fg` comes back", BOARD, 0),
    row(Command::Help, &[Key::char('?'), Key::plain(KeyCode::F(1))], "help", "All keys", HELPED, 1),
    row(Command::Quit, &[Key::char('q'), Key::ctrl('c')], "quit", "Leave the board. Nothing stops: the engine goes on with its work", BOARD, 2),
    row(Command::Quit, &[Key::ctrl('c')], "quit", "Leave the board. Nothing stops", &[Scope::Text, Scope::Halt, Scope::Inbox, Scope::Menu, Scope::Question, Scope::Filter], 0),
    row(Command::Reply(Reply::Jump), &[Key::plain(KeyCode::Enter), Key::char('l')], "go there", "To the session of this row; a halt opens with it", &[Scope::Inbox], 1),
    row(Command::Reply(Reply::Choose), &[Key::plain(KeyCode::Enter)], "choose", "Take this row", &[Scope::Menu], 1),
    row(Command::Reply(Reply::Close), &[Key::plain(KeyCode::Esc), Key::char('q')], "close", "Close this", &[Scope::Text, Scope::Halt, Scope::Inbox, Scope::Menu], 2),
    row(Command::Reply(Reply::Yes), &[Key::char('y')], "yes", "Yes", &[Scope::Question], 1),
    row(Command::Reply(Reply::No), &[Key::char('n'), Key::plain(KeyCode::Esc)], "no", "No", &[Scope::Question], 2),
    row(Command::Reply(Reply::Send), &[Key::ctrl('s'), Key::alt(KeyCode::Enter)], "send", "Send what is written", &[Scope::Editor], 1),
    row(Command::Reply(Reply::Close), &[Key::plain(KeyCode::Esc), Key::ctrl('c')], "close", "Leave without sending; asks when something is written", &[Scope::Editor], 2),
    row(Command::Reply(Reply::Keep), &[Key::plain(KeyCode::Enter)], "keep", "Keep the filter and go to the sessions", &[Scope::Filter], 1),
    row(Command::Reply(Reply::Drop), &[Key::plain(KeyCode::Esc)], "show all", "End the filter", &[Scope::Filter], 2),
];
