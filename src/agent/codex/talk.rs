//! A turn of Codex: its messages in, what is to be done out.

use std::collections::{BTreeMap, HashSet};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::{
    agent::talk::{self, Conversation, Effect, Failure, MCP, Opening, Question, title},
    model::{AgentFailure, EventKind, MessageId, PlanItem, PlanState, Usage},
};

use super::{failure, item};

/// What callboard asks, by the numbers of its requests.
const INITIALIZE: u64 = 1;
const ACCOUNT: u64 = 2;
const THREAD: u64 = 3;
const TURN: u64 = 4;
const INTERRUPT: u64 = 5;
const STEER: u64 = 6;

/// So many items that came in pieces are remembered.
const OPEN: usize = 1_000;

/// The arguments for a turn: all else is said in the talk.
#[must_use]
pub fn arguments() -> Vec<String> {
    vec!["app-server".to_owned()]
}

/// A turn of Codex.
#[derive(Debug)]
pub struct Talk {
    opening: Opening,
    worktree: Utf8PathBuf,
    thread: Option<String>,
    turn: Option<String>,
    /// Items whose text came in pieces.
    streamed: HashSet<String>,
    /// What file changes that wait for a word are about, by their items' ids: the files, and what would be different.
    asked: Vec<(String, Vec<String>, String)>,
    resets_at: Option<i64>,
    /// What persons said and it has not taken in yet.
    unseen: BTreeMap<MessageId, String>,
    /// What of it a turn was begun with, and nothing was heard since.
    told: Vec<MessageId>,
    total: Option<Value>,
    outcome: Option<Result<(), Failure>>,
    usage: Usage,
}

impl Talk {
    /// Opens a turn.
    #[must_use]
    pub fn open(opening: &Opening) -> (Self, Vec<Effect>) {
        let talk = Self {
            opening: opening.clone(),
            worktree: opening.worktree.clone(),
            thread: None,
            turn: None,
            streamed: HashSet::new(),
            asked: Vec::new(),
            resets_at: None,
            unseen: BTreeMap::new(),
            told: Vec::new(),
            total: None,
            outcome: None,
            usage: Usage::default(),
        };
        let client = json!({"name": "callboard", "title": "callboard", "version": env!("CARGO_PKG_VERSION")});
        (talk, vec![request(INITIALIZE, "initialize", json!({"clientInfo": client}))])
    }

    /// What Codex is told that is to end its turn early.
    #[must_use]
    pub fn interrupt(&self) -> Vec<Effect> {
        let told =
            self.thread.as_ref().zip(self.turn.as_ref()).map(|(thread, turn)| {
                request(INTERRUPT, "turn/interrupt", json!({"threadId": thread, "turnId": turn}))
            });
        told.into_iter().chain([Effect::Close]).collect()
    }

    /// A person says something: it becomes part of the turn that runs, or of one that begins right after it.
    pub fn say(&mut self, id: MessageId, text: &str) -> Vec<Effect> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        self.unseen.insert(id, text.to_owned());
        self.steer(id)
    }

    /// Tells the turn that runs, if one does by now.
    fn steer(&self, id: MessageId) -> Vec<Effect> {
        let (Some(thread), Some(turn), Some(text)) = (&self.thread, &self.turn, self.unseen.get(&id)) else {
            return Vec::new();
        };
        let input = json!([{"type": "text", "text": text}]);
        let params =
            json!({"threadId": thread, "expectedTurnId": turn, "input": input, "clientUserMessageId": id.to_string()});
        vec![request(STEER, "turn/steer", params), Effect::Told(id)]
    }

    /// Begins a turn with what came too late for the one before.
    fn go_on(&mut self) -> Vec<Effect> {
        let input: Vec<Value> = self.unseen.values().map(|text| json!({"type": "text", "text": text})).collect();
        self.told = std::mem::take(&mut self.unseen).into_keys().collect();
        self.turn = None;
        let begun = request(TURN, "turn/start", json!({"threadId": self.thread, "input": input}));
        [begun].into_iter().chain(self.told.iter().map(|id| Effect::Told(*id))).collect()
    }

    /// How the turn went.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), Failure>> {
        self.outcome.clone()
    }

    /// What was used up.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        Some(self.usage).filter(|usage| *usage != Usage::default())
    }

    /// A message of its standard output.
    pub fn message(&mut self, message: &Value) -> Vec<Effect> {
        match (message["method"].as_str(), message.get("id")) {
            (Some(method), Some(id)) => self.request(method, id, &message["params"]),
            (Some(method), None) => self.notification(method, &message["params"]),
            (None, Some(id)) => self.response(id.as_u64().unwrap_or_default(), message),
            (None, None) => Vec::new(),
        }
    }

    /// An answer to what callboard asked.
    fn response(&mut self, id: u64, message: &Value) -> Vec<Effect> {
        if let Some(error) = message.get("error") {
            return match id {
                // Whether somebody is logged in is only asked to say it sooner.
                // What does not get into the turn that runs is the next one.
                ACCOUNT | INTERRUPT | STEER => Vec::new(),
                _ => self.end(Err(failure::of_request(error))),
            };
        }
        let result = &message["result"];
        match id {
            INITIALIZE => {
                let thread = json!({
                    "cwd": self.worktree, "approvalPolicy": "on-request", "sandbox": "workspace-write", "config": self.config(),
                });
                let (method, thread) = match &self.opening.conversation {
                    Conversation::New(_) => ("thread/start", thread),
                    Conversation::Old(id) => {
                        let mut thread = thread;
                        thread["threadId"] = json!(id);
                        ("thread/resume", thread)
                    }
                };
                vec![
                    Effect::Send(json!({"method": "initialized"})),
                    request(ACCOUNT, "account/read", json!({"refreshToken": false})),
                    request(THREAD, method, thread),
                ]
            }
            ACCOUNT if result["requiresOpenaiAuth"] == true && result["account"].is_null() => {
                self.end(Err(failure::logged_out("no account")))
            }
            THREAD => {
                let Some(thread) = result["thread"]["id"].as_str() else {
                    let message = "Codex opened a conversation without a name";
                    return self.end(Err(Failure::new(AgentFailure::BadOutput, message)));
                };
                self.thread = Some(thread.to_owned());
                let input = json!([{"type": "text", "text": self.opening.prompt}]);
                vec![
                    Effect::Conversation(thread.to_owned()),
                    request(TURN, "turn/start", json!({"threadId": thread, "input": input})),
                ]
            }
            TURN => {
                self.turn = result["turn"]["id"].as_str().map(str::to_owned);
                let waiting: Vec<MessageId> = self.unseen.keys().copied().collect();
                waiting.into_iter().flat_map(|id| self.steer(id)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// What of its configuration is different for this turn.
    fn config(&self) -> Value {
        match self.opening.mcp.as_ref().and_then(|argv| argv.split_first()) {
            None => json!({}),
            Some((program, rest)) => {
                let server = json!({"command": program, "args": rest, "default_tools_approval_mode": "approve"});
                json!({"mcp_servers": {MCP: server}})
            }
        }
    }

    /// Codex asks something of its host.
    fn request(&mut self, method: &str, id: &Value, params: &Value) -> Vec<Effect> {
        let (tool, about, detail, subject, writes) = match method {
            "item/commandExecution/requestApproval" => {
                let command = item::command(params["command"].as_str().unwrap_or_default()).to_owned();
                let detail = item::why(&command, params, &self.worktree);
                let subject = item::place(&command, params, &self.worktree);
                ("shell", command, detail, subject, Vec::new())
            }
            "item/fileChange/requestApproval" => {
                let at = self.asked.iter().position(|(item, ..)| params["itemId"] == item.as_str());
                let (_, paths, diff) = at.map(|at| self.asked.swap_remove(at)).unwrap_or_default();
                let root = &params["grantRoot"];
                let named = if paths.is_empty() { "files that it does not name".to_owned() } else { paths.join(", ") };
                let subject = |text: &str| if paths.is_empty() { String::new() } else { text.to_owned() };
                if root.is_null() {
                    ("edit", named.clone(), diff, subject(&named), paths)
                } else {
                    // Who asks for a whole folder asks for more than these files.
                    let root =
                        root.as_str().map_or_else(|| root.to_string(), |root| talk::relative(root, &self.worktree));
                    let about = format!("all that is in {root:?} for the session, and {named}");
                    ("edit", about.clone(), format!("{about}\n{diff}"), subject(&about), Vec::new())
                }
            }
            _ => {
                let error = json!({"code": -32601, "message": format!("callboard does not know {}", title(method))});
                return vec![Effect::Send(json!({"id": id, "error": error}))];
            }
        };
        vec![Effect::Ask(Question {
            key: id.to_string(),
            tool: tool.to_owned(),
            detail: talk::detail(&detail, &title(&about)),
            subject: talk::subject(&subject),
            files: tool == "edit",
            title: title(&about),
            writes,
            ours: false,
            before: false,
        })]
    }

    /// Somebody has answered a question.
    #[must_use]
    pub fn answer(key: &str, allowed: bool) -> Vec<Effect> {
        let id: Value = serde_json::from_str(key).unwrap_or(Value::Null);
        let decision = if allowed { "accept" } else { "decline" };
        vec![Effect::Send(json!({"id": id, "result": {"decision": decision}}))]
    }

    fn notification(&mut self, method: &str, params: &Value) -> Vec<Effect> {
        let note = |text: String| vec![Effect::Event(EventKind::Note { text })];
        match method {
            "item/agentMessage/delta" => self.piece(params, false),
            "item/reasoning/summaryTextDelta" | "item/reasoning/textDelta" => self.piece(params, true),
            "item/started" => {
                let item = &params["item"];
                if item["type"] == "fileChange" && self.asked.len() < OPEN {
                    let id = item["id"].as_str().unwrap_or_default().to_owned();
                    self.asked.push((id, item::paths(item, &self.worktree), item::changes(item, &self.worktree)));
                }
                item::started(item, &self.worktree).into_iter().map(Effect::Event).collect()
            }
            "item/completed" => {
                let item = &params["item"];
                let id = item["id"].as_str().unwrap_or_default();
                self.asked.retain(|(asked, ..)| asked != id);
                let mut seen = self.seen(item);
                let streamed = self.streamed.remove(id);
                seen.extend(item::completed(item, streamed, &self.worktree).into_iter().map(Effect::Event));
                seen
            }
            "turn/plan/updated" => vec![Effect::Event(EventKind::Plan { items: plan(params) })],
            "thread/tokenUsage/updated" => {
                self.used(params);
                Vec::new()
            }
            "account/rateLimits/updated" => {
                self.limits(&params["rateLimits"]);
                Vec::new()
            }
            "mcpServer/startupStatus/updated" if params["status"] == "failed" => {
                let name = title(params["name"].as_str().unwrap_or_default());
                note(format!(
                    "The tool server {name:?} did not start: {}",
                    title(params["error"].as_str().unwrap_or_default())
                ))
            }
            "error" if params["willRetry"] == true => {
                let error = &params["error"];
                let said =
                    [&error["message"], &error["additionalDetails"]].map(|text| text.as_str().unwrap_or_default());
                note(format!("The model did not answer: {}", title(&said.join(" "))))
            }
            "turn/completed" => {
                let turn = &params["turn"];
                let outcome = match turn["status"].as_str() {
                    Some("completed") if !self.unseen.is_empty() => return self.go_on(),
                    Some("completed") => Ok(()),
                    Some("interrupted") => Err(Failure::new(AgentFailure::Other, "the turn was interrupted")),
                    _ => Err(failure::of_turn(&turn["error"], self.resets_at)),
                };
                self.end(outcome)
            }
            _ => Vec::new(),
        }
    }

    /// It has taken in what a person said, if the item is that.
    fn seen(&mut self, item: &Value) -> Vec<Effect> {
        let begun = if item["type"] == "userMessage" { std::mem::take(&mut self.told) } else { Vec::new() };
        let id = item["clientId"].as_str().filter(|_| item["type"] == "userMessage").and_then(|id| id.parse().ok());
        let steered = id.filter(|id| self.unseen.remove(id).is_some());
        begun.into_iter().chain(steered).map(Effect::Seen).collect()
    }

    fn piece(&mut self, params: &Value, thought: bool) -> Vec<Effect> {
        let text = params["delta"].as_str().unwrap_or_default().to_owned();
        if text.is_empty() {
            return Vec::new();
        }
        if let Some(id) = params["itemId"].as_str().filter(|_| self.streamed.len() < OPEN) {
            self.streamed.insert(id.to_owned());
        }
        vec![Effect::Event(if thought { EventKind::AgentThought { text } } else { EventKind::AgentText { text } })]
    }

    /// Each request of the turn adds to what was used up. What earlier turns used is told, too, when they are resumed.
    fn used(&mut self, params: &Value) {
        let (last, total) = (&params["tokenUsage"]["last"], &params["tokenUsage"]["total"]);
        if self.turn.is_none()
            || params["turnId"].as_str() != self.turn.as_deref()
            || self.total.as_ref() == Some(total)
        {
            return;
        }
        self.total = Some(total.clone());
        let tokens = |key: &str| last[key].as_u64().unwrap_or_default();
        self.usage.input_tokens = self.usage.input_tokens.saturating_add(tokens("inputTokens"));
        self.usage.cached_tokens = self.usage.cached_tokens.saturating_add(tokens("cachedInputTokens"));
        self.usage.output_tokens = self.usage.output_tokens.saturating_add(tokens("outputTokens"));
    }

    /// Of the windows that are used up, the one that opens last again.
    fn limits(&mut self, limits: &Value) {
        let windows = [&limits["primary"], &limits["secondary"]];
        let full =
            windows.into_iter().filter(|window| window["usedPercent"].as_f64().is_some_and(|used| used >= 100.0));
        self.resets_at = full.filter_map(|window| window["resetsAt"].as_i64()).max();
    }

    /// The turn is over: the first word on it counts.
    fn end(&mut self, outcome: Result<(), Failure>) -> Vec<Effect> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        self.outcome = Some(outcome);
        let used = self.usage().map(|usage| Effect::Event(EventKind::Usage(usage)));
        used.into_iter().chain([Effect::Close]).collect()
    }
}

fn request(id: u64, method: &str, params: Value) -> Effect {
    let mut message = json!({"id": id, "method": method});
    message["params"] = params;
    Effect::Send(message)
}

fn plan(params: &Value) -> Vec<PlanItem> {
    let item = |step: &Value| PlanItem {
        text: title(step["step"].as_str().unwrap_or_default()),
        state: match step["status"].as_str() {
            Some("completed") => PlanState::Done,
            Some("inProgress" | "in_progress") => PlanState::Active,
            _ => PlanState::Pending,
        },
    };
    params["plan"].as_array().into_iter().flatten().take(100).map(item).collect()
}
