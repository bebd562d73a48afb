//! What 2026-07-28 asks for.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MODERN, Talk, breaks, holds, idles, spares, warns};

fn talk() -> Talk {
    Talk::stdio(MODERN)
}

fn listed(mut extra: Value) -> Talk {
    for (name, value) in [
        ("tools", json!([])),
        ("resultType", json!("complete")),
        ("ttlMs", json!(5)),
        ("cacheScope", json!("public")),
        (
            "_meta",
            json!({"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}}),
        ),
    ] {
        if extra.get(name).is_none() {
            extra[name] = value;
        }
    }
    let result = extra
        .as_object()
        .expect("members to add")
        .iter()
        .filter(|(_, value)| !value.is_null());
    let result: serde_json::Map<_, _> = result
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    talk()
        .asks(1, "tools/list", json!({}))
        .answers(1, Value::Object(result))
}

#[test]
fn a_result_without_its_type() {
    breaks(
        "modern/result-type",
        &listed(json!({"resultType": null})),
        "none",
    );
    breaks(
        "modern/result-type",
        &listed(json!({"resultType": 1})),
        "as a string",
    );
    holds("modern/result-type", &listed(json!({})));
    breaks(
        "modern/known-result-type",
        &listed(json!({"resultType": "partial"})),
        "partial",
    );
    holds("modern/known-result-type", &listed(json!({})));
    idles(
        "modern/result-type",
        &Talk::stdio(LEGACY)
            .asks(1, "ping", json!({}))
            .answers(1, json!({})),
    );
    let legacy = talk()
        .means(r#"{"jsonrpc":"2.0","id":9,"method":"tools/list"}"#)
        .answers(9, json!({"tools": []}));
    holds("modern/result-type", &legacy);
}

#[test]
fn extensions_may_have_results_of_their_own() {
    let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"extensions": {"com.example/x": {}}}});
    let opened = |extensions: Value| {
        Talk::bare(MODERN, mcp_verdict_wire::TransportKind::Stdio)
            .opened(json!({"extensions": extensions}))
    };
    let ask = |talk: Talk| {
        talk.asks(1, "tools/call", json!({"_meta": meta}))
            .answers(1, json!({"resultType": "com.example/task"}))
    };
    holds(
        "modern/known-result-type",
        &ask(opened(json!({"com.example/x": {}}))),
    );
    breaks("modern/known-result-type", &ask(talk()), "com.example/task");
}

#[test]
fn a_server_that_does_not_say_who_it_is() {
    breaks("modern/server-info", &listed(json!({"_meta": {}})), "none");
    holds("modern/server-info", &listed(json!({})));
}

#[test]
fn hints_for_caches() {
    for hint in [
        json!({"ttlMs": null}),
        json!({"ttlMs": -1}),
        json!({"ttlMs": 1.5}),
        json!({"ttlMs": "1"}),
    ] {
        breaks("modern/caching-hints", &listed(hint), "ttlMs");
    }
    for hint in [json!({"cacheScope": null}), json!({"cacheScope": "all"})] {
        breaks("modern/caching-hints", &listed(hint), "cacheScope");
    }
    holds(
        "modern/caching-hints",
        &listed(json!({"ttlMs": 0, "cacheScope": "private"})),
    );
    // What is not complete is not cached.
    let interim = json!({"resultType": "input_required", "ttlMs": null, "cacheScope": null});
    holds("modern/caching-hints", &listed(interim));
}

#[test]
fn pages_of_one_list_are_for_the_same_callers() {
    let page = |talk: Talk, id: i64, cursor: Option<&str>, scope: &str| {
        let params = cursor.map_or(json!({}), |cursor| json!({"cursor": cursor}));
        let result = json!({"resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": scope, "nextCursor": "n"});
        talk.asks(id, "tools/list", params).answers(id, result)
    };
    let rule = "modern/cache-scope-of-pages";
    breaks(
        rule,
        &page(page(talk(), 1, None, "private"), 2, Some("n"), "public"),
        "\"public\"",
    );
    holds(
        rule,
        &page(page(talk(), 1, None, "private"), 2, Some("n"), "private"),
    );
    // Another listing is another matter.
    holds(
        rule,
        &page(page(talk(), 1, None, "private"), 2, None, "public"),
    );
    holds(
        rule,
        &page(page(talk(), 1, None, "private"), 2, Some("other"), "public"),
    );
}

#[test]
fn statuses_of_errors() {
    let of = |status, code: i64| {
        let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": ""}});
        Talk::http(MODERN)
            .asks(1, "no/such", json!({}))
            .replies_with(status, &error)
    };
    breaks("modern/error-status", &of(200, -32601), "HTTP 404");
    breaks("modern/error-status", &of(404, -32022), "HTTP 400");
    breaks("modern/error-status", &of(200, -32021), "HTTP 400");
    holds("modern/error-status", &of(404, -32601));
    holds("modern/error-status", &of(400, -32020));
    idles("modern/error-status", &of(200, -32602));
    // Once a stream has begun, its status is out.
    let late = Talk::http(MODERN)
        .asks(1, "tools/call", json!({}))
        .streams();
    let late = late.hears("notifications/progress", json!({}));
    let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32021, "message": ""}});
    warns("modern/error-status", &late.gets(&error), "HTTP 400");
    // Legacy requests have legacy statuses.
    let bare = Talk::http(MODERN).means(r#"{"jsonrpc":"2.0","id":1,"method":"no/such"}"#);
    let error = json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": ""}});
    idles("modern/error-status", &bare.replies(&error));
}

#[test]
fn a_session_id_in_an_era_without_sessions() {
    let id = [
        ("mcp-session-id", "s"),
        ("content-type", "application/json"),
    ];
    let asked = Talk::http(MODERN).asks(1, "tools/list", json!({}));
    breaks(
        "modern/no-session",
        &asked.clone().head(200, &id),
        "Mcp-Session-Id",
    );
    holds("modern/no-session", &asked.head(200, &[]));
    let legacy = Talk::http(MODERN).means(r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#);
    holds("modern/no-session", &legacy.head(200, &id));
}

fn inquired(method: &str, inputs: Value) -> Talk {
    let result = json!({"resultType": "input_required", "inputRequests": inputs});
    talk().asks(1, method, json!({})).answers(1, result)
}

#[test]
fn input_that_is_asked_for() {
    let roots = || json!({"a": {"method": "roots/list"}});
    breaks(
        "input/where",
        &inquired("tools/list", roots()),
        "tools/list",
    );
    for method in ["tools/call", "prompts/get", "resources/read"] {
        holds("input/where", &inquired(method, roots()));
    }
    breaks(
        "input/kinds",
        &inquired("tools/call", json!({"a": {"method": "ping"}})),
        "ping",
    );
    holds("input/kinds", &inquired("tools/call", roots()));
    let empty = talk()
        .asks(1, "tools/call", json!({}))
        .answers(1, json!({"resultType": "input_required"}));
    breaks("input/something", &empty, "`requestState`");
    holds("input/something", &inquired("tools/call", json!({})));
    let state = json!({"resultType": "input_required", "requestState": "x"});
    holds(
        "input/something",
        &talk().asks(1, "tools/call", json!({})).answers(1, state),
    );
    let form = json!({"a": {"method": "elicitation/create", "params": {"message": ""}}});
    breaks(
        "input/declared",
        &inquired("tools/call", form),
        "elicitation.form",
    );
    holds("input/declared", &inquired("tools/call", roots()));
}

#[test]
fn keys_of_input_that_repeat() {
    let of = |text: &str| talk().asks(1, "tools/call", json!({})).raw(text.as_bytes());
    let twice = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"},"a":{"method":"roots/list"}}}}"#;
    breaks("input/unique-keys", &of(twice), "a twice");
    let deeper = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list","x":1,"x":2}}}}"#;
    holds("input/unique-keys", &of(deeper));
}

const ID: &str = "io.modelcontextprotocol/subscriptionId";

fn listens(talk: Talk, filter: Value) -> Talk {
    talk.asks(5, "subscriptions/listen", json!({"notifications": filter}))
}

fn told(talk: Talk, what: &str, id: Value) -> Talk {
    let params = json!({"_meta": {ID: id}, "notifications": {}, "uri": "a:b"});
    talk.hears(&format!("notifications/{what}"), params)
}

#[test]
fn subscriptions_are_acknowledged_named_and_filtered() {
    for talk in [
        listens(talk(), json!({"toolsListChanged": true})),
        listens(Talk::http(MODERN), json!({"toolsListChanged": true})).streams(),
    ] {
        let open = told(talk.clone(), "subscriptions/acknowledged", json!(5));
        let good = told(open.clone(), "tools/list_changed", json!(5));
        for rule in ["acknowledged-first", "named", "only-what-was-asked"] {
            holds(&format!("subscriptions/{rule}"), &good);
        }
        let late = told(
            told(talk.clone(), "tools/list_changed", json!(5)),
            "subscriptions/acknowledged",
            json!(5),
        );
        breaks(
            "subscriptions/acknowledged-first",
            &late,
            "tools/list_changed",
        );
        let unnamed = open
            .clone()
            .hears("notifications/tools/list_changed", json!({}));
        breaks("subscriptions/named", &unnamed, "none");
        breaks(
            "subscriptions/named",
            &told(open.clone(), "tools/list_changed", json!("5")),
            "\"5\"",
        );
        let more = told(open.clone(), "prompts/list_changed", json!(5));
        breaks(
            "subscriptions/only-what-was-asked",
            &more,
            "prompts/list_changed",
        );
        breaks(
            "subscriptions/only-what-was-asked",
            &told(open, "resources/updated", json!(5)),
            "resources/updated",
        );
    }
}

#[test]
fn what_a_subscription_does_not_name() {
    // On its own stream everything is named, but for the notification that ends it.
    let http = listens(Talk::http(MODERN), json!({})).streams();
    breaks(
        "subscriptions/named",
        &http.clone().hears("notifications/x", json!({})),
        "none",
    );
    spares(
        "subscriptions/named",
        &http.hears("notifications/cancelled", json!({"requestId": 5})),
    );
    // On one channel there is more than subscriptions.
    idles(
        "subscriptions/named",
        &listens(talk(), json!({})).hears("notifications/progress", json!({})),
    );
    let sub = listens(talk(), json!({"resourceSubscriptions": ["a:b"]}));
    let sub = told(
        told(sub, "subscriptions/acknowledged", json!(5)),
        "resources/updated",
        json!(5),
    );
    holds("subscriptions/only-what-was-asked", &sub);
}

#[test]
fn names_of_extensions() {
    let of = |name: &str| {
        let talk = Talk::bare(MODERN, mcp_verdict_wire::TransportKind::Stdio);
        talk.opened(json!({"tools": {}, "extensions": {name: {}}}))
    };
    for name in ["tricks", "-a/b", "com.example/-", ""] {
        breaks("modern/extension-names", &of(name), "with a prefix");
    }
    warns(
        "modern/extension-names",
        &of("com.example/a b"),
        "with a prefix",
    );
    holds("modern/extension-names", &of("com.example/tricks"));
    holds("modern/extension-names", &talk());
}
