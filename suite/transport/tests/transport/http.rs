//! Streamable HTTP against servers that write every byte themselves.

use std::time::Duration;

use mcp_verdict_transport::{
    Address, Connection, HeaderEdits, HttpCall, OpenError, Options, Outgoing, Redactor, Shutdown,
};
use mcp_verdict_wire::{
    limits::{BODY_BYTES_MAX, MESSAGE_BYTES_MAX},
    transcript::{Ended, EventKind, SseFields},
};
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::mpsc, time::timeout};

use crate::common::{
    PATIENCE, answer, end_of, kinds, listen, message, names, next, open, open_with, options,
    read_request, recorder, response, until_closed, wait, wait_for,
};

const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                      connection: close\r\n\r\n";

fn get(label: &str) -> HttpCall {
    HttpCall {
        method: "GET".into(),
        label: Some(label.into()),
        ..HttpCall::default()
    }
}

fn edits(pairs: &[(&str, Option<&str>)]) -> HeaderEdits {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), value.map(str::to_owned)))
        .collect()
}

#[tokio::test]
async fn a_json_answer_is_recorded_in_its_order_and_the_head_as_it_was_sent() {
    let body = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    let (url, mut requests) =
        answer(response("200 OK", "Application/JSON ; charset=x", body)).await;
    let mut connection = open(&url).await;
    connection.set_header("Mcp-Session-Id", Some("one".into()));
    connection.set_header("mcp-protocol-version", Some("2025-06-18".into()));
    let outgoing = Outgoing {
        label: Some("ask".into()),
        headers: edits(&[
            ("mcp-protocol-version", None),
            ("Origin", Some("http://evil.example")),
        ]),
        ..message(r#"{"id":1}"#)
    };
    let exchange = connection.send(outgoing).await.unwrap();
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );

    let seen = kinds(connection.recorder());
    assert_eq!(
        names(&seen),
        ["request", "sent", "response", "body", "received", "end"]
    );
    let EventKind::HttpRequest {
        label,
        method,
        url: to,
        headers,
        body: None,
        ..
    } = &seen[0]
    else {
        panic!("{:?}", seen[0])
    };
    assert_eq!(
        (label.as_deref(), method.as_str(), to.as_str()),
        (Some("ask"), "POST", url.as_str())
    );
    let mut expected = "POST /mcp HTTP/1.1\r\n".to_owned();
    for (name, value) in headers {
        expected.push_str(&format!("{name}: {value}\r\n"));
    }
    expected.push_str("\r\n{\"id\":1}");
    assert_eq!(next(&mut requests).await, expected);
    for header in [
        "content-type: application/json",
        "accept: application/json, text/event-stream",
        "mcp-session-id: one",
        "origin: http://evil.example",
    ] {
        assert!(expected.contains(&format!("{header}\r\n")), "{expected}");
    }
    assert!(!expected.contains("mcp-protocol-version"));
    assert_eq!(
        seen[4],
        EventKind::Received {
            exchange,
            sse: None,
            bytes: body.into()
        }
    );
    let EventKind::HttpResponse {
        status: 200,
        version,
        headers,
        ..
    } = &seen[2]
    else {
        panic!()
    };
    assert_eq!(version, "HTTP/1.1");
    assert_eq!(
        headers[0],
        ("content-type".into(), "Application/JSON ; charset=x".into())
    );
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_no_message() {
    for content_type in ["text/plain", "application/problem+json", "text/json"] {
        let (url, _requests) = answer(response("400 Bad Request", content_type, "{}")).await;
        let mut connection = open(&url).await;
        let exchange = connection.send(message("{}")).await.unwrap();
        end_of(connection.recorder(), exchange).await;
        let seen = names(&kinds(connection.recorder()));
        assert_eq!(
            seen,
            ["request", "sent", "response", "body", "end"],
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn an_accepted_message_has_an_empty_body() {
    let (url, _requests) = answer("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
    let mut connection = open(&url).await;
    let exchange = connection.send(message("{}")).await.unwrap();
    end_of(connection.recorder(), exchange).await;
    let seen = kinds(connection.recorder());
    assert_eq!(names(&seen), ["request", "sent", "response", "body", "end"]);
    assert_eq!(
        seen[3],
        EventKind::HttpBody {
            exchange,
            bytes: Vec::new().into()
        }
    );
}

#[tokio::test]
async fn a_stream_is_recorded_event_by_event_however_it_is_cut() {
    let stream = ": hello\nid: 0\ndata:\n\nid: 1\ndata: {\"a\":\ndata: 1}\n\nevent: message\ndata: 2\n\n\
                  event: ping\nretry: 5\ndata: 3\n\n";
    let chunked =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let url = listen(move |mut socket| async move {
        read_request(&mut socket).await;
        let mut wire = chunked.as_bytes().to_vec();
        for byte in stream.bytes() {
            wire.extend([b"1\r\n".as_slice(), &[byte], b"\r\n"].concat());
        }
        wire.extend(b"0\r\n\r\n");
        for byte in wire {
            if socket.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    let mut connection = open(&url).await;
    let exchange = connection.http(get("stream")).await.unwrap();
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );
    let fields = |event: Option<&str>, id: Option<&str>, retry| SseFields {
        event: event.map(str::to_owned),
        id: id.map(str::to_owned),
        retry,
    };
    let received = |sse, text: &str| EventKind::Received {
        exchange,
        sse: Some(sse),
        bytes: text.into(),
    };
    assert_eq!(
        kinds(connection.recorder())[2..],
        [
            EventKind::SseComment {
                exchange,
                text: " hello".into()
            },
            EventKind::SseEvent {
                exchange,
                fields: fields(None, Some("0"), None),
                data: "".into()
            },
            received(fields(None, Some("1"), None), "{\"a\":\n1}"),
            received(fields(Some("message"), None, None), "2"),
            EventKind::SseEvent {
                exchange,
                fields: fields(Some("ping"), None, Some(5)),
                data: "3".into()
            },
            EventKind::HttpEnd {
                exchange,
                how: Ended::Complete
            },
        ]
    );
}

#[tokio::test]
async fn a_stream_cut_off_within_an_event_is_broken() {
    let (url, _requests) = answer(format!("{STREAM}data: whole\n\ndata: {{\"half\n")).await;
    let mut connection = open(&url).await;
    let exchange = connection.http(get("stream")).await.unwrap();
    let Ended::Broken(why) = end_of(connection.recorder(), exchange).await else {
        panic!()
    };
    assert!(
        why.contains("within an event") && why.contains("{\"half"),
        "{why}"
    );
    assert_eq!(
        names(&kinds(connection.recorder())),
        ["request", "response", "received", "end"]
    );
}

#[tokio::test]
async fn methods_have_their_own_headers() {
    let (url, mut requests) =
        answer("HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n").await;
    let mut connection = open(&url).await;
    connection.set_header("mcp-session-id", Some("one".into()));
    connection.set_header("mcp-session-id", Some("two".into()));
    connection.http(get("stream")).await.unwrap();
    let request = next(&mut requests).await;
    assert!(request.starts_with("GET /mcp HTTP/1.1\r\n"));
    assert!(
        request.contains("accept: text/event-stream\r\n"),
        "{request}"
    );
    assert!(
        request.contains("mcp-session-id: two\r\n") && !request.contains("content-"),
        "{request}"
    );

    let call = HttpCall {
        method: "DELETE".into(),
        path: Some("/x?y".into()),
        ..HttpCall::default()
    };
    connection.http(call).await.unwrap();
    let request = next(&mut requests).await;
    assert!(request.starts_with("DELETE /x?y HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("mcp-session-id: two\r\n"));

    connection.set_header("mcp-session-id", None);
    let body = Some(b"{}".to_vec());
    let call = HttpCall {
        method: "PUT".into(),
        body: body.clone(),
        ..HttpCall::default()
    };
    let put = connection.http(call).await.unwrap();
    let request = next(&mut requests).await;
    assert!(
        request.ends_with("\r\n\r\n{}") && !request.contains("mcp-session-id"),
        "{request}"
    );
    wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::HttpRequest { exchange, body: Some(body), .. }
            if *exchange == put && body.0 == b"{}")
    })
    .await;

    let call = HttpCall {
        method: "POST".into(),
        body,
        label: Some("post".into()),
        ..HttpCall::default()
    };
    let post = connection.http(call).await.unwrap();
    wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::Sent { exchange, label: Some(label), .. }
            if *exchange == post && label == "post")
    })
    .await;
}

#[tokio::test]
async fn connections_are_used_again() {
    let (connected, mut connections) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let connected = connected.clone();
        async move {
            connected.send(()).ok();
            while read_request(&mut stream).await.is_some() {
                drop(
                    stream
                        .write_all(&response("200 OK", "application/json", "{}"))
                        .await,
                );
            }
        }
    })
    .await;
    let mut connection = open(&url).await;
    for _ in 0..3 {
        let exchange = connection.send(message("{}")).await.unwrap();
        assert_eq!(
            end_of(connection.recorder(), exchange).await,
            Ended::Complete
        );
    }
    assert!(connections.try_recv().is_ok());
    assert!(connections.try_recv().is_err());
}

#[tokio::test]
async fn a_redirect_is_recorded_and_not_followed() {
    let (url, mut requests) =
        answer("HTTP/1.1 307 Temporary Redirect\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")
            .await;
    let mut connection = open(&url).await;
    let exchange = connection.send(message("{}")).await.unwrap();
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );
    next(&mut requests).await;
    assert!(requests.try_recv().is_err());
    wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::HttpResponse { status: 307, .. })
    })
    .await;
}

#[tokio::test]
async fn a_refused_connection_is_recorded() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    for edits in [edits(&[]), edits(&[("accept", None)])] {
        let mut connection = open(&url).await;
        let exchange = connection
            .send(Outgoing {
                headers: edits,
                ..message("{}")
            })
            .await
            .unwrap();
        let Ended::Broken(why) = end_of(connection.recorder(), exchange).await else {
            panic!()
        };
        assert!(why.to_lowercase().contains("connection refused"), "{why}");
        assert_eq!(
            names(&kinds(connection.recorder())),
            ["request", "sent", "end"]
        );
    }
}

#[tokio::test]
async fn what_is_no_response_breaks_the_exchange() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\
               connection: close\r\n\r\n{}";
    for (bytes, expected) in [
        ("SSH-2.0-server\r\nconnection: close\r\n\r\n", "end"),
        ("HTTP/1.1 200 OK\r\nconnection: close", "end"),
        (cut, "body"),
    ] {
        for headers in [edits(&[]), edits(&[("accept", None)])] {
            let (url, _requests) = answer(bytes).await;
            let mut connection = open(&url).await;
            let exchange = connection
                .send(Outgoing {
                    headers,
                    ..message("{}")
                })
                .await
                .unwrap();
            let how = end_of(connection.recorder(), exchange).await;
            assert!(matches!(how, Ended::Broken(_)), "{bytes}: {how:?}");
            let seen = names(&kinds(connection.recorder()));
            assert!(
                seen.contains(&expected) && !seen.contains(&"received"),
                "{seen:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_endless_body_breaks_a_limit_and_is_not_kept() {
    for headers in [edits(&[]), edits(&[("accept", None)])] {
        let url = endless(
            "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
            "x".repeat(65536),
        )
        .await;
        let mut connection = open(&url).await;
        let exchange = connection
            .send(Outgoing {
                headers,
                ..message("{}")
            })
            .await
            .unwrap();
        assert_eq!(
            end_of(connection.recorder(), exchange).await,
            Ended::Dropped
        );
        let seen = kinds(connection.recorder());
        assert_eq!(
            names(&seen),
            ["request", "sent", "response", "limit", "end"]
        );
        let EventKind::LimitExceeded { limit, .. } = &seen[3] else {
            panic!()
        };
        assert!(limit.contains(&BODY_BYTES_MAX.to_string()), "{limit}");
    }
}

#[tokio::test]
async fn an_endless_event_breaks_a_limit_and_is_not_kept() {
    let url = endless(STREAM, format!("data: {}\n", "x".repeat(65536))).await;
    let mut connection = open(&url).await;
    let exchange = connection.http(get("stream")).await.unwrap();
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Dropped
    );
    let seen = kinds(connection.recorder());
    assert_eq!(names(&seen), ["request", "response", "limit", "end"]);
    let EventKind::LimitExceeded { limit, .. } = &seen[2] else {
        panic!()
    };
    assert!(limit.contains(&MESSAGE_BYTES_MAX.to_string()), "{limit}");
}

#[tokio::test]
async fn an_endless_stream_ends_with_the_transcripts_limit() {
    let (closed, mut closing) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let closed = closed.clone();
        async move {
            read_request(&mut stream).await;
            drop(stream.write_all(STREAM.as_bytes()).await);
            let flood = ":\n\n".repeat(20_000);
            while stream.write_all(flood.as_bytes()).await.is_ok() {}
            closed.send(()).ok();
        }
    })
    .await;
    let mut connection = open(&url).await;
    connection.http(get("stream")).await.unwrap();
    wait(connection.recorder(), |events| {
        matches!(events.last()?.kind, EventKind::LimitExceeded { .. }).then_some(())
    })
    .await;
    timeout(PATIENCE, closing.recv())
        .await
        .expect("we close the connection")
        .unwrap();
}

#[tokio::test]
async fn a_head_without_end_breaks_the_exchange() {
    for headers in [edits(&[]), edits(&[("accept", None)])] {
        let url = endless("HTTP/1.1 200 OK\r\n", format!("x: {}", "y".repeat(65536))).await;
        let mut connection = open(&url).await;
        let exchange = connection
            .send(Outgoing {
                headers,
                ..message("{}")
            })
            .await
            .unwrap();
        assert!(matches!(
            end_of(connection.recorder(), exchange).await,
            Ended::Broken(_)
        ));
    }
}

#[tokio::test]
async fn dropping_an_exchange_closes_its_connection_and_records_nothing_more() {
    let (closed, mut closing) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let closed = closed.clone();
        async move {
            read_request(&mut stream).await;
            drop(
                stream
                    .write_all(format!("{STREAM}data: 1\n\n").as_bytes())
                    .await,
            );
            until_closed(&mut stream).await;
            closed.send(()).ok();
        }
    })
    .await;
    let mut connection = open(&url).await;
    let recorder = connection.recorder().clone();
    for raw in [false, true] {
        let headers = if raw {
            edits(&[("accept", None)])
        } else {
            edits(&[])
        };
        let exchange = connection
            .http(HttpCall {
                headers,
                ..get("stream")
            })
            .await
            .unwrap();
        wait_for(
            &recorder,
            |kind| matches!(kind, EventKind::Received { exchange: of, .. } if *of == exchange),
        )
        .await;
        connection.drop_exchange(exchange);
        connection.drop_exchange(exchange);
        assert_eq!(end_of(&recorder, exchange).await, Ended::Dropped);
        timeout(PATIENCE, closing.recv())
            .await
            .expect("the connection closes")
            .unwrap();
    }
    let seen = names(&kinds(&recorder));
    assert_eq!(seen, ["request", "response", "received", "end"].repeat(2));
}

#[tokio::test]
async fn a_post_that_is_not_answered_can_be_dropped() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let seen = seen.clone();
        async move {
            drop(seen.send(read_request(&mut stream).await.unwrap_or_default()));
            until_closed(&mut stream).await;
            drop(seen.send("closed".to_owned()));
        }
    })
    .await;
    let mut connection = open(&url).await;
    let exchange = connection.send(message("{}")).await.unwrap();
    assert!(next(&mut requests).await.starts_with("POST"));
    connection.drop_exchange(exchange);
    assert_eq!(next(&mut requests).await, "closed");
    assert_eq!(
        names(&kinds(connection.recorder())),
        ["request", "sent", "end"]
    );
}

#[tokio::test]
async fn shutdown_and_drop_end_every_exchange() {
    let url = listen(|mut stream| async move {
        read_request(&mut stream).await;
        drop(stream.write_all(STREAM.as_bytes()).await);
        until_closed(&mut stream).await;
    })
    .await;
    for orderly in [true, false] {
        let mut connection = open(&url).await;
        let recorder = connection.recorder().clone();
        let one = connection.http(get("one")).await.unwrap();
        let two = connection.send(message("{}")).await.unwrap();
        if orderly {
            connection.shutdown(Shutdown::Orderly).await;
        } else {
            drop(connection);
        }
        for exchange in [one, two] {
            assert_eq!(end_of(&recorder, exchange).await, Ended::Dropped);
        }
    }
}

#[tokio::test]
async fn the_users_headers_are_sent_and_in_no_event() {
    let echo = "HTTP/1.1 401 Unauthorized\r\ncontent-type: text/plain\r\n\
                x-echo: Bearer secret-1\r\ncontent-length: 17\r\n\r\n(Bearer secret-1)";
    let (url, mut requests) = answer(echo).await;
    let options = Options {
        headers: vec![
            ("Authorization".into(), "Bearer secret-1".into()),
            ("x-key".into(), "other-2".into()),
        ],
        // What the server sends back is known by the redactor only.
        redactor: Redactor::new(["secret-1".to_owned()]),
        ..options()
    };
    for headers in [edits(&[]), edits(&[("accept", None)])] {
        let mut connection = open_with(&url, &options).await;
        let exchange = connection
            .send(Outgoing {
                headers,
                ..message("{}")
            })
            .await
            .unwrap();
        end_of(connection.recorder(), exchange).await;
        let request = next(&mut requests).await;
        assert!(
            request.contains("authorization: Bearer secret-1\r\n"),
            "{request}"
        );
        assert!(request.contains("x-key: other-2\r\n"), "{request}");
        let shown = format!("{:?}", connection.recorder().events());
        assert!(
            !shown.contains("secret-1") && !shown.contains("other-2"),
            "{shown}"
        );
        assert!(shown.contains(r#"("x-key", "[redacted]")"#), "{shown}");
    }
}

#[tokio::test]
async fn what_is_no_url_of_ours_is_refused() {
    for url in [
        "",
        "/mcp",
        "ftp://127.0.0.1/",
        "http://",
        "http://a b/",
        "mailto:x@y",
    ] {
        let address = Address::StreamableHttp {
            url: url.to_owned(),
        };
        let error = Connection::open(&address, &options(), recorder())
            .await
            .unwrap_err();
        assert!(matches!(error, OpenError::Url { .. }), "{url}: {error}");
    }
}

#[tokio::test]
async fn there_is_no_child() {
    let mut connection = open("http://127.0.0.1:9/").await;
    assert!(connection.close_input().await.is_err());
    assert!(connection.signal("TERM").is_err());
    assert_eq!(connection.endpoint(), None);
    let patience = Duration::from_secs(5);
    timeout(patience, connection.shutdown(Shutdown::Now))
        .await
        .expect("nothing to wait for");
}

/// A server that writes `head`, and then `piece` for ever.
async fn endless(head: &'static str, piece: String) -> String {
    listen(move |mut stream| {
        let piece = piece.clone();
        async move {
            read_request(&mut stream).await;
            drop(stream.write_all(head.as_bytes()).await);
            while stream.write_all(piece.as_bytes()).await.is_ok() {}
        }
    })
    .await
}
