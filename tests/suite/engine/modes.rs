//! The mode in which an agent works: named in its table, taken before the prompt, seen when it changes.

use callboard::model::{HaltReason, IntentAction, StepResult};

use super::fake::Fake;

const MODES: &str = r#"made='{"sessionId":"s-1","modes":{"currentModeId":"auto","availableModes":[{"id":"auto","name":"Auto"},{"id":"ask","name":"Ask first"}]}}'"#;

fn fake(mode: &str, act: &str) -> Fake {
    let fake = Fake::new(&format!("mode = \"{mode}\""), act);
    fake.lab.act("hello", MODES);
    fake
}

#[test]
fn an_agent_is_put_into_its_mode_and_is_seen_to_leave_it() {
    let act = r#"send '{"jsonrpc":"2.0","id":4,"result":{}}'; hear
        send '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s-1","update":{"sessionUpdate":"current_mode_update","currentModeId":"auto"}}}'
        writes"#;
    let fake = fake("ask", act);
    fake.lab.engine();
    let id = fake.session("agentic");
    fake.lab.completes(id);
    let heard = fake.lab.read("heard");
    let methods: Vec<&str> =
        heard.lines().filter_map(|line| line.split("\"method\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(methods, ["initialize", "session/new", "session/set_mode", "session/prompt"]);
    let notes = fake.notes(id);
    let modes: Vec<&String> = notes.iter().filter(|note| note.contains("mode")).collect();
    let wanted = ["auto.", "ask (Ask first).", "auto."].map(|mode| format!("The agent is in the mode {mode}"));
    assert_eq!(modes, wanted.iter().collect::<Vec<_>>());
}

#[test]
fn a_mode_that_there_is_not_stops_the_session_and_names_those_that_there_are() {
    let fake = fake("yolo", "exit 9");
    let lab = &fake.lab;
    lab.engine();
    let id = fake.session("agentic");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    let wanted = r#"the agent has no mode "yolo"; it has "auto", "ask": name one of them as `mode` in its table"#;
    assert!(halt.message.contains(wanted), "{}", halt.message);
    let result: StepResult = lab.history(id)[1].result.clone().unwrap();
    assert_eq!(result.error_message.as_deref(), Some(wanted));
    // Once the agent has it, the session goes on.
    lab.act("hello", &MODES.replace("\"id\":\"ask\"", "\"id\":\"yolo\""));
    lab.act("acp", r#"send '{"jsonrpc":"2.0","id":4,"result":{}}'; hear; writes"#);
    lab.done(id, IntentAction::Retry);
    lab.completes(id);
}

/// What callboard wants of an agent that it knows is no wish: in another mode it might ask nobody.
#[test]
fn a_known_agent_that_has_lost_its_mode_stops_until_another_one_is_named() {
    let fake = Fake::new("", "exit 9");
    let lab = &fake.lab;
    let config = lab.read("project/callboard.toml").replace("protocol = \"acp\"", "preset = \"qwen\"");
    lab.write("project/callboard.toml", &config);
    lab.ok(&["trust", "--yes"]);
    lab.act("hello", MODES);
    lab.engine();
    let id = fake.session("agentic");
    let halt = lab.halt_of(id);
    assert_eq!(halt.reason, HaltReason::AgentUnavailable);
    let wanted = r#"the agent has no mode "default"; it has "auto", "ask": name one of them as `mode` in its table"#;
    assert!(halt.message.contains(wanted), "{}", halt.message);
    assert!(!lab.read("heard").contains("session/prompt"));
}
