//! Messages as they stand on the line, and what is read from them without a state.

use serde_json::{Value, json};

use crate::{
    agent::talk::{Effect, title},
    model::{EventKind, PlanItem, PlanState},
};

/// What is said of a request that has something wrong in it.
pub(super) const BAD: i32 = -32602;
/// What is said of a request that was refused. (The protocol has -32000 for those who are not logged in.)
pub(super) const REFUSED: i32 = -32001;
/// What is said of something that there is not.
pub(super) const MISSING: i32 = -32002;

pub(super) fn note(text: String) -> Effect {
    Effect::Event(EventKind::Note { text })
}

pub(super) fn request(id: u64, method: &str, params: Value) -> Effect {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    message["params"] = params;
    Effect::Send(message)
}

/// The id of a request as it came: a number or a text.
fn id(key: &str) -> Value {
    serde_json::from_str(key).unwrap_or(Value::Null)
}

pub(super) fn answer(key: &str, result: Value) -> Effect {
    let mut message = json!({"jsonrpc": "2.0", "id": id(key)});
    message["result"] = result;
    Effect::Send(message)
}

pub(super) fn refuse(key: &str, code: i32, message: &str) -> Effect {
    Effect::Send(json!({"jsonrpc": "2.0", "id": id(key), "error": {"code": code, "message": message}}))
}

pub(super) fn unknown(key: &str, method: &str) -> Vec<Effect> {
    vec![refuse(key, -32601, &format!("callboard does not know {}", title(method)))]
}

pub(super) fn plan(update: &Value) -> Vec<PlanItem> {
    let item = |entry: &Value| PlanItem {
        text: title(entry["content"].as_str().unwrap_or_default()),
        state: match entry["status"].as_str() {
            Some("completed") => PlanState::Done,
            Some("in_progress") => PlanState::Active,
            _ => PlanState::Pending,
        },
    };
    update["entries"].as_array().into_iter().flatten().take(100).map(item).collect()
}
