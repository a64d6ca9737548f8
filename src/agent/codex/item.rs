//! What Codex does in a turn, item by item, for people.

use camino::Utf8Path;
use serde_json::Value;

use crate::{
    agent::{
        diff,
        talk::{relative, said, title},
    },
    model::EventKind,
};

/// What an item that begins is about; those that are told by what comes of them say nothing yet.
pub(super) fn started(item: &Value, worktree: &Utf8Path) -> Option<EventKind> {
    let text = |key: &str| item[key].as_str().unwrap_or_default();
    let (tool, about) = match text("type") {
        "commandExecution" => ("shell".to_owned(), command(text("command")).to_owned()),
        "fileChange" => ("edit".to_owned(), paths(item, worktree).join(", ")),
        "mcpToolCall" => (format!("{}.{}", text("server"), text("tool")), arguments(&item["arguments"])),
        "webSearch" => ("web search".to_owned(), text("query").to_owned()),
        _ => return None,
    };
    Some(EventKind::ToolCall { tool: title(&tool), title: title(&about) })
}

/// What came of an item. `streamed`: its text came in pieces.
pub(super) fn completed(item: &Value, streamed: bool, worktree: &Utf8Path) -> Vec<EventKind> {
    let text = |key: &str| item[key].as_str().unwrap_or_default();
    let done = text("status") == "completed";
    let end =
        |tool: &str, ok: bool, text: &str| vec![EventKind::ToolEnd { tool: tool.to_owned(), ok, text: said(text) }];
    match text("type") {
        "agentMessage" if streamed => vec![EventKind::AgentText { text: "\n".to_owned() }],
        "agentMessage" => vec![EventKind::AgentText { text: format!("{}\n", text("text").trim_end()) }],
        "reasoning" if streamed => vec![EventKind::AgentThought { text: "\n".to_owned() }],
        "reasoning" => {
            let parts = item["summary"].as_array().into_iter().flatten().filter_map(Value::as_str);
            parts.map(|part| EventKind::AgentThought { text: format!("{}\n", part.trim_end()) }).collect()
        }
        "commandExecution" => match (text("status"), item["exitCode"].as_i64()) {
            ("declined", _) => end("shell", false, "it was not allowed"),
            (_, Some(code)) if code != 0 => {
                end("shell", false, &format!("{}\nexit code {code}", text("aggregatedOutput").trim_end()))
            }
            _ => end("shell", done, text("aggregatedOutput")),
        },
        "fileChange" if done => {
            item["changes"].as_array().into_iter().flatten().map(|change| edit(change, worktree)).collect()
        }
        "fileChange" if text("status") == "declined" => end("edit", false, "it was not allowed"),
        "fileChange" => end("edit", false, "the files could not be changed"),
        "mcpToolCall" => {
            let parts = item["result"]["content"].as_array().into_iter().flatten();
            let said: String = parts.filter_map(|part| part["text"].as_str()).collect();
            let error = item["error"]["message"].as_str().unwrap_or_default();
            let tool = title(&format!("{}.{}", text("server"), text("tool")));
            end(&tool, done && item["error"].is_null(), if error.is_empty() { &said } else { error })
        }
        "contextCompaction" => {
            vec![EventKind::Note { text: "The conversation became too long and was summed up.".to_owned() }]
        }
        _ => Vec::new(),
    }
}

/// A command that waits for a word, whole, with where and why.
pub(super) fn why(command: &str, params: &Value, worktree: &Utf8Path) -> String {
    let reason = params["reason"].as_str().map_or_else(String::new, |reason| format!("\n{reason}"));
    format!("{}{reason}", place(command, params, worktree))
}

/// A command with where it is to run, unless that is the worktree.
pub(super) fn place(command: &str, params: &Value, worktree: &Utf8Path) -> String {
    let place = params["cwd"].as_str().filter(|place| *place != worktree.as_str());
    let place = place.map_or_else(String::new, |place| format!("\nin {}", relative(place, worktree)));
    format!("{command}{place}")
}

/// What would be different in the files that an item changes.
pub(super) fn changes(item: &Value, worktree: &Utf8Path) -> String {
    let changes = item["changes"].as_array().into_iter().flatten();
    let told =
        |kind| if let EventKind::FileEdit { path, diff } = kind { format!("{path}\n{diff}") } else { String::new() };
    changes.map(|change| told(edit(change, worktree))).collect()
}

/// The files that an item changes.
pub(super) fn paths(item: &Value, worktree: &Utf8Path) -> Vec<String> {
    let changes = item["changes"].as_array().into_iter().flatten();
    changes.filter_map(|change| change["path"].as_str()).map(|path| relative(path, worktree)).collect()
}

fn edit(change: &Value, worktree: &Utf8Path) -> EventKind {
    let text = change["diff"].as_str().unwrap_or_default();
    let diff = match change["kind"]["type"].as_str() {
        Some("add") => diff::between("", text),
        Some("delete") => diff::between(text, ""),
        _ => {
            diff::shorten(text.lines().filter(|line| !line.starts_with("@@")).map(|line| format!("{line}\n")).collect())
        }
    };
    EventKind::FileEdit { path: relative(change["path"].as_str().unwrap_or_default(), worktree), diff }
}

/// A command line without the shell that it is wrapped in.
pub(super) fn command(line: &str) -> &str {
    let inner = line.strip_prefix("/bin/bash -lc ").or_else(|| line.strip_prefix("bash -lc ")).unwrap_or(line);
    inner.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')).unwrap_or(inner)
}

fn arguments(arguments: &Value) -> String {
    if arguments.as_object().is_none_or(serde_json::Map::is_empty) { String::new() } else { arguments.to_string() }
}
