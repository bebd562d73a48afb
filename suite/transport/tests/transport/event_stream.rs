//! HTTP+SSE: the stream that answers, and the endpoint that is posted to.

use std::time::Duration;

use mcp_verdict_transport::{Address, Connection, HttpCall, OpenError, Options, Shutdown};
use mcp_verdict_wire::transcript::{Ended, EventKind, SseFields};
use tokio::{io::AsyncWriteExt, sync::broadcast, time::timeout};

use crate::common::{
    PATIENCE, answer, end_of, kinds, listen, message, names, options, read_request, recorder,
    response, wait_for,
};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

/// A server that sends what is posted back on every open stream.
async fn echo(endpoint: &'static str) -> String {
    let (posted, _) = broadcast::channel(16);
    listen(move |mut stream| {
        let posted = posted.clone();
        async move {
            let mut bodies = posted.subscribe();
            let Some(request) = read_request(&mut stream).await else {
                return;
            };
            if request.starts_with("GET /mcp ") {
                let head = format!("{STREAM}event: endpoint\ndata: {endpoint}\n\n");
                drop(stream.write_all(head.as_bytes()).await);
                while let Ok(body) = bodies.recv().await {
                    if body == "close" {
                        return;
                    }
                    let event = format!("event: message\ndata: {body}\n\n");
                    if stream.write_all(event.as_bytes()).await.is_err() {
                        return;
                    }
                }
            } else {
                let right = request.starts_with("POST /messages?id=7 ");
                let status = if right {
                    "202 Accepted"
                } else {
                    "404 Not Found"
                };
                drop(
                    stream
                        .write_all(&response(status, "text/plain", "done"))
                        .await,
                );
                let body = request.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                drop(posted.send(body.to_owned()));
            }
        }
    })
    .await
}

async fn try_open(url: &str, connect_timeout: Duration) -> Result<Connection, OpenError> {
    let options = Options {
        connect_timeout,
        ..options()
    };
    let address = Address::HttpSse {
        url: url.to_owned(),
    };
    let opening = Connection::open(&address, &options, recorder());
    timeout(PATIENCE, opening)
        .await
        .expect("opening is bounded")
}

#[tokio::test]
async fn messages_are_posted_to_the_endpoint_and_answered_on_the_stream() {
    let url = echo("/messages?id=7").await;
    let mut connection = try_open(&url, PATIENCE).await.unwrap();
    let base = url.trim_end_matches("/mcp");
    assert_eq!(connection.endpoint(), Some(format!("{base}/messages?id=7")));
    assert!(connection.is_usable());
    let post = connection.send(message(r#"{"id":1}"#)).await.unwrap();
    assert_eq!(end_of(connection.recorder(), post).await, Ended::Complete);
    let received = wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::Received { .. })
    })
    .await;
    let fields = |event: &str| SseFields {
        event: Some(event.into()),
        ..SseFields::default()
    };
    let expected = EventKind::Received {
        exchange: 1,
        sse: Some(fields("message")),
        bytes: r#"{"id":1}"#.into(),
    };
    assert_eq!((post, received), (2, expected));
    let seen = kinds(connection.recorder());
    assert_eq!(
        names(&seen)[..5],
        ["request", "response", "event", "request", "sent"]
    );
    let data = "/messages?id=7".into();
    assert_eq!(
        seen[2],
        EventKind::SseEvent {
            exchange: 1,
            fields: fields("endpoint"),
            data
        }
    );
    assert!(seen.iter().any(
        |kind| matches!(kind, EventKind::HttpBody { exchange: 2, bytes }
        if *bytes.0 == *b"done")
    ));
}

#[tokio::test]
async fn other_requests_go_where_they_belong() {
    let url = echo("/messages?id=7").await;
    let mut connection = try_open(&url, PATIENCE).await.unwrap();
    let body = Some(b"{}".to_vec());
    let post = HttpCall {
        method: "POST".into(),
        body,
        ..HttpCall::default()
    };
    let get = HttpCall {
        method: "GET".into(),
        ..HttpCall::default()
    };
    for (call, sent) in [(post, true), (get, false)] {
        let exchange = connection.http(call).await.unwrap();
        let response = wait_for(
            connection.recorder(),
            |kind| matches!(kind, EventKind::HttpResponse { exchange: of, .. } if *of == exchange),
        )
        .await;
        let EventKind::HttpResponse { status, .. } = response else {
            panic!()
        };
        assert_eq!(status, if sent { 202 } else { 200 });
    }
}

#[tokio::test]
async fn a_stream_that_ends_is_of_no_more_use() {
    let url = echo("/messages?id=7").await;
    let mut connection = try_open(&url, PATIENCE).await.unwrap();
    connection.send(message("close")).await.unwrap();
    assert_eq!(end_of(connection.recorder(), 1).await, Ended::Complete);
    while connection.is_usable() {
        tokio::task::yield_now().await;
    }
    connection.shutdown(Shutdown::Orderly).await;
}

#[tokio::test]
async fn a_foreign_endpoint_is_not_followed() {
    for endpoint in [
        "http://127.0.0.1:1/messages?id=7",
        "//example.org/x",
        "https://127.0.0.1/x",
    ] {
        let url = echo(endpoint).await;
        let error = try_open(&url, PATIENCE).await.unwrap_err();
        let OpenError::Stream(why) = error else {
            panic!("{error}")
        };
        assert!(why.contains("another origin"), "{why}");
    }
}

#[tokio::test]
async fn a_stream_without_an_endpoint_is_an_error_in_time() {
    let silent = listen(|mut stream| async move {
        read_request(&mut stream).await;
        drop(
            stream
                .write_all(format!("{STREAM}: wait\n\n").as_bytes())
                .await,
        );
        crate::common::until_closed(&mut stream).await;
    })
    .await;
    let error = try_open(&silent, Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no `endpoint` event came within 200 ms"),
        "{error}"
    );

    let (absent, _requests) = answer(response("404 Not Found", "text/html", "no")).await;
    let error = try_open(&absent, PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("HTTP 404, text/html"), "{error}");

    let error = try_open("http://127.0.0.1:1/sse", PATIENCE)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .to_lowercase()
            .contains("connection refused"),
        "{error}"
    );
}
