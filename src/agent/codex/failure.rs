//! In which way a turn of Codex failed.

use serde_json::Value;

use crate::{
    agent::talk::{Failure, said},
    model::AgentFailure,
};

pub(super) fn logged_out(why: &str) -> Failure {
    let hint = "run `codex login` in a terminal; with a key: `printenv OPENAI_API_KEY | codex login --with-api-key`";
    Failure::new(AgentFailure::LoggedOut, format!("Codex is not logged in ({why}): {hint}"))
}

/// A request of callboard's was refused.
pub(super) fn of_request(error: &Value) -> Failure {
    let words = said(error["message"].as_str().unwrap_or("it did not say why"));
    if words.contains("no rollout found") || words.contains("invalid session id") {
        return Failure::new(AgentFailure::NoConversation, "Codex does not know the conversation any more");
    }
    Failure::new(AgentFailure::Other, format!("Codex refused to begin: {words}"))
}

/// A turn ended badly. What kind of error it was is a word, or an object of one word with the status of HTTP in it.
pub(super) fn of_turn(error: &Value, resets_at: Option<i64>) -> Failure {
    let words = said(error["message"].as_str().unwrap_or("it did not say why"));
    let info = &error["codexErrorInfo"];
    let named = info.as_object().and_then(|object| object.iter().next());
    let word = info.as_str().or_else(|| named.map(|(word, _)| word.as_str())).unwrap_or_default();
    let status = named.and_then(|(_, about)| about["httpStatusCode"].as_u64()).unwrap_or_default();
    let (kind, what) = match (word, status) {
        ("unauthorized", _) | (_, 401 | 403) => return logged_out(&words),
        _ if words.contains("Missing environment variable") => return logged_out(&words),
        ("usageLimitExceeded" | "sessionBudgetExceeded", _) | (_, 429) => {
            (AgentFailure::Quota, format!("Codex may use no more for now: {words}"))
        }
        ("internalServerError" | "serverOverloaded", _) | (_, 500..) => {
            (AgentFailure::Overloaded, format!("the model's server could not answer: {words}"))
        }
        ("contextWindowExceeded", _) => {
            (AgentFailure::Limit, format!("the conversation is too long for the model: {words}"))
        }
        ("cyberPolicy", _) => (AgentFailure::Refused, format!("the model refused: {words}")),
        ("badRequest", _) | (_, 400..500) => {
            (AgentFailure::Rejected, format!("the model's server did not take a request: {words}"))
        }
        _ if words.contains("invalid_request_error") => {
            (AgentFailure::Rejected, format!("the model's server did not take a request: {words}"))
        }
        _ if words.contains("max_output_tokens") => {
            (AgentFailure::Limit, format!("the model stopped at its limit: {words}"))
        }
        _ if named.is_some() => (AgentFailure::Overloaded, format!("the model's server could not be reached: {words}")),
        _ => (AgentFailure::Other, format!("Codex stopped: {words}")),
    };
    let resumes_at =
        resets_at.filter(|_| kind == AgentFailure::Quota).and_then(|seconds| seconds.checked_mul(1_000_000));
    Failure { resumes_at, ..Failure::new(kind, what) }
}
