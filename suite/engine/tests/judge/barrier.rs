//! `barrier`, and what may be concluded from it.

use mcp_verdict_results::Verdict;

use crate::helper::{
    assert_verdict, exited, got, http_end, http_request, http_response, meant, over_http, sent,
    sent_on, stdio, step, timed_out,
};

const STEPS: &str = "  - send_raw: {text: '{', as: junk}
  - barrier: {}
  - expect: {replies: junk, match: [{error: {code: -32700}}]}
";
const PING: &str = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;

fn junk() -> String {
    [step(0), meant("junk", "{"), step(1), sent("", PING)].concat()
}

#[test]
fn replies_are_what_came_before_the_barrier_is_over() {
    let error = got(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#);
    let log = got(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#);
    let pong = got(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
    let lines = [
        junk(),
        log.clone(),
        error.clone(),
        pong.clone(),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(&stdio(STEPS, &lines), Verdict::Pass, "");
    // A server may answer in another order; what the barrier overtook has a moment to arrive.
    let overtaken = [junk(), pong.clone(), error.clone(), step(2), step(3)].concat();
    assert_verdict(&stdio(STEPS, &overtaken), Verdict::Pass, "");
    let late = [junk(), pong.clone(), step(2), error, step(3)].concat();
    assert_verdict(&stdio(STEPS, &late), Verdict::Fail, "an array of 1 items");
    let none = [junk(), pong, step(2), step(3)].concat();
    assert_verdict(&stdio(STEPS, &none), Verdict::Fail, "[]");
}

#[test]
fn a_response_without_an_id_is_a_reply_to_what_is_no_request() {
    let steps = "  - send: {json: {jsonrpc: '2.0', method: notifications/x}, as: told}
  - barrier: {}
  - expect: {replies: told, match: []}
";
    let told = r#"{"jsonrpc":"2.0","method":"notifications/x"}"#;
    let begin = [step(0), meant("told", told), step(1), sent("", PING)].concat();
    let reply = got(r#"{"jsonrpc":"2.0","id":null,"result":{}}"#);
    let pong = got(r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
    let silent = [begin.clone(), pong.clone(), step(2), step(3)].concat();
    assert_verdict(&stdio(steps, &silent), Verdict::Pass, "");
    let answered = [begin, reply, pong, step(2), step(3)].concat();
    assert_verdict(&stdio(steps, &answered), Verdict::Fail, "array of 0");
}

#[test]
fn a_barrier_that_is_not_answered_fails_by_json_rpc_itself() {
    let lines = [junk(), timed_out(1), step(2), step(3)].concat();
    let judgement = stdio(STEPS, &lines);
    assert_verdict(&judgement, Verdict::Fail, "JSON-RPC 2.0 section 5");
    assert_eq!(judgement.evidence, [3]);
}

#[test]
fn a_target_that_leaves_before_the_barrier_fails_however_early_it_left() {
    let after = [junk(), exited(1), step(2), step(3)].concat();
    assert_verdict(&stdio(STEPS, &after), Verdict::Fail, "code 1");
    let before = [
        step(0),
        meant("junk", "{"),
        exited(1),
        step(1),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(&stdio(STEPS, &before), Verdict::Fail, "code 1");
}

#[test]
fn a_target_that_was_gone_before_the_vector_is_not_judged() {
    let lines = [
        exited(1),
        step(0),
        meant("junk", "{"),
        step(1),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(&stdio(STEPS, &lines), Verdict::Inconclusive, "had left");
}

#[test]
fn a_target_that_was_asked_to_leave_is_not_blamed_for_leaving() {
    let steps = "  - close_input: {}
  - barrier: {}
  - expect: {exit: {}, match: {code: 0}}
";
    let lines = [
        step(0),
        "\"input_closed\"\n".to_owned(),
        step(1),
        exited(0),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(
        &stdio(steps, &lines),
        Verdict::Inconclusive,
        "asked to leave",
    );
}

#[test]
fn over_http_a_refusal_comes_in_its_turn_and_a_server_error_does_not() {
    let steps = "  - request: {method: ping, as: first}
  - expect: {response: first, match: {result: {}}}
  - barrier: {}
  - expect: {messages: {method: x}, match: {$length: 0}}
";
    let post = |exchange: u32, label: &str, id: u8| {
        let ping = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        [
            http_request(exchange, "POST", label),
            sent_on(exchange, label, &ping),
        ]
        .concat()
    };
    let first = [
        step(0),
        post(1, "first", 1),
        step(1),
        http_response(1, 200, "application/json"),
        crate::helper::got_on(1, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        http_end(1, "\"complete\""),
        step(2),
        post(2, "", 2),
    ]
    .concat();
    let with = |status: u16| {
        let answer = [
            http_response(2, status, "text/plain"),
            http_end(2, "\"complete\""),
        ];
        [first.clone(), answer.concat(), step(3), step(4)].concat()
    };
    assert_verdict(&over_http(steps, &with(404)), Verdict::Pass, "");
    assert_verdict(&over_http(steps, &with(500)), Verdict::Fail, "HTTP 500");
    // That is no refusal, and no answer either.
    assert_verdict(&over_http(steps, &with(200)), Verdict::Fail, "HTTP 200");
    let broken = [
        first,
        http_end(2, r#"{"broken":"connection refused"}"#),
        step(3),
        step(4),
    ];
    assert_verdict(
        &over_http(steps, &broken.concat()),
        Verdict::Fail,
        "connection refused",
    );
}
