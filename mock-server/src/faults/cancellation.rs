//! Faults of cancellation.

use serde_json::{Value, json};

use super::{Arrived, Fault, Hook};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "cancel-ignored",
        about: "Cancelled requests go on and are answered",
        hook: Hook::Incoming(|facts, message| match facts.method() {
            "notifications/cancelled" => Arrived::drop(),
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "cancel-answered",
        about: "Cancelled requests are answered with an error",
        hook: Hook::Incoming(|facts, message| {
            let id = facts.param("/requestId");
            if facts.method() == "notifications/cancelled" && !id.is_null() {
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
        about: "A cancellation of nothing is answered with an error",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "notifications/cancelled" {
                let answer = Departure::error(&Value::Null, -32602, "no such request");
                return Arrived::pass_and_answer(message, answer);
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "cancel-sent-for-nothing",
        about: "The server cancels a request that it never made",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "tools/call" && departure.answers {
                let params = json!({"requestId": "never-made"});
                let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
                return vec![Departure::message(cancelled), departure];
            }
            vec![departure]
        }),
    },
];
