//! A turn of Claude Code: its lines in, what is to be done out.

use std::collections::{HashMap, HashSet};

use camino::Utf8PathBuf;
use serde_json::{Value, json};

use crate::model::{EventKind, MessageId, Usage};

use super::{failure, tool};
use crate::agent::talk::{self, Conversation, Effect, Failure, MCP, Opening, Question, said};

/// So many open tool calls are remembered.
const OPEN: usize = 1_000;

/// The arguments for a turn.
#[must_use]
pub fn arguments(opening: &Opening) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "-p",
        "--input-format",
        "stream-json",
        "--output-format",
        "stream-json",
        "--verbose",
        "--include-partial-messages",
        // Says when a message was taken in.
        "--replay-user-messages",
        "--permission-prompt-tool",
        "stdio",
        "--permission-mode",
        "acceptEdits",
    ]
    .map(str::to_owned)
    .to_vec();
    let (flag, id) = match &opening.conversation {
        Conversation::New(id) => ("--session-id", id),
        Conversation::Old(id) => ("--resume", id),
    };
    arguments.extend([flag.to_owned(), id.clone()]);
    if let Some((program, rest)) = opening.mcp.as_ref().and_then(|argv| argv.split_first()) {
        let servers = json!({"mcpServers": {MCP: {"command": program, "args": rest}}});
        arguments.extend(["--mcp-config".to_owned(), servers.to_string()]);
        arguments.extend(["--allowedTools".to_owned(), format!("mcp__{MCP}")]);
    }
    arguments
}

/// Variables for a turn: without this one, the sessions tool is hidden until the model searches for it.
#[must_use]
pub fn environment(opening: &Opening) -> Vec<(String, String)> {
    opening.mcp.iter().map(|_| ("ENABLE_TOOL_SEARCH".to_owned(), "false".to_owned())).collect()
}

/// A turn of Claude Code.
#[derive(Debug)]
pub struct Talk {
    worktree: Utf8PathBuf,
    /// Questions that wait for an answer: what the tool is given.
    asked: HashMap<String, Value>,
    /// Open tool calls by their ids: the tool's name.
    tools: HashMap<String, String>,
    /// The message that comes in pieces, and which kinds of it did so far.
    streamed: (String, Vec<&'static str>),
    /// Whether the line of text that came last is open.
    open: bool,
    /// When the account may go on, once it was told to stop.
    resets_at: Option<i64>,
    /// Messages that it was told and has not taken in yet.
    unseen: HashSet<String>,
    outcome: Option<Result<(), Failure>>,
    usage: Option<Usage>,
}

impl Talk {
    /// Opens a turn.
    #[must_use]
    pub fn open(opening: &Opening) -> (Self, Vec<Effect>) {
        let talk = Self {
            worktree: opening.worktree.clone(),
            asked: HashMap::new(),
            tools: HashMap::new(),
            streamed: (String::new(), Vec::new()),
            open: false,
            resets_at: None,
            unseen: HashSet::new(),
            outcome: None,
            usage: None,
        };
        let message = user(&opening.prompt);
        (talk, vec![Effect::Send(message)])
    }

    /// A person says something: it becomes part of the turn that runs, or of one that begins right after it.
    pub fn say(&mut self, id: MessageId, text: &str) -> Vec<Effect> {
        if self.outcome.is_some() {
            return Vec::new();
        }
        let mut message = user(text);
        message["uuid"] = json!(id);
        self.unseen.insert(id.to_string());
        vec![Effect::Send(message), Effect::Told(id)]
    }

    /// Whether there is something for another turn.
    pub fn goes_on(&self) -> bool {
        !self.unseen.is_empty()
    }

    /// It has begun with a message, if that is one of a person's.
    fn took(&mut self, id: &Value) -> Vec<Effect> {
        let taken = id.as_str().filter(|id| self.unseen.remove(*id));
        taken.and_then(|id| id.parse().ok()).map(Effect::Seen).into_iter().collect()
    }

    /// What Claude Code is told that is to end its turn early.
    #[must_use]
    pub fn interrupt() -> Vec<Effect> {
        let request = json!({"subtype": "interrupt"});
        vec![
            Effect::Send(json!({"type": "control_request", "request_id": "interrupt", "request": request})),
            Effect::Close,
        ]
    }

    /// How the turn went.
    #[must_use]
    pub fn outcome(&self, stderr: &str) -> Option<Result<(), Failure>> {
        match &self.outcome {
            // A conversation that is not there is told on both streams, in words only here.
            Some(Err(failure)) => Some(Err(failure::of_stderr(stderr).unwrap_or_else(|| failure.clone()))),
            Some(Ok(())) => Some(Ok(())),
            None => failure::of_stderr(stderr).map(Err),
        }
    }

    /// What was used up.
    #[must_use]
    pub const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// A message of its standard output.
    pub fn message(&mut self, message: &Value) -> Vec<Effect> {
        // What its helpers say among themselves is not shown; what they do is.
        let helper = !message["parent_tool_use_id"].is_null();
        match message["type"].as_str().unwrap_or_default() {
            "system" => Self::system(message),
            "stream_event" if !helper => self.piece(&message["event"]),
            "assistant" => self.assistant(message, helper),
            "user" if message["isReplay"] == true => self.took(&message["uuid"]),
            "command_lifecycle" if message["state"] == "started" => self.took(&message["command_uuid"]),
            "user" => self.user(message),
            "control_request" => self.asked(message),
            "rate_limit_event" => {
                let info = &message["rate_limit_info"];
                if info["status"] == "rejected" {
                    self.resets_at = info["resetsAt"].as_i64();
                }
                Vec::new()
            }
            "result" => self.result(message),
            // Versions to come say more than this one knows.
            _ => Vec::new(),
        }
    }

    fn system(message: &Value) -> Vec<Effect> {
        let note = |text: String| vec![Effect::Event(EventKind::Note { text })];
        match message["subtype"].as_str().unwrap_or_default() {
            "init" => {
                let servers = message["mcp_servers"].as_array().into_iter().flatten();
                let failed = servers.filter(|server| server["status"] == "failed");
                let name = |server: &Value| server["name"].as_str().unwrap_or_default().to_owned();
                let mut effects: Vec<Effect> = failed
                    .map(|server| {
                        let text = format!("The tool server {:?} did not start.", name(server));
                        Effect::Event(EventKind::Note { text })
                    })
                    .collect();
                effects.extend(message["session_id"].as_str().map(|id| Effect::Conversation(id.to_owned())));
                effects
            }
            "api_retry" => {
                let seconds = message["retry_delay_ms"].as_f64().unwrap_or_default() / 1000.0;
                let why = match (message["error_status"].as_u64(), message["error"].as_str()) {
                    (Some(status), Some(error)) => format!("{error}, {status}"),
                    (Some(status), None) => status.to_string(),
                    (None, error) => error.unwrap_or("no connection").to_owned(),
                };
                let (attempt, most) = (&message["attempt"], &message["max_retries"]);
                note(format!("The model did not answer ({why}); asked again in {seconds:.1} s, {attempt} of {most}."))
            }
            "compact_boundary" => note("The conversation became too long and was summed up.".into()),
            "permission_denied" => {
                let name = message["tool_name"].as_str().unwrap_or_default();
                vec![Effect::Event(EventKind::Permission {
                    tool: name.to_owned(),
                    title: talk::title(message["message"].as_str().unwrap_or_default()),
                    allowed: false,
                    by: "Claude Code's own rules".into(),
                })]
            }
            _ => Vec::new(),
        }
    }

    /// A piece of a message that is being written.
    fn piece(&mut self, event: &Value) -> Vec<Effect> {
        let delta = &event["delta"];
        match (event["type"].as_str().unwrap_or_default(), delta["type"].as_str().unwrap_or_default()) {
            ("message_start", _) => {
                self.streamed = (event["message"]["id"].as_str().unwrap_or_default().to_owned(), Vec::new());
                Vec::new()
            }
            ("content_block_delta", "text_delta") => {
                self.streamed.1.push("text");
                self.text(delta["text"].as_str().unwrap_or_default(), false)
            }
            ("content_block_delta", "thinking_delta") => {
                self.streamed.1.push("thinking");
                self.text(delta["thinking"].as_str().unwrap_or_default(), true)
            }
            // What comes next begins on a line of its own.
            ("content_block_stop", _) if self.open => {
                let thought = self.streamed.1.last() == Some(&"thinking");
                self.text("\n", thought)
            }
            _ => Vec::new(),
        }
    }

    fn text(&mut self, text: &str, thought: bool) -> Vec<Effect> {
        self.streamed.1.dedup();
        if text.is_empty() {
            return Vec::new();
        }
        self.open = !text.ends_with('\n');
        let text = text.to_owned();
        vec![Effect::Event(if thought { EventKind::AgentThought { text } } else { EventKind::AgentText { text } })]
    }

    fn assistant(&mut self, message: &Value, helper: bool) -> Vec<Effect> {
        let message = &message["message"];
        let streamed = message["id"].as_str() == Some(self.streamed.0.as_str());
        let mut effects = Vec::new();
        for block in message["content"].as_array().into_iter().flatten() {
            let kind = block["type"].as_str().unwrap_or_default();
            let known = streamed && self.streamed.1.contains(&kind);
            match kind {
                "text" | "thinking" if !known && !helper => {
                    let text = format!("{}\n", block[kind].as_str().unwrap_or_default().trim_end());
                    effects.extend(self.text(&text, kind == "thinking"));
                }
                "tool_use" => {
                    let name = block["name"].as_str().unwrap_or_default();
                    let title = tool::title(name, &block["input"], &self.worktree);
                    if let Some(id) = block["id"].as_str().filter(|_| self.tools.len() < OPEN) {
                        self.tools.insert(id.to_owned(), name.to_owned());
                    }
                    effects.push(Effect::Event(EventKind::ToolCall { tool: name.to_owned(), title }));
                    effects.extend(tool::plan(name, &block["input"]).map(Effect::Event));
                }
                _ => {}
            }
        }
        effects
    }

    /// What came of tool calls.
    fn user(&mut self, message: &Value) -> Vec<Effect> {
        let mut effects = Vec::new();
        for block in message["message"]["content"].as_array().into_iter().flatten() {
            if block["type"] != "tool_result" {
                continue;
            }
            let name = block["tool_use_id"].as_str().and_then(|id| self.tools.remove(id)).unwrap_or_default();
            let ok = block["is_error"] != true;
            if ok && let Some(edit) = tool::edit(&message["tool_use_result"], &self.worktree) {
                effects.push(Effect::Event(edit));
                continue;
            }
            let text = said(&tool::text(&block["content"]));
            effects.push(Effect::Event(EventKind::ToolEnd { tool: name, ok, text }));
        }
        effects
    }

    /// Claude Code asks something of its host.
    fn asked(&mut self, message: &Value) -> Vec<Effect> {
        let request = &message["request"];
        let key = message["request_id"].as_str().unwrap_or_default();
        if request["subtype"] != "can_use_tool" {
            let error = "callboard does not know this request";
            return vec![answer(json!({"subtype": "error", "request_id": key, "error": error}))];
        }
        let name = request["tool_name"].as_str().unwrap_or_default();
        self.asked.insert(key.to_owned(), request["input"].clone());
        if self.asked.len() > OPEN {
            return self.answer(key, false, "too many questions are open");
        }
        if name == "AskUserQuestion" {
            return self.answer(key, false, "Nobody is here to answer. Decide yourself, and say what you decided.");
        }
        vec![Effect::Ask(Question {
            key: key.to_owned(),
            tool: talk::title(name),
            detail: tool::detail(name, &request["input"], &self.worktree),
            subject: tool::subject(name, &request["input"], &self.worktree),
            files: tool::is_edit(name, &request["input"]),
            title: tool::title(name, &request["input"], &self.worktree),
            writes: Vec::new(),
            ours: name.starts_with(&format!("mcp__{MCP}__")),
            before: false,
        })]
    }

    /// Somebody has answered a question.
    pub fn answer(&mut self, key: &str, allowed: bool, why: &str) -> Vec<Effect> {
        let Some(input) = self.asked.remove(key) else { return Vec::new() };
        let response = if allowed {
            json!({"behavior": "allow", "updatedInput": input})
        } else {
            json!({"behavior": "deny", "message": why})
        };
        vec![answer(json!({"subtype": "success", "request_id": key, "response": response}))]
    }

    fn result(&mut self, message: &Value) -> Vec<Effect> {
        let usage = &message["usage"];
        let tokens = |key: &str| usage[key].as_u64().unwrap_or_default();
        let cached = tokens("cache_read_input_tokens");
        let dollars = cost(message).filter(|cost| cost.is_finite() && *cost >= 0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cost is finite and not negative"
        )]
        let cost = dollars.map(|dollars| (dollars * 1e6).round() as u64);
        let usage = Usage {
            input_tokens: tokens("input_tokens") + cached + tokens("cache_creation_input_tokens"),
            cached_tokens: cached,
            output_tokens: tokens("output_tokens"),
            cost_microdollars: cost,
        };
        if usage.input_tokens + usage.output_tokens > 0 {
            let both = self.usage.map_or(usage, |before| before.and(usage));
            // What is told as a total has what came before in it.
            let is_total = message["model_usage_since_last_result"].is_null();
            self.usage =
                Some(if is_total { Usage { cost_microdollars: usage.cost_microdollars, ..both } } else { both });
        }
        let failure = failure::of_result(message, self.resets_at);
        if failure.is_none() && !self.unseen.is_empty() {
            // What it was told too late for this turn is the next one.
            return Vec::new();
        }
        self.outcome = Some(failure.map_or(Ok(()), Err));
        let used = self.usage.map(|usage| Effect::Event(EventKind::Usage(usage)));
        used.into_iter().chain([Effect::Close]).collect()
    }
}

fn user(text: &str) -> Value {
    json!({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}})
}

fn answer(response: Value) -> Effect {
    Effect::Send(json!({"type": "control_response", "response": response}))
}

/// What the turn cost. The total is that of the conversation, with the turns before.
fn cost(message: &Value) -> Option<f64> {
    match message["model_usage_since_last_result"].as_object() {
        Some(models) => Some(models.values().filter_map(|model| model["costUSD"].as_f64()).sum()),
        None => message["total_cost_usd"].as_f64(),
    }
}
