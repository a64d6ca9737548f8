//! What an agent asks of its host: permissions, files, terminals.

use std::collections::HashMap;

use camino::Utf8Path;
use serde_json::{Value, json};

use crate::agent::talk::{self, Access, Effect, FileRequest, Question};

use super::{
    call::Calls,
    terminal::{self, Terminals, Wanted},
    wire::{BAD, REFUSED, answer, note, refuse, unknown},
};

/// So many questions may be open; an agent that asks more is told no.
const OPEN: usize = 100;
/// No request has a longer id, in bytes.
const LONGEST_ID: usize = 200;

/// What waits for a word.
#[derive(Debug)]
enum Asked {
    /// A tool call of the agent's own: the options, and its command line if it is one.
    Call { options: Value, line: Option<String> },
    /// A command that callboard is to run.
    Terminal(Box<Wanted>),
}

/// What an agent has asked for in its turn.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) terminals: Terminals,
    /// Questions that wait for an answer.
    asked: HashMap<String, Asked>,
    /// Something was denied.
    pub(super) denied: bool,
}

impl Host {
    pub(super) fn new(worktree: &Utf8Path) -> Self {
        Self { terminals: Terminals::new(worktree), asked: HashMap::new(), denied: false }
    }

    /// Whoever cancels has no more words for what was asked.
    pub(super) fn cancel(&mut self) -> Vec<Effect> {
        let cancelled = json!({"outcome": {"outcome": "cancelled"}});
        let asked = self.asked.drain().map(|(key, asked)| match asked {
            Asked::Call { .. } => answer(&key, cancelled.clone()),
            Asked::Terminal(_) => refuse(&key, REFUSED, "the turn was cancelled"),
        });
        asked.collect()
    }

    /// Somebody has answered a question.
    pub(super) fn answer(&mut self, key: &str, allowed: bool, why: &str) -> Vec<Effect> {
        self.denied |= !allowed;
        let (options, line) = match self.asked.remove(key) {
            Some(Asked::Call { options, line }) => (options, line),
            Some(Asked::Terminal(wanted)) if allowed => return vec![self.terminals.start(key, *wanted)],
            Some(Asked::Terminal(_)) => return vec![refuse(key, REFUSED, why)],
            None => return Vec::new(),
        };
        let option = |kind: &str| options.as_array().into_iter().flatten().find(|option| option["kind"] == kind);
        let selected = |option: &Value| json!({"outcome": "selected", "optionId": option["optionId"]});
        let yes = option("allow_once").filter(|_| allowed);
        if let Some(line) = line.filter(|_| yes.is_some()) {
            self.terminals.allow(&line);
        }
        let mut effects = Vec::new();
        if allowed && yes.is_none() {
            // After a yes for good it would ask nobody any more, whatever was meant by this one.
            self.denied = true;
            effects.push(note("It is told no all the same: it takes no yes for once.".to_owned()));
        }
        let no = || option("reject_once").or_else(|| option("reject_always"));
        // Without a way to say no, the only other word for it is this.
        let outcome = yes.or_else(no).map_or_else(|| json!({"outcome": "cancelled"}), selected);
        effects.push(answer(key, json!({"outcome": outcome})));
        effects
    }

    /// It asks this.
    pub(super) fn request(&mut self, method: &str, key: &str, params: &Value, calls: &mut Calls) -> Vec<Effect> {
        // An answer to one of two would pass for the other's.
        if key.len() > LONGEST_ID || self.asked.contains_key(key) {
            return vec![refuse(key, -32600, "a request of this id waits already, or the id is too long")];
        }
        let path = params["path"].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| params[name].as_u64().and_then(|number| usize::try_from(number).ok());
        match method {
            "session/request_permission" => self.permission(key, params, calls),
            "fs/read_text_file" => {
                let access = Access::Read { line: number("line"), limit: number("limit") };
                vec![Effect::File(FileRequest { key: key.to_owned(), path, access })]
            }
            "fs/write_text_file" => {
                let content = params["content"].as_str().unwrap_or_default().to_owned();
                vec![Effect::File(FileRequest { key: key.to_owned(), path, access: Access::Write { content } })]
            }
            "terminal/create" => self.create(key, params),
            _ => self.terminals.request(method, key, params).unwrap_or_else(|| unknown(key, method)),
        }
    }

    /// A terminal runs a command on callboard's word: that is asked for as for a command of the agent's own.
    fn create(&mut self, key: &str, params: &Value) -> Vec<Effect> {
        let waiting = self.asked.values().filter(|asked| matches!(asked, Asked::Terminal(_))).count();
        let wanted = match self.terminals.wanted(params, waiting) {
            Ok(wanted) => wanted,
            Err(why) => return vec![refuse(key, BAD, &why)],
        };
        let short = talk::title(&wanted.line);
        let question = Question {
            key: key.to_owned(),
            tool: terminal::TOOL.to_owned(),
            detail: talk::detail(&wanted.line, &short),
            subject: talk::subject(&wanted.line),
            files: false,
            title: short,
            writes: Vec::new(),
            ours: false,
            before: self.terminals.is_allowed(&wanted),
        };
        self.asked.insert(key.to_owned(), Asked::Terminal(Box::new(wanted)));
        vec![Effect::Ask(question)]
    }

    fn permission(&mut self, key: &str, params: &Value, calls: &mut Calls) -> Vec<Effect> {
        let call = &params["toolCall"];
        let about = calls.about(call);
        let mut effects: Vec<Effect> = calls.changed(call, &self.terminals).into_iter().map(Effect::Event).collect();
        let asked = Asked::Call { options: params["options"].clone(), line: about.line() };
        self.asked.insert(key.to_owned(), asked);
        if self.asked.len() > OPEN {
            effects.extend(self.answer(key, false, ""));
            return effects;
        }
        // A command says itself what it does; a title may say anything.
        let short = about.line().map_or_else(|| about.title.clone(), |line| talk::title(&line));
        effects.push(Effect::Ask(Question {
            key: key.to_owned(),
            ours: about.is_ours(),
            writes: about.writes(),
            detail: talk::detail(&about.detail(), &short),
            subject: talk::subject(&about.subject()),
            files: about.is_of_files(),
            before: false,
            tool: about.tool,
            title: short,
        }));
        effects
    }
}
