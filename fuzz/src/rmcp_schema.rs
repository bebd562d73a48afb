//! Our schemas against `rmcp`'s types.

use mcp_verdict_engine::schema::Validator;
use mcp_verdict_wire::{Revision, message::Lenient};
use rmcp::model;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::json::has_private_marker;

/// What is sound by our schemas can be read as rmcp's type of the same name. It has one type for all revisions,
/// so that what is free in an earlier one must be as a later one wants it.
pub fn rmcp_schema(bytes: &[u8]) {
    if has_private_marker(bytes) {
        return;
    }
    let Ok(Lenient { value, .. }) = Lenient::parse(bytes) else {
        return;
    };
    for (name, read) in TYPES {
        let verdicts = REVISIONS.map(|revision| Validator::of(revision).validate(name, &value));
        let mut defined = verdicts.iter().flatten().peekable();
        let sound = defined.peek().is_some() && defined.all(Vec::is_empty);
        if sound && let Err(error) = read(&value) {
            assert!(is_known(name, &value), "{name}: {error}: {value}");
        }
    }
}

/// The last revision of each era.
const REVISIONS: [Revision; 2] = [Revision::V2025_11_25, Revision::V2026_07_28];

type Read = fn(&Value) -> Result<(), serde_json::Error>;

fn read<T: DeserializeOwned>(value: &Value) -> Result<(), serde_json::Error> {
    serde_json::from_value::<T>(value.clone()).map(drop)
}

#[expect(deprecated, reason = "earlier revisions have them")]
/// Definitions that are a type of the same meaning there.
const TYPES: [(&str, Read); 18] = [
    ("CallToolResult", read::<model::CallToolResult>),
    ("ClientCapabilities", read::<model::ClientCapabilities>),
    ("CompleteResult", read::<model::CompleteResult>),
    ("CreateMessageResult", read::<model::CreateMessageResult>),
    ("ElicitResult", read::<model::ElicitResult>),
    ("GetPromptResult", read::<model::GetPromptResult>),
    ("Implementation", read::<model::Implementation>),
    ("InitializeResult", read::<model::InitializeResult>),
    ("ListPromptsResult", read::<model::ListPromptsResult>),
    ("ListResourcesResult", read::<model::ListResourcesResult>),
    ("ListRootsResult", read::<model::ListRootsResult>),
    ("ListToolsResult", read::<model::ListToolsResult>),
    ("Prompt", read::<model::Prompt>),
    ("ReadResourceResult", read::<model::ReadResourceResult>),
    ("Resource", read::<model::Resource>),
    ("ServerCapabilities", read::<model::ServerCapabilities>),
    ("Tool", read::<model::Tool>),
    ("ToolAnnotations", read::<model::ToolAnnotations>),
];

/// Known: a type of result that rmcp has another type for, or none, and an integer that its types have no room for.
fn is_known(name: &str, value: &Value) -> bool {
    let kind = value.get("resultType").and_then(Value::as_str);
    let is_other_result = name == "CallToolResult" && kind.is_some_and(|kind| kind != "complete");
    is_other_result || has_integer_beyond(value)
}

/// Whether there is a size or a time beyond 64 bits without a sign, or a total beyond 32.
fn has_integer_beyond(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_integer_beyond),
        Value::Object(members) => members.iter().any(|(name, member)| match &**name {
            "size" | "ttlMs" if member.is_number() => member.as_u64().is_none(),
            "total" if member.is_number() => {
                member.as_u64().is_none_or(|total| total > u32::MAX.into())
            }
            _ => has_integer_beyond(member),
        }),
        _ => false,
    }
}
