//! Streamable HTTP of the legacy era.

use mcp_verdict_mock::MockConfig;
use serde_json::{Value, json};

use crate::support::{BOTH, JSON, LEGACY, Session, exchange, http, request};

const SSE: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test]
async fn a_session_opens_serves_and_ends() {
    let served = http(&MockConfig::default()).await;
    for revision in LEGACY {
        let session = Session::open(&served, revision).await;
        assert!(session.id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)));
        let answer = session
            .post(&request(1, "ping", json!({})))
            .await
            .json()
            .await;
        assert_eq!(answer, json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
        assert_eq!(session.send("DELETE", &[], "").await.status, 204);
        assert_eq!(
            session.post(&request(2, "ping", json!({}))).await.status,
            404
        );
        assert_eq!(session.send("GET", &[SSE], "").await.status, 404);
        assert_eq!(session.send("DELETE", &[], "").await.status, 404);
    }
    served.shutdown().await;
}

#[tokio::test]
async fn what_is_no_request_is_accepted_without_a_body() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-11-25").await;
    for message in [
        r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#,
        r#"{"jsonrpc":"2.0","id":"stray","result":{}}"#,
    ] {
        let response = session.post(message).await;
        assert_eq!(response.status, 202);
        assert_eq!(response.body().await, "");
    }
}

#[tokio::test]
async fn requests_that_are_not_as_they_should_be_are_refused() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-06-18").await;
    let ping = request(1, "ping", json!({}));
    let only_json = ("accept", "application/json");
    let text = ("content-type", "text/plain");
    let wrong = [
        ("mcp-protocol-version", "1900-01-01"),
        ("mcp-session-id", session.id.as_str()),
        JSON,
        BOTH,
    ];
    assert_eq!(
        session.send("POST", &[JSON, only_json], &ping).await.status,
        406
    );
    assert_eq!(session.send("POST", &[text, BOTH], &ping).await.status, 415);
    assert_eq!(session.send("GET", &[only_json], "").await.status, 406);
    assert_eq!(session.send("PUT", &[JSON, BOTH], &ping).await.status, 405);
    assert_eq!(
        exchange(&served, "POST", "/mcp", &wrong, &ping)
            .await
            .status,
        400
    );
    assert_eq!(
        exchange(&served, "POST", "/mcp", &[JSON, BOTH], &ping)
            .await
            .status,
        400
    );
    assert_eq!(
        exchange(&served, "GET", "/mcp", &[SSE], "").await.status,
        400
    );
    assert_eq!(
        exchange(&served, "GET", "/elsewhere", &[SSE], "")
            .await
            .status,
        404
    );
    let response = session.post("{").await;
    assert_eq!(response.status, 400);
    let error = response.json().await;
    assert_eq!(
        (&error["error"]["code"], error.get("id")),
        (&json!(-32700), Some(&Value::Null))
    );
    assert_eq!(session.post("[]").await.status, 400);
}

#[tokio::test]
async fn strangers_are_kept_out() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-06-18").await;
    let ping = request(1, "ping", json!({}));
    for (name, value, status) in [
        ("origin", "http://evil.example", 403),
        ("origin", "null", 403),
        ("origin", "http://localhost:1234", 200),
        ("host", "evil.example", 403),
        ("host", "localhost:80", 200),
    ] {
        let response = session
            .send("POST", &[JSON, BOTH, (name, value)], &ping)
            .await;
        assert_eq!(response.status, status, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_tool_call_is_answered_by_a_stream_that_ends() {
    let served = http(&MockConfig::default()).await;
    for (revision, primed) in [("2025-06-18", false), ("2025-11-25", true)] {
        let session = Session::open(&served, revision).await;
        let params = json!({"name": "test_tool_with_progress", "_meta": {"progressToken": 1}});
        let mut stream = session.post(&request(5, "tools/call", params)).await;
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        let first = stream.event().await.unwrap();
        assert!(first.id.is_some());
        assert_eq!(first.data.is_none_or(|data| data.is_empty()), primed);
        let mut last = json!(null);
        while let Some(message) = stream.message().await {
            last = message;
        }
        assert_eq!(last["id"], 5);
    }
}

#[tokio::test]
async fn a_stream_goes_on_after_its_connection() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-11-25").await;
    let other = request(8, "tools/call", json!({"name": "test_simple_text"}));
    assert_eq!(session.post(&other).await.message().await.unwrap()["id"], 8);
    let mut stream = session
        .post(&request(
            9,
            "tools/call",
            json!({"name": "test_reconnection"}),
        ))
        .await;
    let primer = stream.event().await.unwrap();
    assert!(stream.event().await.unwrap().retry);
    assert!(
        stream.event().await.is_none(),
        "the connection is gone before the answer"
    );
    let last = primer.id.unwrap();
    let mut resumed = session
        .send("GET", &[SSE, ("last-event-id", &last)], "")
        .await;
    assert_eq!(resumed.message().await.unwrap()["id"], 9);
    assert!(
        resumed.event().await.is_none(),
        "nothing of the other stream, and an end"
    );
}

#[tokio::test]
async fn what_belongs_to_no_request_comes_on_one_stream_once() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-06-18").await;
    let trigger = |id| {
        request(
            id,
            "tools/call",
            json!({"name": "test_trigger_tool_change"}),
        )
    };
    assert_eq!(
        session.post(&trigger(1)).await.message().await.unwrap()["id"],
        1
    );
    let mut first = session.send("GET", &[SSE], "").await;
    let changed = "notifications/tools/list_changed";
    assert_eq!(
        first.message().await.unwrap()["method"],
        changed,
        "kept until there was a stream"
    );
    let mut second = session.send("GET", &[SSE], "").await;
    assert_eq!(
        session.post(&trigger(2)).await.message().await.unwrap()["id"],
        2
    );
    assert_eq!(second.message().await.unwrap()["method"], changed);
    session.send("DELETE", &[], "").await;
    assert!(first.message().await.is_none(), "not told twice");
    assert!(second.message().await.is_none());
}

#[tokio::test]
async fn a_server_request_is_answered_by_another_post() {
    let served = http(&MockConfig::default()).await;
    let session = Session::open(&served, "2025-03-26").await;
    let params = json!({"name": "test_sampling", "arguments": {"prompt": "hello"}});
    let mut stream = session.post(&request(3, "tools/call", params)).await;
    let asked = stream.message().await.unwrap();
    assert_eq!(asked["method"], "sampling/createMessage");
    let result = crate::support::client_answer("sampling/createMessage", &json!({}));
    let answer = json!({"jsonrpc": "2.0", "id": asked["id"], "result": result});
    assert_eq!(session.post(&answer.to_string()).await.status, 202);
    let done = stream.message().await.unwrap();
    assert_eq!(done["result"]["content"][0]["text"], "LLM response: Paris");
}

#[tokio::test]
async fn batches_are_answered_together_in_2025_03_26_and_refused_elsewhere() {
    let served = http(&MockConfig::default()).await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "test_simple_text"}},
    ]);
    let session = Session::open(&served, "2025-03-26").await;
    let answers = session
        .post(&batch.to_string())
        .await
        .message()
        .await
        .unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 2);
    let notifications = r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#;
    assert_eq!(session.post(notifications).await.status, 202);
    let session = Session::open(&served, "2025-06-18").await;
    assert_eq!(session.post(&batch.to_string()).await.status, 400);
}

#[tokio::test]
async fn streams_end_when_the_server_does() {
    let served = http(&MockConfig::default()).await;
    let mut stream = Session::open(&served, "2025-06-18")
        .await
        .send("GET", &[SSE], "")
        .await;
    let start = std::time::Instant::now();
    served.shutdown().await;
    assert!(stream.event().await.is_none());
    assert!(start.elapsed().as_millis() < 1500);
}
