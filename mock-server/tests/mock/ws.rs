//! The WebSocket of the HTTP listener, with a client of another make.

use futures_util::{SinkExt, StreamExt};
use mcp_verdict_mock::{MockConfig, Served};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        protocol::{
            Role,
            frame::{
                Frame,
                coding::{Data, OpCode},
            },
        },
    },
};

use crate::support::{LEGACY, PATIENCE, initialize_params};

const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==";

/// The fields of a handshake that is as it should be.
const SOUND: [&str; 5] = [
    "connection: keep-alive, Upgrade",
    "upgrade: WebSocket",
    "sec-websocket-version: 13",
    KEY,
    "sec-websocket-protocol: other, mcp",
];

async fn served() -> Served {
    let listen = "127.0.0.1:0".parse().unwrap();
    Served::http(&MockConfig::default(), listen).await.unwrap()
}

/// Sends a handshake with these fields; gives the head of the response.
async fn shake(served: &Served, fields: &[&str]) -> (String, TcpStream) {
    let address = served.address().expect("an address");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {address}\r\n{}\r\n\r\n",
        fields.join("\r\n")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await.unwrap();
        head.push(byte.unwrap());
    }
    (String::from_utf8(head).unwrap(), stream)
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn open(served: &Served) -> Self {
        Self::open_by(served, &SOUND).await
    }

    async fn open_by(served: &Served, fields: &[&str]) -> Self {
        let (head, stream) = shake(served, fields).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self(WebSocketStream::from_raw_socket(stream, Role::Client, None).await)
    }

    async fn send(&mut self, message: &Value) {
        let text = Message::text(message.to_string());
        self.0.send(text).await.unwrap();
    }

    async fn next(&mut self) -> Option<Message> {
        let next = timeout(PATIENCE, self.0.next()).await;
        next.expect("a frame in time").map(|next| next.unwrap())
    }

    async fn receive(&mut self) -> Value {
        match self.next().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message: {other:?}"),
        }
    }

    async fn request(&mut self, id: Value, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        let answer = self.receive().await;
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// The code of the server's close frame.
    async fn close_code(&mut self) -> u16 {
        match self.next().await {
            Some(Message::Close(Some(frame))) => frame.code.into(),
            other => panic!("no close frame: {other:?}"),
        }
    }
}

#[tokio::test]
async fn every_revision_is_spoken() {
    let served = served().await;
    for revision in LEGACY {
        let mut client = Client::open(&served).await;
        let answer = client
            .request(json!("first"), "initialize", initialize_params(revision))
            .await;
        assert_eq!(answer["result"]["protocolVersion"], revision);
        client
            .send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        let answer = client.request(json!(2), "ping", json!({})).await;
        assert_eq!(answer["result"], json!({}));
    }
    let mut client = Client::open(&served).await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let answer = client
        .request(json!(1), "server/discover", json!({"_meta": meta}))
        .await;
    assert!(answer["result"]["supportedVersions"].is_array(), "{answer}");
}

#[tokio::test]
async fn the_handshake_is_accepted_by_its_key_and_with_the_subprotocol() {
    let served = served().await;
    let (head, _stream) = shake(&served, &SOUND).await;
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(head.contains("sec-websocket-protocol: mcp\r\n"), "{head}");
    let (head, _stream) = shake(&served, &SOUND[..4]).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(!head.contains("sec-websocket-protocol"), "{head}");
}

#[tokio::test]
async fn what_is_no_handshake_is_refused() {
    let served = served().await;
    let foreign = [&SOUND[..], &["origin: http://evil.example"]].concat();
    let old = ["sec-websocket-version: 8", SOUND[0], SOUND[1], KEY];
    for (fields, status) in [
        (&SOUND[..3], "400"),
        (&SOUND[2..], "426"),
        (&old[..], "426"),
        (&foreign[..], "403"),
    ] {
        let (head, _stream) = shake(&served, fields).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
    }
}

#[tokio::test]
async fn what_is_no_text_closes_and_says_why() {
    let served = served().await;
    let invalid = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    for (message, code) in [
        (Message::binary(b"{}".to_vec()), 1003),
        (Message::Frame(invalid), 1007),
    ] {
        let mut client = Client::open(&served).await;
        client.0.send(message).await.unwrap();
        assert_eq!(client.close_code().await, code);
    }
}

#[tokio::test]
async fn what_is_no_json_is_answered_and_a_ping_too() {
    let served = served().await;
    let mut client = Client::open(&served).await;
    client.0.send(Message::text("{")).await.unwrap();
    assert_eq!(client.receive().await["error"]["code"], -32700);
    let ping = Message::Ping(b"who is there".to_vec().into());
    client.0.send(ping).await.unwrap();
    assert_eq!(
        client.next().await,
        Some(Message::Pong(b"who is there".to_vec().into()))
    );
}

#[tokio::test]
async fn clients_are_told_when_the_server_ends() {
    let served = served().await;
    let mut client = Client::open(&served).await;
    // It is served by now.
    client.request(json!(1), "ping", json!({})).await;
    drop(served);
    assert_eq!(client.close_code().await, 1001);
}

/// The fields of a handshake by SEP-1288.
const DRAFT: [&str; 5] = [
    SOUND[0],
    SOUND[1],
    SOUND[2],
    KEY,
    "sec-websocket-protocol: mcp, mcp.version.2025-11-25, mcp.auth.secret",
];

#[tokio::test]
async fn a_version_that_is_spoken_is_the_subprotocol_and_another_is_refused() {
    let served = served().await;
    let (head, _) = shake(&served, &DRAFT).await;
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(
        head.contains("sec-websocket-protocol: mcp.version.2025-11-25\r\n"),
        "{head}"
    );
    for version in ["1900-01-01", "2026-07-28", ""] {
        let offer = format!("sec-websocket-protocol: mcp, mcp.version.{version}");
        let fields = [SOUND[0], SOUND[1], SOUND[2], KEY, &offer];
        let (head, _) = shake(&served, &fields).await;
        assert!(head.starts_with("HTTP/1.1 400 "), "{version}: {head}");
    }
    served.shutdown().await;
}

#[tokio::test]
async fn a_session_of_the_draft_moves_to_the_connection_that_names_it_last() {
    let served = served().await;
    let mut first = Client::open_by(&served, &DRAFT).await;
    let mut open = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": initialize_params(LEGACY[0])});
    first.send(&open).await;
    let session = first.receive().await["sessionId"].clone();
    assert!(session.is_string());
    open["sessionId"] = session.clone();
    let mut second = Client::open_by(&served, &DRAFT).await;
    second.send(&open).await;
    assert_eq!(second.receive().await["sessionId"], session);
    assert_eq!(first.close_code().await, 1000);
    let ping = json!({"jsonrpc": "2.0", "id": 2, "method": "ping", "sessionId": session});
    second.send(&ping).await;
    let answer = second.receive().await;
    assert_eq!((&answer["id"], &answer["sessionId"]), (&json!(2), &session));
    served.shutdown().await;
}

#[tokio::test]
async fn what_the_draft_does_not_know_closes_and_says_why() {
    let served = served().await;
    for (message, code) in [
        (json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}), 1008),
        (
            json!({"jsonrpc": "2.0", "id": 2, "method": "ping", "sessionId": "x"}),
            1008,
        ),
        (json!({"id": 2, "method": "ping"}), 1003),
        (json!([]), 1003),
    ] {
        let mut client = Client::open_by(&served, &DRAFT).await;
        client.send(&message).await;
        assert_eq!(client.close_code().await, code, "{message}");
    }
    served.shutdown().await;
}
