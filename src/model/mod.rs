//! The words that every room shares: ids, scope, kinds and steps, session, interaction, command, result,
//! `TestRun`, event, halt, intent. Plain data: no I/O, no clock, no decisions.

mod command;
mod component;
mod config;
mod event;
mod exit;
mod halt;
mod id;
mod intent;
mod kind;
mod message;
mod permission;
mod request;
mod result;
mod rule;
mod scope;
mod session;
mod test_run;

pub use command::Command;
pub use component::{Component, ComponentKind, Criterion, CriterionCheck, CriterionState, Paths, Story};
pub use config::{
    AgentConfig, Confine, CustomRunner, Limits, Network, Permissions, Preset, Protocol, Runner, Sandbox, WorktreeConfig,
};
pub use event::{Event, EventKind, PlanItem, PlanState};
pub use exit::Exit;
pub use halt::{Decision, Halt, HaltReason, Verdict};
pub use id::{HaltId, IdError, IntentId, InteractionId, MessageId, PermissionId, RequestId, SessionId};
pub use intent::{Answer, Intent, IntentAction, Seen};
pub use kind::{Performer, SessionKind, Step, UnknownWord};
pub use message::{Message, MessageState};
pub use permission::{Grant, Lasts, Permission, Standing};
pub use request::{Policy, Request, Ruling, Wish};
pub use result::{
    AgentFailure, AgentReport, Cause, ChildProblem, Data, DesignProblem, OutputFile, ResultStatus, StepResult, Usage,
};
pub use rule::{About, Rule, RuleOf};
pub use scope::Scope;
pub use session::{Generation, Interaction, Mode, Origin, Session, Status};
pub use test_run::{CaseStatus, CompileError, Placement, TestCase, TestFailure, TestRun, TestStatus};

/// Microseconds since the Unix epoch, UTC: the only form in which callboard keeps a time.
pub type Micros = i64;

/// The version written beside every JSON column of the store. A row with a higher one is refused, never guessed at.
pub const JSON_VERSION: u32 = 1;
