//! What an agent's terminals need of whoever runs their commands, and what is told of them.

use camino::Utf8PathBuf;

use crate::model::Exit;

/// Something that is to be done about a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Terminal {
    /// Run a command in a new one, and tell [`Told::Started`]; once it has ended, [`Told::Ended`].
    Start(Box<Start>),
    /// Tell what it has said: [`Told::Output`].
    Output {
        /// By which it is answered.
        key: String,
        /// Which.
        id: String,
    },
    /// End its command.
    Kill {
        /// Which.
        id: String,
    },
    /// End its command, and forget what it said.
    Release {
        /// Which.
        id: String,
    },
}

/// A command that may be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// By which it is answered.
    pub key: String,
    /// What the terminal is called.
    pub id: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// What it gets beside the clean environment.
    pub env: Vec<(String, String)>,
    /// Where it runs: below the worktree by its words; where links on its way lead is still to be seen.
    pub folder: Utf8PathBuf,
    /// So many bytes of the end of its output are kept.
    pub keep: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A command is being run, or why it is not.
    Started {
        /// By which it is answered.
        key: String,
        /// Which.
        id: String,
        /// Why not.
        result: Result<(), String>,
    },
    /// What a command has said so far.
    Output {
        /// By which it is answered.
        key: String,
        /// The end of it.
        text: String,
        /// The begin of it is missing.
        truncated: bool,
        /// How it ended, if it has.
        exit: Option<Exit>,
    },
    /// A command has ended.
    Ended(Ended),
}

/// The end of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub id: String,
    /// How.
    pub exit: Exit,
    /// The end of what it said.
    pub text: String,
}
