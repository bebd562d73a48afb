//! Bugs of bookkeeping: answers that hold what others said, go astray, or should not be, and what is never given back.

use serde_json::{Value, json};

use crate::{
    core::Departure,
    faults::{
        Arrived, Fault, Hook, LineIn,
        base::is_call,
        edits::{carries, fail, set},
    },
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "fuzz-refused-kept",
        about: "For each message that is refused 64 KiB are never given back",
        hook: Hook::Outgoing(|_, departure| {
            if carries(&departure, |message| message.get("error").is_some()) {
                std::mem::forget(std::hint::black_box(vec![1_u8; 64 * 1024]));
            }
            vec![departure]
        }),
    },
    Fault {
        name: "fuzz-notification-after-cancel",
        about: "A notification right behind a cancellation is answered",
        hook: Hook::Incoming(|facts, message| {
            let behind = !facts.memory.take(CANCELLED).is_empty();
            if facts.method() == CANCELLED {
                facts.memory.keep(CANCELLED, Departure::raw([]));
            } else if behind && message.get("method").is_some() && message.get("id").is_none() {
                let answer =
                    Departure::message(json!({"jsonrpc": "2.0", "id": null, "result": {}}));
                return Arrived::pass_and_answer(message, answer);
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "fuzz-unknown-cancel",
        about: "A cancellation of what is not under way is the last message that is read",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                if !facts.transport.is_channel() {
                    return Arrived::pass(message);
                }
                if is_call(&message) {
                    facts
                        .memory
                        .keep(&under_way(facts.id()), Departure::raw([]));
                }
                let cancelled = facts.param("/requestId");
                if facts.method() == CANCELLED
                    && facts.memory.take(&under_way(cancelled)).is_empty()
                {
                    facts.memory.mark("dead");
                }
                match facts.memory.is_marked("dead") {
                    true => Arrived::drop(),
                    false => Arrived::pass(message),
                }
            }),
            Hook::Outgoing(|facts, departure| {
                if departure.answers {
                    // What it was is of no interest.
                    drop(facts.memory.take(&under_way(facts.id())));
                }
                vec![departure]
            }),
        ]),
    },
    Fault {
        name: "fuzz-equal-ids",
        about: "A request is lost if its id is that of the one before as a text, and of another type",
        hook: Hook::Incoming(|facts, message| {
            if !is_call(&message) {
                return Arrived::pass(message);
            }
            let name = format!("last id in {:?}", facts.revision);
            let last = facts.memory.take(&name);
            facts
                .memory
                .keep(&name, Departure::message(facts.id().clone()));
            let clash = last.iter().filter_map(Departure::json).any(|last| {
                last.is_string() != facts.id().is_string() && text(last) == text(facts.id())
            });
            match clash {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "fuzz-answer-of-same-id",
        about: "A call gets the answer of the call before if both have the same id, whoever asked",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() != "tools/call" || !departure.answers {
                return vec![departure];
            }
            let kept = facts.memory.take("last answer");
            let same = |kept: &Departure| {
                kept.json()
                    .is_some_and(|it| it.get("id") == Some(facts.id()))
            };
            let answer = kept.into_iter().find(same).unwrap_or(departure);
            facts.memory.keep("last answer", answer.clone());
            vec![answer]
        }),
    },
    Fault {
        name: "fuzz-refused-argument-stays",
        about: "The arguments of a call that is refused show up in the next result",
        hook: Hook::Outgoing(|facts, mut departure| {
            if facts.method() != "tools/call" || !departure.answers {
                return vec![departure];
            }
            let Some(message) = departure.json_mut() else {
                return vec![departure];
            };
            if is_refused(message) {
                let arguments = facts.param("/arguments").to_string();
                drop(facts.memory.take("arguments"));
                facts
                    .memory
                    .keep("arguments", Departure::message(json!(arguments)));
            } else if let Some(arguments) = facts.memory.take("arguments").pop() {
                let content = message.pointer_mut("/result/content");
                if let Some(Value::Array(content)) = content {
                    let text = arguments.json().cloned().unwrap_or_default();
                    content.push(json!({"type": "text", "text": text}));
                }
            }
            vec![departure]
        }),
    },
    Fault {
        name: "fuzz-trace-in-error",
        about: "An argument of a wrong type is refused with a stack trace",
        hook: Hook::Edit(|facts, message| {
            let text = message.to_string();
            if facts.method() == "tools/call" && text.contains("Invalid arguments for ") {
                let trace =
                    "TypeError: not what was expected\n    at call (/srv/app/tools.js:42:17)";
                fail(message, -32602, trace);
            }
        }),
    },
    Fault {
        name: "fuzz-bracket-code",
        about: "What is no JSON and begins with `[` is an internal error",
        hook: Hook::All(&[
            Hook::LineIn(|line| match is_broken_list(line) {
                true => LineIn::Replace(BROKEN_LIST.to_vec()),
                false => LineIn::Take,
            }),
            Hook::HttpRequest(|request| {
                if is_broken_list(&request.body) {
                    request.body = BROKEN_LIST.to_vec();
                }
                None
            }),
            Hook::Edit(|_, message| {
                let text = message.pointer("/error/message").and_then(Value::as_str);
                if text.is_some_and(|text| text.ends_with(BROKEN_LIST_AT)) {
                    set(message, "/error/code", json!(-32603));
                }
            }),
        ]),
    },
    Fault {
        name: "fuzz-error-id-as-text",
        about: "The id of an error is a string if it was a number above 2^31",
        hook: Hook::Edit(|_, message| {
            let id = message.get("id").cloned().unwrap_or_default();
            let large = id.as_f64().is_some_and(|id| id > 2_147_483_648.0);
            if large && message.get("error").is_some() {
                set(message, "/id", json!(id.to_string()));
            }
        }),
    },
];

fn under_way(id: &Value) -> String {
    format!("under way: {id}")
}

/// An id without its type.
fn text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

fn is_refused(message: &Value) -> bool {
    message.get("error").is_some() || message.pointer("/result/isError") == Some(&json!(true))
}

fn is_broken_list(bytes: &[u8]) -> bool {
    bytes.starts_with(b"[") && serde_json::from_slice::<Value>(bytes).is_err()
}

const CANCELLED: &str = "notifications/cancelled";

/// Stands for every list that is none.
const BROKEN_LIST: &[u8] = b"[              ?";

/// Where the reader sees that.
const BROKEN_LIST_AT: &str = "line 1 column 16";
