//! Faults of what a legacy server asks its client for: sampling, elicitation, roots.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook, LineIn,
    edits::{is_notification as is_request, pass_edited, remove, set},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "sampling-without-max-tokens",
        about: "Sampling has no bound",
        hook: Hook::Edit(|_, message| {
            if is_request(message, SAMPLING) {
                remove(message, "/params/maxTokens");
            }
        }),
    },
    Fault {
        name: "sampling-role-unknown",
        about: "Sampling speaks as `system`",
        hook: Hook::Edit(|_, message| {
            if is_request(message, SAMPLING) {
                set(message, "/params/messages/0/role", json!("system"));
            }
        }),
    },
    Fault {
        name: "sampling-with-tools",
        about: "Sampling brings tools along",
        hook: Hook::Edit(|_, message| {
            if is_request(message, SAMPLING) {
                let tool = json!({"name": "look", "inputSchema": {"type": "object"}});
                set(message, "/params/tools", json!([tool]));
            }
        }),
    },
    Fault {
        name: "elicitation-without-message",
        about: "The user is asked without words",
        hook: Hook::Edit(|_, message| {
            if is_request(message, ELICITATION) {
                remove(message, "/params/message");
            }
        }),
    },
    Fault {
        name: "elicitation-nested",
        about: "The user is asked to fill in a form within a form",
        hook: Hook::Edit(|_, message| {
            if is_request(message, ELICITATION) {
                let inner = json!({"type": "object", "properties": {"city": {"type": "string"}}});
                set(message, "/params/requestedSchema/properties/address", inner);
            }
        }),
    },
    Fault {
        name: "elicitation-by-url",
        about: "The user is sent to a URL",
        hook: Hook::Edit(|_, message| {
            if is_request(message, ELICITATION) {
                let url = "https://example.com/form";
                let params = json!({"mode": "url", "message": "Go there.", "url": url, "elicitationId": "1"});
                set(message, "/params", params);
            }
        }),
    },
    Fault {
        name: "roots-params-list",
        about: "Roots are asked for with a list of params",
        hook: Hook::Edit(|_, message| {
            if is_request(message, "roots/list") {
                set(message, "/params", json!([]));
            }
        }),
    },
    Fault {
        name: "asks-undeclared",
        about: "The client is asked for what it did not declare",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() != "initialize" {
                return Arrived::pass(message);
            }
            let all = json!({"sampling": {}, "elicitation": {}, "roots": {}});
            pass_edited(message, |message| set(message, "/params/capabilities", all))
        }),
    },
    Fault {
        name: "refusal-unanswered",
        about: "A user who declines or cancels is not heard",
        hook: Hook::Incoming(|_, message| {
            match message.pointer("/result/action").and_then(Value::as_str) {
                Some("decline" | "cancel") => Arrived::drop(),
                _ => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "client-error-unheard",
        about: "An error with which the client answers is not heard",
        hook: Hook::Incoming(|_, message| match message.get("error") {
            Some(_) if message.get("method").is_none() => Arrived::drop(),
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "client-error-ends-process",
        about: "An error with which the client answers ends the process",
        hook: Hook::LineIn(|line| match serde_json::from_slice::<Value>(line) {
            Ok(message) if message.get("method").is_none() && message.get("error").is_some() => {
                LineIn::Exit(1)
            }
            _ => LineIn::Take,
        }),
    },
    Fault {
        name: "odd-answer-unheard",
        about: "An answer of the client's that lacks what it needs is not heard",
        hook: Hook::Incoming(|_, message| match message.get("result") {
            Some(result) if result.get("odd").is_some() => Arrived::drop(),
            _ => Arrived::pass(message),
        }),
    },
];

const ELICITATION: &str = "elicitation/create";
const SAMPLING: &str = "sampling/createMessage";
