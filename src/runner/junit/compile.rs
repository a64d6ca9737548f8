//! Code that does not compile, in the text of runners that then write no report at all.

use std::{borrow::Cow, collections::HashSet};

use camino::Utf8Path;

use crate::{
    model::{CompileError, TestRun},
    runner::{cargo::rustc::Diagnostics, place, text},
};

/// So many places that do not compile are kept.
const MAX_ERRORS: usize = 500;
/// So many lines are looked at.
const MAX_LINES: usize = 500_000;

/// What runners say when there is nothing that they could run.
const NOTHING: [&str; 12] = [
    "No test files found",
    "no tests to run",
    "No tests to run",
    "no tests ran",
    "collected 0 items",
    "No tests found",
    "No tests were found",
    "No tests executed",
    "file or directory not found: ",
    "Cannot open file \"",
    "Could not find '",
    "[no test files]",
];

/// Whether the output says that there was nothing to run.
pub(super) fn nothing_to_run(stdout: &[u8], stderr: &[u8]) -> bool {
    let (mut maven, mut began) = (false, false);
    for line in text::lines(stderr).chain(text::lines(stdout)) {
        if NOTHING.iter().any(|words| line.contains(words)) {
            return true;
        }
        maven |= line.contains("BUILD SUCCESS");
        began |= line.contains(" T E S T S");
    }
    maven && !began
}

/// Every place that the output says does not compile, each once.
pub(super) fn errors(stdout: &[u8], stderr: &[u8], worktree: &Utf8Path) -> Vec<CompileError> {
    let rust = Diagnostics::read(worktree, stderr);
    let mut all =
        if rust.gave_up() { rust.finish() } else { rust.finish().into_iter().filter(|e| !e.file.is_empty()).collect() };
    let mut seen = HashSet::new();
    let mut files: HashSet<String> = all.iter().map(|error: &CompileError| error.file.clone()).collect();
    for bytes in [stderr, stdout] {
        let lines: Vec<Cow<'_, str>> = text::lines(bytes).filter(|line| !line.is_empty()).take(MAX_LINES).collect();
        let perl = lines.iter().any(|line| line.starts_with("BEGIN failed--compilation aborted at "));
        let go = lines.iter().any(|line| line.ends_with("[build failed]") || line.ends_with("[setup failed]"));
        let found = lines.iter().filter_map(|line| {
            let told = php(line).or_else(|| java(line)).or_else(|| classic(line)).or_else(|| elixir(line));
            told.or_else(|| perl.then(|| perl_error(line)).flatten()).or_else(|| go.then(|| go_error(line)).flatten())
        });
        for (path, line, column, message) in found.chain(conftest(&lines)) {
            let Some(file) = place::inside(&path, worktree) else { continue };
            // Where a run belongs is told by its files: each of them is kept.
            let room = all.len() < MAX_ERRORS || (all.len() < TestRun::MAX_TESTS && !files.contains(&file));
            if room && seen.insert((file.clone(), line, message.clone())) {
                files.insert(file.clone());
                all.push(CompileError {
                    file,
                    line,
                    column,
                    message: text::cap(&message, text::MESSAGE),
                    ..CompileError::default()
                });
            }
        }
    }
    all
}

type Told = (String, Option<u32>, Option<u32>, String);

/// `PHP Fatal error:  Uncaught ParseError: syntax error, … in /p/a.php:9`, `PHP Parse error:  … in /p/a.php on line 9`.
fn php(line: &str) -> Option<Told> {
    let message =
        ["PHP Fatal error:  Uncaught ", "PHP Parse error: "].iter().find_map(|start| line.strip_prefix(start))?;
    let (path, row, _) = place::in_line(line)?;
    let message = message.rsplit_once(" in ").map_or(message, |(message, _)| message);
    Some((path.to_owned(), Some(row), None, message.trim().to_owned()))
}

/// Maven: `[ERROR] /p/A.java:[10,84] ';' expected`.
fn java(line: &str) -> Option<Told> {
    let (path, rest) = line.strip_prefix("[ERROR] ")?.split_once(":[")?;
    let (at, message) = rest.split_once("] ")?;
    let (row, column) = at.split_once(',')?;
    Some((path.to_owned(), Some(place::number(row)?), place::number(column), message.to_owned()))
}

/// `a.c:3:5: error: …` (C, C++, Swift, Kotlin, javac) and `a.ts(3,5): error TS1005: …`.
fn classic(line: &str) -> Option<Told> {
    let (at, message) = line.split_once(": error").or_else(|| line.split_once(": fatal error"))?;
    let message = message.split_once(": ").map(|(_, message)| message)?;
    if let Some((path, rest)) = at.strip_suffix(')').and_then(|at| at.rsplit_once('(')) {
        let (row, column) = rest.split_once(',')?;
        return Some((path.to_owned(), Some(place::number(row)?), place::number(column), message.to_owned()));
    }
    let (path, row, column) = place::in_line(at)?;
    Some((path.to_owned(), Some(row), column, message.to_owned()))
}

/// `** (CompileError) lib/a.ex:3: …`.
fn elixir(line: &str) -> Option<Told> {
    let (kind, rest) = line.strip_prefix("** (")?.split_once(") ")?;
    let known = matches!(kind, "CompileError" | "SyntaxError" | "TokenMissingError" | "MismatchedDelimiterError");
    let (path, row, column) = place::in_line(rest).filter(|_| known)?;
    let message = rest.split_once(": ").map_or(rest, |(_, message)| message);
    Some((path.to_owned(), Some(row), column, message.to_owned()))
}

/// `Global symbol "$x" requires … at /p/lib/A.pm line 8.`
fn perl_error(line: &str) -> Option<Told> {
    let summary = line.starts_with("BEGIN failed") || line.starts_with("Compilation failed") || line.starts_with('#');
    let (path, row, _) = place::in_line(line).filter(|_| !summary)?;
    let (message, _) = line.rsplit_once(" at ")?;
    Some((path.to_owned(), Some(row), None, message.to_owned()))
}

/// `./orders/a.go:3:5: undefined: x`.
fn go_error(line: &str) -> Option<Told> {
    let (path, row, column) = place::in_line(line).filter(|(path, ..)| path.ends_with(".go"))?;
    let message = line.strip_prefix(path)?.splitn(4, ':').nth(3)?;
    Some((path.to_owned(), Some(row), column, message.trim().to_owned()))
}

/// Pytest: `ImportError while loading conftest 'F'.`, then a traceback, then `E   …`.
fn conftest(lines: &[Cow<'_, str>]) -> Option<Told> {
    let start = lines.iter().position(|line| line.starts_with("ImportError while loading conftest '"))?;
    let rest = lines.get(start..)?;
    let own = rest.first()?.split('\'').nth(1)?;
    let message: Vec<&str> = rest.iter().filter_map(|line| line.strip_prefix("E ")).map(str::trim_start).collect();
    let name = own.rsplit('/').next()?;
    let at = rest.iter().skip(1).filter_map(|line| place::in_line(line)).find(|(path, ..)| path.ends_with(name));
    Some((own.to_owned(), at.map(|(_, row, _)| row), None, message.join("\n")))
}

/// Node reports a file that it could not load as a failing test that is named by the file's path; the reason is only in the
/// output. Which of these files could not be loaded, or what in them.
pub(super) fn node(files: &[String], output: &[u8], worktree: &Utf8Path) -> Vec<CompileError> {
    let mut found: Vec<CompileError> = Vec::new();
    let mut source: Option<(String, u32)> = None;
    let mut missing: Option<String> = None;
    for line in text::lines(output) {
        if let Some(message) =
            line.split_once("Cannot find module ").map(|(_, name)| format!("Cannot find module {name}"))
            && line.starts_with("Error")
        {
            let importer = message.rsplit_once(" imported from ").and_then(|(_, path)| place::inside(path, worktree));
            missing = importer.is_none().then(|| message.clone());
            found.extend(importer.map(|file| CompileError { file, message, ..CompileError::default() }));
        } else if let (Some(message), Some(path)) = (&missing, line.strip_prefix("- ")) {
            let file = place::inside(path, worktree);
            found.extend(file.map(|file| CompileError { file, message: message.clone(), ..CompileError::default() }));
            missing = None;
        } else if line.starts_with("SyntaxError: ") {
            let at = source.take();
            found.extend(at.map(|(file, row)| CompileError {
                file,
                line: Some(row),
                column: None,
                message: line.into_owned(),
                ..CompileError::default()
            }));
        } else if line.starts_with("file://") || line.starts_with('/') {
            source = place::in_line(&line).and_then(|(path, row, _)| Some((place::inside(path, worktree)?, row)));
        }
        if found.len() >= MAX_ERRORS {
            break;
        }
    }
    // A test that merely prints such a line is not one of the files; a syntax error may be in what such a file imports.
    found.retain(|error| error.line.is_some() || files.contains(&error.file) || !place::is_test(&error.file));
    found
}
