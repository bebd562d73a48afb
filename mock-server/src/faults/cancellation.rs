//! Faults of cancellation.

use serde_json::{Value, json};

use super::{Arrived, Fault, Hook};
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
        name: "cancel-malformed-answered",
        about: "A malformed cancellation is answered with an error that has an id",
        hook: Hook::Incoming(|facts, message| {
            let id = facts.param("/requestId");
            if facts.method() == CANCELLED && !id.is_string() && !id.is_i64() {
                let answer = Departure::error(&json!(0), -32602, "malformed cancellation");
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
        about: "With one call another is cancelled too",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                if facts.method() == CANCELLED {
                    facts.memory.keep(&of(facts, CALL), Departure::raw([]));
                }
                Arrived::pass(message)
            }),
            Hook::Outgoing(|facts, departure| {
                let call = departure.answers && facts.method() == "tools/call";
                match call && !facts.memory.take(&of(facts, CALL)).is_empty() {
                    true => vec![],
                    false => vec![departure],
                }
            }),
        ]),
    },
    Fault {
        name: "cancel-by-loose-id",
        about: "Ids in cancellations are compared without their type",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                let id = facts.param("/requestId").as_str();
                if let (CANCELLED, Some(id)) = (facts.method(), id) {
                    let name = format!("cancelled {id}");
                    facts.memory.keep(&of(facts, &name), Departure::raw([]));
                }
                Arrived::pass(message)
            }),
            Hook::Outgoing(|facts, departure| {
                let name = format!("cancelled {}", facts.id());
                match departure.answers && !facts.memory.take(&of(facts, &name)).is_empty() {
                    true => vec![],
                    false => vec![departure],
                }
            }),
        ]),
    },
    Fault {
        name: "busy-with-one-call",
        about: "A request that comes while a tool runs, or after it was cancelled, is not answered",
        hook: Hook::All(&[
            Hook::Incoming(busy),
            Hook::Outgoing(|facts, departure| {
                if facts.method() == "tools/call" && departure.answers {
                    drop(facts.memory.take(&of(facts, SWALLOW)));
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
const CALL: &str = "another call is not answered";
const SWALLOW: &str = "the next request is not answered";

/// Passes over the request that comes after a message for which `now` holds.
fn swallow_after(facts: &Facts, message: Value, now: bool) -> Arrived {
    if now {
        facts.memory.keep(&of(facts, SWALLOW), Departure::raw([]));
    } else if !facts.id().is_null() && !facts.memory.take(&of(facts, SWALLOW)).is_empty() {
        return Arrived::drop();
    }
    Arrived::pass(message)
}

/// Passes over the request that comes after a call.
fn busy(facts: &Facts, message: Value) -> Arrived {
    if facts.id().is_null() {
        return Arrived::pass(message);
    }
    if !facts.memory.take(&of(facts, SWALLOW)).is_empty() {
        return Arrived::drop();
    }
    swallow_after(facts, message, facts.method() == "tools/call")
}

/// A name in memory. Over HTTP sessions of other revisions may be under way beside this one.
fn of(facts: &Facts, name: &str) -> String {
    match facts.transport.is_channel() {
        true => name.to_owned(),
        false => format!("{name} in {:?}", facts.revision),
    }
}
