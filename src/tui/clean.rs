//! Foreign text made fit for a terminal: what agents, tests and files say may hold anything, and nothing of it may move the
//! cursor, change a colour or turn the reading direction.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr};

/// Tabs lead to the next multiple of so many columns.
const TAB: usize = 4;
/// So many zero-width characters in a row are kept: more is no writing system but an attack on the screen.
const MARKS: usize = 4;
/// What one cell may hold, in bytes.
const CELL: usize = 64;

/// The text without anything that a terminal would obey. Lines stay lines; a carriage return begins a new one, so that it
/// hides nothing.
#[must_use]
pub fn clean(text: &str) -> String {
    if text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut column = 0;
    let mut marks = 0;
    while let Some(char) = rest.chars().next() {
        let after = &rest[char.len_utf8()..];
        rest = match char {
            '\u{1b}' => after_escape(after),
            '\u{9b}' => after_csi(after),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => after_string(after),
            _ => {
                push(&mut out, char, after, &mut column, &mut marks);
                after
            }
        };
    }
    if out.is_ascii() { out } else { bound_cells(&out) }
}

/// The same on one line.
#[must_use]
pub fn clean_line(text: &str) -> String {
    let text = clean(text);
    if text.contains('\n') { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
}

/// A line in which everything that shows nothing is shown by its name: what changes how text is read, or what a terminal
/// does, is no less a change than the rest. Only the style that is asked for a symbol or an emoji is taken as it is.
#[must_use]
pub fn visible(text: &str) -> String {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    for char in text.chars() {
        let styles = matches!(char, '\u{fe0e}' | '\u{fe0f}')
            && before.is_some_and(|before: char| !before.is_ascii() && !is_invisible(before));
        match char {
            '\t' => out.push('\t'),
            '\u{7f}' => out.push('␡'),
            '\0'..='\u{1f}' => out.extend(char::from_u32(0x2400 + u32::from(char))),
            _ if styles => out.push(char),
            '\u{2028}' | '\u{2029}' => out.push_str(&named(char)),
            _ if char.is_control() || is_invisible(char) => out.push_str(&named(char)),
            _ => out.push(char),
        }
        before = Some(char);
    }
    clean_line(&out)
}

/// Lines of which each is `visible`: for what a person is asked about, where nothing may be left out.
#[must_use]
pub fn exposed(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// `<U+202E>`
fn named(char: char) -> String {
    format!("<U+{:04X}>", u32::from(char))
}

/// How many columns a cleaned text takes.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.graphemes(true).map(UnicodeWidthStr::width).sum() }
}

/// The text in at most so many columns, with `…` for what is left out.
#[must_use]
pub fn elide(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if used + wide >= columns {
            break;
        }
        used += wide;
        out.push_str(grapheme);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

fn push(out: &mut String, char: char, after: &str, column: &mut usize, marks: &mut usize) {
    match char {
        '\r' if after.starts_with('\n') => {}
        '\n' | '\r' | '\u{2028}' | '\u{2029}' => {
            out.push('\n');
            *column = 0;
        }
        '\t' => {
            let spaces = TAB - *column % TAB;
            out.extend(std::iter::repeat_n(' ', spaces));
            *column += spaces;
        }
        '\u{b}' | '\u{c}' => {
            out.push(' ');
            *column += 1;
        }
        _ if char.is_control() || is_invisible(char) => {}
        _ => {
            let wide = char.width().unwrap_or(0);
            *marks = if wide == 0 { *marks + 1 } else { 0 };
            if *marks <= MARKS {
                out.push(char);
                *column += wide;
            }
        }
    }
}

/// Characters that show nothing but change how others are shown or read, among them every bidirectional control. The
/// joiners that scripts and emoji need stay.
const fn is_invisible(char: char) -> bool {
    matches!(char,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// What follows an escape sequence whose ESC is read already.
fn after_escape(text: &str) -> &str {
    let Some(char) = text.chars().next() else { return text };
    match char {
        '[' => after_csi(&text[1..]),
        ']' | 'P' | 'X' | '^' | '_' => after_string(&text[1..]),
        ' '..='/' => {
            let rest = text.trim_start_matches(|char| matches!(char, ' '..='/'));
            rest.strip_prefix(|char| matches!(char, '0'..='~')).unwrap_or(rest)
        }
        '0'..='~' => &text[1..],
        _ => text,
    }
}

fn after_csi(text: &str) -> &str {
    let rest = text.trim_start_matches(|char| matches!(char, '0'..='?'));
    let rest = rest.trim_start_matches(|char| matches!(char, ' '..='/'));
    rest.strip_prefix(|char| matches!(char, '@'..='~')).unwrap_or(rest)
}

/// What follows an operating-system command or its like. One that does not end on its line is text: otherwise a single
/// byte would hide everything after it.
fn after_string(text: &str) -> &str {
    let line = text.find('\n').map_or(text, |end| &text[..end]);
    let end = line.char_indices().find_map(|(at, char)| match char {
        '\u{7}' | '\u{9c}' => Some(at + char.len_utf8()),
        '\u{1b}' if line[at + 1..].starts_with('\\') => Some(at + 2),
        _ => None,
    });
    end.map_or(text, |end| &text[end..])
}

fn bound_cells(text: &str) -> String {
    if text.graphemes(true).all(|grapheme| grapheme.len() <= CELL) {
        return text.to_owned();
    }
    text.graphemes(true).map(|grapheme| if grapheme.len() <= CELL { grapheme } else { "\u{fffd}" }).collect()
}
