//! One run of the project's tests, whatever runner printed it (DESIGN 10).

use serde::{Deserialize, Serialize};

use super::kind::words;

words! {
    /// How a test run ended.
    TestStatus {
        /// It ended by itself, something ran, nothing failed.
        Passed = "passed",
        /// It ended by itself and something failed, or the runner was not content.
        Failed = "failed",
        /// A file could not be compiled, parsed or collected; wins over `failed`.
        CompileError = "compile_error",
        /// It ended before its own end-of-run mark, whatever its exit code.
        Crashed = "crashed",
        /// Nothing was executed.
        NoTests = "no_tests",
        /// It ran longer than it may.
        Timeout = "timeout",
        /// Nothing tells how the tests fared.
        Unparsable = "unparsable",
    }
}

impl TestStatus {
    /// Whether the tests themselves were executed to the end, so that their failures say something about the code.
    #[must_use]
    pub const fn ran(self) -> bool {
        match self {
            Self::Passed | Self::Failed => true,
            Self::CompileError | Self::Crashed | Self::NoTests | Self::Timeout | Self::Unparsable => false,
        }
    }
}

words! {
    /// Where a failure is, seen from the session's context.
    Placement {
        /// In the session's own context.
        Inside = "inside",
        /// In another context, or nowhere that is known.
        Outside = "outside",
        /// Outside, and already failing at the branch's base commit.
        PreExisting = "pre_existing",
    }
}

impl Placement {
    /// Where a failure belongs that is not the session's own, in words: `outside, Billing`, `was red before, Billing`. `None`:
    /// it is, or was not placed.
    #[must_use]
    pub fn in_words(placement: Option<Self>, context: Option<&str>) -> Option<String> {
        let what = match placement {
            Some(Self::Outside) => "outside",
            Some(Self::PreExisting) => "was red before",
            Some(Self::Inside) | None => return None,
        };
        Some(context.map_or_else(|| what.to_owned(), |context| format!("{what}, {context}")))
    }

    /// The order in which failures are told: what broke elsewhere first, what was broken before last.
    #[must_use]
    pub const fn rank(placement: Option<Self>) -> u8 {
        match placement {
            Some(Self::Outside) => 0,
            Some(Self::Inside) | None => 1,
            Some(Self::PreExisting) => 2,
        }
    }
}

/// One run of the project's tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRun {
    /// The runner whose output was read.
    pub framework: String,
    /// How it ended.
    pub status: TestStatus,
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// Tests that the framework itself calls errors.
    pub errored: u32,
    /// Tests that were skipped, ignored, pending or expected to fail.
    pub skipped: u32,
    /// How long it took, in milliseconds, by the runner's own account; 0 when it gives none.
    pub duration_ms: u64,
    /// Each failing test.
    pub failures: Vec<TestFailure>,
    /// Each place that does not compile.
    pub compile_errors: Vec<CompileError>,
    /// Whether the tests were run before the code that they are for exists: then failing is what they must do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_fail: bool,
    /// The tests that were seen, by name: at most [`TestRun::MAX_TESTS`].
    #[serde(default)]
    pub tests: Vec<TestCase>,
    /// Why the report could not be read, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl TestRun {
    /// So many tests and failures are kept by name; the counts always say how many there were.
    pub const MAX_TESTS: usize = 200_000;

    /// What they said is kept of so many failures; of the others only name and place.
    pub const MAX_TOLD: usize = 2_000;

    /// A run that says nothing yet.
    #[must_use]
    pub fn empty(framework: &str, status: TestStatus) -> Self {
        Self {
            framework: framework.to_owned(),
            status,
            passed: 0,
            failed: 0,
            errored: 0,
            skipped: 0,
            duration_ms: 0,
            failures: Vec::new(),
            compile_errors: Vec::new(),
            must_fail: false,
            tests: Vec::new(),
            unreadable: None,
        }
    }

    /// Forgets what failures said beyond the first [`TestRun::MAX_TOLD`], those that broke elsewhere before the others.
    pub fn forget(&mut self) {
        if self.failures.len() <= Self::MAX_TOLD {
            return;
        }
        let mut order: Vec<&mut TestFailure> = self.failures.iter_mut().collect();
        order.sort_by_key(|failure| Placement::rank(failure.placement));
        for failure in order.into_iter().skip(Self::MAX_TOLD) {
            (failure.message, failure.stack) = (String::new(), String::new());
        }
    }

    /// How many tests fared badly.
    #[must_use]
    pub const fn bad(&self) -> usize {
        self.failed.saturating_add(self.errored) as usize
    }

    /// How many tests fared badly of which not even the name was kept.
    #[must_use]
    pub const fn unlisted_failures(&self) -> usize {
        self.bad().saturating_sub(self.failures.len())
    }

    /// How many tests ran or were skipped of which not even the name was kept.
    #[must_use]
    pub const fn unlisted_tests(&self) -> usize {
        self.bad()
            .saturating_add(self.passed as usize)
            .saturating_add(self.skipped as usize)
            .saturating_sub(self.tests.len())
    }
}

/// A test that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCase {
    /// As the runner names it.
    pub name: String,
    /// `passed`, `failed`, `errored` or `skipped`.
    pub status: CaseStatus,
    /// The test file, relative to the project, where the runner says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What it is marked with beside its name, where the report tells: properties, and a class with a number in its name.
    /// Criterion ids are looked for there, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<String>,
}

words! {
    /// How one test fared.
    CaseStatus {
        /// It passed.
        Passed = "passed",
        /// An assertion did not hold.
        Failed = "failed",
        /// The framework calls it an error.
        Errored = "errored",
        /// It was not run.
        Skipped = "skipped",
    }
}

/// A failing test.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TestFailure {
    /// As the runner names it.
    pub name: String,
    /// Where it failed in the project, if the report says so; relative to the project where it can be.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: Option<u32>,
    /// The assertion or panic, as short as the runner gives it.
    pub message: String,
    /// The rest of what it printed.
    pub stack: String,
    /// The component that the test belongs to, once placed.
    pub component: Option<String>,
    /// The context that the test belongs to, once placed.
    pub context: Option<String>,
    /// Where that is, seen from the session, once placed.
    pub placement: Option<Placement>,
    /// The file that the report names for it where that is none of the project's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_file: Option<String>,
}

/// A place that does not compile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompileError {
    /// Relative to the project where it can be.
    pub file: String,
    /// Counted from 1.
    pub line: Option<u32>,
    /// Counted from 1.
    pub column: Option<u32>,
    /// What the compiler says.
    pub message: String,
    /// The component that the file belongs to, where the run was placed and something claims it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The context of that component.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Where that is, seen from the session; `None` where the run was not placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<Placement>,
}
