//! What must not be blamed on the target.

use mcp_verdict_results::Verdict;

use crate::helper::{
    assert_verdict, got, http_end, http_request, meant, over_http, sent, sent_on, stdio, step,
};

const STEPS: &str = "  - request: {method: ping, as: call}
  - expect: {response: call, match: {result: {}}}
";
const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

#[test]
fn a_session_that_does_not_open_is_inconclusive() {
    let lines = r#"{"trouble":{"text":"no answer to initialize within 5000 ms"}}"#;
    assert_verdict(
        &stdio(STEPS, lines),
        Verdict::Inconclusive,
        "no answer to initialize",
    );
    assert_verdict(&stdio(STEPS, ""), Verdict::Inconclusive, "no session");
}

#[test]
fn trouble_on_our_side_is_an_error_of_ours() {
    let trouble = "{\"trouble\":{\"text\":\"stdio has no HTTP requests\"}}\n";
    let lines = [&step(0), trouble, &step(2)].concat();
    assert_verdict(
        &stdio(STEPS, &lines),
        Verdict::Error,
        "stdio has no HTTP requests",
    );
}

#[test]
fn a_run_that_is_cut_off_is_inconclusive() {
    let awaited = [step(0), sent("call", CALL), step(1)].concat();
    assert_verdict(&stdio(STEPS, &awaited), Verdict::Inconclusive, "stopped");
    let begun = [step(0), sent("call", CALL)].concat();
    assert_verdict(
        &stdio(STEPS, &begun),
        Verdict::Inconclusive,
        "before step 2",
    );
}

#[test]
fn a_server_that_is_not_there_is_inconclusive() {
    let lines = [
        step(0),
        http_request(1, "POST", "call"),
        sent_on(1, "call", CALL),
        http_end(1, r#"{"broken":"connection refused"}"#),
        step(1),
        step(2),
    ]
    .concat();
    assert_verdict(
        &over_http(STEPS, &lines),
        Verdict::Inconclusive,
        "could not be reached",
    );
}

#[test]
fn a_connection_that_breaks_under_a_request_is_the_targets_doing() {
    let lines = [
        step(0),
        http_request(1, "POST", "call"),
        sent_on(1, "call", CALL),
        http_end(1, r#"{"broken":"connection reset by peer"}"#),
        step(1),
        step(2),
    ]
    .concat();
    assert_verdict(&over_http(STEPS, &lines), Verdict::Fail, "reset by peer");
}

#[test]
fn our_own_bad_bytes_are_an_error_of_ours_unless_they_are_meant() {
    let steps = "  - request: {method: tools/call, params: {name: 7}, as: call}
  - expect: {response: call, match: {error: {}}}
";
    let bad = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}"#;
    let answer = got(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":""}}"#);
    let of = |sent: String| [step(0), sent, step(1), answer.clone(), step(2)].concat();
    assert_verdict(
        &stdio(steps, &of(sent("call", bad))),
        Verdict::Error,
        "/params/name",
    );
    assert_verdict(&stdio(steps, &of(meant("call", bad))), Verdict::Pass, "");
}

#[test]
fn a_schema_of_the_targets_that_cannot_be_applied_is_not_held_against_it() {
    let steps = "  - request: {method: ping, as: call}
  - capture: {name: schema, from: {response: call}, pointer: /result/schema}
  - expect: {response: call, match: {result: {value: {$conforms_to: '${schema}'}}}}
";
    let of = |schema: &str| {
        let answer =
            format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"value":7,"schema":{schema}}}}}"#);
        [
            step(0),
            sent("call", CALL),
            step(1),
            got(&answer),
            step(2),
            step(3),
        ]
        .concat()
    };
    assert_verdict(
        &stdio(steps, &of(r#"{"type":"integer"}"#)),
        Verdict::Pass,
        "",
    );
    assert_verdict(
        &stdio(steps, &of(r#"{"type":"string"}"#)),
        Verdict::Fail,
        "string",
    );
    assert_verdict(
        &stdio(steps, &of(r#"{"type":7}"#)),
        Verdict::Fail,
        "JSON Schema",
    );
    let elsewhere = of(r#"{"$ref":"https://example.com/schema.json"}"#);
    assert_verdict(
        &stdio(steps, &elsewhere),
        Verdict::Inconclusive,
        "refers to",
    );
}

#[test]
fn a_flood_ends_as_inconclusive_and_names_the_limit() {
    let flood = "{\"limit_exceeded\":{\"exchange\":0,\"limit\":\"a transcript holds 32 MiB\"}}\n";
    let lines = [&step(0), &sent("call", CALL), &step(1), flood].concat();
    assert_verdict(
        &stdio(STEPS, &lines),
        Verdict::Inconclusive,
        "a transcript holds 32 MiB",
    );
}
