//! To what responses answer, once, and under which id.

use serde_json::{Value, json};

use crate::helper::{BATCHES, LEGACY, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns};

fn result(id: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "result": {}})
}

fn error(id: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32600, "message": "no"}})
}

fn without_id() -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": -32600, "message": "no"}})
}

fn pinged(talk: Talk) -> Talk {
    talk.asks(1, "ping", json!({}))
}

const GARBAGE: &str = "{\"jsonrpc\": \"2.0\", \"id\": 5,";
const NOTE: &str = r#"{"jsonrpc":"2.0","method":"notifications/no-such-thing"}"#;

#[test]
fn a_response_that_nobody_asked_for() {
    let talk = pinged(Talk::stdio(LEGACY)).answers(1, json!({}));
    breaks(
        "responses/known-id",
        &talk.clone().answers("who", json!({})),
        "\"who\"",
    );
    holds("responses/known-id", &talk);
    // It may belong to what was there before, or to something that we sent broken.
    let mut reused = talk.clone().answers(7, json!({}));
    reused.earlier = vec![json!(7)];
    holds("responses/known-id", &reused);
    holds(
        "responses/known-id",
        &talk.clone().means(GARBAGE).gets(&error(json!(5))),
    );
    holds(
        "responses/known-id",
        &talk.means(GARBAGE).gets(&error(Value::Null)),
    );
}

#[test]
fn an_http_error_may_have_an_id_of_its_own_making() {
    let talk = pinged(Talk::http(LEGACY)).replies_with(400, &error(json!("server-error")));
    warns("responses/known-id", &talk, "server-error");
    spares("responses/with-id", &talk);
}

#[test]
fn an_id_that_no_double_can_hold_is_beyond_the_rules() {
    let big = "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"ping\"}";
    let talk = Talk::stdio(LEGACY)
        .means(big)
        .answers(9_007_199_254_740_992_u64, json!({}));
    spares("responses/known-id", &talk);
    spares("responses/id-type", &talk);
    spares("responses/once", &talk);
}

#[test]
fn a_second_response() {
    for talk in [
        pinged(Talk::stdio(OLDEST)),
        pinged(Talk::http(MODERN)).streams(),
    ] {
        let once = talk.gets(&result(json!(1)));
        breaks(
            "responses/once",
            &once.clone().gets(&result(json!(1))),
            "under the id 1",
        );
        breaks(
            "responses/once",
            &once.clone().gets(&error(json!(1))),
            "under the id 1",
        );
        holds("responses/once", &once);
    }
}

#[test]
fn a_resumed_stream_may_bring_a_response_again() {
    let talk = pinged(Talk::http(LEGACY))
        .streams()
        .event_with(Some("e1"), result(json!(1)).to_string().as_bytes());
    let resumed = talk.requests("GET", &[("last-event-id", "e0")]).streams();
    holds("responses/once", &resumed.gets(&result(json!(1))));
}

#[test]
fn one_id_used_twice_is_answered_twice() {
    let talk = pinged(pinged(Talk::stdio(LEGACY)).answers(1, json!({})));
    holds("responses/once", &talk.gets(&result(json!(1))));
}

#[test]
fn an_error_about_a_notification_is_not_the_first_answer_to_the_next_request() {
    let broken = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":"x"}"#;
    let talk = pinged(Talk::stdio(LEGACY).means(broken))
        .gets(&error(Value::Null))
        .gets(&result(json!(1)));
    for rule in [
        "once",
        "with-id",
        "known-id",
        "id-type",
        "no-answer-to-notifications",
    ] {
        spares(&format!("responses/{rule}"), &talk);
    }
}

#[test]
fn an_id_of_another_type() {
    let talk = pinged(Talk::stdio(LEGACY));
    breaks(
        "responses/id-type",
        &talk.clone().gets(&result(json!("1"))),
        "the id \"1\"",
    );
    warns(
        "responses/id-type",
        &talk
            .clone()
            .raw(br#"{"jsonrpc":"2.0","id":1.0,"result":{}}"#),
        "1.0",
    );
    holds("responses/id-type", &talk.gets(&result(json!(1))));
    let text = Talk::stdio(LEGACY).asks("7", "ping", json!({}));
    breaks(
        "responses/id-type",
        &text.gets(&result(json!(7))),
        "the id 7",
    );
    // The same number, as everyone spells it.
    for odd in ["-0", "0.0", "0e7"] {
        let request = format!(r#"{{"jsonrpc":"2.0","id":{odd},"method":"ping"}}"#);
        let talk = Talk::stdio(LEGACY).means(&request);
        holds("responses/id-type", &talk.gets(&result(json!(0))));
    }
    let odd = Talk::stdio(LEGACY).means(r#"{"jsonrpc":"2.0","id":1e2,"method":"ping"}"#);
    holds(
        "responses/id-type",
        &odd.raw(br#"{"jsonrpc":"2.0","id":100.0,"result":{}}"#),
    );
    // Ids that a request must not have may come back as anything.
    let odd = Talk::stdio(LEGACY).means(r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#);
    spares("responses/id-type", &odd.gets(&error(json!("1.5"))));
}

#[test]
fn a_response_without_an_id() {
    let talk = pinged(Talk::stdio(LEGACY));
    breaks(
        "responses/with-id",
        &talk.clone().gets(&without_id()),
        "no id",
    );
    breaks(
        "responses/with-id",
        &talk.clone().gets(&error(Value::Null)),
        "null",
    );
    holds("responses/with-id", &talk.clone().gets(&error(json!(1))));
    // It is about what was broken.
    spares(
        "responses/with-id",
        &talk
            .clone()
            .means(GARBAGE)
            .gets(&error(Value::Null))
            .answers(1, json!({})),
    );
    spares("responses/with-id", &talk.means("[1]").gets(&without_id()));
}

#[test]
fn the_id_of_a_malformed_request_may_be_as_unreadable_as_its_params() {
    let malformed = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":5}}"#;
    let talk = Talk::stdio(LEGACY).means(malformed);
    warns("responses/with-id", &talk.gets(&without_id()), "no id");
    let sound = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"#;
    breaks(
        "responses/with-id",
        &Talk::stdio(LEGACY).means(sound).gets(&without_id()),
        "no id",
    );
}

#[test]
fn a_refusal_may_come_before_the_request_is_read() {
    let post = |talk| pinged(talk).replies_with(404, &error(Value::Null));
    spares("responses/with-id", &post(Talk::http(LEGACY)));
    spares("responses/with-id", &post(Talk::http(MODERN)));
    breaks(
        "responses/with-id",
        &pinged(Talk::http(LEGACY)).replies(&error(Value::Null)),
        "null",
    );
    // Who does not know the method knows the request.
    let unknown = json!({"jsonrpc": "2.0", "error": {"code": -32601, "message": "no"}});
    breaks(
        "responses/with-id",
        &pinged(Talk::http(MODERN)).replies_with(404, &unknown),
        "no id",
    );
    let batch = Talk::http(BATCHES).means(r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#);
    spares("responses/with-id", &batch.replies(&error(Value::Null)));
}

#[test]
fn an_answer_to_a_notification() {
    let post = || Talk::http(LEGACY).means(NOTE);
    let rule = "responses/no-answer-to-notifications";
    breaks(
        rule,
        &post().replies(&json!({"jsonrpc": "2.0", "id": null, "result": {}})),
        "no response",
    );
    breaks(rule, &post().replies(&error(Value::Null)), "no response");
    breaks(
        rule,
        &post().replies_with(400, &result(json!(1))),
        "no response",
    );
    warns(
        rule,
        &post().replies_with(400, &error(json!("server-error"))),
        "without an id",
    );
    holds(rule, &post().replies_with(400, &without_id()));
    holds(rule, &post().replies_with(404, &error(Value::Null)));
    holds(rule, &post().head(202, &[]).body(""));
}

#[test]
fn an_answer_to_a_notification_on_stdio() {
    let rule = "responses/no-answer-to-notifications";
    let talk = Talk::stdio(LEGACY).means(NOTE);
    breaks(rule, &talk.clone().gets(&error(Value::Null)), "no response");
    holds(
        rule,
        &talk
            .clone()
            .asks(2, "ping", json!({}))
            .answers(2, json!({})),
    );
    let between = talk
        .asks(2, "ping", json!({}))
        .gets(&error(Value::Null))
        .answers(2, json!({}));
    breaks(rule, &between, "no response");
    // Broken notifications may be taken for broken requests.
    let broken = Talk::stdio(LEGACY).means(r#"{"jsonrpc":"2.0","method":"x","params":3}"#);
    spares(rule, &broken.gets(&error(Value::Null)));
    idles(
        rule,
        &Talk::bare(LEGACY, mcp_verdict_wire::TransportKind::Stdio).asks(1, "ping", json!({})),
    );
}
