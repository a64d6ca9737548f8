//! Arguments of tools: what a tool takes, and what a caller gave. Every byte of it is the agent's.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::prompt::inline;

/// So much of a name that is not known is repeated in a message.
const NAME: usize = 60;

/// What an argument is.
#[derive(Debug, Clone, Copy)]
pub enum Is {
    /// A text of at most so many bytes, not empty.
    Text(usize),
    /// One of these words.
    Word(fn() -> Vec<&'static str>),
    /// Yes or no.
    Flag,
}

/// An argument of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Argument {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// What it is.
    pub is: Is,
    /// Whether it must be given.
    pub required: bool,
}

impl Argument {
    /// Its part of the tool's JSON schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        match self.is {
            Is::Text(most) => {
                json!({"type": "string", "description": self.about, "minLength": 1, "maxLength": most})
            }
            Is::Word(words) => json!({"type": "string", "description": self.about, "enum": words()}),
            Is::Flag => json!({"type": "boolean", "description": self.about}),
        }
    }

    fn check(&self, value: Value) -> Result<Value, String> {
        let name = self.name;
        match (self.is, &value) {
            (Is::Text(_), Value::String(text)) if text.trim().is_empty() => {
                Err(format!("`{name}` is empty: say something, or leave it out if it is not required"))
            }
            (Is::Text(most), Value::String(text)) if text.len() > most => {
                Err(format!("`{name}` has {} bytes, at most {most} are taken: shorten it", text.len()))
            }
            (Is::Text(_), Value::String(_)) => Ok(value),
            (Is::Word(words), Value::String(text)) if words().contains(&text.as_str()) => Ok(value),
            (Is::Word(words), Value::String(text)) => {
                Err(format!("`{name}` must be one of {}, found {:?}", words().join(", "), inline(text, NAME)))
            }
            (Is::Flag, Value::Bool(_)) => Ok(value),
            (Is::Flag, _) => Err(format!("`{name}` must be true or false, found {}", kind_of(&value))),
            (Is::Text(_) | Is::Word(_), _) => Err(format!("`{name}` must be a string, found {}", kind_of(&value))),
        }
    }
}

const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Arguments that were given, each as its tool wants it.
#[derive(Debug, Clone, Default)]
pub struct Given(BTreeMap<&'static str, Value>);

impl Given {
    /// Checks what was given against what a tool takes. A `null` is as good as nothing.
    ///
    /// # Errors
    /// What was expected, what was found, what to try; of the first thing that is wrong.
    pub fn check(arguments: &[Argument], given: Map<String, Value>) -> Result<Self, String> {
        let mut checked = BTreeMap::new();
        for (name, value) in given {
            let Some(argument) = arguments.iter().find(|argument| argument.name == name) else {
                return Err(unknown(arguments, &name));
            };
            if !value.is_null() {
                checked.insert(argument.name, argument.check(value)?);
            }
        }
        match arguments.iter().find(|argument| argument.required && !checked.contains_key(argument.name)) {
            Some(missing) => Err(format!("`{}` is missing: {}", missing.name, missing.about)),
            None => Ok(Self(checked)),
        }
    }

    /// The text or word of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Whether the flag of this name is set.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The word of this name as what it stands for.
    #[must_use]
    pub fn word<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|word| word.parse().ok())
    }
}

fn unknown(arguments: &[Argument], name: &str) -> String {
    let known: Vec<String> = arguments.iter().map(|argument| format!("`{}`", argument.name)).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!("there is no argument {:?}; known: {known}", inline(name, NAME))
}
