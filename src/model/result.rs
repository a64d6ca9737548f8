//! What came of a step.

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{CriterionCheck, Micros, SessionId, Status, TestRun, kind::words};

words! {
    /// How a step ended.
    ResultStatus {
        /// As it should.
        Ok = "ok",
        /// It did not.
        Error = "error",
        /// As it should, with something that a person should read.
        Warning = "warning",
    }
}

words! {
    /// Why a step did not end as it should: the part of a result that the workflow decides on.
    Cause {
        /// The step ran and its outcome was not good: failing tests, problems in a design, children that failed.
        Failed = "failed",
        /// The attempt was cut off with its engine. It counts as not having happened.
        Interrupted = "interrupted",
        /// The session was cancelled under it.
        Cancelled = "cancelled",
        /// It ran longer than it may.
        Timeout = "timeout",
        /// It was silent for longer than it may be.
        Inactive = "inactive",
        /// A test step whose tests could not run: compile error, crash, no tests, unreadable report.
        CouldNotRun = "could_not_run",
        /// A fix that changed nothing.
        EmptyDiff = "empty_diff",
        /// A program that callboard needs is missing or cannot start, or was not consented to. Only a person can mend it.
        Environment = "environment",
        /// The agent's program is missing, not logged in or not consented to.
        AgentUnavailable = "agent_unavailable",
        /// What the agent's account may use is used up for now. The step is tried again by itself when it may be.
        Quota = "quota",
        /// The model's server has too much to do, or cannot be reached. The step is tried again by itself after a while.
        Overloaded = "overloaded",
        /// Branches that do not merge.
        MergeConflict = "merge_conflict",
        /// Tests outside this session's context fail.
        FailuresOutside = "failures_outside",
        /// The agent says that the architecture is wrong.
        ArchitecturalIssue = "architectural_issue",
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// How it ended.
    pub status: ResultStatus,
    /// Why, when it is not ok.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// The exit code of its process, where it had one that exited.
    pub code: Option<i32>,
    /// What went wrong, for people and for the next prompt.
    pub error_message: Option<String>,
    /// What the step found.
    pub data: Option<Data>,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// Identifies the set of failures that a test step or a check found; equal sets have equal fingerprints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_set: Option<String>,
    /// What a person is shown who has to decide about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<serde_json::Value>,
    /// Where the whole output is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputFile>,
}

impl StepResult {
    /// A result that says: done, nothing to add.
    #[must_use]
    pub const fn ok() -> Self {
        Self {
            status: ResultStatus::Ok,
            cause: None,
            code: None,
            error_message: None,
            data: None,
            duration_ms: 0,
            failure_set: None,
            evidence: None,
            output: None,
        }
    }

    /// A result that says: not done, and why.
    #[must_use]
    pub fn error(cause: Cause, message: impl Into<String>) -> Self {
        Self { status: ResultStatus::Error, cause: Some(cause), error_message: Some(message.into()), ..Self::ok() }
    }

    /// The same result with what the step found.
    #[must_use]
    pub fn with_data(self, data: Data) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The test run in this result, if it has one.
    #[must_use]
    pub const fn test_run(&self) -> Option<&TestRun> {
        if let Some(Data::TestRun(run)) = &self.data { Some(run) } else { None }
    }
}

/// The file that holds a step's whole output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputFile {
    /// Absolute, beside the store.
    pub path: Utf8PathBuf,
    /// Bytes that the process wrote.
    pub bytes: u64,
    /// Bytes of those that were kept; less than `bytes` when the cap was reached.
    pub kept: u64,
}

words! {
    /// In which way an agent failed, as far as its protocol or its end tells.
    AgentFailure {
        /// Its program is not there, or cannot be started.
        Missing = "missing",
        /// It is not logged in, or its key is not good.
        LoggedOut = "logged_out",
        /// It has no such mode as it is to work in, or did not take it.
        Mode = "mode",
        /// What its account may use is used up for now.
        Quota = "quota",
        /// The model's server has too much to do, or is broken.
        Overloaded = "overloaded",
        /// The model's server did not take a request.
        Rejected = "rejected",
        /// The model will not do what it is asked.
        Refused = "refused",
        /// It stopped at a limit of its own: turns, tokens, money.
        Limit = "limit",
        /// The conversation that it should go on with is not there.
        NoConversation = "no_conversation",
        /// The conversation that it should begin is there already.
        Taken = "taken",
        /// Somebody ended its process.
        Killed = "killed",
        /// Its process ended without a word on how the turn went.
        Crashed = "crashed",
        /// It said what nobody can read.
        BadOutput = "bad_output",
        /// Anything else.
        Other = "other",
    }
}

/// What an agent used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens that the model read, those from a cache among them.
    pub input_tokens: u64,
    /// Those among them that came from a cache.
    pub cached_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// What that cost in millionths of a US dollar, where the agent says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_microdollars: Option<u64>,
}

impl Usage {
    /// What this and more used up together.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        let cost = match (self.cost_microdollars, more.cost_microdollars) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self {
            input_tokens: self.input_tokens.saturating_add(more.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(more.cached_tokens),
            output_tokens: self.output_tokens.saturating_add(more.output_tokens),
            cost_microdollars: cost,
        }
    }
}

/// What a step found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Data {
    /// A test run (DESIGN 10).
    TestRun(TestRun),
    /// What `initialize` really made.
    Prepared {
        /// The branch.
        branch: String,
        /// The worktree, absolute.
        worktree: Utf8PathBuf,
        /// The commit at which the branch was made.
        base_commit: String,
        /// False when both were there already.
        created: bool,
    },
    /// What an agent step reports.
    Agent(AgentReport),
    /// Problems that the validation of children found; empty: none.
    Children {
        /// One per problem.
        problems: Vec<ChildProblem>,
        /// The branches that were merged, in order.
        merged: Vec<String>,
    },
    /// What `finalize` did.
    Finalized {
        /// The commit that holds the session's work.
        commit: String,
        /// False when there was nothing left to commit.
        committed: bool,
        /// The remote that it was pushed to.
        pushed_to: Option<String>,
        /// Files that changed since the branch was made.
        files: Vec<String>,
    },
    /// How the acceptance criteria stand.
    Criteria {
        /// One per criterion, in the order of the stories.
        criteria: Vec<CriterionCheck>,
        /// What is missing, for the next prompt.
        gap_analysis: Option<String>,
    },
    /// What a check of a design found.
    Design {
        /// One per problem; empty: none.
        design_problems: Vec<DesignProblem>,
    },
}

/// What an agent step reports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AgentReport {
    /// The conversation that it was part of.
    pub conversation_id: String,
    /// Whether the worktree is different from before.
    pub changed: bool,
    /// The scenario's turn that was played, for the script agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<usize>,
    /// What it used up, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// In which way it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<AgentFailure>,
    /// When what failed may go well again, where the agent says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumes_at: Option<Micros>,
}

/// Something that is wrong with a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildProblem {
    /// The child; `None` when it could not even be made.
    pub session_id: Option<SessionId>,
    /// Its component.
    pub component: String,
    /// Its status when the parent looked.
    pub status: Option<Status>,
    /// What is wrong, for people and for the child's next prompt.
    pub message: String,
}

/// Something that is wrong with a design file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesignProblem {
    /// The section.
    pub section: String,
    /// Counted from 1; `None` when the section is not there.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}
