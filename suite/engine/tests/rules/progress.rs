//! Progress and cancellation.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MODERN, OLDEST, Talk, breaks, holds, idles, spares};

fn call(talk: Talk, id: i64, token: Value) -> Talk {
    talk.asks(
        id,
        "tools/call",
        json!({"name": "x", "_meta": {"progressToken": token}}),
    )
}

fn report(talk: Talk, token: Value, progress: f64) -> Talk {
    talk.hears(
        "notifications/progress",
        json!({"progressToken": token, "progress": progress}),
    )
}

#[test]
fn a_token_that_nobody_gave() {
    for revision in [OLDEST, LEGACY, MODERN] {
        let talk = call(Talk::stdio(revision), 1, json!("t"));
        breaks(
            "progress/token",
            &report(talk.clone(), json!("u"), 1.0),
            "\"u\"",
        );
        holds("progress/token", &report(talk.clone(), json!("t"), 1.0));
        let number = call(talk, 2, json!(7));
        breaks(
            "progress/token",
            &report(number.clone(), json!("7"), 1.0),
            "with its type",
        );
        holds("progress/token", &report(number, json!(7), 1.0));
    }
}

#[test]
fn a_session_that_was_used_before_may_have_more_tokens() {
    let mut talk = report(
        call(Talk::stdio(LEGACY), 9, json!("t")),
        json!("older"),
        1.0,
    );
    talk.earlier = vec![json!(3)];
    holds("progress/token", &talk);
    let mut talk = report(call(Talk::stdio(LEGACY), 9, json!("5")), json!(5), 1.0);
    talk.earlier = vec![json!(3)];
    breaks("progress/token", &talk, "with its type");
}

#[test]
fn progress_that_does_not_increase() {
    let talk = report(call(Talk::stdio(LEGACY), 1, json!("t")), json!("t"), 1.0);
    breaks(
        "progress/increases",
        &report(talk.clone(), json!("t"), 1.0),
        "above 1",
    );
    breaks(
        "progress/increases",
        &report(talk.clone(), json!("t"), 0.5),
        "above 1",
    );
    holds(
        "progress/increases",
        &report(talk.clone(), json!("t"), 1.01),
    );
    // Another call, another count; also under a token that is given a second time.
    holds(
        "progress/increases",
        &report(call(talk.clone(), 2, json!("u")), json!("u"), 0.5),
    );
    let again = call(talk.answers(1, json!({"content": []})), 2, json!("t"));
    holds("progress/increases", &report(again, json!("t"), 0.5));
}

#[test]
fn a_resumed_stream_may_report_again() {
    let talk = report(
        call(Talk::http(LEGACY), 1, json!("t")).streams(),
        json!("t"),
        1.0,
    );
    let resumed = talk.requests("GET", &[("last-event-id", "e")]).streams();
    holds("progress/increases", &report(resumed, json!("t"), 1.0));
}

#[test]
fn progress_after_the_end() {
    for talk in [
        call(Talk::stdio(LEGACY), 1, json!("t")),
        call(Talk::http(MODERN), 1, json!("t")).streams(),
    ] {
        let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
        let over = report(talk.clone(), json!("t"), 1.0).gets(&answer);
        holds("progress/ends", &over);
        breaks(
            "progress/ends",
            &report(over.clone(), json!("t"), 2.0),
            "more progress",
        );
    }
    // A task goes on, and a token that is given again belongs to the other request.
    let talk = call(Talk::stdio(LEGACY), 1, json!("t"));
    let task = talk.clone().answers(1, json!({"task": {"taskId": "x"}}));
    idles("progress/ends", &report(task, json!("t"), 1.0));
    let again = call(talk.answers(1, json!({"content": []})), 2, json!("t"));
    spares("progress/ends", &report(again, json!("t"), 1.0));
    // One stream may overtake another.
    let http = call(Talk::http(LEGACY), 1, json!("t")).answers(1, json!({"content": []}));
    holds(
        "progress/ends",
        &report(http.requests("GET", &[]).streams(), json!("t"), 1.0),
    );
}

#[test]
fn a_cancellation_of_something_else() {
    let rule = "cancellation/own-requests";
    let cancel =
        |talk: Talk, id: Value| talk.hears("notifications/cancelled", json!({"requestId": id}));
    let legacy = call(Talk::stdio(LEGACY), 1, json!("t"));
    breaks(
        rule,
        &cancel(legacy.clone(), json!(1)),
        "that the server sent",
    );
    let own = legacy.gets(&json!({"jsonrpc": "2.0", "id": 1, "method": "roots/list"}));
    holds(rule, &cancel(own, json!(1)));
    holds(rule, &Talk::stdio(LEGACY));
    let modern = call(Talk::stdio(MODERN), 1, json!("t"));
    breaks(
        rule,
        &cancel(modern.clone(), json!(1)),
        "subscriptions/listen",
    );
    let listen = modern.asks(2, "subscriptions/listen", json!({"notifications": {}}));
    holds(rule, &cancel(listen, json!(2)));
}
