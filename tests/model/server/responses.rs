//! OpenAI's Responses interface.

use std::{io, net::TcpStream};

use serde_json::{Value, json};

use super::{Act, Asked, Said, http};

pub(super) fn read(body: &Value) -> Asked {
    let said = body["input"].as_array().into_iter().flatten().flat_map(said).collect();
    let tools = body["tools"].as_array().into_iter().flatten();
    let name = |tool: &Value| tool["name"].as_str().or_else(|| tool["type"].as_str()).map(str::to_owned);
    Asked { path: String::new(), body: body.clone(), said, tools: tools.filter_map(name).collect() }
}

fn said(item: &Value) -> Vec<Said> {
    let kind = item["type"].as_str().unwrap_or("message");
    if kind.ends_with("_output") {
        let output = &item["output"];
        return vec![Said::Result(output.as_str().map_or_else(|| output.to_string(), str::to_owned))];
    }
    if kind != "message" {
        return vec![Said::Model(item.to_string())];
    }
    let text = |part: &Value| part["text"].as_str().unwrap_or_default().to_owned();
    match item["role"].as_str() {
        Some("assistant") => vec![Said::Model(item.to_string())],
        // What the program itself has to say is not the user's.
        Some("user") => item["content"].as_array().into_iter().flatten().map(|part| Said::User(text(part))).collect(),
        _ => Vec::new(),
    }
}

fn items(asked: &Asked, acts: &[Act]) -> Vec<Value> {
    let at = asked.said.len();
    let has = |tool: &str| asked.tools.iter().any(|name| name == tool);
    let call = |n: usize, name: &str, arguments: &Value| {
        json!({
            "type": "function_call", "id": format!("fc_{at}_{n}"), "call_id": format!("call_{at}_{n}"), "name": name,
            "arguments": arguments.to_string(), "status": "completed",
        })
    };
    let item = |(n, act): (usize, &Act)| match act {
        Act::Say(text) => {
            let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
            json!({"type": "message", "id": format!("msg_{at}_{n}"), "role": "assistant", "status": "completed", "content": content})
        }
        Act::Think(text) => {
            let summary = json!([{"type": "summary_text", "text": text}]);
            json!({"type": "reasoning", "id": format!("rs_{at}_{n}"), "summary": summary, "encrypted_content": "eA=="})
        }
        Act::Write { path, content } => {
            let lines: String = content.lines().map(|line| format!("+{line}\n")).collect();
            let patch = format!("*** Begin Patch\n*** Add File: {path}\n{lines}*** End Patch\n");
            json!({
                "type": "custom_tool_call", "id": format!("ctc_{at}_{n}"), "call_id": format!("call_{at}_{n}"),
                "name": "apply_patch", "input": patch, "status": "completed",
            })
        }
        Act::Shell(command) if has("exec_command") => call(n, "exec_command", &json!({"cmd": command})),
        Act::Shell(command) => call(n, "shell_command", &json!({"command": command})),
        Act::Call { name, arguments } => match name.rsplit_once("__") {
            Some((server, tool)) if server.starts_with("mcp__") => {
                let mut item = call(n, tool, arguments);
                item["namespace"] = json!(server);
                item
            }
            _ => call(n, name, arguments),
        },
        Act::Hang | Act::Cut => json!({"type": "message", "role": "assistant", "content": []}),
    };
    acts.iter().enumerate().map(item).collect()
}

pub(super) fn speak(stream: &TcpStream, asked: &Asked, acts: &[Act]) -> io::Result<()> {
    let id = format!("resp_{}", asked.said.len());
    http::begin_stream(stream)?;
    http::event(stream, &json!({"type": "response.created", "response": {"id": id, "status": "in_progress"}}))?;
    let items = items(asked, acts);
    for (index, item) in items.iter().enumerate() {
        http::event(stream, &json!({"type": "response.output_item.added", "output_index": index, "item": item}))?;
        let text = item["content"][0]["text"].as_str().unwrap_or_default();
        for word in text.split_inclusive(' ').filter(|word| !word.is_empty()) {
            let delta = json!({
                "type": "response.output_text.delta", "item_id": item["id"], "output_index": index, "content_index": 0,
                "delta": word,
            });
            http::event(stream, &delta)?;
        }
        http::event(stream, &json!({"type": "response.output_item.done", "output_index": index, "item": item}))?;
    }
    let usage = json!({
        "input_tokens": 100, "input_tokens_details": {"cached_tokens": 40}, "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 120,
    });
    let response = json!({"id": id, "status": "completed", "output": items, "usage": usage});
    http::event(stream, &json!({"type": "response.completed", "response": response}))
}
