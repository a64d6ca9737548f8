//! The parts of the configuration that more than one room needs.

use std::{collections::BTreeMap, time::Duration};

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::kind::words;

words! {
    /// How callboard talks with an agent.
    Protocol {
        /// Any program: prompt on standard input, text on standard output, exit code 0 = ok.
        Command = "command",
        /// Built in: plays a scenario file.
        Script = "script",
        /// Claude Code's JSON stream.
        Claude = "claude",
        /// Codex app-server.
        Codex = "codex",
        /// Any Agent Client Protocol agent.
        Acp = "acp",
    }
}

/// An agent that sessions can be given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// Its name in the configuration.
    pub name: String,
    /// How callboard talks with it.
    pub protocol: Protocol,
    /// The program and its arguments; empty for `script`.
    pub command: Vec<String>,
    /// The scenario file of a `script` agent, relative to the project's root.
    pub scenario: Option<String>,
    /// What its environment has beside the clean one.
    pub env: BTreeMap<String, String>,
}

/// How the project's tests are run and read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "preset", rename_all = "snake_case")]
pub enum Runner {
    /// `cargo test`.
    Cargo,
    /// Any command that writes JUnit XML.
    Custom(CustomRunner),
}

/// Any command that writes JUnit XML. In the arguments `{file}` stands for a test file (the argument is repeated once per
/// file), `{report}` for a fresh path outside the worktree where the report is to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomRunner {
    /// For some test files: has `{file}` in it.
    pub files: Vec<String>,
    /// For the whole project.
    pub suite: Vec<String>,
    /// The report, relative to the worktree, for a runner that cannot be told `{report}`.
    pub report: Option<String>,
}

/// The limits of a project (DESIGN 9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Agent processes at once.
    pub agents: u32,
    /// Test processes at once.
    pub tests: u32,
    /// How often a loop may go round before a person is asked.
    pub iterations: u32,
    /// After so many test runs with the same failures a person is asked; 0: never.
    pub same_failures: u32,
    /// How long a step may take.
    pub step_timeout: Duration,
    /// How long a step's process may be silent.
    pub inactivity: Duration,
    /// Bytes of output that are kept of one process.
    pub output: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            agents: 4,
            tests: 2,
            iterations: 5,
            same_failures: 3,
            step_timeout: Duration::from_secs(30 * 60),
            inactivity: Duration::from_secs(10 * 60),
            output: 64 * 1024 * 1024,
        }
    }
}

/// What a new worktree gets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WorktreeConfig {
    /// Ignored files that are copied from the user's checkout, relative to the root.
    pub copy: Vec<Utf8PathBuf>,
    /// The program and its arguments that prepare it; empty: none.
    pub setup: Vec<String>,
    /// Files to which several components add lines (lists of modules): where branches meet, both sides' lines are kept.
    pub union: Vec<String>,
}
