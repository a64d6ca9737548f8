//! `doctor`: is everything there that callboard needs?

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

use serde::Serialize;

use crate::{
    engine,
    git::Repo,
    model::{Protocol, Runner},
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
    let mut findings = vec![program("git", &["--version"], "install git")];
    let from = place::folder(global)?;
    findings.push(match Repo::open(&project::find_root(&from).unwrap_or_else(|| from.clone())) {
        Ok(repo) => match repo.head() {
            Ok(head) => good("repository", format!("at {}", head.branch.unwrap_or(head.commit))),
            Err(error) => bad("repository", error.to_string()),
        },
        Err(error) => bad("repository", error.to_string()),
    });
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
        Runner::Cargo => program("cargo", &["--version"], "install Rust (https://rustup.rs)"),
        Runner::Custom(runner) => good("runner", runner.suite.join(" ")),
    });
    match project.agent.as_ref().and_then(|name| project.agents.get(name)) {
        None => findings.push(bad("agent", "none is named: set `agent = \"…\"` in [project] of callboard.toml")),
        Some(agent) => findings.push(match agent.protocol {
            Protocol::Script => {
                good("agent", format!("{} plays {}", agent.name, agent.scenario.as_deref().unwrap_or("nothing")))
            }
            Protocol::Command => match agent.command.first() {
                Some(command) => good("agent", format!("{} runs {command}", agent.name)),
                None => bad("agent", format!("{} has no command", agent.name)),
            },
            Protocol::Claude | Protocol::Codex | Protocol::Acp => {
                bad("agent", format!("{} has protocol {}, which this version cannot drive", agent.name, agent.protocol))
            }
        }),
    }
    findings.push(match project.consent_hash() {
        None => good("trust", "callboard.toml brings no command"),
        Some(hash) => match place.open().and_then(|store| Ok(store.consent(&hash)?)) {
            Ok(crate::store::Consent::Given) => good("trust", "you have agreed to its commands"),
            Ok(crate::store::Consent::Missing) => bad("trust", "its commands are not agreed to: `callboard trust`"),
            Err(error) => bad("trust", error.to_string()),
        },
    });
}

/// Whether a program starts, and what it says of itself.
fn program(name: &'static str, args: &[&str], hint: &str) -> Finding {
    let child = Command::new(name).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return bad(name, format!("cannot be started: {error}; {hint}")),
    };
    let mut said = String::new();
    let read = child.stdout.take().map(|out| out.take(200).read_to_string(&mut said));
    let ended = child.wait();
    match (read, ended) {
        (Some(Ok(_)), Ok(status)) if status.success() => good(name, said.trim()),
        (_, Ok(status)) => bad(name, format!("ended with {status}; {hint}")),
        (_, Err(error)) => bad(name, format!("{error}; {hint}")),
    }
}
