//! The selected session: head, tabs, what its children do, and the pane.

use ratatui::layout::Rect;

use crate::tui::{
    layout::Focus,
    model::Model,
    panes::{self, Pane},
    scroll::{Port, Position},
    snapshot::Snapshot,
    text::{Row, Tone},
    words,
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
}

/// With no session the board says what to do.
fn nothing(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    if !snapshot.tree.nodes.is_empty() || model.zoomed {
        return;
    }
    let mut rows: Vec<Row> = vec![
        vec![(Tone::Title, "Nothing is on the board yet".into())],
        vec![],
        vec![(Tone::Plain, "A session works on one component; a context's".into())],
        vec![(Tone::Plain, "session runs one for each of its components:".into())],
        vec![],
        vec![(Tone::Key, "  callboard new component_test NAME".into())],
        vec![(Tone::Key, "  callboard new context_testing NAME".into())],
        vec![],
        vec![(Tone::Dim, "It appears here as soon as it begins.".into())],
    ];
    if !snapshot.engine {
        rows.push(vec![]);
        rows.push(vec![(Tone::Warn, "No engine is alive: sessions wait until".into())]);
        rows.push(vec![(Tone::Warn, "`callboard engine run` does their work.".into())]);
    }
    let inner = if area.width > 50 && area.height > 12 {
        Rect { x: area.x + 2, y: area.y + 1, width: area.width - 2, height: area.height - 1 }
    } else {
        area
    };
    pen.rows(inner, &rows);
}

fn tabs(pen: &mut Pen<'_>, area: Rect, model: &Model, snapshot: &Snapshot) {
    let inspected = model.selected.and_then(|id| snapshot.inspected(id));
    let failing = inspected.map_or(0, |it| it.detail.ledger.iter().filter(|row| row.state.is_failing()).count());
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
        row.push((tone, format!("{mark}{} {} ", at + 1, pane.name())));
        if *pane == Pane::Failures && failing > 0 {
            row.push((Tone::Bad, format!("{failing} ")));
        }
    }
    let columns = usize::from(area.width);
    if width(&row) > columns {
        let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0) + 1;
        row = vec![(Tone::Strong, format!("▌{at} {} ", model.pane.name())), (Tone::Dim, "Tab".into())];
    }
    let (tone, text) = standing(model, snapshot);
    let gap = columns.saturating_sub(width(&row) + super::clean::width(&text) + 1);
    if gap > 0 {
        row.push((Tone::Plain, " ".repeat(gap)));
        row.push((tone, text));
    }
    pen.row(area, 0, &row, None);
}

/// Where the pane stands in its text.
fn standing(model: &Model, snapshot: &Snapshot) -> (Tone, String) {
    let port = model.port();
    let position = model.position();
    if model.pane == Pane::Live {
        let live = model.selected.and_then(|id| snapshot.live(id));
        let running = model.selected.and_then(|id| snapshot.tree.node(id)).is_some_and(|node| node.row.is_running());
        return match (position, live) {
            (Position::Tail, _) if running => (Tone::Good, "following".into()),
            (Position::Tail, _) => (Tone::Dim, String::new()),
            (Position::Top | Position::At { .. }, Some(live)) => {
                let shown = match position {
                    Position::At { key, .. } => key.0,
                    Position::Top | Position::Tail => live.first,
                };
                let newer = live.total.saturating_sub(shown);
                (Tone::Warn, format!("{newer} newer, G follows"))
            }
            (Position::Top | Position::At { .. }, None) => (Tone::Dim, String::new()),
        };
    }
    if port.fits() {
        return (Tone::Dim, String::new());
    }
    let at = match position {
        Position::Top => "top".into(),
        Position::Tail => "end".into(),
        Position::At { .. } => format!("{}%", port.above(position) * 100 / port.lines.len().max(1)),
    };
    (Tone::Dim, at)
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
