//! Faults of requests that take several rounds (2026-07-28).

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{fail, is_result, remove, set, succeed},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "input-of-unknown-kind",
        about: "The client is asked for something that does not exist",
        hook: Hook::Edit(|_, message| {
            let requests = message.pointer_mut("/result/inputRequests");
            for request in requests
                .and_then(Value::as_object_mut)
                .into_iter()
                .flatten()
            {
                *request.1 = json!({"method": "user/ask", "params": {"question": "Who are you?"}});
            }
        }),
    },
    Fault {
        name: "input-malformed",
        about: "What the client is asked for is not as the schema has it",
        hook: Hook::Edit(|_, message| {
            let requests = message.pointer_mut("/result/inputRequests");
            for request in requests
                .and_then(Value::as_object_mut)
                .into_iter()
                .flatten()
            {
                remove(request.1, "/params/message");
                remove(request.1, "/params/messages");
                remove(request.1, "/method");
            }
        }),
    },
    Fault {
        name: "retry-unanswered",
        about: "Retries are not answered",
        hook: Hook::Incoming(|facts, message| match brings_input(facts) {
            true => Arrived::drop(),
            false => Arrived::pass(message),
        }),
    },
    Fault {
        name: "unretried-blocks",
        about: "After a call that asks for input no other call is taken before its retry",
        hook: Hook::All(&[
            Hook::Edit(|facts, message| {
                let kind = message.pointer("/result/resultType");
                if kind.is_some_and(|kind| kind == "input_required") {
                    facts
                        .memory
                        .keep(UNRETRIED, Departure::message(Value::Null));
                }
            }),
            Hook::Incoming(|facts, message| {
                if facts.method() != "tools/call" || facts.memory.take(UNRETRIED).is_empty() {
                    return Arrived::pass(message);
                }
                let text = "a call still waits for input";
                Arrived::answer(Departure::error(facts.id(), -32603, text))
            }),
        ]),
    },
    Fault {
        name: "retry-refused",
        about: "Retries are refused, whatever they bring",
        hook: Hook::Edit(|facts, message| {
            if brings_input(facts) && is_result(facts, message, "tools/call") {
                fail(message, -32603, "the first request is forgotten");
            }
        }),
    },
    Fault {
        name: "missing-input-refused",
        about: "Retries that lack something are refused",
        hook: Hook::Incoming(|facts, message| {
            let none = facts
                .param("/inputResponses")
                .as_object()
                .is_some_and(serde_json::Map::is_empty);
            match none {
                true => Arrived::answer(Departure::error(facts.id(), -32602, "input is missing")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "missing-input-unanswered",
        about: "Retries that lack something are not answered",
        hook: Hook::Incoming(|facts, message| {
            let none = facts
                .param("/inputResponses")
                .as_object()
                .is_some_and(serde_json::Map::is_empty);
            match none {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "input-not-checked",
        about: "Whatever is brought is taken for the input that was asked for",
        hook: Hook::Edit(|facts, message| {
            if brings_input(facts) && message.get("error").is_some() {
                let content = json!([{"type": "text", "text": "Thank you."}]);
                succeed(
                    message,
                    json!({"resultType": "complete", "content": content}),
                );
            }
        }),
    },
    Fault {
        name: "malformed-input-unanswered",
        about: "Retries with malformed input are not answered",
        hook: Hook::Outgoing(|facts, departure| {
            let refusal = departure
                .json()
                .is_some_and(|message| message.get("error").is_some());
            match refusal && brings_input(facts) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "unknown-input-refused",
        about: "Input that was not asked for is refused",
        hook: Hook::Incoming(|facts, message| {
            match facts
                .param("/inputResponses/nobody-asked-for-this")
                .is_null()
            {
                true => Arrived::pass(message),
                false => Arrived::answer(Departure::error(facts.id(), -32602, "nobody asked")),
            }
        }),
    },
    Fault {
        name: "request-state-tampered-unanswered",
        about: "Retries whose state was changed are not answered",
        hook: Hook::Outgoing(|facts, departure| {
            let refusal = departure
                .json()
                .is_some_and(|message| message.get("error").is_some());
            match refusal && !facts.param("/requestState").is_null() {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "input-required-for-lists-of-prompts",
        about: "Lists of prompts and resources ask the client first",
        hook: Hook::Edit(|facts, message| {
            let asks = is_result(facts, message, "prompts/list")
                || is_result(facts, message, "resources/list");
            if asks && facts.era() == mcp_verdict_wire::Era::Modern {
                let requests = json!({"roots": {"method": "roots/list", "params": {}}});
                let result = json!({"resultType": "input_required", "inputRequests": requests});
                set(message, "/result", result);
            }
        }),
    },
];

fn brings_input(facts: &Facts) -> bool {
    !facts.param("/inputResponses").is_null()
}

/// Under which name it is kept that a call asked for input.
const UNRETRIED: &str = "unretried";
