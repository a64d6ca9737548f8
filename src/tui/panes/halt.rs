//! A halt: what it is about, what was decided, and the diff of the files that it is about.

use crate::{
    model::{Halt, HaltReason, Verdict},
    tui::{
        changes::Changes,
        clean::{clean, clean_line},
        snapshot::Inspected,
        text::{Lines, Page, Tone},
        words,
    },
    workflow::Validity,
};

use super::Moment;

/// So many tests are shown, and so many lines of each message.
const TESTS: usize = 40;
const LINES: usize = 8;

/// The newest halt of a session, with everything that a decision needs.
#[must_use]
pub(crate) fn page(inspected: &Inspected, changes: Option<&Changes>, moment: Moment<'_>) -> Lines {
    let detail = &inspected.detail;
    let Some(halt) = &detail.halt else { return super::note("It is not halted.") };
    let mut page = Page::default();
    page.add(|line| {
        line.with(Tone::Warn, "◆ ")
            .with(Tone::Strong, clean_line(&detail.session.component))
            .with(Tone::Warn, format!("  {}", words::reason(halt.reason)))
            .with(
                Tone::Dim,
                format!(
                    "  {} ({} ago)",
                    words::clock(halt.at, moment.now, moment.zone),
                    words::exact(moment.now - halt.at)
                ),
            )
    });
    decision(&mut page, halt, changes, moment);
    page.gap();
    about(&mut page, halt);
    page.gap();
    let mut lines = {
        page.add(|line| line.with(Tone::Title, of_what(halt)));
        page.done()
    };
    match changes {
        Some(changes) => lines.extend(changes.lines.iter().cloned()),
        None => lines.extend(super::note("…")),
    }
    lines
}

fn of_what(halt: &Halt) -> &'static str {
    if crate::workflow::halted_files(halt).is_empty() {
        "What the session changed"
    } else {
        "What was changed in these files"
    }
}

fn decision(page: &mut Page, halt: &Halt, changes: Option<&Changes>, moment: Moment<'_>) {
    let Some(decision) = &halt.decision else {
        let (approve, go_on) = match halt.reason {
            HaltReason::ArchitecturalFailure => (
                "  the halt is right: closed as failed; nothing of it is committed, merged or pushed",
                "  go on: its agent gets these failures to fix, once more",
            ),
            HaltReason::ArchitecturalIssue => (
                "  the agent is right: closed as failed; its worktree stays",
                "  go on: its agent is told your note and does the step again",
            ),
            HaltReason::IterationLimit
            | HaltReason::NoProgress
            | HaltReason::MergeConflict
            | HaltReason::AgentUnavailable
            | HaltReason::Environment => (
                "  the halt is right: closed as failed; its worktree stays",
                "  go on: it counts its attempts anew, with a note for the record",
            ),
        };
        page.add(|line| line.with(Tone::Key, "A").with(Tone::Plain, approve).hanging(3));
        page.add(|line| line.with(Tone::Key, "O").with(Tone::Plain, go_on).hanging(3));
        if halt.reason != HaltReason::ArchitecturalFailure {
            page.add(|line| line.with(Tone::Key, "r").with(Tone::Plain, "  try the step again").hanging(3));
        }
        return;
    };
    let at = words::clock(decision.at, moment.now, moment.zone);
    let what = match decision.verdict {
        Verdict::Approve => "approved it: closed as failed",
        Verdict::Override => "overrode it: it went on",
        Verdict::Retry => "had the step tried again",
    };
    page.add(|line| {
        line.with(Tone::Dim, format!("{at} "))
            .with(Tone::Title, format!("{} {what}", super::head::person(&decision.user)))
            .with(Tone::Dim, format!("  {}", decision.evidence_hash.get(..12).unwrap_or(&decision.evidence_hash)))
    });
    for text in clean(decision.note.as_deref().unwrap_or_default()).lines() {
        page.add(|line| line.marked(Tone::Dim, "  │ ").with(Tone::Plain, text));
    }
    let went_on = decision.verdict != Verdict::Approve;
    let (tone, text) = match changes.and_then(|changes| changes.validity) {
        Some(Validity::Void) if went_on => {
            (Tone::Warn, "VOID by now: the session went on, and what this was decided on has changed since.")
        }
        Some(Validity::Holds) => (Tone::Good, "What it was decided on has not changed since."),
        Some(Validity::Void) => (Tone::Warn, "VOID: what it was decided on has changed since."),
        Some(Validity::Unknown) => (Tone::Dim, "Whether that has changed since cannot be said: its worktree is gone."),
        None => (Tone::Dim, "…"),
    };
    page.add(|line| line.with(tone, text));
}

/// The evidence: failing tests under their contexts for an architectural halt, else what was said.
fn about(page: &mut Page, halt: &Halt) {
    let tests = halt.evidence.pointer("/about/tests").and_then(|tests| tests.as_array());
    let Some(tests) = tests.filter(|tests| !tests.is_empty()) else {
        page.add(|line| line.with(Tone::Title, "What stopped it"));
        for text in clean(&halt.message).trim_end().lines() {
            page.add(|line| line.marked(Tone::Dim, "  │ ").with(Tone::Output, text));
        }
        return;
    };
    let text = |value: &serde_json::Value, key: &str| value.get(key).and_then(|it| it.as_str()).map(str::to_owned);
    page.add(|line| line.with(Tone::Title, "What broke outside"));
    let mut context = None;
    for test in tests.iter().take(TESTS) {
        let theirs = text(test, "context");
        if context.as_ref() != Some(&theirs) {
            let name = theirs.as_deref().map_or_else(|| "in no known context".to_owned(), clean_line);
            let component = text(test, "component").map(|it| format!(", {}", clean_line(&it))).unwrap_or_default();
            page.add(|line| line.with(Tone::Strong, format!("  {name}")).with(Tone::Dim, component));
            context = Some(theirs);
        }
        let name = clean_line(&text(test, "name").unwrap_or_default());
        let line_number = test.get("line").and_then(serde_json::Value::as_u64);
        let place = match (text(test, "file"), line_number) {
            (Some(file), Some(at)) => format!("  {}:{at}", clean_line(&file)),
            (Some(file), None) => format!("  {}", clean_line(&file)),
            (None, _) => "  its file is not known, so it counts as outside".to_owned(),
        };
        page.add(|line| line.with(Tone::Bad, "  ✗ ").with(Tone::Plain, name).with(Tone::Tool, place).hanging(4));
        for said in clean(&text(test, "message").unwrap_or_default()).trim_end().lines().take(LINES) {
            page.add(|line| line.marked(Tone::Dim, "    │ ").with(Tone::Output, said));
        }
    }
    if tests.len() > TESTS {
        page.add(|line| line.with(Tone::Dim, format!("  … {} more", tests.len() - TESTS)));
    }
    page.gap();
    page.add(|line| line.with(Tone::Title, "Changed here, and theirs or used by them"));
    let files = crate::workflow::halted_files(halt);
    if files.is_empty() {
        page.add(|line| line.with(Tone::Dim, "  nothing that is known: see what else changed, below"));
    }
    for file in files {
        page.add(|line| line.with(Tone::Tool, format!("  {}", clean_line(&file))).hanging(4));
    }
}
