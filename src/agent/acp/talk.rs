//! A turn by the Agent Client Protocol: the agent's messages in, what is to be done out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    agent::{
        talk::{Conversation, Effect, Failure, MCP, Opening, title},
        terminal::Told,
    },
    model::{AgentFailure, EventKind, MessageId, Usage},
};

use super::{
    call::Calls,
    failure,
    host::Host,
    mode::Modes,
    usage::Used,
    wire::{BAD, REFUSED, answer, note, plan, refuse, request},
};

/// What callboard asks, by the numbers of its requests.
const INITIALIZE: u64 = 1;
const SESSION: u64 = 2;
const PROMPT: u64 = 3;
const MODE: u64 = 4;

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;

/// A turn of an agent.
#[derive(Debug)]
pub struct Talk {
    opening: Opening,
    /// The request that the agent has not answered yet.
    awaited: Option<u64>,
    session: Option<String>,
    /// The ways to log in, for people.
    logins: String,
    /// The prompt was given: what comes now is about this turn, not the history of earlier ones.
    prompted: bool,
    calls: Calls,
    host: Host,
    modes: Modes,
    /// It was told to end.
    interrupted: bool,
    /// What persons said while the turn runs: the protocol has no word for it but the next prompt.
    waiting: BTreeMap<MessageId, String>,
    /// What of it is in the prompt that was given last, and nothing was heard since.
    told: Vec<MessageId>,
    /// Whether the text that came last is a thought, while its line is open.
    open: Option<bool>,
    outcome: Option<Result<(), Failure>>,
    used: Used,
}

impl Talk {
    /// Opens a turn.
    #[must_use]
    pub fn open(opening: &Opening) -> (Self, Vec<Effect>) {
        let talk = Self {
            opening: opening.clone(),
            awaited: Some(INITIALIZE),
            session: None,
            logins: String::new(),
            prompted: false,
            calls: Calls::new(&opening.worktree),
            host: Host::new(&opening.worktree),
            modes: Modes::default(),
            interrupted: false,
            waiting: BTreeMap::new(),
            told: Vec::new(),
            open: None,
            outcome: None,
            used: Used::of(opening),
        };
        let client = json!({"name": "callboard", "title": "callboard", "version": env!("CARGO_PKG_VERSION")});
        let can = json!({"fs": {"readTextFile": true, "writeTextFile": true}, "terminal": true});
        let params = json!({"protocolVersion": VERSION, "clientCapabilities": can, "clientInfo": client});
        (talk, vec![request(INITIALIZE, "initialize", params)])
    }

    /// What the agent is told that is to end its turn early.
    #[must_use]
    pub fn interrupt(&mut self) -> Vec<Effect> {
        self.interrupted = true;
        let told = self.session.as_ref().filter(|_| self.prompted).map(|session| {
            Effect::Send(json!({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": session}}))
        });
        told.into_iter().chain(self.host.cancel()).chain([Effect::Close]).collect()
    }

    /// How the turn went.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), Failure>> {
        self.outcome.clone()
    }

    /// What was used up.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.used.all()
    }

    /// A person says something: it is the next prompt.
    pub fn say(&mut self, id: MessageId, text: &str) -> Vec<Effect> {
        if self.outcome.is_none() {
            self.waiting.insert(id, text.to_owned());
        }
        Vec::new()
    }

    /// Gives what persons said meanwhile as a prompt.
    fn go_on(&mut self) -> Vec<Effect> {
        let said = std::mem::take(&mut self.waiting);
        let texts: Vec<&str> = said.values().map(String::as_str).collect();
        let mut effects = self.end_line();
        effects.push(self.prompt(&texts));
        self.told = said.into_keys().collect();
        effects.extend(self.told.iter().map(|id| Effect::Told(*id)));
        effects
    }

    fn prompt(&mut self, texts: &[&str]) -> Effect {
        let prompt: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        self.call(PROMPT, "session/prompt", json!({"sessionId": self.session, "prompt": prompt}))
    }

    /// What the turn begins with.
    fn first(&mut self) -> Effect {
        let prompt = self.opening.prompt.clone();
        self.prompt(&[prompt.as_str()])
    }

    /// Something was heard since the last prompt.
    fn seen(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.told).into_iter().map(Effect::Seen).collect()
    }

    /// Somebody has answered a question.
    pub fn answer(&mut self, key: &str, allowed: bool, why: &str) -> Vec<Effect> {
        self.host.answer(key, allowed, why)
    }

    /// There is news of a terminal.
    pub fn terminal(&mut self, told: Told) -> Vec<Effect> {
        let mut effects = self.end_line();
        effects.extend(self.host.terminals.told(told));
        effects
    }

    /// A file request was carried out, or not.
    #[must_use]
    pub fn file(key: &str, result: Result<Option<String>, String>) -> Effect {
        match result {
            Ok(Some(content)) => answer(key, json!({"content": content})),
            Ok(None) => answer(key, json!({})),
            Err(message) => refuse(key, REFUSED, &message),
        }
    }

    /// A message of its standard output.
    pub fn message(&mut self, message: &Value) -> Vec<Effect> {
        match (message["method"].as_str(), message.get("id").filter(|id| !id.is_null())) {
            (Some(method), Some(id)) => self.request(method, &id.to_string(), &message["params"]),
            (Some("session/update"), None) if self.is_ours(&message["params"]) => {
                let mut effects = self.seen();
                effects.extend(self.update(&message["params"]["update"]));
                effects
            }
            (Some("session/update"), None) if self.is_history(&message["params"]) => {
                self.used.updated(&message["params"]["update"]);
                Vec::new()
            }
            // Whoever answers twice, or what was not asked, says nothing.
            (None, Some(id)) if id.as_u64() == self.awaited && self.awaited.is_some() => {
                self.awaited.take().map_or_else(Vec::new, |id| self.response(id, message))
            }
            (None, Some(_)) => Vec::new(),
            (Some(_), None) | (None, None) => Vec::new(),
        }
    }

    /// Whether something is about this turn.
    fn is_ours(&self, params: &Value) -> bool {
        self.prompted && params["sessionId"].as_str() == self.session.as_deref()
    }

    /// Whether something is about the conversation as it was before this turn.
    fn is_history(&self, params: &Value) -> bool {
        let id = params["sessionId"].as_str().unwrap_or_default();
        !self.prompted && matches!(&self.opening.conversation, Conversation::Old(old) if old == id)
    }

    fn call(&mut self, id: u64, method: &str, params: Value) -> Effect {
        self.awaited = Some(id);
        request(id, method, params)
    }

    /// An answer to what callboard asked.
    fn response(&mut self, id: u64, message: &Value) -> Vec<Effect> {
        if let Some(error) = message.get("error") {
            let load = id == SESSION && matches!(self.opening.conversation, Conversation::Old(_));
            return match self.opening.mode.clone().filter(|_| id == MODE) {
                Some(mode) => self.end(Err(failure::of_mode(error, &mode))),
                None => self.end(Err(failure::of_error(error, load, &self.logins))),
            };
        }
        let result = &message["result"];
        match id {
            INITIALIZE => self.initialized(result),
            SESSION => {
                let old = match &self.opening.conversation {
                    Conversation::Old(id) => Some(id.as_str()),
                    Conversation::New(_) => None,
                };
                let Some(session) = old.or_else(|| result["sessionId"].as_str()) else {
                    let message = "the agent opened a conversation without a name";
                    return self.end(Err(Failure::new(AgentFailure::BadOutput, message)));
                };
                let session = session.to_owned();
                self.session = Some(session.clone());
                self.prompted = true;
                let mut effects = vec![Effect::Conversation(session)];
                effects.extend(self.begun(result));
                effects
            }
            MODE => {
                let taken = self.opening.mode.as_ref().and_then(|mode| self.modes.taken(mode));
                taken.map(note).into_iter().chain([self.first()]).collect()
            }
            PROMPT => {
                let mut effects = self.seen();
                self.used.ended(&result["usage"]);
                let reason = result["stopReason"].as_str().unwrap_or_default();
                let mut failure = failure::of_stop(reason);
                if reason == "cancelled" && self.host.denied && !self.interrupted {
                    // Some take a no for the end of their turn. What they did until then is there to be tested.
                    effects.push(note("The agent ended its turn, since it was denied something.".to_owned()));
                    failure = None;
                }
                if failure.is_none() && !self.waiting.is_empty() {
                    effects.extend(self.go_on());
                } else {
                    effects.extend(self.end(failure.map_or(Ok(()), Err)));
                }
                effects
            }
            _ => Vec::new(),
        }
    }

    /// The conversation is there: the agent gets its prompt, once it is in the mode that it is to be in.
    fn begun(&mut self, result: &Value) -> Vec<Effect> {
        self.modes = Modes::of(result);
        let mut effects: Vec<Effect> = self.modes.note().map(note).into_iter().collect();
        let Some(mode) = self.opening.mode.clone() else {
            effects.push(self.first());
            return effects;
        };
        match self.modes.ask(self.session.as_deref().unwrap_or_default(), &mode) {
            Ok(Some((method, params))) => effects.push(self.call(MODE, method, params)),
            Ok(None) => effects.push(self.first()),
            Err(failure) => effects.extend(self.end(Err(failure))),
        }
        effects
    }

    fn initialized(&mut self, result: &Value) -> Vec<Effect> {
        if result["protocolVersion"].as_u64() != Some(VERSION) {
            let found = title(&result["protocolVersion"].to_string());
            let message = format!(
                "the agent speaks version {found} of the Agent Client Protocol, callboard speaks {VERSION}; use another version of it"
            );
            return self.end(Err(Failure::new(AgentFailure::BadOutput, message)));
        }
        self.logins = failure::logins(&result["authMethods"]);
        let servers: Vec<Value> =
            self.opening.mcp.as_ref().and_then(|argv| argv.split_first()).map_or_else(Vec::new, |(program, rest)| {
                vec![json!({"name": MCP, "command": program, "args": rest, "env": []})]
            });
        let mut params = json!({"cwd": self.opening.worktree, "mcpServers": servers});
        match &self.opening.conversation {
            Conversation::New(_) => vec![self.call(SESSION, "session/new", params)],
            Conversation::Old(id) if result["agentCapabilities"]["loadSession"] == true => {
                params["sessionId"] = json!(id);
                vec![self.call(SESSION, "session/load", params)]
            }
            Conversation::Old(id) if result["agentCapabilities"]["sessionCapabilities"]["resume"].is_object() => {
                params["sessionId"] = json!(id);
                vec![self.call(SESSION, "session/resume", params)]
            }
            Conversation::Old(_) => self.end(Err(failure::no_conversation())),
        }
    }

    /// The agent asks something of its host.
    fn request(&mut self, method: &str, key: &str, params: &Value) -> Vec<Effect> {
        if !self.is_ours(params) {
            return vec![refuse(key, BAD, "this is about a session that callboard does not have")];
        }
        if self.outcome.is_some() || self.interrupted {
            return vec![refuse(key, REFUSED, "the turn is over")];
        }
        let mut effects = if method == "terminal/create" { self.end_line() } else { Vec::new() };
        effects.extend(self.host.request(method, key, params, &mut self.calls));
        effects
    }

    fn update(&mut self, update: &Value) -> Vec<Effect> {
        let kind = update["sessionUpdate"].as_str().unwrap_or_default();
        if matches!(kind, "agent_message_chunk" | "agent_thought_chunk" | "tool_call" | "tool_call_update" | "plan") {
            self.used.begin();
        }
        match kind {
            "agent_message_chunk" => self.text(&update["content"], false),
            "agent_thought_chunk" => self.text(&update["content"], true),
            "tool_call" | "tool_call_update" => {
                let mut effects = self.end_line();
                effects.extend(self.calls.changed(update, &self.host.terminals).into_iter().map(Effect::Event));
                effects
            }
            "plan" => vec![Effect::Event(EventKind::Plan { items: plan(update) })],
            "current_mode_update" | "config_option_update" => {
                let changed = self.modes.updated(update).map(note);
                let mut effects = if changed.is_some() { self.end_line() } else { Vec::new() };
                effects.extend(changed);
                effects
            }
            "usage_update" => {
                self.used.updated(update);
                Vec::new()
            }
            // Versions to come say more than this one knows.
            _ => Vec::new(),
        }
    }

    fn text(&mut self, content: &Value, thought: bool) -> Vec<Effect> {
        let text = content["text"].as_str().unwrap_or_default().to_owned();
        if text.is_empty() {
            return Vec::new();
        }
        let mut effects = if self.open == Some(!thought) { self.end_line() } else { Vec::new() };
        self.open = Some(thought).filter(|_| !text.ends_with('\n'));
        effects.push(Effect::Event(if thought {
            EventKind::AgentThought { text }
        } else {
            EventKind::AgentText { text }
        }));
        effects
    }

    /// What comes next begins on a line of its own.
    fn end_line(&mut self) -> Vec<Effect> {
        let text = "\n".to_owned();
        match self.open.take() {
            Some(true) => vec![Effect::Event(EventKind::AgentThought { text })],
            Some(false) => vec![Effect::Event(EventKind::AgentText { text })],
            None => Vec::new(),
        }
    }

    /// The turn is over: the first word on it counts.
    fn end(&mut self, outcome: Result<(), Failure>) -> Vec<Effect> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        self.outcome = Some(outcome);
        let mut effects = self.end_line();
        effects.extend(self.usage().map(|usage| Effect::Event(EventKind::Usage(usage))));
        effects.push(Effect::Close);
        effects
    }
}
