//! What the vectors cannot ask of a server that follows SEP-1288, the proposal for WebSocket.

use mcp_verdict_vectors::model::{SessionMode, Step, Vector};
use mcp_verdict_wire::TransportKind;
use serde_json::{Value, json};

use crate::plan::PreparedWay;

/// Why a vector cannot be expressed by the rules of the proposal, if that is where it would run.
pub(crate) fn inexpressible(vector: &Vector, way: &PreparedWay) -> Option<String> {
    if way.transport != TransportKind::WsDraft {
        return None;
    }
    let what = closes_the_draft(vector)?;
    Some(format!(
        "this cannot be expressed over {}, which closes the connection on {what}",
        way.transport
    ))
}

/// What of a vector's makes a server that follows SEP-1288 close the connection, where that is not what the vector is
/// about: whatever is no whole message (`ws-draft#malformed-json`, `ws-draft#envelope`). What is sent raw counts,
/// since it may be anything.
fn closes_the_draft(vector: &Vector) -> Option<&'static str> {
    let about_it = |it: &TransportKind| matches!(it, TransportKind::Ws | TransportKind::WsDraft);
    if !vector.transports.is_empty() && vector.transports.iter().all(about_it) {
        return None;
    }
    if vector.session == SessionMode::None && talks_too_soon(&vector.steps) {
        return Some("a message that names no session");
    }
    vector.steps.iter().find_map(|step| match step {
        Step::SendRaw(_) => Some("what is no message"),
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
