//! Anthropic's Messages interface.

use std::{io, net::TcpStream};

use serde_json::{Value, json};

use super::{Act, Asked, Said, http};

pub(super) fn read(body: &Value) -> Asked {
    let mut said = Vec::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let model = message["role"] == "assistant";
        if let Some(text) = message["content"].as_str() {
            said.push(if model { Said::Model(text.into()) } else { Said::User(text.into()) });
        }
        for block in message["content"].as_array().into_iter().flatten() {
            let text = block["text"].as_str().unwrap_or_default();
            said.push(match (block["type"].as_str(), model) {
                (_, true) => Said::Model(block.to_string()),
                (Some("tool_result"), false) => Said::Result(result(&block["content"])),
                (_, false) => Said::User(text.to_owned()),
            });
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools = tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    Asked { path: String::new(), body: body.clone(), said, tools }
}

fn result(content: &Value) -> String {
    match content.as_str() {
        Some(text) => text.to_owned(),
        None => content.as_array().into_iter().flatten().filter_map(|part| part["text"].as_str()).collect(),
    }
}

/// The blocks of an answer.
fn blocks(asked: &Asked, acts: &[Act]) -> Vec<Value> {
    let at = asked.said.len();
    let call = |n: usize, name: &str, input: Value| {
        let name = ToOwned::to_owned(name);
        json!({"type": "tool_use", "id": format!("toolu_{at}_{n}"), "name": name, "input": input})
    };
    let block = |(n, act): (usize, &Act)| match act {
        Act::Say(text) => json!({"type": "text", "text": text}),
        Act::Think(text) => json!({"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}),
        Act::Write { path, content } => call(n, "Write", json!({"file_path": path, "content": content})),
        Act::Shell(command) => call(n, "Bash", json!({"command": command, "description": "runs it"})),
        Act::Call { name, arguments } => call(n, name, arguments.clone()),
        Act::Hang | Act::Cut => json!({"type": "text", "text": "I cannot stop now."}),
    };
    acts.iter().enumerate().map(block).collect()
}

pub(super) fn speak(stream: &TcpStream, asked: &Asked, acts: &[Act]) -> io::Result<()> {
    let blocks = blocks(asked, acts);
    let calls = blocks.iter().any(|block| block["type"] == "tool_use");
    let stop = if calls { "tool_use" } else { "end_turn" };
    let usage = json!({"input_tokens": 100, "cache_read_input_tokens": 40, "cache_creation_input_tokens": 0, "output_tokens": 20});
    let id = format!("msg_{}", asked.said.len());
    let mut message = json!({
        "id": id, "type": "message", "role": "assistant", "model": asked.body["model"], "content": blocks,
        "stop_reason": stop, "stop_sequence": null, "usage": usage,
    });
    if asked.body["stream"] != true {
        return http::json(stream, 200, &[], &message);
    }
    http::begin_stream(stream)?;
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    http::event(stream, &json!({"type": "message_start", "message": message}))?;
    for (index, block) in blocks.iter().enumerate() {
        let (start, deltas) = pieces(block);
        http::event(stream, &json!({"type": "content_block_start", "index": index, "content_block": start}))?;
        for delta in deltas {
            http::event(stream, &json!({"type": "content_block_delta", "index": index, "delta": delta}))?;
        }
        http::event(stream, &json!({"type": "content_block_stop", "index": index}))?;
    }
    let delta = json!({"stop_reason": stop, "stop_sequence": null});
    http::event(stream, &json!({"type": "message_delta", "delta": delta, "usage": usage}))?;
    http::event(stream, &json!({"type": "message_stop"}))
}

/// How a block begins, and what comes of it bit by bit.
fn pieces(block: &Value) -> (Value, Vec<Value>) {
    let text = |key: &str| block[key].as_str().unwrap_or_default().to_owned();
    match block["type"].as_str() {
        Some("text") => {
            let text = text("text");
            let words = text.split_inclusive(' ').map(|word| json!({"type": "text_delta", "text": word})).collect();
            (json!({"type": "text", "text": ""}), words)
        }
        Some("thinking") => {
            let thought = json!({"type": "thinking_delta", "thinking": text("thinking")});
            let signature = json!({"type": "signature_delta", "signature": text("signature")});
            (json!({"type": "thinking", "thinking": "", "signature": ""}), vec![thought, signature])
        }
        _ => {
            let mut start = block.clone();
            start["input"] = json!({});
            (start, vec![json!({"type": "input_json_delta", "partial_json": block["input"].to_string()})])
        }
    }
}
