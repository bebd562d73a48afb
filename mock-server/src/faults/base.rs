//! Faults of JSON-RPC itself: ids, errors, notifications, batches.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{carries, is_notification, remove, set, text},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "ids-as-strings",
        about: "Ids of responses are strings, whatever they were",
        hook: Hook::Edit(|facts, message| {
            if facts.request.is_some() && message.get("method").is_none() {
                text(message, "/id");
            }
        }),
    },
    Fault {
        name: "ids-through-doubles",
        about: "Integer ids lose the digits that a double cannot hold",
        hook: Hook::Edit(|_, message| {
            let big = message
                .get("id")
                .and_then(Value::as_f64)
                .filter(|id| id.abs() > 9e15);
            if let (Some(id), None) = (big, message.get("method")) {
                set(message, "/id", json!(id as i64));
            }
        }),
    },
    Fault {
        name: "answers-notifications",
        about: "Notifications are answered with an empty result",
        hook: Hook::Incoming(|_, message| {
            if message.get("method").is_some() && message.get("id").is_none() {
                let answer = json!({"jsonrpc": "2.0", "id": null, "result": {}});
                return Arrived::pass_and_answer(message, Departure::answer(answer));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "answers-twice",
        about: "Every response is sent twice",
        hook: Hook::Outgoing(|_, departure| match departure.answers {
            true => vec![departure.clone(), departure],
            false => vec![departure],
        }),
    },
    Fault {
        name: "unknown-method-wrong-code",
        about: "Unknown methods are refused with -32000",
        hook: Hook::Edit(|_, message| replace_code(message, -32601, -32000)),
    },
    Fault {
        name: "unknown-method-succeeds",
        about: "Unknown methods are answered with an empty result",
        hook: Hook::Outgoing(|facts, mut departure| {
            if carries(&departure, |message| has_code(message, -32601))
                && let Some(message) = departure.json_mut()
            {
                super::edits::succeed(message, super::edits::empty_result(facts, json!({})));
                departure.status = None;
            }
            vec![departure]
        }),
    },
    Fault {
        name: "unknown-method-unanswered",
        about: "Requests for unknown methods are not answered",
        hook: Hook::Outgoing(|_, departure| {
            match carries(&departure, |message| has_code(message, -32601)) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "parse-error-wrong-code",
        about: "What is no JSON is refused with -32603",
        hook: Hook::Edit(|_, message| replace_code(message, -32700, -32603)),
    },
    Fault {
        name: "parse-error-unanswered",
        about: "What is no JSON is ignored",
        hook: Hook::Outgoing(|_, departure| {
            match carries(&departure, |message| has_code(message, -32700)) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "invalid-request-accepted",
        about: "Requests without `jsonrpc` are handled like any other",
        hook: Hook::Incoming(|_, message| {
            super::edits::pass_edited(message, |message| set(message, "/jsonrpc", json!("2.0")))
        }),
    },
    Fault {
        name: "jsonrpc-missing",
        about: "Messages have no `jsonrpc`",
        hook: Hook::Edit(|_, message| remove(message, "/jsonrpc")),
    },
    Fault {
        name: "result-and-error",
        about: "Results come with an error beside them",
        hook: Hook::Edit(|_, message| {
            if message.get("result").is_some() {
                set(
                    message,
                    "/error",
                    json!({"code": -32603, "message": "and yet"}),
                );
            }
        }),
    },
    Fault {
        name: "error-code-as-string",
        about: "Error codes are strings",
        hook: Hook::Edit(|_, message| text(message, "/error/code")),
    },
    Fault {
        name: "null-id-accepted",
        about: "Requests with a null id are answered as if it were one",
        hook: Hook::All(&[
            Hook::Incoming(|_, message| match message.get("id") {
                Some(Value::Null) if message.get("method").is_some() => {
                    super::edits::pass_edited(message, |message| {
                        set(message, "/id", json!(NULL_ID))
                    })
                }
                _ => Arrived::pass(message),
            }),
            Hook::Edit(|_, message| {
                if message.get("id") == Some(&json!(NULL_ID)) {
                    set(message, "/id", Value::Null);
                }
            }),
        ]),
    },
    Fault {
        name: "batch-answered-in-2025-06-18",
        about: "Batches are handled in revisions that have none",
        hook: Hook::Incoming(|facts, message| match message {
            Value::Array(items)
                if facts.revision != Some(mcp_verdict_wire::Revision::V2025_03_26) =>
            {
                Arrived {
                    pass: items,
                    answers: Vec::new(),
                }
            }
            message => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-refused-in-2025-03-26",
        about: "Batches are refused where they must be received",
        hook: Hook::Incoming(|_, message| {
            if message.is_array() {
                return Arrived::answer(Departure::error(&Value::Null, -32600, "no batches here"));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "unasked-response",
        about: "Results come with another response, to a request that nobody made",
        hook: Hook::Outgoing(|_, departure| {
            if carries(&departure, |message| message.get("result").is_some()) {
                let unasked = json!({"jsonrpc": "2.0", "id": "nobody-asked", "result": {}});
                return vec![Departure::message(unasked), departure];
            }
            vec![departure]
        }),
    },
    Fault {
        name: "notifications-with-ids",
        about: "Notifications carry an id",
        hook: Hook::Edit(|_, message| {
            if ["notifications/progress", "notifications/message"]
                .iter()
                .any(|method| is_notification(message, method))
            {
                set(message, "/id", json!(0));
            }
        }),
    },
];

/// Stands for a null id inside the server.
const NULL_ID: &str = "the null id";

fn has_code(message: &Value, code: i64) -> bool {
    message.pointer("/error/code").and_then(Value::as_i64) == Some(code)
}

fn replace_code(message: &mut Value, from: i64, to: i64) {
    if has_code(message, from) {
        set(message, "/error/code", json!(to));
    }
}
