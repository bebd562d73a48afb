//! gRPC against peers that behave badly: what they do is recorded as it is.

use std::{future::Future, time::Duration};

use bytes::Bytes;
use h2::{Reason, RecvStream, server::SendResponse};
use http::{HeaderMap, Request, Response};
use mcp_verdict_transport::{Address, Connection, HttpCall, OpenError, Recorder, Shutdown};
use mcp_verdict_wire::{
    grpc::{JsonRpcLine, Line, encode},
    limits::MESSAGE_BYTES_MAX,
    transcript::{Ended, EventKind},
};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::common::{end_of, kinds, listen, message, options, recorder, wait_for};

type Asked = Request<RecvStream>;
type Answer = SendResponse<Bytes>;

const PING: &str = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

/// A server of HTTP/2 that hands each call to `serve`.
async fn peer<F>(serve: impl Fn(Asked, Answer) -> F + Clone + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let url = listen(move |stream| {
        let serve = serve.clone();
        async move {
            let Ok(mut connection) = h2::server::handshake(stream).await else {
                return;
            };
            while let Some(Ok((asked, answer))) = connection.accept().await {
                tokio::spawn(serve(asked, answer));
            }
        }
    })
    .await;
    url.replace("http://", "grpc://").replace("/mcp", "")
}

async fn tunnel(url: &str) -> Result<(Connection, Recorder), OpenError> {
    let recorder = recorder();
    let address = Address::Grpc {
        url: url.to_owned(),
        native: false,
    };
    let opened = Connection::open(&address, &options(), recorder.clone()).await;
    opened.map(|connection| (connection, recorder))
}

fn head(content_type: &str) -> Response<()> {
    let response = Response::builder().header("content-type", content_type);
    response.body(()).expect("a response")
}

fn trailers(status: &str, message: &str) -> HeaderMap {
    let field = |text: &str| text.parse().expect("a value");
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", field(status));
    trailers.insert("grpc-message", field(message));
    trailers
}

fn line(text: &str) -> Bytes {
    encode(&Line::of(text.as_bytes())).into()
}

/// Sends a ping and waits for the end of the call's channel.
async fn until_closed(url: &str) -> Vec<EventKind> {
    let (mut connection, recorder) = tunnel(url).await.expect("it listens");
    // The peer may be gone already.
    drop(connection.send(message(PING)).await);
    wait_for(&recorder, |kind| {
        matches!(kind, EventKind::OutputClosed { .. })
    })
    .await;
    let kinds = kinds(&recorder);
    connection.shutdown(Shutdown::Orderly).await;
    kinds
}

fn closed(kinds: &[EventKind]) -> (Option<u32>, String) {
    let found = kinds.iter().find_map(|kind| match kind {
        EventKind::Closed { code, reason, .. } => Some((*code, reason.clone())),
        _ => None,
    });
    found.expect("it closed")
}

fn ended(kinds: &[EventKind]) -> Ended {
    let found = kinds.iter().find_map(|kind| match kind {
        EventKind::HttpEnd { how, .. } => Some(how.clone()),
        _ => None,
    });
    found.expect("it ended")
}

fn received(kinds: &[EventKind]) -> Vec<String> {
    let texts = kinds.iter().filter_map(|kind| match kind {
        EventKind::Received { bytes, .. } => Some(bytes.to_text().into_owned()),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn a_session_is_recorded_with_its_head_its_messages_and_its_status() {
    let url = peer(|mut asked, mut answer| async move {
        assert_eq!(asked.uri().path(), "/mcp.transport.v1.Mcp/Session");
        assert_eq!(asked.headers()["te"], "trailers");
        let first = asked.body_mut().data().await.expect("a message");
        assert_eq!(first.expect("bytes"), line(PING));
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        sink.send_data(line(PONG), false).expect("a message");
        // The client half-closes.
        assert!(
            asked
                .body_mut()
                .data()
                .await
                .is_none_or(|last| last.is_ok_and(|it| it.is_empty()))
        );
        sink.send_trailers(trailers("0", "all%20said"))
            .expect("trailers");
    })
    .await;
    let (mut connection, recorder) = tunnel(&url).await.expect("it listens");
    connection.send(message(PING)).await.expect("it is open");
    wait_for(&recorder, |kind| matches!(kind, EventKind::Received { .. })).await;
    connection.close_input().await.expect("a channel");
    wait_for(&recorder, |kind| {
        matches!(kind, EventKind::OutputClosed { .. })
    })
    .await;
    let kinds = kinds(&recorder);
    assert!(matches!(&kinds[0], EventKind::HttpRequest { method, .. } if method == "POST"));
    assert_eq!(received(&kinds), [PONG]);
    assert_eq!(ended(&kinds), Ended::Complete);
    assert_eq!(closed(&kinds), (Some(0), "all said".to_owned()));
    assert!(
        kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::Trailers { .. }))
    );
    assert!(!connection.is_usable());
    connection.shutdown(Shutdown::Orderly).await;
}

#[tokio::test]
async fn a_response_without_trailers_has_no_status() {
    let url = peer(|_, mut answer| async move {
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        sink.send_data(line(PONG), true).expect("a message");
    })
    .await;
    let kinds = until_closed(&url).await;
    assert_eq!(received(&kinds), [PONG]);
    assert_eq!(closed(&kinds), (None, String::new()));
    assert!(
        !kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::Trailers { .. }))
    );
}

#[tokio::test]
async fn trailers_alone_stay_a_head() {
    let url = peer(|_, mut answer| async move {
        let mut head = head("application/grpc");
        head.headers_mut()
            .extend(trailers("12", "no%20such%20method"));
        answer.send_response(head, true).expect("a head");
    })
    .await;
    let kinds = until_closed(&url).await;
    assert_eq!(closed(&kinds), (Some(12), "no such method".to_owned()));
    assert!(
        !kinds
            .iter()
            .any(|kind| matches!(kind, EventKind::Trailers { .. }))
    );
}

#[tokio::test]
async fn a_reset_is_told_by_its_name() {
    let url = peer(|_, mut answer| async move { answer.send_reset(Reason::REFUSED_STREAM) }).await;
    let kinds = until_closed(&url).await;
    let why = "RST_STREAM REFUSED_STREAM".to_owned();
    assert_eq!(ended(&kinds), Ended::Broken(why.clone()));
    assert_eq!(closed(&kinds), (None, why));
}

#[tokio::test]
async fn a_connection_that_goes_away_breaks_the_call() {
    let url = listen(|stream| async move {
        let Ok(mut connection) = h2::server::handshake(stream).await else {
            return;
        };
        let first = connection.accept().await;
        connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        while connection.accept().await.is_some() {}
        drop(first);
    })
    .await;
    let url = url.replace("http://", "grpc://").replace("/mcp", "");
    let kinds = until_closed(&url).await;
    assert!(matches!(ended(&kinds), Ended::Broken(_)));
}

#[tokio::test]
async fn an_endless_message_is_a_limit() {
    let url = peer(|_, mut answer| async move {
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        let length = u32::try_from(MESSAGE_BYTES_MAX + 1).expect("a length");
        let frame = [&[0], &length.to_be_bytes()[..]].concat();
        sink.send_data(frame.into(), false).expect("a frame");
        std::future::pending::<()>().await;
    })
    .await;
    let (connection, recorder) = tunnel(&url).await.expect("it listens");
    let limit = wait_for(&recorder, |kind| {
        matches!(kind, EventKind::LimitExceeded { .. })
    })
    .await;
    assert!(matches!(
        limit,
        EventKind::LimitExceeded { exchange: 0, .. }
    ));
    connection.shutdown(Shutdown::Now).await;
}

#[tokio::test]
async fn a_frame_that_is_cut_off_is_what_is_left() {
    let url = peer(|_, mut answer| async move {
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        let cut = Bytes::from_static(&[0, 0, 0, 0, 9, b'x']);
        sink.send_data(cut, false).expect("a frame");
        sink.send_trailers(trailers("0", "")).expect("trailers");
    })
    .await;
    let kinds = until_closed(&url).await;
    let rest = kinds.iter().find_map(|kind| match kind {
        EventKind::OutputClosed { rest } => Some(rest.0.to_vec()),
        _ => None,
    });
    assert_eq!(rest, Some(vec![0, 0, 0, 0, 9, b'x']));
    assert_eq!(received(&kinds), [""; 0]);
}

#[tokio::test]
async fn what_is_no_plain_line_is_a_frame() {
    let url = peer(|_, mut answer| async move {
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        let full = JsonRpcLine {
            line: PONG.to_owned(),
            related_request_id: "1".to_owned(),
            resumption_token: "token".to_owned(),
        };
        let full = prost::Message::encode_to_vec(&full);
        for frame in [
            Bytes::from_static(&[1, 0, 0, 0, 1, b'z']),
            encode(&[8, 1]).into(),
            encode(&full).into(),
        ] {
            sink.send_data(frame, false).expect("a frame");
        }
        sink.send_trailers(trailers("0", "")).expect("trailers");
    })
    .await;
    let kinds = until_closed(&url).await;
    let frames: Vec<&str> = kinds
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Frame { opcode, .. } => Some(opcode.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(frames, ["flag 1", "message", "JsonRpcLine"]);
    assert_eq!(received(&kinds), [PONG]);
}

#[tokio::test]
async fn a_page_of_html_is_recorded_as_one() {
    let url = peer(|_, mut answer| async move {
        let mut sink = answer
            .send_response(head("text/html"), false)
            .expect("a head");
        sink.send_data(Bytes::from_static(b"<h1>"), true)
            .expect("a page");
    })
    .await;
    let kinds = until_closed(&url).await;
    let is_html = |kind: &EventKind| {
        matches!(kind, EventKind::HttpResponse { headers, .. }
        if headers.iter().any(|(name, value)| name == "content-type" && value == "text/html"))
    };
    assert!(kinds.iter().any(is_html));
    assert_eq!(closed(&kinds).0, None);
}

#[tokio::test]
async fn a_server_that_speaks_something_else_breaks_the_call() {
    let url = listen(|mut stream| async move {
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
    })
    .await;
    let url = url.replace("http://", "grpc://").replace("/mcp", "");
    match tunnel(&url).await {
        Err(error) => assert!(matches!(
            error,
            OpenError::Stream(_) | OpenError::Connect { .. }
        )),
        Ok((connection, recorder)) => {
            wait_for(&recorder, |kind| {
                matches!(kind, EventKind::OutputClosed { .. })
            })
            .await;
            assert!(matches!(ended(&kinds(&recorder)), Ended::Broken(_)));
            connection.shutdown(Shutdown::Now).await;
        }
    }
}

#[tokio::test]
async fn nobody_there_is_an_error_that_says_where() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    drop(listener);
    let error = tunnel(&format!("grpc://{address}"))
        .await
        .expect_err("nobody");
    assert!(matches!(&error, OpenError::Connect { address: at, .. } if *at == address.to_string()));
    assert!(matches!(
        tunnel("http://127.0.0.1:1").await,
        Err(OpenError::Url { .. })
    ));
}

#[tokio::test]
async fn a_call_beside_the_sessions_is_an_exchange_and_can_be_dropped() {
    let url = peer(|asked, mut answer| async move {
        if asked.uri().path() == "/other" {
            let mut sink = answer
                .send_response(head("application/grpc"), false)
                .expect("a head");
            sink.send_trailers(trailers("5", "gone")).expect("trailers");
        } else {
            // Neither the session nor what is dropped gets an answer.
            std::future::pending::<()>().await;
        }
    })
    .await;
    let (mut connection, recorder) = tunnel(&url).await.expect("it listens");
    let call = |path: &str| HttpCall {
        method: "POST".to_owned(),
        path: Some(path.to_owned()),
        body: Some(encode(b"")),
        ..HttpCall::default()
    };
    let other = connection.http(call("/other")).await.expect("a call");
    let silent = connection.http(call("/silent")).await.expect("a call");
    assert_eq!(end_of(&recorder, other).await, Ended::Complete);
    connection.drop_exchange(silent);
    assert_eq!(end_of(&recorder, silent).await, Ended::Dropped);
    let status = wait_for(&recorder, |kind| matches!(kind, EventKind::Trailers { .. })).await;
    assert!(matches!(status, EventKind::Trailers { exchange, .. } if exchange == other));
    assert!(connection.is_usable());
    let shutdown = connection.shutdown(Shutdown::Orderly);
    tokio::time::timeout(Duration::from_secs(30), shutdown)
        .await
        .expect("it ends");
}

#[tokio::test]
async fn a_native_call_means_the_message_that_it_stands_for() {
    let url = peer(|asked, mut answer| async move {
        assert_eq!(asked.uri().path(), "/model_context_protocol.Mcp/ListTools");
        let mut sink = answer
            .send_response(head("application/grpc"), false)
            .expect("a head");
        sink.send_data(encode(b"").into(), false)
            .expect("a message");
        sink.send_trailers(trailers("0", "")).expect("trailers");
    })
    .await;
    let recorder = recorder();
    let address = Address::Grpc { url, native: true };
    let mut connection = Connection::open(&address, &options(), recorder.clone())
        .await
        .expect("it listens");
    let list = r#"{"jsonrpc":"2.0","id":"a","method":"tools/list"}"#;
    let exchange = connection.send(message(list)).await.expect("a call");
    assert_eq!(end_of(&recorder, exchange).await, Ended::Complete);
    let answers = received(&kinds(&recorder));
    assert_eq!(
        answers,
        [r#"{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}"#]
    );
    assert!(connection.send(message(PING)).await.is_err());
    connection.shutdown(Shutdown::Orderly).await;
}
