//! Tool calls, which agents tell of bit by bit.

use std::collections::HashMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{
    agent::{
        diff,
        talk::{MCP, relative, said, title},
    },
    model::EventKind,
};

use super::{terminal::Terminals, typed::typed};

/// So many open calls are remembered.
const OPEN: usize = 1_000;
/// What a command is given that changes nothing about what it does.
const OF_COMMANDS: [&str; 5] = ["command", "description", "timeout", "run_in_background", "is_background"];
/// What an edit is given that is seen as its files and what would be different in them.
const OF_EDITS: [&str; 23] = [
    "file_path",
    "filePath",
    "filepath",
    "absolute_path",
    "notebook_path",
    "path",
    "paths",
    "content",
    "new_source",
    "old_string",
    "new_string",
    "oldString",
    "newString",
    "old_text",
    "new_text",
    "oldText",
    "newText",
    "diff",
    "patch",
    "patchText",
    "unified_diff",
    "changes",
    "edits",
];
/// What names the folder.
const FOLDERS: [&str; 4] = ["cwd", "workdir", "directory", "dir_path"];

/// What is known of a call so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Call {
    /// The tool's name, or else its kind.
    pub(super) tool: String,
    /// In short, for people.
    pub(super) title: String,
    /// The same whole.
    whole: String,
    kind: String,
    /// Files that it changes, with what is different.
    edits: Vec<(String, String)>,
    /// Files that it is about.
    places: Vec<String>,
    /// What it was told to write, as far as that says what is different.
    written: String,
    text: String,
    /// The terminal in which it runs its command.
    terminal: Option<String>,
    /// What it runs, if that is a command.
    command: String,
    /// All that it is given, as the agent says it.
    input: Value,
    /// The files that are in that.
    given: Vec<String>,
    /// What of it neither the command nor the files say.
    rest: Value,
    told: bool,
}

impl Call {
    /// Whether it is a tool of callboard's own. Only by its name: a title may say anything.
    pub(super) fn is_ours(&self) -> bool {
        let plain = |mark: &str| self.tool.starts_with(&format!("{mark}{MCP}__"));
        self.kind != "execute" && (plain("mcp__") || self.tool.starts_with(&format!("mcp_{MCP}_")))
    }

    /// The command line that a person is shown, if it runs a command.
    pub(super) fn line(&self) -> Option<String> {
        let shown = if self.command.is_empty() { self.whole.clone() } else { self.with_rest(&self.command) };
        (self.kind == "execute").then_some(shown)
    }

    /// What it would do, whole: its command or else its title, what would be different in files, and what else it is given.
    pub(super) fn detail(&self) -> String {
        let differs = self.edits.iter().any(|(_, diff)| !diff.is_empty());
        let edits = self.edits.iter().filter(|_| differs).map(|(path, diff)| format!("{path}\n{diff}"));
        let said = match (self.command.is_empty(), differs && self.kind == "edit") {
            (false, _) => self.command.as_str(),
            (true, true) => "",
            (true, false) => &self.whole,
        };
        // What an edit writes is seen as what is different, or else as it is given.
        let rest = if self.kind == "edit" && !differs { &self.input } else { &self.rest };
        let rest =
            if is_nothing(rest) { String::new() } else { serde_json::to_string_pretty(rest).unwrap_or_default() };
        let parts = [said.to_owned(), edits.collect(), rest];
        parts.iter().map(|part| part.trim_end()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
    }

    /// What a rule for it is about: its command or its files with what else it is given, or else all that it is given, or else
    /// its title.
    pub(super) fn subject(&self) -> String {
        let files = self.writes().join(", ");
        match (self.command.is_empty(), files.is_empty(), is_nothing(&self.input)) {
            (false, ..) => self.with_rest(&self.command),
            (true, false, _) => self.with_rest(&files),
            (true, true, false) => self.input.to_string(),
            (true, true, true) => self.whole.clone(),
        }
    }

    /// Whether that is files, whatever would become of them.
    pub(super) fn is_of_files(&self) -> bool {
        self.command.is_empty() && !self.writes().is_empty()
    }

    fn with_rest(&self, text: &str) -> String {
        if is_nothing(&self.rest) { text.to_owned() } else { format!("{text}\n{}", self.rest) }
    }

    /// The files that it writes, if that is all it does.
    pub(super) fn writes(&self) -> Vec<String> {
        if self.kind != "edit" {
            return Vec::new();
        }
        let edited = self.edits.iter().map(|(path, _)| path);
        let mut files: Vec<String> = Vec::new();
        // What it is given counts like what it says about itself.
        for path in edited.chain(&self.places).chain(&self.given) {
            if !files.contains(path) {
                files.push(path.clone());
            }
        }
        files
    }
}

/// The calls of a turn.
#[derive(Debug)]
pub(super) struct Calls {
    worktree: Utf8PathBuf,
    open: HashMap<String, Call>,
}

impl Calls {
    pub(super) fn new(worktree: &Utf8Path) -> Self {
        Self { worktree: worktree.to_owned(), open: HashMap::new() }
    }

    /// What is known of a call that a question is about.
    pub(super) fn about(&self, update: &Value) -> Call {
        let known = self.open.get(update["toolCallId"].as_str().unwrap_or_default());
        let mut call = known.cloned().unwrap_or_default();
        self.learn(&mut call, update);
        call
    }

    /// There is news of a call: what is to be told of it. A call is told as soon as it is known what it is about.
    pub(super) fn changed(&mut self, update: &Value, terminals: &Terminals) -> Vec<EventKind> {
        let id = update["toolCallId"].as_str().unwrap_or_default();
        let mut call = self.open.remove(id).unwrap_or_default();
        self.learn(&mut call, update);
        let status = update["status"].as_str().unwrap_or_default();
        let over = matches!(status, "completed" | "failed");
        // Some say at first only that there is a call, and in which folder.
        let known = update["rawInput"].as_object().is_some_and(|input| input.keys().any(|key| key != "cwd"));
        let known = known || call.terminal.is_some();
        let mut events = Vec::new();
        if !call.told && (over || known) {
            call.told = true;
            events.push(EventKind::ToolCall { tool: call.tool.clone(), title: call.title.clone() });
        }
        if !over {
            if self.open.len() < OPEN {
                self.open.insert(id.to_owned(), call);
            }
            return events;
        }
        if call.kind == "edit" && call.edits.is_empty() {
            // It does not tell what is different; if it is one file, what it was told to write does.
            let written = if call.places.len() == 1 { call.written.as_str() } else { "" };
            call.edits = call.places.iter().map(|path| (path.clone(), written.to_owned())).collect();
        }
        if status == "completed" && !call.edits.is_empty() {
            events.extend(call.edits.into_iter().map(|(path, diff)| EventKind::FileEdit { path, diff }));
        } else {
            // What was said in a terminal was seen at its end.
            let state = call.terminal.filter(|_| call.text.is_empty()).map(|id| terminals.state(&id));
            call.text = state.unwrap_or(call.text);
            events.push(EventKind::ToolEnd { tool: call.tool, ok: status == "completed", text: call.text });
        }
        events
    }

    fn learn(&self, call: &mut Call, update: &Value) {
        let text = |key: &str| update[key].as_str().filter(|text| !text.is_empty());
        if let Some(kind) = text("kind") {
            kind.clone_into(&mut call.kind);
        }
        if let Some(name) = text("name").or_else(|| update["_meta"]["claudeCode"]["toolName"].as_str()) {
            call.tool = title(name);
        } else if call.tool.is_empty() {
            call.tool = title(if call.kind.is_empty() { "tool" } else { &call.kind });
        }
        if let Some(words) = text("title") {
            call.title = title(words);
            words.trim().clone_into(&mut call.whole);
        }
        if !update["rawInput"].is_null() {
            call.input = update["rawInput"].clone();
            let files = ["file_path", "filePath", "path", "abs_path"].into_iter();
            call.given =
                files.filter_map(|key| call.input[key].as_str()).map(|path| relative(path, &self.worktree)).collect();
        }
        if let Some(command) = command(&update["rawInput"]) {
            call.command = command;
        }
        if let Some(locations) = update["locations"].as_array() {
            let paths = locations.iter().take(OPEN).filter_map(|place| place["path"].as_str());
            call.places = paths.map(|path| relative(path, &self.worktree)).collect();
        }
        let input = |key: &str| update["rawInput"][key].as_str();
        if let Some(new) = input("newString").or_else(|| input("content")) {
            call.written = diff::between(input("oldString").unwrap_or_default(), new);
        }
        if let Some(content) = update["content"].as_array() {
            self.content(call, content);
        }
        if let Some(output) = text("rawOutput")
            && call.text.is_empty()
        {
            call.text = said(output);
        }
        call.rest = self.rest(call);
    }

    /// What a call is given beside its command, or what its files and the differences in them say.
    fn rest(&self, call: &Call) -> Value {
        let known: &[&str] = match (call.command.is_empty(), call.kind.as_str()) {
            (false, "execute") => &OF_COMMANDS,
            (false, _) => &["command"],
            (true, "edit") => &OF_EDITS,
            (true, _) => &[],
        };
        let mut rest = call.input.clone();
        if let Some(fields) = rest.as_object_mut() {
            let here = |name: &str, value: &Value| {
                FOLDERS.contains(&name) && value.as_str() == Some(self.worktree.as_str()) && !call.command.is_empty()
            };
            let unset = |value: &Value| value.is_null() || (call.kind == "edit" && *value == false);
            fields.retain(|name, value| !known.contains(&name.as_str()) && !here(name, value) && !unset(value));
        }
        rest
    }

    fn content(&self, call: &mut Call, content: &[Value]) {
        let diffs = content.iter().filter(|part| part["type"] == "diff").take(OPEN);
        let edit = |part: &Value| {
            let text = |key: &str| part[key].as_str().unwrap_or_default();
            (relative(text("path"), &self.worktree), diff::between(text("oldText"), text("newText")))
        };
        let edits: Vec<(String, String)> = diffs.map(edit).collect();
        if !edits.is_empty() {
            call.edits = edits;
        }
        if let Some(id) = content.iter().find_map(|part| part["terminalId"].as_str()) {
            call.terminal = Some(title(id));
        }
        let texts = content.iter().filter_map(|part| part["content"]["text"].as_str());
        let words: String = texts.collect::<Vec<_>>().join("\n");
        if !words.is_empty() {
            call.text = said(without_fence(&words));
        }
    }
}

/// What a call runs: some say it in one text, some in words.
fn command(input: &Value) -> Option<String> {
    let command = &input["command"];
    let words =
        command.as_array().and_then(|words| words.iter().map(|word| word.as_str().map(str::to_owned)).collect());
    let words = words.filter(|words: &Vec<String>| !words.is_empty());
    let typed = words.map(|words| typed(Utf8Path::new(""), &[], &words));
    command.as_str().map(str::to_owned).or(typed).filter(|command| !command.is_empty())
}

fn is_nothing(input: &Value) -> bool {
    input.is_null() || input.as_object().is_some_and(serde_json::Map::is_empty)
}

/// A text without the fence of Markdown around it.
fn without_fence(text: &str) -> &str {
    let inner = text.strip_prefix("```").and_then(|rest| rest.split_once('\n')).map(|(_, rest)| rest);
    inner.and_then(|inner| inner.trim_end().strip_suffix("```")).unwrap_or(text)
}
