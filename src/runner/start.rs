//! Was it the runner itself that could not start? Then no agent can help: something on this machine has to be mended.

use super::{Finished, cargo, junit, text};
use crate::model::{Exit, Runner};

/// What is said by programs that did not get as far as a test, wherever in the line. Messages about the project's own code are
/// not here: they are work for an agent.
const CONTAINED: [&str; 14] = [
    "could not find `Cargo.toml`",
    "failed to parse manifest",
    "manifest path `",
    "error: no such command: ",
    "error: no such subcommand: ",
    "linker `cc` not found",
    "No space left on device",
    ": command not found",
    "No module named pytest",
    "error: unrecognized arguments: ",
    "bad option: ",
    "npm ERR! Missing script",
    "npm error Missing script",
    "Could not resolve dependencies for project",
];

/// So many lines are looked at: who cannot start says little.
const MAX_LINES: usize = 10_000;

/// Arguments that were not taken, as clap says it; a compiler may say the like of code.
const USAGE: [&str; 6] = [
    "error: unexpected argument ",
    "error: the argument ",
    "error: invalid value ",
    "error: a value is required ",
    "error: the following required arguments ",
    "error: unrecognized subcommand ",
];

/// The same as [`CONTAINED`], at the start of the line.
const STARTS: [&str; 7] = [
    "error: toolchain ",
    "error: rustup could not choose ",
    "error: failed to download ",
    "error: failed to get ",
    "error: failed to load manifest ",
    "error: failed to load source ",
    "error: Unrecognized option",
];

/// Why the runner itself could not start, if that is so: it was not found or not allowed (also exit codes 126 and 127), it did
/// not take its arguments, its manifest or its dependencies are broken. Test or source files that do not compile are not this,
/// nor is a test target that does not exist.
#[must_use]
pub fn cannot_start(runner: &Runner, finished: &Finished<'_>) -> Option<String> {
    let code = match finished.exit {
        Exit::NotStarted { message } => return Some(text::cap(&text::clean(message), text::MESSAGE)),
        Exit::Code { code } if *code != 0 => *code,
        Exit::Code { .. } | Exit::Signal { .. } | Exit::Timeout | Exit::Inactive | Exit::Cancelled => return None,
    };
    let began = match runner {
        Runner::Cargo => cargo::began(finished),
        Runner::Custom(custom) => junit::began(custom, finished),
    };
    if began {
        return None;
    }
    let lines: Vec<_> =
        [finished.stderr, finished.stdout].into_iter().flat_map(|out| text::lines(out).take(MAX_LINES)).collect();
    let compiled = lines.iter().any(|line| line.starts_with("error: could not compile "));
    let starts = |line: &str, words: &[&str]| words.iter().any(|start| line.starts_with(start));
    let told = |line: &str| {
        CONTAINED.iter().any(|part| line.contains(part)) || starts(line, &STARTS) || (!compiled && starts(line, &USAGE))
    };
    // `error: …` and then ` --> Cargo.toml:4:16`: how newer cargos tell a manifest that they cannot parse.
    let manifest = lines.windows(2).find_map(|pair| match pair {
        [error, place] if error.starts_with("error") && place.trim_start().starts_with("--> ") => {
            place.contains("Cargo.toml:").then_some(error)
        }
        _ => None,
    });
    let why = lines.iter().find(|line| told(line)).or(manifest);
    let missing = matches!(code, 126 | 127);
    let usage = code == 1 && *runner == Runner::Cargo;
    let first = || lines.iter().find(|line| !line.trim().is_empty());
    let why = why.or_else(|| first().filter(|line| missing || (usage && line.starts_with("error"))));
    match why {
        Some(line) => Some(format!("exit code {code}: {}", text::cap(line.trim(), text::NAME))),
        None => missing.then(|| format!("exit code {code}: the program is not there or may not be run")),
    }
}
