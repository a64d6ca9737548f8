//! Terminals: commands that an agent has its host run, in the worktree.

use std::collections::HashMap;

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::{
    agent::{
        talk::{Effect, title},
        terminal::{Ended, Start, Terminal, Told},
    },
    model::{EventKind, Exit},
};

use super::{
    typed::{self, typed},
    wire::{BAD, MISSING, answer, refuse},
};

/// The name under which they are asked for and seen.
pub(super) const TOOL: &str = "terminal";

/// So many may be open, those that are being ended among them.
const OPEN: usize = 32;
/// So many requests may wait for the end of one.
const WAITING: usize = 100;
/// A command line that a person is asked about is no longer, in bytes: none is cut.
const LONGEST: usize = 16 << 10;
/// So many variables a command is given.
const VARIABLES: usize = 256;
/// So much output of each is kept, in bytes, also where more is asked for.
const KEPT: usize = 256 << 10;
/// So much of it is seen live, in bytes.
const SEEN: usize = 4_000;
/// So many lines that were allowed are remembered until they are run.
const ALLOWED: usize = 32;

/// A command that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    folder: Utf8PathBuf,
    keep: usize,
    /// As a person would type it in the worktree: all of it.
    pub(super) line: String,
}

/// A terminal that was made.
#[derive(Debug, Default)]
struct Open {
    line: String,
    /// Requests that wait for its end.
    waiting: Vec<String>,
    ended: Option<Exit>,
    /// The agent does not know it any more; it is only to end.
    released: bool,
}

/// The terminals of a turn.
#[derive(Debug)]
pub(super) struct Terminals {
    worktree: Utf8PathBuf,
    made: u64,
    open: HashMap<String, Open>,
    /// How the last of those ended that the agent does not need any more: it may yet tell of the tool call.
    past: Vec<(String, Exit)>,
    /// Command lines that were allowed as tool calls and were not run yet.
    allowed: Vec<String>,
}

impl Terminals {
    pub(super) fn new(worktree: &Utf8Path) -> Self {
        Self { worktree: worktree.to_owned(), made: 0, open: HashMap::new(), past: Vec::new(), allowed: Vec::new() }
    }

    /// Reads what is asked for; `asked` more wait for a word. Or why it cannot be.
    pub(super) fn wanted(&self, params: &Value, asked: usize) -> Result<Wanted, String> {
        let argv = argv(params)?;
        let env = variables(&params["env"])?;
        let folder = self.folder(params["cwd"].as_str())?;
        let relative = folder.strip_prefix(&self.worktree).unwrap_or(&folder);
        let line = typed(relative, &env, &argv);
        if line.len() > LONGEST {
            return Err(format!("the command is longer than {LONGEST} bytes; write it to a file and run that"));
        }
        if self.open.len() + asked >= OPEN {
            return Err(format!("{OPEN} terminals are open; release those that have ended"));
        }
        let limit = params["outputByteLimit"].as_u64().and_then(|limit| usize::try_from(limit).ok());
        Ok(Wanted { argv, env, folder, keep: limit.unwrap_or(KEPT).min(KEPT), line })
    }

    /// Where it is to run. What links lead to is seen by whoever starts it.
    fn folder(&self, cwd: Option<&str>) -> Result<Utf8PathBuf, String> {
        let Some(cwd) = cwd.filter(|cwd| !cwd.is_empty()) else { return Ok(self.worktree.clone()) };
        let folder = self.worktree.join(cwd);
        let goes_up = folder.components().any(|part| part == Utf8Component::ParentDir);
        if goes_up || cwd.contains('\0') || !folder.starts_with(&self.worktree) {
            return Err(format!("{cwd} is not in {}", self.worktree));
        }
        Ok(folder)
    }

    /// A tool call of this command line was allowed.
    pub(super) fn allow(&mut self, line: &str) {
        if line.chars().any(typed::is_hidden) {
            return;
        }
        if self.allowed.len() == ALLOWED {
            self.allowed.remove(0);
        }
        self.allowed.push(typed::bare(line).to_owned());
    }

    /// Whether exactly this was allowed just before, as a tool call whose title is the command line. Once.
    pub(super) fn is_allowed(&mut self, wanted: &Wanted) -> bool {
        let script = typed::script(&wanted.argv).filter(|_| wanted.env.is_empty() && wanted.folder == self.worktree);
        let found = self.allowed.iter().position(|line| *line == wanted.line || Some(line.as_str()) == script);
        found.map(|at| self.allowed.remove(at)).is_some()
    }

    /// It may be.
    pub(super) fn start(&mut self, key: &str, wanted: Wanted) -> Effect {
        self.made += 1;
        let id = format!("terminal-{}", self.made);
        let Wanted { argv, env, folder, keep, line } = wanted;
        self.open.insert(id.clone(), Open { line, ..Open::default() });
        Effect::Terminal(Terminal::Start(Box::new(Start { key: key.to_owned(), id, argv, env, folder, keep })))
    }

    /// The agent asks something about a terminal that it has; `None`: there is no such request.
    pub(super) fn request(&mut self, method: &str, key: &str, params: &Value) -> Option<Vec<Effect>> {
        let id = params["terminalId"].as_str().unwrap_or_default();
        let known = ["terminal/output", "terminal/wait_for_exit", "terminal/kill", "terminal/release"];
        if !known.contains(&method) {
            return None;
        }
        let Some(open) = self.open.get_mut(id).filter(|open| !open.released) else {
            return Some(vec![refuse(key, MISSING, "there is no terminal of this id")]);
        };
        let id = id.to_owned();
        Some(match (method, &open.ended) {
            ("terminal/output", _) => vec![Effect::Terminal(Terminal::Output { key: key.to_owned(), id })],
            ("terminal/wait_for_exit", Some(exit)) => vec![answer(key, status(exit))],
            ("terminal/wait_for_exit", None) if open.waiting.len() >= WAITING => {
                vec![refuse(key, BAD, "too many requests wait for its end")]
            }
            ("terminal/wait_for_exit", None) => {
                open.waiting.push(key.to_owned());
                Vec::new()
            }
            ("terminal/kill", _) => vec![Effect::Terminal(Terminal::Kill { id }), answer(key, json!({}))],
            (_, ended) => {
                let over = ended.is_some();
                open.released = true;
                if over {
                    self.forget(&id);
                }
                vec![Effect::Terminal(Terminal::Release { id }), answer(key, json!({}))]
            }
        })
    }

    /// There is news of a terminal.
    pub(super) fn told(&mut self, told: Told) -> Vec<Effect> {
        match told {
            Told::Started { key, id, result: Ok(()) } => {
                let title = self.open.get(&id).map(|open| title(&open.line)).unwrap_or_default();
                let event = EventKind::ToolCall { tool: TOOL.to_owned(), title };
                vec![Effect::Event(event), answer(&key, json!({"terminalId": id}))]
            }
            Told::Started { key, id, result: Err(why) } => {
                self.open.remove(&id);
                vec![refuse(&key, BAD, &why)]
            }
            Told::Output { key, text, truncated, exit } => {
                let mut result = json!({"output": text, "truncated": truncated});
                if let Some(exit) = exit {
                    result["exitStatus"] = status(&exit);
                }
                vec![answer(&key, result)]
            }
            Told::Ended(ended) => self.ended(ended),
        }
    }

    fn ended(&mut self, ended: Ended) -> Vec<Effect> {
        let Ended { id, exit, text } = ended;
        let Some(open) = self.open.get_mut(&id) else { return Vec::new() };
        let mut effects = Vec::new();
        let seen = last(&text);
        if !seen.is_empty() {
            effects.push(Effect::Event(EventKind::Output { text: format!("{seen}\n"), stderr: false }));
        }
        let ok = exit == Exit::Code { code: 0 };
        effects.push(Effect::Event(EventKind::ToolEnd { tool: TOOL.to_owned(), ok, text: how(&exit) }));
        effects.extend(open.waiting.drain(..).map(|key| answer(&key, status(&exit))));
        open.ended = Some(exit);
        if open.released {
            self.forget(&id);
        }
        effects
    }

    fn forget(&mut self, id: &str) {
        if let Some((id, Open { ended: Some(exit), .. })) = self.open.remove_entry(id) {
            if self.past.len() == OPEN {
                self.past.remove(0);
            }
            self.past.push((id, exit));
        }
    }

    /// How a terminal stands, in a few words; empty for one that there is not.
    pub(super) fn state(&self, id: &str) -> String {
        let past = self.past.iter().find(|(past, _)| past == id).map(|(_, exit)| exit);
        match (self.open.get(id).map(|open| &open.ended), past) {
            (Some(Some(exit)), _) | (None, Some(exit)) => how(exit),
            (Some(None), _) => "it is still running".to_owned(),
            (None, None) => String::new(),
        }
    }
}

fn argv(params: &Value) -> Result<Vec<String>, String> {
    let program = params["command"].as_str().filter(|program| !program.trim().is_empty());
    let program = program.ok_or("`command` names no program")?;
    let arguments = if params["args"].is_null() { Some(&[][..]) } else { params["args"].as_array().map(Vec::as_slice) };
    let arguments = arguments.ok_or("`args` is no list")?;
    let argv: Option<Vec<String>> = std::iter::once(Some(program))
        .chain(arguments.iter().map(Value::as_str))
        .map(|word| word.map(Into::into))
        .collect();
    let argv = argv.filter(|argv| argv.iter().all(|word| !word.contains('\0')));
    argv.ok_or_else(|| "`args` has something that no program can be given".to_owned())
}

fn variables(env: &Value) -> Result<Vec<(String, String)>, String> {
    let all = if env.is_null() { Some(&[][..]) } else { env.as_array().map(Vec::as_slice) };
    let all = all.filter(|all| all.len() <= VARIABLES);
    let all = all.ok_or_else(|| format!("`env` is no list of at most {VARIABLES} variables"))?;
    let variable = |one: &Value| {
        let (Some(name), Some(value)) = (one["name"].as_str(), one["value"].as_str()) else {
            return Err("a variable in `env` has no name or no value".to_owned());
        };
        if !typed::is_name(name) || value.contains('\0') {
            return Err("`env` has a variable that no program can be given".to_owned());
        }
        // By them callboard finds what belongs to a step.
        if name.starts_with("CALLBOARD_") {
            return Err(format!("callboard sets {name} itself"));
        }
        Ok((name.to_owned(), value.to_owned()))
    };
    all.iter().map(variable).collect()
}

/// How a command ended, for the agent. One that did not start is told of as a shell does.
fn status(exit: &Exit) -> Value {
    match exit {
        Exit::Code { code } => json!({"exitCode": code, "signal": null}),
        Exit::Signal { signal } => json!({"exitCode": null, "signal": name(*signal)}),
        Exit::Timeout | Exit::Inactive | Exit::Cancelled => json!({"exitCode": null, "signal": "SIGKILL"}),
        Exit::NotStarted { .. } => json!({"exitCode": 127, "signal": null}),
    }
}

fn how(exit: &Exit) -> String {
    match exit {
        Exit::Code { code } => format!("exit code {code}"),
        Exit::Signal { signal } => format!("ended by {}", name(*signal)),
        Exit::Timeout => "ended: it took longer than limits.step_timeout".to_owned(),
        Exit::Inactive => "ended: it was silent for too long (limits.inactivity)".to_owned(),
        Exit::Cancelled => "ended".to_owned(),
        Exit::NotStarted { .. } => "it did not start".to_owned(),
    }
}

fn name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return format!("signal {signal}"),
    };
    name.to_owned()
}

/// The end of what was said.
fn last(text: &str) -> &str {
    let text = text.trim_end();
    &text[text.ceil_char_boundary(text.len().saturating_sub(SEEN))..]
}
