//! History: attempts, decisions and reactivations in the order in which they came.

use crate::{
    model::{Cause, Decision, Generation, Halt, Origin, ResultStatus, Verdict},
    store::{Detail, Summary},
    tui::{
        clean::clean,
        text::{Lines, Page, Tone},
        words,
    },
};

use super::Moment;

/// So many lines of an error or a context are shown.
const LINES: usize = 8;

pub(super) fn page(detail: &Detail, moment: Moment<'_>) -> Lines {
    let mut page = Page::default();
    let all = detail.attempts.first().is_none_or(|first| first.seq == 1);
    if !all {
        let shown = detail.attempts.len();
        page.add(|line| line.with(Tone::Dim, format!("The last {shown} attempts; `callboard show` has all.")));
    }
    let mut generation = 0;
    for attempt in &detail.attempts {
        for opened in detail.generations.iter().filter(|it| it.number > generation && it.number <= attempt.generation) {
            open(&mut page, opened, moment);
        }
        generation = generation.max(attempt.generation);
        entry(&mut page, attempt, moment);
        if let Some(halt) = detail.halt.as_ref().filter(|halt| halt.seq == attempt.seq) {
            stop(&mut page, halt, moment);
        }
    }
    for opened in detail.generations.iter().filter(|it| it.number > generation) {
        open(&mut page, opened, moment);
    }
    if let Some(halt) = &detail.halt
        && detail.attempts.iter().all(|attempt| attempt.seq != halt.seq)
    {
        stop(&mut page, halt, moment);
    }
    page.done()
}

fn open(page: &mut Page, generation: &Generation, moment: Moment<'_>) {
    let at = words::clock(generation.opened_at, moment.now, moment.zone);
    let what = match &generation.origin {
        Origin::New => "began".to_owned(),
        Origin::Person { user } => format!("{} reactivated it", super::head::person(user)),
        Origin::Session { id } => format!("session {} reactivated it", id.short()),
    };
    if generation.number > 1 {
        page.gap();
    }
    page.add(|line| {
        let line = line.with(Tone::Dim, format!("{at} ")).with(Tone::Title, format!("▶ {what}")).hanging(11);
        if generation.number > 1 {
            line.with(Tone::Dim, format!("  generation {}, from {}", generation.number, generation.start))
        } else {
            line
        }
    });
    quote(page, Tone::Plain, &generation.context);
}

fn entry(page: &mut Page, attempt: &Summary, moment: Moment<'_>) {
    let at = words::clock(attempt.started_at, moment.now, moment.zone);
    let took = words::exact(attempt.completed_at.unwrap_or(moment.now) - attempt.started_at);
    let (glyph, tone, how) = match attempt.status {
        None => ("●", Tone::Busy, "is running"),
        Some(ResultStatus::Ok) => ("✓", Tone::Good, ""),
        Some(ResultStatus::Warning) => ("✓", Tone::Warn, "with a warning"),
        Some(ResultStatus::Error) => ("✗", Tone::Bad, attempt.cause.map_or("went wrong", cause)),
    };
    page.add(|line| {
        let line = line
            .with(Tone::Dim, format!("{at} "))
            .with(tone, format!("{glyph} "))
            .with(Tone::Dim, format!("{:>2} ", attempt.seq))
            .with(Tone::Strong, attempt.step.as_str())
            .hanging(14);
        let line =
            if attempt.iteration > 1 { line.with(Tone::Warn, format!(" ×{}", attempt.iteration)) } else { line };
        let line = if how.is_empty() { line } else { line.with(tone, format!(" {how}")) };
        line.with(Tone::Dim, format!(" {took}"))
    });
    if let Some(message) = &attempt.error_message {
        quote(page, Tone::Output, message);
    }
}

const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Failed => "failed",
        Cause::Interrupted => "was cut off with its engine and does not count",
        Cause::Cancelled => "was cancelled",
        Cause::Timeout => "took longer than it may",
        Cause::Inactive => "was silent for too long",
        Cause::CouldNotRun => "could not run its tests",
        Cause::EmptyDiff => "changed nothing",
        Cause::Environment => "lacks something on this machine",
        Cause::AgentUnavailable => "could not start its agent",
        Cause::MergeConflict => "met a merge conflict",
        Cause::FailuresOutside => "broke tests outside its context",
    }
}

fn stop(page: &mut Page, halt: &Halt, moment: Moment<'_>) {
    let at = words::clock(halt.at, moment.now, moment.zone);
    page.add(|line| {
        line.with(Tone::Dim, format!("{at} "))
            .with(Tone::Warn, format!("◆ halted: {}", words::reason(halt.reason)))
            .hanging(11)
    });
    quote(page, Tone::Output, &halt.message);
    if let Some(decision) = &halt.decision {
        decided(page, decision, moment);
    }
}

fn decided(page: &mut Page, decision: &Decision, moment: Moment<'_>) {
    let at = words::clock(decision.at, moment.now, moment.zone);
    let what = match decision.verdict {
        Verdict::Approve => "approved the halt: closed as failed",
        Verdict::Override => "overrode the halt: it goes on",
        Verdict::Retry => "had the step tried again",
    };
    page.add(|line| {
        line.with(Tone::Dim, format!("{at} "))
            .with(Tone::Title, format!("▶ {} {what}", super::head::person(&decision.user)))
            .hanging(11)
    });
    quote(page, Tone::Plain, decision.note.as_deref().unwrap_or_default());
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
