//! In which way a turn by the Agent Client Protocol failed.

use serde_json::Value;

use crate::{
    agent::talk::{Failure, said, title},
    model::AgentFailure,
};

pub(super) fn no_conversation() -> Failure {
    Failure::new(AgentFailure::NoConversation, "the agent does not know the conversation any more")
}

/// A reason to stop; `None`: the turn came to its end.
pub(super) fn of_stop(reason: &str) -> Option<Failure> {
    let (kind, what) = match reason {
        "end_turn" => return None,
        "max_tokens" | "max_turn_requests" => (AgentFailure::Limit, "the agent stopped at a limit of its own"),
        "refusal" => (AgentFailure::Refused, "the model refused"),
        "cancelled" => (AgentFailure::Other, "the turn was cancelled"),
        _ => (AgentFailure::Other, "the agent stopped for a reason that callboard does not know"),
    };
    Some(Failure::new(kind, format!("{what} ({})", title(reason))))
}

/// The agent did not take a mode that it has.
pub(super) fn of_mode(error: &Value, mode: &str) -> Failure {
    let words = said(error["message"].as_str().unwrap_or("it did not say why"));
    Failure::new(AgentFailure::Mode, format!("the agent did not take the mode {mode:?}: {words}"))
}

/// The ways to log in that an agent offers, in words; empty when it offers none.
pub(super) fn logins(methods: &Value) -> String {
    const MOST: usize = 8;
    let way = |method: &Value| {
        let name = title(method["name"].as_str().or_else(|| method["id"].as_str())?);
        let variables = method["vars"].as_array().into_iter().flatten().filter_map(|one| one["name"].as_str());
        let variables: Vec<String> = variables.take(MOST).map(title).collect();
        let how = match method["description"].as_str().map(title).filter(|how| !how.is_empty()) {
            Some(how) => how,
            None if variables.is_empty() => return Some(name),
            None => format!("set {}", variables.join(" and ")),
        };
        Some(format!("{name} ({how})"))
    };
    let ways = methods.as_array().into_iter().flatten().take(MOST).filter_map(way);
    ways.collect::<Vec<_>>().join(", or ")
}

/// A request of callboard's was answered by an error. `load`: it was to go on with a conversation. `logins`: the ways to log in.
pub(super) fn of_error(error: &Value, load: bool, logins: &str) -> Failure {
    let code = error["code"].as_i64().unwrap_or_default();
    let words = said(error["message"].as_str().unwrap_or("it did not say why"));
    let kind = error["data"]["errorKind"].as_str().unwrap_or_default();
    // Some agents give the status of HTTP as the code.
    let (way, what) = match (code, kind) {
        (-32000 | 401 | 403, _) | (_, "authentication_failed") => {
            let hint = "log in by its own program in a terminal, or give it its key: [env] pass in callboard.toml";
            let offers = if logins.is_empty() { String::new() } else { format!(". It offers: {logins}") };
            (AgentFailure::LoggedOut, format!("the agent is not logged in ({words}): {hint}{offers}"))
        }
        (429, _) | (_, "rate_limit") => (AgentFailure::Quota, format!("the agent may use no more for now: {words}")),
        (500..600, _) | (_, "server_error" | "overloaded") => {
            (AgentFailure::Overloaded, format!("the model's server could not answer: {words}"))
        }
        (400..500, _) | (_, "invalid_request") => {
            (AgentFailure::Rejected, format!("the model's server did not take a request: {words}"))
        }
        _ if load => return no_conversation(),
        _ => (AgentFailure::Other, format!("the agent stopped: {words}")),
    };
    Failure::new(way, what)
}
