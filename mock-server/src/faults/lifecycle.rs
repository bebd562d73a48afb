//! Faults of the opening of a conversation: `initialize`, `ping`, capabilities.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook, HttpResponse,
    edits::{carries, fail, is_result, remove, set},
};
use crate::core::{Departure, Facts};

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
        name: "capabilities-undeclared-resources",
        about: "The resources capability is not declared, though resources are there",
        hook: Hook::Edit(|_, message| remove(message, "/result/capabilities/resources")),
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
        name: "ping-late",
        about: "Pings are answered when they are no longer of use",
        hook: Hook::Outgoing(|facts, mut departure| {
            if facts.method() == "ping" && departure.answers {
                departure.after = std::time::Duration::from_millis(1900);
            }
            vec![departure]
        }),
    },
    Fault {
        name: "ping-with-params-refused",
        about: "Pings that carry metadata are refused",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "ping") && !facts.param("/_meta").is_null() {
                fail(message, -32602, "ping takes no params");
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
        about: "A request of the server's own comes before the answer to `initialize`",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "initialize"
                && departure
                    .json()
                    .is_some_and(|it| it.get("result").is_some())
            {
                let request = json!({"jsonrpc": "2.0", "id": "too-early", "method": "roots/list"});
                return vec![Departure::message(request), departure];
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
    Fault {
        name: "ping-unanswered",
        about: "Pings are not answered",
        hook: Hook::Outgoing(|facts, departure| {
            match facts.method() == "ping" && departure.answers {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "ping-before-initialize-unanswered",
        about: "Pings before `initialize` are not answered",
        hook: Hook::Incoming(|facts, message| {
            match facts.revision.is_none() && facts.method() == "ping" {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "malformed-initialize-accepted",
        about: "What `initialize` lacks is made up",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() != "initialize" {
                return Arrived::pass(message);
            }
            super::edits::pass_edited(message, complete_initialize)
        }),
    },
    Fault {
        name: "malformed-initialize-unanswered",
        about: "An `initialize` that lacks something is not answered",
        hook: Hook::Outgoing(|facts, departure| {
            let refused = |message: &Value| message.get("error").is_some();
            match facts.method() == "initialize" && carries(&departure, refused) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "tool-calls-before-initialize-served",
        about: "Tools can be called before `initialize`",
        hook: Hook::Incoming(|facts, message| {
            if facts.revision.is_none() && facts.method() == "tools/call" && !is_modern(&message) {
                let result = json!({"jsonrpc": "2.0", "id": facts.id(), "result": {"content": []}});
                return Arrived::answer(Departure::answer(result));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "early-request-spoils-initialize",
        about: "After a request that came too early `initialize` is refused",
        hook: Hook::Incoming(|facts, message| {
            let early = facts.revision.is_none() && facts.method() != "initialize";
            if early && !facts.id().is_null() && !is_modern(&message) {
                facts
                    .memory
                    .keep("too early", Departure::message(Value::Null));
            }
            if facts.method() == "initialize" && !facts.memory.take("too early").is_empty() {
                return Arrived::answer(Departure::error(facts.id(), -32600, "too late"));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "silent-until-initialized",
        about: "Between `initialize` and `notifications/initialized` nothing is answered",
        hook: Hook::Incoming(|facts, message| {
            match facts.method() {
                "initialize" | "" => return Arrived::pass(message),
                "notifications/initialized" => {
                    facts
                        .memory
                        .keep("initialized", Departure::message(Value::Null));
                    return Arrived::pass(message);
                }
                _ => {}
            }
            if facts.memory.take("initialized").is_empty() {
                return Arrived::drop();
            }
            facts
                .memory
                .keep("initialized", Departure::message(Value::Null));
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "second-initialize-unanswered",
        about: "A second `initialize` is not answered",
        hook: Hook::Incoming(|facts, message| {
            match facts.revision.is_some() && facts.method() == "initialize" {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "unknown-capabilities-refused",
        about: "Clients with a capability that the server does not know are refused",
        hook: Hook::Incoming(|facts, message| {
            let meta = "/_meta/io.modelcontextprotocol~1clientCapabilities";
            let declared = [facts.param("/capabilities"), facts.param(meta)];
            let unknown = declared
                .iter()
                .any(|declared| declared.get("com.example/colours").is_some());
            match unknown {
                true => Arrived::answer(Departure::error(facts.id(), -32602, "unknown capability")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "client-info-strict",
        about: "Clients that say more than their name and version are refused",
        hook: Hook::Incoming(|facts, message| {
            let infos = [
                facts.param("/clientInfo"),
                facts.param("/_meta/io.modelcontextprotocol~1clientInfo"),
            ];
            match infos.iter().any(|info| info.get("title").is_some()) {
                true => Arrived::answer(Departure::error(facts.id(), -32602, "unknown member")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "client-info-required",
        about: "Modern requests that do not say which client they come from are refused",
        hook: Hook::Incoming(|facts, message| {
            let info = facts.param("/_meta/io.modelcontextprotocol~1clientInfo");
            match is_modern(&message) && info.is_null() {
                true => Arrived::answer(Departure::error(facts.id(), -32602, "who are you?")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "one-session-at-a-time",
        about: "A new session ends those before it",
        hook: Hook::HttpRequest(|request| {
            let id = request.header("mcp-session-id")?;
            let last = request.sessions.last().is_some_and(|last| last == id);
            (!last).then(|| HttpResponse::empty(http::StatusCode::NOT_FOUND))
        }),
    },
    Fault {
        name: "discover-once",
        about: "`server/discover` is answered once",
        hook: Hook::Incoming(|facts, message| {
            let again = facts.method() == "server/discover" && facts.memory.count("discover") > 1;
            match again {
                true => Arrived::answer(Departure::error(facts.id(), -32600, "asked already")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "discover-required-first",
        about: "Nothing is served before `server/discover`",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "server/discover" {
                facts
                    .memory
                    .keep("discovered", Departure::message(Value::Null));
            } else if is_modern(&message) {
                let kept = facts.memory.take("discovered");
                if kept.is_empty() {
                    let answer =
                        Departure::error(facts.id(), -32600, "server/discover comes first");
                    return Arrived::answer(answer);
                }
                facts
                    .memory
                    .keep("discovered", Departure::message(Value::Null));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "meta-refused-with-other-code",
        about: "Requests without their metadata are refused with -32600",
        hook: Hook::Edit(|facts, message| {
            if lacks_meta(facts) && message.pointer("/error/code") == Some(&json!(-32602)) {
                set(message, "/error/code", json!(-32600));
            }
        }),
    },
    Fault {
        name: "meta-refused-with-200",
        about: "Requests without their metadata are refused with status 200",
        hook: Hook::Outgoing(|facts, mut departure| {
            if lacks_meta(facts) {
                departure.status = departure.status.filter(|status| *status != 400);
            }
            vec![departure]
        }),
    },
    Fault {
        name: "meta-of-any-type",
        about: "Metadata of the wrong type counts as what it should have been",
        hook: Hook::Incoming(|facts, message| {
            let version = facts.param("/_meta/io.modelcontextprotocol~1protocolVersion");
            let capabilities = facts.param("/_meta/io.modelcontextprotocol~1clientCapabilities");
            let (version, capabilities) = (version.is_number(), capabilities.is_array());
            super::edits::pass_edited(message, |message| {
                let meta = "/params/_meta/io.modelcontextprotocol~1";
                if version {
                    set(
                        message,
                        &format!("{meta}protocolVersion"),
                        json!("2026-07-28"),
                    );
                }
                if capabilities {
                    set(message, &format!("{meta}clientCapabilities"), json!({}));
                }
            })
        }),
    },
    Fault {
        name: "capabilities-remembered",
        about: "Capabilities that a client declared once count for its later requests too",
        hook: Hook::Incoming(|facts, message| {
            let pointer = "/_meta/io.modelcontextprotocol~1clientCapabilities";
            let declared = facts.param(pointer).clone();
            if facts.method() != "tools/call" || !declared.is_object() {
                return Arrived::pass(message);
            }
            if declared != json!({}) {
                facts
                    .memory
                    .keep("capabilities", Departure::message(declared));
                return Arrived::pass(message);
            }
            let kept = facts.memory.take("capabilities");
            let remembered = kept.last().and_then(Departure::json).cloned();
            super::edits::pass_edited(message, |message| {
                if let Some(remembered) = remembered {
                    set(message, &format!("/params{pointer}"), remembered);
                }
            })
        }),
    },
    Fault {
        name: "removed-methods-served",
        about: "Methods that the modern era has no more are answered with an empty result",
        hook: Hook::Incoming(|facts, message| {
            let removed = [
                "ping",
                "logging/setLevel",
                "resources/subscribe",
                "resources/unsubscribe",
            ];
            if removed.contains(&facts.method()) && is_modern(&message) {
                let result = json!({"resultType": "complete"});
                let answer = json!({"jsonrpc": "2.0", "id": facts.id(), "result": result});
                return Arrived::answer(Departure::answer(answer));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "legacy-request-pins",
        about: "A request without metadata makes the connection one of the legacy era",
        hook: Hook::Incoming(|facts, message| {
            if facts.id().is_null() || facts.method().is_empty() {
                return Arrived::pass(message);
            }
            let pinned = !facts.memory.take("pinned").is_empty();
            if pinned || !is_modern(&message) {
                facts.memory.keep("pinned", Departure::message(Value::Null));
            }
            match pinned && is_modern(&message) {
                true => Arrived::answer(Departure::error(facts.id(), -32601, "Method not found")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "initialize-refused-bluntly",
        about: "`initialize` is refused without a word on which versions are spoken",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "initialize") {
                fail(message, -32601, "no");
            }
        }),
    },
];

/// Whether a request says what modern requests say.
fn is_modern(message: &Value) -> bool {
    message
        .pointer("/params/_meta/io.modelcontextprotocol~1protocolVersion")
        .is_some()
}

/// Whether a request lacks what every modern request must say.
fn lacks_meta(facts: &Facts) -> bool {
    ["protocolVersion", "clientCapabilities"]
        .iter()
        .any(|name| {
            facts
                .param(&format!("/_meta/io.modelcontextprotocol~1{name}"))
                .is_null()
        })
}

fn complete_initialize(message: &mut Value) {
    let params = message.pointer("/params").is_some_and(Value::is_object);
    if !params {
        set(message, "/params", json!({}));
    }
    let members = [
        ("protocolVersion", json!("2025-11-25")),
        ("capabilities", json!({})),
        ("clientInfo", json!({"name": "somebody", "version": "0"})),
    ];
    for (name, value) in members {
        let pointer = format!("/params/{name}");
        let sound = message
            .pointer(&pointer)
            .is_some_and(|given| given.is_string() == value.is_string());
        if !sound
            || message
                .pointer(&pointer)
                .is_some_and(|given| given.is_array())
        {
            set(message, &pointer, value);
        }
    }
}
