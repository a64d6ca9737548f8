//! In which way a turn of Claude Code failed.

use serde_json::Value;

use crate::{
    agent::talk::{Failure, said},
    model::AgentFailure,
};

const LOG_IN: &str =
    "run `claude` in a terminal and log in, or give it a key: ANTHROPIC_API_KEY in callboard's environment";

/// What the last message says about the turn; `None`: it went well. An error of the model's server still calls itself a
/// success: only `is_error` counts.
pub(super) fn of_result(message: &Value, resets_at: Option<i64>) -> Option<Failure> {
    let text = |key: &str| message[key].as_str().unwrap_or_default();
    if message["is_error"] != true {
        let refused = text("stop_reason") == "refusal";
        return refused
            .then(|| Failure::new(AgentFailure::Refused, format!("the model refused: {}", said(text("result")))));
    }
    let errors = message["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let errors: Vec<&str> = std::iter::once(text("result")).chain(errors).filter(|text| !text.is_empty()).collect();
    let words = said(&errors.join("\n"));
    let limit = ["error_max_turns", "error_max_budget_usd"].contains(&text("subtype"));
    let status = message["api_error_status"].as_u64().unwrap_or_default();
    let (kind, what) = match status {
        _ if limit => (AgentFailure::Limit, format!("Claude Code stopped at a limit of its own ({})", text("subtype"))),
        401 | 403 => (AgentFailure::LoggedOut, format!("Claude Code is not logged in ({words}): {LOG_IN}")),
        _ if words.contains("Not logged in") || words.contains("/login") => {
            (AgentFailure::LoggedOut, format!("Claude Code is not logged in ({words}): {LOG_IN}"))
        }
        429 => (AgentFailure::Quota, format!("Claude Code may use no more for now: {words}")),
        _ if words.contains("limit reached") => {
            (AgentFailure::Quota, format!("Claude Code may use no more for now: {words}"))
        }
        500.. => (AgentFailure::Overloaded, format!("the model's server could not answer ({status}): {words}")),
        400..500 => (AgentFailure::Rejected, format!("the model's server did not take a request ({status}): {words}")),
        _ if words.contains("No conversation found") => return of_stderr(&words),
        _ if text("terminal_reason") == "api_error" => {
            (AgentFailure::Overloaded, format!("the model's server could not be reached: {words}"))
        }
        _ if words.is_empty() => (AgentFailure::Other, format!("Claude Code stopped ({})", text("subtype"))),
        _ => (AgentFailure::Other, format!("Claude Code stopped: {words}")),
    };
    let resumes_at = resets_at.or_else(|| in_words(&words)).filter(|_| kind == AgentFailure::Quota);
    Some(Failure {
        resumes_at: resumes_at.and_then(|seconds| seconds.checked_mul(1_000_000)),
        ..Failure::new(kind, what)
    })
}

/// `…limit reached|1762300800`: the second at which it may go on.
fn in_words(words: &str) -> Option<i64> {
    let (_, after) = words.split_once("limit reached|")?;
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// What standard error lets guess.
pub(super) fn of_stderr(stderr: &str) -> Option<Failure> {
    let has = |text: &str| stderr.contains(text);
    if has("No conversation found") {
        return Some(Failure::new(AgentFailure::NoConversation, "Claude Code does not know the conversation any more"));
    }
    if has("already in use") {
        return Some(Failure::new(AgentFailure::Taken, "Claude Code has a conversation of this name already"));
    }
    None
}
