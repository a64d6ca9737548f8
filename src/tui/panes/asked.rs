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
/// More empty lines than these in a row are counted instead.
const EMPTY: usize = 2;

/// What an agent asks, where, and all of it.
#[must_use]
pub(crate) fn asked(question: &Permission, session: &Session) -> Lines {
    let mut page = Page::default();
    page.add(|line| line.with(Tone::Tool, visible(&question.tool)));
    let whole = if question.detail.is_empty() { &question.title } else { &question.detail };
    let text = exposed(whole);
    let lines: Vec<&str> = text.lines().collect();
    for part in lines.get(..LINES).unwrap_or(&lines).chunk_by(|a, b| a.trim().is_empty() == b.trim().is_empty()) {
        // What is far below hides behind nothing.
        if part.len() > EMPTY && part.iter().all(|text| text.trim().is_empty()) {
            page.add(|line| line.with(Tone::Dim, format!("({} empty lines)", part.len())));
            continue;
        }
        for text in part {
            let tone = match text.as_bytes().first() {
                Some(b'+') => Tone::Good,
                Some(b'-') => Tone::Bad,
                Some(_) | None => Tone::Plain,
            };
            page.add(|line| line.with(tone, *text).hanging(2));
        }
    }
    if let Some(left) = lines.len().checked_sub(LINES).filter(|left| *left > 0) {
        page.add(|line| line.with(Tone::Dim, format!("… {left} more lines")));
    }
    if let Some(worktree) = &session.worktree {
        page.gap();
        page.add(|line| line.with(Tone::Dim, visible(&format!("in {worktree}"))).hanging(2));
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
