//! What a panicking Rust test prints.

use crate::runner::{place::in_line, text};

/// A panic, as the default hook prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::runner) struct Panic {
    /// The thread: the test's name, unless it panicked in a thread of its own or the tests run one by one.
    pub(in crate::runner) thread: String,
    /// File and line, as printed.
    pub(in crate::runner) place: Option<(String, u32)>,
    /// What it said.
    pub(in crate::runner) message: String,
}

/// The panic of the thread that is named like the test, else the first one.
pub(in crate::runner) fn find(text: &str, test: &str) -> Option<Panic> {
    let mut first = None;
    let mut rest = text.lines();
    while let Some(line) = rest.next() {
        let Some((thread, what)) = header(line) else { continue };
        if first.is_some() && thread != test {
            continue;
        }
        let panic = read(thread, what, rest.clone());
        if thread == test {
            return Some(panic);
        }
        first = Some(panic);
    }
    first
}

/// `thread 'NAME' (ID) panicked at …`: the name and the rest. Rust before 1.91 prints no id.
pub(in crate::runner) fn header(line: &str) -> Option<(&str, &str)> {
    let (thread, what) = line.strip_prefix("thread '")?.split_once(" panicked at ")?;
    let thread = thread.rsplit_once(" (").map_or(thread, |(name, _)| name);
    Some((thread.strip_suffix('\'')?, what))
}

fn read<'a>(thread: &str, what: &str, following: impl Iterator<Item = &'a str>) -> Panic {
    let place = |text: &str| in_line(text).map(|(file, line, _)| (file.to_owned(), line));
    // Rust before 1.73: panicked at 'message', src/a.rs:1:2
    if let Some((message, at)) = what.strip_prefix('\'').and_then(|what| what.rsplit_once("', ")) {
        return Panic { thread: thread.to_owned(), place: place(at), message: text::cap(message, text::MESSAGE) };
    }
    let mut message = String::new();
    for line in following {
        let over =
            line.is_empty() || line.starts_with("note: ") || line == "stack backtrace:" || header(line).is_some();
        if over || message.len() > text::MESSAGE {
            break;
        }
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(line);
    }
    Panic { thread: thread.to_owned(), place: place(what), message: text::cap(&message, text::MESSAGE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panic(thread: &str, place: Option<(&str, u32)>, message: &str) -> Panic {
        let place = place.map(|(file, line)| (file.to_owned(), line));
        Panic { thread: thread.to_owned(), place, message: message.to_owned() }
    }

    #[test]
    fn the_tests_own_panic_is_preferred() {
        let text = "\nthread '<unnamed>' (7) panicked at src/a.rs:3:1:\nin a thread\n\n\
                    thread 'm::t' (8) panicked at src/b.rs:5:1:\nfirst\nsecond\nnote: run with …\n\
                    thread 'm::t' panicked at src/c.rs:9:1:\nlater";
        assert_eq!(find(text, "m::t"), Some(panic("m::t", Some(("src/b.rs", 5)), "first\nsecond")));
        assert_eq!(find(text, "x"), Some(panic("<unnamed>", Some(("src/a.rs", 3)), "in a thread")));
        assert_eq!(find("thread 'x' is fine", "x"), None);
    }

    #[test]
    fn old_compilers_print_it_on_one_line() {
        let text = "thread 'main' panicked at 'it's gone', src/a.rs:1:2";
        assert_eq!(find(text, "x"), Some(panic("main", Some(("src/a.rs", 1)), "it's gone")));
    }
}
