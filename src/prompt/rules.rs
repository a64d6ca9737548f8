//! Rules: Markdown texts with front matter that says for which components and sessions they are.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use camino::Utf8Path;
use serde::{Deserialize, Serialize};

use super::{PromptError, PromptErrorKind, files};
use crate::model::{ComponentKind, SessionKind};

/// Where a project keeps its own rules.
const FOLDER: &str = ".callboard/rules";
/// No rule is longer.
const MAX_RULE: usize = 16 * 1024;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../assets/rules/", $name)))),+]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "coding.md",
    "context.md",
    "coordination.md",
    "design.md",
    "integration.md",
    "repository.md",
    "schema.md",
    "tests.md",
];

/// A rule that enters a prompt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its file's name without the ending.
    pub name: String,
    /// Markdown.
    pub text: String,
}

/// What the front matter of a rule may say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    components: Option<Vec<ComponentKind>>,
    sessions: Option<Vec<SessionKind>>,
}

impl Front {
    fn fits(&self, component: ComponentKind, session: SessionKind) -> bool {
        self.components.as_ref().is_none_or(|kinds| kinds.contains(&component))
            && self.sessions.as_ref().is_none_or(|kinds| kinds.contains(&session))
    }
}

/// The rules for sessions of this kind on components of this kind, sorted by name: the built-in ones and those in the
/// project's `.callboard/rules/`, where a file replaces the built-in rule of the same name.
///
/// # Errors
///
/// When any rule of the project cannot be read or has wrong front matter, also one that would not match: a rule that is
/// left out in silence is worse than a prompt that is late.
pub fn rules(
    project_root: &Utf8Path,
    component: ComponentKind,
    session: SessionKind,
) -> Result<Vec<Rule>, PromptError> {
    let mut all: BTreeMap<String, Cow<'_, Candidate>> = BTreeMap::new();
    for (name, candidate) in READ.iter() {
        all.insert((*name).to_owned(), Cow::Borrowed(candidate.as_ref().map_err(PromptError::clone)?));
    }
    for name in files::list(project_root, FOLDER)? {
        let file = format!("{FOLDER}/{name}");
        if let Some(text) = files::read(project_root, &file)? {
            all.insert(name, Cow::Owned(Candidate::of(&file, &text)?));
        }
    }
    let fitting = all.into_iter().filter(|(_, rule)| rule.front.fits(component, session) && !rule.text.is_empty());
    Ok(fitting
        .map(|(name, rule)| Rule { name: name.trim_end_matches(".md").to_owned(), text: rule.text.clone() })
        .collect())
}

/// The built-in rules, read once: every prompt asks for them.
static READ: LazyLock<Vec<(&str, Result<Candidate, PromptError>)>> = LazyLock::new(|| {
    BUILT_IN.iter().map(|(name, text)| (*name, Candidate::of(&format!("assets/rules/{name}"), text))).collect()
});

/// A rule that may enter a prompt.
#[derive(Debug, Clone)]
struct Candidate {
    front: Front,
    text: String,
}

impl Candidate {
    fn of(file: &str, text: &str) -> Result<Self, PromptError> {
        let (front, body) = split(file, text)?;
        Ok(Self { front, text: body.trim().to_owned() })
    }
}

/// The front matter, and the text after it.
fn split<'a>(file: &str, text: &'a str) -> Result<(Front, &'a str), PromptError> {
    let wrong = |line: Option<usize>, message: String, hint: &str| PromptError {
        kind: PromptErrorKind::Rule,
        file: file.to_owned(),
        line,
        message,
        hint: hint.to_owned(),
    };
    if text.len() > MAX_RULE {
        let message = format!("is longer than {MAX_RULE} bytes");
        return Err(wrong(None, message, "agents follow short rules; split it or name a document"));
    }
    let mut lines = text.split_inclusive('\n');
    let Some(first) = lines.next().filter(|line| line.trim_end() == "---") else {
        return Ok((Front::default(), text));
    };
    let mut end = first.len();
    for line in lines {
        if line.trim_end() == "---" {
            let toml = &text[first.len()..end];
            let front = parse(toml).map_err(|(line, message)| {
                let hint = "front matter is TOML with the keys components and sessions, each a list of kinds";
                wrong(line.map(|line| line + 1), message, hint)
            })?;
            return Ok((front, &text[end + line.len()..]));
        }
        end += line.len();
    }
    Err(wrong(Some(1), "the front matter has no end".to_owned(), "put a line with --- after it"))
}

/// The front matter, or the line in it that is wrong, counted from 1, and why.
fn parse(toml: &str) -> Result<Front, (Option<usize>, String)> {
    let front: Front = toml::from_str(toml).map_err(|error| {
        let line = error.span().and_then(|span| toml.get(..span.start)).map(|before| before.matches('\n').count() + 1);
        (line, error.message().to_owned())
    })?;
    for (key, is_empty) in [
        ("components", front.components.as_ref().is_some_and(Vec::is_empty)),
        ("sessions", front.sessions.as_ref().is_some_and(Vec::is_empty)),
    ] {
        if is_empty {
            let line = toml.lines().position(|line| line.trim_start().starts_with(key)).map(|line| line + 1);
            return Err((
                line,
                format!("{key} is empty, so the rule matches nothing; leave the key out for all kinds"),
            ));
        }
    }
    Ok(front)
}
