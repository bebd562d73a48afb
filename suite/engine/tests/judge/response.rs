//! `response`, `capture`, `variables`, and what an expectation's cases mean.

use mcp_verdict_results::Verdict;
use mcp_verdict_wire::TransportKind;

use crate::helper::{assert_verdict, exited, got, judge, sent, stdio, step, timed_out};

const ASK: &str = "  - request: {method: tools/list, as: call}\n";
const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#;

fn answered(answer: &str) -> String {
    [step(0), sent("call", CALL), step(1), got(answer), step(2)].concat()
}

#[test]
fn a_response_that_matches_passes() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{n: 1}}}}}}\n");
    let judgement = stdio(
        &steps,
        &answered(r#"{"jsonrpc":"2.0","id":7,"result":{"n":1.0}}"#),
    );
    assert_verdict(&judgement, Verdict::Pass, "It does what it should");
    assert_eq!(judgement.evidence, [1, 3]);
}

#[test]
fn a_response_that_does_not_match_fails_with_both_values() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{n: 1}}}}}}\n");
    let judgement = stdio(
        &steps,
        &answered(r#"{"jsonrpc":"2.0","id":7,"result":{"n":2}}"#),
    );
    assert_verdict(&judgement, Verdict::Fail, "/result/n: expected 1, got 2");
    assert_eq!(judgement.expected.as_deref(), Some(r#"{"result":{"n":1}}"#));
    assert!(judgement.actual.unwrap().contains(r#""n":2"#));
}

#[test]
fn a_broken_should_is_a_warning() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{n: 1}}}}}}\n");
    let lines = answered(r#"{"jsonrpc":"2.0","id":7,"result":{"n":2}}"#);
    let should = judge(TransportKind::Stdio, "level: SHOULD\n", &steps, &lines);
    assert_verdict(&should, Verdict::Warn, "/result/n");
}

#[test]
fn the_first_case_that_matches_decides() {
    let steps = format!(
        "{ASK}  - expect:
      response: call
      accept:
        - match: {{error: {{code: -32602}}}}
        - match: {{error: {{code: {{$type: integer}}}}}}
          outcome: warn
          because: refused with another code
      because: it succeeded
"
    );
    let error = |code: i64| {
        answered(&format!(
            r#"{{"jsonrpc":"2.0","id":7,"error":{{"code":{code},"message":""}}}}"#
        ))
    };
    assert_verdict(&stdio(&steps, &error(-32602)), Verdict::Pass, "");
    assert_verdict(
        &stdio(&steps, &error(-1)),
        Verdict::Warn,
        "refused with another code",
    );
    let judgement = stdio(&steps, &answered(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#));
    assert_verdict(
        &judgement,
        Verdict::Fail,
        "it succeeded (the response to `call`:",
    );
}

#[test]
fn a_warning_goes_on_and_a_later_failure_is_worse() {
    let steps = format!(
        "{ASK}  - expect:
      response: call
      accept:
        - {{match: {{result: {{}}}}, outcome: warn, because: hm}}
  - expect: {{response: call, match: {{result: {{n: 1}}}}}}
"
    );
    let call = [step(0), sent("call", CALL), step(1)].concat();
    let two = |answer: &str| [call.clone(), got(answer), step(2), step(3)].concat();
    let good = two(r#"{"jsonrpc":"2.0","id":7,"result":{"n":1}}"#);
    assert_verdict(&stdio(&steps, &good), Verdict::Warn, "hm");
    let bad = two(r#"{"jsonrpc":"2.0","id":7,"result":{"n":2}}"#);
    assert_verdict(&stdio(&steps, &bad), Verdict::Fail, "/result/n");
}

#[test]
fn a_failure_ends_the_vector() {
    let steps = format!(
        "{ASK}  - expect: {{response: call, match: {{result: {{n: 1}}}}, otherwise: not-applicable}}
  - expect: {{response: call, match: {{error: {{}}}}}}
"
    );
    let lines = answered(r#"{"jsonrpc":"2.0","id":7,"result":{"n":2}}"#);
    assert_verdict(&stdio(&steps, &lines), Verdict::NotApplicable, "/result/n");
}

#[test]
fn no_answer_in_time_is_told_as_that() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{}}}}}}\n");
    let lines = [step(0), sent("call", CALL), step(1), timed_out(1), step(2)].concat();
    assert_verdict(
        &stdio(&steps, &lines),
        Verdict::Fail,
        "nothing came within 5000 ms",
    );
}

#[test]
fn an_answer_after_the_time_is_none() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{}}}}}}\n");
    let late = got(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    let lines = [
        step(0),
        sent("call", CALL),
        step(1),
        timed_out(1),
        late,
        step(2),
    ]
    .concat();
    assert_verdict(&stdio(&steps, &lines), Verdict::Fail, "nothing came");
}

#[test]
fn an_answer_after_the_step_is_none() {
    let steps = format!(
        "{ASK}  - window: {{ms: 1}}
  - expect: {{response: call, accept: [{{absent: true}}], because: it came}}\n"
    );
    let before = [step(0), sent("call", CALL), step(1), step(2)].concat();
    let answer = got(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    let late = [before.clone(), step(3), answer.clone()].concat();
    assert_verdict(&stdio(&steps, &late), Verdict::Pass, "");
    let early = [before, answer, step(3)].concat();
    assert_verdict(&stdio(&steps, &early), Verdict::Fail, "it came");
}

#[test]
fn no_answer_because_the_target_left_says_how_it_left() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{result: {{}}}}}}\n");
    let lines = [step(0), sent("call", CALL), step(1), exited(3), step(2)].concat();
    assert_verdict(&stdio(&steps, &lines), Verdict::Fail, "the target exited");
}

#[test]
fn absence_can_be_what_is_right() {
    let steps =
        format!("{ASK}  - expect: {{response: call, accept: [{{absent: true}}], because: came}}\n");
    let silent = [step(0), sent("call", CALL), step(1), timed_out(1), step(2)].concat();
    assert_verdict(&stdio(&steps, &silent), Verdict::Pass, "");
    let lines = answered(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_verdict(&stdio(&steps, &lines), Verdict::Fail, "came");
}

#[test]
fn an_answer_with_the_id_as_a_string_is_seen_as_the_answer() {
    let lines = answered(r#"{"jsonrpc":"2.0","id":"7","result":{}}"#);
    let id = format!("{ASK}  - expect: {{response: call, match: {{id: 7}}}}\n");
    assert_verdict(&stdio(&id, &lines), Verdict::Fail, "/id: expected 7");
    let result = format!("{ASK}  - expect: {{response: call, match: {{result: {{}}}}}}\n");
    assert_verdict(&stdio(&result, &lines), Verdict::Pass, "");
}

#[test]
fn an_error_without_an_id_answers_the_one_request_that_is_open() {
    let steps =
        format!("{ASK}  - expect: {{response: call, match: {{error: {{code: -32600}}}}}}\n");
    let lines = answered(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":""}}"#);
    assert_verdict(&stdio(&steps, &lines), Verdict::Pass, "");
}

#[test]
fn a_captured_value_is_used_in_patterns_and_is_no_pattern_itself() {
    let steps = format!(
        "{ASK}  - capture: {{name: kept, from: {{response: call}}, pointer: /result/x}}
  - expect: {{response: call, match: {{result: {{x: '${{kept}}', y: '${{transport}} ${{revision}}'}}}}}}
"
    );
    let two = |answer: &str| {
        [
            step(0),
            sent("call", CALL),
            step(1),
            got(answer),
            step(2),
            step(3),
        ]
        .concat()
    };
    let same =
        two(r#"{"jsonrpc":"2.0","id":7,"result":{"x":{"$any":true},"y":"stdio 2025-11-25"}}"#);
    assert_verdict(&stdio(&steps, &same), Verdict::Pass, "");
    let other = two(r#"{"jsonrpc":"2.0","id":7,"result":{"x":{"$any":true},"y":"stdio 2024"}}"#);
    assert_verdict(&stdio(&steps, &other), Verdict::Fail, "/result/y");
}

#[test]
fn what_cannot_be_captured_is_inconclusive_unless_the_vector_says_otherwise() {
    let capture = |more: &str| {
        format!(
            "{ASK}  - capture: {{name: kept, from: {{response: call}}, pointer: /result/x{more}}}
  - expect: {{response: call, match: {{result: {{}}}}}}\n"
        )
    };
    let lines = answered(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_verdict(
        &stdio(&capture(""), &lines),
        Verdict::Inconclusive,
        "nothing at `/result/x`",
    );
    let fails = capture(", otherwise: fail, because: no x");
    assert_verdict(&stdio(&fails, &lines), Verdict::Fail, "no x");
}

#[test]
fn captured_values_are_compared_through_variables() {
    let steps = format!(
        "{ASK}  - capture: {{name: a, from: {{response: call}}, pointer: /result/a}}
  - capture: {{name: b, from: {{response: call}}, pointer: /result/b}}
  - expect: {{variables: {{}}, match: {{a: '${{b}}'}}, because: they differ}}
"
    );
    let of = |a: u8, b: u8| {
        let answer = format!(r#"{{"jsonrpc":"2.0","id":7,"result":{{"a":{a},"b":{b}}}}}"#);
        [
            step(0),
            sent("call", CALL),
            step(1),
            got(&answer),
            step(2),
            step(3),
            step(4),
        ]
        .concat()
    };
    assert_verdict(&stdio(&steps, &of(1, 1)), Verdict::Pass, "");
    assert_verdict(&stdio(&steps, &of(1, 2)), Verdict::Fail, "they differ");
}

#[test]
fn a_sent_message_is_a_variable_of_its_name() {
    let steps = format!("{ASK}  - expect: {{response: call, match: {{id: '${{call.id}}'}}}}\n");
    let good = answered(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
    assert_verdict(&stdio(&steps, &good), Verdict::Pass, "");
    let bad = answered(r#"{"jsonrpc":"2.0","id":"7","result":{}}"#);
    assert_verdict(&stdio(&steps, &bad), Verdict::Fail, "/id");
}

#[test]
fn a_definition_of_the_revision_is_a_pattern() {
    let steps = format!(
        "{ASK}  - expect: {{response: call, match: {{result: {{$definition: ListToolsResult}}}}}}\n"
    );
    let good = answered(r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#);
    assert_verdict(&stdio(&steps, &good), Verdict::Pass, "");
    let bad = answered(r#"{"jsonrpc":"2.0","id":7,"result":{"tools":{}}}"#);
    assert_verdict(&stdio(&steps, &bad), Verdict::Fail, "/result");
}
