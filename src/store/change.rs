//! What changes the record: plain data, so that a transition can be looked at before it is made.

use camino::Utf8PathBuf;

use crate::model::{
    Answer, Component, CriterionCheck, CriterionState, Decision, Event, Generation, Grant, Halt, HaltId, HaltReason,
    Intent, IntentId, Interaction, Message, MessageId, Micros, Mode, Permission, PermissionId, Request, RequestId,
    Ruling, Session, SessionId, Status, StepResult, Story,
};
use crate::workflow::LedgerRow;

/// Changes that belong together: all are made, durably, or none.
pub type Transition = Vec<Change>;

/// One change of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Makes the scope's project known, or its name and description the given ones.
    Project {
        /// Its name.
        name: String,
        /// Its description.
        description: String,
    },
    /// Makes components and stories the given ones.
    Catalogue {
        /// In the project's order.
        components: Vec<Component>,
        /// In the project's order.
        stories: Vec<Story>,
    },
    /// A new session with its first generation.
    NewSession(Box<Session>, Generation),
    /// A session that had ended is active again, in a new generation.
    Reopen {
        /// The session.
        session: SessionId,
        /// Numbered one higher than the last.
        generation: Generation,
    },
    /// An attempt begins. Refused when its `seq` is taken.
    Begin {
        /// The attempt, pending.
        interaction: Box<Interaction>,
        /// The engine that makes it; `None` for attempts that no process makes.
        owner: Option<String>,
    },
    /// A pending attempt has ended. Refused when it is not pending any more.
    Finish {
        /// The session.
        session: SessionId,
        /// The attempt's `seq`.
        seq: u32,
        /// What came of it.
        result: Box<StepResult>,
        /// When.
        at: Micros,
    },
    /// The session waits for these, since its attempt `seq`; what it waited for before is forgotten.
    Await {
        /// The session.
        session: SessionId,
        /// The attempt's `seq`.
        seq: u32,
        /// The others.
        sessions: Vec<SessionId>,
    },
    /// The session's status.
    Status {
        /// The session.
        session: SessionId,
        /// The new one.
        status: Status,
    },
    /// The session's mode.
    Mode {
        /// The session.
        session: SessionId,
        /// The new one.
        mode: Mode,
    },
    /// The agent's conversation.
    Conversation {
        /// The session.
        session: SessionId,
        /// The conversation.
        id: String,
    },
    /// What `initialize` really made.
    Prepared {
        /// The session.
        session: SessionId,
        /// The branch.
        branch: String,
        /// The worktree.
        worktree: Utf8PathBuf,
        /// The commit at which the branch was made.
        base_commit: String,
    },
    /// The commit that holds the session's work.
    Commit {
        /// The session.
        session: SessionId,
        /// The commit.
        commit: String,
    },
    /// Who made a component's file of this kind (`design`, `test`, `code`).
    CreatedBy {
        /// The component.
        component: String,
        /// The kind of file.
        file: String,
        /// The session.
        session: SessionId,
    },
    /// The session waits for one more, since its attempt `seq`.
    AwaitAlso {
        /// The session.
        session: SessionId,
        /// The attempt's `seq`.
        seq: u32,
        /// The other.
        awaited: SessionId,
    },
    /// Which tests failed at a commit that no session works on.
    BaseRuns {
        /// The commit.
        commit: String,
        /// Tests by name, and whether each failed.
        tests: Vec<(String, bool)>,
    },
    /// How criteria stand by the tests of an integration session.
    Criteria {
        /// The session.
        session: SessionId,
        /// One per criterion.
        checks: Vec<CriterionCheck>,
        /// The files that they and the context are made of.
        files: Vec<String>,
        /// The commit that has them.
        commit: String,
        /// When.
        at: Micros,
    },
    /// These files have changed: what was shown with them is stale, unless this session showed it.
    Stale {
        /// The session that changed them.
        session: SessionId,
        /// Relative to the root.
        files: Vec<String>,
    },
    /// A person says how a criterion stands, or takes back what was said.
    CriterionWord {
        /// Its id.
        criterion: String,
        /// How; `None`: as the tests show it.
        state: Option<CriterionState>,
        /// Why.
        note: String,
        /// `scope.user`.
        user: String,
        /// When.
        at: Micros,
    },
    /// The session's failure ledger, written with the end of the attempt that it takes in.
    Ledger {
        /// The session.
        session: SessionId,
        /// Its rows, whole.
        rows: Vec<LedgerRow>,
    },
    /// A halt is raised.
    Halt(Halt),
    /// A halt is decided. Refused when it is already.
    Decide {
        /// The halt.
        halt: HaltId,
        /// The decision.
        decision: Decision,
    },
    /// What comes next in the session, as the board shows it.
    Outlook {
        /// The session.
        session: SessionId,
        /// A step, `complete`, `halt` or `waiting`; `None`: nothing, it has ended.
        next: Option<String>,
        /// The halt that nobody has decided yet.
        halt: Option<HaltReason>,
        /// When.
        at: Micros,
    },
    /// An agent asks whether it may do something.
    Question(Permission),
    /// It is told. Refused when it was already, or its attempt has ended.
    Permit {
        /// The question.
        id: PermissionId,
        /// What it is told.
        ruling: Grant,
        /// When.
        at: Micros,
    },
    /// A person says something to the session's agent.
    Message(Message),
    /// The agent of an attempt was told it.
    Delivered {
        /// The session.
        session: SessionId,
        /// The message.
        message: MessageId,
        /// The attempt's `seq`.
        seq: u32,
        /// When.
        at: Micros,
    },
    /// The agent has taken it in.
    Seen {
        /// The session.
        session: SessionId,
        /// The message.
        message: MessageId,
        /// When.
        at: Micros,
    },
    /// Something that a client asks for.
    Ask(Intent),
    /// What the engine says to it. Refused when it was answered already.
    Answer {
        /// The intent.
        intent: IntentId,
        /// The answer.
        answer: Answer,
        /// When.
        at: Micros,
    },
    /// An agent asks for something. Refused when the attempt in which it does has ended.
    Request(Box<Request>),
    /// What is said to a request. Refused when something was said already.
    Rule {
        /// The session whose agent asked.
        session: SessionId,
        /// The request.
        request: RequestId,
        /// What is said.
        ruling: Ruling,
    },
    /// What happened inside attempts. Their numbers `n` are given when they are written.
    Events(Vec<Event>),
    /// A person agreed to have exactly this run.
    Consent {
        /// The hash of what it is.
        hash: String,
        /// `scope.user`.
        user: String,
        /// When.
        at: Micros,
    },
}
