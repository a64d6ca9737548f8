//! `cargo test`: the command, and how its output is read (libtest's text on standard output, rustc's on standard error).

mod libtest;
pub(super) mod panic;
pub(super) mod rustc;
mod target;

use std::collections::HashMap;

use camino::Utf8Path;

use self::libtest::{Block, Totals, doc_place};
use super::{Finished, Format, place, tally::Tally, text};
use crate::model::{CaseStatus, Exit, TestCase, TestFailure, TestRun, TestStatus};

pub(super) use self::target::plan;

/// What cargo says when what was asked for is not there.
const NOTHING_THERE: [&str; 7] = [
    "error: no test target",
    "error: no library targets found",
    "error: no bin target",
    "error: no binary target",
    "error: no bench target",
    "error: no example target",
    "error: package ID specification",
];

/// Whether a test binary began to run tests: after that nothing is the command's own fault.
pub(super) fn began(finished: &Finished<'_>) -> bool {
    text::lines(finished.stdout).any(|line| line.starts_with("running ") && line.contains(" test"))
}

/// Whether cargo says that the target that was asked for does not exist.
pub(super) fn nothing_there(stderr: &[u8]) -> bool {
    text::lines(stderr).any(|line| NOTHING_THERE.iter().any(|start| line.starts_with(start)))
}

/// Reads a finished `cargo test`.
pub(super) fn read(finished: &Finished<'_>) -> TestRun {
    let mut blocks = libtest::blocks(finished.stdout);
    let mut tally = Tally::new(Format::CargoTest);
    assign_files(&mut blocks, finished).iter().zip(&blocks).for_each(|(file, block)| {
        add(&mut tally, block, file.as_deref(), finished);
    });
    if blocks.is_empty() {
        tally.run.compile_errors = compile_errors(finished);
    }
    tally.run.status = status(&tally.run, &blocks, finished);
    tally.run
}

fn compile_errors(finished: &Finished<'_>) -> Vec<crate::model::CompileError> {
    let mut all = rustc::Diagnostics::read(finished.worktree, finished.stderr);
    all.json(finished.stdout);
    let gave_up = all.gave_up();
    let mut errors = all.finish();
    // Without a target that was given up, only an error with a place (a manifest) is more than a word of cargo's own.
    errors.retain(|error| gave_up || (!error.file.is_empty() && finished.exit.code() != Some(0)));
    errors
}

fn status(run: &TestRun, blocks: &[Block], finished: &Finished<'_>) -> TestStatus {
    let code = match finished.exit {
        Exit::Timeout | Exit::Inactive => return TestStatus::Timeout,
        Exit::NotStarted { .. } => return TestStatus::Unparsable,
        Exit::Signal { .. } | Exit::Cancelled => return TestStatus::Crashed,
        Exit::Code { code } => *code,
    };
    if !run.compile_errors.is_empty() {
        return TestStatus::CompileError;
    }
    if blocks.is_empty() {
        let built = text::lines(finished.stderr).any(|line| line.trim_start().starts_with("Finished "));
        let none = nothing_there(finished.stderr) || (code == 0 && built);
        return if none { TestStatus::NoTests } else { TestStatus::Unparsable };
    }
    if blocks.iter().any(|block| block.result.is_none()) {
        return TestStatus::Crashed;
    }
    super::tally::verdict(run, code)
}

fn add(tally: &mut Tally, block: &Block, file: Option<&str>, finished: &Finished<'_>) {
    let Totals { passed, failed, ignored, duration_ms } = block.totals();
    tally.count(CaseStatus::Passed, passed);
    tally.count(CaseStatus::Failed, failed);
    tally.count(CaseStatus::Skipped, ignored);
    tally.run.duration_ms = tally.run.duration_ms.saturating_add(duration_ms);
    let sections: HashMap<&str, &str> =
        block.sections.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let panics = stray_panics(block, &sections, finished.stderr);
    for (name, status) in &block.cases {
        let doc = doc_place(name);
        let file = doc.map(|(file, _)| file).or(file);
        let Some(status) = *status else { continue };
        tally.case(TestCase { name: name.clone(), status, file: file.map(str::to_owned), markers: Vec::new() });
        if status == CaseStatus::Failed {
            let text = sections
                .get(name.as_str())
                .copied()
                .or_else(|| panics.get(name).map(String::as_str))
                .unwrap_or_default();
            let mut failure = failure(name, text, finished.worktree);
            if failure.file.is_none() {
                failure.file = file.map(str::to_owned);
                failure.line = doc.map(|(_, line)| line);
            }
            tally.failure(failure);
        }
    }
}

/// With `--nocapture` a panic is on standard error: what it printed, by test.
fn stray_panics(block: &Block, sections: &HashMap<&str, &str>, stderr: &[u8]) -> HashMap<String, String> {
    let failed = block.cases.iter().filter(|(_, status)| *status == Some(CaseStatus::Failed));
    let mut wanted: HashMap<String, text::Clip> = failed
        .filter(|(name, _)| !sections.contains_key(name.as_str()))
        .map(|(name, _)| (name.clone(), text::Clip::default()))
        .collect();
    if wanted.is_empty() {
        return HashMap::new();
    }
    let mut open: Option<String> = None;
    for line in text::lines(stderr) {
        if let Some((thread, _)) = panic::header(&line) {
            open = wanted.get(thread).filter(|text| text.is_empty()).map(|_| thread.to_owned());
        } else if line.starts_with("error: ") {
            open = None;
        }
        if let Some(text) = open.as_ref().and_then(|name| wanted.get_mut(name)) {
            text.push_line(&line);
        }
    }
    wanted.into_iter().map(|(name, text)| (name, text.finish())).collect()
}

/// What one failing test printed, as a failure.
fn failure(name: &str, text: &str, worktree: &Utf8Path) -> TestFailure {
    let told = |message: &str, place: Option<(String, u32)>| TestFailure {
        name: name.to_owned(),
        file: place.as_ref().map(|(file, _)| file.clone()),
        line: place.map(|(_, line)| line),
        message: text::cap(message, text::MESSAGE),
        stack: text.to_owned(),
        ..TestFailure::default()
    };
    let ours =
        |place: Option<(String, u32)>| place.and_then(|(file, line)| Some((place::inside(&file, worktree)?, line)));
    let first_frame = || place::frames(text, worktree).into_iter().next().map(|place| (place.file, place.line));
    if let Some(panic) = panic::find(text, name) {
        let place = ours(panic.place).or_else(first_frame);
        let expected =
            text.find("note: panic did not contain expected string").and_then(|at| text.get(at + "note: ".len()..));
        return told(expected.unwrap_or(&panic.message), place);
    }
    if let Some(note) = text.lines().find_map(|line| line.strip_prefix("note: test did not panic as expected")) {
        let place = place::in_line(note).map(|(file, line, _)| (file.to_owned(), line));
        return told("test did not panic as expected", ours(place));
    }
    // A test in documentation that does not compile fails alone: it is not a compile error of the run.
    if let Some(error) = rustc::Diagnostics::read(worktree, text.as_bytes()).finish().into_iter().next() {
        let file = Some(error.file).filter(|file| !file.is_empty());
        return told(&error.message, file.zip(error.line));
    }
    let words = text.trim_start().split("\n\n").next().unwrap_or_default();
    told(words, None)
}

/// The test file of each block, where cargo's lines on standard error tell: the n-th `Running` belongs to the n-th block. A
/// binary with a harness of its own prints no block, so the files are told only if the numbers agree.
fn assign_files(blocks: &mut [Block], finished: &Finished<'_>) -> Vec<Option<String>> {
    let (mut files, mut docs) = (Vec::new(), 0);
    for line in text::lines(finished.stderr) {
        let line = line.trim_start();
        if let Some(rest) = line.strip_prefix("Running ") {
            let path = rest.rsplit_once(" (").map(|(path, _)| path.strip_prefix("unittests ").unwrap_or(path));
            files.push(path.map(str::to_owned));
        } else if line.starts_with("Doc-tests ") {
            docs += 1;
        }
    }
    // Rustdoc may print several blocks for one `Doc-tests`. An unfinished run may have begun a binary that printed nothing.
    let ended = finished.exit.code().is_some();
    let launched = files.len() + docs;
    let agree = match docs {
        0 => blocks.len() == files.len() || (!ended && blocks.len() <= files.len()),
        _ => blocks.len() >= launched || !ended,
    };
    let agree = agree && blocks.iter().take(files.len()).all(|block| !block.is_doc());
    let file = |(at, block): (usize, &Block)| {
        let file = files.get(at).filter(|_| agree).cloned().flatten()?;
        Some(in_member(&file, block, finished.worktree).unwrap_or(file))
    };
    blocks.iter().enumerate().map(file).collect()
}

/// Cargo prints the path within the package. A panic in that very file tells where in the workspace the package is.
fn in_member(file: &str, block: &Block, worktree: &Utf8Path) -> Option<String> {
    let tail = format!("/{file}");
    block.sections.iter().find_map(|(name, text)| {
        let (path, _) = panic::find(text, name)?.place?;
        place::inside(&path, worktree).filter(|path| path.ends_with(&tail))
    })
}
