//! Perl's Test::More says on standard error what its formatter leaves out of the report: where a test failed, and why.

use std::collections::{HashMap, VecDeque};

use camino::Utf8Path;

use crate::{
    model::TestFailure,
    runner::{place, text},
};

/// Completes failures that have no place with the comments about the test of that name, in their order.
pub(super) fn complete(failures: &mut [TestFailure], stderr: &[u8], worktree: &Utf8Path) {
    if failures.iter().all(|failure| failure.file.is_some()) {
        return;
    }
    let mut told = comments(stderr);
    for failure in failures.iter_mut().filter(|failure| failure.file.is_none()) {
        let name = failure.name.split_once(" - ").map_or(failure.name.as_str(), |(_, name)| name);
        let Some(comment) = told.get_mut(name).and_then(VecDeque::pop_front) else { continue };
        if let Some(place) = place::frames(&comment, worktree).into_iter().next() {
            (failure.file, failure.line) = (Some(place.file), Some(place.line));
        }
        failure.stack = text::cap(format!("{}\n{comment}", failure.stack).trim(), text::STACK);
    }
}

/// `#   Failed test 'NAME'` and the comments that follow it, without their `#`.
fn comments(stderr: &[u8]) -> HashMap<String, VecDeque<String>> {
    let mut all: HashMap<String, VecDeque<String>> = HashMap::new();
    let mut open: Option<(String, text::Clip)> = None;
    let mut keep = |open: &mut Option<(String, text::Clip)>| {
        if let Some((name, comment)) = open.take() {
            all.entry(name).or_default().push_back(comment.finish());
        }
    };
    for line in text::lines(stderr) {
        let comment = line.trim_start().strip_prefix('#').map(str::trim_start);
        let failed = comment.and_then(|comment| comment.strip_prefix("Failed test '")?.strip_suffix('\''));
        if let Some(name) = failed {
            keep(&mut open);
            open = Some((name.to_owned(), text::Clip::default()));
        } else if let (Some(comment), Some((_, text))) =
            (comment.filter(|comment| !comment.starts_with("Looks like ")), &mut open)
        {
            text.push_line(comment);
        } else {
            keep(&mut open);
        }
    }
    keep(&mut open);
    all
}
