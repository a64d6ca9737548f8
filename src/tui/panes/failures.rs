//! Failures: the ledger, with what fails first and what was fixed last.

use crate::{
    model::Placement,
    store::Detail,
    tui::{
        clean::{clean, clean_line},
        text::{Lines, Page, Tone},
        words,
    },
    workflow::{LedgerRow, LedgerState},
};

/// So many rows are shown.
const ROWS: usize = 300;
/// So many lines of a message are shown.
const LINES: usize = 12;
/// So much of a message is looked at, in bytes.
const MESSAGE: usize = 8 * 1024;

pub(super) fn page(detail: &Detail) -> Lines {
    if detail.ledger.is_empty() {
        let ran = detail.attempts.iter().any(|attempt| attempt.step.performer() == crate::model::Performer::Tests);
        return super::note(if ran { "Nothing has failed." } else { "No tests were run in this session yet." });
    }
    let (compile, tests): (Vec<_>, Vec<_>) = detail.ledger.iter().partition(|row| row.compile);
    let mut page = Page::default();
    let failing = |rows: &[&LedgerRow]| rows.iter().filter(|row| row.is_breakage()).count();
    let (broken, red) = (failing(&compile), failing(&tests));
    let fixed = detail.ledger.iter().filter(|row| !row.state.is_failing()).count();
    let old = detail.ledger.len() - broken - red - fixed;
    page.add(|line| {
        let line = if broken > 0 {
            line.with(
                Tone::Bad,
                format!("{}  ", words::count(broken, "place does not compile", "places do not compile")),
            )
        } else {
            line
        };
        let line = match (red, broken) {
            (0, 0) if old > 0 => line.with(Tone::Good, "Nothing broke here  "),
            (0, 0) => line.with(Tone::Good, "Everything that failed is fixed  "),
            (0, _) => line,
            (red, _) => line.with(Tone::Bad, format!("{}  ", words::count(red, "test fails", "tests fail"))),
        };
        let line = line.with(Tone::Dim, if old > 0 { format!("{old} red before  ") } else { String::new() });
        line.with(Tone::Good, if fixed > 0 { format!("{fixed} fixed") } else { String::new() })
    });
    let all: Vec<&LedgerRow> = detail.ledger.iter().collect();
    section(&mut page, "Does not compile", &compile, LedgerRow::is_breakage);
    section(&mut page, "Fails", &tests, LedgerRow::is_breakage);
    section(&mut page, "Was red before the branch began", &all, |row| row.state.is_failing() && row.was_red_before());
    section(&mut page, "Fixed", &all, |row| !row.state.is_failing());
    page.done()
}

fn section(page: &mut Page, title: &str, rows: &[&LedgerRow], belongs: impl Fn(&LedgerRow) -> bool) {
    let mut rows: Vec<_> = rows.iter().filter(|row| belongs(row)).collect();
    if rows.is_empty() {
        return;
    }
    rows.sort_by_key(|row| (Placement::rank(row.placement), order(row.state), &row.file, row.line));
    page.gap();
    page.add(|line| line.with(Tone::Title, title));
    for row in rows.iter().take(ROWS) {
        entry(page, row);
    }
    if rows.len() > ROWS {
        page.add(|line| line.with(Tone::Dim, format!("… {} more", rows.len() - ROWS)));
    }
}

/// What needs the eye first comes first.
const fn order(state: LedgerState) -> u8 {
    match state {
        LedgerState::CameBack => 0,
        LedgerState::Flaky => 1,
        LedgerState::New => 2,
        LedgerState::MessageChanged => 3,
        LedgerState::StillFailing => 4,
        LedgerState::Fixed => 5,
    }
}

const fn look(state: LedgerState) -> (&'static str, Tone) {
    match state {
        LedgerState::New => ("+", Tone::Bad),
        LedgerState::StillFailing => ("✗", Tone::Bad),
        LedgerState::MessageChanged => ("~", Tone::Warn),
        LedgerState::Fixed => ("✓", Tone::Good),
        LedgerState::CameBack => ("↺", Tone::Bad),
        LedgerState::Flaky => ("≈", Tone::Warn),
    }
}

fn entry(page: &mut Page, row: &LedgerRow) {
    let fixed = row.state == LedgerState::Fixed;
    let old = row.was_red_before() && !fixed;
    let (glyph, tone) = if old { ("·", Tone::Dim) } else { look(row.state) };
    let state = match (old, row.belongs()) {
        (true, _) => row.context.as_deref().map(clean_line).unwrap_or_default(),
        (false, Some(belongs)) if !fixed => format!("{} · {}", row.state.as_str(), clean_line(&belongs)),
        (false, _) => row.state.as_str().to_owned(),
    };
    let place = match (&row.file, row.line) {
        (Some(file), Some(at)) => format!("{}:{at}", clean_line(file)),
        (Some(file), None) => clean_line(file),
        (None, _) => String::new(),
    };
    let name = if row.compile { place.clone() } else { clean_line(&row.test) };
    page.add(|line| {
        line.with(tone, format!("{glyph} "))
            .with(if fixed { Tone::Plain } else { Tone::Strong }, name)
            .with(tone, if state.is_empty() { state } else { format!("  {state}") })
            .with(Tone::Dim, since(row))
            .hanging(2)
    });
    if fixed {
        return;
    }
    if !row.compile && !place.is_empty() {
        page.add(|line| line.with(Tone::Plain, "  ").with(Tone::Tool, place).hanging(2));
    }
    let end = row.message.floor_char_boundary(MESSAGE);
    let message = clean(&row.message[..end]);
    let lines = message.trim_end().lines().count();
    for text in message.trim_end().lines().take(LINES) {
        page.add(|line| line.marked(Tone::Dim, "  │ ").with(Tone::Output, text));
    }
    if lines > LINES {
        page.add(|line| line.with(Tone::Dim, format!("  │ … {} more lines", lines - LINES)));
    }
}

/// In which attempts it failed.
fn since(row: &LedgerRow) -> String {
    if row.first == row.last { format!("  #{}", row.first) } else { format!("  #{}–#{}", row.first, row.last) }
}
