//! Notifications of servers.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns};
use mcp_verdict_wire::TransportKind;

const LOG: &str = "notifications/message";

fn with(capabilities: Value) -> Talk {
    Talk::bare(LEGACY, TransportKind::Stdio).opened(capabilities)
}

fn log(talk: Talk, level: &str) -> Talk {
    talk.hears(LOG, json!({"level": level, "data": "x"}))
}

#[test]
fn a_notification_of_another_shape() {
    for revision in [OLDEST, LEGACY, MODERN] {
        let talk = Talk::stdio(revision);
        breaks(
            "notifications/shape",
            &talk.clone().hears(LOG, json!({"level": "info"})),
            "LoggingMessage",
        );
        breaks("notifications/shape", &log(talk.clone(), "loud"), "level");
        holds("notifications/shape", &log(talk.clone(), "info"));
        idles(
            "notifications/shape",
            &talk.hears("notifications/of-my-own", json!([1])),
        );
    }
}

#[test]
fn a_notification_that_clients_send() {
    let talk = Talk::stdio(LEGACY);
    breaks(
        "notifications/from-servers",
        &talk.clone().hears("notifications/initialized", json!({})),
        "initialized",
    );
    holds(
        "notifications/from-servers",
        &talk.hears("notifications/of-my-own", json!({})),
    );
}

#[test]
fn a_notification_with_an_id() {
    let rule = "notifications/without-id";
    for revision in [OLDEST, LEGACY, MODERN] {
        let talk = Talk::stdio(revision);
        let with_id = |id: Value| {
            let params = json!({"level": "info", "data": "x"});
            json!({"jsonrpc": "2.0", "id": id, "method": LOG, "params": params})
        };
        breaks(rule, &talk.clone().gets(&with_id(json!(0))), "the id 0");
        breaks(
            rule,
            &talk.clone().gets(&with_id(Value::Null)),
            "the id null",
        );
        holds(rule, &log(talk.clone(), "info"));
        // What a name of one's own stands for is not known.
        let own = json!({"jsonrpc": "2.0", "id": 1, "method": "notifications/of-my-own"});
        spares(rule, &talk.gets(&own));
    }
}

#[test]
fn a_change_that_was_not_declared() {
    let changed = |talk: Talk| talk.hears("notifications/tools/list_changed", json!({}));
    let updated = |talk: Talk| talk.hears("notifications/resources/updated", json!({"uri": "a:b"}));
    breaks(
        "notifications/declared",
        &changed(with(json!({}))),
        "`tools` declared",
    );
    warns(
        "notifications/declared",
        &changed(with(json!({"tools": {}}))),
        "tools.listChanged",
    );
    warns(
        "notifications/declared",
        &changed(with(json!({"tools": {"listChanged": false}}))),
        "tools.listChanged",
    );
    warns(
        "notifications/declared",
        &updated(with(json!({"resources": {}}))),
        "resources.subscribe",
    );
    holds(
        "notifications/declared",
        &changed(updated(Talk::stdio(LEGACY))),
    );
}

#[test]
fn logging_that_was_not_declared() {
    breaks(
        "notifications/logging-declared",
        &log(with(json!({})), "info"),
        "`logging` declared",
    );
    holds(
        "notifications/logging-declared",
        &log(with(json!({"logging": {}})), "info"),
    );
    let modern = Talk::bare(MODERN, TransportKind::Stdio).opened(json!({}));
    breaks(
        "notifications/logging-declared",
        &log(modern, "info"),
        "`logging` declared",
    );
    // Who never said what it can do cannot be judged by it.
    idles(
        "notifications/logging-declared",
        &log(Talk::bare(LEGACY, TransportKind::Stdio), "info"),
    );
}

#[test]
fn an_update_that_nobody_wanted() {
    let updated =
        |talk: Talk| talk.hears("notifications/resources/updated", json!({"uri": "a:b/c"}));
    let talk = Talk::stdio(LEGACY);
    breaks(
        "notifications/subscribed",
        &updated(talk.clone()),
        "nobody subscribed",
    );
    holds(
        "notifications/subscribed",
        &updated(
            talk.clone()
                .asks(1, "resources/subscribe", json!({"uri": "a:b"})),
        ),
    );
    let mut reused = updated(talk);
    reused.earlier = vec![json!(3)];
    holds("notifications/subscribed", &reused);
}

#[test]
fn a_log_message_that_a_modern_client_did_not_ask_for() {
    let rule = "notifications/asked-for-logs";
    let level = json!({"name": "x", "_meta": {"io.modelcontextprotocol/logLevel": "info"}});
    let quiet = json!({"name": "x"});
    let stdio = Talk::stdio(MODERN);
    breaks(
        rule,
        &log(stdio.clone().asks(1, "tools/call", quiet.clone()), "info"),
        "a log message",
    );
    holds(
        rule,
        &log(stdio.clone().asks(1, "tools/call", level.clone()), "info"),
    );
    holds(rule, &stdio);
    let http = || Talk::http(MODERN);
    holds(
        rule,
        &log(
            http().asks(1, "tools/call", level.clone()).streams(),
            "info",
        ),
    );
    let other = http()
        .asks(1, "tools/call", level.clone())
        .asks(2, "tools/call", quiet)
        .streams();
    breaks(rule, &log(other, "info"), "a log message");
    let listen = http().asks(1, "subscriptions/listen", level);
    breaks(rule, &log(listen.streams(), "info"), "a log message");
    idles(rule, &log(Talk::stdio(LEGACY), "info"));
}

#[test]
fn a_log_message_below_the_level() {
    let rule = "notifications/log-level";
    let set = |talk: Talk| talk.asks(1, "logging/setLevel", json!({"level": "warning"}));
    let talk = set(Talk::stdio(LEGACY));
    breaks(
        rule,
        &log(talk.clone().answers(1, json!({})), "notice"),
        "at `warning`",
    );
    holds(rule, &log(talk.clone().answers(1, json!({})), "warning"));
    holds(rule, &log(talk.clone().answers(1, json!({})), "alert"));
    // Until the change is through, and where it was refused, anything may come.
    idles(rule, &log(talk.clone(), "debug"));
    idles(rule, &log(Talk::stdio(LEGACY), "debug"));
    let again = talk
        .answers(1, json!({}))
        .asks(2, "logging/setLevel", json!({"level": "debug"}));
    idles(rule, &log(again, "debug"));
    // What another session set is its own.
    let mine = Talk::http(LEGACY).in_session("mine");
    let mine = set(mine).answers(1, json!({}));
    let call = |talk: Talk| talk.asks(2, "tools/call", json!({"name": "x"})).streams();
    breaks(rule, &log(call(mine.clone()), "info"), "at `warning`");
    idles(rule, &log(call(mine.in_session("theirs")), "info"));
    // A server without sessions forgets.
    let stateless =
        set(Talk::bare(LEGACY, TransportKind::StreamableHttp).opened(json!({"logging": {}})));
    let stateless = stateless
        .answers(1, json!({}))
        .asks(2, "tools/call", json!({"name": "x"}));
    spares(rule, &log(stateless.streams(), "debug"));
}

#[test]
fn a_modern_log_message_below_the_level() {
    let rule = "notifications/log-level";
    let ask = |talk: Talk, id, level: &str| {
        talk.asks(
            id,
            "tools/call",
            json!({"name": "x", "_meta": {"io.modelcontextprotocol/logLevel": level}}),
        )
    };
    breaks(
        rule,
        &log(ask(Talk::stdio(MODERN), 1, "error"), "info"),
        "at `error`",
    );
    holds(rule, &log(ask(Talk::stdio(MODERN), 1, "error"), "error"));
    // On one channel it may belong to either.
    holds(
        rule,
        &log(
            ask(ask(Talk::stdio(MODERN), 1, "error"), 2, "debug"),
            "debug",
        ),
    );
    let http = ask(ask(Talk::http(MODERN), 1, "debug"), 2, "error");
    breaks(rule, &log(http.streams(), "info"), "at `error`");
}
