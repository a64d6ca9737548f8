//! The tree of sessions.

use ratatui::layout::Rect;

use crate::{
    model::{SessionKind, Status},
    tui::{
        clean::{elide, width},
        layout::Focus,
        model::Model,
        snapshot::Snapshot,
        stack::Overlay,
        text::{Row, Tone},
        theme,
        tree::{Node, Tree},
        words,
    },
    workflow::position,
};

use super::Pen;

/// From so many columns on, a row says its step and its need in words.
const WIDE: u16 = 56;
/// In fewer columns a row does not say its kind.
const NARROW: usize = 34;

/// The line above the tree: the project, and the filter while there is one.
pub(super) fn title(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let tree = &snapshot.tree;
    let typing = matches!(model.overlays.last(), Some(Overlay::Filter));
    let mut row: Row = vec![(Tone::Plain, " ".into())];
    if typing || !model.filter.is_empty() {
        row.push((Tone::Key, "/".into()));
        row.push((Tone::Strong, super::clean::clean_line(&model.filter)));
        row.push((Tone::Key, if typing { "▏".into() } else { String::new() }));
        let found =
            model.rows.iter().filter(|at| tree.nodes.get(**at).is_some_and(|node| node.fits(&model.filter))).count();
        row.push((Tone::Dim, format!("  {found} of {}", tree.nodes.len())));
    } else {
        let name = if tree.project.is_empty() { "callboard" } else { &tree.project };
        row.push((Tone::Strong, name.into()));
        row.push((Tone::Dim, format!("  {}", words::count(tree.nodes.len(), "session", "sessions"))));
        if snapshot.more {
            row.push((Tone::Dim, " (the newest)".into()));
        }
    }
    pen.row(area, 0, &row, None);
}

/// The rows of the tree that are in view.
pub(super) fn rows(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let tree = &snapshot.tree;
    if tree.nodes.is_empty() {
        return empty(pen, area);
    }
    if model.rows.is_empty() {
        pen.row(area, 0, &[(Tone::Dim, " No session has this text.".into())], None);
        return;
    }
    for (line, at) in (0..area.height).zip(model.rows.iter().skip(model.top)) {
        let Some(node) = tree.nodes.get(*at) else { continue };
        let selected = model.selected == Some(node.row.id);
        let here = Rect { y: area.y + line, height: 1, ..area };
        let over = match (selected, model.focus) {
            (true, Focus::Tree) => Some(theme::chosen(pen.colors)),
            (true, Focus::Pane) => Some(theme::marked(pen.colors)),
            (false, Focus::Tree | Focus::Pane) => None,
        };
        if let Some(style) = over {
            pen.fill(here, style);
        }
        pen.row(here, 0, &session(tree, node, model, area.width, selected), over);
    }
}

fn empty(pen: &mut Pen<'_>, area: Rect) {
    let lines =
        [(Tone::Plain, " No sessions yet."), (Tone::Dim, " Begin one in a shell:"), (Tone::Key, " callboard new …")];
    for (line, (tone, text)) in (0..area.height).zip(lines) {
        pen.row(area, line, &[(tone, text.into())], None);
    }
}

/// One session's row: its name takes what the columns on its right leave.
fn session(tree: &Tree, node: &Node, model: &Model, columns: u16, selected: bool) -> Row {
    let columns = usize::from(columns);
    let folded = model.filter.is_empty() && model.folded.contains(&node.row.id);
    let (glyph, tone) = words::glyph(&node.row);
    let fold = match (node.children.all > 0, folded) {
        (false, _) => " ",
        (true, true) => "▸",
        (true, false) => "▾",
    };
    let indent = "  ".repeat(node.depth.min(columns / 8));
    let mut row: Row = vec![
        (Tone::Key, if selected { "▌".into() } else { " ".into() }),
        (Tone::Dim, format!("{indent}{fold}")),
        (tone, format!("{glyph} ")),
    ];
    let right = right(tree, node, model, columns, folded);
    let taken = super::width(&row) + super::width(&right) + 1;
    let room = columns.saturating_sub(taken);
    if room < 4 && columns < 30 {
        // Where there is no room for both, the name is what counts.
        row.push((Tone::Plain, node.name.clone()));
        return row;
    }
    let name = elide(&node.name, room);
    let cause = elide(&cause(node), room.saturating_sub(width(&name)));
    let pad = room.saturating_sub(width(&name) + width(&cause)) + 1;
    let tone = if node.row.status == Status::Active { Tone::Strong } else { Tone::Plain };
    row.push((tone, name));
    row.push((Tone::Note, cause));
    row.push((Tone::Plain, " ".repeat(pad)));
    row.extend(right);
    row
}

/// The columns on the right: kind, progress, which attempt, how long, and whether it needs a person.
fn right(tree: &Tree, node: &Node, model: &Model, columns: usize, folded: bool) -> Row {
    let row = &node.row;
    let wide = columns >= usize::from(WIDE);
    let mut out = Row::new();
    // A child's kind follows from its parent's: where room is short it is not said again.
    let implied = node.depth > 0 && parent_kind(tree, node).and_then(SessionKind::child_kind) == Some(row.kind);
    if wide || (!implied && columns >= NARROW) {
        out.push((Tone::Dim, format!("{:<7} ", words::kind(row.kind))));
    }
    let progress = row.step.and_then(|step| position(row.kind, step));
    let progress = match (row.status, progress) {
        (Status::Active | Status::Failed, Some((at, of))) => format!("{at}/{of}"),
        (Status::Active | Status::Failed, None) | (Status::Complete | Status::Cancelled, _) => String::new(),
    };
    if wide {
        out.push((Tone::Plain, format!("{:<13} ", stage(node))));
    }
    out.push((Tone::Plain, format!("{progress:<3} ")));
    let attempt = match (row.iteration, row.generation) {
        (iteration @ 2.., _) if row.status == Status::Active => format!("×{iteration}"),
        (_, generation @ 2..) => format!("g{generation}"),
        (_, _) => String::new(),
    };
    out.push((Tone::Warn, format!("{attempt:<3} ")));
    out.push((Tone::Dim, format!("{:>4} ", words::brief(age(node, model)))));
    out.push(badge(node, wide, folded));
    out
}

/// Who woke it, and whom it woke: ` ← Orders`, ` → Cart, Tax`.
fn cause(node: &Node) -> String {
    let woken = node.woken_by.as_ref().map_or_else(String::new, |by| format!(" ← {by}"));
    let woke = if node.woke.is_empty() { String::new() } else { format!(" → {}", node.woke.join(", ")) };
    woken + &woke
}

fn parent_kind(tree: &Tree, node: &Node) -> Option<SessionKind> {
    node.row.parent_id.and_then(|parent| tree.node(parent)).map(|parent| parent.row.kind)
}

/// What it is doing, in a word or two; of a parent how many children have ended.
fn stage(node: &Node) -> String {
    let children = node.children;
    match node.row.status {
        Status::Active if children.active > 0 => format!("{}/{} ended", children.all - children.active, children.all),
        Status::Active | Status::Failed => node.row.step.map_or("not begun", words::step).to_owned(),
        status @ (Status::Complete | Status::Cancelled) => status.to_string(),
    }
}

/// How long it has been in its step or waiting; once it has ended, how long it took.
fn age(node: &Node, model: &Model) -> i64 {
    let row = &node.row;
    match row.status {
        Status::Active if row.is_running() => model.now - row.step_started_at.unwrap_or(row.updated_at),
        Status::Active => model.now - row.updated_at,
        Status::Complete | Status::Failed | Status::Cancelled => row.updated_at - row.opened_at,
    }
}

fn badge(node: &Node, wide: bool, folded: bool) -> (Tone, String) {
    let columns = if wide { 7 } else { 1 };
    let (tone, text) = match node.row.need() {
        Some(need) => (Tone::Warn, if wide { words::need(need).to_owned() } else { "!".into() }),
        None if folded && node.needs_below > 0 => {
            (Tone::Warn, if wide { format!("!{}", node.needs_below) } else { "!".into() })
        }
        None => (Tone::Plain, String::new()),
    };
    (tone, format!("{text:<columns$}"))
}
