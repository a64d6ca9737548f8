//! What one test case of a JUnit report says. The format has no field for most of it, so each runner hides the place and the
//! message somewhere else; nearly all are found in the text, by the name of the test's file.

use camino::Utf8Path;

use super::walk::{Case, Outcome};
use crate::{
    model::{CaseStatus, CompileError, TestCase, TestFailure},
    runner::{
        cargo::panic,
        place::{self, Place},
        text,
    },
};

/// What a `<testcase>` turned out to be.
#[derive(Debug)]
pub(super) enum Verdict {
    /// A test.
    Test(TestCase, Option<Box<TestFailure>>),
    /// A file that could not be collected: its tests are not known.
    Compile(CompileError),
    /// A test during which the run was interrupted (pytest: a case without a name).
    Unfinished,
    /// The runner's own failure (pytest: `internal`).
    Internal(Box<TestFailure>),
}

/// Judges a test case.
pub(super) fn judge(case: &Case, worktree: &Utf8Path) -> Verdict {
    if case.name.is_empty() && case.class.is_empty() && case.failure.is_none() && case.error.is_none() {
        return Verdict::Unfinished;
    }
    let (status, outcome) = outcome(case);
    let hint = Hint::of(case, worktree);
    let name = named(case, worktree);
    let Some(outcome) = outcome else {
        return Verdict::Test(TestCase { name, status, file: hint.full, markers: markers(case) }, None);
    };
    if case.failure.is_none() && outcome.message == "collection failure" {
        return Verdict::Compile(pytest_collection(case, &outcome.text.finish(), worktree));
    }
    let failure = failure(case, &name, outcome, &hint, worktree);
    if is_collection(case) {
        let file = hint.full.or_else(|| place::inside(&case.name, worktree)).or(failure.file).unwrap_or_default();
        return Verdict::Compile(CompileError {
            file,
            line: failure.line,
            message: failure.message,
            ..CompileError::default()
        });
    }
    if case.class == "pytest" && case.name == "internal" {
        return Verdict::Internal(Box::new(failure));
    }
    let file = hint.full.or_else(|| failure.file.clone().filter(|file| place::is_test(file)));
    Verdict::Test(TestCase { name, status, file, markers: markers(case) }, Some(Box::new(failure)))
}

/// What marks a test beside its name.
fn markers(case: &Case) -> Vec<String> {
    let class = Some(&case.class).filter(|class| class.chars().any(|char| char.is_ascii_digit()));
    case.properties.iter().chain(class).cloned().collect()
}

/// Skipped wins: a `todo` of node that fails is both.
fn outcome(case: &Case) -> (CaseStatus, Option<&Outcome>) {
    // PHPUnit writes an error for a test that passed without asserting anything.
    let error = case.error.as_ref().filter(|error| !error.kind.contains("RiskyTest"));
    match (&case.failure, error) {
        _ if case.skipped => (CaseStatus::Skipped, None),
        (Some(failure), _) => (CaseStatus::Failed, Some(failure)),
        (None, Some(error)) => (CaseStatus::Errored, Some(error)),
        (None, None) => (CaseStatus::Passed, None),
    }
}

/// The name; node gives a file's absolute path, bats none for the hooks of a file.
fn named(case: &Case, worktree: &Utf8Path) -> String {
    let name = if case.name.is_empty() { &case.class } else { &case.name };
    let path = Some(name).filter(|name| name.starts_with('/'));
    path.and_then(|path| place::inside(path, worktree)).unwrap_or_else(|| name.clone())
}

/// Vitest and jest report a file that they could not load as a test case.
fn is_collection(case: &Case) -> bool {
    let file_itself = case.name == case.class && case.name == case.suite && place::has_extension(&case.name);
    let jest = "Test suite failed to run";
    file_itself || case.class.contains(jest) || case.name.contains(jest)
}

/// What is known of the test's file before any failure is read.
#[derive(Debug, Default)]
struct Hint {
    /// Its path in the project.
    full: Option<String>,
    /// Its path or only its name, as it may occur in frames.
    part: Option<String>,
    /// A Java-like class: where its package's directory is.
    package: Option<String>,
}

impl Hint {
    fn of(case: &Case, worktree: &Utf8Path) -> Self {
        let full = case.file.as_deref().and_then(|file| place::inside(file, worktree));
        let paths =
            [&case.class, &case.suite].into_iter().filter(|name| name.contains('/') && place::has_extension(name));
        let full = full.or_else(|| paths.into_iter().find_map(|path| place::inside(path, worktree)));
        let full = full.or_else(|| python_file(case));
        if full.is_some() {
            return Self { part: full.clone(), full, package: None };
        }
        if place::has_extension(&case.class) && !is_java(&case.class) {
            return Self { part: Some(case.class.clone()), ..Self::default() };
        }
        let package = is_java(&case.class).then(|| case.class.replace('.', "/"));
        Self { package, ..Self::default() }
    }

    /// Whether a frame is in the test's own file.
    fn matches(&self, frame: &Place) -> bool {
        let same = |part: &String| frame.file == *part || frame.file.ends_with(&format!("/{part}"));
        self.part.as_ref().is_some_and(same) || self.java(frame).is_some()
    }

    /// The standard layout's path of a class, if the frame (`PricingTest.java`) is in its file.
    fn java(&self, frame: &Place) -> Option<String> {
        let (stem, extension) = frame.file.rsplit_once('.')?;
        let class = self.package.as_ref()?.split('$').next()?;
        let language = match extension {
            "java" => "java",
            "kt" => "kotlin",
            "groovy" => "groovy",
            "scala" => "scala",
            _ => return None,
        };
        let own = class.rsplit('/').next() == Some(stem);
        own.then(|| format!("src/test/{language}/{class}.{extension}"))
    }
}

/// `org.example.PricingTest`.
fn is_java(class: &str) -> bool {
    let own = class.rsplit('.').next().unwrap_or(class);
    let parts = || class.split('.');
    own.starts_with(char::is_uppercase)
        && parts().all(|part| {
            !part.is_empty() && part.chars().all(|char| char.is_alphanumeric() || matches!(char, '_' | '$'))
        })
}

/// `tests.orders.test_pricing.TestTotal` → `tests/orders/test_pricing.py`.
fn python_file(case: &Case) -> Option<String> {
    // CTest names the class like the test.
    if case.name == case.class || case.class.contains(['/', ' ', ':']) {
        return None;
    }
    let parts: Vec<&str> = case.class.split('.').collect();
    let module = parts.iter().position(|part| part.starts_with("test_") || part.ends_with("_test"))?;
    Some(format!("{}.py", parts.get(..=module)?.join("/")))
}

fn failure(case: &Case, name: &str, outcome: &Outcome, hint: &Hint, worktree: &Utf8Path) -> TestFailure {
    let mut stack = outcome.text.finish();
    if stack.trim().is_empty() {
        stack = case.output.finish();
    }
    let panic = panic::find(&stack, &case.name);
    let message = match &panic {
        Some(panic) => panic.message.clone(),
        None => message(case, outcome, &stack),
    };
    let own = panic
        .and_then(|panic| panic.place)
        .and_then(|(file, line)| Some((place::inside(&file, worktree)?, Some(line))));
    let (file, line) = match own.or_else(|| failed_at(case, &format!("{stack}\n{}", outcome.message), hint, worktree)) {
        Some((file, line)) => (Some(file), line),
        None => (None, None),
    };
    let named = case.file.as_deref().filter(|named| file.is_none() && !named.trim().is_empty());
    let foreign_file = named.map(|named| text::cap(named, text::NAME));
    TestFailure { name: name.to_owned(), file, line, message, stack, foreign_file, ..TestFailure::default() }
}

fn message(case: &Case, outcome: &Outcome, stack: &str) -> String {
    if !outcome.message.trim().is_empty() {
        return outcome.message.clone();
    }
    // PHPUnit starts with the test's own name.
    let title = format!("{}::", case.class);
    let lines =
        stack.lines().skip_while(|line| line.trim().is_empty() || (title.len() > 2 && line.starts_with(&title)));
    let words = lines.take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n");
    text::cap(if words.is_empty() { &outcome.kind } else { &words }, text::MESSAGE)
}

/// Where in the test's file it failed, else where the test is declared; if the file is not known, the first place in a test,
/// else in the project.
fn failed_at(case: &Case, text: &str, hint: &Hint, worktree: &Utf8Path) -> Option<(String, Option<u32>)> {
    let mut frames = place::frames(text, worktree);
    if let Some(frame) = frames.iter().find(|frame| hint.matches(frame)) {
        return Some((hint.java(frame).unwrap_or_else(|| frame.file.clone()), Some(frame.line)));
    }
    if let Some(file) = &hint.full {
        // pytest's xunit1 counts lines from 0.
        let first = u32::from(file.ends_with(".py"));
        return Some((file.clone(), case.line.map(|line| line.saturating_add(first))));
    }
    // A file without a directory, in a language whose frames have none, is anybody's.
    frames.retain(|frame| hint.package.is_none() || frame.file.contains('/'));
    let at = frames.iter().position(|frame| place::is_test(&frame.file)).unwrap_or(0);
    let frame = frames.into_iter().nth(at)?;
    Some((frame.file, Some(frame.line)))
}

/// Pytest: `E` lines tell the error; the file is the one that they name, else the last one of the traceback that is ours.
fn pytest_collection(case: &Case, body: &str, worktree: &Utf8Path) -> CompileError {
    let told: Vec<&str> = body.lines().filter_map(|line| line.strip_prefix("E ")).map(str::trim_start).collect();
    let named = told.iter().filter_map(|line| place::frames(line, worktree).into_iter().next()).next_back();
    let found = named.or_else(|| place::frames(body, worktree).into_iter().next_back());
    let message = if told.is_empty() { body.to_owned() } else { told.join("\n") };
    let (file, line) = match found {
        Some(place) => (place.file, Some(place.line)),
        None => (format!("{}.py", case.name.replace('.', "/")), None),
    };
    CompileError { file, line, message: text::cap(&message, text::MESSAGE), ..CompileError::default() }
}
