//! The board: a terminal's view of the store. It reads what is recorded, writes intents, and knows nothing of the engine.
//!
//! ```text
//! terminal, signals, worker ─► Message ─► update(model, snapshot, action) ─► Effect ─► terminal, worker
//!                                          view(model, snapshot, frame)
//! ```
//!
//! [`update`] and [`view`] are pure. Only the worker touches the store, on its own thread, and has git asked on another; it
//! leaves the newest [`Snapshot`] where the screen finds it. A key draws at once; everything else waits until a frame is due; nothing to show
//! means no wake-up.

mod able;
mod app;
mod changes;
mod clean;
mod keys;
mod layout;
mod live;
mod model;
mod panes;
mod reader;
mod run;
mod scroll;
mod snapshot;
mod stack;
mod table;
mod terminal;
mod text;
mod theme;
mod tree;
mod update;
mod view;
mod words;
mod worker;

use jiff::tz::TimeZone;

use crate::{
    model::{Answer, Limits, Micros, SessionId},
    store::{Store, StoreError},
};

pub use able::{Refusal, able};
pub use app::App;
pub use changes::Changes;
pub use clean::{clean, clean_line, elide, exposed, visible, width};
pub use keys::{Command, Go, Key, Move, Reply, Row, Scope};
pub use layout::{Areas, Focus, SessionAreas, areas, overlay, session};
pub use live::{AROUND, EVENTS, Live, Newest, Span, Window, plan_mark, usage};
pub use model::{Asked, Model, Notice};
pub use panes::{Moment, Pane};
pub use reader::{Ask, View, Wanted};
pub use run::run;
pub use scroll::{Port, Position};
pub use snapshot::{Criteria, Inspected, Snapshot, Story};
pub use stack::{Editor, Overlay, Purpose, Question, RULINGS};
pub use table::TABLE;
pub use text::{Line, Lines, Tone, wrap};
pub use theme::{Colors, style};
pub use tree::{Children, Counts, Node, Tree};
pub use update::{Action, Effect, update};
pub use view::{footer, help, view};
pub use words::{brief, exact};

/// Answers whether an engine is alive. Called on the worker's thread, at most a few times a second.
pub type EngineWatch = Box<dyn Fn() -> bool + Send>;

/// Starts an engine in the background, if none is alive. Called on the worker's thread, when there is something to do.
pub type EngineStart = Box<dyn Fn() + Send>;

/// Takes over a session's conversation, or says why that cannot be; what it answers runs the agent's own program in the
/// terminal, waits until it ends, and says how it did. Called on the screen's thread, which has nothing to show meanwhile.
pub type TakeOver = Box<dyn Fn(SessionId) -> Result<TakenOver, String>>;

/// A conversation that was taken over: its program, not started yet.
pub type TakenOver = Box<dyn FnOnce() -> Result<String, String>>;

/// What the board is given.
pub struct Options {
    /// The store, opened for the scope that is shown.
    pub store: Store,
    /// The project's name, for as long as the store has none.
    pub project: String,
    /// The clock.
    pub now: fn() -> Micros,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The colours that may be used.
    pub colors: Colors,
    /// The project's limits: what `why` explains waiting with.
    pub limits: Limits,
    /// Whether an engine is alive.
    pub engine: EngineWatch,
    /// Has one started when there is none.
    pub start: EngineStart,
}

/// Why the board ended, when nobody left it.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal.
    #[error("the board needs a terminal; `callboard ls` and `callboard show` print what it shows")]
    NoTerminal,
    /// The terminal cannot be used, or not any more.
    #[error("the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A signal ended it; the terminal was given back before.
    #[error("ended by signal {0}")]
    Signal(i32),
    /// A part of it stopped.
    #[error("the board cannot go on: {0}")]
    Lost(String),
}

/// What arrives at the screen's thread.
#[derive(Debug)]
pub enum Message {
    /// From the terminal.
    Terminal(crossterm::event::Event),
    /// A newer snapshot is there.
    Fresh,
    /// What was asked is on disk.
    Asked {
        /// Its ticket.
        ticket: u64,
    },
    /// What was asked is not on disk.
    NotAsked {
        /// Its ticket.
        ticket: u64,
        /// What the store said.
        why: String,
    },
    /// The engine answered.
    Answered {
        /// The ticket.
        ticket: u64,
        /// The answer.
        answer: Answer,
    },
    /// A conversation that was taken over has ended so, or could not be taken over.
    TakenOver(Result<String, String>),
    /// A signal that ends the board.
    Signal(i32),
    /// The process goes on after it was stopped.
    Continued,
    /// A part of the board stopped.
    Lost(String),
}
