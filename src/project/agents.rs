//! `[agents.NAME]`: who can be given sessions.

use std::collections::BTreeMap;

use crate::model::{AgentConfig, Permissions, Preset, Protocol};

use super::{
    document::{At, Document, Table, article, string},
    near::did_you_mean,
    path, sandbox, value,
};

const KEYS: &[&str] = &["preset", "protocol", "command", "args", "scenario", "env", "permissions", "write", "mode"];

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
    let (protocol, preset) = protocol(table, name)?;
    let command = argv(table, "command");
    let scenario = table.text("scenario").and_then(|text| table.doc.check(text, |text| path::inside(&text)));
    let args = table.texts("args").map_or_else(Vec::new, |args| args.value);
    let permissions =
        table.text("permissions").and_then(|text| word(table.doc, text, "permissions", "words", Permissions::ALL));
    check_parts(table, protocol, preset);
    Some(AgentConfig {
        name: name.to_owned(),
        protocol,
        preset,
        command: command.unwrap_or_default(),
        args: args.into_iter().filter_map(|word| argument(table.doc, word)).collect(),
        scenario: scenario.map(|scenario| scenario.value),
        env: environment(table),
        permissions: permissions.unwrap_or(Permissions::Deny),
        mode: table.text("mode").and_then(|text| table.doc.check(text, value::name)).map(|mode| mode.value),
        write: sandbox::places(table).unwrap_or_else(|| sandbox::of_agent(preset)),
    })
}

/// How callboard talks with an agent, and which one that it knows it is: named, or of the same name as the table, or the one
/// of the same name as the protocol.
fn protocol(table: &Table<'_>, name: &str) -> Option<(Protocol, Option<Preset>)> {
    if let Some(preset) = table.text("preset") {
        let preset = word(table.doc, preset, "preset", "presets", Preset::ALL)?;
        if table.has("protocol") {
            let message = format!("the preset {preset} has a protocol already: {}", preset.protocol());
            table.doc.problem(&table.key_span("protocol"), message, "leave one of the two lines out");
        }
        return Some((preset.protocol(), Some(preset)));
    }
    if let (false, Ok(preset)) = (table.has("protocol"), name.parse::<Preset>()) {
        return Some((preset.protocol(), Some(preset)));
    }
    let hint = "say how callboard talks with it: protocol = \"command\"; or which one it is: preset = \"claude\"";
    let protocol = word(table.doc, table.required_text("protocol", hint)?, "protocol", "protocols", Protocol::ALL)?;
    let preset = match protocol {
        Protocol::Claude => Some(Preset::Claude),
        Protocol::Codex => Some(Preset::Codex),
        Protocol::Command | Protocol::Script | Protocol::Acp => None,
    };
    Some((protocol, preset))
}

/// One of the words that a key may have.
fn word<T: Copy + AsRef<str> + 'static>(
    doc: &Document<'_>,
    text: At<String>,
    key: &str,
    what: &str,
    all: &'static [T],
) -> Option<T> {
    let found = doc.check(text, |text| {
        let unknown = || {
            let words = all.iter().map(AsRef::as_ref);
            (format!("unknown {key} {text:?}"), did_you_mean(&text, what, words))
        };
        all.iter().find(|word| word.as_ref() == text).copied().ok_or_else(unknown)
    });
    found.map(|found| found.value)
}

/// What an agent of this protocol must have and what would be ignored.
fn check_parts(table: &Table<'_>, protocol: Protocol, preset: Option<Preset>) {
    let (needed, ignored): (_, &[&str]) = match protocol {
        Protocol::Command => (Some("command"), &["scenario", "permissions", "mode"]),
        Protocol::Script => (Some("scenario"), &["command", "args", "permissions", "mode"]),
        Protocol::Acp => (Some("command").filter(|_| preset.is_none()), &["scenario"]),
        Protocol::Claude | Protocol::Codex => (None, &["scenario", "mode"]),
    };
    if let Some(key) = needed.filter(|key| !table.has(key)) {
        let hint = match key {
            "scenario" => "name its scenario file: scenario = \"scenario.toml\"",
            _ => "name its program and arguments: command = [\"python3\", \"agent.py\"]",
        };
        let message = format!("{} has no `{key}`, which the protocol {protocol} needs", table.name);
        table.doc.problem(&table.span, message, hint);
    }
    let write = (protocol == Protocol::Script).then_some(&"write");
    for key in ignored.iter().chain(write).filter(|key| table.has(key)) {
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
