//! `tools/list`, `tools/call`.

mod catalogue;
pub(crate) mod content;
mod inquiring;
mod working;

use mcp_verdict_wire::Revision;
use serde_json::{Map, Value, json};

use super::{
    arguments,
    call::{Call, Stop},
    paging::page,
    rpc::Refusal,
};
use catalogue::{EXTRA, TOOLS, Tool};

/// Small enough for two pages in every revision.
const PAGE_SIZE: usize = 12;

/// `tools/list`.
pub(crate) fn list(call: &Call) -> Result<Value, Refusal> {
    let mut items: Vec<_> = TOOLS
        .iter()
        .filter(|tool| tool.is_in(call.revision))
        .map(|tool| tool.shown(call.revision))
        .collect();
    if call.core.changes().extra_tool {
        items.push(EXTRA.shown(call.revision));
    }
    page(&call.params, "tools", items, PAGE_SIZE)
}

/// `tools/call`.
pub(crate) async fn call(call: &Call) -> Result<Value, Stop> {
    let name = call.text("name")?;
    let arguments = call.arguments()?;
    let tool =
        find(call, name).ok_or_else(|| Refusal::invalid_params(format!("Unknown tool: {name}")))?;
    if let Err(why) = arguments::check(&(tool.input)(), &Value::Object(arguments.clone())) {
        let message = format!("Invalid arguments for {name}: {why}");
        // Since 2025-11-25 they are the tool's business, so that a model can mend them.
        if call.revision >= Revision::V2025_11_25 {
            return Ok(content::failure(message));
        }
        return Err(Refusal::invalid_params(message).into());
    }
    match run(call, name, &arguments).await {
        Err(Stop::Tool(message)) => Ok(content::failure(message)),
        outcome => outcome,
    }
}

async fn run(call: &Call, name: &str, arguments: &Map<String, Value>) -> Result<Value, Stop> {
    if let Some(outcome) = content::run(name, arguments) {
        return outcome;
    }
    if let Some(result) = working::run(call, name, arguments).await {
        return Ok(result);
    }
    inquiring::run(call, name, arguments).await
}

fn find(call: &Call, name: &str) -> Option<&'static Tool> {
    if name == EXTRA.name && call.core.changes().extra_tool {
        return Some(&EXTRA);
    }
    TOOLS
        .iter()
        .find(|tool| tool.name == name && tool.is_in(call.revision))
}

/// The parameters of a tool that are mirrored in headers: the header's suffix, and the pointer to the
/// value in the arguments.
pub(crate) fn mirrored(tool: &str) -> Vec<(String, String)> {
    let Some(tool) = TOOLS.iter().find(|known| known.name == tool) else {
        return Vec::new();
    };
    let schema = (tool.input)();
    let properties = schema.get("properties").and_then(Value::as_object);
    let marked = properties
        .into_iter()
        .flatten()
        .filter_map(|(name, property)| {
            let header = property.get("x-mcp-header")?.as_str()?;
            Some((header.to_owned(), format!("/{name}")))
        });
    marked.collect()
}

impl Tool {
    fn is_in(&self, revision: Revision) -> bool {
        revision >= self.since
    }

    /// The tool as this revision shows it.
    fn shown(&self, revision: Revision) -> Value {
        let mut shown = json!({"name": self.name, "inputSchema": (self.input)()});
        if let Some(description) = self.description {
            shown["description"] = json!(description);
        }
        if revision >= Revision::V2025_03_26 {
            shown["annotations"] = json!({"readOnlyHint": self.read_only, "openWorldHint": false});
        }
        if revision >= Revision::V2025_11_25 && self.name == "test_image_content" {
            let source = format!("data:image/png;base64,{}", content::PNG);
            shown["icons"] = json!([{"src": source, "mimeType": "image/png", "sizes": ["1x1"]}]);
        }
        if revision >= Revision::V2025_06_18 {
            if let Some(description) = self.description {
                shown["title"] = json!(description);
            }
            if let Some(output) = self.output {
                shown["outputSchema"] = output();
            }
        }
        shown
    }
}
