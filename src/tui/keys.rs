//! Commands, the keys that give them, and where.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{panes::Pane, table::TABLE};

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Along the rows of what has the keys.
    Move(Move),
    /// To another session, or between tree and pane.
    Go(Go),
    /// To what is on top.
    Reply(Reply),
    /// Another pane.
    Show(Pane),
    /// The next pane.
    NextPane,
    /// The pane before.
    PreviousPane,
    /// Tree or pane alone on the screen.
    Zoom,
    /// Show only some sessions.
    Filter,
    /// Start the next step of a manual session.
    Advance,
    /// Try again what failed or halted.
    Retry,
    /// Make an ended session active again.
    Reactivate,
    /// Have a component designed anew.
    Redesign,
    /// Say something to a session's agent.
    Say,
    /// End the step that runs.
    Interrupt,
    /// End a session.
    Cancel,
    /// Choose a mode.
    Mode,
    /// The halt was right; or yes to what its agent asks for.
    Approve,
    /// Go on in spite of the halt.
    Override,
    /// The halt, with everything that a decision needs.
    Halt,
    /// Go on with the agent's conversation in the terminal.
    TakeOver,
    /// Say no to what its agent asks for.
    Refuse,
    /// Answer what an agent asks.
    Permit,
    /// Why a session stands where it stands.
    Why,
    /// What waits for a person.
    Inbox,
    /// Copy the branch.
    CopyBranch,
    /// Copy the id.
    CopyId,
    /// All keys.
    Help,
    /// Draw everything anew.
    Redraw,
    /// Into the shell's background.
    Suspend,
    /// Leave the board.
    Quit,
}

/// Along the rows of what has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// One row down.
    Down,
    /// One row up.
    Up,
    /// To the first row.
    First,
    /// To the last row; in Live: follow what comes.
    Last,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// Half a page of the pane down.
    HalfDown,
    /// Half a page of the pane up.
    HalfUp,
}

/// To another session, or between tree and pane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Go {
    /// Open a session's children, or go into its pane.
    In,
    /// Close a session's children, go to its parent, or back from its pane.
    Out,
    /// Open or close a session's children.
    Fold,
    /// The next session that needs a person.
    NextNeed,
    /// The one before.
    PreviousNeed,
    /// Out of the pane; in the tree, end the filter.
    Back,
}

/// An answer to what is on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reply {
    /// Close it.
    Close,
    /// To the session of this row.
    Jump,
    /// Take this row.
    Choose,
    /// Yes.
    Yes,
    /// No.
    No,
    /// Send what was written.
    Send,
    /// Keep the filter.
    Keep,
    /// No filter.
    Drop,
}

/// Where a key is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In the tree.
    Tree,
    /// In a session's pane.
    Pane,
    /// In a text that is on top: help, why.
    Text,
    /// In the view of a halt.
    Halt,
    /// In the inbox.
    Inbox,
    /// In a menu.
    Menu,
    /// At a question.
    Question,
    /// In the editor.
    Editor,
    /// In the filter's line.
    Filter,
}

impl Scope {
    /// Every scope, in the order of the help.
    pub const ALL: &[Self] = &[
        Self::Tree,
        Self::Pane,
        Self::Text,
        Self::Halt,
        Self::Inbox,
        Self::Menu,
        Self::Question,
        Self::Editor,
        Self::Filter,
    ];

    /// Whether keys that no row has are written.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        match self {
            Self::Editor | Self::Filter => true,
            Self::Tree | Self::Pane | Self::Text | Self::Halt | Self::Inbox | Self::Menu | Self::Question => false,
        }
    }
}

/// A key as it is pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

impl Key {
    pub(super) const fn plain(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::NONE }
    }

    pub(super) const fn char(char: char) -> Self {
        Self::plain(KeyCode::Char(char))
    }

    pub(super) const fn ctrl(char: char) -> Self {
        Self { code: KeyCode::Char(char), modifiers: KeyModifiers::CONTROL }
    }

    pub(super) const fn alt(code: KeyCode) -> Self {
        Self { code, modifiers: KeyModifiers::ALT }
    }

    /// The key of an event. A character says itself whether Shift was held.
    #[must_use]
    pub fn of(event: KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let mut code = event.code;
        if let KeyCode::Char(char) = code {
            modifiers.remove(KeyModifiers::SHIFT);
            if modifiers.contains(KeyModifiers::CONTROL) {
                code = KeyCode::Char(char.to_ascii_lowercase());
            }
        }
        if code == KeyCode::BackTab {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// The event that this key makes.
    #[must_use]
    pub const fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }

    /// How it is written.
    #[must_use]
    pub fn name(self) -> String {
        let named = [
            (KeyCode::Char(' '), "Space"),
            (KeyCode::Enter, "Enter"),
            (KeyCode::Esc, "Esc"),
            (KeyCode::Tab, "Tab"),
            (KeyCode::BackTab, "Shift-Tab"),
            (KeyCode::Up, "↑"),
            (KeyCode::Down, "↓"),
            (KeyCode::Left, "←"),
            (KeyCode::Right, "→"),
            (KeyCode::Home, "Home"),
            (KeyCode::End, "End"),
            (KeyCode::PageUp, "PgUp"),
            (KeyCode::PageDown, "PgDn"),
        ];
        let base = match (named.iter().find(|(code, _)| *code == self.code), self.code.as_char()) {
            (Some((_, name)), _) => (*name).to_owned(),
            (None, Some(char)) => char.to_string(),
            (None, None) => self.code.to_string(),
        };
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            format!("Ctrl-{}", base.to_uppercase())
        } else if self.modifiers.contains(KeyModifiers::ALT) {
            format!("Alt-{base}")
        } else {
            base
        }
    }
}

/// One command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What it does.
    pub command: Command,
    /// The keys; the first is the one that is shown.
    pub keys: &'static [Key],
    /// In a word, for the footer.
    pub label: &'static str,
    /// In a sentence, for the help.
    pub help: &'static str,
    /// Where.
    pub scopes: &'static [Scope],
    /// Place in the footer, 1 first to stay when there is little room; 0: not in the footer.
    pub footer: u8,
}

impl Row {
    /// Its keys as they are written.
    #[must_use]
    pub fn keys_text(&self) -> String {
        self.keys.iter().map(|key| key.name()).collect::<Vec<_>>().join(" ")
    }
}

/// What a key does somewhere.
#[must_use]
pub(super) fn find(scope: Scope, key: Key) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.scopes.contains(&scope) && row.keys.contains(&key))
}

/// The commands of a scope, in the table's order.
pub(super) fn of(scope: Scope) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.scopes.contains(&scope))
}
