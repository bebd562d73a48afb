//! The tools as data. Those that start with `test_` and `json_schema_` are the fixtures that the
//! official conformance runner looks for, or named in their manner.

use mcp_verdict_wire::Revision;
use serde_json::{Value, json};

/// A tool, as far as it is data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    /// Its name.
    pub(super) name: &'static str,
    /// What it does.
    pub(super) description: Option<&'static str>,
    /// Its input schema.
    pub(super) input: fn() -> Value,
    /// Its output schema.
    pub(super) output: Option<fn() -> Value>,
    /// Whether calling it changes nothing.
    pub(super) read_only: bool,
    /// The first revision that has what it shows.
    pub(super) since: Revision,
}

/// The tool that comes and goes.
pub(super) const EXTRA: Tool = tool("test_extra_tool", "Comes and goes");

/// Those that are always there, in the order of the list. The official runner reads the first page
/// only, so what it looks up there comes first.
pub(super) const TOOLS: &[Tool] = &[
    tool("test_simple_text", "Returns a text"),
    tool(
        "json_schema_2020_12_tool",
        "Tool with JSON Schema 2020-12 features",
    )
    .input(modern_keywords),
    tool("test_header_parameter", "Mirrors its parameters in headers")
        .input(header_parameters)
        .since(MODERN),
    tool("test_missing_capability", "Needs a client that can sample").since(MODERN),
    tool(
        "test_streaming_elicitation",
        "Reports progress, then asks the user",
    )
    .since(MODERN),
    tool("test_logging_tool", "Logs while it works").since(MODERN),
    tool("test_image_content", "Returns an image"),
    tool("test_audio_content", "Returns a sound").since(Revision::V2025_03_26),
    tool("test_embedded_resource", "Returns a resource"),
    tool(
        "test_multiple_content_types",
        "Returns a text, an image and a resource",
    ),
    tool("test_tool_with_logging", "Logs three times while it works"),
    tool("test_tool_with_progress", "Reports progress three times"),
    tool("test_error_handling", "Fails"),
    tool("test_sampling", "Asks the client's model").input(prompt),
    tool("test_elicitation", "Asks the user")
        .input(message)
        .since(Revision::V2025_06_18),
    tool(
        "test_elicitation_sep1034_defaults",
        "Asks the user, with defaults",
    )
    .since(Revision::V2025_11_25),
    tool("test_elicitation_sep1330_enums", "Asks the user to choose").since(Revision::V2025_11_25),
    tool(
        "test_reconnection",
        "Lets the connection go before it answers",
    ),
    tool("test_list_roots", "Asks for the client's roots"),
    tool(
        "test_input_required_result_elicitation",
        "Asks the user for a name",
    )
    .since(MODERN),
    tool(
        "test_input_required_result_sampling",
        "Asks the model for a capital",
    )
    .since(MODERN),
    tool(
        "test_input_required_result_list_roots",
        "Asks the client for its roots",
    )
    .since(MODERN),
    tool(
        "test_input_required_result_request_state",
        "Gives the client state to carry",
    )
    .since(MODERN),
    tool(
        "test_input_required_result_multiple_inputs",
        "Asks for three things at once",
    )
    .since(MODERN),
    tool("test_input_required_result_multi_round", "Asks twice").since(MODERN),
    tool(
        "test_input_required_result_tampered_state",
        "Refuses state that was changed",
    )
    .since(MODERN),
    tool(
        "test_input_required_result_capabilities",
        "Asks only what the client can answer",
    )
    .since(MODERN),
    tool("test_trigger_tool_change", "Adds or removes a tool").changing(),
    tool("test_trigger_prompt_change", "Adds or removes a prompt").changing(),
    tool("test_trigger_resource_change", "Adds or removes a resource").changing(),
    tool(
        "test_trigger_resource_update",
        "Changes test://watched-resource",
    )
    .changing(),
    tool("test_end_subscriptions", "Ends every subscription")
        .changing()
        .since(MODERN),
    tool("test_structured_content", "Returns a weather report")
        .output(weather)
        .since(Revision::V2025_06_18),
    tool("test_structured_list", "Returns a list")
        .output(list_of_ids)
        .since(MODERN),
    tool("test_resource_link", "Returns a link to a resource").since(Revision::V2025_06_18),
    tool("slow", "Takes its time").input(duration),
    tool("echo", "Returns its argument").input(text),
    Tool {
        description: None,
        ..tool("test_no_description", "")
    },
];

const MODERN: Revision = Revision::V2026_07_28;

const fn tool(name: &'static str, description: &'static str) -> Tool {
    Tool {
        name,
        description: Some(description),
        input: nothing,
        output: None,
        read_only: true,
        since: Revision::V2024_11_05,
    }
}

impl Tool {
    const fn input(self, input: fn() -> Value) -> Self {
        Self { input, ..self }
    }

    const fn output(self, output: fn() -> Value) -> Self {
        Self {
            output: Some(output),
            ..self
        }
    }

    const fn since(self, since: Revision) -> Self {
        Self { since, ..self }
    }

    const fn changing(self) -> Self {
        Self {
            read_only: false,
            ..self
        }
    }
}

fn nothing() -> Value {
    json!({"type": "object", "properties": {}, "additionalProperties": false})
}

fn one_string(name: &str, description: &str) -> Value {
    json!({
        "type": "object",
        "properties": {name: {"type": "string", "description": description}},
        "required": [name],
        "additionalProperties": false,
    })
}

fn prompt() -> Value {
    one_string("prompt", "The prompt to send to the model")
}

fn message() -> Value {
    one_string("message", "The message to show the user")
}

fn text() -> Value {
    one_string("text", "What to return")
}

fn duration() -> Value {
    let about = "How long it takes, 3000 if not given";
    json!({
        "type": "object",
        "properties": {
            "milliseconds": {"type": "integer", "minimum": 0, "maximum": 600_000, "description": about},
        },
        "additionalProperties": false,
    })
}

fn header_parameters() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "count": {"type": "integer", "x-mcp-header": "Count"},
            "urgent": {"type": "boolean", "x-mcp-header": "Urgent"},
        },
        "required": ["region"],
        "additionalProperties": false,
    })
}

fn modern_keywords() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {
            "name": {"type": "string"},
            "address": {"$ref": "#/$defs/address"},
            "contactMethod": {"type": "string", "enum": ["phone", "email"]},
            "phone": {"type": "string"},
            "email": {"type": "string"},
        },
        "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
        "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
        "then": {"required": ["phone"]},
        "else": {"required": ["email"]},
        "additionalProperties": false,
    })
}

fn weather() -> Value {
    json!({
        "type": "object",
        "properties": {
            "temperature": {"type": "number", "description": "In degrees Celsius"},
            "conditions": {"type": "string"},
            "humidity": {"type": "number", "description": "In percent"},
        },
        "required": ["temperature", "conditions", "humidity"],
    })
}

fn list_of_ids() -> Value {
    json!({
        "type": "array",
        "items": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
    })
}
