//! What the model does when.

use serde::Deserialize;
use serde_json::Value;

use super::Asked;

/// A piece of a conversation, whatever the interface calls it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// By the user, or by the program in the user's name.
    User(String),
    /// By the model: text or a tool call.
    Model(String),
    /// By a tool.
    Result(String),
}

/// What the model does when the user has said something.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Rule {
    /// All of these are in one text of the user.
    pub(crate) when: Vec<String>,
    /// Requests that fail before one is answered.
    pub(crate) fail: Option<Fail>,
    /// Its turns, in order; after the last it says that it is done.
    pub(crate) turns: Vec<Vec<Act>>,
}

impl Rule {
    /// These turns when a user says this.
    pub(crate) fn new(when: &[&str], turns: Vec<Vec<Act>>) -> Self {
        Self { when: when.iter().map(|text| (*text).to_owned()).collect(), fail: None, turns }
    }

    /// The same after these failures.
    pub(crate) fn failing(self, fail: Fail) -> Self {
        Self { fail: Some(fail), ..self }
    }
}

/// How requests fail.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Fail {
    /// The status of HTTP.
    pub(crate) status: u16,
    /// How many requests; 0: all of them.
    pub(crate) times: u32,
    /// More headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Seconds, for the header of that name.
    pub(crate) retry_after: Option<u32>,
    /// What the error says, instead of the usual.
    pub(crate) message: Option<String>,
    /// What the error has beside.
    pub(crate) more: Value,
}

impl Fail {
    /// So many requests fail with this status.
    pub(crate) fn times(status: u16, times: u32) -> Self {
        Self { status, times, ..Self::default() }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self.status {
            400 => "invalid_request_error",
            401 => "authentication_error",
            403 => "permission_error",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            _ => "api_error",
        }
    }

    pub(super) fn message(&self) -> String {
        self.message.clone().unwrap_or_else(|| format!("the fake model fails with {}", self.status))
    }
}

/// One thing that the model does in a turn.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Act {
    /// It says something.
    Say(String),
    /// It thinks something.
    Think(String),
    /// It writes a file with the tool that the program has for it; the path is relative to the program's folder.
    Write { path: String, content: String },
    /// It runs a command line with the tool that the program has for it.
    Shell(String),
    /// It calls a tool by its name.
    Call { name: String, arguments: Value },
    /// It says nothing until the program gives up.
    Hang,
    /// It stops in the middle.
    Cut,
}

/// What is to be answered.
pub(super) enum Answer {
    Acts(Vec<Act>),
    Fail(Fail),
    Hang,
    Cut,
}

/// How often the model had its turn: what it does in one follows without a break.
pub(super) fn turns(said: &[Said]) -> usize {
    let is_model = |said: &Said| matches!(said, Said::Model(_));
    said.iter().enumerate().filter(|(at, one)| is_model(one) && (*at == 0 || !is_model(&said[at - 1]))).count()
}

/// The answer of the rule whose text came last, or of the first of those.
pub(super) fn answer(rules: &mut [Rule], asked: &Asked) -> Answer {
    if asked.is_aside() {
        return Answer::Acts(vec![Act::Say("A title".into())]);
    }
    let heard = |rule: &Rule| {
        asked.said.iter().rposition(|said| match said {
            Said::User(text) => rule.when.iter().all(|part| text.contains(part.as_str())),
            Said::Model(_) | Said::Result(_) => false,
        })
    };
    let mut found: Option<(usize, &mut Rule)> = None;
    for rule in rules {
        if let Some(at) = heard(rule)
            && found.as_ref().is_none_or(|(best, _)| at > *best)
        {
            found = Some((at, rule));
        }
    }
    let Some((at, rule)) = found else { return Answer::Acts(vec![Act::Say("I have no rule for this.".into())]) };
    if let Some(fail) = &mut rule.fail {
        let answer = fail.clone();
        match fail.times {
            0 => {}
            1 => rule.fail = None,
            times => fail.times = times - 1,
        }
        return Answer::Fail(answer);
    }
    let acts = rule.turns.get(turns(&asked.said[at..])).cloned().unwrap_or_else(|| vec![Act::Say("Done.".into())]);
    match acts.first() {
        Some(Act::Hang) => Answer::Hang,
        Some(Act::Cut) => Answer::Cut,
        _ => Answer::Acts(acts),
    }
}
