//! OpenAI's chat completions, as many programs speak them.

use std::{
    io::{self, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use super::{Act, Asked, Said, http};

pub(super) fn read(body: &Value) -> Asked {
    let mut said = Vec::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let content = &message["content"];
        let mut texts: Vec<String> = content.as_str().map(str::to_owned).into_iter().collect();
        let parts = content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str());
        texts.extend(parts.map(str::to_owned));
        match message["role"].as_str() {
            Some("user") => said.extend(texts.into_iter().map(Said::User)),
            Some("tool") => said.push(Said::Result(texts.concat())),
            Some("assistant") => said.push(Said::Model(message.to_string())),
            _ => {}
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools = tools.filter_map(|tool| tool["function"]["name"].as_str().map(str::to_owned)).collect();
    Asked { path: String::new(), body: body.clone(), said, tools }
}

/// Where the program works: some tools take whole paths only.
fn folder(asked: &Asked) -> String {
    let text = asked.body.to_string();
    let (_, after) = text.split_once("working in the directory: ").unwrap_or_default();
    after.split(['\\', '"']).next().unwrap_or_default().to_owned()
}

pub(super) fn speak(mut stream: &TcpStream, asked: &Asked, acts: &[Act]) -> io::Result<()> {
    let has = |tool: &str| asked.tools.iter().any(|name| name == tool);
    let (mut text, mut calls) = (String::new(), Vec::new());
    let mut call = |name: &str, arguments: Value| {
        let id = format!("call_{}_{}", asked.said.len(), calls.len());
        let function = json!({"name": name, "arguments": arguments.to_string()});
        calls.push(json!({"index": calls.len(), "id": id, "type": "function", "function": function}));
    };
    for act in acts {
        match act {
            Act::Say(more) => text += more,
            Act::Write { path, content } if has("write_file") => {
                call("write_file", json!({"file_path": format!("{}/{path}", folder(asked)), "content": content}));
            }
            Act::Write { path, content } => call("write", json!({"filePath": path, "content": content})),
            Act::Shell(command) if has("run_shell_command") => {
                call("run_shell_command", json!({"command": command, "description": "runs it"}));
            }
            Act::Shell(command) => call("bash", json!({"command": command, "description": "runs it"})),
            Act::Call { name, arguments } => call(name, arguments.clone()),
            Act::Think(_) | Act::Hang | Act::Cut => {}
        }
    }
    let finish = if calls.is_empty() { "stop" } else { "tool_calls" };
    let id = format!("chatcmpl-{}", asked.said.len());
    let usage = json!({
        "prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_tokens_details": {"cached_tokens": 40},
    });
    if asked.body["stream"] != true {
        let message = json!({"role": "assistant", "content": text, "tool_calls": calls});
        let choices = json!([{"index": 0, "message": message, "finish_reason": finish}]);
        let whole = json!({"id": id, "object": "chat.completion", "choices": choices, "usage": usage});
        return http::json(stream, 200, &[], &whole);
    }
    http::begin_stream(stream)?;
    let chunk = |delta: Value, finish: Value, usage: &Value| {
        let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish}]);
        let chunk = json!({
            "id": id, "object": "chat.completion.chunk", "created": 1, "model": asked.body["model"], "choices": choices,
            "usage": usage,
        });
        http::event(stream, &chunk)
    };
    for word in text.split_inclusive(' ') {
        chunk(json!({"role": "assistant", "content": word}), Value::Null, &Value::Null)?;
    }
    for call in &calls {
        chunk(json!({"role": "assistant", "tool_calls": [call]}), Value::Null, &Value::Null)?;
    }
    chunk(json!({}), json!(finish), &usage)?;
    stream.write_all(b"data: [DONE]\n\n")
}
