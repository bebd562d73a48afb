//! Codes, shape and contents of errors.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns};

fn failed(talk: Talk, error: Value) -> Talk {
    talk.asks(1, "no/such", json!({}))
        .replies(&json!({"jsonrpc": "2.0", "id": 1, "error": error}))
}

#[test]
fn an_error_of_another_shape() {
    let of = |error| failed(Talk::stdio(OLDEST), error);
    breaks(
        "errors/shape",
        &of(json!({"code": "-32601", "message": ""})),
        "-32601",
    );
    breaks(
        "errors/shape",
        &of(json!({"code": 1.5, "message": ""})),
        "1.5",
    );
    breaks("errors/shape", &of(json!({"code": -32601})), "-32601");
    breaks("errors/shape", &of(json!("no")), "\"no\"");
    holds(
        "errors/shape",
        &of(json!({"code": -32601, "message": "", "data": null, "more": 1})),
    );
    holds(
        "errors/shape",
        &of(serde_json::from_str("{\"code\":-32601.0,\"message\":\"\"}").unwrap()),
    );
    // Of the body of an HTTP error only what says that it is JSON-RPC.
    let plain = Talk::http(LEGACY).asks(1, "ping", json!({}));
    idles(
        "errors/shape",
        &plain.replies_with(500, &json!({"error": "internal"})),
    );
}

#[test]
fn codes_that_are_reserved_or_given_up() {
    let of = |code: i64| failed(Talk::stdio(MODERN), json!({"code": code, "message": ""}));
    breaks(
        "errors/reserved-codes",
        &of(-32002),
        "earlier revisions used",
    );
    breaks(
        "errors/reserved-codes",
        &of(-32042),
        "earlier revisions used",
    );
    breaks(
        "errors/reserved-codes",
        &of(-32023),
        "reserved for the specification",
    );
    breaks(
        "errors/reserved-codes",
        &of(-32099),
        "reserved for the specification",
    );
    warns(
        "errors/reserved-codes",
        &of(-32000),
        "earlier implementations",
    );
    for code in [
        -32020, -32021, -32022, -32601, -32603, -32700, -32100, 1, 404,
    ] {
        holds("errors/reserved-codes", &of(code));
    }
}

#[test]
fn who_does_not_ask_by_this_revision_is_answered_by_another() {
    let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32002, "message": ""}});
    let legacy = failed(Talk::stdio(LEGACY), json!({"code": -32002, "message": ""}));
    idles("errors/reserved-codes", &legacy);
    let bare = Talk::stdio(MODERN).means(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    idles("errors/reserved-codes", &bare.gets(&error));
    let request = Talk::http(MODERN)
        .request(1, "tools/list", json!({}))
        .to_string();
    let header = Talk::http(MODERN).requests("POST", &[("mcp-protocol-version", "2025-06-18")]);
    let sent = mcp_verdict_wire::transcript::EventKind::Sent {
        exchange: 2,
        label: None,
        meant: true,
        bytes: request.as_str().into(),
    };
    spares(
        "errors/reserved-codes",
        &header.event(sent).replies_with(400, &error),
    );
}

#[test]
fn data_that_the_specification_asks_for() {
    let of = |error| failed(Talk::stdio(MODERN), error);
    breaks(
        "errors/data",
        &of(json!({"code": -32022, "message": ""})),
        "UnsupportedProtocolVersionError",
    );
    let data = json!({"supported": ["2026-07-28"], "requested": "1900-01-01"});
    holds(
        "errors/data",
        &of(json!({"code": -32022, "message": "", "data": data})),
    );
    let list = json!({"requiredCapabilities": ["sampling"]});
    breaks(
        "errors/data",
        &of(json!({"code": -32021, "message": "", "data": list})),
        "requiredCapabilities",
    );
    let object = json!({"requiredCapabilities": {"sampling": {}}});
    holds(
        "errors/data",
        &of(json!({"code": -32021, "message": "", "data": object})),
    );
    holds("errors/data", &of(json!({"code": -32020, "message": ""})));
    holds("errors/data", &of(json!({"code": -32601, "message": ""})));
}

#[test]
fn a_stack_trace() {
    let of = |error| failed(Talk::stdio(LEGACY), error);
    let python = "Traceback (most recent call last):\n  File \"server.py\", line 3";
    let trace = "Error: é\n    at Server.handle (/srv/index.js:10:3)";
    breaks(
        "errors/no-inner-workings",
        &of(json!({"code": 1, "message": python})),
        "Traceback",
    );
    breaks(
        "errors/no-inner-workings",
        &of(json!({"code": 1, "message": "", "data": {"stack": [trace]}})),
        "at Server",
    );
    let plain = json!({"code": 1, "message": "look at the arguments, e.g. goroutines", "data": {"path": "/a"}});
    holds("errors/no-inner-workings", &of(plain));
}

#[test]
fn codes_that_json_rpc_keeps() {
    let of = |code: i64| failed(Talk::stdio(LEGACY), json!({"code": code, "message": ""}));
    for code in [-32768, -32701, -32604, -32500, -32100] {
        breaks("errors/undefined-codes", &of(code), &code.to_string());
    }
    for code in [
        -32769, -32700, -32603, -32600, -32099, -32042, -32000, -1, 0, 404,
    ] {
        holds("errors/undefined-codes", &of(code));
    }
}
