//! What an agent asks whether it may do it, whole.

use crate::{
    model::{Permission, Session},
    tui::{
        clean::{exposed, visible},
        text::{Lines, Page, Tone},
    },
};

/// So many lines of it are shown.
const LINES: usize = 2_000;

/// What an agent asks, where, and all of it.
#[must_use]
pub(crate) fn asked(question: &Permission, session: &Session) -> Lines {
    let mut page = Page::default();
    let place = session.worktree.as_ref().map_or_else(String::new, |worktree| format!(" in {worktree}"));
    page.add(|line| line.with(Tone::Tool, visible(&question.tool)).with(Tone::Dim, visible(&place)).hanging(2));
    page.add(|line| line);
    let whole = if question.detail.is_empty() { &question.title } else { &question.detail };
    let text = exposed(whole);
    let lines: Vec<&str> = text.lines().collect();
    for text in lines.iter().take(LINES) {
        let tone = match text.as_bytes().first() {
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Bad,
            Some(_) | None => Tone::Plain,
        };
        page.add(|line| line.with(tone, *text).hanging(2));
    }
    if let Some(left) = lines.len().checked_sub(LINES).filter(|left| *left > 0) {
        page.add(|line| line.with(Tone::Dim, format!("… {left} more lines")));
    }
    page.done()
}

/// The question has its answer.
#[must_use]
pub(crate) fn asks_no_more() -> Lines {
    let mut page = Page::default();
    page.add(|line| line.with(Tone::Dim, "It asks no more."));
    page.done()
}
