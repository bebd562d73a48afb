//! Faults of batches.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    base::{exit_if, is_call},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
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
        name: "batch-half-answered",
        about: "Of a batch only the first message is handled",
        hook: Hook::Incoming(|_, message| match message {
            Value::Array(mut items) if items.len() > 1 => {
                items.truncate(1);
                Arrived::pass(Value::Array(items))
            }
            message => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-of-notifications-answered",
        about: "A batch without requests is answered with an empty array",
        hook: Hook::Incoming(|_, message| match message.as_array() {
            Some(items) if !items.is_empty() && !items.iter().any(is_call) => {
                let answer = Departure::answer(json!([]));
                Arrived::pass_and_answer(message, answer)
            }
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-empty-answered-in-kind",
        about: "An empty batch is answered with an empty batch",
        hook: Hook::Incoming(|_, message| match message == json!([]) {
            true => Arrived::answer(Departure::answer(json!([]))),
            false => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-empty-ignored",
        about: "An empty batch is ignored",
        hook: Hook::Incoming(|_, message| match message == json!([]) {
            true => Arrived::drop(),
            false => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-refused-for-one-member",
        about: "A batch is refused as a whole when one of its members is invalid",
        hook: Hook::Incoming(|_, message| match message.as_array() {
            Some(items) if !items.iter().all(Value::is_object) => {
                Arrived::answer(Departure::error(&Value::Null, -32600, "invalid member"))
            }
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-initialize-served",
        about: "A batch can open a session",
        hook: Hook::Incoming(|facts, message| match message {
            Value::Array(pass) if facts.revision.is_none() => Arrived {
                pass,
                answers: Vec::new(),
            },
            message => Arrived::pass(message),
        }),
    },
    Fault {
        name: "batch-kills",
        about: "A batch ends the process",
        hook: Hook::LineIn(|line| exit_if(line, Value::is_array)),
    },
];
