//! What the vectors cannot ask of a server that follows SEP-1288, the proposal for WebSocket.

use std::collections::BTreeMap;

use mcp_verdict_vectors::{
    model::{RawStep, SessionMode, Step, Vector},
    substitute,
};
use mcp_verdict_wire::{Delivery, TransportKind, message::Lenient};
use serde_json::{Value, json};

use crate::plan::PreparedWay;

/// Why a vector cannot be expressed by the rules of the proposal, if that is where it would run.
pub(crate) fn inexpressible(vector: &Vector, way: &PreparedWay) -> Option<String> {
    if way.transport != TransportKind::WsDraft {
        return None;
    }
    let what = closes_the_draft(vector, &way.bindings)?;
    Some(format!(
        "this cannot be expressed over {}, which closes the connection on {what}",
        way.transport
    ))
}

/// What of a vector's makes a server that follows SEP-1288 close the connection, where that is not what the vector is
/// about: whatever is no whole message (`ws-draft#malformed-json`, `ws-draft#envelope`). What is sent raw is looked at.
fn closes_the_draft(vector: &Vector, bindings: &BTreeMap<String, Value>) -> Option<&'static str> {
    let about_it = |it: &TransportKind| matches!(it, TransportKind::Ws | TransportKind::WsDraft);
    if !vector.transports.is_empty() && vector.transports.iter().all(about_it) {
        return None;
    }
    if vector.session == SessionMode::None && talks_too_soon(&vector.steps) {
        return Some("a message that names no session");
    }
    vector.steps.iter().find_map(|step| match step {
        Step::SendRaw(raw) if !is_whole(raw, bindings) => {
            Some("what is no message to every reader")
        }
        Step::Send(send) if !is_envelope(&send.json) => Some("a message that is not well formed"),
        Step::Request(request) if request.id.as_ref().is_some_and(|id| !is_id(id)) => {
            Some("an id that is none")
        }
        Step::Request(request)
            if !(request.delivery.before.is_empty() && request.delivery.after.is_empty()) =>
        {
            Some("what is around a message")
        }
        _ => None,
    })
}

/// Whether anything but `initialize` is sent before the answer to it, which names the session, was waited for
/// (`ws-draft#missing-session-id`).
fn talks_too_soon(steps: &[Step]) -> bool {
    let mut asked = false;
    for step in steps {
        match step {
            Step::Request(request) if request.method == "initialize" => asked |= !request.malformed,
            Step::Send(send) if send.json.get("method") == Some(&json!("initialize")) => {
                asked |= is_envelope(&send.json);
            }
            Step::Request(_)
            | Step::Notify(_)
            | Step::Send(_)
            | Step::Barrier(_)
            | Step::Pages(_)
            | Step::Cancel(_) => return true,
            Step::Expect(_) if asked => return false,
            _ => {}
        }
    }
    false
}

/// Whether what is sent raw is one message, and nothing in it that a reader of JSON may refuse.
fn is_whole(raw: &RawStep, bindings: &BTreeMap<String, Value>) -> bool {
    let mut known = bindings.clone();
    // What these stand for is known when the vector runs; any of its kind will do here.
    for (name, value) in [
        ("any_method", json!("ping")),
        ("request_meta", json!({})),
        ("revision", json!("")),
        ("transport", json!("")),
    ] {
        known.entry(name.to_owned()).or_insert(value);
    }
    let text = raw
        .text
        .as_deref()
        .filter(|_| raw.delivery == Delivery::default());
    let text = text.and_then(|text| substitute(&Value::from(text), &known).ok());
    let read = text.and_then(|text| Lenient::parse(text.as_str()?.as_bytes()).ok());
    read.is_some_and(|read| {
        read.duplicate_keys.is_empty() && read.remarks.is_empty() && is_envelope(&read.value)
    })
}

/// Whether a message is one from the outside, whatever it says.
fn is_envelope(message: &Value) -> bool {
    let has = |name: &str| message.get(name).is_some();
    let answers = has("id") && (has("result") != has("error")) && !has("method");
    let calls = message
        .get("method")
        .is_some_and(|method| method.as_str().is_some_and(|name| !name.is_empty()));
    message.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
        && message.get("id").is_none_or(is_id)
        && message.get("params").is_none_or(Value::is_object)
        && (answers || calls)
}

fn is_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_raw_is_whole_where_every_reader_takes_it() {
        let whole = |text: &str| {
            let raw: RawStep = serde_json::from_value(json!({"text": text})).unwrap();
            is_whole(&raw, &BTreeMap::new())
        };
        let sound = r#"{"jsonrpc":"2.0","id":"a\u0000","method":"${any_method}","params":{"_meta":${request_meta}}}"#;
        assert!(whole(sound));
        assert!(whole(r#" {"\u006dethod":"x", "jsonrpc":"2\u002e0"} "#));
        for broken in [
            r#"{"jsonrpc": "2.0", "method": "#,
            r#"{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "x"}"#,
            r#"{"jsonrpc": "2.0", "id": "\ud800", "method": "x"}"#,
            "{\"jsonrpc\":\"2.0\",\"method\":\"a\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"b\"}",
            "${captured}",
        ] {
            assert!(!whole(broken), "{broken}");
        }
    }

    #[test]
    fn a_message_is_well_formed_whatever_it_says() {
        for sound in [
            json!({"jsonrpc": "2.0", "id": 1, "method": "no/such", "more": []}),
            json!({"jsonrpc": "2.0", "method": "notifications/x", "params": {}}),
            json!({"jsonrpc": "2.0", "id": "a", "result": null}),
            json!({"jsonrpc": "2.0", "id": "a", "error": {}}),
        ] {
            assert!(is_envelope(&sound), "{sound}");
        }
        for broken in [
            json!([]),
            json!({"id": 1, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": 1, "method": 1}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}),
            json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {}}),
        ] {
            assert!(!is_envelope(&broken), "{broken}");
        }
    }
}
