//! The protobuf binding `model_context_protocol.Mcp`: requests and results of JSON-RPC as messages of protobuf,
//! and back. What the binding cannot carry is refused on the way out, never dropped.

mod content;
mod from_json;
mod lists;
mod structs;
mod to_json;

use std::fmt;

use prost::Message as _;
use serde_json::{Map, Value, json};

use crate::Era;

use from_json::Members;

/// The messages of the binding, generated from `proto/model_context_protocol/mcp.proto`.
#[expect(unreachable_pub, reason = "generated")]
mod proto {
    include!("generated.rs.in");
}

/// One of the eight calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// `tools/call`.
    CallTool,
    /// `completion/complete`.
    Complete,
    /// `prompts/get`.
    GetPrompt,
    /// `prompts/list`.
    ListPrompts,
    /// `resources/list`.
    ListResources,
    /// `resources/templates/list`.
    ListResourceTemplates,
    /// `tools/list`.
    ListTools,
    /// `resources/read`.
    ReadResource,
}

/// Why something cannot be said in the binding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unmapped(pub String);

impl Unmapped {
    fn new(at: &str, why: impl fmt::Display) -> Self {
        Self(format!("{at}: {why}"))
    }
}

impl Call {
    /// Every call.
    pub const ALL: [Self; 8] = [
        Self::CallTool,
        Self::Complete,
        Self::GetPrompt,
        Self::ListPrompts,
        Self::ListResources,
        Self::ListResourceTemplates,
        Self::ListTools,
        Self::ReadResource,
    ];

    /// The method of JSON-RPC that it stands for.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::CallTool => "tools/call",
            Self::Complete => "completion/complete",
            Self::GetPrompt => "prompts/get",
            Self::ListPrompts => "prompts/list",
            Self::ListResources => "resources/list",
            Self::ListResourceTemplates => "resources/templates/list",
            Self::ListTools => "tools/list",
            Self::ReadResource => "resources/read",
        }
    }

    /// Its path.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::CallTool => "/model_context_protocol.Mcp/CallTool",
            Self::Complete => "/model_context_protocol.Mcp/Complete",
            Self::GetPrompt => "/model_context_protocol.Mcp/GetPrompt",
            Self::ListPrompts => "/model_context_protocol.Mcp/ListPrompts",
            Self::ListResources => "/model_context_protocol.Mcp/ListResources",
            Self::ListResourceTemplates => "/model_context_protocol.Mcp/ListResourceTemplates",
            Self::ListTools => "/model_context_protocol.Mcp/ListTools",
            Self::ReadResource => "/model_context_protocol.Mcp/ReadResource",
        }
    }

    /// The call that stands for a method.
    #[must_use]
    pub fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.method() == method)
    }

    /// The call at a path.
    #[must_use]
    pub fn at_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.path() == path)
    }
}

/// A request of JSON-RPC as a call and its message.
///
/// # Errors
/// When there is no call for it, or its message has no room for all that the request says.
pub fn request(message: &Value) -> Result<(Call, Vec<u8>), Unmapped> {
    let mut members = Members::of(message.clone(), "the message")?;
    let method = members.text("method")?;
    let call = Call::of_method(&method)
        .ok_or_else(|| Unmapped(format!("there is no call for `{method}`")))?;
    if members.take("id").is_none_or(|id| id.is_null()) {
        return Err(Unmapped("a call is a request, with an id".to_owned()));
    }
    if members.take("jsonrpc") != Some(json!("2.0")) {
        return Err(Unmapped(
            "a call has no room for another `jsonrpc`".to_owned(),
        ));
    }
    let params = match members.take("params") {
        None => Value::Object(Map::new()),
        Some(params) => params,
    };
    members.done()?;
    let mut params = Members::of(params, "params")?;
    let common = params.request_fields()?;
    let bytes = encode_request(call, &mut params, common)?;
    params.done()?;
    Ok((call, bytes))
}

/// The params of the request that a call's message stands for.
///
/// # Errors
/// When the bytes are no such message.
pub fn params(call: Call, bytes: &[u8]) -> Result<Value, prost::DecodeError> {
    to_json::params(call, bytes)
}

/// A result of JSON-RPC as the message of a call's response. What the binding has no room for is left out.
///
/// # Errors
/// When a member is of another type than the binding has.
pub fn response(call: Call, result: &Value) -> Result<Vec<u8>, Unmapped> {
    let mut result = Members::of(result.clone(), "result")?;
    lists::encode_response(call, &mut result)
}

/// The result that the message of a call's response stands for.
///
/// # Errors
/// When the bytes are no such message.
pub fn result(call: Call, bytes: &[u8], era: Era) -> Result<Value, prost::DecodeError> {
    to_json::result(call, bytes, era)
}

fn encode_request(
    call: Call,
    params: &mut Members,
    common: Option<proto::RequestFields>,
) -> Result<Vec<u8>, Unmapped> {
    Ok(match call {
        Call::ListTools => proto::ListToolsRequest { common }.encode_to_vec(),
        Call::ListPrompts => proto::ListPromptsRequest { common }.encode_to_vec(),
        Call::ListResources => proto::ListResourcesRequest { common }.encode_to_vec(),
        Call::ListResourceTemplates => {
            proto::ListResourceTemplatesRequest { common }.encode_to_vec()
        }
        Call::ReadResource => {
            let uri = params.required_text("uri")?;
            proto::ReadResourceRequest { common, uri }.encode_to_vec()
        }
        Call::GetPrompt => proto::GetPromptRequest {
            common,
            name: params.required_text("name")?,
            arguments: params.texts("arguments")?,
        }
        .encode_to_vec(),
        Call::CallTool => {
            let request = proto::call_tool_request::Request {
                name: params.required_text("name")?,
                arguments: params.structure("arguments")?,
            };
            proto::CallToolRequest {
                common,
                request: Some(request),
            }
            .encode_to_vec()
        }
        Call::Complete => content::completion(params, common)?.encode_to_vec(),
    })
}

#[cfg(test)]
mod tests;
