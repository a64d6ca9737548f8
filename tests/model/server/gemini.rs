//! Google's Gemini interface.

use std::{io, net::TcpStream};

use serde_json::{Value, json};

use super::{Act, Asked, Said, http};

/// What is asked of a model, by the end of the path.
pub(super) const STREAM: &str = ":streamGenerateContent";
pub(super) const WHOLE: &str = ":generateContent";
pub(super) const COUNT: &str = ":countTokens";

pub(super) fn read(body: &Value) -> Asked {
    let mut said = Vec::new();
    for content in body["contents"].as_array().into_iter().flatten() {
        for part in content["parts"].as_array().into_iter().flatten() {
            said.push(match (&part["functionResponse"]["response"], part["text"].as_str()) {
                _ if content["role"] == "model" => Said::Model(part.to_string()),
                (Value::Null, text) => Said::User(text.unwrap_or_default().to_owned()),
                (response, _) => Said::Result(response.to_string()),
            });
        }
    }
    let tools = body["tools"].as_array().into_iter().flatten();
    let tools = tools.flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten());
    let tools = tools.filter_map(|tool| tool["name"].as_str().map(str::to_owned)).collect();
    Asked { path: String::new(), body: body.clone(), said, tools }
}

fn part(act: &Act) -> Value {
    let call = |name: &str, arguments: Value| {
        let mut call = json!({"name": name});
        call["args"] = arguments;
        json!({"functionCall": call})
    };
    match act {
        Act::Say(text) => json!({"text": text}),
        Act::Think(text) => json!({"text": text, "thought": true}),
        Act::Write { path, content } => call("write_file", json!({"file_path": path, "content": content})),
        Act::Shell(command) => call("run_shell_command", json!({"command": command, "description": "runs it"})),
        Act::Call { name, arguments } => call(name, arguments.clone()),
        Act::Hang | Act::Cut => json!({"text": "I cannot stop now."}),
    }
}

fn answer(parts: &[Value], last: bool) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    let mut answer = json!({"responseId": "r", "modelVersion": "fake"});
    if last {
        candidate["finishReason"] = json!("STOP");
        answer["usageMetadata"] = json!({
            "promptTokenCount": 100, "cachedContentTokenCount": 40, "candidatesTokenCount": 20, "totalTokenCount": 120,
        });
    }
    answer["candidates"] = json!([candidate]);
    answer
}

/// Bit by bit: each text by words, each call at once.
pub(super) fn speak(stream: &TcpStream, _: &Asked, acts: &[Act]) -> io::Result<()> {
    http::begin_stream(stream)?;
    for act in acts {
        if let Act::Say(text) = act {
            for word in text.split_inclusive(' ') {
                http::event(stream, &answer(&[json!({"text": word})], false))?;
            }
        } else {
            http::event(stream, &answer(&[part(act)], false))?;
        }
    }
    http::event(stream, &answer(&[json!({"text": ""})], true))
}

/// In one piece.
pub(super) fn tell(stream: &TcpStream, _: &Asked, acts: &[Act]) -> io::Result<()> {
    let parts: Vec<Value> = acts.iter().map(part).collect();
    http::json(stream, 200, &[], &answer(&parts, true))
}
