//! Streamable HTTP against servers that write every byte themselves.

use std::time::Duration;

use mcp_verdict_transport::{
    Address, Connection, HttpCall, OpenError, Options, Outgoing, Redactor, Shutdown,
};
use mcp_verdict_wire::transcript::{Ended, EventKind, SseFields};
use tokio::{io::AsyncWriteExt, sync::mpsc, time::timeout};

use crate::common::{
    STREAM, answer, edits, end_of, get, kinds, listen, message, names, next, open, open_with,
    options, read_request, recorder, response, wait_for,
};

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
            if *exchange == put && *body.0 == *b"{}")
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

#[tokio::test]
async fn a_connection_that_the_server_gave_up_is_not_its_fault() {
    let url = listen(|mut stream| async move {
        // It takes a second request on the same connection, and hangs up instead of answering.
        if read_request(&mut stream).await.is_some() {
            let answer = response("200 OK", "application/json", "{}");
            stream.write_all(&answer).await.expect("somebody listens");
            read_request(&mut stream).await;
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
}
