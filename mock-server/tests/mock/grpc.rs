//! The mock over gRPC, spoken to in bytes.

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use mcp_verdict_mock::{Listen, MockConfig, Served};
use mcp_verdict_wire::{
    TransportKind,
    grpc::{Frames, Line, SESSION_PATH, encode, native},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;

async fn served(config: &MockConfig) -> (Served, SendRequest<Bytes>) {
    let served = Served::start(config, TransportKind::Grpc, &Listen::default())
        .await
        .unwrap();
    let stream = TcpStream::connect(served.address().unwrap()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    (served, sender)
}

/// The messages of a whole call, its initial metadata, and its trailing metadata.
async fn call(
    sender: &SendRequest<Bytes>,
    path: &str,
    metadata: &[(&str, &str)],
    frames: Vec<u8>,
) -> (Vec<Vec<u8>>, HeaderMap, HeaderMap) {
    let mut sender = sender.clone().ready().await.unwrap();
    let mut request = Request::post(format!("http://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in metadata {
        request = request.header(*name, *value);
    }
    let (response, mut sink) = sender
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    sink.send_data(frames.into(), true).unwrap();
    let (head, mut body) = response.await.unwrap().into_parts();
    let (mut reader, mut messages) = (Frames::new(1 << 20), Vec::new());
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        reader
            .push(&piece, &mut |frame| messages.push(frame.bytes))
            .unwrap();
    }
    let trailers = body.trailers().await.unwrap().unwrap_or_default();
    (messages, head.headers, trailers)
}

fn line(message: &Value) -> Vec<u8> {
    encode(&Line::of(message.to_string().as_bytes()))
}

fn json(message: &[u8]) -> Value {
    serde_json::from_slice(&Line::read(message).unwrap().line).unwrap()
}

#[tokio::test]
async fn a_half_closed_session_answers_what_it_was_asked() {
    let (served, sender) = served(&MockConfig::default()).await;
    let asked = [
        line(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": crate::support::initialize_params("2025-11-25")})),
        line(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"})),
        line(&json!({"jsonrpc": "2.0", "id": "two", "method": "no/such"})),
        line(&json!({"jsonrpc": "2.0", "id": 3, "method": "ping"})),
    ];
    let (messages, head, trailers) = call(&sender, SESSION_PATH, &[], asked.concat()).await;
    let answers: Vec<Value> = messages.iter().map(|message| json(message)).collect();
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(answers[1]["error"]["code"], -32601);
    assert_eq!(answers[2], json!({"jsonrpc": "2.0", "id": 3, "result": {}}));
    assert_eq!(trailers["grpc-status"], "0");
    assert!(head.contains_key("mcp-session-id"));
    served.shutdown().await;
}

#[tokio::test]
async fn the_binding_answers_each_call_in_its_revision() {
    let (served, sender) = served(&MockConfig::default()).await;
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let (asked, bytes) = native::request(&request).unwrap();
    for revision in ["2025-03-26", "2026-07-28"] {
        let version = [("mcp-protocol-version", revision)];
        let (messages, head, trailers) =
            call(&sender, asked.path(), &version, encode(&bytes)).await;
        assert_eq!(trailers["grpc-status"], "0");
        assert_eq!(head["mcp-protocol-version"], revision);
        let era = revision
            .parse::<mcp_verdict_wire::Revision>()
            .unwrap()
            .era();
        let result = native::result(asked, &messages[0], era).unwrap();
        assert!(result["tools"].as_array().unwrap().len() > 5);
    }
    let (messages, head, _) = call(&sender, asked.path(), &[], encode(&bytes)).await;
    assert!(messages.is_empty());
    assert_eq!(head["grpc-status"], "12");
    assert_eq!(head["mcp-protocol-version"], "2026-07-28");
    served.shutdown().await;
}

#[tokio::test]
async fn an_error_of_the_binding_has_its_code_beside_the_status() {
    let (served, sender) = served(&MockConfig::default()).await;
    let request =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "none"}});
    let (asked, bytes) = native::request(&request).unwrap();
    let version = [("mcp-protocol-version", "2025-11-25")];
    let (_, head, _) = call(&sender, asked.path(), &version, encode(&bytes)).await;
    assert_eq!(head["mcp-error-code"], "-32602");
    assert_eq!(head["grpc-status"], "3");
    served.shutdown().await;
}

#[tokio::test]
async fn health_and_what_does_not_exist() {
    let (served, sender) = served(&MockConfig::default()).await;
    let health = "/grpc.health.v1.Health/Check";
    let (messages, ..) = call(&sender, health, &[], encode(b"")).await;
    assert_eq!(messages, [[8, 1]]);
    let (_, head, _) = call(&sender, "/no.such/Method", &[], encode(b"")).await;
    assert_eq!(head["grpc-status"], "12");
    served.shutdown().await;
}

#[tokio::test]
async fn a_fault_changes_what_leaves() {
    let config = MockConfig::with_fault("grpc-no-status");
    let (served, sender) = served(&config).await;
    let (_, head, trailers) = call(&sender, SESSION_PATH, &[], Vec::new()).await;
    assert!(trailers.is_empty() && !head.contains_key("grpc-status"));
    served.shutdown().await;
}
