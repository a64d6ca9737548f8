//! The selected session: head, tabs, what its children do, and the pane.

use ratatui::layout::Rect;

use crate::tui::{
    layout::Focus,
    model::Model,
    panes::{self, Pane},
    scroll::{Port, Position},
    snapshot::Snapshot,
    text::{Page, Row, Tone},
    theme, words,
};

use super::{Pen, width};

pub(super) fn draw(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot) {
    let area = model.areas().session;
    if area.is_empty() {
        return;
    }
    let Some(node) = model.selected.and_then(|id| snapshot.tree.node(id)) else {
        return nothing(pen, area, model, snapshot);
    };
    let areas = model.session_areas();
    let head =
        Port { lines: &model.head, width: usize::from(areas.head.width), height: usize::from(areas.head.height) };
    pen.rows(areas.head, &head.rows(Position::Top));
    tabs(pen, areas.tabs, model, snapshot);
    children(pen, areas.children, model, snapshot);
    if snapshot.inspected(node.row.id).is_none() {
        pen.row(areas.pane, 0, &[(Tone::Dim, "…".into())], None);
        return;
    }
    pen.rows(areas.pane, &model.port().rows(model.position()));
    behind(pen, areas.pane, model, snapshot);
}

/// With no session the board says what to do.
fn nothing(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    if !snapshot.tree.nodes.is_empty() || model.zoomed {
        return;
    }
    let mut page = Page::default();
    page.text(Tone::Title, 0, "Nothing is on the board yet");
    page.gap();
    page.text(
        Tone::Plain,
        0,
        "A session works on one component; a context's session runs one for each of its components:",
    );
    page.gap();
    page.text(Tone::Key, 2, "callboard new component_test NAME\ncallboard new context_testing NAME");
    page.gap();
    page.text(Tone::Dim, 0, "It appears here as soon as it is made.");
    if !snapshot.engine {
        page.gap();
        page.text(Tone::Warn, 0, "No engine is alive: sessions wait until `callboard engine run` does their work.");
    }
    let lines = page.done();
    let port = Port { lines: &lines, width: usize::from(area.width), height: usize::from(area.height) };
    pen.rows(area, &port.rows(Position::Top));
}

fn tabs(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let columns = usize::from(area.width);
    let (tone, text) = standing(model, snapshot);
    let fits = |row: &Row| width(row) <= columns;
    let all = [names(model, snapshot, " ", true), names(model, snapshot, "", true), names(model, snapshot, " ", false)];
    let mut row = all.into_iter().find(fits).unwrap_or_else(|| {
        let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0) + 1;
        vec![(Tone::Strong, format!("▌{at} {} ", model.pane.name())), (Tone::Dim, format!("of {}", Pane::ALL.len()))]
    });
    let gap = columns.saturating_sub(width(&row) + super::clean::width(&text));
    if gap > 0 {
        row.push((Tone::Plain, " ".repeat(gap)));
        row.push((tone, text));
    }
    pen.row(area, 0, &row, None);
}

/// The panes' names, each followed by this much space; only their numbers, but for the one that is shown, where `whole` is
/// not.
fn names(model: &Model, snapshot: &Snapshot, space: &str, whole: bool) -> Row {
    let inspected = model.selected.and_then(|id| snapshot.inspected(id));
    let failing = inspected.map_or(0, |it| it.detail.ledger.iter().filter(|row| row.is_breakage()).count());
    let focused = model.focus == Focus::Pane;
    let mut row = Row::new();
    for (at, pane) in Pane::ALL.iter().enumerate() {
        let active = *pane == model.pane;
        let tone = match (active, focused) {
            (true, true) => Tone::Key,
            (true, false) => Tone::Strong,
            (false, _) => Tone::Dim,
        };
        let mark = if active { "▌" } else { " " };
        let name = if whole || active { format!(" {}", pane.name()) } else { String::new() };
        row.push((tone, format!("{mark}{}{name}", at + 1)));
        if *pane == Pane::Failures && failing > 0 {
            row.push((Tone::Bad, format!("·{failing}")));
        }
        row.push((Tone::Plain, space.into()));
    }
    row
}

/// Where the pane stands in its text.
fn standing(model: &Model, snapshot: &Snapshot) -> (Tone, String) {
    let (port, position) = (model.port(), model.position());
    let running = model.selected.and_then(|id| snapshot.tree.node(id)).is_some_and(|node| node.row.is_running());
    match (model.pane, position) {
        (Pane::Live, Position::Tail) if running => (Tone::Good, "following".into()),
        (Pane::Live, _) => (Tone::Dim, String::new()),
        (Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History, _) if port.fits() => {
            (Tone::Dim, String::new())
        }
        (Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History, Position::Top) => {
            (Tone::Dim, "top".into())
        }
        (Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History, Position::Tail) => {
            (Tone::Dim, "end".into())
        }
        (Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History, Position::At { .. }) => {
            (Tone::Dim, format!("{}%", port.above(position) * 100 / port.lines.len().max(1)))
        }
    }
}

/// In Live, away from its end: how much came after what is shown.
fn behind(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let live = model.selected.and_then(|id| snapshot.live(id));
    let (Pane::Live, Some(live), true) = (model.pane, live, area.height >= 2) else { return };
    let shown = match model.position() {
        Position::Tail => return,
        Position::Top => live.first,
        Position::At { key, .. } => key.0,
    };
    let text =
        format!(" ▼ {} · G follows ", words::count_of(live.total.saturating_sub(shown), "newer event", "newer events"));
    let columns = u16::try_from(super::clean::width(&text)).unwrap_or(area.width).min(area.width);
    let here = Rect { x: area.right() - columns, y: area.bottom() - 1, width: columns, height: 1 };
    pen.row(here, 0, &[(Tone::Warn, text)], Some(theme::chosen(pen.colors)));
}

fn children(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    if area.is_empty() {
        return;
    }
    let nodes: Vec<_> = model.children.0.iter().filter_map(|at| snapshot.tree.nodes.get(*at)).collect();
    let names = nodes.iter().map(|node| super::clean::width(&node.name)).max().unwrap_or(0);
    let names = names.min(usize::from(area.width) / 3);
    let mut rows: Vec<Row> =
        nodes.iter().map(|node| panes::child(node, snapshot.newest.get(&node.row.id), names, model.now)).collect();
    rows.truncate(usize::from(area.height));
    if model.children.1 > 0 {
        let hidden = words::count(model.children.1, "more child", "more children");
        rows.push(vec![(Tone::Dim, format!("  … {hidden} in the tree"))]);
    }
    pen.rows(area, &rows);
    if let Ok(line) = u16::try_from(rows.len())
        && line < area.height
    {
        pen.rule(Rect { y: area.y + line, height: 1, ..area });
    }
}
