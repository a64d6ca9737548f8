//! History: the session's story in sentences, with how long each attempt took and what it said.

use std::collections::HashMap;

use crate::{
    store::{Detail, Summary},
    tui::{
        clean::{clean, clean_line},
        snapshot::Story,
        text::{Lines, Page, Tone},
        words,
    },
    workflow::{Sentence, SentenceKind},
};

use super::Moment;

/// So many lines of an error, a note or a context are shown.
const LINES: usize = 8;

pub(super) fn page(detail: &Detail, story: &Story, moment: Moment<'_>) -> Lines {
    let mut page = Page::default();
    if detail.attempts.first().is_some_and(|first| first.seq > 1) {
        let shown = detail.attempts.len();
        page.add(|line| line.with(Tone::Dim, format!("The last {shown} attempts; `callboard show` has all.")));
    }
    let attempts: HashMap<u32, &Summary> = detail.attempts.iter().map(|attempt| (attempt.seq, attempt)).collect();
    let mut opened = 0;
    for sentence in &story.sentences {
        let attempt = sentence.seq.and_then(|seq| attempts.get(&seq)).copied();
        let begins = sentence.kind == SentenceKind::Began;
        if begins && opened > 0 {
            page.gap();
        }
        tell(&mut page, sentence, attempt, moment);
        if begins {
            let context = detail.generations.get(opened).map_or("", |generation| generation.context.as_str());
            quote(&mut page, Tone::Plain, more(context));
            opened += 1;
        }
        if sentence.kind == SentenceKind::Bad
            && let Some(message) = attempt.and_then(|attempt| attempt.error_message.as_deref())
        {
            quote(&mut page, Tone::Output, more(message));
        }
    }
    page.done()
}

fn tell(page: &mut Page, sentence: &Sentence, attempt: Option<&Summary>, moment: Moment<'_>) {
    let at = words::clock(sentence.at, moment.now, moment.zone);
    let (glyph, tone) = look(sentence.kind);
    let attempt = attempt.filter(|_| !matches!(sentence.kind, SentenceKind::Halted | SentenceKind::Decided));
    page.add(|line| {
        let line = line.with(Tone::Dim, format!("{at} ")).with(tone, format!("{glyph} "));
        let line = match attempt {
            Some(attempt) => line.with(Tone::Dim, format!("{:>2} ", attempt.seq)).hanging(14),
            None => line.hanging(11),
        };
        let line = line.with(words_tone(sentence.kind), clean_line(&sentence.sentence));
        let took = attempt.map(|it| words::exact(it.completed_at.unwrap_or(moment.now) - it.started_at));
        line.with(Tone::Dim, took.map_or_else(String::new, |took| format!(" {took}")))
    });
}

const fn look(kind: SentenceKind) -> (&'static str, Tone) {
    match kind {
        SentenceKind::Began | SentenceKind::Decided => ("▶", Tone::Title),
        SentenceKind::Woke => ("→", Tone::Note),
        SentenceKind::Running => ("●", Tone::Busy),
        SentenceKind::Good => ("✓", Tone::Good),
        SentenceKind::Warned => ("✓", Tone::Warn),
        SentenceKind::Bad => ("✗", Tone::Bad),
        SentenceKind::Halted => ("◆", Tone::Warn),
        SentenceKind::Ended => ("■", Tone::Strong),
    }
}

const fn words_tone(kind: SentenceKind) -> Tone {
    match kind {
        SentenceKind::Began | SentenceKind::Decided => Tone::Title,
        SentenceKind::Halted => Tone::Warn,
        SentenceKind::Ended => Tone::Strong,
        SentenceKind::Woke | SentenceKind::Running | SentenceKind::Good | SentenceKind::Warned | SentenceKind::Bad => {
            Tone::Plain
        }
    }
}

/// A text of several lines; one line is in its sentence already.
fn more(text: &str) -> &str {
    let text = text.trim();
    if text.lines().nth(1).is_some() { text } else { "" }
}

fn quote(page: &mut Page, tone: Tone, text: &str) {
    let text = clean(text);
    let lines = text.trim_end().lines().count();
    for text in text.trim_end().lines().take(LINES) {
        page.add(|line| line.marked(Tone::Dim, "         │ ").with(tone, text));
    }
    if lines > LINES {
        page.add(|line| line.with(Tone::Dim, format!("         │ … {} more lines", lines - LINES)));
    }
}
