//! What Claude Code's tools are about, for people.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::{
    agent::{diff, talk},
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

/// What a call would do, whole: a command, or what would be different in a file; of other tools, all that they are given.
pub(super) fn detail(input: &Value, worktree: &Utf8Path) -> String {
    let text = |key: &str| input[key].as_str();
    let file = text("file_path").or_else(|| text("notebook_path"));
    let diff = match (text("content").or_else(|| text("new_source")), text("old_string"), text("new_string")) {
        (_, Some(old), Some(new)) => Some(diff::between(old, new)),
        (Some(content), _, _) => Some(diff::between("", content)),
        (None, _, _) => None,
    };
    let whole = match (text("command"), file, diff) {
        (Some(command), _, _) => command.to_owned(),
        (None, Some(file), Some(diff)) => format!("{}\n{diff}", relative(file, worktree)),
        (None, _, _) => serde_json::to_string_pretty(input).unwrap_or_default(),
    };
    talk::detail(&whole, &title("", input, worktree))
}

/// What a rule for a call is about: its command, its file, or else all that it is given.
pub(super) fn subject(input: &Value, worktree: &Utf8Path) -> String {
    let text = |key: &str| input[key].as_str();
    match (text("command"), text("file_path").or_else(|| text("notebook_path"))) {
        (Some(command), _) => talk::subject(command),
        (None, Some(file)) => talk::subject(&relative(file, worktree)),
        (None, None) => talk::subject(&input.to_string()),
    }
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

fn relative(path: &str, worktree: &Utf8Path) -> String {
    let path = Utf8PathBuf::from(path);
    path.strip_prefix(worktree).map_or_else(|_| path.to_string(), ToString::to_string)
}
