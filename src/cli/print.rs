//! The only place that prints. Text that came from outside is cleaned on its way, unless a program reads it.

#![expect(clippy::print_stderr, reason = "this is where printing is done")]

use std::io::{self, Write as _};

use serde::Serialize;

/// Prints a line. A reader that has gone away is no error.
pub(super) fn line(text: &str) {
    writeln!(io::stdout().lock(), "{}", clean(text)).unwrap_or_default();
}

/// Prints text as it is, which callboard itself made.
pub(super) fn raw(text: &str) {
    write!(io::stdout().lock(), "{text}").unwrap_or_default();
}

/// Prints text that came from outside, without the control sequences in it.
pub(super) fn foreign(text: &str) {
    let mut out = io::stdout().lock();
    write!(out, "{}", clean(text)).unwrap_or_default();
    out.flush().unwrap_or_default();
}

/// Prints a value as JSON, indented.
pub(super) fn json<T: Serialize>(value: &T) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    writeln!(io::stdout().lock(), "{text}").unwrap_or_default();
}

/// Prints a value as one line of JSON.
pub(super) fn json_line<T: Serialize>(value: &T) {
    let text = serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\": \"{error}\"}}"));
    writeln!(io::stdout().lock(), "{text}").unwrap_or_default();
}

/// Says what went wrong.
pub(super) fn error(text: &str) {
    eprintln!("callboard: {}", clean(text));
}

/// Says something beside what was asked for.
pub(super) fn note(text: &str) {
    eprintln!("{}", clean(text));
}

/// The text without anything that a terminal would obey; line ends and tabs stay.
fn clean(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for piece in anstream_strip(text).chars() {
        match piece {
            '\n' | '\t' => plain.push(piece),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            piece if piece.is_control() => {}
            piece => plain.push(piece),
        }
    }
    plain
}

/// Escape sequences go as a whole; what is left of broken ones goes with the control characters.
fn anstream_strip(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}
