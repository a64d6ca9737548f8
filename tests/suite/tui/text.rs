//! Wrapping and scrolling.

use std::sync::Arc;

use callboard::tui::{Line, Lines, Port, Position, Tone, width, wrap};
use proptest::prelude::*;

fn line(text: &str, hang: usize) -> Line {
    Line::new((0, 0)).with(Tone::Plain, text).hanging(hang)
}

fn rows(line: &Line, columns: usize) -> Vec<String> {
    wrap(line, columns).into_iter().map(|row| row.into_iter().map(|(_, text)| text).collect()).collect()
}

#[test]
fn words_stay_whole_where_they_fit() {
    assert_eq!(rows(&line("to be or not to be", 0), 8), ["to be or", "not to", "be"]);
    assert_eq!(rows(&line("incomprehensible", 0), 6), ["incomp", "rehens", "ible"]);
    assert_eq!(rows(&line("    indented text goes on", 4), 14), ["    indented", "    text goes", "    on"]);
    assert_eq!(rows(&line("", 0), 5), [""]);
    assert_eq!(rows(&line("日本語です", 0), 5), ["日本", "語で", "す"]);
    assert_eq!(rows(&line("wide 日", 0), 1), ["w", "i", "d", "e", "日"]);
}

#[test]
fn a_mark_stands_before_every_row() {
    let marked = Line::new((0, 0)).marked(Tone::Warn, "▌ ").with(Tone::Plain, "one two three");
    assert_eq!(rows(&marked, 7), ["▌ one", "▌ two", "▌ three"]);
}

fn lines(count: u64) -> Lines {
    (0..count).map(|n| Arc::new(Line::new((n, 0)).with(Tone::Plain, format!("line {n} is long")))).collect()
}

fn shown(port: Port<'_>, position: Position) -> Vec<String> {
    port.rows(position).into_iter().map(|row| row.into_iter().map(|(_, text)| text).collect()).collect()
}

#[test]
fn a_position_names_a_line() {
    let all = lines(10);
    let port = Port { lines: &all, width: 8, height: 4 };
    assert_eq!(shown(port, Position::Top), ["line 0", "is long", "line 1", "is long"]);
    assert_eq!(shown(port, Position::Tail), ["line 8", "is long", "line 9", "is long"]);
    let up = port.moved(Position::Tail, -3);
    assert_eq!(up, Position::At { key: (6, 0), row: 1 });
    assert_eq!(shown(port, up), ["is long", "line 7", "is long", "line 8"]);
    assert_eq!(port.moved(up, 2), Position::At { key: (7, 0), row: 1 });
    assert_eq!(port.moved(up, 3), Position::Tail);
    assert_eq!(port.moved(up, -100), Position::Top);
    // Lines before it go and others come after it: it stays where it is.
    let later: Lines = lines(14).into_iter().skip(5).collect();
    let port = Port { lines: &later, ..port };
    assert_eq!(shown(port, up), ["is long", "line 7", "is long", "line 8"]);
    // Its own line goes: what follows is shown.
    let much_later: Lines = lines(30).into_iter().skip(20).collect();
    assert_eq!(shown(Port { lines: &much_later, ..port }, up)[0], "line 20");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_fits_and_no_word_is_lost(text in "[a-z日 ]{0,60}", columns in 2usize..20, hang in 0usize..12) {
        let rows = rows(&line(&text, hang), columns);
        for row in &rows {
            prop_assert!(width(row) <= columns, "{:?} in {}", row, columns);
        }
        let squeezed = |text: &str| text.chars().filter(|char| *char != ' ').collect::<String>();
        prop_assert_eq!(squeezed(&rows.concat()), squeezed(&text));
    }

    #[test]
    fn scrolling_there_and_back_is_staying(count in 1u64..30, height in 1usize..9, columns in 1usize..20, down in 0isize..70) {
        let all = lines(count);
        let port = Port { lines: &all, width: columns, height };
        let there = port.moved(Position::Top, down);
        prop_assert!(port.rows(there).len() <= height);
        let total: usize = all.iter().map(|line| wrap(line, columns).len()).sum();
        let went = down.min(total.saturating_sub(height) as isize);
        prop_assert_eq!(shown(port, port.moved(there, -went)), shown(port, Position::Top));
        prop_assert_eq!(port.rows(Position::Tail).len(), total.min(height));
    }
}
