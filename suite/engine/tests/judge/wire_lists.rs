//! `message`, `messages`, `stream` on stdio, `pages`, `exit`.

use mcp_verdict_results::Verdict;

use crate::helper::{assert_verdict, exited, got, sent, stdio, step, timed_out};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":"p"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":9,"result":{}}"#;

fn progress(token: &str, progress: u8) -> String {
    got(&format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":"{token}","progress":{progress}}}}}"#
    ))
}

#[test]
fn a_message_counts_from_the_first_step_on() {
    let steps = "  - window: {ms: 1}
  - expect: {message: {method: notifications/progress}, match: {params: {progress: 2}}}
";
    let lines = [
        progress("p", 1),
        step(0),
        progress("p", 2),
        step(1),
        step(2),
    ]
    .concat();
    assert_verdict(&stdio(steps, &lines), Verdict::Pass, "");
    let only_before = [progress("p", 2), step(0), step(1), timed_out(1), step(2)].concat();
    assert_verdict(&stdio(steps, &only_before), Verdict::Fail, "nothing came");
}

#[test]
fn messages_are_a_list_that_may_be_empty() {
    let steps = "  - barrier: {}
  - expect: {messages: {method: notifications/progress}, match: {$increasing: /params/progress}}
  - expect: {messages: {method: notifications/cancelled}, match: {$length: 0}}
";
    let of = |first: u8, second: u8| {
        let came = [
            progress("p", first),
            progress("p", second),
            got("no JSON"),
            got(PONG),
        ];
        [
            step(0),
            sent("", PING),
            came.concat(),
            step(1),
            step(2),
            step(3),
        ]
        .concat()
    };
    assert_verdict(&stdio(steps, &of(1, 2)), Verdict::Pass, "");
    assert_verdict(
        &stdio(steps, &of(2, 2)),
        Verdict::Fail,
        "/1/params/progress",
    );
}

#[test]
fn on_stdio_a_requests_stream_is_what_belongs_to_it() {
    let steps = "  - request: {method: tools/call, params: {name: a}, as: call}
  - barrier: {}
  - expect: {stream: call, match: [{method: notifications/progress}, {result: {}}]}
";
    let lines = [
        step(0),
        sent("call", CALL),
        progress("other", 1),
        progress("p", 1),
        got(r#"{"jsonrpc":"2.0","id":1,"result":{"content":[]}}"#),
        progress("p", 2),
        step(1),
        sent("", PING),
        got(PONG),
        step(2),
        step(3),
    ]
    .concat();
    assert_verdict(&stdio(steps, &lines), Verdict::Pass, "");
    let none = lines.replace("notifications/progress", "notifications/message");
    assert_verdict(&stdio(steps, &none), Verdict::Fail, "");
}

#[test]
fn pages_are_put_together() {
    let steps = "  - pages: {method: tools/list, items: tools, as: all}
  - expect: {pages: all, match: {complete: true, items: {$length: 2, $unique: /name}, cursors: [a]}}
"
    .replace(
        "{$length: 2, $unique: /name}",
        "{$all_of: [{$length: 2}, {$unique: /name}]}",
    );
    let page = |number: u8, id: u8, params: &str, result: &str| {
        let request = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/list"{params}}}"#);
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
        [sent(&format!("all.{number}"), &request), got(&answer)].concat()
    };
    let of = |last: &str| {
        let first = page(0, 1, "", r#"{"tools":[{"name":"x"}],"nextCursor":"a"}"#);
        let second = page(1, 2, r#","params":{"cursor":"a"}"#, last);
        [step(0), first, second, step(1), step(2)].concat()
    };
    assert_verdict(
        &stdio(&steps, &of(r#"{"tools":[{"name":"y"}]}"#)),
        Verdict::Pass,
        "",
    );
    assert_verdict(
        &stdio(&steps, &of(r#"{"tools":[{"name":"x"}]}"#)),
        Verdict::Fail,
        "/items",
    );
    let endless = of(r#"{"tools":[{"name":"y"}],"nextCursor":"a"}"#);
    assert_verdict(&stdio(&steps, &endless), Verdict::Fail, "/complete");
    let refused = [
        step(0),
        sent("all.0", r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#),
        got(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":""}}"#),
        step(1),
        step(2),
    ];
    assert_verdict(
        &stdio(&steps, &refused.concat()),
        Verdict::Fail,
        "first page did not come",
    );
}

#[test]
fn the_childs_exit_is_judged_by_code_and_signal() {
    let steps = "  - close_input: {}
  - expect: {exit: {}, match: {code: 0}, because: it ended badly}
";
    let closed = || [step(0), "\"input_closed\"\n".to_owned(), step(1)].concat();
    assert_verdict(
        &stdio(steps, &[closed(), exited(0), step(2)].concat()),
        Verdict::Pass,
        "",
    );
    let crashed = [closed(), exited(1), step(2)].concat();
    assert_verdict(&stdio(steps, &crashed), Verdict::Fail, "it ended badly");
    let stays = [closed(), timed_out(1), step(2)].concat();
    assert_verdict(&stdio(steps, &stays), Verdict::Fail, "nothing came within");
}
