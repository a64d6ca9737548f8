//! What the table of commands becomes on the screen: the keys that work here now, and the help.

use ratatui::layout::Rect;

use crate::tui::{
    able::able,
    keys::{self, Command, Scope},
    model::Model,
    snapshot::Snapshot,
    text::{Lines, Page, Row, Tone},
};

use super::{Pen, width};

/// The commands that the footer offers in so many columns: those that work now, the most wanted first to stay.
#[must_use]
pub fn footer(model: &Model, snapshot: &Snapshot, columns: usize) -> Vec<&'static keys::Row> {
    let mut offered: Vec<(usize, &keys::Row)> = keys::of(model.scope())
        .filter(|row| row.footer > 0 && able(row.command, model, snapshot).is_ok())
        .enumerate()
        .collect();
    offered.sort_by_key(|(at, row)| (row.footer, *at));
    let mut left = columns.saturating_sub(1);
    offered.retain(|(_, row)| {
        let wide = width(&entry(row));
        let fits = wide <= left;
        left -= if fits { wide } else { 0 };
        fits
    });
    // The way out and the help stand where they always stand: at the end.
    offered.sort_by_key(|(at, row)| (model.overlays.is_empty() && row.footer <= 2, *at));
    offered.into_iter().map(|(_, row)| row).collect()
}

/// A key and what it does, in a word.
pub(super) fn entry(row: &keys::Row) -> Row {
    let key = row.keys.first().map(|key| key.name()).unwrap_or_default();
    vec![(Tone::Key, key), (Tone::Dim, format!(" {}  ", row.label))]
}

pub(super) fn draw(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let mut row: Row = vec![(Tone::Plain, " ".into())];
    row.extend(footer(model, snapshot, usize::from(area.width)).into_iter().flat_map(entry));
    pen.row(area, 0, &row, None);
}

/// The help: every command, where it works, and what the signs mean.
#[must_use]
pub fn help() -> Lines {
    let mut page = Page::default();
    let both = |row: &keys::Row| row.scopes.contains(&Scope::Tree) && row.scopes.contains(&Scope::Pane);
    section(&mut page, "On the board", keys::of(Scope::Tree).filter(|row| both(row)));
    for scope in Scope::ALL {
        // Of what works on the board, too, a section names what is not plain to see.
        let named = |row: &&keys::Row| {
            let on_board = matches!(scope, Scope::Tree | Scope::Pane) || matches!(row.command, Command::Move(_));
            !(both(row) && on_board)
        };
        section(&mut page, title(*scope), keys::of(*scope).filter(named));
    }
    page.gap();
    page.add(|line| line.with(Tone::Title, "Signs"));
    for (tone, sign, text) in SIGNS {
        page.add(|line| line.with(*tone, format!("{sign:>14}  ")).with(Tone::Plain, *text).hanging(16));
    }
    page.done()
}

const SIGNS: &[(Tone, &str, &str)] = &[
    (Tone::Busy, "●", "at work"),
    (Tone::Busy, "○", "active, waiting"),
    (Tone::Warn, "◆", "halted: a person decides"),
    (Tone::Good, "✓", "complete"),
    (Tone::Bad, "✗", "failed"),
    (Tone::Dim, "–", "cancelled"),
    (Tone::Warn, "!", "needs you"),
    (Tone::Plain, "3/5", "the step's place in its workflow"),
    (Tone::Warn, "×2", "the second attempt at the step"),
    (Tone::Warn, "g2", "the second generation: it was reactivated"),
    (Tone::Note, "← →", "which session woke it; which ones it woke"),
];

const fn title(scope: Scope) -> &'static str {
    match scope {
        Scope::Tree => "In the tree",
        Scope::Pane => "In a pane",
        Scope::Text => "In this help and in why",
        Scope::Halt => "In the view of a halt",
        Scope::Inbox => "In the inbox",
        Scope::Menu => "In a menu",
        Scope::Question => "At a question",
        Scope::Editor => "Where text is written",
        Scope::Filter => "At the filter",
    }
}

fn section<'a>(page: &mut Page, title: &str, rows: impl Iterator<Item = &'a keys::Row>) {
    page.gap();
    page.add(|line| line.with(Tone::Title, title));
    for row in rows {
        let keys = row.keys_text();
        page.add(|line| line.with(Tone::Key, format!("{keys:>14}  ")).with(Tone::Plain, row.help).hanging(16));
    }
}
