//! Scenarios and which of their turns is played.

use std::fmt;

use regex::Regex;

use crate::model::{SessionKind, Step};

/// What kind of thing is wrong with a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScenarioErrorKind {
    /// The file is not a scenario.
    Syntax,
    /// A path may not be used.
    Path,
    /// A file cannot be read, written or deleted.
    Io,
}

/// What is wrong with a scenario, or with carrying it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScenarioError {
    /// What kind of thing is wrong.
    pub kind: ScenarioErrorKind,
    /// The line of the scenario, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What was expected and what was found.
    pub message: String,
    /// What to try.
    pub hint: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{} ({})", self.message, self.hint)
    }
}

impl std::error::Error for ScenarioError {}

/// A scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// In the order of the file.
    pub turns: Vec<Turn>,
}

/// What the agent does when it is this turn's time.
#[derive(Debug, Clone)]
pub struct Turn {
    /// When that is.
    pub matcher: Matcher,
    /// How often it may be played in one session; at least 1.
    pub times: u32,
    /// What the agent says, one part each.
    pub say: Vec<String>,
    /// Files that it writes.
    pub write: Vec<Write>,
    /// Files that it deletes, relative to the worktree.
    pub delete: Vec<String>,
    /// Tools that it calls.
    pub call: Vec<Call>,
    /// Milliseconds between the parts.
    pub delay_ms: u64,
    /// How it ends.
    pub end: End,
}

/// When a turn is played: everything that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct Matcher {
    /// The session's workflow.
    pub kind: Option<SessionKind>,
    /// The component's name.
    pub component: Option<String>,
    /// The step.
    pub step: Option<Step>,
    /// The attempt at the step.
    pub iteration: Option<u32>,
    /// The session's generation.
    pub generation: Option<u32>,
    /// Somewhere in the prompt.
    pub prompt: Option<Regex>,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Relative to the worktree.
    pub path: String,
    /// What is written.
    pub body: Body,
}

/// What is written into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// This text.
    Content(String),
    /// What this file holds, relative to the scenario's folder.
    Source(String),
}

/// A tool call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The tool's name.
    pub tool: String,
    /// Its arguments.
    pub arguments: serde_json::Map<String, serde_json::Value>,
}

/// How a turn ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this exit code; 0 is ok.
    Exit(i32),
    /// Not by itself.
    Hang,
    /// With this error message.
    Error(String),
}

/// One thing that a turn does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part<'a> {
    /// The agent says something.
    Say(&'a str),
    /// It writes a file.
    Write(&'a Write),
    /// It deletes a file.
    Delete(&'a str),
    /// It calls a tool.
    Call(&'a Call),
}

impl Turn {
    /// What the turn does, in order; its delay goes between two parts.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let say = self.say.iter().map(|text| Part::Say(text));
        let write = self.write.iter().map(Part::Write);
        let delete = self.delete.iter().map(|path| Part::Delete(path));
        say.chain(write).chain(delete).chain(self.call.iter().map(Part::Call))
    }
}

/// What a turn is matched against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment<'a> {
    /// The session's workflow.
    pub kind: SessionKind,
    /// The component's name.
    pub component: &'a str,
    /// The step.
    pub step: Step,
    /// Which attempt at the step it is, counted from 1.
    pub iteration: u32,
    /// The session's generation, counted from 1.
    pub generation: u32,
    /// The prompt as the agent gets it.
    pub prompt: &'a str,
}

impl Matcher {
    /// Whether everything that is given fits.
    #[must_use]
    pub fn matches(&self, moment: &Moment<'_>) -> bool {
        self.kind.is_none_or(|kind| kind == moment.kind)
            && self.component.as_deref().is_none_or(|component| component == moment.component)
            && self.step.is_none_or(|step| step == moment.step)
            && self.iteration.is_none_or(|iteration| iteration == moment.iteration)
            && self.generation.is_none_or(|generation| generation == moment.generation)
            && self.prompt.as_ref().is_none_or(|prompt| prompt.is_match(moment.prompt))
    }
}

impl Scenario {
    /// The first turn that matches and is not used up, with its index. `used` has the index of every turn that was
    /// already played in this session, once per time.
    #[must_use]
    pub fn pick(&self, moment: &Moment<'_>, used: &[usize]) -> Option<(usize, &Turn)> {
        self.turns.iter().enumerate().find(|(index, turn)| is_left(*index, turn, used) && turn.matcher.matches(moment))
    }

    /// Why [`pick`](Self::pick) found nothing, for people.
    #[must_use]
    pub fn why_none(&self, moment: &Moment<'_>, used: &[usize]) -> String {
        let Moment { kind, component, step, iteration, generation, prompt: _ } = moment;
        let matching = self.turns.iter().enumerate().filter(|(_, turn)| turn.matcher.matches(moment));
        let spent: Vec<String> = matching
            .filter(|(index, turn)| !is_left(*index, turn, used))
            .map(|(index, _)| (index + 1).to_string())
            .collect();
        let why = if spent.is_empty() {
            format!("none of its {} turns matches; add one, or loosen a matcher", self.turns.len())
        } else {
            format!("turn {} matches but was played as often as it may; add a turn, or give it times", spent.join(", "))
        };
        format!(
            "the scenario has no turn for {step} of {kind} on {component:?} \
             (iteration {iteration}, generation {generation}): {why}"
        )
    }
}

fn is_left(index: usize, turn: &Turn, used: &[usize]) -> bool {
    used.iter().filter(|played| **played == index).count() < turn.times as usize
}
