//! Prompt: what the agent was told last.

use crate::{store::Detail, tui::words};

use crate::tui::{
    clean::clean,
    text::{Lines, Page, Tone},
};

/// So much of a prompt is shown, in bytes.
const SHOWN: usize = 256 * 1024;

pub(super) fn page(detail: &Detail) -> Lines {
    let Some((seq, prompt)) = &detail.prompt else {
        return super::note("No prompt yet: no agent was asked to do anything in this session.");
    };
    let mut page = Page::default();
    let step = detail.attempts.iter().find(|attempt| attempt.seq == *seq);
    let title = match step {
        Some(attempt) if attempt.iteration > 1 => {
            format!("Prompt of {} ×{}", attempt.step, attempt.iteration)
        }
        Some(attempt) => format!("Prompt of {}", attempt.step),
        None => format!("Prompt of attempt {seq}"),
    };
    let size = words::count(prompt.lines().count(), "line", "lines");
    page.add(|line| line.with(Tone::Title, title).with(Tone::Dim, format!("  #{seq} · {size}")));
    page.gap();
    let end = prompt.floor_char_boundary(SHOWN);
    for text in clean(&prompt[..end]).lines() {
        let tone = if text.starts_with('#') { Tone::Strong } else { Tone::Plain };
        // What follows a list's mark stays right of it.
        let indent = text.len() - text.trim_start().len();
        let mark = if text.trim_start().starts_with(['-', '*']) { 2 } else { 0 };
        page.add(|line| line.with(tone, text).hanging(indent + mark));
    }
    if end < prompt.len() {
        page.add(|line| line.with(Tone::Dim, format!("… {} more bytes", prompt.len() - end)));
    }
    page.done()
}
