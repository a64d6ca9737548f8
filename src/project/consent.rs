//! The commands that a project's file brings with it: a person must agree to them before they run.

use std::{collections::BTreeMap, fmt};

use sha2::{Digest as _, Sha256};

use crate::model::{About, AgentConfig, Confine, Permissions, Protocol, Rule, Runner, Sandbox, WorktreeConfig};

use super::sandbox;

/// A command that the file brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Brought {
    /// What runs it.
    by: String,
    env: BTreeMap<String, String>,
    argv: Vec<String>,
}

impl fmt::Display for Brought {
    /// One line, on which nothing can pass for something else.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.by)?;
        if !self.env.is_empty() || !self.argv.is_empty() {
            f.write_str(":")?;
        }
        for (name, value) in &self.env {
            write!(f, " {name}={}", quoted(value))?;
        }
        for word in &self.argv {
            write!(f, " {}", quoted(word))?;
        }
        Ok(())
    }
}

/// The word as it is when that is plain, otherwise in quotes with everything escaped that a terminal would not show.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+{}".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("{word:?}") }
}

/// Every command of the file, in an order that does not depend on how the file is laid out.
pub(super) fn brought(
    agents: &BTreeMap<String, AgentConfig>,
    worktree: &WorktreeConfig,
    runner: &Runner,
    sandbox: &Sandbox,
    rules: &[Rule],
) -> Vec<Brought> {
    let mut all: Vec<Brought> = agents.values().filter_map(by_agent).collect();
    let mut add = |by: &str, argv: &[String]| {
        if !argv.is_empty() {
            all.push(Brought { by: by.to_owned(), env: BTreeMap::new(), argv: argv.to_vec() });
        }
    };
    add("setup of a worktree", &worktree.setup);
    match runner {
        Runner::Cargo => {}
        Runner::Custom(custom) => {
            add("tests of some files", &custom.files);
            add("all tests", &custom.suite);
        }
    }
    // What is forbidden needs nobody's word.
    for rule in rules.iter().filter(|rule| rule.allow) {
        let agent =
            rule.agent.as_ref().map_or_else(|| "every agent".to_owned(), |name| format!("agent {}", quoted(name)));
        let (how, text) = match &rule.about {
            About::Anything => ("whatever it does", None),
            About::Exactly(text) => ("exactly", Some(text.clone())),
            About::Like(pattern) => ("like", Some(pattern.clone())),
        };
        let by = format!("{agent} may use {}, {how}", quoted(&rule.tool));
        all.push(Brought { by, env: BTreeMap::new(), argv: text.into_iter().collect() });
    }
    match sandbox.mode {
        Confine::Off => {}
        Confine::Worktree => confined(&mut all, agents, sandbox),
    }
    all
}

/// How far commands are held back is agreed to with them: less of it asks again. So does each place that the file adds.
fn confined(all: &mut Vec<Brought>, agents: &BTreeMap<String, AgentConfig>, sandbox: &Sandbox) {
    let mut add = |by: String, argv: &[String]| all.push(Brought { by, env: BTreeMap::new(), argv: argv.to_vec() });
    for agent in agents.values().filter(|agent| agent.write != sandbox::of_agent(agent.preset)) {
        if !agent.write.is_empty() {
            add(format!("agent {} may write", quoted(&agent.name)), &agent.write);
        }
    }
    if !sandbox.write.is_empty() {
        add("all of it may write".to_owned(), &sandbox.write);
    }
    if !all.is_empty() {
        let by = format!("all of it is confined to its worktree, network {}", sandbox.network);
        all.push(Brought { by, env: BTreeMap::new(), argv: Vec::new() });
    }
}

/// What an agent brings: its command, and variables, which can make another program of a known one.
fn by_agent(agent: &AgentConfig) -> Option<Brought> {
    let may = match agent.permissions {
        Permissions::Allow => ", may do whatever it asks for",
        Permissions::Deny => "",
    };
    let mode = agent.mode.as_ref().map_or_else(String::new, |mode| format!(", in its mode {}", quoted(mode)));
    brings(agent).then(|| Brought {
        by: format!("agent {} ({}{may}{mode})", quoted(&agent.name), agent.protocol),
        env: agent.env.clone(),
        argv: if agent.command.is_empty() && agent.args.is_empty() {
            Vec::new()
        } else {
            [agent.program(), agent.args.clone()].concat()
        },
    })
}

/// Whether a table of an agent says more than the name of one that callboard knows: a program, arguments or variables, which
/// can make another program of a known one, or that nobody is asked, also by a mode.
pub(super) fn brings(agent: &AgentConfig) -> bool {
    match agent.protocol {
        Protocol::Script => false,
        Protocol::Command | Protocol::Claude | Protocol::Codex | Protocol::Acp => {
            let allowed = match agent.permissions {
                Permissions::Allow => true,
                Permissions::Deny => false,
            };
            !agent.command.is_empty()
                || !agent.args.is_empty()
                || !agent.env.is_empty()
                || agent.mode.is_some()
                || allowed
        }
    }
}

/// SHA-256 over the commands, each part with its length before it, so that nothing moves from one word into the next
/// unnoticed.
pub(super) fn hash(brought: &[Brought]) -> Option<String> {
    if brought.is_empty() {
        return None;
    }
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    part("callboard consent 1");
    for one in brought {
        part(&one.by);
        part(&one.env.len().to_string());
        for (name, value) in &one.env {
            part(name);
            part(value);
        }
        part(&one.argv.len().to_string());
        one.argv.iter().for_each(|word| part(word));
    }
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
