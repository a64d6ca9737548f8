//! What a parent's children do, one line each.

use crate::{
    model::Micros,
    tui::{
        live::Newest,
        text::{Row, Tone},
        tree::{Node, Tree},
        words,
    },
    workflow::position,
};

/// The children that are shown where there is room for so many lines, and how many are not. Where not all fit, those that
/// need a person and those that are active come first; the order stays that of the tree.
#[must_use]
pub(crate) fn shown(tree: &Tree, at: usize, room: usize) -> (Vec<usize>, usize) {
    let all: Vec<usize> = tree.children(at).collect();
    if all.len() <= room {
        return (all, 0);
    }
    let room = room.saturating_sub(1);
    let rank = |child: usize| match tree.nodes.get(child) {
        Some(node) if node.row.need().is_some() => 0,
        Some(node) if node.row.is_running() => 1,
        Some(node) if !node.row.status.is_terminal() => 2,
        Some(_) | None => 3,
    };
    let hidden = all.len() - room.min(all.len());
    let mut ranked: Vec<(u8, usize)> = all.into_iter().map(|child| (rank(child), child)).collect();
    ranked.sort_unstable();
    ranked.truncate(room);
    let mut chosen: Vec<usize> = ranked.into_iter().map(|(_, child)| child).collect();
    chosen.sort_unstable();
    (chosen, hidden)
}

/// One child's line, not yet cut to the width: how it stands, how far it is, and what it did last.
#[must_use]
pub(crate) fn text(node: &Node, newest: Option<&Newest>, names: usize, now: Micros) -> Row {
    let row = &node.row;
    let (glyph, tone) = words::glyph(row);
    let progress = row.step.and_then(|step| position(row.kind, step));
    let progress = progress.map_or_else(|| "   ".to_owned(), |(at, of)| format!("{at}/{of}"));
    let name = super::super::clean::elide(&node.name, names);
    let pad = " ".repeat(names.saturating_sub(super::super::clean::width(&name)));
    let mut out: Row = vec![
        (tone, format!("{glyph} ")),
        (Tone::Strong, format!("{name}{pad} ")),
        (Tone::Plain, format!("{progress} ")),
    ];
    if row.status.is_terminal() {
        out.push((tone, row.status.to_string()));
        return out;
    }
    if let Some(reason) = row.halt {
        out.push((Tone::Warn, format!("halted: {}", words::reason(reason))));
        return out;
    }
    let since = row.step_started_at.unwrap_or(row.updated_at);
    out.push((Tone::Dim, format!("{:>4} ", words::brief(now - since))));
    match newest {
        Some(newest) => out.extend(newest.line.runs.iter().cloned()),
        None => out.push((Tone::Dim, row.step.map_or("not begun", words::step).to_owned())),
    }
    out
}
