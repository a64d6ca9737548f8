//! Where everything is: a function of the size and of what is looked at.

use ratatui::layout::Rect;

/// What the keys that move act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Focus {
    /// The tree.
    Tree,
    /// The pane of the selected session.
    Pane,
}

/// Where everything is. What has no room has no area.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// The line above the tree: the project.
    pub title: Rect,
    /// The tree.
    pub tree: Rect,
    /// The line between the tree and what is right of it, or below.
    pub rule: Rect,
    /// Everything of the selected session: head, tabs and pane.
    pub session: Rect,
    /// Counts and messages.
    pub status: Rect,
    /// The keys that work here now.
    pub keys: Rect,
}

/// So many columns of the board are seen beside an overlay, or none.
const MARGIN: u16 = 2;

/// From so many columns on, tree and pane are side by side.
const SIDE_BY_SIDE: u16 = 70;

/// The layout of a screen.
#[must_use]
pub fn areas(width: u16, height: u16, focus: Focus, zoomed: bool) -> Areas {
    let mut areas = Areas::default();
    if width == 0 || height == 0 {
        return areas;
    }
    let mut rest = Rect::new(0, 0, width, height);
    if height >= 4 {
        areas.keys = cut_bottom(&mut rest, 1);
    }
    if height >= 3 {
        areas.status = cut_bottom(&mut rest, 1);
    }
    let one = rest.height < 8 || zoomed;
    if one && focus == Focus::Pane {
        areas.session = rest;
        return areas;
    }
    if one {
        areas.title = if rest.height >= 4 { cut_top(&mut rest, 1) } else { Rect::default() };
        areas.tree = rest;
        return areas;
    }
    if width >= SIDE_BY_SIDE {
        let left = (width * 2 / 5).clamp(36, 64);
        let mut tree = Rect { width: left, ..rest };
        areas.title = cut_top(&mut tree, 1);
        areas.tree = tree;
        areas.rule = Rect { x: left, width: 1, ..rest };
        areas.session = Rect { x: left + 2, width: width - left - 2, ..rest };
        return areas;
    }
    let share = match (focus, rest.height) {
        (Focus::Tree, 0..16) => rest.height / 2,
        (Focus::Pane, 0..16) => rest.height / 3,
        (Focus::Tree | Focus::Pane, _) => rest.height * 2 / 5,
    };
    let mut tree = cut_top(&mut rest, share);
    if share >= 5 {
        areas.title = cut_top(&mut tree, 1);
    }
    areas.tree = tree;
    areas.rule = cut_top(&mut rest, 1);
    areas.session = rest;
    areas
}

fn cut_top(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let top = Rect { height: rows, ..*area };
    area.y += rows;
    area.height -= rows;
    top
}

fn cut_bottom(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    area.height -= rows;
    Rect { y: area.y + area.height, height: rows, ..*area }
}

/// The parts of what is shown of the selected session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionAreas {
    /// Which session, how far, and what stands in its way.
    pub head: Rect,
    /// The panes' names.
    pub tabs: Rect,
    /// What the children do.
    pub children: Rect,
    /// The pane.
    pub pane: Rect,
}

/// The parts of the session's area, when its head would like so many rows and its children so many.
#[must_use]
pub fn session(area: Rect, head: usize, children: usize) -> SessionAreas {
    let mut rest = area;
    let mut areas = SessionAreas::default();
    let rows = |wanted: usize, most: u16| u16::try_from(wanted).unwrap_or(u16::MAX).min(most);
    if rest.height >= 4 {
        let most = (rest.height - 2) / 2;
        areas.head = cut_top(&mut rest, rows(head, most.max(1)));
    }
    if rest.height >= 2 {
        areas.tabs = cut_top(&mut rest, 1);
    }
    let most = rest.height * 3 / 5;
    areas.children = cut_top(&mut rest, rows(children, most));
    areas.pane = rest;
    areas
}

/// An overlay's box: at most so wide and high, in the middle. What would leave less than two columns of the board at
/// each side takes them too; above and below a row of it stays visible where there is room.
#[must_use]
pub fn overlay(width: u16, height: u16, wide: usize, high: usize) -> Rect {
    let wanted = |wanted: usize| u16::try_from(wanted).unwrap_or(u16::MAX);
    let most = if height > 12 { height - 2 } else { height };
    let high = wanted(high).min(most);
    let wide = Some(wanted(wide)).filter(|wide| wide.saturating_add(2 * MARGIN) <= width).unwrap_or(width);
    Rect::new((width - wide) / 2, (height - high) / 2, wide, high)
}
