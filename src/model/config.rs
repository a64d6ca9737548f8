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

words! {
    /// An agent that callboard knows: its name is all that a person has to write.
    Preset {
        /// Claude Code.
        Claude = "claude",
        /// Codex.
        Codex = "codex",
        /// Gemini CLI.
        Gemini = "gemini",
        /// OpenCode.
        OpenCode = "opencode",
        /// Qwen Code.
        Qwen = "qwen",
        /// Claude Code by the Agent Client Protocol.
        ClaudeAcp = "claude-acp",
        /// Codex by the Agent Client Protocol.
        CodexAcp = "codex-acp",
    }
}

impl Preset {
    /// How callboard talks with it.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::Claude => Protocol::Claude,
            Self::Codex => Protocol::Codex,
            Self::Gemini | Self::OpenCode | Self::Qwen | Self::ClaudeAcp | Self::CodexAcp => Protocol::Acp,
        }
    }

    /// Its program and what that always gets.
    #[must_use]
    pub const fn command(self) -> &'static [&'static str] {
        match self {
            Self::Claude => &["claude"],
            Self::Codex => &["codex"],
            Self::Gemini => &["gemini", "--acp"],
            Self::OpenCode => &["opencode", "acp"],
            Self::Qwen => &["qwen", "--acp"],
            Self::ClaudeAcp => &["claude-agent-acp"],
            Self::CodexAcp => &["codex-acp"],
        }
    }

    /// Where it keeps what it knows between runs: it must write there to work at all.
    #[must_use]
    pub fn writes(self) -> Vec<String> {
        let places: &[&str] = match self {
            Self::Claude | Self::ClaudeAcp => &["~/.claude", "~/.claude.json"],
            Self::Codex | Self::CodexAcp => &["~/.codex"],
            Self::Gemini => &["~/.gemini"],
            Self::OpenCode => {
                &["~/.local/share/opencode", "~/.local/state/opencode", "~/.config/opencode", "~/.cache/opencode"]
            }
            Self::Qwen => &["~/.qwen"],
        };
        places.iter().map(|place| (*place).to_owned()).collect()
    }

    /// Variables of callboard's own environment in which its users keep keys and addresses; one that ends in `*` stands for all
    /// that begin so.
    #[must_use]
    pub const fn pass(self) -> &'static [&'static str] {
        match self {
            Self::Claude | Self::ClaudeAcp => {
                &["ANTHROPIC_*", "CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_*"]
            }
            Self::Codex | Self::CodexAcp => &["OPENAI_*", "CODEX_HOME", "CODEX_API_KEY"],
            Self::Gemini => &["GEMINI_*", "GOOGLE_*"],
            Self::OpenCode => &["OPENCODE_*", "ANTHROPIC_*", "OPENAI_*", "GEMINI_*", "OPENROUTER_API_KEY"],
            Self::Qwen => &["OPENAI_*", "DASHSCOPE_API_KEY", "QWEN_*"],
        }
    }

    /// Variables that it needs to ask before it does more than writing in its folder, as the others do by themselves.
    #[must_use]
    pub const fn env(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::OpenCode => {
                &[("OPENCODE_PERMISSION", r#"{"bash":"ask","webfetch":"ask","external_directory":"ask"}"#)]
            }
            Self::Claude | Self::Codex | Self::Gemini | Self::Qwen | Self::ClaudeAcp | Self::CodexAcp => &[],
        }
    }

    /// The mode that it is to work in, where the one that it begins with asks too little: by it, it writes in its folder and asks
    /// before it does more.
    #[must_use]
    pub const fn mode(self) -> Option<&'static str> {
        match self {
            Self::Claude | Self::Codex | Self::Gemini | Self::OpenCode | Self::ClaudeAcp => None,
            // It begins in one in which a model judges what is asked.
            Self::Qwen => Some("default"),
            Self::CodexAcp => Some("workspace-write"),
        }
    }

    /// The package of npm that brings its program.
    #[must_use]
    pub const fn package(self) -> &'static str {
        match self {
            Self::Claude => "@anthropic-ai/claude-code",
            Self::Codex => "@openai/codex",
            Self::Gemini => "@google/gemini-cli",
            Self::OpenCode => "opencode-ai",
            Self::Qwen => "@qwen-code/qwen-code",
            Self::ClaudeAcp => "@agentclientprotocol/claude-agent-acp",
            Self::CodexAcp => "@agentclientprotocol/codex-acp",
        }
    }
}

words! {
    /// What an agent is told that asks whether it may do something beyond writing in its worktree, when no person is asked.
    Permissions {
        /// Whatever it asks for.
        Allow = "allow",
        /// Nothing of it.
        Deny = "deny",
    }
}

/// An agent that sessions can be given to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentConfig {
    /// Its name in the configuration.
    pub name: String,
    /// How callboard talks with it.
    pub protocol: Protocol,
    /// Which one that callboard knows it is.
    pub preset: Option<Preset>,
    /// The program and its arguments; empty for `script`, and where the preset's are meant.
    pub command: Vec<String>,
    /// More arguments, behind those that callboard gives it.
    pub args: Vec<String>,
    /// The scenario file of a `script` agent, relative to the project's root.
    pub scenario: Option<String>,
    /// What its environment has beside the clean one.
    pub env: BTreeMap<String, String>,
    /// What it is told when it asks for more than writing in its worktree.
    pub permissions: Permissions,
    /// Where it may write beside its worktree when it is confined: absolute, or from the home folder (`~/…`).
    pub write: Vec<String>,
    /// The mode that it is to work in, as it calls it; `None`: [`Preset::mode`].
    pub mode: Option<String>,
}

impl AgentConfig {
    /// The agent that callboard knows by this name.
    #[must_use]
    pub fn known(name: &str) -> Option<Self> {
        let preset: Preset = name.parse().ok()?;
        Some(Self {
            name: name.to_owned(),
            protocol: preset.protocol(),
            preset: Some(preset),
            command: Vec::new(),
            args: Vec::new(),
            scenario: None,
            env: BTreeMap::new(),
            permissions: Permissions::Deny,
            write: preset.writes(),
            mode: None,
        })
    }

    /// Its program and what that always gets, without [`args`](Self::args).
    #[must_use]
    pub fn program(&self) -> Vec<String> {
        match self.preset {
            Some(preset) if self.command.is_empty() => preset.command().iter().map(|word| (*word).to_owned()).collect(),
            Some(_) | None => self.command.clone(),
        }
    }
}

words! {
    /// Where what runs in a worktree may write.
    Confine {
        /// Wherever the user may.
        Off = "off",
        /// In the worktree, and where [`Sandbox::write`] says.
        Worktree = "worktree",
    }
}

words! {
    /// Whether what runs in a worktree may use the network.
    Network {
        /// It may.
        On = "on",
        /// No TCP.
        Off = "off",
    }
}

/// What holds the processes of sessions back: agents, tests, the setup of worktrees, git's hooks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// Where they may write.
    pub mode: Confine,
    /// Where else: absolute, or from the home folder (`~/…`).
    pub write: Vec<String>,
    /// Whether they may use the network. Means nothing while they are not confined.
    pub network: Network,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { mode: Confine::Off, write: Vec::new(), network: Network::On }
    }
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
    /// So many seconds at most are waited before an agent that failed at once is tried again; 0: none.
    pub longest_pause: u32,
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
            longest_pause: 30,
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
