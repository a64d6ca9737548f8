//! `mcp`: the sessions tool as an MCP server on standard input and output. One table says what there is; here it only gets
//! its wire.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt as _,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
    },
    service::RequestContext,
    transport::io::stdio_pipes,
};
use tokio::sync::Semaphore;

use crate::tool::{self, Reply};

use super::{
    args::{Global, Mcp},
    error::CliError,
    tool::Way,
};

/// So many calls are carried out at once.
const AT_ONCE: usize = 4;

const ABOUT: &str = "callboard's sessions: what the other sessions of this project do, what failed, what must hold; and, where your \
    step may, waking the session that made a component. Everything is about the project of your own session.";

pub(super) fn mcp(global: &Global, args: &Mcp) -> Result<u8, CliError> {
    let way = Way::find(global, &args.caller)?;
    let server = Server { way: Arc::new(way), calls: Arc::new(Semaphore::new(AT_ONCE)) };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))?;
    let ended = runtime.block_on(serve(server));
    // A call that still waits for the engine has nobody to tell any more.
    runtime.shutdown_background();
    ended.map(|()| 0)
}

async fn serve(server: Server) -> Result<(), CliError> {
    // Lines of more than 16 MiB are dropped on the way in.
    match server.serve(stdio_pipes()).await {
        Ok(running) => running.waiting().await.map(drop).map_err(|error| CliError::Failed(error.to_string())),
        // Whoever closes the line before a word was said wants nothing.
        Err(rmcp::service::ServerInitializeError::ConnectionClosed(_)) => Ok(()),
        Err(error) => Err(CliError::Failed(format!("the client does not begin as MCP wants it: {error}"))),
    }
}

/// The server of one session's agent.
#[derive(Clone)]
struct Server {
    way: Arc<Way>,
    calls: Arc<Semaphore>,
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("callboard", env!("CARGO_PKG_VERSION")))
            .with_instructions(ABOUT)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tool::TOOLS.iter().map(described).collect()))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tool::find(name).map(described)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let Some(tool) = tool::find(&request.name) else {
            return Err(ErrorData::invalid_params(tool::unknown(&request.name), None));
        };
        let failed = |message: String| ErrorData::internal_error(message, None);
        let _turn = self.calls.acquire().await.map_err(|error| failed(error.to_string()))?;
        let way = Arc::clone(&self.way);
        let arguments = request.arguments.unwrap_or_default();
        let called = tokio::task::spawn_blocking(move || way.call(tool, arguments)).await;
        let reply = called.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        Ok(match reply {
            Reply::Done(value) => CallToolResult::structured(value),
            Reply::Refused(why) => CallToolResult::error(vec![ContentBlock::text(why)]),
        }
        .into())
    }
}

fn described(tool: &tool::Tool) -> Tool {
    let annotations = ToolAnnotations::new().read_only(tool.steps.is_none()).destructive(false).open_world(false);
    Tool::new(tool.name, tool.about, Arc::new(tool::schema(tool))).with_annotations(annotations)
}
