//! What libtest prints on standard output: one block a test binary, from `running N tests` to its `test result:`.
//!
//! The text of failing tests stands between the two and may look like anything, also like another run of cargo. So nothing is
//! believed before it agrees with what is known: a result only if its numbers add up to N (and to the lines that were
//! seen), a heading only if it names a test that failed, the list of failures only if it holds nothing else.

use std::collections::HashSet;

use crate::{
    model::{CaseStatus, TestRun},
    runner::text::{self, Clip},
};

/// So many tests are remembered by name, in one binary. More are only counted.
const MAX_NAMES: usize = TestRun::MAX_TESTS;
/// More test binaries are not believed: then the last one that was is taken for unfinished.
const MAX_BLOCKS: usize = 10_000;

/// What one test binary, or rustdoc, printed.
#[derive(Debug, Default)]
pub(super) struct Block {
    expected: u64,
    /// The tests in the order of their lines; none: it began, and how it ended is not known.
    pub(super) cases: Vec<(String, Option<CaseStatus>)>,
    /// What the lines add up to.
    seen: Totals,
    /// What the last line says: only then it came to its end.
    pub(super) result: Option<Totals>,
    /// What failing tests printed.
    pub(super) sections: Vec<(String, String)>,
    /// Names of tests that failed.
    failed: HashSet<String>,
    /// Names of tests whose section has begun.
    told: HashSet<String>,
    /// A test's output broke its line (`--nocapture`): lines are not to be counted on.
    broken: bool,
    /// Cases that may be such output.
    doubtful: HashSet<usize>,
}

/// How many tests there were of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Passed, or measured.
    pub(super) passed: u64,
    /// Failed.
    pub(super) failed: u64,
    /// Ignored.
    pub(super) ignored: u64,
    /// How long it took.
    pub(super) duration_ms: u64,
}

impl Totals {
    fn sum(self) -> u64 {
        self.passed.saturating_add(self.failed).saturating_add(self.ignored)
    }
}

impl Block {
    /// What its last line says, or else what its lines add up to.
    pub(super) fn totals(&self) -> Totals {
        self.result.unwrap_or(self.seen)
    }

    /// Whether these are tests in documentation.
    pub(super) fn is_doc(&self) -> bool {
        self.cases.first().is_some_and(|(name, _)| doc_place(name).is_some())
    }

    fn all_seen(&self) -> bool {
        !self.broken && self.seen.sum() >= self.expected
    }

    fn agrees(&self, result: Totals, mode: &Mode) -> bool {
        if result.sum() != self.expected {
            return false;
        }
        let same =
            (result.passed, result.failed, result.ignored) == (self.seen.passed, self.seen.failed, self.seen.ignored);
        let listed = match mode {
            Mode::List(list) => list.names.len() as u64 == result.failed,
            Mode::Outside | Mode::Tests | Mode::Failures(_) => result.failed == 0,
        };
        self.broken || self.seen.sum() != self.expected || (same && listed)
    }

    fn case(&mut self, name: &str, status: Option<CaseStatus>) {
        match status {
            Some(CaseStatus::Passed) => self.seen.passed += 1,
            Some(CaseStatus::Failed | CaseStatus::Errored) => {
                self.seen.failed += 1;
                if self.failed.len() < MAX_NAMES {
                    self.failed.insert(name.to_owned());
                }
            }
            Some(CaseStatus::Skipped) => self.seen.ignored += 1,
            None => {}
        }
        if self.cases.len() < MAX_NAMES {
            self.cases.push((name.to_owned(), status));
        }
    }

    /// Once the result is there: what had no outcome of its own either is in the list of failures or passed.
    fn settle(&mut self, listed: &[String]) {
        if self.cases.len() as u64 > self.expected {
            let doubtful = std::mem::take(&mut self.doubtful);
            let cases = std::mem::take(&mut self.cases).into_iter().enumerate();
            self.cases = cases.filter(|(at, _)| !doubtful.contains(at)).map(|(_, case)| case).collect();
        }
        self.failed.extend(listed.iter().cloned());
        let ended = self.result.is_some();
        for (name, status) in &mut self.cases {
            if status.is_none() && self.failed.contains(name) {
                *status = Some(CaseStatus::Failed);
            } else if status.is_none() && ended {
                *status = Some(CaseStatus::Passed);
            }
        }
        let known: HashSet<&String> = self.cases.iter().map(|(name, _)| name).collect();
        let unknown: Vec<_> = listed.iter().filter(|name| !known.contains(name)).cloned().collect();
        self.cases.extend(unknown.into_iter().map(|name| (name, Some(CaseStatus::Failed))));
    }
}

/// Where in a block the reader is.
#[derive(Debug, Default)]
enum Mode {
    /// Between blocks.
    #[default]
    Outside,
    /// Lines of tests.
    Tests,
    /// What failing tests printed: the open section.
    Failures(Option<(String, Clip)>),
    /// The names of the failing tests.
    List(Names),
}

/// The list of failures while it is being read: it may yet turn out to be something that a test printed.
#[derive(Debug, Default)]
struct Names {
    section: Option<(String, Clip)>,
    names: Vec<String>,
    ended: bool,
}

/// Every block of the output, in order.
pub(super) fn blocks(stdout: &[u8]) -> Vec<Block> {
    let mut reader = Reader::default();
    text::lines(stdout).for_each(|line| reader.line(&line));
    while !matches!(reader.mode, Mode::Outside) {
        reader.end();
    }
    if let Some(last) = reader.blocks.last_mut().filter(|_| reader.too_many) {
        last.result = None;
    }
    reader.blocks
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    /// The index of the open block, if the mode is not [`Mode::Outside`].
    current: usize,
    mode: Mode,
    /// The index of a test whose line was cut by its own output.
    pending: Option<usize>,
    /// Blocks that were open when another began: either their binary died, or a test of theirs runs tests itself.
    waiting: Vec<(usize, Option<usize>)>,
    too_many: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        if let Some(expected) = running(line)
            && self.may_start()
        {
            self.start(expected);
            return;
        }
        let open = !matches!(self.mode, Mode::Outside);
        let Some(block) = self.blocks.get_mut(self.current).filter(|_| open) else { return };
        if let Some(result) = result(line)
            && block.agrees(result, &self.mode)
        {
            block.result = Some(result);
            // What began and ended meanwhile was printed by one of its tests.
            self.blocks.truncate(self.current + 1);
            self.end();
            return;
        }
        if !block.all_seen() && test(block, &mut self.pending, line) {
            return;
        }
        self.mode = match std::mem::take(&mut self.mode) {
            Mode::Outside => Mode::Outside,
            Mode::Tests if line == "failures:" => Mode::Failures(None),
            Mode::Tests => Mode::Tests,
            Mode::Failures(section) => in_failures(block, section, line),
            Mode::List(names) => in_list(block, names, line),
        };
    }

    /// While failing tests of a binary that ran to its end are being told, nothing begins.
    fn may_start(&self) -> bool {
        match self.mode {
            Mode::Outside | Mode::Tests => true,
            Mode::Failures(_) | Mode::List(_) => self.blocks.get(self.current).is_none_or(|block| !block.all_seen()),
        }
    }

    fn start(&mut self, expected: u64) {
        if self.blocks.len() >= MAX_BLOCKS {
            self.too_many = true;
            return;
        }
        if !matches!(self.mode, Mode::Outside) {
            self.waiting.push((self.current, self.pending.take()));
        }
        self.current = self.blocks.len();
        self.blocks.push(Block { expected, ..Block::default() });
        self.mode = Mode::Tests;
    }

    /// Ends the open block and goes back to the one that waits for it.
    fn end(&mut self) {
        let (section, names) = match std::mem::take(&mut self.mode) {
            Mode::Outside | Mode::Tests => (None, Vec::new()),
            Mode::Failures(section) => (section, Vec::new()),
            Mode::List(list) => (list.section, list.names),
        };
        if let Some(block) = self.blocks.get_mut(self.current) {
            keep(block, section);
            block.settle(&names);
        }
        self.pending = None;
        if let Some((current, pending)) = self.waiting.pop() {
            (self.current, self.pending, self.mode) = (current, pending, Mode::Tests);
        }
    }
}

fn keep(block: &mut Block, section: Option<(String, Clip)>) {
    if let Some((name, text)) = section
        && block.sections.len() < TestRun::MAX_TOLD
    {
        block.sections.push((name, text.finish()));
    }
}

fn in_failures(block: &mut Block, section: Option<(String, Clip)>, line: &str) -> Mode {
    if line == "failures:" {
        return Mode::List(Names { section, ..Names::default() });
    }
    if let Some(name) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" stdout ----")) {
        let name = text::cap(name, text::NAME);
        let ours = block.failed.contains(&name) || !block.all_seen();
        if ours && block.told.len() < MAX_NAMES && block.told.insert(name.clone()) {
            keep(block, section);
            return Mode::Failures(Some((name, Clip::default())));
        }
    }
    Mode::Failures(section.map(|(name, mut text)| {
        text.push_line(line);
        (name, text)
    }))
}

fn in_list(block: &Block, mut list: Names, line: &str) -> Mode {
    match line.strip_prefix("    ") {
        Some(name) if !list.ended && (block.failed.contains(name) || !block.all_seen()) => {
            if list.names.len() < MAX_NAMES {
                list.names.push(text::cap(name, text::NAME));
            }
            Mode::List(list)
        }
        None if line.is_empty() => {
            list.ended = !list.names.is_empty();
            Mode::List(list)
        }
        // It was not the list but something that a failing test printed.
        Some(_) | None => {
            let mut section = list.section;
            if let Some((_, text)) = &mut section {
                text.push_line("failures:");
                list.names.iter().for_each(|name| text.push_line(&format!("    {name}")));
            }
            if line == "failures:" {
                return Mode::List(Names { section, ..Names::default() });
            }
            if let Some((_, text)) = &mut section {
                text.push_line(line);
            }
            Mode::Failures(section)
        }
    }
}

/// `test NAME ... ok`, and the rest of a line that the test itself broke (`--nocapture`). Whether the line was one.
fn test(block: &mut Block, pending: &mut Option<usize>, line: &str) -> bool {
    let Some((name, rest)) = line.strip_prefix("test ").and_then(|line| line.split_once(" ... ")) else {
        let Some(status) = outcome(line) else { return false };
        let Some((_, open)) = pending.take().and_then(|at| block.cases.get_mut(at)) else { return false };
        *open = Some(status);
        return true;
    };
    let name = [" - should panic", " - compile fail", " - compile"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .unwrap_or(name);
    let status = outcome(outcome_word(rest.trim_end()));
    if pending.is_some() {
        block.doubtful.insert(block.cases.len());
    } else if status.is_none() {
        *pending = Some(block.cases.len());
        block.broken = true;
    }
    block.case(&text::cap(name, text::NAME), status);
    true
}

/// `ignored, because …`, `ok <0.1s>`, `bench: 12 ns/iter`: the word.
fn outcome_word(outcome: &str) -> &str {
    let end = outcome.find([',', ' ', ':']).unwrap_or(outcome.len());
    let (word, rest) = outcome.split_at(end);
    let known = rest.is_empty()
        || rest.starts_with(", ")
        || rest.starts_with(" <")
        || rest.starts_with(" (")
        || word == "bench";
    if known { word } else { "" }
}

fn outcome(word: &str) -> Option<CaseStatus> {
    match word {
        "ok" | "bench" => Some(CaseStatus::Passed),
        "FAILED" => Some(CaseStatus::Failed),
        "ignored" => Some(CaseStatus::Skipped),
        _ => None,
    }
}

/// `running 3 tests`.
fn running(line: &str) -> Option<u64> {
    let number = line.strip_prefix("running ")?;
    number.strip_suffix(" tests").or_else(|| number.strip_suffix(" test"))?.parse().ok()
}

/// `test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s`. A line that was cut
/// before its last number is none.
fn result(line: &str) -> Option<Totals> {
    let (word, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let (mut totals, mut whole) = (Totals::default(), false);
    for part in rest.split("; ") {
        if let Some(seconds) = part.strip_prefix("finished in ").and_then(|time| time.strip_suffix('s')) {
            let duration =
                seconds.parse().ok().and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
            totals.duration_ms = duration.map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
            continue;
        }
        let (number, what) = part.split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match what {
            "passed" | "measured" => totals.passed = totals.passed.saturating_add(number),
            "failed" => totals.failed = number,
            "ignored" => totals.ignored = number,
            "filtered out" => whole = true,
            _ => {}
        }
    }
    (whole && (word == "ok") == (totals.failed == 0)).then_some(totals)
}

/// Where a test in documentation stands: `src/a.rs - orders::place (line 12)`.
pub(super) fn doc_place(name: &str) -> Option<(&str, u32)> {
    let (file, rest) = name.split_once(" - ")?;
    let (_, line) = rest.rsplit_once("(line ")?;
    let line = line.strip_suffix(')')?.parse().ok()?;
    file.split('.').nth(1).is_some().then_some((file, line))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(stdout: &str) -> Vec<Option<(u64, u64, u64)>> {
        let end = |block: &Block| block.result.map(|end| (end.passed, end.failed, end.ignored));
        blocks(stdout.as_bytes()).iter().map(end).collect()
    }

    const ONE: &str = "\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.50s\n\n";

    #[test]
    fn every_block_needs_its_result() {
        assert_eq!(totals(""), []);
        assert_eq!(totals(ONE), [Some((1, 0, 0))]);
        assert_eq!(
            totals(&format!("{ONE}\nrunning 2 tests\ntest b ... ok\n{ONE}")),
            [Some((1, 0, 0)), None, Some((1, 0, 0))]
        );
        assert_eq!(totals("running 2 tests\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 filtered out"), [None]);
        assert_eq!(
            totals("running 1 test\ntest a ... FAILED\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 filtered out"),
            [None]
        );
        assert_eq!(
            totals("running 1 test\ntest result: FAILED. 1 passed; 0 failed; 0 ignored; 0 filtered out"),
            [None]
        );
        assert_eq!(blocks(ONE.as_bytes())[0].totals().duration_ms, 500);
    }

    #[test]
    fn a_test_may_run_tests_itself() {
        let outer = format!(
            "running 2 tests\ntest x ... ok\n{ONE}test y ... ok\n\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 filtered out\n{ONE}"
        );
        assert_eq!(totals(&outer), [Some((2, 0, 0)), Some((1, 0, 0))]);
        let printed = format!(
            "running 1 test\ntest x ... FAILED\n\nfailures:\n\n---- x stdout ----\n{ONE}failures:\n    a\n\n\n\
             failures:\n    x\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 filtered out\n"
        );
        assert_eq!(totals(&printed), [Some((0, 1, 0))]);
        let text = &blocks(printed.as_bytes())[0].sections[0].1;
        assert!(text.starts_with("running 1 test") && text.ends_with("failures:\n    a"), "{text}");
    }

    #[test]
    fn lines_of_tests_are_read() {
        let stdout = "running 6 tests\ntest a - should panic ... ok\ntest b ... ignored, slow\ntest c ... bench: 1,2 ns/iter (+/- 3)\n\
                      test src/a.rs - f (line 3) - compile fail ... ok <0.1s>\ntest d has been running for over 60 seconds\n\
                      test d ... noise\nok\ntest e ... FAILED (time limit exceeded)\n";
        let cases = &blocks(stdout.as_bytes())[0].cases;
        let names: Vec<_> = cases.iter().map(|(name, status)| (name.as_str(), *status)).collect();
        let (passed, skipped) = (Some(CaseStatus::Passed), Some(CaseStatus::Skipped));
        let doc = "src/a.rs - f (line 3)";
        let want = [
            ("a", passed),
            ("b", skipped),
            ("c", passed),
            (doc, passed),
            ("d", passed),
            ("e", Some(CaseStatus::Failed)),
        ];
        assert_eq!(names, want);
        assert_eq!(doc_place(doc), Some(("src/a.rs", 3)));
        assert_eq!(doc_place("a - b (line 3)"), None);
    }
}
