//! Faults of the modern era.

use mcp_verdict_wire::Era;
use serde_json::{Value, json};

use super::{
    Fault, Hook, HttpRequest,
    edits::{fail, is_result, pass_edited, remove, set},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "result-type-missing",
        about: "Results do not say of which type they are",
        hook: Hook::Edit(|_, message| remove(message, "/result/resultType")),
    },
    Fault {
        name: "result-type-unknown",
        about: "Results are of a type that does not exist",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/resultType").is_some() {
                set(message, "/result/resultType", json!("partial"));
            }
        }),
    },
    Fault {
        name: "discover-missing",
        about: "`server/discover` is not implemented",
        hook: Hook::Outgoing(|facts, mut departure| {
            if facts.method() == "server/discover"
                && let Some(message) = departure.json_mut()
            {
                fail(message, -32601, "Method not found: server/discover");
                departure.status = Some(404);
            }
            vec![departure]
        }),
    },
    Fault {
        name: "discover-other-versions",
        about: "`server/discover` names versions that requests are then refused with",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/supportedVersions").is_some() {
                set(message, "/result/supportedVersions", json!(["2027-01-01"]));
            }
        }),
    },
    Fault {
        name: "discover-adds-version",
        about: "Besides those that there are `server/discover` names a version that requests are then refused with",
        hook: Hook::Edit(|_, message| {
            if let Some(Value::Array(versions)) = message.pointer_mut("/result/supportedVersions") {
                versions.insert(1, json!("2027-01-01"));
            }
        }),
    },
    Fault {
        name: "ttl-missing",
        about: "Results that can be cached do not say for how long",
        hook: Hook::Edit(|_, message| remove(message, "/result/ttlMs")),
    },
    Fault {
        name: "ttl-negative",
        about: "Results can be cached for less than no time",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/ttlMs").is_some() {
                set(message, "/result/ttlMs", json!(-1));
            }
        }),
    },
    Fault {
        name: "cache-scope-missing",
        about: "Results that can be cached do not say for whom",
        hook: Hook::Edit(|_, message| remove(message, "/result/cacheScope")),
    },
    Fault {
        name: "cache-scope-varies",
        about: "Pages of one list can be cached for different callers",
        hook: Hook::Edit(|facts, message| {
            if message.pointer("/result/cacheScope").is_some() && facts.param("/cursor").is_string()
            {
                set(message, "/result/cacheScope", json!("private"));
            }
        }),
    },
    Fault {
        name: "meta-not-required",
        about: "Requests without their metadata are served",
        hook: Hook::Incoming(|facts, message| {
            if facts.method().is_empty()
                || facts.id().is_null()
                || !wants_meta(facts.era(), facts.method())
            {
                return super::Arrived::pass(message);
            }
            pass_edited(message, complete_meta)
        }),
    },
    Fault {
        name: "unsupported-version-accepted",
        about: "Any protocol version is accepted",
        hook: Hook::All(&[
            Hook::Incoming(|_, message| pass_edited(message, known_version)),
            Hook::HttpRequest(|request| {
                if is_modern(request) {
                    request.set_header("mcp-protocol-version", "2026-07-28");
                }
                None
            }),
        ]),
    },
    Fault {
        name: "unsupported-version-without-data",
        about: "An unsupported version is refused without saying which are supported",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/error/code") == Some(&json!(-32022)) {
                remove(message, "/error/data");
            }
        }),
    },
    Fault {
        name: "header-mismatch-accepted",
        about: "Headers are not compared with the body",
        hook: Hook::HttpRequest(|request| {
            if is_modern(request) {
                headers_from_body(request);
            }
            None
        }),
    },
    Fault {
        name: "header-mismatch-wrong-code",
        about: "Headers that differ from the body are refused with -32600",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/error/code") == Some(&json!(-32020)) {
                set(message, "/error/code", json!(-32600));
            }
        }),
    },
    Fault {
        name: "unknown-method-200",
        about: "Unknown methods are refused with status 200",
        hook: Hook::Outgoing(|_, mut departure| {
            departure.status = departure.status.filter(|status| *status != 404);
            vec![departure]
        }),
    },
    Fault {
        name: "missing-capability-ignored",
        about: "What the client cannot answer is asked all the same",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() != "tools/call" {
                return super::Arrived::pass(message);
            }
            pass_edited(message, |message| {
                let all = json!({"sampling": {}, "elicitation": {}, "roots": {}});
                let pointer = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
                if message.pointer(pointer).is_some() {
                    set(message, pointer, all);
                }
            })
        }),
    },
    Fault {
        name: "missing-capability-list",
        about: "Missing capabilities are named in a list",
        hook: Hook::Edit(|_, message| {
            if message
                .pointer("/error/data/requiredCapabilities")
                .is_some()
            {
                set(
                    message,
                    "/error/data/requiredCapabilities",
                    json!(["sampling"]),
                );
            }
        }),
    },
    Fault {
        name: "input-required-empty",
        about: "The client is asked for nothing, and given nothing to carry",
        hook: Hook::Edit(|_, message| {
            remove(message, "/result/inputRequests");
            remove(message, "/result/requestState");
        }),
    },
    Fault {
        name: "input-required-on-lists",
        about: "Lists ask the client first",
        hook: Hook::Edit(|facts, message| {
            if facts.era() == Era::Modern && is_result(facts, message, "tools/list") {
                let requests = json!({"roots": {"method": "roots/list", "params": {}}});
                set(
                    message,
                    "/result",
                    json!({"resultType": "input_required", "inputRequests": requests}),
                );
            }
        }),
    },
    Fault {
        name: "request-state-not-checked",
        about: "State that was changed is taken as it comes",
        hook: Hook::Edit(|facts, message| {
            let state = facts.param("/requestState");
            if !state.is_null() && message.pointer("/error/code") == Some(&json!(-32602)) {
                let done = json!({"resultType": "complete", "content": [{"type": "text", "text": "state-ok"}]});
                super::edits::succeed(message, done);
            }
        }),
    },
    Fault {
        name: "session-id-in-modern",
        about: "Modern requests are answered with a session id",
        hook: Hook::HttpResponse(|request, response| {
            if is_modern(request) {
                let id = http::HeaderValue::from_static("a-session-nobody-asked-for");
                response.headers.insert("mcp-session-id", id);
            }
        }),
    },
];

fn is_modern(request: &HttpRequest) -> bool {
    request.headers.contains_key("mcp-method")
        || request
            .header("mcp-protocol-version")
            .is_some_and(|version| version >= "2026-07-28")
}

fn wants_meta(era: Era, method: &str) -> bool {
    era == Era::Modern || matches!(method, "server/discover" | "subscriptions/listen")
}

pub(super) fn complete_meta(message: &mut Value) {
    for (parent, name) in [("", "params"), ("/params", "_meta")] {
        let pointer = format!("{parent}/{name}");
        if !message.pointer(&pointer).is_some_and(Value::is_object) {
            set(message, &pointer, json!({}));
        }
    }
    let meta = [
        ("protocolVersion", json!("2026-07-28")),
        ("clientCapabilities", json!({})),
    ];
    for (name, value) in meta {
        let pointer = format!("/params/_meta/io.modelcontextprotocol~1{name}");
        if message.pointer(&pointer).is_none() {
            set(message, &pointer, value);
        }
    }
}

fn known_version(message: &mut Value) {
    let pointer = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
    if message.pointer(pointer).is_some() {
        set(message, pointer, json!("2026-07-28"));
    }
}

/// Makes the headers say what the body says.
fn headers_from_body(request: &mut HttpRequest) {
    let Some(message) = request.json() else {
        return;
    };
    let text = |pointer: &str| {
        message
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    if let Some(version) = text("/params/_meta/io.modelcontextprotocol~1protocolVersion") {
        request.set_header("mcp-protocol-version", &version);
    }
    if let Some(method) = text("/method") {
        request.set_header("mcp-method", &method);
    }
    if let Some(name) = text("/params/name").or_else(|| text("/params/uri")) {
        request.set_header("mcp-name", &mcp_verdict_wire::header_value::encode(&name));
    }
    for (suffix, pointer) in crate::core::tools::mirrored(&text("/params/name").unwrap_or_default())
    {
        let value = message.pointer(&format!("/params/arguments{pointer}"));
        let shown = value.map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        });
        let name = format!("mcp-param-{}", suffix.to_ascii_lowercase());
        if let Ok(name) = http::HeaderName::try_from(name) {
            request.headers.remove(&name);
            let value = shown.map(|shown| mcp_verdict_wire::header_value::encode(&shown));
            if let Some(Ok(value)) = value.map(|value| http::HeaderValue::from_str(&value)) {
                request.headers.insert(name, value);
            }
        }
    }
}
