//! What our client answers when the server asks it something.

use mcp_verdict_transport::{Connection, Outgoing, SendError};
use mcp_verdict_vectors::Client;
use mcp_verdict_wire::{
    Era, Revision,
    message::Lenient,
    transcript::{Event, EventKind},
};
use serde_json::{Map, Value, json};

use super::default_capabilities;
use crate::fixtures::minimal_instance;

/// The whole response to a request of the server's: the error or the result that `client` has for its
/// method; else a plausible default where the capability was declared; else -32601.
#[must_use]
pub fn answer_for(request: &Value, client: &Client, revision: Revision) -> Value {
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    let method = request
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Some(error) = client.errors.get(method) {
        return json!({"jsonrpc": "2.0", "id": id,
            "error": {"code": error.code, "message": error.message}});
    }
    match result_for(method, request.get("params"), client, revision) {
        Some(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        None => json!({"jsonrpc": "2.0", "id": id,
            "error": {"code": -32601, "message": format!("this client offers no {method}")}}),
    }
}

/// The `inputResponses` to a modern result that requires input; what our client cannot answer is left out.
#[must_use]
pub fn input_responses(
    input_requests: &Map<String, Value>,
    client: &Client,
    revision: Revision,
) -> Map<String, Value> {
    let answer = |request: &Value| {
        let method = request.get("method")?.as_str()?;
        if client.errors.contains_key(method) {
            return None;
        }
        result_for(method, request.get("params"), client, revision)
    };
    input_requests
        .iter()
        .filter_map(|(key, request)| Some((key.clone(), answer(request)?)))
        .collect()
}

/// Answers every request of the server's among the events from index `from` on, and returns the index
/// from which to go on the next time. Does nothing in the modern era, where a server sends no requests.
///
/// # Errors
/// When an answer cannot be sent.
pub async fn answer_server_requests(
    connection: &mut Connection,
    client: &Client,
    revision: Revision,
    from: usize,
) -> Result<usize, SendError> {
    let (requests, next) = connection.recorder().look(|events| {
        let new = events.get(from..).unwrap_or_default();
        (
            new.iter().flat_map(server_requests).collect::<Vec<_>>(),
            events.len(),
        )
    });
    if revision.era() == Era::Legacy {
        for request in &requests {
            send_answer(connection, request, client, revision).await?;
        }
    }
    Ok(next)
}

/// Sends the answer to one request.
pub(super) async fn send_answer(
    connection: &mut Connection,
    request: &Value,
    client: &Client,
    revision: Revision,
) -> Result<(), SendError> {
    let bytes = answer_for(request, client, revision)
        .to_string()
        .into_bytes();
    connection
        .send(Outgoing {
            bytes,
            ..Outgoing::default()
        })
        .await
        .map(drop)
}

/// The requests within an event, out of a batch too.
pub(super) fn server_requests(event: &Event) -> Vec<Value> {
    let EventKind::Received { bytes, .. } = &event.kind else {
        return Vec::new();
    };
    // Most of what is received is no request; this avoids reading it twice.
    if !bytes.0.windows(METHOD.len()).any(|window| window == METHOD) {
        return Vec::new();
    }
    match Lenient::parse(&bytes.0).map(|read| read.value) {
        Ok(Value::Array(batch)) => batch.into_iter().filter(is_request).collect(),
        Ok(single) if is_request(&single) => vec![single],
        _ => Vec::new(),
    }
}

/// Whether the server wants an answer to this.
pub(super) fn is_request(message: &Value) -> bool {
    message.get("method").is_some_and(Value::is_string)
        && message.get("id").is_some_and(|id| !id.is_null())
}

fn result_for(
    method: &str,
    params: Option<&Value>,
    client: &Client,
    revision: Revision,
) -> Option<Value> {
    if let Some(result) = client.answers.get(method) {
        return Some(result.clone());
    }
    let capability = match method {
        "ping" => return Some(json!({})),
        "elicitation/create" => "elicitation",
        "roots/list" => "roots",
        "sampling/createMessage" => "sampling",
        _ => return None,
    };
    let declared = match &client.capabilities {
        Some(capabilities) => capabilities.contains_key(capability),
        None => default_capabilities(revision).contains_key(capability),
    };
    if !declared {
        return None;
    }
    Some(match capability {
        "elicitation" => elicited(params),
        "roots" => json!({"roots": [{"uri": "file:///workspace", "name": "workspace"}]}),
        _ => json!({
            "role": "assistant",
            "content": {"type": "text", "text": "A sampled answer."},
            "model": "mcp-verdict",
            "stopReason": "endTurn",
        }),
    })
}

/// A form is filled in with the least that its schema accepts; a URL is agreed to.
fn elicited(params: Option<&Value>) -> Value {
    let Some(schema) = params.and_then(|params| params.get("requestedSchema")) else {
        return json!({"action": "accept"});
    };
    match minimal_instance(schema) {
        Some(content) => json!({"action": "accept", "content": content}),
        None => json!({"action": "cancel"}),
    }
}

const METHOD: &[u8] = b"\"method\"";

#[cfg(test)]
mod tests {
    use super::*;

    const REVISION: Revision = Revision::V2025_11_25;

    fn ask(method: &str, params: Value, client: &Client) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": "x", "method": method, "params": params});
        answer_for(&request, client, REVISION)
    }

    #[test]
    fn ping_is_always_answered() {
        let client = Client {
            capabilities: Some(Map::new()),
            ..Client::default()
        };
        assert_eq!(
            ask("ping", json!({}), &client),
            json!({"jsonrpc": "2.0", "id": "x", "result": {}})
        );
    }

    #[test]
    fn what_was_not_declared_is_an_unknown_method() {
        let client = Client {
            capabilities: Some(Map::new()),
            ..Client::default()
        };
        for method in [
            "roots/list",
            "sampling/createMessage",
            "elicitation/create",
            "tasks/list",
        ] {
            assert_eq!(
                ask(method, json!({}), &client)["error"]["code"],
                -32601,
                "{method}"
            );
        }
    }

    #[test]
    fn the_vectors_answer_wins() {
        let mut client = Client::default();
        client
            .answers
            .insert("roots/list".to_owned(), json!({"roots": []}));
        assert_eq!(
            ask("roots/list", json!({}), &client)["result"],
            json!({"roots": []})
        );
    }

    #[test]
    fn the_vectors_error_wins_over_everything() {
        let refusal = mcp_verdict_vectors::ClientError {
            code: -1,
            message: "User rejected sampling request".to_owned(),
        };
        let client = Client {
            errors: [("sampling/createMessage".to_owned(), refusal)].into(),
            ..Client::default()
        };
        let answer = ask("sampling/createMessage", json!({}), &client);
        assert_eq!(answer["error"]["code"], -1);
        assert!(answer.get("result").is_none());
        let asked = json!({"x": {"method": "sampling/createMessage", "params": {}}});
        let asked = asked.as_object().expect("an object");
        assert!(input_responses(asked, &client, REVISION).is_empty());
    }

    #[test]
    fn a_form_is_filled_in_by_its_schema() {
        let schema = json!({"type": "object", "required": ["name", "age"], "properties": {
            "name": {"type": "string", "minLength": 2}, "age": {"type": "integer", "minimum": 18}}});
        let answer = ask(
            "elicitation/create",
            json!({"requestedSchema": schema}),
            &Client::default(),
        );
        assert_eq!(answer["result"]["action"], "accept");
        assert_eq!(answer["result"]["content"]["age"], 18);
        assert!(
            answer["result"]["content"]["name"]
                .as_str()
                .expect("a string")
                .len()
                >= 2
        );
    }

    #[test]
    fn requests_are_found_in_batches_and_responses_are_not() {
        let event = |text: &str| Event {
            at_us: 0,
            kind: EventKind::Received {
                exchange: 0,
                sse: None,
                bytes: text.into(),
            },
        };
        let batch = event(r#"[{"id":1,"method":"ping"},{"id":2,"result":{}},{"method":"a"}]"#);
        assert_eq!(server_requests(&batch).len(), 1);
        assert!(server_requests(&event(r#"{"id":1,"result":{"method":"x"}}"#)).is_empty());
        assert!(server_requests(&event("\"method\" banner")).is_empty());
    }
}
