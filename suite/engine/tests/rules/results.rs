//! Results as the schema has them, of what was declared.

use serde_json::{Value, json};

use crate::helper::{
    BATCHES, LEGACY, MIDDLE, MODERN, OLDEST, Talk, breaks, everything, holds, idles, spares,
};
use mcp_verdict_wire::TransportKind;

fn listed(talk: Talk, result: Value) -> Talk {
    talk.asks(1, "tools/list", json!({})).answers(1, result)
}

fn tool() -> Value {
    json!({"name": "echo", "inputSchema": {"type": "object"}})
}

#[test]
fn a_result_of_another_shape() {
    for revision in [OLDEST, BATCHES, MIDDLE, LEGACY] {
        let of = |result| listed(Talk::stdio(revision), result);
        breaks(
            "results/shape",
            &of(json!({"tools": {}})),
            "ListToolsResult",
        );
        breaks(
            "results/shape",
            &of(json!({"tools": [{"name": "echo"}]})),
            "inputSchema",
        );
        holds(
            "results/shape",
            &of(json!({"tools": [tool()], "more": 1, "_meta": {"x": 1}})),
        );
    }
    let opened = Talk::bare(LEGACY, TransportKind::Stdio).asks(0, "initialize", json!({}));
    breaks(
        "results/shape",
        &opened.answers(0, json!({"protocolVersion": "2025-11-25"})),
        "InitializeResult",
    );
}

#[test]
fn results_of_methods_that_nobody_knows_are_free() {
    let talk = Talk::bare(LEGACY, TransportKind::Stdio);
    idles(
        "results/shape",
        &talk.asks(1, "custom/x", json!({})).answers(1, json!([1])),
    );
}

#[test]
fn a_session_of_another_version_is_judged_by_nobody() {
    let older = json!({"protocolVersion": "2024-11-05", "capabilities": {}, "serverInfo": {"name": "", "version": ""}});
    let talk = Talk::bare(LEGACY, TransportKind::Stdio)
        .asks(0, "initialize", json!({}))
        .answers(0, older);
    idles("results/shape", &listed(talk.clone(), json!({"tools": 1})));
    idles(
        "results/declared",
        &listed(talk, json!({"tools": [tool()]})),
    );
    // Nor is what comes before there is a version.
    let early = Talk::bare(LEGACY, TransportKind::Stdio);
    idles("results/shape", &listed(early, json!({"tools": 1})));
}

#[test]
fn a_header_with_another_version_may_change_the_answer() {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}).to_string();
    let with = |version: &str| {
        let talk = Talk::http(LEGACY).requests("POST", &[("mcp-protocol-version", version)]);
        let sent = mcp_verdict_wire::transcript::EventKind::Sent {
            exchange: 3,
            label: None,
            meant: true,
            bytes: call.as_str().into(),
        };
        talk.event(sent).answers(1, json!({"tools": 1}))
    };
    breaks("results/shape", &with("2025-11-25"), "ListToolsResult");
    spares("results/shape", &with("2024-11-05"));
}

#[test]
fn a_modern_server_may_answer_legacy_requests_as_it_did() {
    let bare = Talk::stdio(MODERN).means(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    spares("results/shape", &bare.answers(1, json!({"tools": []})));
    let talk = listed(Talk::stdio(MODERN), json!({"tools": []}));
    assert!(
        crate::helper::observe("results/shape", &talk)
            .findings
            .len()
            == 1
    );
}

#[test]
fn what_is_offered_without_a_word() {
    let with = |capabilities| Talk::bare(LEGACY, TransportKind::Stdio).opened(capabilities);
    breaks(
        "results/declared",
        &listed(with(json!({})), json!({"tools": [tool()]})),
        "`tools` declared",
    );
    holds(
        "results/declared",
        &listed(with(everything()), json!({"tools": [tool()]})),
    );
    holds(
        "results/declared",
        &listed(with(json!({"tools": {}})), json!({"tools": [tool()]})),
    );
    // Nothing, or a failed call, is no offer.
    idles(
        "results/declared",
        &listed(with(json!({})), json!({"tools": []})),
    );
    let call = with(json!({})).asks(1, "tools/call", json!({"name": "x"}));
    idles(
        "results/declared",
        &call
            .clone()
            .answers(1, json!({"content": [], "isError": true})),
    );
    breaks(
        "results/declared",
        &call.answers(1, json!({"content": []})),
        "tools/call",
    );
    // There was no capability to declare it with.
    let complete = |revision| {
        let talk = Talk::bare(revision, TransportKind::Stdio).opened(json!({}));
        talk.asks(1, "completion/complete", json!({}))
            .answers(1, json!({"completion": {"values": ["a"]}}))
    };
    idles("results/declared", &complete(OLDEST));
    breaks("results/declared", &complete(LEGACY), "completions");
}
