//! `[agents.NAME]`: who can be given sessions.

use std::collections::BTreeMap;

use crate::model::{AgentConfig, Protocol};

use super::{
    document::{At, Document, Table, article, string},
    near::did_you_mean,
    path, value,
};

const KEYS: &[&str] = &["protocol", "command", "scenario", "env"];

/// An agent that needs no table, since callboard knows its program: its name is its protocol.
pub(super) fn implied(name: &str) -> Option<AgentConfig> {
    let protocol: Protocol = name.parse().ok()?;
    let known = match protocol {
        Protocol::Claude | Protocol::Codex => true,
        Protocol::Command | Protocol::Script | Protocol::Acp => false,
    };
    known.then(|| AgentConfig {
        name: name.to_owned(),
        protocol,
        command: Vec::new(),
        scenario: None,
        env: BTreeMap::new(),
    })
}

/// Reads every `[agents.NAME]`.
pub(super) fn read(top: &Table<'_>) -> BTreeMap<String, AgentConfig> {
    let doc = top.doc;
    let agents = top.entries("agents").into_iter().filter_map(|(key, entry)| {
        let name = doc.check(key, value::name)?;
        let Some(table) = entry.get_ref().as_table() else {
            let message = format!("an agent is a table, found {}", article(entry.get_ref()));
            doc.problem(&entry.span(), message, format!("write [agents.{}] on a line of its own", name.value));
            return None;
        };
        let table = Table::new(doc, format!("[agents.{}]", name.value), name.span.clone(), table, KEYS);
        agent(&table, &name.value).map(|agent| (name.value, agent))
    });
    agents.collect()
}

fn agent(table: &Table<'_>, name: &str) -> Option<AgentConfig> {
    let words = || Protocol::ALL.iter().map(|protocol| protocol.as_str());
    let hint = "say how callboard talks with it: protocol = \"command\"";
    let protocol = table.doc.check(table.required_text("protocol", hint)?, |text| {
        let unknown = |_| (format!("unknown protocol {text:?}"), did_you_mean(&text, "protocols", words()));
        text.parse::<Protocol>().map_err(unknown)
    })?;
    let command = argv(table, "command");
    let scenario = table.text("scenario").and_then(|text| table.doc.check(text, |text| path::inside(&text)));
    check_parts(table, protocol.value);
    Some(AgentConfig {
        name: name.to_owned(),
        protocol: protocol.value,
        command: command.unwrap_or_default(),
        scenario: scenario.map(|scenario| scenario.value),
        env: environment(table),
    })
}

/// What an agent of this protocol must have and what would be ignored.
fn check_parts(table: &Table<'_>, protocol: Protocol) {
    let (needed, ignored) = match protocol {
        Protocol::Command | Protocol::Acp => (Some("command"), Some("scenario")),
        Protocol::Script => (Some("scenario"), Some("command")),
        Protocol::Claude | Protocol::Codex => (None, Some("scenario")),
    };
    if let Some(key) = needed.filter(|key| !table.has(key)) {
        let hint = match key {
            "scenario" => "name its scenario file: scenario = \"scenario.toml\"",
            _ => "name its program and arguments: command = [\"python3\", \"agent.py\"]",
        };
        let message = format!("{} has no `{key}`, which the protocol {protocol} needs", table.name);
        table.doc.problem(&table.span, message, hint);
    }
    if let Some(key) = ignored.filter(|key| table.has(key)) {
        let message = format!("`{key}` means nothing to the protocol {protocol}");
        table.doc.problem(&table.key_span(key), message, "leave the line out, or choose another protocol");
    }
}

/// A program and its arguments; `None` when it is not there or not right.
pub(super) fn argv(table: &Table<'_>, key: &str) -> Option<Vec<String>> {
    let argv = table.texts(key)?;
    if argv.value.first().is_none_or(|program| program.value.trim().is_empty()) {
        let hint = format!("the program comes first: {key} = [\"program\", \"argument\"]");
        table.doc.problem(&argv.span, format!("`{key}` names no program"), hint);
        return None;
    }
    argv.value.into_iter().map(|word| argument(table.doc, word)).collect()
}

fn argument(doc: &Document<'_>, word: At<String>) -> Option<String> {
    doc.check(word, value::argument).map(|word| word.value)
}

fn environment(table: &Table<'_>) -> BTreeMap<String, String> {
    let variables = table.entries("env").into_iter().filter_map(|(key, entry)| {
        let name = table.doc.check(key, value::variable)?.value;
        let Some(text) = string(entry.get_ref()) else {
            let message = format!("the value of {name} must be a string, found {}", article(entry.get_ref()));
            table.doc.problem(&entry.span(), message, "put it in quotes");
            return None;
        };
        argument(table.doc, At::new(text, entry.span())).map(|text| (name, text))
    });
    variables.collect()
}
