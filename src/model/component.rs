//! Components, contexts and stories, as the project's files describe them.

use serde::{Deserialize, Serialize};

use super::kind::words;

words! {
    /// What a component is. `context` and `coordination_context` have children; the others are what they say, and rules
    /// and required design sections may depend on it.
    ComponentKind {
        /// Owns domain logic and has components.
        Context = "context",
        /// Orchestrates other contexts and has components.
        CoordinationContext = "coordination_context",
        /// A unit of code that is nothing special.
        Module = "module",
        /// A data structure.
        Schema = "schema",
        /// Access to stored data.
        Repository = "repository",
        /// A piece of business logic with effects.
        Service = "service",
        /// A task that is run from outside.
        Task = "task",
        /// None of these.
        Other = "other",
    }
}

impl ComponentKind {
    /// Whether components of this kind have children.
    #[must_use]
    pub const fn is_context(self) -> bool {
        match self {
            Self::Context | Self::CoordinationContext => true,
            Self::Module | Self::Schema | Self::Repository | Self::Service | Self::Task | Self::Other => false,
        }
    }
}

/// The files of a component, relative to the project's root. `None`: the project does not say where it would be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Paths {
    /// The design.
    pub design: Option<String>,
    /// The code.
    pub code: Option<String>,
    /// The tests; for a context its integration tests.
    pub test: Option<String>,
}

/// A unit of code with a design file, a code file and a test file; or a context of such units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Unique in the project.
    pub name: String,
    /// What it is.
    pub kind: ComponentKind,
    /// The context that it belongs to; `None` for a context.
    pub parent: Option<String>,
    /// Higher ones are spawned first.
    pub priority: i64,
    /// What it is for.
    pub description: String,
    /// Names of components that it uses.
    pub depends_on: Vec<String>,
    /// Its files.
    pub paths: Paths,
}

/// A user story of a context or of one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Story {
    /// Unique in the project.
    pub title: String,
    /// The context or component that it is about.
    pub component: String,
    /// What must hold.
    pub criteria: Vec<Criterion>,
}

/// An acceptance criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Criterion {
    /// Stable and unique in the project: `AC-12`.
    pub id: String,
    /// What must hold.
    pub text: String,
}

words! {
    /// How an acceptance criterion stands.
    CriterionState {
        /// A passing test carries its id, and no failing one does.
        Satisfied = "satisfied",
        /// A failing test carries its id.
        Unmet = "unmet",
        /// No test carries its id.
        Untested = "untested",
    }
}

/// A criterion with the tests that carry its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriterionCheck {
    /// Its id.
    pub id: String,
    /// What must hold.
    pub text: String,
    /// How it stands by its tests.
    pub state: CriterionState,
    /// The tests that carry its id, skipped ones too.
    pub tests: Vec<String>,
    /// How it stands by a person's word, which wins over the tests, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand: Option<(CriterionState, String)>,
}

impl CriterionCheck {
    /// How it stands, all told: by a person's word, else by its tests.
    #[must_use]
    pub fn standing(&self) -> CriterionState {
        self.by_hand.as_ref().map_or(self.state, |(state, _)| *state)
    }
}
