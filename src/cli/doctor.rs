//! `doctor`: is everything there that callboard needs?

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use serde::Serialize;

use crate::{
    engine::{self, process},
    git::Repo,
    model::{AgentConfig, Confine, Network, Preset, Protocol, Runner, Sandbox},
    project,
    store::Store,
};

use super::{
    args::{Global, Json},
    error::CliError,
    place::{self, Place},
    print,
};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    /// What.
    what: &'static str,
    /// Whether it is as it should be.
    ok: bool,
    /// What was found; if it is not ok, what to try.
    found: String,
}

fn good(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { what, ok: true, found: found.into() }
}

fn bad(what: &'static str, found: impl Into<String>) -> Finding {
    Finding { what, ok: false, found: found.into() }
}

pub(super) fn doctor(global: &Global, args: &Json) -> Result<u8, CliError> {
    let mut findings = vec![program("git", "git", &["--version"], "install git")];
    let from = place::folder(global)?;
    findings.push(match Repo::open(&project::find_root(&from).unwrap_or_else(|| from.clone())) {
        Ok(repo) => match repo.head() {
            Ok(head) => good("repository", format!("at {}", head.branch.unwrap_or(head.commit))),
            Err(error) => bad("repository", error.to_string()),
        },
        Err(error) => bad("repository", error.to_string()),
    });
    findings.push(agents());
    match Place::find(global) {
        Ok(place) => of_project(&place, &mut findings),
        Err(error) => findings.push(bad("project", error.to_string())),
    }
    let store = place::store_path(global)?;
    let scope = crate::model::Scope { account: String::new(), project: String::new(), user: String::new() };
    findings.push(match Store::open(&store, scope) {
        Ok(_) => good("store", store.as_str()),
        Err(error) => bad("store", error.to_string()),
    });
    findings.push(match engine::holder(&store) {
        Some(holder) => good("engine", format!("process {}", holder.pid)),
        None => good("engine", "none is at work; one is started when there is something to do"),
    });
    report(&findings, args.json)
}

fn report(findings: &[Finding], as_json: bool) -> Result<u8, CliError> {
    if as_json {
        print::json(&findings);
    } else {
        for finding in findings {
            print::line(&format!("{} {:11} {}", if finding.ok { "✓" } else { "✗" }, finding.what, finding.found));
        }
    }
    Ok(u8::from(findings.iter().any(|finding| !finding.ok)))
}

fn of_project(place: &Place, findings: &mut Vec<Finding>) {
    let project = match place.project() {
        Ok(project) => project,
        Err(error) => return findings.push(bad("project", error.to_string())),
    };
    let (contexts, components): (Vec<_>, Vec<_>) = project.components.iter().partition(|one| one.kind.is_context());
    let has = [print::count(contexts.len(), "context"), print::count(components.len(), "component")].join(", ");
    findings.push(good("project", format!("{} with {has}", project.name)));
    findings.push(match &project.runner {
        Runner::Cargo => program("cargo", "cargo", &["--version"], "install Rust (https://rustup.rs)"),
        Runner::Custom(runner) => good("runner", runner.suite.join(" ")),
    });
    findings.push(match project.agent.as_ref().and_then(|name| project.agent_named(name)) {
        None => bad("agent", "none is named: set `agent = \"…\"` in [project] of callboard.toml"),
        Some(agent) => the_agent(&agent),
    });
    findings.push(sandbox(&project.sandbox));
    findings.push(match project.consent_hash() {
        None => good("trust", "callboard.toml brings no command"),
        Some(hash) => match place.open().and_then(|store| Ok(store.consent(&hash)?)) {
            Ok(crate::store::Consent::Given) => good("trust", "you have agreed to its commands"),
            Ok(crate::store::Consent::Missing) => bad("trust", "its commands are not agreed to: `callboard trust`"),
            Err(error) => bad("trust", error.to_string()),
        },
    });
}

/// The default agent.
fn the_agent(agent: &AgentConfig) -> Finding {
    if agent.protocol == Protocol::Script {
        let scenario = agent.scenario.as_deref().unwrap_or("nothing");
        return good("agent", format!("{} plays {scenario}", agent.name));
    }
    let argv = agent.program();
    let Some(command) = argv.first() else { return bad("agent", format!("{} has no command", agent.name)) };
    match agent.preset {
        Some(preset) if agent.command.is_empty() && !agent.env.contains_key("PATH") && found(command).is_none() => {
            let hint = format!("install it: npm install --global {}", preset.package());
            bad("agent", format!("{} runs {command}, which is not in PATH; {hint}", agent.name))
        }
        Some(_) | None => good("agent", format!("{} runs {command}", agent.name)),
    }
}

/// The agents that callboard knows, as far as they are installed. None of them has to be.
fn agents() -> Finding {
    let installed: Vec<String> = Preset::ALL.iter().filter_map(|preset| installed(*preset)).collect();
    if installed.is_empty() {
        let known: Vec<&str> = Preset::ALL.iter().map(|preset| preset.as_str()).collect();
        return good("agents", format!("none of those that callboard knows is installed: {}", known.join(", ")));
    }
    good("agents", format!("installed: {}", installed.join(", ")))
}

/// The name of a known agent and what it says of its version, if it is there.
fn installed(preset: Preset) -> Option<String> {
    let command = preset.command().first()?;
    found(command)?;
    // An adapter takes any argument for none, and waits to be talked with; with nothing to read it ends.
    let version = program("agent", command, &["--version"], "").found;
    let version = version.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Some(version.map_or_else(|| preset.to_string(), |version| format!("{preset} {version}")))
}

/// Where a program is in `PATH`.
fn found(command: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(command)).find(|file| file.is_file())
}

/// Whether what the project asks its sessions to be held back by is there.
fn sandbox(sandbox: &Sandbox) -> Finding {
    let kernel = process::landlock();
    let can = format!("this kernel has {kernel}, which confines {}", kernel.means());
    match (sandbox.mode, kernel.lacks(sandbox.network == Network::On)) {
        (Confine::Off, _) => good("sandbox", format!("off: agents and tests write wherever you may; {can}")),
        (Confine::Worktree, None) => good(
            "sandbox",
            format!("on: agents and tests write in their worktrees, network {}; {can}", sandbox.network),
        ),
        (Confine::Worktree, Some(lacks)) => {
            bad("sandbox", format!("{lacks}; sessions halt until [sandbox] asks for less"))
        }
    }
}

/// Whether a program starts, and what it says of itself.
fn program(what: &'static str, name: &str, args: &[&str], hint: &str) -> Finding {
    let child = Command::new(name).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return bad(what, format!("cannot be started: {error}; {hint}")),
    };
    let mut said = String::new();
    let read = child.stdout.take().map(|out| out.take(200).read_to_string(&mut said));
    let ended = child.wait();
    match (read, ended) {
        (Some(Ok(_)), Ok(status)) if status.success() => good(what, said.trim()),
        (_, Ok(status)) => bad(what, format!("ended with {status}; {hint}")),
        (_, Err(error)) => bad(what, format!("{error}; {hint}")),
    }
}
