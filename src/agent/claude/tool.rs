//! What Claude Code's tools are about, for people.

use camino::Utf8Path;
use serde_json::Value;

use crate::{
    agent::{
        diff,
        talk::{self, relative},
    },
    model::{EventKind, PlanItem, PlanState},
};

/// The inputs that say most, the most telling first.
const TELLING: [&str; 9] =
    ["command", "file_path", "notebook_path", "pattern", "url", "query", "description", "subject", "prompt"];

/// What a call is about, in one line.
pub(super) fn title(name: &str, input: &Value, worktree: &Utf8Path) -> String {
    let told = TELLING.iter().find_map(|key| input[key].as_str().map(|text| (*key, text)));
    match told {
        Some(("file_path" | "notebook_path", path)) => talk::title(&relative(path, worktree)),
        Some((_, text)) => talk::title(text),
        None if name.is_empty() || input.as_object().is_none_or(serde_json::Map::is_empty) => String::new(),
        None => talk::title(&input.to_string()),
    }
}

/// What Claude Code's own tools are given that their command, or their file and the difference in it, says, and what changes
/// nothing about what they do. Of other tools nothing is known: they may be anybody's.
fn known(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "Bash" => Some(&["command", "description", "timeout", "run_in_background"]),
        "Edit" => Some(&["file_path", "old_string", "new_string"]),
        "Write" => Some(&["file_path", "content"]),
        "NotebookEdit" => Some(&["notebook_path", "new_source"]),
        _ => None,
    }
}

/// What an edit is given that only says which part of the file it is about.
const OF_EDITS: [&str; 4] = ["replace_all", "cell_id", "cell_type", "edit_mode"];

/// What of an input is not among these, and is not just left off.
fn rest(input: &Value, known: &[&str]) -> Value {
    let fields = input.as_object().into_iter().flatten();
    let more = fields.filter(|(name, value)| !known.contains(&name.as_str()) && !value.is_null() && **value != false);
    Value::Object(more.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A text with what else is given.
fn with_rest(text: &str, rest: &Value, shown: impl Fn(&Value) -> String) -> String {
    if rest.as_object().is_some_and(|rest| !rest.is_empty()) {
        format!("{text}\n{}", shown(rest))
    } else {
        text.to_owned()
    }
}

/// Whether a rule for a call is about its file, whatever becomes of it.
pub(super) fn is_edit(name: &str, input: &Value) -> bool {
    name != "Bash" && known(name).is_some() && file(input).is_some()
}

fn file(input: &Value) -> Option<&str> {
    input["file_path"].as_str().or_else(|| input["notebook_path"].as_str())
}

/// What a call would do, whole: a command, or what would be different in a file; of other tools, all that they are given.
pub(super) fn detail(name: &str, input: &Value, worktree: &Utf8Path) -> String {
    let text = |key: &str| input[key].as_str();
    let diff = match (text("content").or_else(|| text("new_source")), text("old_string"), text("new_string")) {
        (_, Some(old), Some(new)) => Some(diff::between(old, new)),
        (Some(content), _, _) => Some(diff::between("", content)),
        (None, _, _) => None,
    };
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap_or_default();
    let shown = match (known(name), text("command"), file(input), diff) {
        (Some(known), Some(command), _, _) if name == "Bash" => with_rest(command, &rest(input, known), pretty),
        (Some(known), _, Some(file), Some(diff)) if name != "Bash" => {
            with_rest(format!("{}\n{diff}", relative(file, worktree)).trim_end(), &rest(input, known), pretty)
        }
        (Some(_) | None, _, _, _) => pretty(input),
    };
    talk::detail(&shown, &title("", input, worktree))
}

/// What a rule for a call is about: its command, its file, or else all that it is given.
pub(super) fn subject(name: &str, input: &Value, worktree: &Utf8Path) -> String {
    let known = known(name).unwrap_or_default();
    let about = match (input["command"].as_str(), file(input)) {
        (Some(command), _) if name == "Bash" => command.to_owned(),
        (_, Some(file)) if is_edit(name, input) => relative(file, worktree),
        (Some(_) | None, _) => return talk::subject(&input.to_string()),
    };
    talk::subject(&with_rest(&about, &rest(input, &[known, &OF_EDITS].concat()), Value::to_string))
}

/// The plan that a call makes or changes.
pub(super) fn plan(name: &str, input: &Value) -> Option<EventKind> {
    let todos = input["todos"].as_array().filter(|_| name == "TodoWrite")?;
    let item = |todo: &Value| PlanItem {
        text: talk::title(todo["content"].as_str().unwrap_or_default()),
        state: match todo["status"].as_str() {
            Some("completed") => PlanState::Done,
            Some("in_progress") => PlanState::Active,
            _ => PlanState::Pending,
        },
    };
    Some(EventKind::Plan { items: todos.iter().take(100).map(item).collect() })
}

/// The edit that came of a call, if one did.
pub(super) fn edit(result: &Value, worktree: &Utf8Path) -> Option<EventKind> {
    let hunks = result["structuredPatch"].as_array()?;
    let path = relative(result["filePath"].as_str()?, worktree);
    let lines = hunks.iter().flat_map(|hunk| hunk["lines"].as_array().into_iter().flatten());
    let mut lines: String = lines.filter_map(Value::as_str).map(|line| format!("{line}\n")).collect();
    if hunks.is_empty() {
        lines = diff::between("", result["content"].as_str().unwrap_or_default());
    }
    Some(EventKind::FileEdit { path, diff: diff::shorten(lines) })
}

/// The text of a result, which is a text or a list of parts.
pub(super) fn text(content: &Value) -> String {
    match content.as_str() {
        Some(text) => text.to_owned(),
        None => content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    }
}
