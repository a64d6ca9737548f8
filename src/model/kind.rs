//! The kinds of sessions and the steps of their workflows.

/// A word that is none of the expected ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}, found {found:?}", expected.join(", "))]
pub struct UnknownWord {
    /// The text as it was given.
    pub found: String,
    /// What would have been right.
    pub expected: Vec<&'static str>,
}

/// An enum whose variants are words of the design: the same text on the command line, in JSON and in the store.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text)] $variant),+
        }

        impl $name {
            /// Every variant, in the order of the design.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word as the design writes it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::UnknownWord;

            fn from_str(text: &str) -> Result<Self, $crate::model::UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::model::UnknownWord { found: text.to_owned(), expected: vec![$($text),+] }),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// The workflow that a session runs (DESIGN 2).
    SessionKind {
        /// Writes the design of one component.
        ComponentDesign = "component_design",
        /// Writes the tests of one component.
        ComponentTest = "component_test",
        /// Writes the code of one component until its tests pass.
        ComponentCoding = "component_coding",
        /// Runs component_test for every component of a context.
        ContextTesting = "context_testing",
        /// Runs component_design for every component of a context.
        ContextDesign = "context_design",
        /// Runs component_coding for every component of a context.
        ContextCoding = "context_coding",
        /// Makes the components of a context work together.
        Integration = "integration",
    }
}

impl SessionKind {
    /// The kind of the children that this kind spawns; `None` for kinds that spawn none.
    #[must_use]
    pub const fn child_kind(self) -> Option<Self> {
        match self {
            Self::ContextTesting => Some(Self::ComponentTest),
            Self::ContextDesign => Some(Self::ComponentDesign),
            Self::ContextCoding => Some(Self::ComponentCoding),
            Self::ComponentDesign | Self::ComponentTest | Self::ComponentCoding | Self::Integration => None,
        }
    }

    /// Whether sessions of this kind are run on a context (a component with children).
    #[must_use]
    pub const fn is_for_context(self) -> bool {
        match self {
            Self::ContextTesting | Self::ContextDesign | Self::ContextCoding | Self::Integration => true,
            Self::ComponentDesign | Self::ComponentTest | Self::ComponentCoding => false,
        }
    }
}

words! {
    /// A named stage of a workflow.
    Step {
        /// Branch and worktree.
        Initialize = "initialize",
        /// The parent context's design, read for the prompts that follow.
        ReadContextDesign = "read_context_design",
        /// An agent writes the component's design.
        GenerateComponentDesign = "generate_component_design",
        /// The design's sections and dependencies are checked.
        ValidateDesign = "validate_design",
        /// An agent mends the design.
        ReviseDesign = "revise_design",
        /// An agent writes the component's tests.
        GenerateTestsAndFixtures = "generate_tests_and_fixtures",
        /// The component's tests are run.
        RunTests = "run_tests",
        /// An agent mends tests that do not compile or do not hold.
        FixCompilationErrors = "fix_compilation_errors",
        /// An agent writes the component's code.
        GenerateImplementation = "generate_implementation",
        /// An agent mends what the tests found.
        FixTestFailures = "fix_test_failures",
        /// Children of the context, one component_design each.
        SpawnComponentDesignSessions = "spawn_component_design_sessions",
        /// Children of the context, one component_test each.
        SpawnComponentTestingSessions = "spawn_component_testing_sessions",
        /// Children of the context, one component_coding each.
        SpawnComponentCodingSessions = "spawn_component_coding_sessions",
        /// An agent writes tests across the components of a context.
        GenerateIntegrationTests = "generate_integration_tests",
        /// An agent writes the little code that makes the components work together.
        GenerateContext = "generate_context",
        /// The context's integration test file is run.
        RunIntegrationTests = "run_integration_tests",
        /// An agent mends what the integration tests found.
        FixIntegrationTestFailures = "fix_integration_test_failures",
        /// The whole project's tests are run and each failure is placed.
        RunTestSuite = "run_test_suite",
        /// Acceptance criteria are judged by the tests that carry them.
        ValidateAcceptanceCriteria = "validate_acceptance_criteria",
        /// Commit, and for a root session push.
        Finalize = "finalize",
    }
}

/// Who performs a step: it decides which limit applies and what its command looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Performer {
    /// A coding agent gets a prompt.
    Agent,
    /// The project's tests are run.
    Tests,
    /// Git operations.
    Git,
    /// Child sessions are run.
    Spawn,
    /// A pure check.
    Check,
}

impl Step {
    /// Who performs this step.
    #[must_use]
    pub const fn performer(self) -> Performer {
        match self {
            Self::GenerateComponentDesign
            | Self::ReviseDesign
            | Self::GenerateTestsAndFixtures
            | Self::FixCompilationErrors
            | Self::GenerateImplementation
            | Self::FixTestFailures
            | Self::GenerateIntegrationTests
            | Self::GenerateContext
            | Self::FixIntegrationTestFailures => Performer::Agent,
            Self::RunTests | Self::RunIntegrationTests | Self::RunTestSuite => Performer::Tests,
            Self::Initialize | Self::Finalize => Performer::Git,
            Self::SpawnComponentDesignSessions
            | Self::SpawnComponentTestingSessions
            | Self::SpawnComponentCodingSessions => Performer::Spawn,
            Self::ReadContextDesign | Self::ValidateDesign | Self::ValidateAcceptanceCriteria => Performer::Check,
        }
    }

    /// Whether this step mends something that an earlier step found wrong.
    #[must_use]
    pub const fn is_fix(self) -> bool {
        match self {
            Self::ReviseDesign
            | Self::FixCompilationErrors
            | Self::FixTestFailures
            | Self::FixIntegrationTestFailures => true,
            Self::Initialize
            | Self::ReadContextDesign
            | Self::GenerateComponentDesign
            | Self::ValidateDesign
            | Self::GenerateTestsAndFixtures
            | Self::RunTests
            | Self::GenerateImplementation
            | Self::SpawnComponentDesignSessions
            | Self::SpawnComponentTestingSessions
            | Self::SpawnComponentCodingSessions
            | Self::GenerateIntegrationTests
            | Self::GenerateContext
            | Self::RunIntegrationTests
            | Self::RunTestSuite
            | Self::ValidateAcceptanceCriteria
            | Self::Finalize => false,
        }
    }
}
