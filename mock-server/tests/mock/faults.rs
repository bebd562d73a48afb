//! Faults: one of each hook, and that they combine. That each of them is noticed is for the suite's
//! self-test to show.

use mcp_verdict_mock::{MockConfig, Served, StartError, faults};
use serde_json::{Value, json};

use crate::support::{
    BOTH, JSON, PATIENCE, Session, Stdio, VERSION, exchange, http, modern, post_modern, request,
};

const SSE: (&str, &str) = ("accept", "text/event-stream");

#[tokio::test]
async fn edit_changes_a_message_in_place() {
    let mut stdio = Stdio::with_fault("ids-as-strings");
    stdio.ask("ping", json!({})).await;
    assert_eq!(stdio.receive().await["id"], "1");
}

#[tokio::test]
async fn outgoing_can_multiply_messages() {
    let mut stdio = Stdio::with_fault("answers-twice");
    assert_eq!(
        stdio.request("ping", json!({})).await,
        stdio.receive().await
    );
    let served = http(&MockConfig::with_fault("answers-twice")).await;
    let mut stream = post_modern(&served, 1, "tools/list", json!({})).await;
    assert_eq!(stream.message().await, stream.message().await);
}

#[tokio::test]
async fn outgoing_can_hold_a_message_back() {
    let mut stdio = Stdio::with_fault("acknowledged-late");
    let params = modern(json!({"notifications": {"toolsListChanged": true}}));
    stdio.ask("subscriptions/listen", params).await;
    let messages = stdio
        .call(modern(json!({"name": "test_trigger_tool_change"})))
        .await;
    let methods: Vec<_> = messages
        .iter()
        .filter_map(|message| message["method"].as_str())
        .collect();
    let late = [
        "notifications/tools/list_changed",
        "notifications/subscriptions/acknowledged",
    ];
    assert_eq!(methods, late);
}

#[tokio::test]
async fn incoming_can_answer() {
    let mut stdio = Stdio::with_fault("answers-notifications");
    stdio
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/whatever"}))
        .await;
    assert_eq!(stdio.receive().await["result"], json!({}));
    let served = http(&MockConfig::with_fault("answers-notifications")).await;
    let message = r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#;
    let response = exchange(&served, "POST", "/mcp", &[JSON, BOTH, VERSION], message).await;
    assert_eq!(response.json().await["result"], json!({}));
}

#[tokio::test]
async fn incoming_can_take_a_message_apart() {
    let mut stdio = Stdio::with_fault("batch-answered-in-2025-06-18");
    stdio.initialize("2025-06-18").await;
    let ping = |id: u64| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
    stdio.send(&json!([ping(8), ping(9)])).await;
    assert_eq!(
        (
            stdio.receive().await["id"].take(),
            stdio.receive().await["id"].take()
        ),
        (json!(8), json!(9))
    );
}

#[tokio::test]
async fn lines_can_end_the_process() {
    let mut stdio = Stdio::with_fault("parse-error-kills-line-service");
    stdio.line("").await;
    assert_eq!(stdio.request("ping", json!({})).await["result"], json!({}));
    stdio.line("{").await;
    assert_eq!(stdio.exit().await, 1);
}

#[tokio::test]
async fn lines_can_be_followed_by_others() {
    let mut stdio = Stdio::with_fault("log-on-stdout");
    stdio.request("ping", json!({})).await;
    assert_eq!(stdio.next_line().await.unwrap(), "[info] sent a message");
}

#[tokio::test]
async fn a_process_can_greet_and_linger() {
    let mut stdio = Stdio::with_fault("banner-on-stdout");
    assert_eq!(stdio.next_line().await.unwrap(), "mock server 1.0 is ready");
    assert_eq!(stdio.request("ping", json!({})).await["result"], json!({}));
    assert_eq!(Stdio::with_fault("crash-on-start").exit().await, 1);
    assert_eq!(Stdio::with_fault("exit-code-on-eof").close().await, 1);
    let lingering = Stdio::with_fault("lingers-after-eof");
    let moment = PATIENCE / 20;
    assert!(
        tokio::time::timeout(moment, lingering.close())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn http_requests_can_be_mended_before_they_are_checked() {
    for (fault, status) in [("origin-not-checked", 200), ("host-not-checked", 403)] {
        let served = http(&MockConfig::with_fault(fault)).await;
        let body = request(
            1,
            "initialize",
            crate::support::initialize_params("2025-06-18"),
        );
        let headers = [JSON, BOTH, ("origin", "http://evil.example")];
        assert_eq!(
            exchange(&served, "POST", "/mcp", &headers, &body)
                .await
                .status,
            status
        );
    }
}

#[tokio::test]
async fn http_responses_can_be_changed() {
    let served = http(&MockConfig::with_fault("accepted-with-body")).await;
    let message = r#"{"jsonrpc":"2.0","method":"notifications/whatever"}"#;
    let response = exchange(&served, "POST", "/mcp", &[JSON, BOTH, VERSION], message).await;
    assert_eq!(response.body().await, "{}");
}

#[tokio::test]
async fn events_can_be_left_out() {
    let served = http(&MockConfig::with_fault("second-endpoint-missing")).await;
    let first = exchange(&served, "GET", "/sse", &[], "").await;
    let second = exchange(&served, "GET", "/sse", &[], "").await;
    served.shutdown().await;
    assert!(first.body().await.contains("event: endpoint"));
    assert_eq!(second.body().await, "");
}

#[tokio::test]
async fn sessions_can_outlive_their_end() {
    let served = http(&MockConfig::with_fault("delete-ignored")).await;
    let session = Session::open(&served, "2025-06-18").await;
    assert_eq!(session.send("DELETE", &[], "").await.status, 204);
    assert_eq!(
        session.post(&request(1, "ping", json!({}))).await.status,
        200
    );
}

#[tokio::test]
async fn resumption_can_replay_another_stream() {
    let served = http(&MockConfig::with_fault("resumption-replays-other-stream")).await;
    let session = Session::open(&served, "2025-06-18").await;
    let mut last = String::new();
    for id in [1, 2] {
        let mut stream = session
            .post(&request(
                id,
                "tools/call",
                json!({"name": "test_simple_text"}),
            ))
            .await;
        last = stream.event().await.unwrap().id.unwrap();
    }
    let mut resumed = session
        .send("GET", &[SSE, ("last-event-id", &last)], "")
        .await;
    assert_eq!(resumed.message().await.unwrap()["id"], 1);
}

#[tokio::test]
async fn a_fault_can_hook_in_at_several_places() {
    let served = http(&MockConfig::with_fault("unsupported-version-accepted")).await;
    let mut params = modern(json!({}));
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let body = request(1, "tools/list", params);
    let headers = [
        JSON,
        BOTH,
        ("mcp-protocol-version", "2099-01-01"),
        ("mcp-method", "tools/list"),
    ];
    assert_eq!(
        exchange(&served, "POST", "/mcp", &headers, &body)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn faults_combine() {
    let names = ["ids-as-strings", "answers-twice", "jsonrpc-missing"];
    let faults = names.map(str::to_owned).to_vec();
    let mut stdio = Stdio::start(&MockConfig {
        faults,
        ..MockConfig::default()
    });
    stdio.ask("ping", json!({})).await;
    for _ in 0..2 {
        assert_eq!(stdio.receive().await, json!({"id": "1", "result": {}}));
    }
}

#[tokio::test]
async fn an_unknown_fault_is_an_error_that_helps() {
    let config = MockConfig::with_fault("id-as-strings");
    let error = Served::http(&config, "127.0.0.1:0".parse().unwrap())
        .await
        .err()
        .unwrap();
    let StartError::UnknownFault { suggestion, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(*suggestion, Some("ids-as-strings"));
    assert!(error.to_string().contains("did you mean"));
}

#[tokio::test]
async fn every_fault_still_starts_and_ends() {
    for fault in faults() {
        let served = http(&MockConfig::with_fault(fault.name)).await;
        let session = request(
            1,
            "initialize",
            crate::support::initialize_params("2025-06-18"),
        );
        let response = exchange(&served, "POST", "/mcp", &[JSON, BOTH], &session).await;
        assert!(response.status >= 200, "{}", fault.name);
        drop(response);
        post_modern(&served, 2, "server/discover", json!({})).await;
        let start = std::time::Instant::now();
        served.shutdown().await;
        assert!(start.elapsed().as_secs() < 2, "{}", fault.name);
    }
}

#[test]
fn there_is_a_fault_for_every_kind_of_hook() {
    use mcp_verdict_mock::Hook;
    let kinds = |hook: &Hook| match hook {
        Hook::All(_) => "all",
        Hook::Body(_) => "body",
        Hook::Edit(_) => "edit",
        Hook::GrpcCall(_) | Hook::GrpcCancelled(_) => "grpc call",
        Hook::GrpcPart(_) => "grpc part",
        Hook::FrameIn(_) => "frame in",
        Hook::FrameOut(_) => "frame out",
        Hook::HttpHangs(_) => "http hangs",
        Hook::HttpRequest(_) => "http request",
        Hook::HttpResponse(_) => "http response",
        Hook::Incoming(_) => "incoming",
        Hook::LineIn(_) => "line in",
        Hook::LineOut(_) => "line out",
        Hook::Outgoing(_) => "outgoing",
        Hook::Process(_) => "process",
        Hook::Session(_) => "session",
        Hook::Stream(_) => "stream",
        Hook::StreamsStayOpen => "streams stay open",
        Hook::WholeReads => "whole reads",
    };
    let found: std::collections::BTreeSet<_> = faults().map(|fault| kinds(&fault.hook)).collect();
    assert_eq!(found.len(), 19, "{found:?}");
    assert!(!faults().any(|fault| Value::from(fault.about).to_string().contains("TODO")));
}
