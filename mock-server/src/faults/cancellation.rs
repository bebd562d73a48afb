//! Faults of cancellation.

use serde_json::{Value, json};

use super::{Arrived, Fault, Hook, edits::set};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "cancel-ignored",
        about: "Cancelled requests go on and are answered",
        hook: Hook::Incoming(|facts, message| match facts.method() {
            CANCELLED => Arrived::drop(),
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "cancel-answered",
        about: "Cancelled requests are answered with an error",
        hook: Hook::Incoming(|facts, message| {
            let id = facts.param("/requestId");
            if facts.method() == CANCELLED && !id.is_null() {
                let answer = Departure::error(id, -32800, "Request cancelled");
                return Arrived::pass_and_answer(
                    message,
                    Departure {
                        answers: false,
                        ..answer
                    },
                );
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "cancel-unknown-answered",
        about: "A cancellation is answered with an error under the id that it names",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == CANCELLED {
                let answer = Departure::error(facts.param("/requestId"), -32602, "no such request");
                return Arrived::pass_and_answer(message, answer);
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "cancel-malformed-swallows-next",
        about: "After a malformed cancellation the next request is not answered",
        hook: Hook::Incoming(|facts, message| {
            let id = facts.param("/requestId");
            let sound = id.is_string() || id.is_i64();
            swallow_after(facts, message, facts.method() == CANCELLED && !sound)
        }),
    },
    Fault {
        name: "cancel-swallows-next",
        about: "After a cancellation the next request is not answered",
        hook: Hook::Incoming(|facts, message| {
            swallow_after(facts, message, facts.method() == CANCELLED)
        }),
    },
    Fault {
        name: "cancel-cancels-all",
        about: "A cancellation cancels every call in flight",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "tools/call" {
                facts
                    .memory
                    .keep(CALLS, Departure::message(facts.id().clone()));
            }
            if facts.method() != CANCELLED {
                return Arrived::pass(message);
            }
            let calls = facts.memory.take(CALLS);
            let ids = calls.iter().filter_map(Departure::json);
            let pass = ids
                .map(|id| json!({"jsonrpc": "2.0", "method": CANCELLED, "params": {"requestId": id}}))
                .collect();
            Arrived {
                pass,
                ..Arrived::default()
            }
        }),
    },
    Fault {
        name: "cancel-by-loose-id",
        about: "Ids in cancellations are compared without their type",
        hook: Hook::Incoming(|facts, mut message| {
            let digits = facts
                .param("/requestId")
                .as_str()
                .and_then(|id| id.parse::<i64>().ok());
            if let (CANCELLED, Some(number)) = (facts.method(), digits) {
                set(&mut message, "/params/requestId", json!(number));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "busy-with-one-call",
        about: "A request that comes while a tool runs, or after it was cancelled, is not answered",
        hook: Hook::All(&[
            Hook::Incoming(busy),
            Hook::Outgoing(|facts, departure| {
                if facts.method() == "tools/call" && departure.answers {
                    drop(facts.memory.take(SWALLOW));
                }
                vec![departure]
            }),
        ]),
    },
    Fault {
        name: "cancel-sent-for-nothing",
        about: "The server cancels a request that it never made",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "tools/call" && departure.answers {
                let params = json!({"requestId": "never-made"});
                let cancelled = json!({"jsonrpc": "2.0", "method": CANCELLED, "params": params});
                return vec![Departure::message(cancelled), departure];
            }
            vec![departure]
        }),
    },
];

const CANCELLED: &str = "notifications/cancelled";
const CALLS: &str = "calls in flight";
const SWALLOW: &str = "the next request is not answered";

/// Passes over the request that comes after a message for which `now` holds.
fn swallow_after(facts: &Facts, message: Value, now: bool) -> Arrived {
    if now {
        facts.memory.keep(SWALLOW, Departure::message(Value::Null));
    } else if !facts.id().is_null() && !facts.memory.take(SWALLOW).is_empty() {
        return Arrived::drop();
    }
    Arrived::pass(message)
}

/// Passes over what comes after a call, until something other than a call was passed over.
fn busy(facts: &Facts, message: Value) -> Arrived {
    let is_call = facts.method() == "tools/call";
    let is_busy = !facts.memory.take(SWALLOW).is_empty() && facts.method() != "initialize";
    if is_call || (is_busy && facts.id().is_null()) {
        facts.memory.keep(SWALLOW, Departure::message(Value::Null));
    }
    match is_busy && !facts.id().is_null() {
        true => Arrived::drop(),
        false => Arrived::pass(message),
    }
}
