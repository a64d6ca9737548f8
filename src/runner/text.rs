//! Foreign bytes made harmless: split into lines, capped, without control sequences. One pass each: what a test prints may
//! be 100 MB without a newline.

use std::borrow::Cow;

/// So many bytes are kept of a test's name.
pub(super) const NAME: usize = 1024;
/// So many bytes are kept of a message.
pub(super) const MESSAGE: usize = 4 * 1024;
/// So many bytes are kept of what belongs to one failure.
pub(super) const STACK: usize = 16 * 1024;
/// So many bytes are looked at of one line: its start, and the end that says how a test fared.
const LINE: (usize, usize) = (12 * 1024, 2 * 1024);
/// What stands where something was left out.
const GAP: &str = " … ";

/// The lines, in order; each is capped and clean, and bytes that are not UTF-8 are replaced.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = Cow<'_, str>> {
    bytes.split(|byte| *byte == b'\n').map(line)
}

fn line(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    let (head, tail) = LINE;
    let text = match (bytes.get(..head), bytes.get(bytes.len().saturating_sub(tail)..)) {
        (Some(start), Some(end)) if bytes.len() > head + tail => {
            Cow::Owned(format!("{}{GAP}{}", String::from_utf8_lossy(start), String::from_utf8_lossy(end)))
        }
        (_, _) => String::from_utf8_lossy(bytes),
    };
    if text.chars().any(is_foreign) { Cow::Owned(clean(&text)) } else { text }
}

fn is_foreign(char: char) -> bool {
    char.is_control() && char != '\t' && char != '\n'
}

/// The text without escape sequences and control characters; newlines and tabs stay.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => match chars.next_if(|next| matches!(next, '[' | ']' | 'P' | 'X' | '^' | '_' | '(' | ')')) {
                Some('[') => skip_csi(&mut chars),
                Some('(' | ')') => {
                    chars.next();
                }
                Some(_) => skip_string(&mut chars),
                None => {
                    chars.next_if(|next| ('0'..='~').contains(next));
                }
            },
            '\u{9b}' => skip_csi(&mut chars),
            '\r' if chars.peek() == Some(&'\n') => {}
            _ if is_foreign(char) => {}
            _ => out.push(char),
        }
    }
    out
}

/// `ESC [`: parameters, then one final character.
fn skip_csi(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while chars.next_if(|next| (' '..='?').contains(next)).is_some() {}
    chars.next_if(|next| ('@'..='~').contains(next));
}

/// `ESC ]` and the like: text until a terminator, or to the end of the line if there is none.
fn skip_string(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(char) = chars.next_if(|next| *next != '\n') {
        if char == '\u{7}' || char == '\u{9c}' {
            return;
        }
        if char == '\u{1b}' {
            chars.next_if_eq(&'\\');
            return;
        }
    }
}

/// The text, cut between characters and marked if it has more than `max` bytes.
pub(super) fn cap(text: &str, max: usize) -> String {
    if text.len() <= max { text.to_owned() } else { format!("{}{GAP}", head(text, max)) }
}

/// At most `max` bytes from the start.
pub(super) fn head(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// At most `max` bytes from the end.
fn tail(text: &str, max: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(max))..).unwrap_or(text)
}

/// Collects text of any length in bounded memory: three quarters of the room for its start, the rest for its end.
#[derive(Debug, Default)]
pub(super) struct Clip {
    start: String,
    end: String,
    lost: bool,
}

impl Clip {
    const START: usize = STACK / 4 * 3;
    const END: usize = STACK / 4;

    /// Adds some text.
    pub(super) fn push(&mut self, text: &str) {
        let fits = if self.end.is_empty() { head(text, Self::START.saturating_sub(self.start.len())) } else { "" };
        self.start.push_str(fits);
        let Some(rest) = text.get(fits.len()..).filter(|rest| !rest.is_empty()) else { return };
        let kept = tail(rest, Self::END);
        self.lost |= kept.len() < rest.len();
        self.end.push_str(kept);
        if self.end.len() > 2 * Self::END {
            self.lost = true;
            self.end = tail(&self.end, Self::END).to_owned();
        }
    }

    /// Adds a line.
    pub(super) fn push_line(&mut self, line: &str) {
        self.push(line);
        self.push("\n");
    }

    /// Whether nothing was added yet.
    pub(super) fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// What was kept, clean and without blank lines around it.
    pub(super) fn finish(&self) -> String {
        let end = tail(&self.end, Self::END);
        let gap = if self.lost || end.len() < self.end.len() { "\n…\n" } else { "" };
        let text = clean(&format!("{}{gap}{end}", self.start));
        text.trim_matches('\n').trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_clean_and_capped() {
        let long = [b"a".repeat(100_000), b"\x1b[31mred\x1b[0m\x07 \xff ok\r\nnext".to_vec()].concat();
        let lines: Vec<_> = lines(&long).collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].len() < 15_000);
        assert!(lines[0].ends_with("red \u{fffd} ok"), "{}", &lines[0][lines[0].len() - 20..]);
        assert_eq!(lines[1], "next");
    }

    #[test]
    fn sequences_vanish_even_unfinished_ones() {
        for (given, want) in [
            ("\x1b[1;31mx\x1b[m", "x"),
            ("\x1b]0;title\x07x", "x"),
            ("\x1b]8;;http://a\x1b\\x", "x"),
            ("\x1b(Bx", "x"),
            ("\x1b]open\nx", "\nx"),
            ("a\x1b", "a"),
            ("a\x1b[", "a"),
            ("a\r\nb\rc\u{9b}31md\u{85}", "a\nbcd"),
        ] {
            assert_eq!(clean(given), want, "{given:?}");
        }
    }

    #[test]
    fn a_clip_keeps_both_ends() {
        let mut clip = Clip::default();
        clip.push("first ");
        for _ in 0..100_000 {
            clip.push("ä middle ");
        }
        clip.push(" last");
        let text = clip.finish();
        assert!(text.starts_with("first ") && text.ends_with(" last") && text.contains("\n…\n"));
        assert!(text.len() < 2 * STACK);
        assert_eq!(cap("ääää", 3), "ä … ");
    }
}
