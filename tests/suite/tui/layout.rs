//! Layouts as drawings.

use std::fmt::Write as _;

use callboard::tui::{Areas, Focus, areas, overlay, session};
use insta::assert_snapshot;
use proptest::prelude::*;
use ratatui::layout::Rect;

fn draw(width: u16, height: u16, parts: &[(char, Rect)]) -> String {
    (0..height)
        .map(|y| {
            let at =
                |x| parts.iter().rev().find(|(_, rect)| rect.contains((x, y).into())).map_or('?', |(sign, _)| *sign);
            (0..width).map(at).collect::<String>()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn board(width: u16, height: u16, focus: Focus, zoomed: bool) -> String {
    let Areas { title, tree, rule, session: right, status, keys } = areas(width, height, focus, zoomed);
    let inner = session(right, 3, 4);
    draw(
        width,
        height,
        &[
            ('.', right),
            ('T', title),
            ('t', tree),
            ('|', rule),
            ('H', inner.head),
            ('=', inner.tabs),
            ('c', inner.children),
            ('p', inner.pane),
            ('s', status),
            ('k', keys),
        ],
    )
}

#[test]
fn the_board_at_every_size() {
    let mut out = String::new();
    for (width, height) in [(120, 40), (80, 24), (70, 10), (69, 24), (40, 12), (40, 9), (20, 5), (9, 3), (4, 2), (1, 1)]
    {
        for (name, focus, zoomed) in
            [("tree", Focus::Tree, false), ("pane", Focus::Pane, false), ("pane, zoomed", Focus::Pane, true)]
        {
            writeln!(out, "{width}×{height}, {name}\n{}\n", board(width, height, focus, zoomed)).unwrap();
        }
    }
    assert_snapshot!("layouts", out);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Nothing lies outside the screen, nothing lies on something else, and what has the keys has room.
    #[test]
    fn parts_do_not_overlap(width in 0u16..300, height in 0u16..100, pane: bool, zoomed: bool, head in 0usize..20, children in 0usize..80) {
        let focus = if pane { Focus::Pane } else { Focus::Tree };
        let Areas { title, tree, rule, session: right, status, keys } = areas(width, height, focus, zoomed);
        let inner = session(right, head, children);
        let screen = Rect::new(0, 0, width, height);
        let parts = [title, tree, rule, status, keys, inner.head, inner.tabs, inner.children, inner.pane];
        for (at, part) in parts.iter().enumerate().filter(|(_, part)| !part.is_empty()) {
            prop_assert_eq!(part.intersection(screen), *part);
            for other in parts.iter().skip(at + 1) {
                prop_assert!(part.intersection(*other).is_empty(), "{:?} {:?}", part, other);
            }
        }
        if width > 0 && height > 0 {
            let has_keys = if pane { right } else { tree };
            prop_assert!(!has_keys.is_empty());
        }
        let on_top = overlay(width, height, head * 8, children);
        prop_assert_eq!(on_top.intersection(screen), on_top);
        prop_assert!(on_top.width == width || (on_top.x >= 2 && width - on_top.right() >= 2), "{:?}", on_top);
    }
}
