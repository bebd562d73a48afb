//! Every message as such.

use serde_json::json;

use crate::helper::{
    BATCHES, LEGACY, MIDDLE, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns,
};

fn pinged(talk: Talk) -> Talk {
    talk.asks(1, "ping", json!({}))
}

fn json_body(talk: Talk, text: &str) -> Talk {
    let head = talk.head(200, &[("content-type", "application/json; charset=utf-8")]);
    head.body(text).raw(text.as_bytes()).ends()
}

#[test]
fn a_body_or_event_that_is_no_json() {
    let post = || pinged(Talk::http(LEGACY));
    breaks("messages/json", &json_body(post(), "{nope"), "no JSON");
    breaks("messages/json", &post().streams().raw(b"ping"), "no JSON");
    holds("messages/json", &post().answers(1, json!({})));
    // On stdio that is the business of another rule.
    idles("messages/json", &pinged(Talk::stdio(LEGACY)).raw(b"{nope"));
}

#[test]
fn what_refuses_or_accepts_need_not_be_a_message() {
    let refused = pinged(Talk::http(LEGACY)).head(400, &[("content-type", "application/json")]);
    let refused = refused.body("{\"why\":1}").raw(b"{\"why\":1}");
    let note = Talk::http(LEGACY).means(r#"{"jsonrpc":"2.0","method":"notifications/x"}"#);
    let elsewhere = Talk::http(LEGACY).requests("GET", &[]);
    let elsewhere = json_body(elsewhere, r#"{"issuer":"x"}"#);
    let garbage = json_body(Talk::http(LEGACY).means("{\"a\":1}"), r#"{"ok":true}"#);
    for talk in [
        refused,
        json_body(note, "{\"ok\":true}"),
        elsewhere,
        garbage,
    ] {
        for rule in ["json", "one-kind", "version", "utf-8", "unique-keys"] {
            spares(&format!("messages/{rule}"), &talk);
        }
    }
}

#[test]
fn an_error_that_says_it_is_one_of_json_rpc_is_judged_as_one() {
    let refused = pinged(Talk::http(LEGACY));
    let talk = refused.replies_with(
        400,
        &json!({"jsonrpc": "1.0", "id": 1, "error": {"code": 1, "message": ""}}),
    );
    breaks("messages/version", &talk, "1.0");
}

#[test]
fn bytes_that_are_no_utf_8() {
    let bytes = b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"\xff\"}}";
    for talk in [
        Talk::stdio(OLDEST),
        Talk::http(LEGACY).asks(9, "ping", json!({})).streams(),
    ] {
        breaks("messages/utf-8", &talk.clone().raw(bytes), "byte 39");
        holds(
            "messages/utf-8",
            &talk.answers(1, json!({"a": "é\u{1F600}"})),
        );
    }
}

#[test]
fn a_byte_order_mark() {
    let talk = pinged(Talk::stdio(LEGACY));
    let marked = talk
        .clone()
        .raw(b"\xef\xbb\xbf{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}");
    breaks("messages/no-byte-order-mark", &marked, "byte order mark");
    holds("messages/no-byte-order-mark", &talk.answers(1, json!({})));
}

#[test]
fn a_name_that_is_there_twice() {
    let talk = pinged(Talk::stdio(LEGACY));
    let twice = talk
        .clone()
        .raw(br#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"b":{"a":2},"a":3}}"#);
    breaks("messages/unique-keys", &twice, "/result/a");
    let ours = talk.means(r#"{"jsonrpc":"2.0","id":2,"id":2,"method":"ping"}"#);
    holds(
        "messages/unique-keys",
        &ours.answers(1, json!({"a": {"a": 1}})),
    );
}

#[test]
fn a_version_that_is_missing_or_another() {
    let talk = pinged(Talk::stdio(LEGACY));
    breaks(
        "messages/version",
        &talk.clone().gets(&json!({"id": 1, "result": {}})),
        "no member",
    );
    breaks(
        "messages/version",
        &talk
            .clone()
            .gets(&json!({"jsonrpc": 2.0, "id": 1, "result": {}})),
        "2.0",
    );
    holds("messages/version", &talk.clone().answers(1, json!({})));
    // A line of log is no message, whatever it is made of.
    spares(
        "messages/version",
        &talk.gets(&json!({"level": 30, "msg": "started"})),
    );
}

#[test]
fn an_array_of_messages() {
    let answer = json!([{"jsonrpc": "2.0", "id": 1, "result": {}}]);
    for revision in [MIDDLE, LEGACY, MODERN] {
        let talk = pinged(Talk::stdio(revision)).gets(&answer);
        breaks("messages/no-batch", &talk, "an array");
    }
    for revision in [OLDEST, BATCHES] {
        idles(
            "messages/no-batch",
            &pinged(Talk::stdio(revision)).gets(&answer),
        );
    }
    // Who takes our batch where there are none may answer it in kind.
    let ours = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#;
    warns(
        "messages/no-batch",
        &Talk::stdio(LEGACY).means(ours).gets(&answer),
        "an array",
    );
    holds(
        "messages/no-batch",
        &pinged(Talk::stdio(LEGACY)).answers(1, json!([])),
    );
}

#[test]
fn what_is_no_kind_of_message_or_two() {
    let talk = pinged(Talk::stdio(LEGACY));
    let both =
        json!({"jsonrpc": "2.0", "id": 1, "result": {}, "error": {"code": 1, "message": ""}});
    breaks(
        "messages/one-kind",
        &talk.clone().gets(&both),
        "a result and an error",
    );
    breaks(
        "messages/one-kind",
        &talk.clone().gets(&json!({"jsonrpc": "2.0", "id": 1})),
        "no method",
    );
    let post = json_body(pinged(Talk::http(LEGACY)), "\"pong\"");
    breaks("messages/one-kind", &post, "a string is no message");
    breaks(
        "messages/one-kind",
        &json_body(pinged(Talk::http(BATCHES)), "[]"),
        "an empty batch",
    );
    // Nobody forbids a member of any name.
    let more = json!({"jsonrpc": "2.0", "method": "notifications/message", "result": 1});
    warns(
        "messages/one-kind",
        &talk.clone().gets(&more),
        "a method and a result",
    );
    holds(
        "messages/one-kind",
        &talk.gets(&json!({"jsonrpc": "2.0", "id": 1, "result": {}, "extra": 1})),
    );
}
