//! How a transcript is read.

use mcp_verdict_engine::{
    judge,
    view::{Direction, Kind, Reading, View},
};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::json;

use crate::helper::{
    got, got_on, http_request, http_response, meant, sent, sent_on, step, transcript,
};

fn stdio(lines: &[String]) -> mcp_verdict_wire::transcript::Transcript {
    transcript(
        "t/x",
        Revision::V2025_03_26,
        TransportKind::Stdio,
        &lines.concat(),
    )
}

#[test]
fn a_batch_is_taken_apart_and_each_answer_finds_its_request() {
    let transcript = stdio(&[
        sent(
            "both",
            r#"[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"b"}]"#,
        ),
        got(r#"[{"jsonrpc":"2.0","id":2,"result":{}},{"jsonrpc":"2.0","id":1,"result":{}}]"#),
    ]);
    let view = View::of(&transcript);
    let methods: Vec<_> = view
        .named("both")
        .map(|message| (message.batch, message.method()))
        .collect();
    assert_eq!(methods, [(Some(0), Some("a")), (Some(1), Some("b"))]);
    let first = view.named("both").next().unwrap();
    assert_eq!(view.response_to(first).unwrap().id(), Some(&json!(1)));
    assert_eq!(view.unanswered_of_ours().count(), 0);
}

#[test]
fn two_answers_to_one_request_leave_the_second_unclaimed() {
    let answer = got(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let transcript = stdio(&[
        sent("", r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#),
        answer.clone(),
        answer,
    ]);
    let view = View::of(&transcript);
    let claims: Vec<_> = view.targets().map(|message| message.answers).collect();
    assert_eq!(claims, [Some(0), None]);
}

#[test]
fn one_id_of_ours_and_one_of_the_targets_are_not_mixed_up() {
    let transcript = stdio(&[
        sent("", r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#),
        got(r#"{"jsonrpc":"2.0","id":1,"method":"roots/list"}"#),
        sent("", r#"{"jsonrpc":"2.0","id":1,"result":{"roots":[]}}"#),
    ]);
    let view = View::of(&transcript);
    assert_eq!(view.unanswered_of_target().count(), 0);
    assert_eq!(view.unanswered_of_ours().count(), 1);
}

#[test]
fn over_http_an_error_without_an_id_is_about_what_was_posted() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#;
    let lines = [
        http_request(1, "POST", "one"),
        sent_on(1, "one", request),
        http_request(2, "POST", ""),
        sent_on(2, "", r#"{"jsonrpc":"2.0","method":"notifications/x"}"#),
        http_response(2, 400, "application/json"),
        got_on(
            2,
            r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"no"}}"#,
        ),
    ];
    let transcript = transcript(
        "t/x",
        Revision::V2025_11_25,
        TransportKind::StreamableHttp,
        &lines.concat(),
    );
    let view = View::of(&transcript);
    assert_eq!(view.unanswered_of_ours().count(), 1);
}

#[test]
fn over_http_an_answer_belongs_to_its_own_exchange_first() {
    let request = r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#;
    let lines = [
        http_request(1, "POST", "one"),
        sent_on(1, "one", request),
        http_request(2, "POST", "two"),
        sent_on(2, "two", request),
        http_response(2, 200, "application/json"),
        got_on(2, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
    ];
    let transcript = transcript(
        "t/x",
        Revision::V2025_11_25,
        TransportKind::StreamableHttp,
        &lines.concat(),
    );
    let view = View::of(&transcript);
    assert!(
        view.response_to(view.request_named("two").unwrap())
            .is_some()
    );
    assert!(
        view.response_to(view.request_named("one").unwrap())
            .is_none()
    );
    assert_eq!(view.exchange_named("two").unwrap().status(), Some(200));
}

#[test]
fn what_is_no_message_is_told_apart() {
    let transcript = stdio(&[
        got("banner"),
        got("[]"),
        got("7"),
        got(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#),
        got(r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#),
        meant("", r#"{"jsonrpc":"2.0","id":1,"method":7}"#),
    ]);
    let view = View::of(&transcript);
    for message in &view.messages[..4] {
        assert!(matches!(message.kind, Kind::Invalid { .. }), "{message:?}");
        assert_eq!(message.direction, Direction::Target);
    }
    assert!(view.messages[0].value.is_none());
    assert!(
        view.messages[4].remarks[0].contains("/id"),
        "{:?}",
        view.messages[4].remarks
    );
    assert!(view.messages[5].meant);
}

#[test]
fn what_was_agreed_is_found_in_the_opening() {
    let transcript = stdio(&[
        sent(
            "",
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{"roots":{}},"clientInfo":{"name":"a","version":"0"}}}"#,
        ),
        got(
            r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-03-26","capabilities":{"tools":{"listChanged":false},"resources":{"subscribe":true}}}}"#,
        ),
        step(0),
    ]);
    let view = View::of(&transcript);
    assert_eq!(view.negotiated_version(), Some("2025-03-26"));
    assert!(view.declares("tools") && view.declares("resources.subscribe"));
    assert!(!view.declares("tools.listChanged") && !view.declares("prompts"));
    assert_eq!(
        view.client_capabilities(usize::MAX),
        Some(&json!({"roots": {}}))
    );
    assert_eq!(view.step_at(0), Some(2));
}

#[test]
fn reading_in_pieces_gives_what_reading_at_once_gives() {
    let transcript = stdio(&[
        step(0),
        sent("a", r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#),
        got(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#),
        sent("", r#"{"jsonrpc":"2.0","id":5,"result":{}}"#),
        got(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#),
        step(1),
    ]);
    let whole = View::of(&transcript).into_reading();
    for cut in 0..=transcript.events.len() {
        let mut reading = Reading::default();
        reading.extend(&transcript.events[..cut]);
        reading.extend(&transcript.events);
        assert_eq!(format!("{reading:?}"), format!("{whole:?}"));
    }
}

#[test]
fn what_has_come_is_what_the_target_sent_since() {
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#;
    let transcript = stdio(&[got(progress), sent("", progress), got("nothing"), step(0)]);
    let view = View::of(&transcript);
    let pattern = json!({"params": {"progress": 1}});
    assert!(judge::has_come(&view, 0, &pattern));
    assert!(!judge::has_come(&view, 1, &pattern), "that one was ours");
    assert!(!judge::has_come(
        &view,
        0,
        &json!({"params": {"progress": 2}})
    ));
}
