//! Faults of JSON-RPC itself: errors, notifications, what a message may look like.

use http::StatusCode;
use mcp_verdict_wire::{Era, message::Lenient};
use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook, HttpResponse, LineIn,
    edits::{carries, empty_result, is_notification, remove, set, succeed, text},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
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
    Fault {
        name: "answers-unknown-notifications",
        about: "Notifications of an unknown kind are refused",
        hook: Hook::Incoming(|facts, message| {
            let unknown = facts.method().ends_with("no-such-thing");
            if unknown && message.get("id").is_none() {
                let answer = Departure::error(&Value::Null, -32601, "Method not found");
                return Arrived::answer(answer);
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "requests-named-like-notifications-ignored",
        about: "What is named like a notification is not answered, even if it has an id",
        hook: Hook::Incoming(
            |facts, message| match facts.method().starts_with("notifications/") {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            },
        ),
    },
    Fault {
        name: "unasked-responses-acknowledged",
        about: "Responses that nobody asked for are answered",
        hook: Hook::Incoming(|facts, message| {
            let response = message.get("result").is_some() || message.get("error").is_some();
            if response && message.get("method").is_none() {
                return Arrived::answer(result_for(facts, facts.id()));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "unasked-response-kills",
        about: "A response ends the process",
        hook: Hook::LineIn(|line| {
            exit_if(line, |message| {
                message.get("method").is_none()
                    && (message.get("result").is_some() || message.get("error").is_some())
            })
        }),
    },
    Fault {
        name: "parse-error-succeeds",
        about: "What is no JSON is answered with an empty result",
        hook: Hook::Outgoing(|_, departure| succeed_at(departure, -32700)),
    },
    Fault {
        name: "invalid-message-succeeds",
        about: "What is no valid request is answered with an empty result",
        hook: Hook::Outgoing(|_, departure| succeed_at(departure, -32600)),
    },
    Fault {
        name: "invalid-message-wrong-code",
        about: "What is no valid request is refused with -32000",
        hook: Hook::Edit(|_, message| replace_code(message, -32600, -32000)),
    },
    Fault {
        name: "invalid-message-unanswered",
        about: "What is no valid request is ignored",
        hook: Hook::Outgoing(|_, departure| {
            match carries(&departure, |message| has_code(message, -32600)) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "invalid-message-kills",
        about: "JSON that is no valid message ends the process",
        hook: Hook::LineIn(|line| {
            exit_if(line, |message| {
                message.get("jsonrpc") != Some(&json!("2.0"))
            })
        }),
    },
    Fault {
        name: "odd-params-ignored",
        about: "Params that are no object count as none",
        hook: Hook::Incoming(|facts, message| {
            let params = message.get("params");
            let odd = params.is_some_and(|params| !params.is_object());
            let legacy = facts.revision.is_some() && facts.era() == Era::Legacy;
            super::edits::pass_edited(message, |message| {
                if odd {
                    remove(message, "/params");
                }
                if odd && !legacy {
                    super::modern::complete_meta(message);
                }
            })
        }),
    },
    Fault {
        name: "params-required",
        about: "Requests without params are refused",
        hook: Hook::Incoming(|facts, message| {
            if is_call(&message) && message.get("params").is_none() {
                return refused(facts, -32602, "`params` is missing");
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "empty-params-refused",
        about: "Requests whose params are empty are refused",
        hook: Hook::Incoming(|facts, message| {
            if is_call(&message) && message.get("params") == Some(&json!({})) {
                return refused(facts, -32602, "`params` is empty");
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "unknown-members-refused",
        about: "Messages with members beyond those of JSON-RPC are refused",
        hook: Hook::Incoming(|facts, message| {
            let known = ["jsonrpc", "id", "method", "params", "result", "error"];
            match has_others(&message, "", &known) {
                true => refused(facts, -32600, "unknown member"),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "unknown-params-refused",
        about: "Pings and discoveries with params of their own are refused",
        hook: Hook::Incoming(|facts, message| {
            let bare = matches!(facts.method(), "ping" | "server/discover");
            match bare && has_others(&message, "/params", &["_meta"]) {
                true => refused(facts, -32602, "unknown parameter"),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "unknown-meta-refused",
        about: "Requests with keys of others in `_meta` are refused",
        hook: Hook::Incoming(|facts, message| {
            let meta = message.pointer("/params/_meta").and_then(Value::as_object);
            let own = |key: &String| {
                key == "progressToken" || key.starts_with("io.modelcontextprotocol/")
            };
            match meta.is_some_and(|meta| !meta.keys().all(own)) {
                true => refused(facts, -32602, "unknown key in `_meta`"),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "methods-without-case",
        about: "Case does not matter in the name of a method",
        hook: Hook::Incoming(|_, message| {
            let method = message.get("method").and_then(Value::as_str);
            let lower = method
                .map(str::to_lowercase)
                .filter(|method| method == "tools/list");
            super::edits::pass_edited(message, |message| {
                if let Some(method) = lower {
                    set(message, "/method", json!(method));
                }
            })
        }),
    },
    Fault {
        name: "methods-of-any-type",
        about: "Requests whose method is no string are answered with an empty result",
        hook: Hook::Incoming(|facts, message| match message.get("method") {
            None | Some(Value::String(_)) => Arrived::pass(message),
            Some(_) => Arrived::answer(result_for(facts, facts.id())),
        }),
    },
    Fault {
        name: "invalid-params-wrong-code",
        about: "Invalid params are refused with -32603",
        hook: Hook::Edit(|_, message| replace_code(message, -32602, -32603)),
    },
    Fault {
        name: "invalid-params-succeed",
        about: "Invalid params are answered with an empty result",
        hook: Hook::Outgoing(|facts, mut departure| {
            if carries(&departure, |message| has_code(message, -32602))
                && let Some(message) = departure.json_mut()
            {
                succeed(message, empty_result(facts, json!({"content": []})));
                departure.status = None;
            }
            vec![departure]
        }),
    },
    Fault {
        name: "invalid-params-unanswered",
        about: "Requests with invalid params are not answered",
        hook: Hook::Outgoing(|_, departure| {
            match carries(&departure, |message| has_code(message, -32602)) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "escaped-names-not-read",
        about: "Names of members are compared as they are written, escapes and all",
        hook: Hook::All(&[
            Hook::LineIn(|line| match is_escaped(line) {
                true => LineIn::Replace(b"{}".to_vec()),
                false => LineIn::Take,
            }),
            Hook::HttpRequest(|request| {
                if is_escaped(&request.body) {
                    request.body = b"{}".to_vec();
                }
                None
            }),
        ]),
    },
    Fault {
        name: "duplicate-keys-kill",
        about: "A member that comes twice ends the process",
        hook: Hook::LineIn(|line| match Lenient::parse(line) {
            Ok(message) if !message.duplicate_keys.is_empty() => LineIn::Exit(1),
            _ => LineIn::Take,
        }),
    },
    Fault {
        name: "deep-nesting-kills",
        about: "Messages that are nested deeply end the process, or their request",
        hook: Hook::All(&[
            Hook::LineIn(|line| match depth(line) > 50 {
                true => LineIn::Exit(1),
                false => LineIn::Take,
            }),
            Hook::HttpRequest(|request| (depth(&request.body) > 50).then(lost)),
        ]),
    },
    Fault {
        name: "large-messages-lost",
        about: "Messages of more than 64 KiB are lost",
        hook: Hook::All(&[
            Hook::LineIn(|line| match line.len() > 65_536 {
                true => LineIn::Ignore,
                false => LineIn::Take,
            }),
            Hook::HttpRequest(|request| (request.body.len() > 65_536).then(lost)),
        ]),
    },
];

fn has_code(message: &Value, code: i64) -> bool {
    message.pointer("/error/code").and_then(Value::as_i64) == Some(code)
}

fn replace_code(message: &mut Value, from: i64, to: i64) {
    if has_code(message, from) {
        set(message, "/error/code", json!(to));
    }
}

/// Whether a message asks for an answer.
pub(super) fn is_call(message: &Value) -> bool {
    message.get("method").is_some() && message.get("id").is_some()
}

pub(super) fn result_for(facts: &Facts, id: &Value) -> Departure {
    let result = empty_result(facts, json!({}));
    Departure::answer(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

fn refused(facts: &Facts, code: i64, message: &str) -> Arrived {
    Arrived::answer(Departure::error(facts.id(), code, message))
}

/// Makes the error with this code a result.
fn succeed_at(mut departure: Departure, code: i64) -> Vec<Departure> {
    if carries(&departure, |message| has_code(message, code))
        && let Some(message) = departure.json_mut()
    {
        succeed(message, json!({}));
        departure.status = None;
    }
    vec![departure]
}

/// Whether the object at this pointer has members beyond these.
fn has_others(message: &Value, pointer: &str, known: &[&str]) -> bool {
    let members = message.pointer(pointer).and_then(Value::as_object);
    members.is_some_and(|members| members.keys().any(|name| !known.contains(&name.as_str())))
}

pub(super) fn exit_if(line: &[u8], fatal: impl Fn(&Value) -> bool) -> LineIn {
    match serde_json::from_slice(line) {
        Ok(message) if fatal(&message) => LineIn::Exit(1),
        _ => LineIn::Take,
    }
}

/// How deep brackets are nested, whether in strings or not.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for byte in bytes {
        match byte {
            b'[' | b'{' => now += 1,
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// An HTTP response that promises an answer which never comes.
fn lost() -> HttpResponse {
    HttpResponse::empty(StatusCode::ACCEPTED)
}

/// Whether the letter `m` is written as an escape, as nobody does but who means to.
fn is_escaped(bytes: &[u8]) -> bool {
    bytes.windows(6).any(|window| window == b"\\u006d")
}
