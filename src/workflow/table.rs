//! The workflows as data: one table per kind of session (DESIGN 2).

use crate::model::{Performer, SessionKind, Step};

/// Where a good outcome leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// To this step.
    Step(Step),
    /// To the end of the session.
    Complete,
}

/// One row of a workflow's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The step that has an outcome.
    pub step: Step,
    /// Where `ok` and `warning` lead.
    pub ok: Then,
    /// Where any other outcome leads, unless its cause halts the session.
    pub otherwise: Step,
    /// Whether `ok` leads on only when every session that this step reactivated is terminal.
    pub waits: bool,
}

/// A row whose step is tried again on any outcome but a good one.
const fn again(step: Step, ok: Step) -> Row {
    Row { step, ok: Then::Step(ok), otherwise: step, waits: false }
}

/// A row whose step judges: a bad outcome leads to the step that mends it.
const fn judge(step: Step, ok: Step, otherwise: Step) -> Row {
    Row { step, ok: Then::Step(ok), otherwise, waits: false }
}

const FINALIZE: Row = Row { step: Step::Finalize, ok: Then::Complete, otherwise: Step::Finalize, waits: false };

const COMPONENT_DESIGN: &[Row] = &[
    again(Step::Initialize, Step::ReadContextDesign),
    again(Step::ReadContextDesign, Step::GenerateComponentDesign),
    again(Step::GenerateComponentDesign, Step::ValidateDesign),
    judge(Step::ValidateDesign, Step::Finalize, Step::ReviseDesign),
    again(Step::ReviseDesign, Step::ValidateDesign),
    FINALIZE,
];

const COMPONENT_TEST: &[Row] = &[
    again(Step::Initialize, Step::GenerateTestsAndFixtures),
    again(Step::GenerateTestsAndFixtures, Step::RunTests),
    judge(Step::RunTests, Step::Finalize, Step::FixCompilationErrors),
    again(Step::FixCompilationErrors, Step::RunTests),
    FINALIZE,
];

const COMPONENT_CODING: &[Row] = &[
    again(Step::Initialize, Step::GenerateImplementation),
    again(Step::GenerateImplementation, Step::RunTests),
    judge(Step::RunTests, Step::Finalize, Step::FixTestFailures),
    again(Step::FixTestFailures, Step::RunTests),
    FINALIZE,
];

const CONTEXT_DESIGN: &[Row] = &[
    again(Step::Initialize, Step::SpawnComponentDesignSessions),
    again(Step::SpawnComponentDesignSessions, Step::Finalize),
    FINALIZE,
];

const CONTEXT_TESTING: &[Row] = &[
    again(Step::Initialize, Step::SpawnComponentTestingSessions),
    again(Step::SpawnComponentTestingSessions, Step::Finalize),
    FINALIZE,
];

const CONTEXT_CODING: &[Row] = &[
    again(Step::Initialize, Step::SpawnComponentCodingSessions),
    again(Step::SpawnComponentCodingSessions, Step::Finalize),
    FINALIZE,
];

const INTEGRATION: &[Row] = &[
    again(Step::Initialize, Step::GenerateIntegrationTests),
    again(Step::GenerateIntegrationTests, Step::GenerateContext),
    again(Step::GenerateContext, Step::RunIntegrationTests),
    judge(Step::RunIntegrationTests, Step::RunTestSuite, Step::FixIntegrationTestFailures),
    Row { waits: true, ..again(Step::FixIntegrationTestFailures, Step::RunIntegrationTests) },
    judge(Step::RunTestSuite, Step::ValidateAcceptanceCriteria, Step::FixTestFailures),
    Row { waits: true, ..again(Step::FixTestFailures, Step::RunTestSuite) },
    judge(Step::ValidateAcceptanceCriteria, Step::Finalize, Step::GenerateIntegrationTests),
    FINALIZE,
];

/// The table of a kind, in the order in which its steps come.
#[must_use]
pub const fn rows(kind: SessionKind) -> &'static [Row] {
    match kind {
        SessionKind::ComponentDesign => COMPONENT_DESIGN,
        SessionKind::ComponentTest => COMPONENT_TEST,
        SessionKind::ComponentCoding => COMPONENT_CODING,
        SessionKind::ContextTesting => CONTEXT_TESTING,
        SessionKind::ContextDesign => CONTEXT_DESIGN,
        SessionKind::ContextCoding => CONTEXT_CODING,
        SessionKind::Integration => INTEGRATION,
    }
}

/// The row of a step, if the kind has that step.
#[must_use]
pub fn row(kind: SessionKind, step: Step) -> Option<&'static Row> {
    rows(kind).iter().find(|row| row.step == step)
}

/// Whether an agent has a part in sessions of this kind.
#[must_use]
pub fn has_agent(kind: SessionKind) -> bool {
    rows(kind).iter().any(|row| row.step.performer() == Performer::Agent)
}

/// The step at which a new session of this kind starts.
#[must_use]
pub const fn first_step(_kind: SessionKind) -> Step {
    Step::Initialize
}

/// The step at which a reactivated session of this kind starts.
#[must_use]
pub const fn fix_step(kind: SessionKind) -> Step {
    match kind {
        SessionKind::ComponentDesign => Step::ReviseDesign,
        SessionKind::ComponentTest => Step::FixCompilationErrors,
        SessionKind::ComponentCoding => Step::FixTestFailures,
        SessionKind::ContextDesign => Step::SpawnComponentDesignSessions,
        SessionKind::ContextTesting => Step::SpawnComponentTestingSessions,
        SessionKind::ContextCoding => Step::SpawnComponentCodingSessions,
        SessionKind::Integration => Step::RunIntegrationTests,
    }
}

/// Where a step stands in its workflow, as `(position, length)` counted from 1: what the board shows as `4/9`.
#[must_use]
pub fn position(kind: SessionKind, step: Step) -> Option<(usize, usize)> {
    let rows = rows(kind);
    rows.iter().position(|row| row.step == step).map(|at| (at + 1, rows.len()))
}
