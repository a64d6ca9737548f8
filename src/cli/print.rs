//! The only place that prints. Text that came from outside is cleaned on its way, unless a program reads it.

#![expect(clippy::print_stderr, reason = "this is where printing is done")]

use std::{
    io::{self, Write},
    sync::atomic::{AtomicBool, Ordering},
};

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

use crate::tui::{clean, clean_line, elide, width};

/// Wider cells of a table are cut.
const CELL: usize = 48;
/// So much of an error is shown: it may repeat what was typed.
const ERROR: usize = 8 * 1024;

/// Whether whoever read the output has gone away. That is no error, but no reason to go on either.
static GONE: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads what is printed any more.
pub(super) fn is_unread() -> bool {
    GONE.load(Ordering::Relaxed)
}

fn put(to: &mut impl Write, text: &str) {
    if to.write_all(text.as_bytes()).and_then(|()| to.flush()).is_err() {
        GONE.store(true, Ordering::Relaxed);
    }
}

/// Prints a line.
pub(super) fn line(text: &str) {
    raw(&format!("{}\n", clean(text)));
}

/// Prints text as it is, which callboard itself made.
pub(super) fn raw(text: &str) {
    put(&mut io::stdout().lock(), text);
}

/// Prints a value as JSON, indented.
pub(super) fn json<T: Serialize>(value: &T) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    raw(&format!("{text}\n"));
}

/// Prints a value as one line of JSON.
pub(super) fn json_line<T: Serialize>(value: &T) {
    let text = serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    raw(&format!("{text}\n"));
}

/// Says what went wrong.
pub(super) fn error(text: &str) {
    let end = text.floor_char_boundary(ERROR);
    let cut = if end < text.len() { "…" } else { "" };
    eprintln!("callboard: {}{cut}", clean(&text[..end]));
}

/// How whoever reads this started the program, to be typed again: it need not be installed.
pub(super) fn program() -> String {
    let name = std::env::args().next().unwrap_or_default();
    if name.contains('/') { shell(&name) } else { "callboard".to_owned() }
}

/// A word as a shell takes it.
pub(super) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | ':' | '@' | '=');
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Says something beside what was asked for.
pub(super) fn note(text: &str) {
    eprintln!("{}", clean(text));
}

/// What a word means for whoever reads it; colours follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing in particular.
    Plain,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// Waits for a person.
    Needs,
    /// At work.
    Busy,
}

impl Tone {
    const fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Needs => AnsiColor::Yellow.on_default(),
            Self::Busy => AnsiColor::Cyan.on_default(),
        }
    }
}

/// A cell of a table: clean, on one line.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    pub(super) fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: clean_line(text.as_ref()), tone }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::toned(text, Tone::Plain)
    }
}

/// `1 component`, `2 components`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Prints rows in columns, each as wide as its widest cell; the last one is as long as it is.
pub(super) fn table(rows: &[Vec<Cell>]) {
    let mut out = anstream::stdout().lock();
    put(&mut out, &columns(rows));
}

fn columns(rows: &[Vec<Cell>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows {
        for (at, cell) in row.iter().enumerate() {
            let wide = width(&cell.text).min(CELL);
            match widths.get_mut(at) {
                Some(width) => *width = wide.max(*width),
                None => widths.push(wide),
            }
        }
    }
    let mut text = String::new();
    for row in rows {
        let (last, others) = match row.split_last() {
            Some((last, others)) => (Some(last), others),
            None => (None, row.as_slice()),
        };
        let mut line = String::new();
        for (cell, wide) in others.iter().zip(&widths) {
            let shown = elide(&cell.text, *wide);
            let pad = wide.saturating_sub(width(&shown)) + 2;
            line.push_str(&painted(&shown, cell.tone));
            line.push_str(&" ".repeat(pad));
        }
        line.push_str(&last.map(|cell| painted(&cell.text, cell.tone)).unwrap_or_default());
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn painted(text: &str, tone: Tone) -> String {
    if tone == Tone::Plain || text.is_empty() {
        return text.to_owned();
    }
    let style = tone.style();
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_typed_as_a_shell_takes_them() {
        for (word, typed) in [("/tmp/a-b/callboard.db", "/tmp/a-b/callboard.db"), ("/tmp/my shop", "'/tmp/my shop'")] {
            assert_eq!(shell(word), typed);
        }
        assert_eq!(shell("it's"), r"'it'\''s'");
        assert_eq!(shell(""), "''");
    }

    #[test]
    fn columns_are_aligned_by_what_is_seen() {
        let rows = [
            vec!["ID".into(), "NAME".into(), "STEP".into()],
            vec!["1".into(), "東京".into(), "run".into()],
            vec!["22".into(), "a\u{1b}[31m\nb".into(), "".into()],
        ];
        assert_eq!(columns(&rows), "ID  NAME  STEP\n1   東京  run\n22  a b\n");
    }

    #[test]
    fn a_cell_that_is_too_wide_is_cut_unless_it_is_the_last() {
        let long = "x".repeat(100);
        let text = columns(&[vec![Cell::from(&long), Cell::from(&long)]]);
        assert_eq!(text, format!("{}…  {long}\n", "x".repeat(CELL - 1)));
    }
}
