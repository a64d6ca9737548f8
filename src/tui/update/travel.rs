//! Moving about: in the tree, in a pane, in what is on top.

use crate::{
    model::{Mode, SessionId},
    tui::{
        keys::{Go, Move},
        layout::Focus,
        model::Model,
        scroll::{Port, Position},
        snapshot::Snapshot,
        stack::{Overlay, RULINGS},
        text::Tone,
        view,
    },
};

use super::say;

/// One of the commands that move, wherever it is pressed.
pub(super) fn step(model: &mut Model, snapshot: &Snapshot, step: Move) {
    if matches!(step, Move::HalfDown | Move::HalfUp) && model.overlays.is_empty() {
        return pane(model, step);
    }
    match (model.overlays.last(), model.focus) {
        (Some(Overlay::Help { .. } | Overlay::Why { .. } | Overlay::Halt { .. }), _) => text(model, snapshot, step),
        (Some(Overlay::Inbox { .. }), _) => inbox(model, snapshot, step),
        (Some(Overlay::Modes { .. }), _) => modes(model, step),
        (Some(Overlay::Permit { .. }), _) if matches!(step, Move::HalfDown | Move::HalfUp) => {
            text(model, snapshot, step);
        }
        (Some(Overlay::Permit { .. }), _) => rulings(model, step),
        (Some(Overlay::Question(_) | Overlay::Editor(_)), _) => {}
        (Some(Overlay::Filter), _) | (None, Focus::Tree) => tree(model, snapshot, step),
        (None, Focus::Pane) => pane(model, step),
    }
}

/// By how many rows a command moves in a list that shows so many; the far ends are far away.
fn rows(step: Move, height: usize) -> isize {
    let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
    match step {
        Move::Down => 1,
        Move::Up => -1,
        Move::First => -FAR,
        Move::Last => FAR,
        Move::PageDown => page,
        Move::PageUp => -page,
        Move::HalfDown => (page / 2).max(1),
        Move::HalfUp => -(page / 2).max(1),
    }
}

const FAR: isize = isize::MAX / 2;

fn moved(place: usize, by: isize, rows: usize) -> usize {
    place.saturating_add_signed(by).min(rows.saturating_sub(1))
}

fn tree(model: &mut Model, snapshot: &Snapshot, step: Move) {
    let height = usize::from(model.areas().tree.height);
    let place = moved(model.place().unwrap_or(0), rows(step, height), model.rows.len());
    select_place(model, snapshot, place);
}

fn select_place(model: &mut Model, snapshot: &Snapshot, place: usize) {
    let node = model.rows.get(place).and_then(|at| snapshot.tree.nodes.get(*at));
    if let Some(id) = node.map(|node| node.row.id) {
        model.select(snapshot, id);
    }
}

fn pane(model: &mut Model, step: Move) {
    let port = model.port();
    let position = scrolled(port, model.position(), step);
    // What begins at its tail and is taken back there begins there again when something else was looked at.
    model.positions.insert(model.pane, position);
}

fn scrolled(port: Port<'_>, position: Position, step: Move) -> Position {
    match step {
        Move::First => Position::Top,
        Move::Last => Position::Tail,
        Move::Down | Move::Up | Move::PageDown | Move::PageUp | Move::HalfDown | Move::HalfUp => {
            port.moved(position, rows(step, port.height))
        }
    }
}

fn text(model: &mut Model, snapshot: &Snapshot, step: Move) {
    let Some((lines, area)) = view::overlay_text(model, snapshot) else { return };
    let port = Port { lines: &lines, width: usize::from(area.width), height: usize::from(area.height) };
    if let Some(
        Overlay::Help { position }
        | Overlay::Why { position, .. }
        | Overlay::Halt { position, .. }
        | Overlay::Permit { position, .. },
    ) = model.overlays.last_mut()
    {
        *position = scrolled(port, *position, step);
    }
}

/// The rows of the inbox, in its order.
pub(super) fn waiting(snapshot: &Snapshot) -> Vec<SessionId> {
    snapshot.inbox.iter().map(|item| item.session_id).collect()
}

fn inbox(model: &mut Model, snapshot: &Snapshot, step: Move) {
    let waiting = waiting(snapshot);
    let height = usize::from(model.size.1 / 3);
    if let Some(Overlay::Inbox { chosen }) = model.overlays.last_mut() {
        let place = waiting.iter().position(|id| Some(*id) == *chosen).unwrap_or(0);
        *chosen = waiting.get(moved(place, rows(step, height), waiting.len())).copied();
    }
}

fn rulings(model: &mut Model, step: Move) {
    if let Some(Overlay::Permit { chosen, .. }) = model.overlays.last_mut() {
        let last = RULINGS.len() - 1;
        *chosen = match step {
            Move::Down => (*chosen + 1).min(last),
            Move::Up => chosen.saturating_sub(1),
            Move::First | Move::PageUp | Move::HalfUp => 0,
            Move::Last | Move::PageDown | Move::HalfDown => last,
        };
    }
}

fn modes(model: &mut Model, step: Move) {
    if let Some(Overlay::Modes { chosen, .. }) = model.overlays.last_mut() {
        let place = Mode::ALL.iter().position(|mode| mode == chosen).unwrap_or(0);
        *chosen = Mode::ALL.get(moved(place, rows(step, 1), Mode::ALL.len())).copied().unwrap_or(*chosen);
    }
}

/// Into, out of, and to another session.
pub(super) fn go(model: &mut Model, snapshot: &Snapshot, go: Go) {
    match go {
        Go::In => into(model, snapshot),
        Go::Out if model.focus == Focus::Pane => model.focus = Focus::Tree,
        Go::Out => out(model, snapshot),
        Go::Fold => fold(model, snapshot),
        Go::NextNeed => need(model, snapshot, true),
        Go::PreviousNeed => need(model, snapshot, false),
        Go::Back if model.focus == Focus::Pane => model.focus = Focus::Tree,
        Go::Back if !model.filter.is_empty() => filter(model, snapshot, String::new()),
        Go::Back => {
            model.zoomed = false;
            model.notice = None;
        }
    }
}

/// Opens the selected session's children; where there is nothing to open, its pane gets the keys.
fn into(model: &mut Model, snapshot: &Snapshot) {
    let Some(id) = model.selected else { return };
    if model.filter.is_empty() && model.folded.remove(&id) {
        model.list(snapshot);
    } else {
        model.focus = Focus::Pane;
    }
}

fn out(model: &mut Model, snapshot: &Snapshot) {
    let tree = &snapshot.tree;
    let Some((id, at)) = model.selected.and_then(|id| Some((id, tree.find(id)?))) else { return };
    let has_children = tree.nodes.get(at).is_some_and(|node| node.children.all > 0);
    if has_children && model.filter.is_empty() && model.folded.insert(id) {
        model.list(snapshot);
    } else if let Some(parent) = tree.parent(at).and_then(|parent| tree.nodes.get(parent)) {
        model.select(snapshot, parent.row.id);
    }
}

fn fold(model: &mut Model, snapshot: &Snapshot) {
    let Some(id) = model.selected else { return };
    if !model.folded.remove(&id) {
        model.folded.insert(id);
    }
    model.list(snapshot);
}

/// To the next session in the tree that needs a person, round and round, also into what is folded away.
fn need(model: &mut Model, snapshot: &Snapshot, forward: bool) {
    let nodes = &snapshot.tree.nodes;
    let at = model.selected.and_then(|id| snapshot.tree.find(id));
    let needs = |at: &usize| nodes.get(*at).is_some_and(|node| node.row.need().is_some());
    let after = at.map_or(0, |at| at + 1);
    let found = if forward {
        (after..nodes.len()).chain(0..after).find(needs)
    } else {
        let before = at.unwrap_or(0);
        (0..before).rev().chain((before..nodes.len()).rev()).find(needs)
    };
    let Some(node) = found.and_then(|at| nodes.get(at)) else { return };
    if Some(node.row.id) == model.selected {
        say(model, Tone::Dim, "this is the only session that waits for you");
        return;
    }
    show(model, snapshot, node.row.id);
}

/// Selects a session wherever it is, ending a filter that hides it.
pub(super) fn show(model: &mut Model, snapshot: &Snapshot, session: SessionId) {
    model.select(snapshot, session);
    if !model.filter.is_empty() && model.place().is_none() {
        filter(model, snapshot, String::new());
    }
}

/// Shows only the sessions that have this text.
pub(super) fn filter(model: &mut Model, snapshot: &Snapshot, text: String) {
    model.filter = text;
    model.list(snapshot);
    let fits = |id: &SessionId| snapshot.tree.node(*id).is_some_and(|node| node.fits(&model.filter));
    if model.filter.is_empty() || model.selected.as_ref().is_some_and(fits) {
        return;
    }
    // What is only there because of what is below it was not looked for.
    let nodes = model.rows.iter().filter_map(|at| snapshot.tree.nodes.get(*at));
    if let Some(id) = nodes.map(|node| node.row.id).find(fits) {
        model.select(snapshot, id);
    }
}
