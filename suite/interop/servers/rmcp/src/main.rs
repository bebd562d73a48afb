//! A server and a client on the Rust SDK, for the interop runs.
//!
//! `interop-rmcp stdio`, `interop-rmcp http PORT`, `interop-rmcp client legacy|modern URL`

use std::{error::Error, sync::Arc, time::Duration};

use rmcp::{
    ClientLifecycleMode, ClientServiceExt, ErrorData, Json, RoleServer, ServerHandler, ServiceExt,
    handler::server::wrapper::Parameters,
    model::{
        CallToolRequestParams, CallToolResult, ContentBlock, Implementation, ListResourcesResult,
        PaginatedRequestParams, PromptMessage, ProtocolVersion, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, Resource, ResourceContents, Role,
        ServerCapabilities, ServerConfig,
    },
    prompt, prompt_handler, prompt_router,
    schemars::JsonSchema,
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::{
        StreamableHttpClientTransport,
        streamable_http_server::{
            StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
        },
    },
};
use serde::{Deserialize, Serialize};

type Failure = Box<dyn Error + Send + Sync>;

#[derive(Deserialize, JsonSchema)]
struct Text {
    text: String,
}

#[derive(Deserialize, JsonSchema)]
struct Summands {
    a: i64,
    b: i64,
}

#[derive(Serialize, JsonSchema)]
struct Sum {
    sum: i64,
}

#[derive(Deserialize, JsonSchema)]
struct Duty {
    ms: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Person {
    name: String,
}

#[derive(Clone)]
struct Interop;

#[tool_router]
impl Interop {
    /// Gives its text back.
    #[tool]
    async fn echo(&self, Parameters(given): Parameters<Text>) -> String {
        given.text
    }

    /// Adds two integers, and says so in structured content.
    #[tool]
    async fn add(&self, Parameters(given): Parameters<Summands>) -> Json<Sum> {
        Json(Sum { sum: given.a.wrapping_add(given.b) })
    }

    /// Always ends in a tool error.
    #[tool]
    async fn fail(&self) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::error(vec![ContentBlock::text("this tool always fails")]))
    }

    /// Takes its time.
    #[tool]
    async fn slow(&self, Parameters(given): Parameters<Duty>) -> String {
        tokio::time::sleep(Duration::from_millis(given.ms.min(60_000))).await;
        "finished".to_owned()
    }
}

#[prompt_router]
impl Interop {
    /// Asks for a greeting.
    #[prompt]
    async fn greet(&self, Parameters(given): Parameters<Person>) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(Role::User, format!("Greet {}.", given.name))]
    }
}

#[tool_handler]
#[prompt_handler]
impl ServerHandler for Interop {
    fn get_info(&self) -> ServerConfig {
        let capabilities =
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("interop-rmcp", "0.1.0"))
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let note = Resource::new("demo://note", "note").with_mime_type("text/plain");
        Ok(ListResourcesResult { resources: vec![note], ..Default::default() })
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if request.uri == "demo://note" {
            let contents = ResourceContents::text("a note", "demo://note");
            return Ok(ReadResourceResult::new(vec![contents]).into());
        }
        Err(ErrorData::resource_not_found(format!("there is no {}", request.uri), None))
    }
}

async fn serve_http(port: u16) -> Result<(), Failure> {
    let service: StreamableHttpService<Interop, LocalSessionManager> = StreamableHttpService::new(
        || Ok(Interop),
        Arc::default(),
        StreamableHttpServerConfig::default(),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}

/// Connects, lists the tools, calls `echo`, and leaves.
async fn visit(era: &str, url: &str) -> Result<(), Failure> {
    let lifecycle = match era {
        "legacy" => ClientLifecycleMode::Initialize,
        "modern" => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
        other => return Err(format!("no era `{other}`").into()),
    };
    let transport = StreamableHttpClientTransport::from_uri(url.to_owned());
    let client = ().serve_with_lifecycle(transport, lifecycle).await?;
    let tools = client.list_all_tools().await?;
    let mut arguments = serde_json::Map::new();
    arguments.insert("text".into(), "hello".into());
    let call = CallToolRequestParams::new("echo").with_arguments(arguments);
    let result = client.call_tool(call).await?;
    println!("{} tools; echo: {}", tools.len(), serde_json::to_string(&result)?);
    client.cancel().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stdio"] => {
            Interop.serve(rmcp::transport::stdio()).await?.waiting().await?;
            Ok(())
        }
        ["http", port] => serve_http(port.parse()?).await,
        ["client", era, url] => visit(era, url).await,
        _ => Err("usage: interop-rmcp stdio | http PORT | client legacy|modern URL".into()),
    }
}
