//! The protocols of agents that are talked with, on lines that the real programs wrote: `tests/data/agents/PROTOCOL/`.

use std::{fmt::Write as _, fs, path::Path};

use callboard::{
    agent::{Conversation, Effect, Lines, Opening, Talk},
    model::{MessageId, Protocol},
};
use proptest::prelude::{ProptestConfig, any, prop, proptest};

pub(crate) fn opening(conversation: Conversation) -> Opening {
    Opening {
        prompt: "Please make a.txt".into(),
        conversation,
        worktree: "/worktree".into(),
        mcp: Some(["/bin/callboard", "--store", "/s.db", "mcp", "--session", "1"].map(str::to_owned).to_vec()),
    }
}

fn tell(text: &mut String, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::Send(message) => writeln!(text, "< {message}"),
            Effect::Event(kind) => writeln!(text, "  {}", serde_json::to_string(kind).unwrap()),
            Effect::Conversation(id) => writeln!(text, "= conversation {id}"),
            Effect::Ask(question) => writeln!(text, "? {question:?}"),
            Effect::File(request) => writeln!(text, "? {request:?}"),
            Effect::Told(id) => writeln!(text, "= told {id}"),
            Effect::Seen(id) => writeln!(text, "= seen {id}"),
            Effect::Close => writeln!(text, "= close"),
        }
        .unwrap();
    }
}

/// What follows from an effect: questions are answered with yes where somebody writes in the worktree, otherwise with no.
fn follow(talk: &mut Talk, effect: &Effect) -> Vec<Effect> {
    match effect {
        Effect::Ask(question) => {
            let inside = |path: &String| !path.starts_with('/');
            let allowed = question.ours || (!question.writes.is_empty() && question.writes.iter().all(inside));
            talk.answer(&question.key, allowed, "no")
        }
        Effect::File(request) => talk.file(&request.key, Err("no".into())),
        Effect::Send(_)
        | Effect::Event(_)
        | Effect::Conversation(_)
        | Effect::Told(_)
        | Effect::Seen(_)
        | Effect::Close => Vec::new(),
    }
}

/// What is done about each line, and how the turn went.
fn played(protocol: Protocol, lines: &str, stderr: &str) -> String {
    let (mut talk, first) = Talk::open(protocol, &opening(Conversation::New("c-1".into()))).unwrap();
    let mut text = String::new();
    tell(&mut text, &first);
    let mut split = Lines::default();
    let mut all = split.feed(lines);
    all.extend(split.finish());
    for line in all {
        let message = serde_json::from_str(&line).unwrap();
        let effects = talk.message(&message);
        tell(&mut text, &effects);
        for effect in &effects {
            let more = follow(&mut talk, effect);
            tell(&mut text, &more);
        }
    }
    writeln!(text, "{:#?}\n{:?}", talk.outcome(stderr), talk.usage()).unwrap();
    text
}

fn recorded(protocol: Protocol) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/agents").join(protocol.as_str());
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().replace('-', "_");
        let text = played(protocol, &fs::read_to_string(&file).unwrap(), "");
        insta::assert_snapshot!(format!("{protocol}_{name}"), text);
    }
}

#[test]
fn claude_as_it_was_recorded() {
    recorded(Protocol::Claude);
}

#[test]
fn codex_as_it_was_recorded() {
    recorded(Protocol::Codex);
}

#[test]
fn acp_as_it_was_recorded() {
    recorded(Protocol::Acp);
}

#[test]
fn acp_is_told_which_conversation_and_which_tool() {
    let said = |conversation, can| {
        let (mut talk, _) = Talk::open(Protocol::Acp, &opening(conversation)).unwrap();
        let result = serde_json::json!({"protocolVersion": 1, "agentCapabilities": {"loadSession": can}});
        let mut text = String::new();
        tell(&mut text, &talk.message(&serde_json::json!({"jsonrpc": "2.0", "id": 1, "result": result})));
        text + &format!("{:?}", talk.outcome(""))
    };
    let new = said(Conversation::New("c-1".into()), true);
    assert!(new.contains("\"session/new\"") && !new.contains("c-1"), "{new}");
    assert!(
        new.contains(r#""args":["--store","/s.db","mcp","--session","1"],"command":"/bin/callboard","env":[]"#),
        "{new}"
    );
    let old = said(Conversation::Old("c-1".into()), true);
    assert!(old.contains("\"session/load\"") && old.contains(r#""sessionId":"c-1""#), "{old}");
    let forgetful = said(Conversation::Old("c-1".into()), false);
    assert!(forgetful.contains("NoConversation"), "{forgetful}");
}

#[test]
fn acp_agents_of_another_version_are_sent_away() {
    let text = played(Protocol::Acp, r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":2}}"#, "");
    assert!(text.contains("speaks version 2") && text.contains("= close"), "{text}");
}

#[test]
fn codex_is_told_which_conversation_and_which_tool() {
    let said = |conversation| {
        let (mut talk, _) = Talk::open(Protocol::Codex, &opening(conversation)).unwrap();
        let mut text = String::new();
        tell(&mut text, &talk.message(&serde_json::json!({"id": 1, "result": {}})));
        text
    };
    let new = said(Conversation::New("c-1".into()));
    assert!(new.contains("\"thread/start\"") && !new.contains("c-1"), "{new}");
    assert!(new.contains(r#""args":["--store","/s.db","mcp","--session","1"],"command":"/bin/callboard""#), "{new}");
    let old = said(Conversation::Old("c-1".into()));
    assert!(old.contains("\"thread/resume\"") && old.contains(r#""threadId":"c-1""#), "{old}");
}

#[test]
fn arguments_say_which_conversation_and_which_tool() {
    let new = Talk::arguments(Protocol::Claude, &opening(Conversation::New("c-1".into()))).join(" ");
    assert!(new.contains("--session-id c-1") && new.contains("--allowedTools mcp__callboard"), "{new}");
    let tool =
        r#""mcpServers":{"callboard":{"args":["--store","/s.db","mcp","--session","1"],"command":"/bin/callboard"}}"#;
    assert!(new.contains(tool), "{new}");
    let old = Opening { mcp: None, ..opening(Conversation::Old("c-1".into())) };
    let old = Talk::arguments(Protocol::Claude, &old).join(" ");
    assert!(old.contains("--resume c-1") && !old.contains("mcp"), "{old}");
}

#[test]
fn claude_words_on_standard_error_are_understood() {
    let (talk, _) = Talk::open(Protocol::Claude, &opening(Conversation::New("c-1".into()))).unwrap();
    let kind = |stderr: &str| talk.outcome(stderr).map(|outcome| outcome.unwrap_err().kind.as_str());
    assert_eq!(kind("Error: Session ID c-1 is already in use."), Some("taken"));
    assert_eq!(kind("No conversation found with session ID: c-1"), Some("no_conversation"));
    assert_eq!(kind("warning: something"), None);
}

#[test]
fn a_used_up_account_says_when_it_goes_on() {
    let event = r#"{"type":"rate_limit_event","rate_limit_info":{"status":"rejected","resetsAt":1800000000}}"#;
    let result = r#"{"type":"result","is_error":true,"api_error_status":429,"result":"You've hit your limit"}"#;
    let told = r#"{"type":"result","is_error":true,"result":"Claude AI usage limit reached|1800000000"}"#;
    for lines in [format!("{event}\n{result}"), told.to_owned()] {
        let text = played(Protocol::Claude, &lines, "");
        assert!(text.contains("kind: Quota") && text.contains("1800000000000000"), "{text}");
    }
}

/// What comes of each line, with what a person says before the one that it is given with.
fn said_in_between(protocol: Protocol, lines: &[(Option<&str>, &str)]) -> String {
    let (mut talk, _) = Talk::open(protocol, &opening(Conversation::New("c-1".into()))).unwrap();
    let mut text = String::new();
    for (at, (said, line)) in (0..).zip(lines) {
        if let Some(said) = said {
            tell(&mut text, &talk.say(MessageId::from_u128(at), said));
        }
        writeln!(text, "> {line}").unwrap();
        tell(&mut text, &talk.message(&serde_json::from_str(line).unwrap()));
    }
    writeln!(text, "{:?}", talk.outcome("").map(|outcome| outcome.is_ok())).unwrap();
    tell(&mut text, &talk.say(MessageId::from_u128(99), "too late"));
    text
}

#[test]
fn what_a_person_says_reaches_claude_in_its_turn_or_the_next() {
    let result = r#"{"type":"result","usage":{"input_tokens":1,"output_tokens":2},"total_cost_usd":0.5}"#;
    let text = said_in_between(
        Protocol::Claude,
        &[
            (None, r#"{"type":"system","subtype":"init","session_id":"c-1"}"#),
            (
                Some("in time"),
                r#"{"type":"user","isReplay":true,"uuid":"00000000-0000-0000-0000-000000000001","message":{}}"#,
            ),
            (Some("a little late"), result),
            (
                None,
                r#"{"type":"command_lifecycle","state":"started","command_uuid":"00000000-0000-0000-0000-000000000002"}"#,
            ),
            (None, result),
        ],
    );
    insta::assert_snapshot!("said_to_claude", text);
}

#[test]
fn what_a_person_says_reaches_codex_in_its_turn_or_the_next() {
    let completed = r#"{"method":"turn/completed","params":{"turn":{"status":"completed"}}}"#;
    let text = said_in_between(
        Protocol::Codex,
        &[
            (Some("early"), r#"{"id":3,"result":{"thread":{"id":"t-1"}}}"#),
            (None, r#"{"id":4,"result":{"turn":{"id":"u-1"}}}"#),
            (
                None,
                r#"{"method":"item/completed","params":{"item":{"type":"userMessage","clientId":"00000000-0000-0000-0000-000000000000"}}}"#,
            ),
            (Some("late"), r#"{"id":6,"error":{"code":-32600,"message":"no active turn to steer"}}"#),
            (None, completed),
            (None, r#"{"id":4,"result":{"turn":{"id":"u-2"}}}"#),
            (None, completed),
        ],
    );
    insta::assert_snapshot!("said_to_codex", text);
}

#[test]
fn what_a_person_says_reaches_an_acp_agent_in_its_next_prompt() {
    let over =
        r#"{"jsonrpc":"2.0","id":3,"result":{"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}}"#;
    let text = said_in_between(
        Protocol::Acp,
        &[
            (None, r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":1}}"#),
            (Some("early"), r#"{"jsonrpc":"2.0","id":2,"result":{"sessionId":"s-1"}}"#),
            (Some("more"), over),
            (
                None,
                r#"{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Yes."}}}}"#,
            ),
            (None, over),
        ],
    );
    insta::assert_snapshot!("said_to_acp", text);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever an agent says instead of what it should, nothing breaks: a recorded line with something else at one place.
    #[test]
    fn nothing_that_is_said_breaks_it(
        protocol in prop::sample::select(vec![Protocol::Claude, Protocol::Codex, Protocol::Acp]), at in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(), other in prop::sample::select(vec!["null", "[]", "{}", "-1e308", "\"\\u001b[2J\"", "[[{}]]", "true"]),
    ) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/agents").join(protocol.as_str());
        let lines: Vec<String> = fs::read_dir(folder).unwrap()
            .flat_map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let (mut talk, _) = Talk::open(protocol, &opening(Conversation::New("c-1".into()))).unwrap();
        let line = at.get(&lines);
        let mut message: serde_json::Value = serde_json::from_str(line).unwrap();
        let all = pointers(&message, String::new());
        let pointer: &String = place.get(&all);
        *message.pointer_mut(pointer).unwrap() = serde_json::from_str(other).unwrap();
        let effects = talk.message(&message);
        effects.iter().for_each(|effect| drop(follow(&mut talk, effect)));
        for line in &lines {
            talk.message(&serde_json::from_str(line).unwrap());
        }
    }
}

/// Every place in a message.
fn pointers(value: &serde_json::Value, at: String) -> Vec<String> {
    let mut all = vec![at.clone()];
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                all.extend(pointers(value, format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"))));
            }
        }
        serde_json::Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                all.extend(pointers(value, format!("{at}/{index}")));
            }
        }
        _ => {}
    }
    all
}
