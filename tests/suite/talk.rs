//! The protocols of agents that are talked with, on lines that the real programs wrote: `tests/data/agents/PROTOCOL/`.

use std::{fmt::Write as _, fs, path::Path};

use callboard::{
    agent::{Conversation, Effect, Ended, Lines, Opening, Talk, Terminal, Told},
    model::{AgentFailure, Exit, MessageId, Protocol},
};
use proptest::prelude::{ProptestConfig, any, prop, proptest};
use serde_json::json;

pub(crate) fn opening(conversation: Conversation) -> Opening {
    Opening {
        prompt: "Please make a.txt".into(),
        conversation,
        worktree: "/worktree".into(),
        mode: None,
        spent: 0,
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
            Effect::Terminal(terminal) => writeln!(text, "? {terminal:?}"),
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
        Effect::Terminal(Terminal::Start(start)) => {
            let (key, id) = (start.key.clone(), start.id.clone());
            talk.terminal(Told::Started { key, id, result: Ok(()) })
        }
        Effect::Terminal(Terminal::Output { key, .. }) => {
            talk.terminal(Told::Output { key: key.clone(), text: "said".into(), truncated: false, exit: None })
        }
        Effect::Terminal(Terminal::Kill { id } | Terminal::Release { id }) => {
            talk.terminal(Told::Ended(Ended { id: id.clone(), exit: Exit::Cancelled, text: "said".into() }))
        }
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

/// What follows from a conversation that was begun like this, when the agent is to be in this mode.
fn begun(result: serde_json::Value, mode: Option<&str>) -> (Talk, String) {
    let opening = Opening { mode: mode.map(str::to_owned), ..opening(Conversation::New("c-1".into())) };
    let (mut talk, _) = Talk::open(Protocol::Acp, &opening).unwrap();
    talk.message(&json!({"id": 1, "result": {"protocolVersion": 1}}));
    let mut result = result;
    result["sessionId"] = json!("s-1");
    let effects = talk.message(&json!({"id": 2, "result": result}));
    let mut text = String::new();
    tell(&mut text, &effects);
    (talk, text)
}

fn told(talk: &mut Talk, message: &serde_json::Value) -> String {
    let mut text = String::new();
    tell(&mut text, &talk.message(message));
    text
}

#[test]
fn acp_agents_are_put_into_the_mode_that_they_are_to_be_in() {
    let all = json!([{"id": "auto", "name": "Auto"}, {"id": "ask", "name": "Ask first"}]);
    let modes = json!({"modes": {"currentModeId": "auto", "availableModes": all}});
    let group = json!({"group": "g", "name": "G", "options": [{"value": "ask", "name": "Ask first"}]});
    let choices = json!([{"value": "auto", "name": "Auto"}, group]);
    let option = json!({"id": "how", "category": "mode", "type": "select", "currentValue": "auto", "options": choices});
    let options = json!({"configOptions": [{"id": "model", "type": "select", "category": "model"}, option]});

    for (result, asked) in [
        (&modes, r#""method":"session/set_mode","params":{"modeId":"ask","sessionId":"s-1"}"#),
        (
            &options,
            r#""method":"session/set_config_option","params":{"configId":"how","sessionId":"s-1","value":"ask"}"#,
        ),
    ] {
        // The prompt comes once the mode is taken, and not before.
        let (mut talk, text) = begun(result.clone(), Some("ask"));
        assert!(text.contains("The agent is in the mode auto.") && text.contains(asked), "{text}");
        assert!(!text.contains("session/prompt"), "{text}");
        let text = told(&mut talk, &json!({"id": 4, "result": {}}));
        assert!(text.contains("in the mode ask (Ask first).") && text.contains("session/prompt"), "{text}");

        let (_, text) = begun(result.clone(), Some("auto"));
        assert!(!text.contains("session/set_") && text.contains("session/prompt"), "{text}");

        let (talk, text) = begun(result.clone(), Some("yolo"));
        let failure = talk.outcome("").unwrap().unwrap_err();
        assert!(!text.contains("session/prompt") && failure.kind == AgentFailure::Mode, "{failure:?}");
        assert!(failure.message.contains(r#"no mode "yolo"; it has "auto", "ask":"#), "{failure:?}");
    }
    let refused = json!({"id": 4, "error": {"code": -32603, "message": "not now"}});
    let (mut talk, _) = begun(modes.clone(), Some("ask"));
    assert!(!told(&mut talk, &refused).contains("session/prompt"));
    assert!(talk.outcome("").unwrap().unwrap_err().message.contains("did not take the mode \"ask\": not now"));
    let (talk, _) = begun(json!({}), Some("ask"));
    assert!(talk.outcome("").unwrap().unwrap_err().message.contains("it has none"));
    let (_, text) = begun(json!({"modes": {"availableModes": "x"}, "configOptions": 7}), None);
    assert!(!text.contains("mode") && text.contains("session/prompt"), "{text}");

    // It changes by itself.
    let (mut talk, _) = begun(modes, None);
    let update = |update| json!({"method": "session/update", "params": {"sessionId": "s-1", "update": update}});
    let now = update(json!({"sessionUpdate": "current_mode_update", "currentModeId": "ask"}));
    assert!(told(&mut talk, &now).contains("in the mode ask (Ask first)."));
    assert_eq!(told(&mut talk, &now), "");
    let mut option = options;
    option["configOptions"][1]["currentValue"] = json!("auto");
    option["sessionUpdate"] = json!("config_option_update");
    assert!(told(&mut talk, &update(option)).contains("in the mode auto."));
}

/// A turn of an agent that can do this, up to its prompt.
fn going_on(can: &serde_json::Value, history: &[serde_json::Value]) -> (Talk, String) {
    prompted(&opening(Conversation::Old("s-1".into())), can, history)
}

fn prompted(opening: &Opening, can: &serde_json::Value, history: &[serde_json::Value]) -> (Talk, String) {
    let (mut talk, _) = Talk::open(Protocol::Acp, opening).unwrap();
    let mut text = told(&mut talk, &json!({"id": 1, "result": {"protocolVersion": 1, "agentCapabilities": can}}));
    for update in history {
        text += &told(&mut talk, &update_of(update));
    }
    text += &told(&mut talk, &json!({"id": 2, "result": {}}));
    (talk, text)
}

fn update_of(update: &serde_json::Value) -> serde_json::Value {
    json!({"method": "session/update", "params": {"sessionId": "s-1", "update": update}})
}

#[test]
fn acp_agents_that_load_nothing_may_resume() {
    let resume = json!({"sessionCapabilities": {"resume": {}}});
    let (_, text) = going_on(&resume, &[]);
    assert!(text.contains(r#""method":"session/resume","params":{"cwd":"/worktree","mcpServers":[{"#), "{text}");
    assert!(text.contains(r#""sessionId":"s-1""#) && text.contains("session/prompt"), "{text}");
    let both = json!({"loadSession": true, "sessionCapabilities": {"resume": {}}});
    assert!(going_on(&both, &[]).1.contains("session/load"));
    for neither in [json!({"sessionCapabilities": {"resume": null}}), json!({"loadSession": "yes"}), json!([])] {
        let (talk, text) = going_on(&neither, &[]);
        assert_eq!(talk.outcome("").unwrap().unwrap_err().kind, AgentFailure::NoConversation, "{text}");
    }
}

#[test]
fn acp_agents_that_nobody_logged_in_say_how() {
    let methods = json!([
        {"id": "login", "name": "Log in", "description": "Run `agent login` in a terminal"},
        {"id": "key", "name": "A key", "type": "env_var", "vars": [{"name": "AGENT_KEY"}, {"name": "AGENT_URL"}]},
        {"id": "bare"}, {"name": ["x"]}, 7,
    ]);
    let refused = json!({"code": -32000, "message": "Authentication required"});
    for methods in [methods, json!(null), json!("x")] {
        let (mut talk, _) = Talk::open(Protocol::Acp, &opening(Conversation::New("c-1".into()))).unwrap();
        told(&mut talk, &json!({"id": 1, "result": {"protocolVersion": 1, "authMethods": methods}}));
        told(&mut talk, &json!({"id": 2, "error": refused}));
        let failure = talk.outcome("").unwrap().unwrap_err();
        assert_eq!(failure.kind, AgentFailure::LoggedOut);
        let offers =
            "It offers: Log in (Run `agent login` in a terminal), or A key (set AGENT_KEY and AGENT_URL), or bare";
        assert!(
            failure
                .message
                .starts_with("the agent is not logged in (Authentication required): log in by its own program")
        );
        assert_eq!(failure.message.ends_with(offers), methods.is_array(), "{}", failure.message);
    }
}

#[test]
fn acp_agents_tell_what_a_whole_conversation_has_cost() {
    let load = json!({"loadSession": true});
    let cost = |amount: f64, currency: &str| json!({"sessionUpdate": "usage_update", "used": 1, "size": 2, "cost": {"amount": amount, "currency": currency}});
    let text = json!({"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "hm"}});
    let after = |history: &[_], updates: &[_]| {
        let (mut talk, _) = going_on(&load, history);
        for update in updates {
            talk.message(&update_of(update));
        }
        talk.message(&json!({"id": 3, "result": {"stopReason": "end_turn"}}));
        talk.usage().map(|usage| usage.cost_microdollars)
    };
    assert_eq!(after(&[], &[text.clone(), cost(0.5, "USD"), cost(0.75, "USD")]), Some(Some(750_000)));
    assert_eq!(after(&[cost(0.5, "USD")], &[text.clone(), cost(0.75, "USD")]), Some(Some(250_000)));
    assert_eq!(after(&[], &[cost(0.5, "USD"), text.clone(), cost(0.75, "USD")]), Some(Some(250_000)));
    assert_eq!(after(&[cost(0.5, "USD")], &[text.clone(), cost(0.25, "USD")]), Some(Some(250_000)));
    // What it does not tell itself may be on record.
    let opening = Opening { spent: 200_000, ..opening(Conversation::Old("s-1".into())) };
    let mut talk = prompted(&opening, &load, &[]).0;
    talk.message(&update_of(&text));
    talk.message(&update_of(&cost(0.75, "USD")));
    assert_eq!(talk.usage().unwrap().cost_microdollars, Some(550_000));
    for odd in [cost(1.0, "EUR"), cost(-1.0, "USD"), cost(1e300, "USD"), cost(f64::NAN, "USD")] {
        assert_eq!(after(&[], &[text.clone(), odd]), None);
    }
    let (mut talk, _) = begun(json!({}), None);
    talk.message(&update_of(&cost(0.000_001, "USD")));
    let usage = json!({"inputTokens": 5, "outputTokens": 7, "totalTokens": 12});
    talk.message(&json!({"id": 3, "result": {"stopReason": "end_turn", "usage": usage}}));
    let usage = talk.usage().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens, usage.cost_microdollars), (5, 7, Some(1)));
}

#[test]
fn acp_agents_that_are_cancelled_wait_for_no_word() {
    let (mut talk, _) = begun(json!({}), None);
    let ask = json!({"sessionId": "s-1", "toolCall": {"toolCallId": "c", "title": "x"}, "options": [{"optionId": "y", "kind": "allow_once"}]});
    told(&mut talk, &json!({"id": 7, "method": "session/request_permission", "params": ask}));
    // Two questions of one id: the word for one would pass for the other's.
    let create = json!({"sessionId": "s-1", "command": "rm"});
    let text = told(&mut talk, &json!({"id": 7, "method": "terminal/create", "params": create}));
    assert!(text.contains("-32600") && !text.contains("? "), "{text}");
    told(&mut talk, &json!({"id": "8", "method": "terminal/create", "params": create}));
    let mut text = String::new();
    tell(&mut text, &talk.interrupt());
    assert!(text.contains("session/cancel") && text.ends_with("= close\n"), "{text}");
    assert!(text.contains(r#"< {"id":7,"jsonrpc":"2.0","result":{"outcome":{"outcome":"cancelled"}}}"#), "{text}");
    assert!(text.contains(r#""message":"the turn was cancelled"},"id":"8""#), "{text}");
    assert_eq!(talk.answer("8", true, ""), []);
    talk.message(&json!({"id": 3, "result": {"stopReason": "cancelled"}}));
    assert!(talk.outcome("").unwrap().is_err());
}

/// What is shown of this tool call when it is asked for, and what a rule for it is about.
fn asked_of(call: &serde_json::Value) -> (String, String) {
    let (mut talk, _) = begun(json!({}), None);
    let params = json!({"sessionId": "s-1", "toolCall": call, "options": []});
    let effects = talk.message(&json!({"id": 7, "method": "session/request_permission", "params": params}));
    let question =
        effects.into_iter().find_map(|effect| if let Effect::Ask(question) = effect { Some(question) } else { None });
    let question = question.unwrap();
    let shown = if question.detail.is_empty() { question.title } else { question.detail };
    (shown, question.subject)
}

#[test]
fn acp_questions_show_all_that_is_asked() {
    let asked = |call: serde_json::Value| asked_of(&call);
    let both = |text: &str| (text.to_owned(), text.to_owned());
    let long = format!("echo {}; rm -rf ~", "x".repeat(400));
    for title in ["echo ok", "echo ok\nrm -rf ~", &long] {
        assert_eq!(asked(json!({"toolCallId": "c", "kind": "execute", "title": title})), both(title));
        // Also when it says at once that it is over.
        assert_eq!(asked(json!({"toolCallId": "c", "title": title, "status": "completed"})), both(title));
    }
    let (shown, subject) =
        asked(json!({"kind": "fetch", "title": "Fetch", "rawInput": {"url": "http://a/b", "method": "POST"}}));
    assert_eq!(shown, "Fetch\n{\n  \"method\": \"POST\",\n  \"url\": \"http://a/b\"\n}");
    assert_eq!(subject, r#"{"method":"POST","url":"http://a/b"}"#);
    // An edit of which it is not told what would be different.
    let (shown, _) = asked(
        json!({"kind": "edit", "title": "Edit", "locations": [{"path": "/worktree/a"}], "rawInput": {"content": "evil"}}),
    );
    assert!(shown.contains("evil"), "{shown}");
}

#[test]
fn acp_commands_are_shown_with_all_that_they_are_given() {
    let asked =
        |kind: &str, input: serde_json::Value| asked_of(&json!({"kind": kind, "title": "x", "rawInput": input}));
    let both = |text: &str| (text.to_owned(), text.to_owned());
    let harmless = json!({"command": "make", "description": "makes", "timeout": 5, "cwd": "/worktree", "x": null});
    assert_eq!(asked("execute", harmless), both("make"));
    for (kind, input, shown, subject) in [
        (
            "execute",
            json!({"command": "rm -rf b", "cwd": "/home/me"}),
            "{\n  \"cwd\": \"/home/me\"\n}",
            r#"{"cwd":"/home/me"}"#,
        ),
        (
            "other",
            json!({"command": "rm -rf b", "description": "d"}),
            "{\n  \"description\": \"d\"\n}",
            r#"{"description":"d"}"#,
        ),
    ] {
        assert_eq!(asked(kind, input), (format!("rm -rf b\n{shown}"), format!("rm -rf b\n{subject}")));
    }
    assert_eq!(asked("execute", json!({"command": ["rm", "a b"]})), both("rm 'a b'"));
    assert_eq!(asked("execute", json!({"command": ["rm", "a", "b"]})), both("rm a b"));
    let edit = json!({"kind": "edit", "title": "E", "content": [{"type": "diff", "path": "/worktree/a", "oldText": "", "newText": "x"}],
        "rawInput": {"path": "a", "content": "x", "host": "prod"}});
    let (shown, subject) = asked_of(&edit);
    assert_eq!(subject, "a\n{\"host\":\"prod\"}");
    assert!(shown.starts_with("a\n+x\n{") && shown.contains("prod"), "{shown}");
    // What is allowed with a folder is no word for a terminal without it.
    let (mut talk, _) = begun(json!({}), None);
    let call = json!({"kind": "execute", "title": "x", "rawInput": {"command": "rm b", "cwd": "/home/me"}});
    let params = json!({"sessionId": "s-1", "toolCall": call, "options": []});
    talk.message(&json!({"id": 7, "method": "session/request_permission", "params": params}));
    talk.answer("7", true, "");
    let create = json!({"sessionId": "s-1", "command": "rm", "args": ["b"]});
    let text = told(&mut talk, &json!({"id": 8, "method": "terminal/create", "params": create}));
    assert!(text.contains("before: false"), "{text}");
}

/// A yes for good would be the last word that anybody has.
#[test]
fn acp_agents_are_never_told_yes_for_good() {
    let once = json!({"optionId": "o", "kind": "allow_once"});
    let good = json!({"optionId": "g", "kind": "allow_always"});
    let no = json!({"optionId": "n", "kind": "reject_once"});
    for (options, outcome) in [
        (json!([good, once, no]), json!({"outcome": "selected", "optionId": "o"})),
        (json!([good, no]), json!({"outcome": "selected", "optionId": "n"})),
        (json!([good]), json!({"outcome": "cancelled"})),
    ] {
        let (mut talk, _) = begun(json!({}), None);
        let call = json!({"toolCallId": "c", "kind": "execute", "title": "make"});
        let params = json!({"sessionId": "s-1", "toolCall": call, "options": options});
        talk.message(&json!({"id": 7, "method": "session/request_permission", "params": params}));
        let mut text = String::new();
        tell(&mut text, &talk.answer("7", true, ""));
        let once = outcome["optionId"] == "o";
        assert!(text.contains(&json!({"outcome": outcome}).to_string()), "{text}");
        assert_eq!(text.contains("it takes no yes for once"), !once, "{text}");
        // What it was not allowed is not run for it either.
        let create = json!({"sessionId": "s-1", "command": "make"});
        let text = told(&mut talk, &json!({"id": 8, "method": "terminal/create", "params": create}));
        assert!(text.contains(&format!("before: {once}")), "{text}");
    }
}

/// Some agents take a no for the end of their turn.
#[test]
fn acp_agents_may_end_a_turn_in_which_they_were_denied_something() {
    let (mut talk, _) = begun(json!({}), None);
    talk.message(&json!({"id": 7, "method": "terminal/create", "params": {"sessionId": "s-1", "command": "rm"}}));
    talk.answer("7", false, "no");
    let text = told(&mut talk, &json!({"id": 3, "result": {"stopReason": "cancelled"}}));
    assert!(text.contains("ended its turn, since it was denied"), "{text}");
    assert_eq!(talk.outcome(""), Some(Ok(())));
}

/// Whoever answers what was not asked, or twice, is not heard.
#[test]
fn acp_answers_are_taken_once_and_in_order() {
    let opening = opening(Conversation::New("c-1".into()));
    let (mut talk, _) = Talk::open(Protocol::Acp, &opening).unwrap();
    let wrong =
        [json!(3), json!(2), json!(4), json!(0), json!(-1), json!("1"), json!(1.0), json!([1]), json!(u64::MAX)];
    for id in &wrong {
        for message in [
            json!({"id": id, "result": {"stopReason": "end_turn", "sessionId": "s-0"}}),
            json!({"id": id, "error": {"code": -32000, "message": "no"}}),
        ] {
            assert_eq!(told(&mut talk, &message), "", "{message}");
        }
    }
    assert!(told(&mut talk, &json!({"id": 1, "result": {"protocolVersion": 1}})).contains("session/new"));
    assert_eq!(told(&mut talk, &json!({"id": 1, "result": {"protocolVersion": 1}})), "");
    assert!(told(&mut talk, &json!({"id": 2, "result": {"sessionId": "s-1"}})).contains("session/prompt"));
    assert_eq!(told(&mut talk, &json!({"id": 2, "result": {"sessionId": "s-2"}})), "");
    assert_eq!(talk.outcome(""), None);
    assert!(told(&mut talk, &json!({"id": 3, "result": {"stopReason": "end_turn"}})).contains("= close"));
    assert_eq!(told(&mut talk, &json!({"id": 3, "result": {"stopReason": "refusal"}})), "");
    assert_eq!(talk.outcome(""), Some(Ok(())));
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
fn codex_names_the_folder_that_it_asks_for() {
    let asked = |root: serde_json::Value, item: &str| {
        let (mut talk, _) = Talk::open(Protocol::Codex, &opening(Conversation::New("c-1".into()))).unwrap();
        let change = json!({"path": "/worktree/a.txt", "kind": {"type": "add"}, "diff": "one\n"});
        let started = json!({"id": "i", "type": "fileChange", "changes": [change]});
        talk.message(&json!({"method": "item/started", "params": {"item": started}}));
        let params = json!({"itemId": item, "grantRoot": root});
        let effects = talk.message(&json!({"id": 1, "method": "item/fileChange/requestApproval", "params": params}));
        let [Effect::Ask(question)] = &effects[..] else { panic!("{effects:?}") };
        question.clone()
    };
    let plain = asked(json!(null), "i");
    assert_eq!((plain.title.as_str(), plain.subject.as_str(), plain.writes.len()), ("a.txt", "a.txt", 1));
    let root = asked(json!("/home/me"), "i");
    let about = "all that is in \"/home/me\" for the session, and a.txt";
    assert_eq!((root.title.as_str(), root.subject.as_str(), root.writes.len()), (about, about, 0));
    assert_eq!(root.detail, format!("{about}\na.txt\n+one"));
    // What it has not told of is no rule's.
    let unknown = asked(json!(null), "j");
    assert_eq!((unknown.title.as_str(), unknown.subject.as_str()), ("files that it does not name", ""));
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
fn claude_questions_show_all_that_is_asked() {
    let asked = |tool: &str, input: serde_json::Value| {
        let (mut talk, _) = Talk::open(Protocol::Claude, &opening(Conversation::New("c-1".into()))).unwrap();
        let request = json!({"subtype": "can_use_tool", "tool_name": tool, "input": input});
        let effects = talk.message(&json!({"type": "control_request", "request_id": "r", "request": request}));
        let [Effect::Ask(question)] = &effects[..] else { panic!("{effects:?}") };
        let shown = if question.detail.is_empty() { &question.title } else { &question.detail };
        (shown.clone(), question.subject.clone())
    };
    let both = |text: &str| (text.to_owned(), text.to_owned());
    let plain = json!({"command": "make", "description": "makes", "timeout": 5, "dangerouslyDisableSandbox": false});
    assert_eq!(asked("Bash", plain), both("make"));
    let (shown, subject) = asked("Bash", json!({"command": "make", "dangerouslyDisableSandbox": true}));
    assert_eq!(shown, "make\n{\n  \"dangerouslyDisableSandbox\": true\n}");
    assert_eq!(subject, "make\n{\"dangerouslyDisableSandbox\":true}");
    let (shown, subject) = asked("mcp__shell__run", json!({"command": "ls", "host": "prod"}));
    assert!(shown.contains("\"ls\"") && shown.contains("\"prod\""), "{shown}");
    assert_eq!(subject, r#"{"command":"ls","host":"prod"}"#);
    let (shown, subject) = asked("mcp__disk__put", json!({"file_path": "/worktree/a", "content": "x", "mode": "7777"}));
    assert!(shown.contains("7777") && subject.contains("7777"), "{shown} {subject}");
    let edit = json!({"file_path": "/worktree/a", "old_string": "x", "new_string": "y", "replace_all": false});
    assert_eq!(asked("Edit", edit.clone()), ("a\n-x\n+y".to_owned(), "a".to_owned()));
    let mut all = edit;
    all["replace_all"] = json!(true);
    assert_eq!(asked("Edit", all.clone()).1, "a");
    assert!(asked("Edit", all).0.contains("replace_all"));
    // What Bash is given beside a command is not taken for a file.
    assert_eq!(asked("Bash", json!({"file_path": "a", "content": "x"})).1, r#"{"content":"x","file_path":"a"}"#);
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
    let dies = said_in_between(Protocol::Claude, &[(Some("a little late"), result)]);
    assert!(dies.contains("\nNone\n"), "how the turn that it began went is not known: {dies}");
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
