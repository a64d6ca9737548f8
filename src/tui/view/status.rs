//! The line above the keys: how the sessions stand, what was said last, and whether an engine is alive.

use ratatui::layout::Rect;

use crate::tui::{
    model::Model,
    snapshot::Snapshot,
    text::{Row, Tone},
    words,
};

use super::{Pen, width};

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    if area.is_empty() {
        return;
    }
    let columns = usize::from(area.width);
    let engine: Row = if snapshot.engine {
        vec![(Tone::Good, "● ".into()), (Tone::Dim, "engine ".into())]
    } else {
        vec![(Tone::Warn, "○ no engine ".into())]
    };
    let mut row: Row = vec![(Tone::Plain, " ".into())];
    match (&snapshot.trouble, &model.notice) {
        (Some(trouble), _) => row.push((Tone::Bad, super::clean::clean_line(trouble))),
        (None, Some(notice)) => {
            let short = short(snapshot);
            if columns > 70 {
                row.extend(short);
                row.push((Tone::Dim, "│ ".into()));
            }
            row.push((notice.tone, notice.text.clone()));
        }
        (None, None) => {
            let long = long(snapshot);
            row.extend(if width(&long) + 1 + width(&engine) <= columns { long } else { short(snapshot) });
        }
    }
    let gap = columns.saturating_sub(width(&row) + width(&engine));
    if gap > 0 {
        row.push((Tone::Plain, " ".repeat(gap)));
        row.extend(engine);
    }
    pen.row(area, 0, &row, None);
}

/// The counts in words; none of what there is none of, but for the active ones.
fn long(snapshot: &Snapshot) -> Row {
    let counts = snapshot.tree.counts;
    let more = if snapshot.more { "+" } else { "" };
    let mut row: Row = vec![(Tone::Busy, format!("{} active", counts.active))];
    let waits = words::count(counts.waiting, "waits for you", "wait for you");
    for (number, tone, text) in [
        (counts.waiting, Tone::Warn, waits),
        (counts.complete, Tone::Good, format!("{}{more} complete", counts.complete)),
        (counts.failed, Tone::Bad, format!("{}{more} failed", counts.failed)),
        (counts.cancelled, Tone::Dim, format!("{}{more} cancelled", counts.cancelled)),
    ] {
        if number > 0 {
            row.push((Tone::Dim, " · ".into()));
            row.push((tone, text));
        }
    }
    row
}

/// The counts with the tree's signs.
fn short(snapshot: &Snapshot) -> Row {
    let counts = snapshot.tree.counts;
    let mut row: Row = vec![(Tone::Busy, format!("●{} ", counts.active))];
    for (number, tone, sign) in
        [(counts.waiting, Tone::Warn, "!"), (counts.complete, Tone::Good, "✓"), (counts.failed, Tone::Bad, "✗")]
    {
        if number > 0 {
            row.push((tone, format!("{sign}{number} ")));
        }
    }
    row
}
