//! What the panes of a session say, as lines.

mod asked;
mod children;
mod criteria;
mod failures;
mod halt;
mod head;
mod history;
mod prompt;

use jiff::tz::TimeZone;

use crate::model::Micros;

use super::{
    snapshot::{Inspected, Snapshot},
    text::{Lines, Page, Tone},
};

pub(super) use asked::{asked, asks_no_more};
pub(super) use children::{shown, text as child};
pub(super) use halt::page as halt;
pub(super) use head::{head, why};

/// A pane of the selected session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// What the agent was told last.
    Prompt,
    /// What happens, as it happens.
    Live,
    /// What failed, and what became of it.
    Failures,
    /// Each acceptance criterion, and what shows it.
    Criteria,
    /// What the session changed.
    Diff,
    /// Every attempt, decision and reactivation.
    History,
}

impl Pane {
    /// Every pane, in the order of its number.
    pub const ALL: &[Self] = &[Self::Prompt, Self::Live, Self::Failures, Self::Criteria, Self::Diff, Self::History];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prompt => "Prompt",
            Self::Live => "Live",
            Self::Failures => "Failures",
            Self::Criteria => "Criteria",
            Self::Diff => "Diff",
            Self::History => "History",
        }
    }

    /// Whether what is new comes at its end, which it follows.
    #[must_use]
    pub const fn follows(self) -> bool {
        match self {
            Self::Live | Self::History => true,
            Self::Prompt | Self::Failures | Self::Criteria | Self::Diff => false,
        }
    }

    /// The pane so many places further, round and round.
    #[must_use]
    pub fn next(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        Self::ALL.get((at + by) % Self::ALL.len()).copied().unwrap_or(self)
    }
}

/// When it is, and where.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Now.
    pub now: Micros,
    /// The zone in which times are shown.
    pub zone: &'a TimeZone,
}

/// What a pane says about a session.
#[must_use]
pub(super) fn page(pane: Pane, inspected: &Inspected, snapshot: &Snapshot, moment: Moment<'_>) -> Lines {
    let session = inspected.detail.session.id;
    match pane {
        Pane::Prompt => prompt::page(&inspected.detail),
        Pane::Live => match snapshot.live(session) {
            Some(live) if live.total > 0 => live.lines.clone(),
            Some(_) | None => note(live_is_empty(inspected)),
        },
        Pane::Failures => failures::page(&inspected.detail),
        Pane::Criteria => snapshot.criteria(session).map_or_else(|| note("…"), |found| criteria::page(found, moment)),
        Pane::Diff => snapshot.changes(session).map_or_else(|| note("…"), |changes| changes.lines.clone()),
        Pane::History => {
            snapshot.story(session).map_or_else(|| note("…"), |story| history::page(&inspected.detail, story, moment))
        }
    }
}

fn live_is_empty(inspected: &Inspected) -> &'static str {
    if inspected.detail.attempts.is_empty() {
        "Nothing has happened yet."
    } else {
        "No events: what this session did left no output."
    }
}

/// A pane that has nothing to show says so.
fn note(text: &str) -> Lines {
    let mut page = Page::default();
    page.text(Tone::Dim, 0, text);
    page.done()
}
