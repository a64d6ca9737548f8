//! What rustc and cargo say before any test runs.

use std::collections::HashSet;

use camino::Utf8Path;
use serde::Deserialize;

use crate::{
    model::{CompileError, TestRun},
    runner::{place, text},
};

/// So many places that do not compile are kept.
const MAX_ERRORS: usize = 500;
/// A longer line of JSON is not looked at.
const MAX_JSON: usize = 1024 * 1024;

/// Starts of errors that only sum up others, or speak of the run.
const SUMMARIES: [&str; 8] = [
    "could not compile ",
    "aborting due to ",
    "test failed, ",
    "doctest failed, ",
    "build failed",
    "command `",
    "could not execute process",
    "failed to run custom build command",
];

/// Reads the diagnostics in a text that is fed line by line.
#[derive(Debug)]
pub(in crate::runner) struct Diagnostics<'a> {
    worktree: &'a Utf8Path,
    open: Option<Open>,
    seen: HashSet<(String, Option<u32>, Option<u32>, String)>,
    files: HashSet<String>,
    errors: Vec<CompileError>,
    gave_up: bool,
}

/// An error whose text is being read.
#[derive(Debug)]
struct Open {
    title: String,
    body: text::Clip,
    /// The first place of all, and whether it is in the project.
    place: Option<(String, u32, Option<u32>, bool)>,
}

impl<'a> Diagnostics<'a> {
    /// Nothing read yet.
    pub(in crate::runner) fn new(worktree: &'a Utf8Path) -> Self {
        Self { worktree, open: None, seen: HashSet::new(), files: HashSet::new(), errors: Vec::new(), gave_up: false }
    }

    /// Reads a whole text.
    pub(in crate::runner) fn read(worktree: &'a Utf8Path, bytes: &[u8]) -> Self {
        let mut all = Self::new(worktree);
        text::lines(bytes).for_each(|line| all.line(&line));
        all.close();
        all
    }

    /// Reads cargo's JSON messages (`--message-format json`): each holds the text that rustc would have printed.
    pub(in crate::runner) fn json(&mut self, bytes: &[u8]) {
        let messages =
            bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"reason\":\"compiler-message\""));
        for line in messages.filter(|line| line.len() <= MAX_JSON) {
            if let Ok(Message { message: Rendered { rendered } }) = serde_json::from_slice(line) {
                text::lines(rendered.as_bytes()).for_each(|line| self.line(&line));
                self.close();
            }
        }
    }

    /// Whether a target could not be compiled.
    pub(in crate::runner) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// The errors: those with a place, each once; those without one only if there is no other.
    pub(in crate::runner) fn finish(mut self) -> Vec<CompileError> {
        self.close();
        if self.errors.iter().any(|error| !error.file.is_empty()) {
            self.errors.retain(|error| !error.file.is_empty());
        }
        self.errors
    }

    fn line(&mut self, line: &str) {
        if let Some(title) = title(line) {
            self.close();
            self.gave_up |=
                title.starts_with("could not compile ") || title.starts_with("failed to run custom build command");
            let counted = title.trim_start_matches(|char: char| char.is_ascii_digit());
            let summary = SUMMARIES.iter().any(|start| title.starts_with(start)) || counted.starts_with(" target");
            self.open = (!summary).then(|| Open { title, body: text::Clip::default(), place: None });
        } else if line.starts_with("warning")
            || line.starts_with("For more information about")
            || line.starts_with("Some errors have")
        {
            self.close();
        } else if let Some(open) = &mut self.open {
            open.body.push_line(line);
            let trimmed = line.trim_start();
            let Some(at) = trimmed.strip_prefix("--> ").or_else(|| trimmed.strip_prefix("::: ")) else { return };
            let Some((path, row, column)) = arrow(at) else { return };
            let file = place::inside(path, self.worktree);
            // An error in a macro of somebody else's crate is the project's where it was called.
            if open.place.as_ref().is_none_or(|(.., ours)| !ours && file.is_some()) {
                let ours = file.is_some();
                open.place = Some((file.unwrap_or_else(|| path.to_owned()), row, column, ours));
            }
        }
    }

    fn close(&mut self) {
        let Some(open) = self.open.take() else { return };
        let (file, line, column) = match open.place {
            Some((file, line, column, _)) => (file, Some(line), column),
            None => (String::new(), None, None),
        };
        let key = (file.clone(), line, column, open.title.clone());
        // Where a run belongs is told by its files: each of them is kept.
        let room =
            self.errors.len() < MAX_ERRORS || (self.errors.len() < TestRun::MAX_TESTS && !self.files.contains(&file));
        if room && self.seen.insert(key) {
            self.files.insert(file.clone());
            let message = text::cap(format!("{}\n{}", open.title, open.body.finish()).trim_end(), text::MESSAGE);
            self.errors.push(CompileError { file, line, column, message, ..CompileError::default() });
        }
    }
}

/// The title of an error: `error[E0308]: mismatched types` → `mismatched types [E0308]`.
fn title(line: &str) -> Option<String> {
    let rest = line.strip_prefix("error")?;
    if let Some(title) = rest.strip_prefix(": ") {
        return Some(text::cap(title, text::NAME));
    }
    let (code, title) = rest.strip_prefix('[')?.split_once("]: ")?;
    Some(format!("{} [{}]", text::cap(title, text::NAME), text::cap(code, 32)))
}

/// `src/a.rs:3:14`; the path may hold spaces and colons.
fn arrow(at: &str) -> Option<(&str, u32, Option<u32>)> {
    let (rest, last) = at.trim_end().rsplit_once(':')?;
    let last = place::number(last)?;
    match rest.rsplit_once(':').map(|(path, line)| (path, place::number(line))) {
        Some((path, Some(line))) => Some((path, line, Some(last))),
        Some((_, None)) | None => Some((rest, last, None)),
    }
}

#[derive(Deserialize)]
struct Message {
    message: Rendered,
}

#[derive(Deserialize)]
struct Rendered {
    rendered: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_told_once() {
        let text = "error[E0425]: cannot find value `x`\n --> src/a.rs:6:21\n  |\n\nerror: aborting due to 1 previous error\n\
                    warning: unused\n --> src/w.rs:1:1\nerror[E0425]: cannot find value `x`\n --> src/a.rs:6:21\n\
                    error: expected `;`\n --> /home/u/.cargo/registry/src/m.rs:1:1\n  |\n ::: src/b.rs:3:5\n\
                    error: could not compile `shop` (lib) due to 2 previous errors\nerror: linker said no\n";
        let all = Diagnostics::read(Utf8Path::new("/p"), text.as_bytes());
        assert!(all.gave_up());
        let errors = all.finish();
        let places: Vec<_> = errors.iter().map(|error| (error.file.as_str(), error.line, error.column)).collect();
        assert_eq!(places, [("src/a.rs", Some(6), Some(21)), ("src/b.rs", Some(3), Some(5))]);
        assert!(errors[0].message.starts_with("cannot find value `x` [E0425]\n"));
    }

    #[test]
    fn an_error_without_a_place_is_kept_if_it_is_the_only_one() {
        let text = b"error: linking with `cc` failed: exit status: 1\n  = note: x\nerror: could not compile `shop` (test \"a\")\n";
        let errors = Diagnostics::read(Utf8Path::new("/p"), text).finish();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].file.as_str(), errors[0].line), ("", None));
    }
}
