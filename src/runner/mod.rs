//! How tests are run and how their reports are read. Pure: the engine spawns, this room only says what ([`plan`]) and reads
//! what came of it ([`read`], [`cannot_start`]).
//!
//! ```text
//! plan     the command for some test files or the whole project
//! cargo    the preset: targets, libtest's text, rustc's diagnostics
//! junit    the custom runner: a walk through JUnit XML, what a test case says, compile errors in other tools' text
//! start    was it the runner itself that could not start?
//! tally    counts and caps; what a run was worth
//! place    places in the project, as runners print them
//! text     lines, caps, control sequences
//! ```
//!
//! What tests print is hostile: it may be endless, not text, or look like a passing run. Nothing here panics or takes more
//! than linear time, every string is capped and cleaned, and a run only *passed* if it exited with 0, came to its own
//! end mark, and executed at least one test.

mod cargo;
mod junit;
mod place;
mod plan;
mod start;
mod tally;
mod text;

use std::str::FromStr;

use camino::Utf8Path;

pub use self::{
    plan::{Plan, RunnerError, Target, plan},
    start::cannot_start,
};
use crate::model::{Exit, Runner, TestRun, UnknownWord};

/// A finished run of a [`Plan`]. Output that was cut in the middle by the engine is fine: what is missing is missed.
#[derive(Debug, Clone, Copy)]
pub struct Finished<'a> {
    /// How it ended.
    pub exit: &'a Exit,
    /// Its standard output.
    pub stdout: &'a [u8],
    /// Its standard error.
    pub stderr: &'a [u8],
    /// The content of [`Plan::report`], read after the last process of the run is gone; none if the file is not there. If the path
    /// is a directory (Maven): its `*.xml` files one after the other.
    pub report: Option<&'a [u8]>,
    /// The directory that it ran in: places are told relative to it.
    pub worktree: &'a Utf8Path,
}

/// Reads a finished run. Never fails: what cannot be read is [`crate::model::TestStatus::Unparsable`].
#[must_use]
pub fn read(runner: &Runner, finished: &Finished<'_>) -> TestRun {
    match runner {
        Runner::Cargo => cargo::read(finished),
        Runner::Custom(custom) => junit::read(custom, finished),
    }
}

/// A form in which tests report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text of `cargo test`, standard error and standard output in one file or only the latter.
    CargoTest,
    /// JUnit XML of whatever runner.
    Junit,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 2] = [Self::CargoTest, Self::Junit];

    /// Its name on the command line, and the `framework` of the runs that it reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CargoTest => "cargo-test",
            Self::Junit => "junit",
        }
    }

    /// Reads a report of which nothing else is known: its runner's exit code is taken to be 0, so what passes here only
    /// passes by the report's own account.
    #[must_use]
    pub fn parse(self, report: &[u8], worktree: &Utf8Path) -> TestRun {
        let exit = Exit::Code { code: 0 };
        match self {
            Self::CargoTest => {
                cargo::read(&Finished { exit: &exit, stdout: report, stderr: report, report: None, worktree })
            }
            Self::Junit => {
                junit::read_report(&Finished { exit: &exit, stdout: &[], stderr: &[], report: Some(report), worktree })
            }
        }
    }
}

impl FromStr for Format {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord { found: word.to_owned(), expected: Self::ALL.map(Self::name).to_vec() };
        Self::ALL.into_iter().find(|format| format.name() == word).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_go_by_their_names() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
        }
        let error = "tap".parse::<Format>().unwrap_err();
        assert_eq!(error.to_string(), "expected one of cargo-test, junit, found \"tap\"");
    }
}
