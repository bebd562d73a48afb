//! Streamable HTTP of the modern era.

use mcp_verdict_mock::MockConfig;
use serde_json::json;

use crate::support::{BOTH, JSON, VERSION, exchange, http, modern, post_modern, request};

#[tokio::test]
async fn a_request_is_served_without_a_session() {
    let served = http(&MockConfig::default()).await;
    let response = post_modern(
        &served,
        1,
        "tools/call",
        json!({"name": "test_simple_text"}),
    )
    .await;
    assert_eq!(response.status, 200);
    assert_eq!(response.header("mcp-session-id"), None);
    assert_eq!(response.json().await["result"]["resultType"], "complete");
}

#[tokio::test]
async fn notifications_before_the_answer_make_it_a_stream() {
    let served = http(&MockConfig::default()).await;
    let params = json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}});
    let mut stream = post_modern(&served, 1, "tools/call", params).await;
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    let event = stream.event().await.unwrap();
    assert_eq!(event.id, None, "streams cannot be resumed");
    let mut last = json!(null);
    while let Some(message) = stream.message().await {
        last = message;
    }
    assert_eq!(last["id"], 1);
}

#[tokio::test]
async fn errors_come_with_their_status() {
    let served = http(&MockConfig::default()).await;
    for (method, params, status, code) in [
        ("no/such/method", json!({}), 404, -32601),
        ("initialize", json!({}), 404, -32601),
        ("tools/call", json!({"name": "no-such-tool"}), 200, -32602),
        (
            "resources/read",
            json!({"uri": "test://nothing"}),
            200,
            -32602,
        ),
    ] {
        let response = post_modern(&served, 7, method, params).await;
        assert_eq!(response.status, status, "{method}");
        let answer = response.json().await;
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(7), &json!(code)),
            "{method}"
        );
    }
}

#[tokio::test]
async fn headers_must_say_what_the_body_says() {
    let served = http(&MockConfig::default()).await;
    let body = request(1, "tools/call", modern(json!({"name": "test_simple_text"})));
    let (method, name) = (
        ("mcp-method", "tools/call"),
        ("mcp-name", "test_simple_text"),
    );
    let good = exchange(
        &served,
        "POST",
        "/mcp",
        &[JSON, BOTH, VERSION, method, name],
        &body,
    )
    .await;
    assert_eq!(good.status, 200);
    for headers in [
        vec![method, name],
        vec![VERSION, name],
        vec![VERSION, method],
        vec![("mcp-protocol-version", "2025-11-25"), method, name],
        vec![VERSION, ("mcp-method", "tools/list"), name],
        vec![VERSION, method, ("mcp-name", "echo")],
    ] {
        let headers = [&[JSON, BOTH], headers.as_slice()].concat();
        let response = exchange(&served, "POST", "/mcp", &headers, &body).await;
        assert_eq!(response.status, 400, "{headers:?}");
        assert_eq!(
            response.json().await["error"]["code"],
            -32020,
            "{headers:?}"
        );
    }
}

#[tokio::test]
async fn metadata_and_version_are_checked_in_this_order() {
    let served = http(&MockConfig::default()).await;
    let method = ("mcp-method", "tools/list");
    let bare = request(1, "tools/list", json!({}));
    let response = exchange(
        &served,
        "POST",
        "/mcp",
        &[JSON, BOTH, VERSION, method],
        &bare,
    )
    .await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json().await["error"]["code"], -32602);
    let mut params = modern(json!({}));
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("v999");
    let body = request(1, "tools/list", params);
    let version = ("mcp-protocol-version", "v999");
    let response = exchange(
        &served,
        "POST",
        "/mcp",
        &[JSON, BOTH, version, method],
        &body,
    )
    .await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json().await["error"]["code"], -32022);
}

#[tokio::test]
async fn get_and_delete_are_not_there() {
    let served = http(&MockConfig::default()).await;
    for method in ["GET", "DELETE"] {
        let response = exchange(&served, method, "/mcp", &[BOTH, VERSION], "").await;
        assert_eq!(
            (response.status, response.header("allow")),
            (405, Some("POST"))
        );
    }
}

#[tokio::test]
async fn a_notification_is_accepted() {
    let served = http(&MockConfig::default()).await;
    let cancelled =
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let response = exchange(&served, "POST", "/mcp", &[JSON, BOTH, VERSION], cancelled).await;
    assert_eq!(response.status, 202);
    assert_eq!(response.body().await, "");
}

#[tokio::test]
async fn a_subscription_lasts_until_the_server_ends_it() {
    let served = http(&MockConfig::default()).await;
    let params = json!({"notifications": {"toolsListChanged": true}});
    let mut stream = post_modern(&served, 4, "subscriptions/listen", params).await;
    let method = |message: serde_json::Value| message["method"].as_str().unwrap().to_owned();
    let first = stream.message().await.unwrap();
    assert_eq!(method(first), "notifications/subscriptions/acknowledged");
    post_modern(
        &served,
        5,
        "tools/call",
        json!({"name": "test_trigger_tool_change"}),
    )
    .await;
    assert_eq!(
        method(stream.message().await.unwrap()),
        "notifications/tools/list_changed"
    );
    served.shutdown().await;
    assert_eq!(
        method(stream.message().await.unwrap()),
        "notifications/cancelled"
    );
    assert_eq!(stream.message().await.unwrap()["id"], 4);
    assert!(stream.message().await.is_none());
}

#[tokio::test]
async fn a_closed_stream_cancels_its_subscription() {
    let served = http(&MockConfig::default()).await;
    let params = json!({"notifications": {"toolsListChanged": true}});
    for id in 0..20 {
        let mut stream = post_modern(&served, id, "subscriptions/listen", params.clone()).await;
        assert!(stream.message().await.is_some());
    }
    let start = std::time::Instant::now();
    served.shutdown().await;
    assert!(start.elapsed().as_millis() < 1500, "nobody is waited for");
}

#[tokio::test]
async fn a_server_of_one_era_does_not_speak_the_other() {
    let revisions = vec![mcp_verdict_wire::Revision::V2025_06_18];
    let served = http(&MockConfig {
        revisions,
        ..MockConfig::default()
    })
    .await;
    let response = post_modern(&served, 1, "server/discover", json!({})).await;
    assert_eq!(response.status, 400);
    let revisions = vec![mcp_verdict_wire::Revision::V2026_07_28];
    let served = http(&MockConfig {
        revisions,
        ..MockConfig::default()
    })
    .await;
    let initialize = request(
        1,
        "initialize",
        crate::support::initialize_params("2025-06-18"),
    );
    let response = exchange(&served, "POST", "/mcp", &[JSON, BOTH], &initialize).await;
    let data = response.json().await["error"]["data"].take();
    assert_eq!(data["supported"], json!(["2026-07-28"]));
}
