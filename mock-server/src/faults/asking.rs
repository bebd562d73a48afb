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
        name: "elicitation-url-broken",
        about: "The user is sent to what is no URL",
        hook: Hook::Edit(|_, message| {
            asked(message, ELICITATION, |request| {
                let url = "somewhere else";
                let params = json!({"mode": "url", "message": "Go there.", "url": url, "elicitationId": "1"});
                set(request, "/params", params);
            });
        }),
    },
    Fault {
        name: "elicitation-of-password",
        about: "The user is asked for a password",
        hook: Hook::Edit(|_, message| {
            asked(message, ELICITATION, |request| {
                let field = json!({"type": "string", "title": "Password"});
                set(
                    request,
                    "/params/requestedSchema/properties/Pass_Word",
                    field,
                );
            });
        }),
    },
    Fault {
        name: "sampling-with-context",
        about: "Sampling takes in what other servers said",
        hook: Hook::Edit(|_, message| {
            asked(message, SAMPLING, |request| {
                set(request, "/params/includeContext", json!("allServers"));
            });
        }),
    },
    Fault {
        name: "sampling-tool-use-open",
        about: "Sampling goes on after the use of a tool without its result",
        hook: Hook::Edit(|_, message| {
            asked(message, SAMPLING, |request| {
                let used = json!({"type": "tool_use", "id": "use-1", "name": "look", "input": {}});
                let text = json!({"type": "text", "text": "And?"});
                let messages = json!([
                    {"role": "assistant", "content": [used]},
                    {"role": "user", "content": text},
                ]);
                set(request, "/params/messages", messages);
            });
        }),
    },
    Fault {
        name: "sampling-tool-result-with-text",
        about: "The result of a tool comes with words beside it",
        hook: Hook::Edit(|_, message| {
            asked(message, SAMPLING, |request| {
                let used = json!({"type": "tool_use", "id": "use-1", "name": "look", "input": {}});
                let result = json!({"type": "tool_result", "toolUseId": "use-1", "content": []});
                let text = json!({"type": "text", "text": "And?"});
                let messages = json!([
                    {"role": "assistant", "content": [used]},
                    {"role": "user", "content": [result, text]},
                ]);
                set(request, "/params/messages", messages);
            });
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

/// Edits what is asked for by this method, in a request or in a result.
fn asked(message: &mut Value, method: &str, edit: impl Fn(&mut Value)) {
    if is_request(message, method) {
        edit(message);
    } else if let Some(Value::Object(inputs)) = message.pointer_mut("/result/inputRequests") {
        let inputs = inputs.iter_mut().map(|(_, input)| input);
        inputs
            .filter(|input| is_request(input, method))
            .for_each(edit);
    }
}

const ELICITATION: &str = "elicitation/create";
const SAMPLING: &str = "sampling/createMessage";
