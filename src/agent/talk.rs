//! What every protocol has in common: how a turn is opened, what its machine wants done, and how it ends.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::model::{AgentFailure, EventKind, MessageId, Micros, Protocol, Rule, Usage};

use super::{
    acp, claude, codex,
    terminal::{Terminal, Told},
};

/// So much of what a tool said is kept, in bytes.
const SAID: usize = 2_000;
/// So much of what is asked is kept, in bytes.
const DETAIL: usize = 16 * 1024;
/// So much of a title is kept, in bytes.
const TITLE: usize = 300;

/// Which conversation a turn belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// A new one. An agent that lets others choose calls it so.
    New(String),
    /// One that is there.
    Old(String),
}

impl Conversation {
    /// Its name.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::New(id) | Self::Old(id) => id,
        }
    }
}

/// What a turn begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// What the agent is to do.
    pub prompt: String,
    /// Which conversation it belongs to.
    pub conversation: Conversation,
    /// Where the agent works, absolute.
    pub worktree: Utf8PathBuf,
    /// The program and the arguments of the sessions tool; `None`: the agent does not get it.
    pub mcp: Option<Vec<String>>,
    /// The mode that the agent is to work in, as it calls it, where its protocol has modes: without it the turn fails. `None`:
    /// the one that it begins with.
    pub mode: Option<String>,
    /// What the conversation has cost before, as far as it is on record, in millionths of a dollar.
    pub spent: u64,
}

/// The name under which the agent knows the sessions tool.
pub(super) const MCP: &str = "callboard";

/// An agent asks whether it may do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// By which it is answered.
    pub key: String,
    /// The tool's name.
    pub tool: String,
    /// In short, for people.
    pub title: String,
    /// The same whole, on many lines if it takes them; empty: the title says it all.
    pub detail: String,
    /// What a rule for it is about; see `subject`.
    pub subject: String,
    /// That is files, whatever would become of them.
    pub files: bool,
    /// The files that it writes, relative to the worktree where they are in it, if writing is all that it does.
    pub writes: Vec<String>,
    /// It is a tool of callboard's own.
    pub ours: bool,
    /// Exactly this was allowed just before, as a tool call of the agent's own.
    pub before: bool,
}

/// An agent has its host read or write a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRequest {
    /// By which it is answered.
    pub key: String,
    /// As the agent says it: should be absolute.
    pub path: String,
    /// What.
    pub access: Access,
}

/// What is done with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// It is read.
    Read {
        /// From this line on, counted from 1.
        line: Option<usize>,
        /// So many lines.
        limit: Option<usize>,
    },
    /// It is written.
    Write {
        /// What it holds then.
        content: String,
    },
}

/// Something that is to be done about what the agent said.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the agent this, on one line.
    Send(Value),
    /// Put it on record.
    Event(EventKind),
    /// The conversation is called so.
    Conversation(String),
    /// Decide, and [`Talk::answer`].
    Ask(Question),
    /// Do it, and tell by [`Talk::file`].
    File(FileRequest),
    /// Do it, and tell by [`Talk::terminal`].
    Terminal(Terminal),
    /// The agent was told what a person says.
    Told(MessageId),
    /// The agent has taken it in.
    Seen(MessageId),
    /// The turn is over: let the agent end.
    Close,
}

/// How a turn went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// In which way.
    pub kind: AgentFailure,
    /// What happened and what to try, for people.
    pub message: String,
    /// When it may go well again, where the agent says so.
    pub resumes_at: Option<Micros>,
}

impl Failure {
    pub(super) fn new(kind: AgentFailure, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), resumes_at: None }
    }
}

/// A turn of an agent, in the protocol that it speaks.
#[derive(Debug)]
pub enum Talk {
    /// Claude Code's JSON stream.
    Claude(Box<claude::Talk>),
    /// Codex's app-server.
    Codex(Box<codex::Talk>),
    /// The Agent Client Protocol.
    Acp(Box<acp::Talk>),
}

impl Talk {
    /// Opens a turn: the machine, and what it wants done first. `None`: the protocol has no talk.
    #[must_use]
    pub fn open(protocol: Protocol, opening: &Opening) -> Option<(Self, Vec<Effect>)> {
        match protocol {
            Protocol::Claude => {
                let (talk, effects) = claude::Talk::open(opening);
                Some((Self::Claude(Box::new(talk)), effects))
            }
            Protocol::Codex => {
                let (talk, effects) = codex::Talk::open(opening);
                Some((Self::Codex(Box::new(talk)), effects))
            }
            Protocol::Acp => {
                let (talk, effects) = acp::Talk::open(opening);
                Some((Self::Acp(Box::new(talk)), effects))
            }
            Protocol::Command | Protocol::Script => None,
        }
    }

    /// The arguments that its program gets for this turn.
    #[must_use]
    pub fn arguments(protocol: Protocol, opening: &Opening) -> Vec<String> {
        match protocol {
            Protocol::Claude => claude::arguments(opening),
            Protocol::Codex => codex::arguments(),
            Protocol::Command | Protocol::Script | Protocol::Acp => Vec::new(),
        }
    }

    /// Variables that its program gets for this turn.
    #[must_use]
    pub fn environment(protocol: Protocol, opening: &Opening) -> Vec<(String, String)> {
        match protocol {
            Protocol::Claude => claude::environment(opening),
            Protocol::Command | Protocol::Script | Protocol::Codex | Protocol::Acp => Vec::new(),
        }
    }

    /// The agent said this.
    pub fn message(&mut self, message: &Value) -> Vec<Effect> {
        match self {
            Self::Claude(talk) => talk.message(message),
            Self::Codex(talk) => talk.message(message),
            Self::Acp(talk) => talk.message(message),
        }
    }

    /// A question is answered: what the agent is told. `why` is for the agent, where it can be told.
    pub fn answer(&mut self, key: &str, allowed: bool, why: &str) -> Vec<Effect> {
        match self {
            Self::Claude(talk) => talk.answer(key, allowed, why),
            Self::Codex(_) => codex::Talk::answer(key, allowed),
            Self::Acp(talk) => talk.answer(key, allowed, why),
        }
    }

    /// A file was read (then with what it holds) or written, or why not: what the agent is told.
    #[must_use]
    pub fn file(&self, key: &str, result: Result<Option<String>, String>) -> Vec<Effect> {
        match self {
            Self::Claude(_) | Self::Codex(_) => Vec::new(),
            Self::Acp(_) => vec![acp::Talk::file(key, result)],
        }
    }

    /// There is news of a terminal: what follows from it.
    pub fn terminal(&mut self, told: Told) -> Vec<Effect> {
        match self {
            Self::Claude(_) | Self::Codex(_) => Vec::new(),
            Self::Acp(talk) => talk.terminal(told),
        }
    }

    /// A person says something while the turn runs: what the agent is told, now or as soon as its protocol lets it. Once the
    /// turn is over it is told nothing.
    pub fn say(&mut self, id: MessageId, text: &str) -> Vec<Effect> {
        match self {
            Self::Claude(talk) => talk.say(id, text),
            Self::Codex(talk) => talk.say(id, text),
            Self::Acp(talk) => talk.say(id, text),
        }
    }

    /// The turn is to end early: what the agent is told.
    #[must_use]
    pub fn interrupt(&mut self) -> Vec<Effect> {
        match self {
            Self::Claude(_) => claude::Talk::interrupt(),
            Self::Codex(talk) => talk.interrupt(),
            Self::Acp(talk) => talk.interrupt(),
        }
    }

    /// Whether an interruption would not end it: what it was told and has not begun with is its next turn then.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        match self {
            Self::Claude(talk) => talk.goes_on(),
            Self::Codex(_) | Self::Acp(_) => false,
        }
    }

    /// How the turn went, as the agent said or as its standard error lets guess; `None`: it did not say.
    #[must_use]
    pub fn outcome(&self, stderr: &str) -> Option<Result<(), Failure>> {
        match self {
            Self::Claude(talk) => talk.outcome(stderr),
            Self::Codex(talk) => talk.outcome(),
            Self::Acp(talk) => talk.outcome(),
        }
    }

    /// What was used up.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Claude(talk) => talk.usage(),
            Self::Codex(talk) => talk.usage(),
            Self::Acp(talk) => talk.usage(),
        }
    }
}

/// What a rule for it is about: the whole command, or the files, never a part of it. Empty: it is too long for a rule.
pub(super) fn subject(text: &str) -> String {
    if text.len() <= Rule::LONGEST { text.to_owned() } else { String::new() }
}

/// What is asked for, whole, if it is more than its title says.
pub(super) fn detail(text: &str, title: &str) -> String {
    let text = text.trim_end();
    if text.trim() == title { String::new() } else { shortened(text, DETAIL) }
}

/// A file as it is named to people: relative to the worktree if it is in it.
pub(super) fn relative(path: &str, worktree: &Utf8Path) -> String {
    let path = Utf8Path::new(path);
    path.strip_prefix(worktree).map_or_else(|_| path.to_string(), ToString::to_string)
}

/// The begin of what a tool said.
pub(super) fn said(text: &str) -> String {
    shortened(text.trim_end(), SAID)
}

/// A title: the first line, not too long.
pub(super) fn title(text: &str) -> String {
    shortened(text.trim().lines().next().unwrap_or_default(), TITLE)
}

fn shortened(text: &str, cap: usize) -> String {
    if text.len() <= cap { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(cap)]) }
}
