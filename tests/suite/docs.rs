//! What the documents say is what the program does.

mod configuration;
mod generated;
mod readme;

use std::{fs, path::PathBuf};

/// A file of the repository.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The fenced blocks of a document that are written in a language.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut inside: Option<(bool, String)> = None;
    for line in markdown.lines() {
        match (line.strip_prefix("```"), &mut inside) {
            (Some(of), None) => inside = Some((of == language, String::new())),
            (Some(_), Some(_)) => blocks.extend(inside.take().filter(|(wanted, _)| *wanted).map(|(_, text)| text)),
            (None, Some((_, text))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    assert!(inside.is_none(), "a block has no end");
    blocks
}
