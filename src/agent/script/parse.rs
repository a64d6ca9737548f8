//! From TOML to a scenario.

use std::ops::Range;

use regex::RegexBuilder;
use serde::Deserialize;
use toml::Spanned;

use super::{Body, Call, End, Matcher, Scenario, ScenarioError, ScenarioErrorKind, Turn, Write};
use crate::model::{Performer, SessionKind, Step};

/// No scenario is longer, in bytes.
const MAX_SCENARIO: usize = 8 * 1024 * 1024;
/// No compiled regex takes more, in bytes.
const MAX_REGEX: usize = 1024 * 1024;

const KEYS: &str = "a turn has kind, component, step, iteration, generation, prompt, times, say, write, delete, call, \
                    delay_ms, and one of exit, hang and error";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawScenario {
    #[serde(default)]
    turn: Vec<Spanned<RawTurn>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTurn {
    kind: Option<SessionKind>,
    component: Option<String>,
    step: Option<Spanned<Step>>,
    iteration: Option<u32>,
    generation: Option<u32>,
    prompt: Option<Spanned<String>>,
    times: Option<Spanned<u32>>,
    #[serde(default)]
    say: Vec<String>,
    #[serde(default)]
    write: Vec<Spanned<RawWrite>>,
    #[serde(default)]
    delete: Vec<String>,
    #[serde(default)]
    call: Vec<RawCall>,
    #[serde(default)]
    delay_ms: u64,
    exit: Option<i32>,
    hang: Option<bool>,
    error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWrite {
    path: String,
    content: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCall {
    tool: String,
    #[serde(default)]
    arguments: serde_json::Map<String, serde_json::Value>,
}

/// Something wrong at a place of the file.
struct Wrong {
    at: Range<usize>,
    message: String,
    hint: &'static str,
}

/// Reads a scenario.
///
/// # Errors
///
/// The first thing in it that is wrong, with its line.
pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    let syntax = |at: Option<usize>, message: String, hint: &str| ScenarioError {
        kind: ScenarioErrorKind::Syntax,
        line: at.and_then(|at| text.get(..at)).map(|before| before.matches('\n').count() + 1),
        message,
        hint: hint.to_owned(),
    };
    if text.len() > MAX_SCENARIO {
        let message = format!("the scenario is longer than {MAX_SCENARIO} bytes");
        return Err(syntax(None, message, "put long contents into files beside it and name them with source"));
    }
    let raw: RawScenario = toml::from_str(text)
        .map_err(|error| syntax(error.span().map(|span| span.start), error.message().to_owned(), KEYS))?;
    if raw.turn.is_empty() {
        return Err(syntax(None, "the scenario has no [[turn]]".to_owned(), KEYS));
    }
    let turns = raw.turn.into_iter().map(turn).collect::<Result<Vec<Turn>, Wrong>>();
    let turns = turns.map_err(|wrong| syntax(Some(wrong.at.start), wrong.message, wrong.hint))?;
    Ok(Scenario { turns })
}

fn turn(raw: Spanned<RawTurn>) -> Result<Turn, Wrong> {
    let at = raw.span();
    let raw = raw.into_inner();
    let end = end(&raw, at)?;
    let prompt = raw.prompt.map(|pattern| regex(&pattern)).transpose()?;
    if let Some(step) = raw.step.as_ref().filter(|step| step.get_ref().performer() != Performer::Agent) {
        let message = format!("no agent performs {}, so this turn would never be played", step.get_ref());
        return Err(Wrong { at: step.span(), message, hint: "name a step in which an agent writes" });
    }
    if let Some(times) = raw.times.as_ref().filter(|times| *times.get_ref() == 0) {
        let message = "times is 0, so this turn would never be played".to_owned();
        return Err(Wrong { at: times.span(), message, hint: "leave it out for once, or remove the turn" });
    }
    Ok(Turn {
        matcher: Matcher {
            kind: raw.kind,
            component: raw.component,
            step: raw.step.map(Spanned::into_inner),
            iteration: raw.iteration,
            generation: raw.generation,
            prompt,
        },
        times: raw.times.map_or(1, Spanned::into_inner),
        say: raw.say,
        write: raw.write.into_iter().map(write).collect::<Result<_, _>>()?,
        delete: raw.delete,
        call: raw.call.into_iter().map(|call| Call { tool: call.tool, arguments: call.arguments }).collect(),
        delay_ms: raw.delay_ms,
        end,
    })
}

fn end(raw: &RawTurn, at: Range<usize>) -> Result<End, Wrong> {
    match (raw.exit, raw.hang, &raw.error) {
        (None, None | Some(false), None) => Ok(End::Exit(0)),
        (Some(code), None | Some(false), None) => Ok(End::Exit(code)),
        (None, Some(true), None) => Ok(End::Hang),
        (None, None | Some(false), Some(message)) => Ok(End::Error(message.clone())),
        (Some(_), Some(true), None) | (Some(_), None | Some(false), Some(_)) | (_, Some(true), Some(_)) => {
            let message = "expected at most one of exit, hang and error, found several".to_owned();
            Err(Wrong { at, message, hint: "keep the one that says how the turn ends" })
        }
    }
}

fn regex(pattern: &Spanned<String>) -> Result<regex::Regex, Wrong> {
    RegexBuilder::new(pattern.get_ref()).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build().map_err(|error| {
        let text = error.to_string();
        let message = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Wrong {
            at: pattern.span(),
            message: format!("prompt is not a regex that can be used: {message}"),
            hint: "put a backslash before what is meant literally: \\. \\( \\[ \\{ \\* \\+ \\?",
        }
    })
}

fn write(raw: Spanned<RawWrite>) -> Result<Write, Wrong> {
    let at = raw.span();
    let raw = raw.into_inner();
    let body = match (raw.content, raw.source) {
        (Some(content), None) => Body::Content(content),
        (None, Some(source)) => Body::Source(source),
        (Some(_), Some(_)) | (None, None) => {
            let message = format!("expected one of content and source to write {:?}", raw.path);
            return Err(Wrong { at, message, hint: "content is the text itself, source a file beside the scenario" });
        }
    };
    Ok(Write { path: raw.path, body })
}
