//! An agent made with the protocol's own SDK (`tests/agents/sdk.py`): what callboard says and answers is what that one takes for the
//! Agent Client Protocol.

use std::fs;

use callboard::model::{AgentReport, Data, EventKind, IntentAction, PlanState, SessionId, Status};

use super::{
    lab::{Lab, Shape},
    real::bin,
};

struct Sdk {
    lab: Lab,
}

impl Sdk {
    /// `None`: the SDK is not installed. `more` are variables of the agent.
    fn new(permissions: &str, more: &str) -> Option<Self> {
        let python = bin("acp-python")?.join("acp-python");
        let lab = Lab::with(Shape { trust: false, ..Shape::default() });
        let root = &lab.root;
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents/sdk.py");
        let table = format!(
            "protocol = \"acp\"\ncommand = [\"{python}\", \"{program}\"]\nmode = \"go\"\npermissions = \"{permissions}\"\n\
             env = {{ STATE = \"{root}/state\", PROBLEMS = \"{root}/problems\", EXPECT = \"{permissions}\"{more} }}\n"
        );
        fs::create_dir(root.join("state")).unwrap();
        lab.configure(&Shape { agent: Some(table), ..Shape::default() });
        lab.write("project/tests/alpha.t", "has-one one\nhas-two two\n");
        lab.git(&["add", "--all"]);
        lab.git(&["commit", "--quiet", "--message", "tests"]);
        lab.ok(&["trust", "--yes"]);
        Some(Self { lab })
    }

    fn events(&self, id: SessionId, seq: u32) -> Vec<EventKind> {
        let events = self.lab.events(id).into_iter().filter(|event| event.interaction == seq);
        events.map(|event| event.kind).collect()
    }

    fn report(&self, id: SessionId, at: usize) -> AgentReport {
        let Some(Data::Agent(report)) = self.lab.history(id)[at].result.clone().unwrap().data else { panic!() };
        report
    }

    /// A session over a fix, in one conversation.
    fn comes_to_its_end(&self) -> SessionId {
        let lab = &self.lab;
        lab.engine();
        // In this mode nobody is asked.
        let id = lab.session_with("component_coding", "Alpha", &["--mode", "agentic"]);
        lab.completes(id);
        assert_eq!(lab.read("problems"), "", "{:?}", self.events(id, 2));
        let steps =
            ["initialize", "generate_implementation", "run_tests:failed", "fix_test_failures", "run_tests", "finalize"];
        assert_eq!(lab.steps(id), steps);
        assert_eq!(self.report(id, 1).conversation_id, self.report(id, 3).conversation_id);
        lab.nobody_left();
        id
    }
}

fn tool(tool: &str, title: &str) -> EventKind {
    EventKind::ToolCall { tool: tool.into(), title: title.into() }
}

fn end(tool: &str, ok: bool, text: &str) -> EventKind {
    EventKind::ToolEnd { tool: tool.into(), ok, text: text.into() }
}

#[test]
fn all_of_the_protocol_is_taken_by_its_own_sdk() {
    let Some(sdk) = Sdk::new("allow", "") else { return };
    let id = sdk.comes_to_its_end();
    let events = sdk.events(id, 2);
    let text = |pick: fn(&EventKind) -> Option<&String>| events.iter().filter_map(pick).cloned().collect::<String>();
    let said = text(|kind| if let EventKind::AgentText { text } = kind { Some(text) } else { None });
    assert_eq!(said, "I read the readme.\nHalf of it is written.\n");
    let thought = text(|kind| if let EventKind::AgentThought { text } = kind { Some(text) } else { None });
    assert_eq!(thought, "Let me see.\n");
    let printed = text(|kind| if let EventKind::Output { text, .. } = kind { Some(text) } else { None });
    assert!(printed.contains("one\nme\n") && printed.contains("begun\n") && printed.contains("öü\n"), "{printed}");

    let plan = |kind: &EventKind| matches!(kind, EventKind::Plan { items } if items.len() == 3 && items[1].state == PlanState::Active);
    assert!(events.iter().any(plan), "{events:?}");
    for wanted in [
        EventKind::FileEdit { path: "src/shop/alpha.txt".into(), diff: "+one\n".into() },
        EventKind::Note { text: "The agent is in the mode go (Go on).".into() },
        EventKind::Note { text: "The agent is in the mode ask.".into() },
        tool("execute", "make all"),
        end("execute", true, "made"),
        tool("terminal", "cd src/shop && WHO=me sh -c 'cat alpha.txt; echo $WHO; exit 3'"),
        end("terminal", false, "exit code 3"),
        tool("execute", "Look at it"),
        end("execute", false, "exit code 3"),
        end("terminal", false, "ended"),
    ] {
        assert!(events.contains(&wanted), "{wanted:?}: {events:?}");
    }
    let usage = |at| sdk.report(id, at).usage.unwrap();
    assert_eq!((usage(1).input_tokens, usage(1).cached_tokens, usage(1).output_tokens), (100, 40, 30));
    // What the whole conversation has cost, less what it had cost before.
    assert_eq!((usage(1).cost_microdollars, usage(3).cost_microdollars), (Some(250_000), Some(500_000)));
    let EventKind::AgentText { text } = &sdk.events(id, 4)[3] else { panic!("{:?}", sdk.events(id, 4)) };
    assert_eq!(text, "I go on.\n", "the history is not told again");
}

#[test]
fn what_nobody_allows_is_refused_as_the_sdk_knows_it() {
    let Some(sdk) = Sdk::new("deny", ", RETURN = \"resume\"") else { return };
    let id = sdk.comes_to_its_end();
    let told = |kind: &EventKind| match kind {
        EventKind::Permission { tool, allowed, .. } => Some((tool.clone(), *allowed)),
        _ => None,
    };
    let told: Vec<(String, bool)> = sdk.events(id, 2).iter().filter_map(told).collect();
    assert_eq!(told, [("edit".into(), true), ("execute".into(), false), ("terminal".into(), false)]);
}

#[test]
fn a_cancelled_turn_is_told_as_the_sdk_knows_it() {
    let Some(sdk) = Sdk::new("deny", ", WAIT = \"1\"") else { return };
    let lab = &sdk.lab;
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.wait("it waits", |_| lab.root.join("state/waiting").exists());
    lab.done(id, IntentAction::Cancel);
    lab.nobody_left();
    assert!(lab.root.join("state/cancelled").exists(), "{}", lab.story());
    assert_eq!((lab.get(id).status, lab.read("problems")), (Status::Cancelled, String::new()));
}
