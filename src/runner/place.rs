//! Places in the project, out of the many ways in which runners print them.

use camino::{Utf8Component, Utf8Path};

/// A place that somebody printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Relative to the project.
    pub(super) file: String,
    /// Counted from 1.
    pub(super) line: u32,
    /// Counted from 1.
    pub(super) column: Option<u32>,
}

/// So many places are looked at in one text.
const MAX_FRAMES: usize = 256;

/// Directories of other people's code.
const FOREIGN: [&str; 6] = ["node_modules", "site-packages", "dist-packages", ".cargo", "vendor", "rustc"];

/// The path relative to the project; none if it is not in the project, or not the project's own code.
pub(super) fn inside(path: &str, worktree: &Utf8Path) -> Option<String> {
    let decoded = path.strip_prefix("file://").map(percent_decoded);
    let path = Utf8Path::new(decoded.as_deref().unwrap_or(path));
    let path = if path.is_absolute() { path.strip_prefix(worktree).ok()? } else { path };
    let mut parts: Vec<&str> = Vec::new();
    for component in path.components() {
        match component {
            Utf8Component::Normal(part) => parts.push(part),
            Utf8Component::ParentDir => drop(parts.pop()?),
            Utf8Component::CurDir => {}
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    let foreign = parts.iter().any(|part| FOREIGN.contains(part)) || parts.first()?.ends_with(':');
    let odd = parts.first()?.starts_with('<') || parts.first()?.starts_with("node:");
    (!foreign && !odd).then(|| parts.join("/"))
}

/// Whether the path is that of a test, by its directories or its name.
pub(super) fn is_test(path: &str) -> bool {
    let (dirs, name) = path.rsplit_once('/').unwrap_or(("", path));
    let name = name.to_ascii_lowercase();
    name.contains("test")
        || name.contains("spec")
        || dirs.split('/').any(|dir| matches!(dir, "test" | "tests" | "spec" | "specs" | "t" | "__tests__"))
}

/// Every place inside the project that the text names, in order: at most one a line.
pub(super) fn frames(text: &str, worktree: &Utf8Path) -> Vec<Place> {
    let place = |line: &str| {
        let (path, line, column) = in_line(line)?;
        Some(Place { file: inside(path, worktree)?, line, column })
    };
    text.lines().filter_map(place).take(MAX_FRAMES).collect()
}

/// The first place that a line names: path, line, column.
pub(super) fn in_line(line: &str) -> Option<(&str, u32, Option<u32>)> {
    quoted(line).or_else(|| worded(line)).or_else(|| colons(line))
}

/// Python: `File "a.py", line 3`.
fn quoted(line: &str) -> Option<(&str, u32, Option<u32>)> {
    let (_, rest) = line.split_once("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    Some((path, number(rest)?, None))
}

/// Bats: `in test file a.bats, line 3`. Perl: `at a.t line 3.`. PHP: `in a.php on line 3`.
fn worded(line: &str) -> Option<(&str, u32, Option<u32>)> {
    let (before, after) = line.rsplit_once(" line ")?;
    let found = number(after)?;
    let before = before.strip_suffix(" on").unwrap_or(before).trim_end_matches(',');
    let path = [" in test file ", "(in test file ", " at ", " in "]
        .iter()
        .find_map(|word| Some(before.rsplit_once(word)?.1))?;
    has_extension(path).then_some((path, found, None))
}

/// Most others: `a.rs:3`, `a.rs:3:14`, also in brackets or after `file://`.
fn colons(line: &str) -> Option<(&str, u32, Option<u32>)> {
    let mut start = 0;
    for (at, char) in line.char_indices() {
        if char.is_whitespace() || matches!(char, '(' | '[' | '<' | '"' | '\'' | '`' | '|' | '=' | ',') {
            start = at + char.len_utf8();
        } else if char == ':' {
            let (Some(path), Some(rest)) = (line.get(start..at), line.get(at + 1..)) else { continue };
            let Some(found) = number(rest) else { continue };
            if has_extension(path) {
                let column =
                    rest.trim_start_matches(|char: char| char.is_ascii_digit()).strip_prefix(':').and_then(number);
                return Some((path, found, column));
            }
        }
    }
    None
}

/// Whether it ends like the name of a source file. Looks at the end only, so that a line is scanned once.
pub(super) fn has_extension(path: &str) -> bool {
    let from = path.ceil_char_boundary(path.len().saturating_sub(12));
    let Some((_, extension)) = path.get(from..).and_then(|end| end.rsplit_once('.')) else { return false };
    !extension.is_empty()
        && extension.chars().all(char::is_alphanumeric)
        && !extension.starts_with(|c: char| c.is_ascii_digit())
}

/// The number that a text starts with, if it is one a line may have.
pub(super) fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().take(10).take_while(u8::is_ascii_digit).count();
    text.get(..digits)?.parse().ok().filter(|number| *number > 0)
}

fn percent_decoded(path: &str) -> String {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let pair = [ahead.next(), ahead.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)));
        match (byte, pair) {
            (b'%', [Some(high), Some(low)]) => {
                out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                bytes = ahead;
            }
            (_, _) => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_relative_or_refused() {
        for (given, want) in [
            ("/work/shop/src/a.rs", Some("src/a.rs")),
            ("/work/shopping/src/a.rs", None),
            ("./src/./a.rs", Some("src/a.rs")),
            ("tests/suite/../common/mod.rs", Some("tests/common/mod.rs")),
            ("../opt/venv/x.py", None),
            ("file:///work/shop/gr%C3%B6%20e.js", Some("grö e.js")),
            ("file:///work/shop/100%.js", Some("100%.js")),
            ("node_modules/x/index.js", None),
            ("node:internal/x.js", None),
            ("http://host/x.js", None),
            ("/rustc/5980/library/std/src/panicking.rs", None),
            ("", None),
            ("/work/shop", None),
        ] {
            assert_eq!(inside(given, Utf8Path::new("/work/shop")).as_deref(), want, "{given}");
        }
    }

    #[test]
    fn places_are_found_in_lines() {
        for (given, want) in [
            ("  File \"/p/a.py\", line 8, in x", Some(("/p/a.py", 8, None))),
            ("(in test file test/b.bats, line 6)", Some(("test/b.bats", 6, None))),
            ("#   at t/b.t line 6.", Some(("t/b.t", 6, None))),
            ("Error: syntax error, x in /p/a.php on line 9", Some(("/p/a.php", 9, None))),
            ("    at f (file:///p/a.js:8:12)", Some(("file:///p/a.js", 8, Some(12)))),
            ("tests/a.py:6: AssertionError", Some(("tests/a.py", 6, None))),
            ("test_b: /p/b.c:8: main: Assertion", Some(("/p/b.c", 8, None))),
            (" ❯ total src/größe.js:2:16", Some(("src/größe.js", 2, Some(16)))),
            ("at org.x.T.m(T.java:10)", Some(("T.java", 10, None))),
            ("at 10:30:05 on localhost:8080", None),
            ("version 1.2:3", None),
            ("a.rs:0", None),
            ("a.rs:99999999999", None),
        ] {
            assert_eq!(in_line(given), want, "{given}");
        }
    }
}
