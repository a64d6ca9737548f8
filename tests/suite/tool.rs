//! The sessions tool with the real program: by a shell script, by an MCP client, by the script agent, and by whoever means ill.

mod asked;
mod client;
mod confined;
mod hostile;
mod line;
mod real;
mod shell;

use callboard::{
    model::{EventKind, Origin, SessionId, Status, Step},
    tool::TOOLS,
};
use rmcp::{
    RoleClient, ServiceExt as _,
    model::{CallToolRequestParams, CallToolResult, JsonObject},
    service::RunningService,
    transport::TokioChildProcess,
};
use serde_json::Value;

use super::integration::{Shop, until};

/// The integration session's agent begins to mend and does not end.
const HANGS: &str = r#"
[[turn]]
step = "fix_integration_test_failures"
hang = true
"#;

/// A session whose agent is at work in the step that mends, as its client sees it. Its engine ends with it.
struct Live {
    run: std::process::Child,
}

impl Live {
    fn new(shop: &Shop, id: SessionId) -> Self {
        let run = shop.start(id);
        let live = Self { run };
        let row = || shop.store().board_row(id).unwrap();
        until("it mends", || row().step == Some(Step::FixIntegrationTestFailures) && row().is_running());
        live
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.run.kill().unwrap();
        self.run.wait().unwrap();
    }
}

/// An MCP client of a session's tool.
struct Client {
    runtime: tokio::runtime::Runtime,
    service: Option<RunningService<RoleClient, ()>>,
}

impl Client {
    fn new(shop: &Shop, id: SessionId) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let command = shop.callboard(&["mcp", "--session", &id.to_string()]);
        let service = runtime.block_on(async {
            let transport = TokioChildProcess::new(tokio::process::Command::from(command)).unwrap();
            ().serve(transport).await.unwrap()
        });
        Self { runtime, service: Some(service) }
    }

    fn names(&self) -> Vec<String> {
        let tools = self.runtime.block_on(self.service.as_ref().unwrap().list_all_tools()).unwrap();
        tools.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    fn try_call(&self, name: &str, arguments: Value) -> Result<CallToolResult, String> {
        let arguments: JsonObject = serde_json::from_value(arguments).unwrap();
        let request = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        let answer = self.runtime.block_on(self.service.as_ref().unwrap().call_tool(request));
        answer.map_err(|error| error.to_string())
    }

    /// What a tool answers.
    fn call(&self, name: &str, arguments: Value) -> Value {
        let result = self.try_call(name, arguments).unwrap();
        assert_ne!(result.is_error, Some(true), "{name}: {result:?}");
        result.structured_content.unwrap()
    }

    /// Why a tool refuses.
    fn refused(&self, name: &str, arguments: Value) -> String {
        let result = self.try_call(name, arguments).unwrap();
        assert_eq!(result.is_error, Some(true), "{name}: {result:?}");
        serde_json::to_value(&result.content).unwrap()[0]["text"].as_str().unwrap().to_owned()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            self.runtime.block_on(service.cancel()).map(drop).unwrap_or_default();
        }
    }
}

/// The tools that were called in a session, in order.
fn called(shop: &Shop, id: SessionId) -> Vec<String> {
    let events = shop.store().events(id, 0, 10_000).unwrap();
    let tool = |kind| if let EventKind::ToolCall { tool, .. } = kind { Some(tool) } else { None };
    events.into_iter().filter_map(|event| tool(event.kind)).collect()
}

/// Cart's session was woken by this one, told what it asks for, and what it did was merged.
fn cart_was_woken_by(shop: &Shop, id: SessionId) {
    let (store, cart) = (shop.store(), shop.coding("Cart"));
    let woken = store.session(cart).unwrap();
    assert_eq!((woken.status, woken.generation), (Status::Complete, 2));
    assert_eq!(store.generations(cart).unwrap()[1].origin, Origin::Session { id });
    let told = shop.prompt(cart, Step::FixTestFailures, 1);
    assert!(told.contains("It weighs nothing.") && told.contains("Add a weight."), "{told}");
    let branch = store.session(id).unwrap().branch.unwrap();
    assert_eq!(shop.git(&["show", &format!("{branch}:src/orders/cart.txt")]), "price\nweight\n", "it was merged");
}

#[test]
fn every_name_is_one_tool() {
    let mut names: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), TOOLS.len());
}
