//! What is wrong with a configuration: where, what, and what to try.

use std::fmt;

use camino::Utf8PathBuf;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// As a person would name it: `callboard.toml`, or relative to the project's root.
    pub file: Utf8PathBuf,
    /// Counted from 1; `None` when it is about the whole file.
    pub line: Option<u32>,
    /// In characters, counted from 1.
    pub column: Option<u32>,
    /// What was expected and what was found.
    pub message: String,
    /// What to try. Never empty.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if let Some(line) = self.line {
            write!(f, "{line}:")?;
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
        }
        write!(f, " {}\nhint: {}", self.message, self.hint)
    }
}

/// A configuration that cannot be used, with everything that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// In the order of the files' lines. Never empty.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// An error about a whole file.
    pub(super) fn whole(file: impl Into<Utf8PathBuf>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let problem =
            Problem { file: file.into(), line: None, column: None, message: message.into(), hint: hint.into() };
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// A component that the project does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no component is called {name:?}; {}", suggestion(near))]
pub struct UnknownComponent {
    /// The name as it was given.
    pub name: String,
    /// Names that look like it.
    pub near: Vec<String>,
}

/// An acceptance criterion that the project does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no criterion is called {id:?}; {}", suggestion(near))]
pub struct UnknownCriterion {
    /// The id as it was given.
    pub id: String,
    /// Ids that look like it.
    pub near: Vec<String>,
}

fn suggestion(near: &[String]) -> String {
    if near.is_empty() {
        "callboard.toml names those that there are".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    }
}
