//! Requests of servers.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MIDDLE, MODERN, Talk, breaks, holds, idles, spares};
use mcp_verdict_wire::TransportKind;

fn asked(talk: Talk, id: Value, method: &str, params: Value) -> Talk {
    talk.gets(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
}

fn sampling() -> Value {
    let message = json!({"role": "user", "content": {"type": "text", "text": "hi"}});
    json!({"messages": [message], "maxTokens": 10})
}

#[test]
fn a_modern_server_asks_nothing() {
    let rule = "requests/none-in-the-modern-era";
    breaks(
        rule,
        &asked(Talk::stdio(MODERN), json!("a"), "roots/list", json!({})),
        "roots/list",
    );
    breaks(
        rule,
        &asked(Talk::stdio(MODERN), json!(1), "ping", json!({})),
        "ping",
    );
    holds(rule, &Talk::stdio(MODERN));
    idles(
        rule,
        &asked(Talk::stdio(LEGACY), json!(1), "roots/list", json!({})),
    );
    // To a legacy session a server of both eras speaks as it did.
    let both = Talk::stdio(MODERN).means(r#"{"jsonrpc":"2.0","id":7,"method":"initialize"}"#);
    let both = both.answers(7, json!({"protocolVersion": "2025-11-25"}));
    idles(rule, &asked(both, json!(1), "roots/list", json!({})));
}

#[test]
fn a_request_of_another_shape() {
    let of = |params| {
        asked(
            Talk::stdio(LEGACY),
            json!(1),
            "sampling/createMessage",
            params,
        )
    };
    breaks(
        "requests/shape",
        &of(json!({"messages": []})),
        "CreateMessageRequest",
    );
    holds("requests/shape", &of(sampling()));
    idles(
        "requests/shape",
        &asked(Talk::stdio(LEGACY), json!(1), "custom/x", json!({})),
    );
}

#[test]
fn an_id_that_is_none() {
    let of = |id| asked(Talk::stdio(LEGACY), id, "ping", json!({}));
    breaks("requests/id-form", &of(Value::Null), "null");
    breaks("requests/id-form", &of(json!(1.5)), "1.5");
    breaks("requests/id-form", &of(json!({"a": 1})), "{\"a\":1}");
    for id in [json!(0), json!(-1), json!(""), json!("a")] {
        holds("requests/id-form", &of(id));
    }
}

#[test]
fn an_id_that_is_used_again() {
    let ping = |talk, id: Value| asked(talk, id, "ping", json!({}));
    let twice = ping(ping(Talk::stdio(LEGACY), json!(1)), json!(1));
    breaks("requests/id-once", &twice, "1 again");
    holds(
        "requests/id-once",
        &ping(ping(Talk::stdio(LEGACY), json!(1)), json!("1")),
    );
}

#[test]
fn ids_without_a_session_may_start_anew() {
    let call = |talk: Talk, id| talk.asks(id, "tools/call", json!({"name": "x"})).streams();
    let ping = |talk, id: Value| asked(talk, id, "ping", json!({}));
    let stateless = Talk::bare(LEGACY, TransportKind::StreamableHttp).opened(json!({}));
    let both = ping(call(ping(call(stateless, 1), json!(0)), 2), json!(0));
    idles("requests/id-once", &both);
    let session = ping(
        call(ping(call(Talk::http(LEGACY), 1), json!(0)), 2),
        json!(0),
    );
    // The same request on two streams is a broadcast.
    holds("requests/id-once", &session);
    let other = asked(
        call(ping(call(Talk::http(LEGACY), 1), json!(0)), 2),
        json!(0),
        "roots/list",
        json!({}),
    );
    breaks("requests/id-once", &other, "0 again");
}

#[test]
fn what_the_client_did_not_declare() {
    let of = |method: &str, params| asked(Talk::stdio(LEGACY), json!(1), method, params);
    let form = json!({"message": "", "requestedSchema": {"type": "object", "properties": {}}});
    breaks(
        "requests/declared",
        &of("elicitation/create", form),
        "elicitation",
    );
    holds("requests/declared", &of("roots/list", json!({})));
    holds(
        "requests/declared",
        &of("sampling/createMessage", sampling()),
    );
    let mut with_tools = sampling();
    with_tools["tools"] = json!([]);
    breaks(
        "requests/declared",
        &of("sampling/createMessage", with_tools),
        "sampling.tools",
    );
    idles("requests/declared", &of("ping", json!({})));
}

#[test]
fn an_empty_elicitation_means_forms() {
    let opened = |elicitation: Value| {
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {"elicitation": elicitation}});
        let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}});
        Talk::bare(LEGACY, TransportKind::Stdio)
            .asks(0, "initialize", params)
            .answers(0, result)
    };
    let form = |talk| asked(talk, json!(1), "elicitation/create", json!({"message": ""}));
    let url = |talk| {
        asked(
            talk,
            json!(1),
            "elicitation/create",
            json!({"mode": "url", "message": ""}),
        )
    };
    holds("requests/declared", &form(opened(json!({}))));
    holds("requests/declared", &form(opened(json!({"form": {}}))));
    breaks(
        "requests/declared",
        &form(opened(json!({"url": {}}))),
        "elicitation.form",
    );
    holds("requests/declared", &url(opened(json!({"url": {}}))));
    breaks(
        "requests/declared",
        &url(opened(json!({}))),
        "elicitation.url",
    );
}

#[test]
fn a_request_before_the_client_is_ready() {
    let talk = Talk::bare(MIDDLE, TransportKind::Stdio).asks(0, "initialize", json!({}));
    let rule = "requests/not-before-initialized";
    breaks(
        rule,
        &asked(talk.clone(), json!(1), "roots/list", json!({})),
        "roots/list",
    );
    holds(rule, &asked(talk, json!(1), "ping", json!({})));
    holds(
        rule,
        &asked(Talk::stdio(MIDDLE), json!(1), "roots/list", json!({})),
    );
    spares(
        rule,
        &asked(Talk::stdio(MODERN), json!(1), "roots/list", json!({})),
    );
}
