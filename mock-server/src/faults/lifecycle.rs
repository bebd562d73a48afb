//! Faults of the opening of a conversation: `initialize`, `ping`, capabilities.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{fail, is_result, remove, set},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "version-echoed-blindly",
        about: "Whatever protocol version is asked for is agreed to",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "initialize") {
                set(
                    message,
                    "/result/protocolVersion",
                    facts.param("/protocolVersion").clone(),
                );
            }
        }),
    },
    Fault {
        name: "version-always-first",
        about: "2024-11-05 is agreed to, whatever is asked for",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "initialize") {
                set(message, "/result/protocolVersion", json!("2024-11-05"));
            }
        }),
    },
    Fault {
        name: "unknown-version-refused",
        about: "An unknown protocol version is refused instead of countered",
        hook: Hook::Edit(|facts, message| {
            let agreed = message.pointer("/result/protocolVersion");
            if facts.method() == "initialize"
                && agreed.is_some_and(|agreed| agreed != facts.param("/protocolVersion"))
            {
                fail(message, -32602, "unsupported protocol version");
            }
        }),
    },
    Fault {
        name: "server-info-missing",
        about: "The server does not say who it is",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "initialize") {
                remove(message, "/result/serverInfo");
            }
            remove(message, "/result/_meta/io.modelcontextprotocol~1serverInfo");
        }),
    },
    Fault {
        name: "capabilities-missing",
        about: "The server does not say what it can do",
        hook: Hook::Edit(|_, message| remove(message, "/result/capabilities")),
    },
    Fault {
        name: "capabilities-undeclared-tools",
        about: "The tools capability is not declared, though tools are there",
        hook: Hook::Edit(|_, message| remove(message, "/result/capabilities/tools")),
    },
    Fault {
        name: "capabilities-undeclared-logging",
        about: "The logging capability is not declared, though the server logs",
        hook: Hook::Edit(|_, message| remove(message, "/result/capabilities/logging")),
    },
    Fault {
        name: "ping-with-content",
        about: "Pings are answered with more than an empty result",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "ping") {
                set(message, "/result", json!({"pong": true}));
            }
        }),
    },
    Fault {
        name: "ping-refused",
        about: "Pings are refused",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "ping") {
                fail(message, -32601, "Method not found: ping");
            }
        }),
    },
    Fault {
        name: "requests-before-initialize-served",
        about: "Requests are served before `initialize`",
        hook: Hook::Incoming(|facts, message| {
            let method = facts.method();
            let early =
                facts.revision.is_none() && method.ends_with("/list") && !facts.id().is_null();
            if early
                && facts
                    .param("/_meta/io.modelcontextprotocol~1protocolVersion")
                    .is_null()
            {
                let member = method.split('/').next().unwrap_or_default();
                let result = json!({member: []});
                let answer = json!({"jsonrpc": "2.0", "id": facts.id(), "result": result});
                return Arrived::answer(Departure::answer(answer));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "requests-before-initialized",
        about: "A request of the server's own comes right after `initialize`",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "initialize"
                && departure
                    .json()
                    .is_some_and(|it| it.get("result").is_some())
            {
                let request = json!({"jsonrpc": "2.0", "id": "too-early", "method": "roots/list"});
                return vec![departure, Departure::message(request)];
            }
            vec![departure]
        }),
    },
    Fault {
        name: "instructions-not-text",
        about: "The instructions are a list",
        hook: Hook::Edit(|_, message| {
            if message
                .pointer("/result/instructions")
                .is_some_and(Value::is_string)
            {
                set(
                    message,
                    "/result/instructions",
                    json!(["Call", "what", "you", "like"]),
                );
            }
        }),
    },
];
