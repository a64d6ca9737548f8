//! Criteria: story, criterion, the tests that carry it, and the commit that has them.

use crate::{
    model::{CriterionCheck, CriterionState},
    store::CriterionRecord,
    tui::{
        clean::{clean, clean_line},
        snapshot::Criteria,
        text::{Lines, Page, Tone},
        words,
    },
};

use super::Moment;

/// So many tests of a criterion are named.
const TESTS: usize = 8;

pub(super) fn page(criteria: &Criteria, moment: Moment<'_>) -> Lines {
    if criteria.records.is_empty() {
        return super::note(
            "No story has acceptance criteria for this component; [[story]] in callboard.toml gives it some.",
        );
    }
    let mut page = Page::default();
    let rows: Vec<Seen<'_>> = criteria.records.iter().map(|record| Seen::of(record, criteria)).collect();
    page.add(|line| {
        let line = line.with(Tone::Strong, format!("{} of {} satisfied", count(&rows, "satisfied"), rows.len()));
        ["unmet", "untested", "stale"].into_iter().fold(line, |line, state| match count(&rows, state) {
            0 => line,
            some => line.with(Tone::Dim, "  ").with(look(state).1, format!("{some} {state}")),
        })
    });
    let mut story = None;
    for row in &rows {
        if story != Some(&row.record.story) {
            story = Some(&row.record.story);
            page.gap();
            page.add(|line| {
                line.with(Tone::Title, clean_line(&row.record.story))
                    .with(Tone::Dim, format!("  {}", clean_line(&row.record.component)))
            });
        }
        entry(&mut page, row, criteria, moment);
    }
    if let Some(gaps) = &criteria.gap_analysis {
        page.gap();
        page.add(|line| line.with(Tone::Warn, "What this session found missing, as its agent was told"));
        for text in clean(gaps).lines() {
            page.add(|line| line.marked(Tone::Warn, "│ ").with(Tone::Plain, text));
        }
    }
    page.done()
}

/// A criterion with how the session itself found it, where that is newer than what is on record.
struct Seen<'a> {
    record: &'a CriterionRecord,
    /// What this session found; on record once it is finalized.
    here: Option<&'a CriterionCheck>,
    standing: &'static str,
}

impl<'a> Seen<'a> {
    fn of(record: &'a CriterionRecord, criteria: &'a Criteria) -> Self {
        let recorded = record.shown.as_ref().is_some_and(|shown| shown.session_id == criteria.session);
        let here = criteria.checks.iter().find(|check| check.id == record.id).filter(|_| !recorded);
        let standing = match (&record.said, here) {
            (None, Some(check)) => check.standing().as_str(),
            (Some(_), _) | (None, None) => record.standing(),
        };
        Self { record, here, standing }
    }
}

fn count(rows: &[Seen<'_>], standing: &str) -> usize {
    rows.iter().filter(|row| row.standing == standing).count()
}

fn look(standing: &str) -> (&'static str, Tone) {
    match standing {
        "satisfied" => ("✓", Tone::Good),
        "unmet" => ("✗", Tone::Bad),
        "stale" => ("~", Tone::Warn),
        _ => ("○", Tone::Warn),
    }
}

fn entry(page: &mut Page, row: &Seen<'_>, criteria: &Criteria, moment: Moment<'_>) {
    let record = row.record;
    let (glyph, tone) = look(row.standing);
    page.add(|line| {
        line.with(tone, format!("{glyph} "))
            .with(Tone::Strong, clean_line(&record.id))
            .with(Tone::Plain, format!("  {}", clean_line(&record.text)))
            .with(tone, format!("  {}", row.standing))
            .hanging(4)
    });
    if let Some(said) = &record.said {
        let at = words::clock(said.at, moment.now, moment.zone);
        page.add(|line| {
            line.with(Tone::Warn, "    by hand ")
                .with(Tone::Plain, format!("“{}”", clean_line(&said.note)))
                .with(Tone::Dim, format!("  {} {at}", super::head::person(&said.user)))
                .hanging(6)
        });
    }
    let tests = match (row.here, &record.shown) {
        (Some(here), _) => &here.tests,
        (None, Some(shown)) => &shown.tests,
        (None, None) => return none(page, criteria),
    };
    for test in tests.iter().take(TESTS) {
        page.add(|line| line.with(Tone::Tool, format!("    {}", clean_line(test))).hanging(6));
    }
    if tests.len() > TESTS {
        page.add(|line| line.with(Tone::Dim, format!("    … {} more tests", tests.len() - TESTS)));
    }
    match (row.here, &record.shown) {
        (Some(here), _) => {
            let why = if here.state == CriterionState::Untested { "no test that ran carries its id; " } else { "" };
            page.add(|line| {
                line.with(Tone::Dim, format!("    {why}found by this session, on record once it is finalized"))
            });
        }
        (None, Some(shown)) => {
            let at = words::clock(shown.at, moment.now, moment.zone);
            let commit = shown.commit.get(..8).unwrap_or(&shown.commit);
            let by = if shown.session_id == criteria.session { "this session" } else { "another session" };
            page.add(|line| line.with(Tone::Dim, format!("    shown at {commit} by {by}, {at}")));
            if shown.stale {
                page.add(|line| line.with(Tone::Warn, "    stale: one of its files has changed since"));
            }
        }
        (None, None) => {}
    }
}

fn none(page: &mut Page, criteria: &Criteria) {
    let text = if criteria.checks.is_empty() {
        "    no integration session has looked yet"
    } else {
        "    no test carries its id"
    };
    page.add(|line| line.with(Tone::Dim, text));
}
