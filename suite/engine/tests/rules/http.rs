//! Streamable HTTP.

use serde_json::{Value, json};

use crate::helper::{BATCHES, LEGACY, MODERN, Talk, breaks, holds, idles, spares};
use mcp_verdict_wire::{
    TransportKind,
    transcript::{EventKind, SseFields},
};

fn noted(talk: Talk) -> Talk {
    talk.means(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#)
}

fn pinged(talk: Talk) -> Talk {
    talk.asks(1, "ping", json!({}))
}

fn answer(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {}})
}

#[test]
fn a_notification_is_taken_with_202_and_nothing_else() {
    for talk in [noted(Talk::http(LEGACY)), noted(Talk::http(MODERN))] {
        breaks(
            "http/accepted",
            &talk.clone().head(200, &[]).body(""),
            "HTTP 200",
        );
        breaks(
            "http/accepted",
            &talk.clone().head(204, &[]).body(""),
            "HTTP 204",
        );
        spares("http/accepted", &talk.clone().head(202, &[]).body(""));
        spares("http/accepted", &talk.clone().head(400, &[]).body(""));
        spares("http/accepted", &talk.clone().head(307, &[]).body(""));
        breaks(
            "http/accepted-is-empty",
            &talk.clone().head(202, &[]).body("ok"),
            "ok",
        );
        holds(
            "http/accepted-is-empty",
            &talk.clone().head(202, &[]).body("").ends(),
        );
        spares("http/accepted-is-empty", &talk.head(400, &[]).body("no"));
    }
}

#[test]
fn other_bodies_are_no_notifications() {
    let of = |talk: Talk, text: &str| talk.means(text).head(200, &[]).body("");
    let batch = r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#;
    breaks("http/accepted", &of(Talk::http(BATCHES), batch), "HTTP 200");
    for talk in [
        of(Talk::http(LEGACY), batch),
        of(
            Talk::http(LEGACY),
            r#"{"jsonrpc":"2.0","method":"x","params":1}"#,
        ),
        of(Talk::http(LEGACY), "nonsense"),
        // A modern client has nothing to respond to.
        of(
            Talk::http(MODERN),
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        ),
    ] {
        spares("http/accepted", &talk);
    }
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    breaks(
        "http/accepted",
        &of(Talk::http(LEGACY), response),
        "HTTP 200",
    );
}

#[test]
fn a_request_is_answered_with_json_or_a_stream() {
    let rule = "http/answer-content-type";
    let talk = || pinged(Talk::http(LEGACY));
    breaks(
        rule,
        &talk().head(200, &[("content-type", "text/plain")]),
        "text/plain",
    );
    breaks(rule, &talk().head(202, &[]), "no content type");
    let json = ("content-type", "Application/JSON; charset=utf-8");
    let opened = Talk::bare(LEGACY, TransportKind::StreamableHttp);
    holds(rule, &pinged(opened.clone()).head(200, &[json]));
    holds(rule, &pinged(opened.clone()).streams());
    idles(
        rule,
        &pinged(opened.clone()).head(404, &[("content-type", "text/html")]),
    );
    idles(rule, &opened.means("{").head(200, &[]));
}

#[test]
fn a_405_says_what_is_allowed() {
    let get = || Talk::http(MODERN).requests("GET", &[]);
    breaks("http/allow", &get().head(405, &[]), "`Allow`");
    holds("http/allow", &get().head(405, &[("allow", "POST")]));
    idles("http/allow", &get().head(404, &[]));
}

#[test]
fn a_session_id_of_odd_characters() {
    let of = |id: &str| pinged(Talk::http(LEGACY)).head(200, &[("mcp-session-id", id)]);
    for id in ["", "a b", "caf\u{e9}", "a\u{7f}"] {
        breaks("http/session-id-characters", &of(id), "visible ASCII");
    }
    holds("http/session-id-characters", &of("!a~[redacted]"));
}

#[test]
fn a_response_on_a_stream_that_resumes_nothing() {
    let rule = "streams/no-response-on-get";
    let get = |headers: &[(&str, &str)]| {
        pinged(Talk::http(LEGACY))
            .requests("GET", headers)
            .streams()
    };
    breaks(rule, &get(&[]).gets(&answer(1)), "a response");
    holds(rule, &get(&[]).hears("notifications/x", json!({})));
    idles(rule, &get(&[("last-event-id", "e")]).gets(&answer(1)));
    let sse = Talk::bare(LEGACY, TransportKind::HttpSse)
        .requests("GET", &[])
        .streams();
    idles(rule, &sse.gets(&answer(1)));
}

#[test]
fn a_response_on_the_stream_of_another_request() {
    let rule = "streams/own-response-only";
    let two = pinged(Talk::http(LEGACY))
        .asks(2, "ping", json!({}))
        .streams();
    breaks(rule, &two.clone().gets(&answer(1)), "to another");
    holds(rule, &two.clone().gets(&answer(2)));
}

#[test]
fn what_follows_the_response() {
    let rule = "streams/nothing-after-response";
    let talk = pinged(Talk::http(MODERN))
        .streams()
        .hears("notifications/x", json!({}))
        .gets(&answer(1));
    breaks(
        rule,
        &talk.clone().hears("notifications/y", json!({})),
        "notifications/y",
    );
    holds(rule, &talk);
    idles(
        rule,
        &pinged(Talk::http(MODERN))
            .streams()
            .hears("notifications/x", json!({})),
    );
}

#[test]
fn one_message_on_two_streams() {
    let rule = "streams/no-broadcast";
    let call = |talk: Talk, id| talk.asks(id, "tools/call", json!({"name": "x"})).streams();
    let two = |message: &Value, other: &Value| {
        call(call(Talk::http(LEGACY), 1).gets(message), 2).gets(other)
    };
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let report = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}});
    let log = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}});
    breaks(rule, &two(&ping, &ping), "on two");
    breaks(rule, &two(&report, &report), "on two");
    // The same words may be said twice.
    holds(rule, &two(&log, &log));
    holds(
        rule,
        &two(&ping, &json!({"jsonrpc": "2.0", "id": 2, "method": "ping"})),
    );
    let stateless = Talk::bare(LEGACY, TransportKind::StreamableHttp).opened(json!({}));
    idles(rule, &call(call(stateless, 1).gets(&ping), 2).gets(&ping));
}

#[test]
fn an_event_id_that_comes_twice() {
    let rule = "streams/event-ids";
    let first = pinged(Talk::http(LEGACY))
        .streams()
        .event_with(Some("a"), answer(1).to_string().as_bytes());
    let second = |id| {
        let talk = first.clone().asks(2, "ping", json!({})).streams();
        talk.event_with(Some(id), answer(2).to_string().as_bytes())
    };
    breaks(rule, &second("a"), "\"a\" again");
    holds(rule, &second("b"));
    let resumed = first
        .clone()
        .requests("GET", &[("last-event-id", "0")])
        .streams();
    holds(
        rule,
        &resumed.event_with(Some("a"), answer(1).to_string().as_bytes()),
    );
    // Who opens the stream of a session a second time may get the same one, from its beginning.
    let primed = |talk: Talk| {
        let fields = SseFields {
            id: Some("0".to_owned()),
            ..SseFields::default()
        };
        let talk = talk.requests("GET", &[]).streams();
        let exchange = talk.exchange();
        talk.event(EventKind::SseEvent {
            exchange,
            fields,
            data: "".into(),
        })
    };
    holds(rule, &primed(primed(first.clone())));
    breaks(rule, &primed(second("0")), "\"0\" again");
    // Another session counts for itself.
    let other = first.in_session("s-2").requests("GET", &[]).streams();
    idles(rule, &other.event_with(Some("a"), b"{}"));
}

#[test]
fn a_stream_that_may_be_held_back() {
    let rule = "streams/not-buffered";
    let talk = || pinged(Talk::http(MODERN));
    breaks(
        rule,
        &talk().head(200, &[("content-type", "text/event-stream")]),
        "X-Accel-Buffering",
    );
    holds(rule, &talk().streams());
    idles(
        rule,
        &pinged(Talk::http(LEGACY)).head(200, &[("content-type", "text/event-stream")]),
    );
}
