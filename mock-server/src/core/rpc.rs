//! What kind of message a JSON value is, strictly by JSON-RPC 2.0 and MCP, and how one is refused.

use mcp_verdict_wire::{Revision, message::Id};
use serde_json::{Map, Value, json};

/// A message of the client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Incoming {
    /// Nothing that can be handled; `id` is there where it could be read.
    Invalid { id: Option<Value>, refusal: Refusal },
    /// To be handled and never answered.
    Notification {
        method: String,
        params: Map<String, Value>,
    },
    /// To be answered.
    Request {
        id: Value,
        method: String,
        params: Map<String, Value>,
    },
    /// An answer to a request of ours: its result, or its error.
    Response {
        id: Value,
        outcome: Result<Value, Value>,
    },
}

/// Why a request is refused: the error that goes back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// The code.
    pub(crate) code: i64,
    /// The message.
    pub(crate) message: String,
    /// Further data.
    pub(crate) data: Option<Value>,
    /// The HTTP status that goes with it, where it is not 200.
    pub(crate) status: Option<u16>,
}

pub(crate) const PARSE_ERROR: i64 = -32700;
pub(crate) const INVALID_REQUEST: i64 = -32600;
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
pub(crate) const INVALID_PARAMS: i64 = -32602;
pub(crate) const INTERNAL_ERROR: i64 = -32603;
pub(crate) const RESOURCE_NOT_FOUND: i64 = -32002;
pub(crate) const HEADER_MISMATCH: i64 = -32020;
pub(crate) const MISSING_CLIENT_CAPABILITY: i64 = -32021;
pub(crate) const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

impl Incoming {
    /// Reads one value (no batch).
    pub(crate) fn read(message: &Value) -> Self {
        let Value::Object(members) = message else {
            return Self::Invalid {
                id: None,
                refusal: invalid("a message is an object"),
            };
        };
        let id = members.get("id").filter(|id| is_id(id)).cloned();
        if members.get("jsonrpc") != Some(&json!("2.0")) {
            return Self::Invalid {
                id,
                refusal: invalid("`jsonrpc` must be \"2.0\""),
            };
        }
        let Some(method) = members.get("method") else {
            return Self::read_response(members, id);
        };
        let Value::String(method) = method else {
            return Self::Invalid {
                id,
                refusal: invalid("`method` must be a string"),
            };
        };
        let params = match members.get("params") {
            None => Map::new(),
            Some(Value::Object(params)) => params.clone(),
            Some(Value::Array(_)) => {
                let refusal = Refusal::new(INVALID_PARAMS, "`params` must be an object");
                return Self::Invalid { id, refusal };
            }
            Some(_) => {
                return Self::Invalid {
                    id,
                    refusal: invalid("`params` must be an object"),
                };
            }
        };
        match (members.contains_key("id"), id) {
            (false, _) => Self::Notification {
                method: method.clone(),
                params,
            },
            (true, Some(id)) => Self::Request {
                id,
                method: method.clone(),
                params,
            },
            (true, None) => Self::Invalid {
                id: None,
                refusal: invalid("`id` must be a string or an integer"),
            },
        }
    }

    fn read_response(members: &Map<String, Value>, id: Option<Value>) -> Self {
        match (members.get("result"), members.get("error"), id) {
            (Some(result), None, Some(id)) => Self::Response {
                id,
                outcome: Ok(result.clone()),
            },
            (None, Some(error), id) => {
                let id = id.unwrap_or(Value::Null);
                Self::Response {
                    id,
                    outcome: Err(error.clone()),
                }
            }
            (_, _, id) => Self::Invalid {
                id,
                refusal: invalid("neither a request nor a response"),
            },
        }
    }
}

impl Refusal {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            data: None,
            status: None,
        }
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    pub(crate) fn with_data(self, data: Value) -> Self {
        Self {
            data: Some(data),
            ..self
        }
    }

    pub(crate) fn with_status(self, status: u16) -> Self {
        Self {
            status: Some(status),
            ..self
        }
    }

    /// The response that carries it. Where the request's id could not be read, JSON-RPC asks for
    /// null; the schemas of 2025-11-25 and later want no `id` then.
    pub(crate) fn response(&self, id: Option<&Value>, revision: Option<Revision>) -> Value {
        let mut error = json!({"code": self.code, "message": self.message});
        if let Some(data) = &self.data {
            error["data"] = data.clone();
        }
        let null_id = revision.is_some_and(|revision| revision < Revision::V2025_11_25);
        match id {
            Some(id) => json!({"jsonrpc": "2.0", "id": id, "error": error}),
            None if null_id => json!({"jsonrpc": "2.0", "id": null, "error": error}),
            None => json!({"jsonrpc": "2.0", "error": error}),
        }
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(INVALID_REQUEST, format!("Invalid request: {message}"))
}

/// MCP: a string or an integer, never null.
pub(crate) fn is_id(value: &Value) -> bool {
    Id::from_value(value).is_some_and(|id| id.is_string_or_integer())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_strings_or_integers_and_keep_their_spelling() {
        for text in [
            "0",
            "-1",
            "\"a\"",
            "\"\"",
            "9007199254740993",
            "123456789012345678901234567890",
        ] {
            let message = format!(r#"{{"jsonrpc":"2.0","id":{text},"method":"ping"}}"#);
            let message: Value = serde_json::from_str(&message).unwrap();
            let Incoming::Request { id, .. } = Incoming::read(&message) else {
                panic!("{text} is an id");
            };
            assert_eq!(id.to_string(), text);
        }
        for text in ["null", "1.5", "true", "[]", "{}"] {
            let message = format!(r#"{{"jsonrpc":"2.0","id":{text},"method":"ping"}}"#);
            let message: Value = serde_json::from_str(&message).unwrap();
            assert!(
                matches!(Incoming::read(&message), Incoming::Invalid { id: None, .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn an_invalid_request_with_a_readable_id_is_answered_with_it() {
        for message in [
            json!({"jsonrpc": "1.0", "id": 7, "method": "ping"}),
            json!({"id": 7, "method": "ping"}),
            json!({"jsonrpc": "2.0", "id": 7, "method": 1}),
            json!({"jsonrpc": "2.0", "id": 7, "method": "ping", "params": "x"}),
            json!({"jsonrpc": "2.0", "id": 7}),
        ] {
            let Incoming::Invalid { id, refusal } = Incoming::read(&message) else {
                panic!("{message} is invalid");
            };
            assert_eq!(
                (id, refusal.code),
                (Some(json!(7)), INVALID_REQUEST),
                "{message}"
            );
        }
    }

    #[test]
    fn an_error_without_an_id_is_spelled_as_the_revision_asks() {
        let refusal = Refusal::new(PARSE_ERROR, "no JSON");
        let old = refusal.response(None, Some(Revision::V2025_06_18));
        assert_eq!(old["id"], Value::Null);
        assert!(old.get("id").is_some());
        assert!(
            refusal
                .response(None, Some(Revision::V2025_11_25))
                .get("id")
                .is_none()
        );
        assert!(refusal.response(None, None).get("id").is_none());
    }
}
