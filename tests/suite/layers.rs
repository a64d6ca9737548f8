//! The arrows of the house, read from the source: which room may use which, and who may touch the world.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The floors, from the roof down. A room uses what is on lower floors, nothing above and nothing beside it.
const FLOORS: &[&[&str]] = &[
    &["main"],
    &["cli"],
    &["report"],
    &["tui", "engine"],
    &["tool"],
    &["agent", "runner", "git", "prompt", "project", "store"],
    &["workflow"],
    &["model"],
];

/// What only the engine does: parts of paths, and functions by their name alone, since a method or an imported function has
/// no path.
const WORLD: &[&str] = &[
    "std::process::Command",
    "std::thread::sleep",
    "tokio::process",
    "tokio::time",
    "rustix::process",
    "Instant::now",
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Uuid::now_v7",
];
const WORLD_CALLS: &[&str] = &["sleep", "kill"];

/// Who may nevertheless, and why: a file or a folder, what, the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("model/id.rs", "Uuid::now_v7", "an id is made where it is needed, and sorts by the time when it was made"),
    ("cli/doctor.rs", "std::process::Command", "asks programs for their versions"),
    ("tui/terminal.rs", "rustix::process", "Ctrl-Z stops the board and what was started with it"),
];

/// What the pure rooms do not even import.
const IMPURE: &[&str] =
    &["async", "await", "std::fs", "std::env", "std::io", "std::net", "std::process", "std::thread", "tokio"];
const PURE: &[&str] = &["report", "workflow", "model"];

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    /// `::`
    Path,
    Sign(char),
}

/// The tokens of Rust source, without comments, literals and lifetimes.
fn tokens(source: &str) -> Vec<Token> {
    let text: Vec<char> = source.chars().collect();
    let at = |i: usize| text.get(i).copied().unwrap_or('\0');
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = Vec::new();
    let mut i = 0;
    while i < text.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < text.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= text.len() {
                    break;
                }
            }
        } else if c == '"' {
            i = end_of_string(&text, i);
        } else if c == '\'' {
            // A character, or else a lifetime, whose name is no word of interest.
            i = if at(i + 1) == '\\' {
                (i + 3..text.len()).find(|end| at(*end) == '\'').map_or(text.len(), |end| end + 1)
            } else if at(i + 2) == '\'' {
                i + 3
            } else {
                (i + 1..text.len()).find(|end| !is_word(at(*end))).unwrap_or(text.len())
            };
        } else if is_word(c) {
            let end = (i..text.len()).find(|end| !is_word(at(*end))).unwrap_or(text.len());
            let word: String = text[i..end].iter().collect();
            let hashes = (end..text.len()).take_while(|i| at(*i) == '#').count();
            if ["r", "br", "cr"].contains(&word.as_str()) && at(end + hashes) == '"' {
                let close: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
                let body = end + hashes + 1;
                let found = text[body..].windows(close.len()).position(|window| window == close);
                i = found.map_or(text.len(), |found| body + found + close.len());
            } else {
                out.push(Token::Word(word));
                i = end;
            }
        } else if c == ':' && at(i + 1) == ':' {
            out.push(Token::Path);
            i += 2;
        } else {
            if !c.is_whitespace() {
                out.push(Token::Sign(c));
            }
            i += 1;
        }
    }
    out
}

fn end_of_string(text: &[char], start: usize) -> usize {
    let mut i = start + 1;
    while i < text.len() && text[i] != '"' {
        i += if text[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Every path that the source writes, `use` groups taken apart: `use a::{b, c::d}` is `a::b` and `a::c::d`. Paths that begin
/// with `crate`, `self` or `super` are resolved against the module; single words are paths, too.
fn paths(source: &str, module: &[String]) -> Vec<Vec<String>> {
    let tokens = tokens(source);
    let mut out = Vec::new();
    let mut module = module.to_vec();
    // The depths of braces at which inline modules began.
    let (mut depth, mut inline) = (0, Vec::new());
    let mut i = 0;
    while i < tokens.len() {
        match &tokens[i] {
            Token::Word(word) if word == "mod" => {
                if let (Some(Token::Word(name)), Some(Token::Sign('{'))) = (tokens.get(i + 1), tokens.get(i + 2)) {
                    module.push(name.clone());
                    inline.push(depth);
                    depth += 1;
                    i += 2;
                }
                i += 1;
            }
            Token::Word(_) => i = path(&tokens, i, &mut Vec::new(), &module, &mut out),
            Token::Sign('{') => (depth, i) = (depth + 1, i + 1),
            Token::Sign('}') => {
                depth -= 1;
                if inline.last() == Some(&depth) {
                    inline.pop();
                    module.pop();
                }
                i += 1;
            }
            Token::Path | Token::Sign(_) => i += 1,
        }
    }
    out
}

/// Reads one path (with its groups) from token `i` and answers where it ends.
fn path(
    tokens: &[Token],
    mut i: usize,
    prefix: &mut Vec<String>,
    module: &[String],
    out: &mut Vec<Vec<String>>,
) -> usize {
    let length = prefix.len();
    loop {
        match tokens.get(i) {
            Some(Token::Word(word)) => prefix.push(word.clone()),
            Some(Token::Sign('*')) if !prefix.is_empty() => prefix.push("*".into()),
            Some(Token::Sign('{')) if !prefix.is_empty() => {
                i += 1;
                while !matches!(tokens.get(i), None | Some(Token::Sign('}'))) {
                    i = match tokens.get(i) {
                        Some(Token::Sign(',')) => i + 1,
                        _ => path(tokens, i, prefix, module, out).max(i + 1),
                    };
                }
                prefix.truncate(length);
                return i + 1;
            }
            _ => break,
        }
        i += 1;
        if tokens.get(i) != Some(&Token::Path) {
            break;
        }
        i += 1;
    }
    // `x as y` names a path anew: the new name is no path of its own.
    if length > 0 && tokens.get(i) == Some(&Token::Word("as".into())) {
        i += 2;
    }
    out.push(resolved(prefix, module));
    prefix.truncate(length);
    i
}

fn resolved(path: &[String], module: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    match rest.first().map(String::as_str) {
        Some("crate" | "callboard") => return [&["crate".to_owned()], &rest[1..]].concat(),
        Some("self" | "super") => {}
        Some(_) | None => return path.to_vec(),
    }
    while let Some((first, tail)) = rest.split_first() {
        match first.as_str() {
            "self" => {}
            "super" => drop(base.pop()),
            _ => break,
        }
        rest = tail;
    }
    [&["crate".to_owned()], base.as_slice(), rest].concat()
}

/// The module of a file below `src/`, without `crate`: `engine/process.rs` is `engine::process`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        file.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn floor_of(room: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&room))
}

fn begins_with(path: &[String], pattern: &str) -> bool {
    pattern.split("::").zip(path.iter().map(String::as_str).chain(std::iter::repeat(""))).all(|(a, b)| a == b)
}

fn has(path: &[String], pattern: &str) -> bool {
    (0..path.len()).any(|at| begins_with(&path[at..], pattern))
}

fn is_allowed(file: &str, what: &str) -> bool {
    ALLOWED.iter().any(|(place, allowed, _)| {
        let inside = file.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside && what == *allowed
    })
}

/// What a file does that its place in the house does not allow.
fn violations(file: &str, source: &str) -> Vec<String> {
    let module = module_of(Path::new(file));
    let room = module.first().map_or("", String::as_str);
    let paths = paths(source, &module);
    let mut found = Vec::new();
    if room != "lib" {
        let Some(floor) = floor_of(room) else { return vec![format!("{file} is in no room of the house")] };
        for path in paths.iter().filter(|path| path.first().is_some_and(|first| first == "crate")) {
            let Some(used) = path.get(1) else { continue };
            if used == "*" {
                found.push(format!("{file} uses crate::*, which hides what it uses"));
            } else if let Some(lower) = floor_of(used)
                && used != room
                && lower <= floor
            {
                found.push(format!("{file} uses {}, which is not below {room}", path.join("::")));
            }
        }
    }
    if room != "engine" {
        for path in &paths {
            for world in WORLD.iter().filter(|world| has(path, world) && !is_allowed(file, world)) {
                found.push(format!("{file} uses {world}, which only the engine may"));
            }
        }
        for call in tokens(source).windows(2) {
            if let [Token::Word(name), Token::Sign('(')] = call
                && WORLD_CALLS.contains(&name.as_str())
                && !is_allowed(file, name)
            {
                found.push(format!("{file} calls {name}(, which only the engine may"));
            }
        }
    }
    if PURE.contains(&room) {
        for path in &paths {
            for impure in IMPURE.iter().filter(|impure| begins_with(path, impure)) {
                found.push(format!("{file} has {impure} in it, but {room} is pure"));
            }
        }
    }
    found
}

fn sources(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            out.push(path);
        }
    }
}

#[test]
fn every_room_keeps_to_its_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    files.sort();
    assert!(files.len() > 20, "only {} files below {}", files.len(), src.display());
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let file = path.strip_prefix(&src).unwrap().to_str().unwrap().replace('\\', "/");
            violations(&file, &fs::read_to_string(path).unwrap())
        })
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_breaks_the_house_is_seen() {
    let broken = [
        ("model/kind.rs", "use crate::workflow::next;"),
        ("workflow/table.rs", "use crate::store;"),
        ("store/mod.rs", "use crate::git::status;"),
        ("store/mod.rs", "use super::git;"),
        ("store/rows.rs", "use super::super::git;"),
        ("store/rows.rs", "use crate::{model::{Status, Step}, project::{self, Config}};"),
        ("store/rows.rs", "mod inner { use super::super::super::engine; }"),
        ("agent/mod.rs", "fn f() { let x = crate::engine::process::run(); }"),
        ("tui/mod.rs", "use crate::engine;"),
        ("tool/mod.rs", "use crate::engine;"),
        ("tool/call.rs", "fn f() { Timestamp::now() }"),
        ("store/mod.rs", "use crate::tool;"),
        ("engine/mod.rs", "use crate::cli;"),
        ("main.rs", "fn f() { std::thread::sleep(d) }"),
        ("git/mod.rs", "use std::process::{Command, Stdio};"),
        ("git/mod.rs", "use tokio::{process::Command, sync::mpsc};"),
        ("git/mod.rs", "use tokio::process as p;"),
        ("git/mod.rs", "fn f() { child.kill() }"),
        ("git/mod.rs", "fn f() { sleep(d) }"),
        ("store/mod.rs", "fn f() { Instant::now() }"),
        ("store/mod.rs", "fn f() { jiff::Timestamp::now() }"),
        ("store/mod.rs", "fn f() { std::time::SystemTime::now() }"),
        ("tui/mod.rs", "fn f() { std::thread::sleep(d) }"),
        ("tui/clock.rs", "fn f() { let now = std::time::Instant::now(); }"),
        ("cli/mod.rs", "fn f() { std::process::Command::new(p); }"),
        ("model/scope.rs", "fn f() { Uuid::now_v7() }"),
        ("workflow/table.rs", "async fn f() {}"),
        ("workflow/table.rs", "use std::{env, fmt};"),
        ("model/scope.rs", "fn f() { std::fs::read(p) }"),
        ("model/scope.rs", "use crate::*;"),
        ("cellar/mod.rs", ""),
    ];
    for (file, source) in broken {
        assert!(!violations(file, source).is_empty(), "{file}: {source}");
    }
}

#[test]
fn what_keeps_to_the_house_is_let_be() {
    let fine = [
        ("main.rs", "fn main() { callboard::cli::run() }"),
        ("cli/doctor.rs", "use crate::{engine, store, tui, workflow}; fn f() { std::process::Command::new(p); }"),
        ("engine/process.rs", "use tokio::process::Command; fn f() { sleep(d); c.kill(); Instant::now(); }"),
        ("engine/mod.rs", "use super::{agent, git, workflow::next};"),
        ("engine/steps/calls.rs", "use crate::tool;"),
        ("store/rows.rs", "use super::write; use crate::model::Step; mod tests { use super::super::write; }"),
        ("store/mod.rs", "mod git { } use self::git::x; fn f<'a>(git: &'a str) -> char { '\"' }"),
        (
            "workflow/table.rs",
            "// crate::store\n/* async /* std::fs */ */ const A: &str = \"crate::store::x\\\"async\";",
        ),
        ("workflow/table.rs", "const A: &str = r#\"async \" fn\"#; const B: char = '\\''; fn sleepy() {}"),
        ("model/id.rs", "fn f() { Uuid::now_v7() }"),
        ("git/mod.rs", "use std::process::Stdio; fn f(c: crate::model::Command) { crate::workflow::next(h) }"),
        ("lib.rs", "pub mod model; pub mod workflow;"),
    ];
    for (file, source) in fine {
        assert_eq!(violations(file, source), Vec::<String>::new(), "{file}: {source}");
    }
}
