//! What a prompt is made from.

use serde::Serialize;

use super::Rule;
use crate::model::{ComponentKind, DesignProblem, Paths, Placement, SessionKind, Step, Story, TestRun};

/// Everything that the prompt of one agent step may speak of. Paths are relative to the worktree's root. Texts are taken
/// as they come from outside: they are shortened and fenced when the prompt is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PromptInput {
    /// The project.
    pub project: ProjectInfo,
    /// The component or context that the session is about.
    pub component: ComponentInfo,
    /// The context that the component belongs to; `None` for a context.
    pub context: Option<ContextInfo>,
    /// The session's workflow.
    pub session_kind: SessionKind,
    /// The agent step that the prompt is for.
    pub step: Step,
    /// Which attempt at this step it is, counted from 1.
    pub iteration: u32,
    /// The session's generation, counted from 1.
    pub generation: u32,
    /// The component's files.
    pub paths: PromptPaths,
    /// The project's programming language, where it is known: `rust`.
    pub language: Option<String>,
    /// Finished components of the same kind, as examples of the project's conventions.
    pub similar: Vec<Neighbour>,
    /// The other components of the same context: other sessions' work.
    pub siblings: Vec<Neighbour>,
    /// For a context: its components.
    pub components: Vec<Neighbour>,
    /// The stories of the component; for a context also those of its components.
    pub stories: Vec<Story>,
    /// The rules for this kind of component and session: what [`rules`](super::rules) gave.
    pub rules: Vec<Rule>,
    /// Whether the tests are written before the code: the code file is not there at the session's base commit.
    pub test_first: bool,
    /// The last test run, when it is what the step has to mend.
    pub test_run: Option<TestRun>,
    /// How each test that is or was failing fared over the iterations.
    pub ledger: Vec<LedgerLine>,
    /// What the last failed step, check or child says, beside or instead of the test run.
    pub problem: Option<String>,
    /// What the check of a design found.
    pub design_problems: Vec<DesignProblem>,
    /// Whether the last attempt at mending changed no file.
    pub unchanged: bool,
    /// What a reactivation wants the agent to know.
    pub reactivation: Option<Reactivation>,
    /// Acceptance criteria that are unmet or untested, and why.
    pub gap_analysis: Option<String>,
    /// Whether the agent is given the sessions tool.
    pub sessions_tool: bool,
    /// How a shell calls it, for an agent that has no MCP: `callboard tool`.
    pub sessions_command: Option<String>,
}

/// The project.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ProjectInfo {
    /// Its name.
    pub name: String,
    /// What it is; may be empty.
    pub description: String,
}

/// The component or context that a session is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ComponentInfo {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// What it is for; may be empty.
    pub description: String,
    /// Names of components that it uses.
    pub depends_on: Vec<String>,
}

/// The context that a component belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextInfo {
    /// Its name.
    pub name: String,
    /// `context` or `coordination_context`.
    pub kind: ComponentKind,
    /// What it is for; may be empty.
    pub description: String,
}

/// The files that a session reads and writes; `None`: the project does not say where it would be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct PromptPaths {
    /// The design.
    pub design: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// The tests; for a context its integration tests.
    pub test: Option<String>,
    /// The design of the context that the component belongs to.
    pub parent_design: Option<String>,
}

/// Another component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// What it is for; may be empty.
    pub description: String,
    /// Its files.
    pub paths: Paths,
    /// The sessions that made its files, by kind of file (`code`, `design`, `test`); empty where that does not matter.
    pub made_by: Vec<(String, String)>,
}

/// How a test fared over the iterations, seen from the last run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Fails for the first time.
    New,
    /// Fails as it did before.
    StillFailing,
    /// Fails as before, with another message.
    MessageChanged,
    /// Failed, passed, and fails again.
    CameBack,
    /// Passes and fails without a change in between.
    Flaky,
    /// Failed before and passes now.
    Fixed,
}

/// A row of the failure ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerLine {
    /// The test, named as in the test run.
    pub test: String,
    /// How it fared.
    pub state: LedgerState,
    /// Its last message.
    pub message: String,
    /// Where it belongs, seen from the session, once placed.
    pub placement: Option<Placement>,
    /// The context that it belongs to, where that is known.
    pub context: Option<String>,
}

/// Why a finished session is active again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reactivation {
    /// What the agent should know.
    pub context: String,
    /// Who asked: a person, or a session in words.
    pub by: String,
}
