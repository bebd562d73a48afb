//! Tools that only return something: one for each kind of content.

use serde_json::{Map, Value, json};

use super::super::call::Stop;

/// One red pixel.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
/// A millisecond of silence.
const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

/// The result of a tool that says one thing.
pub(crate) fn text(text: impl Into<String>) -> Value {
    result(vec![block(text)])
}

/// The result of a tool that failed.
pub(crate) fn failure(message: impl Into<String>) -> Value {
    let mut failure = text(message);
    failure["isError"] = json!(true);
    failure
}

/// Runs the tool, if it is one of these.
pub(super) fn run(name: &str, arguments: &Map<String, Value>) -> Option<Result<Value, Stop>> {
    let found = match name {
        "test_simple_text" => text("This is a simple text response for testing."),
        "test_image_content" => result(vec![image()]),
        "test_audio_content" => result(vec![
            json!({"type": "audio", "data": WAV, "mimeType": "audio/wav"}),
        ]),
        "test_embedded_resource" => result(vec![embedded(
            "test://embedded-resource",
            "text/plain",
            "This is an embedded resource content.",
        )]),
        "test_multiple_content_types" => result(vec![
            annotated(
                block("Multiple content types test:"),
                json!({"audience": ["user", "assistant"], "priority": 0.5}),
            ),
            image(),
            embedded(
                "test://mixed-content-resource",
                "application/json",
                r#"{"test":"data","value":123}"#,
            ),
        ]),
        "test_resource_link" => result(vec![json!({
            "type": "resource_link",
            "uri": "test://static-text",
            "name": "Static text",
            "mimeType": "text/plain",
        })]),
        "test_structured_content" => {
            structured(json!({"temperature": 22.5, "conditions": "Partly cloudy", "humidity": 65}))
        }
        "test_structured_list" => structured(json!([{"id": 1}, {"id": 2}])),
        "test_error_handling" => {
            return Some(Err(Stop::Tool(
                "This tool intentionally returns an error for testing".to_owned(),
            )));
        }
        "echo" => text(
            arguments
                .get("text")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        ),
        "json_schema_2020_12_tool" | "test_header_parameter" => {
            text(Value::Object(arguments.clone()).to_string())
        }
        "test_no_description" | "test_extra_tool" => text(format!("This is {name}.")),
        _ => return None,
    };
    Some(Ok(found))
}

fn result(content: Vec<Value>) -> Value {
    json!({"content": content})
}

/// Structured content, and the same as text for clients that do not know it.
fn structured(content: Value) -> Value {
    json!({"content": [block(content.to_string())], "structuredContent": content})
}

fn block(text: impl Into<String>) -> Value {
    json!({"type": "text", "text": text.into()})
}

fn annotated(mut block: Value, annotations: Value) -> Value {
    block["annotations"] = annotations;
    block
}

fn image() -> Value {
    json!({"type": "image", "data": PNG, "mimeType": "image/png"})
}

fn embedded(uri: &str, mime_type: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": text}})
}
