//! Faults of the headers that repeat what the body says (2026-07-28).

use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::{
    Fault, Hook, HttpRequest, HttpResponse,
    edits::{each, is_result, set},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "header-mismatch-with-200",
        about: "Headers that differ from the body are refused with status 200",
        hook: Hook::Outgoing(|_, mut departure| {
            let mismatch = |message: &Value| message.pointer("/error/code") == Some(&json!(-32020));
            if departure.json().is_some_and(mismatch) {
                departure.status = None;
            }
            vec![departure]
        }),
    },
    Fault {
        name: "header-values-in-any-case",
        about: "Headers are compared with the body as if case did not matter",
        hook: Hook::HttpRequest(|request| {
            let method = request
                .json()
                .and_then(|body| Some(body.get("method")?.as_str()?.to_owned()));
            if let (Some(method), Some(header)) = (method, request.header("mcp-method"))
                && header.eq_ignore_ascii_case(&method)
            {
                request.set_header("mcp-method", &method);
            }
            None
        }),
    },
    Fault {
        name: "body-version-not-checked",
        about: "The version is read from the headers alone",
        hook: Hook::HttpRequest(|request| {
            let pointer = "/params/_meta/io.modelcontextprotocol~1protocolVersion";
            if let (Some(mut body), Some(version)) =
                (request.json(), request.header("mcp-protocol-version"))
                && body.pointer(pointer).is_some()
            {
                set(&mut body, pointer, json!(version));
                request.body = body.to_string().into_bytes();
            }
            None
        }),
    },
    Fault {
        name: "encoded-headers-not-decoded",
        about: "Headers are compared with the body without being decoded",
        hook: Hook::HttpRequest(|request| {
            for (name, value) in &mut request.headers {
                let encoded = value
                    .to_str()
                    .is_ok_and(|value| value.starts_with("=?base64?"));
                if encoded && name.as_str().starts_with("mcp-") {
                    *value = HeaderValue::from_static("not-decoded");
                }
            }
            None
        }),
    },
    Fault {
        name: "encoded-headers-not-checked",
        about: "Headers that are encoded are not compared with the body",
        hook: Hook::HttpRequest(|request| {
            let name = request
                .json()
                .and_then(|body| Some(body.pointer("/params/name")?.as_str()?.to_owned()));
            if let (Some(name), Some(header)) = (name, request.header("mcp-name"))
                && header.starts_with("=?base64?")
            {
                request.set_header("mcp-name", &mcp_verdict_wire::header_value::encode(&name));
            }
            None
        }),
    },
    Fault {
        name: "unknown-parameter-headers-refused",
        about: "Headers of parameters that the tool does not mirror are refused",
        hook: Hook::HttpRequest(|request| {
            let known = ["mcp-param-region", "mcp-param-count", "mcp-param-urgent"];
            let unknown = |name: &str| name.starts_with("mcp-param-") && !known.contains(&name);
            request
                .headers
                .keys()
                .any(|name| unknown(name.as_str()))
                .then(|| mismatch(request))
        }),
    },
    Fault {
        name: "integers-in-headers-as-text",
        about: "Integers in headers are compared as text",
        hook: Hook::HttpRequest(|request| {
            let fraction = |value: &str| value.contains('.');
            request
                .header("mcp-param-count")
                .is_some_and(fraction)
                .then(|| mismatch(request))
        }),
    },
    Fault {
        name: "null-parameter-wants-header",
        about: "Parameters that are null or left out are expected in a header",
        hook: Hook::HttpRequest(|request| {
            let named = request.header("mcp-name") == Some("test_header_parameter");
            (named && request.header("mcp-param-region").is_none()).then(|| mismatch(request))
        }),
    },
    Fault {
        name: "x-mcp-header-empty",
        about: "Tools mirror a parameter in a header without a name",
        hook: Hook::Edit(|facts, message| annotate(facts, message, "string", "")),
    },
    Fault {
        name: "x-mcp-header-not-a-token",
        about: "Tools mirror a parameter in a header that cannot be",
        hook: Hook::Edit(|facts, message| annotate(facts, message, "string", "My Region")),
    },
    Fault {
        name: "x-mcp-header-on-number",
        about: "Tools mirror a parameter that is a number",
        hook: Hook::Edit(|facts, message| annotate(facts, message, "number", "Region")),
    },
    Fault {
        name: "x-mcp-header-in-items",
        about: "Tools mirror what is inside a list",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                each(message, "/result/tools", |tool| {
                    let items = json!({"type": "string", "x-mcp-header": "Item"});
                    tool["inputSchema"]["properties"]["list"] =
                        json!({"type": "array", "items": items});
                });
            }
        }),
    },
];

/// Gives every tool a parameter of this type that is mirrored under this name.
fn annotate(facts: &crate::core::Facts, message: &mut Value, kind: &str, name: &str) {
    if is_result(facts, message, "tools/list") {
        each(message, "/result/tools", |tool| {
            tool["inputSchema"]["properties"]["extra"] =
                json!({"type": kind, "x-mcp-header": name});
        });
    }
}

/// The refusal of a request for its headers.
fn mismatch(request: &HttpRequest) -> HttpResponse {
    let id = request.json().and_then(|body| body.get("id").cloned());
    let error = json!({"code": -32020, "message": "Header mismatch"});
    let body = json!({"jsonrpc": "2.0", "id": id, "error": error});
    let response = HttpResponse::empty(StatusCode::BAD_REQUEST);
    HttpResponse {
        body: Some(body.to_string().into_bytes()),
        ..response.with_header("content-type", "application/json")
    }
}
