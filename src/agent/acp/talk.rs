//! A turn by the Agent Client Protocol: the agent's messages in, what is to be done out.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::{
    agent::talk::{self, Access, Conversation, Effect, Failure, FileRequest, MCP, Opening, Question, title},
    model::{AgentFailure, EventKind, MessageId, PlanItem, PlanState, Usage},
};

use super::{call::Calls, failure};

/// What callboard asks, by the numbers of its requests.
const INITIALIZE: u64 = 1;
const SESSION: u64 = 2;
const PROMPT: u64 = 3;

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;

/// So many questions may be open; an agent that asks more is told no.
const OPEN: usize = 100;

/// A turn of an agent.
#[derive(Debug)]
pub struct Talk {
    opening: Opening,
    session: Option<String>,
    /// The prompt was given: what comes now is about this turn, not the history of earlier ones.
    prompted: bool,
    calls: Calls,
    /// Questions that wait for an answer: their options.
    asked: HashMap<String, Value>,
    /// What persons said while the turn runs: the protocol has no word for it but the next prompt.
    waiting: BTreeMap<MessageId, String>,
    /// What of it is in the prompt that was given last, and nothing was heard since.
    told: Vec<MessageId>,
    /// Whether the text that came last is a thought, while its line is open.
    open: Option<bool>,
    outcome: Option<Result<(), Failure>>,
    usage: Option<Usage>,
}

impl Talk {
    /// Opens a turn.
    #[must_use]
    pub fn open(opening: &Opening) -> (Self, Vec<Effect>) {
        let talk = Self {
            opening: opening.clone(),
            session: None,
            prompted: false,
            calls: Calls::new(&opening.worktree),
            asked: HashMap::new(),
            waiting: BTreeMap::new(),
            told: Vec::new(),
            open: None,
            outcome: None,
            usage: None,
        };
        let client = json!({"name": "callboard", "title": "callboard", "version": env!("CARGO_PKG_VERSION")});
        let can = json!({"fs": {"readTextFile": true, "writeTextFile": true}, "terminal": false});
        let params = json!({"protocolVersion": VERSION, "clientCapabilities": can, "clientInfo": client});
        (talk, vec![request(INITIALIZE, "initialize", params)])
    }

    /// What the agent is told that is to end its turn early.
    #[must_use]
    pub fn interrupt(&self) -> Vec<Effect> {
        let told = self.session.as_ref().filter(|_| self.prompted).map(|session| {
            Effect::Send(json!({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": session}}))
        });
        told.into_iter().chain([Effect::Close]).collect()
    }

    /// How the turn went.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), Failure>> {
        self.outcome.clone()
    }

    /// What was used up.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
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

    fn prompt(&self, texts: &[&str]) -> Effect {
        let prompt: Vec<Value> = texts.iter().map(|text| json!({"type": "text", "text": text})).collect();
        request(PROMPT, "session/prompt", json!({"sessionId": self.session, "prompt": prompt}))
    }

    /// Something was heard since the last prompt.
    fn seen(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.told).into_iter().map(Effect::Seen).collect()
    }

    /// Somebody has answered a question.
    pub fn answer(&mut self, key: &str, allowed: bool) -> Vec<Effect> {
        let Some(options) = self.asked.remove(key) else { return Vec::new() };
        let kinds = if allowed { ["allow_once", "allow_always"] } else { ["reject_once", "reject_always"] };
        let options = || options.as_array().into_iter().flatten();
        let chosen = kinds.iter().find_map(|kind| options().find(|option| option["kind"] == *kind));
        let outcome = match chosen {
            Some(option) => json!({"outcome": "selected", "optionId": option["optionId"]}),
            // Without a way to say no, the only other word for it is this.
            None => json!({"outcome": "cancelled"}),
        };
        vec![answer(key, json!({"outcome": outcome}))]
    }

    /// A file request was carried out, or not.
    #[must_use]
    pub fn file(key: &str, result: Result<Option<String>, String>) -> Effect {
        match result {
            Ok(Some(content)) => answer(key, json!({"content": content})),
            Ok(None) => answer(key, json!({})),
            Err(message) => refuse(key, -32000, &message),
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
            (None, Some(id)) => self.response(id.as_u64().unwrap_or_default(), message),
            (Some(_), None) | (None, None) => Vec::new(),
        }
    }

    /// Whether something is about this turn.
    fn is_ours(&self, params: &Value) -> bool {
        self.prompted && params["sessionId"].as_str() == self.session.as_deref()
    }

    /// An answer to what callboard asked.
    fn response(&mut self, id: u64, message: &Value) -> Vec<Effect> {
        if let Some(error) = message.get("error") {
            let load = id == SESSION && matches!(self.opening.conversation, Conversation::Old(_));
            return self.end(Err(failure::of_error(error, load)));
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
                let prompt = self.prompt(&[self.opening.prompt.as_str()]);
                vec![Effect::Conversation(session), prompt]
            }
            PROMPT => {
                let mut effects = self.seen();
                self.used(&result["usage"]);
                let failure = failure::of_stop(result["stopReason"].as_str().unwrap_or_default());
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

    fn initialized(&mut self, result: &Value) -> Vec<Effect> {
        if result["protocolVersion"].as_u64() != Some(VERSION) {
            let found = title(&result["protocolVersion"].to_string());
            let message = format!(
                "the agent speaks version {found} of the Agent Client Protocol, callboard speaks {VERSION}; use another version of it"
            );
            return self.end(Err(Failure::new(AgentFailure::BadOutput, message)));
        }
        let servers: Vec<Value> =
            self.opening.mcp.as_ref().and_then(|argv| argv.split_first()).map_or_else(Vec::new, |(program, rest)| {
                vec![json!({"name": MCP, "command": program, "args": rest, "env": []})]
            });
        let mut params = json!({"cwd": self.opening.worktree, "mcpServers": servers});
        match &self.opening.conversation {
            Conversation::New(_) => vec![request(SESSION, "session/new", params)],
            Conversation::Old(id) if result["agentCapabilities"]["loadSession"] == true => {
                params["sessionId"] = json!(id);
                vec![request(SESSION, "session/load", params)]
            }
            Conversation::Old(_) => self.end(Err(failure::no_conversation())),
        }
    }

    /// The agent asks something of its host.
    fn request(&mut self, method: &str, key: &str, params: &Value) -> Vec<Effect> {
        if !self.is_ours(params) {
            return vec![refuse(key, -32602, "this is about a session that callboard does not have")];
        }
        let path = params["path"].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| params[name].as_u64().and_then(|number| usize::try_from(number).ok());
        match method {
            "session/request_permission" => self.permission(key, params),
            "fs/read_text_file" => {
                let access = Access::Read { line: number("line"), limit: number("limit") };
                vec![Effect::File(FileRequest { key: key.to_owned(), path, access })]
            }
            "fs/write_text_file" => {
                let content = params["content"].as_str().unwrap_or_default().to_owned();
                vec![Effect::File(FileRequest { key: key.to_owned(), path, access: Access::Write { content } })]
            }
            _ => vec![refuse(key, -32601, &format!("callboard does not know {}", title(method)))],
        }
    }

    fn permission(&mut self, key: &str, params: &Value) -> Vec<Effect> {
        let call = &params["toolCall"];
        let mut effects: Vec<Effect> = self.calls.changed(call).into_iter().map(Effect::Event).collect();
        let about = self.calls.about(call);
        self.asked.insert(key.to_owned(), params["options"].clone());
        if self.asked.len() > OPEN {
            effects.extend(self.answer(key, false));
            return effects;
        }
        effects.push(Effect::Ask(Question {
            key: key.to_owned(),
            ours: about.is_ours(),
            writes: about.writes(),
            detail: talk::detail(&about.detail(), &about.title),
            subject: talk::subject(&about.subject()),
            tool: about.tool,
            title: about.title,
        }));
        effects
    }

    fn update(&mut self, update: &Value) -> Vec<Effect> {
        match update["sessionUpdate"].as_str().unwrap_or_default() {
            "agent_message_chunk" => self.text(&update["content"], false),
            "agent_thought_chunk" => self.text(&update["content"], true),
            "tool_call" | "tool_call_update" => {
                let mut effects = self.end_line();
                effects.extend(self.calls.changed(update).into_iter().map(Effect::Event));
                effects
            }
            "plan" => vec![Effect::Event(EventKind::Plan { items: plan(update) })],
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

    /// Some count what came from a cache with what was read, some beside it; the sum of all tells which.
    fn used(&mut self, usage: &Value) {
        let tokens = |key: &str| usage[key].as_u64().unwrap_or_default();
        let (cached, output) = (tokens("cachedReadTokens"), tokens("outputTokens"));
        let input = match tokens("totalTokens") {
            0 => tokens("inputTokens"),
            total => total.saturating_sub(output),
        };
        let used = Usage { input_tokens: input, cached_tokens: cached, output_tokens: output, cost_microdollars: None };
        if used.input_tokens + used.output_tokens > 0 {
            self.usage = Some(self.usage.map_or(used, |before| before.and(used)));
        }
    }

    /// The turn is over: the first word on it counts.
    fn end(&mut self, outcome: Result<(), Failure>) -> Vec<Effect> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        self.outcome = Some(outcome);
        let mut effects = self.end_line();
        effects.extend(self.usage.map(|usage| Effect::Event(EventKind::Usage(usage))));
        effects.push(Effect::Close);
        effects
    }
}

fn request(id: u64, method: &str, params: Value) -> Effect {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    message["params"] = params;
    Effect::Send(message)
}

/// The id of a request as it came: a number or a text.
fn id(key: &str) -> Value {
    serde_json::from_str(key).unwrap_or(Value::Null)
}

fn answer(key: &str, result: Value) -> Effect {
    let mut message = json!({"jsonrpc": "2.0", "id": id(key)});
    message["result"] = result;
    Effect::Send(message)
}

fn refuse(key: &str, code: i32, message: &str) -> Effect {
    Effect::Send(json!({"jsonrpc": "2.0", "id": id(key), "error": {"code": code, "message": message}}))
}

fn plan(update: &Value) -> Vec<PlanItem> {
    let item = |entry: &Value| PlanItem {
        text: title(entry["content"].as_str().unwrap_or_default()),
        state: match entry["status"].as_str() {
            Some("completed") => PlanState::Done,
            Some("in_progress") => PlanState::Active,
            _ => PlanState::Pending,
        },
    };
    update["entries"].as_array().into_iter().flatten().take(100).map(item).collect()
}
