//! `http`, `stream`, and answers that come over HTTP.

use mcp_verdict_results::Verdict;

use crate::helper::{
    assert_verdict, event_on, got_on, http_body, http_end, http_request, http_response, over_http,
    sent_on, step, timed_out,
};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const ASK: &str = "  - request: {method: tools/list, as: call}\n";

fn post(answer: &[String]) -> String {
    let begin = [
        step(0),
        http_request(1, "POST", "call"),
        sent_on(1, "call", CALL),
        step(1),
    ];
    [begin.concat(), answer.concat(), step(2)].concat()
}

fn complete() -> String {
    http_end(1, "\"complete\"")
}

#[test]
fn an_http_response_is_judged_by_status_headers_and_body() {
    let steps = format!(
        "{ASK}  - expect:
      http: call
      match: {{status: 404, headers: {{x-two: 'a, b'}}, body: {{error: {{code: -32601}}}},
        ended: complete, messages: {{$length: 1}}}}
"
    );
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":""}}"#;
    let with = |status: u16| {
        post(&[
            http_response(1, status, "application/json; charset=utf-8"),
            http_body(1, error),
            got_on(1, error),
            complete(),
        ])
    };
    assert_verdict(&over_http(&steps, &with(404)), Verdict::Pass, "");
    let judgement = over_http(&steps, &with(200));
    assert_verdict(&judgement, Verdict::Fail, "/status: expected 404, got 200");
    assert_eq!(judgement.evidence, [1, 4]);
}

#[test]
fn an_empty_body_is_null_and_other_text_is_a_string() {
    let steps = |body: &str| format!("{ASK}  - expect: {{http: call, match: {{body: {body}}}}}\n");
    let with = |content_type: &str, body: &str| {
        post(&[
            http_response(1, 202, content_type),
            http_body(1, body),
            complete(),
        ])
    };
    assert_verdict(
        &over_http(&steps("null"), &with("text/plain", "")),
        Verdict::Pass,
        "",
    );
    assert_verdict(
        &over_http(&steps("null"), &with("text/plain", "x")),
        Verdict::Fail,
        "\"x\"",
    );
    let text = steps("'{}'");
    assert_verdict(
        &over_http(&text, &with("text/plain", "{}")),
        Verdict::Pass,
        "",
    );
    assert_verdict(
        &over_http(&text, &with("application/json", "{}")),
        Verdict::Fail,
        "/body",
    );
}

#[test]
fn a_response_whose_end_does_not_come_is_none() {
    let steps = format!("{ASK}  - expect: {{http: call, match: {{status: 202}}}}\n");
    let lines = post(&[http_response(1, 202, "text/plain"), timed_out(1)]);
    assert_verdict(&over_http(&steps, &lines), Verdict::Fail, "nothing came");
}

#[test]
fn an_open_event_stream_has_a_head_and_what_came_so_far() {
    let steps = "  - open_stream: {as: stream}
  - expect: {http: stream, match: {status: 200, ended: open, events: [{id: '1'}]}}
  - expect: {stream: stream, match: [{method: notifications/message}]}
";
    let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#;
    let lines = [
        step(0),
        http_request(1, "GET", "stream"),
        step(1),
        http_response(1, 200, "text/event-stream"),
        event_on(1, "1", log),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(&over_http(steps, &lines), Verdict::Pass, "");
    let refused = lines.replace(":200,", ":405,");
    assert_verdict(&over_http(steps, &refused), Verdict::Fail, "/status");
}

#[test]
fn an_exchange_that_ends_without_the_answer_leaves_nothing_to_wait_for() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{}}}}}}\n");
    let lines = post(&[http_response(1, 202, "text/plain"), complete()]);
    assert_verdict(
        &over_http(&steps, &lines),
        Verdict::Fail,
        "HTTP 202 came without the answer",
    );
}

#[test]
fn an_answer_may_come_on_a_resumed_stream() {
    let steps = format!(
        "{ASK}  - open_stream: {{as: again, last_event_id: '1'}}
  - expect: {{response: call, match: {{result: {{}}}}}}
  - expect: {{stream: again, match: [{{id: 1}}]}}
"
    );
    let answer = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let lines = [
        step(0),
        http_request(1, "POST", "call"),
        sent_on(1, "call", CALL),
        http_response(1, 200, "text/event-stream"),
        complete(),
        step(1),
        http_request(2, "GET", "again"),
        step(2),
        http_response(2, 200, "text/event-stream"),
        event_on(2, "2", answer),
        step(3),
        http_end(2, "\"complete\""),
        step(4),
    ]
    .concat();
    assert_verdict(&over_http(&steps, &lines), Verdict::Pass, "");
}

#[test]
fn replies_over_http_are_what_its_exchange_brought() {
    let steps = "  - send: {json: [], as: batch}
  - expect: {replies: batch, match: []}
";
    let of = |answer: String| {
        let begin = [
            step(0),
            http_request(1, "POST", "batch"),
            sent_on(1, "batch", "[]"),
            step(1),
        ];
        let begin = begin.concat().replace("\"meant\":false", "\"meant\":true");
        [
            begin,
            http_response(1, 400, "application/json"),
            answer,
            complete(),
            step(2),
        ]
        .concat()
    };
    assert_verdict(&over_http(steps, &of(String::new())), Verdict::Pass, "");
    let error = got_on(
        1,
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":""}}"#,
    );
    assert_verdict(&over_http(steps, &of(error)), Verdict::Fail, "array of 0");
}

#[test]
fn an_error_without_an_id_that_is_the_body_of_another_request_answers_no_call() {
    let steps = format!(
        "{ASK}  - http: {{method: OPTIONS, as: turn}}
  - expect: {{response: call, match: {{id: 1}}}}
"
    );
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":""}}"#;
    let lines = [
        step(0),
        http_request(1, "POST", "call"),
        sent_on(1, "call", CALL),
        http_response(1, 200, "text/event-stream"),
        step(1),
        http_request(2, "OPTIONS", "turn"),
        http_response(2, 405, "application/json"),
        got_on(2, error),
        step(2),
        got_on(1, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
    ];
    assert_verdict(&over_http(&steps, &lines.concat()), Verdict::Pass, "");
}
