//! From the text of `callboard.toml` to a [`Project`], or to everything that is wrong with it.

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{AgentConfig, Limits, Policy, Preset, WorktreeConfig};

use super::{
    FILE,
    agents::{self, argv},
    check, components,
    config::{Project, Stated},
    consent,
    document::{At, Document, Place, Table},
    error::ConfigError,
    limits, markdown,
    near::near,
    path, rules, runner, sandbox,
    settings::Settings,
    stories,
    value::{self, Wrong},
};

const TOP: &[&str] = &[
    "project",
    "paths",
    "limits",
    "agents",
    "worktree",
    "sandbox",
    "reactivation",
    "env",
    "permission",
    "runner",
    "context",
    "story",
];
const PROJECT: &[&str] = &["name", "description", "tests", "agent", "remote", "stories"];
const WORKTREE: &[&str] = &["copy", "setup", "union"];
const REACTIVATION: &[&str] = &["policy"];
const ENV: &[&str] = &["pass"];

/// What happens with stories in files of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StoryFiles {
    Read,
    LeaveOut,
}

/// Reads the whole file before it answers, so that a person sees every problem at once.
pub(super) fn project(
    root: &Utf8Path,
    text: &str,
    settings: &Settings,
    story_files: StoryFiles,
) -> Result<Project, ConfigError> {
    if text.len() as u64 > super::file::MAX_BYTES {
        return Err(ConfigError::whole(FILE, "is larger than 1 MiB", "no file of this kind needs so much: shorten it"));
    }
    let (doc, table) = Document::parse(Utf8Path::new(FILE), text)?;
    let top = Table::new(&doc, "callboard.toml", 0..0, &table, TOP);
    let project = whole(root, &top, settings, story_files);
    doc.finish(project)
}

fn whole(root: &Utf8Path, top: &Table<'_>, settings: &Settings, story_files: StoryFiles) -> Option<Project> {
    let doc = top.doc;
    let table = top.table("project", PROJECT);
    if !top.has("project") {
        let hint = "begin with [project], name = \"…\" and tests = \"cargo\"; `callboard init` writes it";
        doc.problem(&(0..0), "there is no [project]", hint);
    }
    let agents = agents::read(top);
    let limits = limits::read(top);
    let worktree = worktree(top);
    let reactivation = top.table("reactivation", REACTIVATION).and_then(|table| policy(&table));
    let sandbox = sandbox::read(top);
    let rules = rules::read(top);
    let env_pass = env_pass(top);
    let found = components::read(top);
    check::names(doc, &found);
    check::dependencies(doc, &found);

    let table = table?;
    let name = table.required_text("name", "give it a name: name = \"shop\"");
    let name = name.and_then(|name| doc.check(name, value::name));
    let description = table.text("description").map_or_else(String::new, |text| text.value);
    let runner = runner::read(top, &table);
    let agent = default_agent(&table, agents.keys().chain(settings.agents.keys()).map(String::as_str));
    let remote = table.text("remote").and_then(|text| doc.check(text, remote));

    let mut told = stories::read(top);
    let folder = table.text("stories").and_then(|text| doc.check(text, |text| path::inside(&text)));
    if let (Some(folder), StoryFiles::Read) = (folder, story_files) {
        told.extend(markdown::read_folder(root, &folder.value, &Place::Span(folder.span), doc));
    }
    check::stories(doc, &found, &told);

    let (name, runner) = (name?.value, runner?);
    let stated = Stated {
        agents: agents.keys().cloned().collect(),
        limits,
        commands: consent::brought(&agents, &worktree, &runner, &sandbox, &rules),
    };
    let project = Project {
        root: root.to_owned(),
        name,
        description,
        runner,
        agent,
        remote: remote.map(|remote| remote.value),
        limits: Limits::default(),
        agents,
        worktree,
        reactivation,
        sandbox,
        rules,
        env_pass,
        components: found.into_iter().map(|found| found.component).collect(),
        stories: told.into_iter().map(|told| told.story).collect(),
        stated,
    };
    Some(project.with_settings(settings))
}

/// The default agent, which must be one of those that are known, or one that needs no table.
pub(super) fn default_agent<'k>(table: &Table<'_>, known: impl Iterator<Item = &'k str> + Clone) -> Option<String> {
    let agent = table.text("agent")?;
    if known.clone().any(|name| name == agent.value) || AgentConfig::known(&agent.value).is_some() {
        return Some(agent.value);
    }
    let hint = match near(&agent.value, known.chain(Preset::ALL.iter().map(|preset| preset.as_str()))).first() {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "add a table [agents.NAME] for it, with its protocol and command".to_owned(),
    };
    table.doc.problem(&agent.span, format!("unknown agent {:?}", agent.value), hint);
    None
}

/// The name of a remote. Not an address: git would run what some addresses say.
pub(super) fn remote(text: String) -> Result<String, Wrong> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if text.is_empty() || text.starts_with(['-', '/', '.']) || text.contains("..") || !text.chars().all(fits) {
        let hint = "the name that `git remote` shows, like origin; leave the line out to push nothing";
        return Err((format!("{text:?} is no name of a remote"), hint.to_owned()));
    }
    Ok(text)
}

fn worktree(top: &Table<'_>) -> WorktreeConfig {
    let Some(table) = top.table("worktree", WORKTREE) else { return WorktreeConfig::default() };
    WorktreeConfig {
        copy: files(&table, "copy").into_iter().map(Utf8PathBuf::from).collect(),
        setup: if table.has("setup") { argv(&table, "setup").unwrap_or_default() } else { Vec::new() },
        union: files(&table, "union"),
    }
}

fn policy(table: &Table<'_>) -> Option<Policy> {
    let check = |text: String| {
        text.parse::<Policy>().map_err(|error| {
            let hint = "leave the line out for the default: accept of agentic sessions, ask of others".to_owned();
            (format!("`policy`: {error}"), hint)
        })
    };
    table.text("policy").and_then(|text| table.doc.check(text, check)).map(|policy| policy.value)
}

fn files(table: &Table<'_>, key: &str) -> Vec<String> {
    let paths = table.texts(key).map_or_else(Vec::new, |paths| paths.value);
    let inside = |text: At<String>| table.doc.check(text, |text| path::inside(&text)).map(|path| path.value);
    unique(paths.into_iter().filter_map(inside))
}

fn env_pass(top: &Table<'_>) -> Vec<String> {
    let Some(table) = top.table("env", ENV) else { return Vec::new() };
    let names = table.texts("pass").map_or_else(Vec::new, |names| names.value);
    unique(names.into_iter().filter_map(|name| table.doc.check(name, value::variable)).map(|name| name.value))
}

fn unique(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    items.filter(|item| seen.insert(item.clone())).collect()
}
