//! Requests that only a plain socket can send.

use mcp_verdict_transport::{HeaderEdits, HttpCall, Outgoing};
use mcp_verdict_wire::{
    Delivery,
    transcript::{Ended, EventKind},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::{
    answer, end_of, kinds, listen, message, names, next, open, read_request, response,
};

fn with(name: &str, value: Option<&str>) -> Outgoing {
    let headers = HeaderEdits::from([(name.to_owned(), value.map(str::to_owned))]);
    Outgoing {
        headers,
        meant: true,
        ..message("{}")
    }
}

#[tokio::test]
async fn the_host_can_be_another_one() {
    let (url, mut requests) = answer(response("403 Forbidden", "text/plain", "no")).await;
    let mut connection = open(&url).await;
    connection
        .send(with("host", Some("evil.example:8000")))
        .await
        .unwrap();
    let request = next(&mut requests).await;
    assert!(
        request.contains("\r\nhost: evil.example:8000\r\n"),
        "{request}"
    );
    assert_eq!(request.matches("host:").count(), 1);
}

#[tokio::test]
async fn headers_can_be_missing() {
    let (url, mut requests) = answer(response("400 Bad Request", "text/plain", "no")).await;
    let mut connection = open(&url).await;
    for name in ["host", "accept", "content-type", "user-agent"] {
        let exchange = connection.send(with(name, None)).await.unwrap();
        let request = next(&mut requests).await;
        assert!(!request.contains(&format!("{name}:")), "{request}");
        assert_eq!(
            end_of(connection.recorder(), exchange).await,
            Ended::Complete
        );
    }
    connection.send(with("content-length", None)).await.unwrap();
    assert!(!next(&mut requests).await.contains("content-length"));
}

#[tokio::test]
async fn the_recorded_head_is_what_was_sent() {
    let (url, mut requests) = answer(response("200 OK", "application/json", "{}")).await;
    let mut connection = open(&url).await;
    let exchange = connection
        .send(with("x-odd", Some("a\u{1}\tb  ")))
        .await
        .unwrap();
    let request = next(&mut requests).await;
    let seen = kinds(connection.recorder());
    let EventKind::HttpRequest {
        headers,
        meant: true,
        ..
    } = &seen[0]
    else {
        panic!()
    };
    let mut expected = "POST /mcp HTTP/1.1\r\n".to_owned();
    for (name, value) in headers {
        expected.push_str(&format!("{name}: {value}\r\n"));
    }
    assert_eq!(request, format!("{expected}\r\n{{}}"));
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );
    let seen = names(&kinds(connection.recorder()));
    assert_eq!(
        seen,
        ["request", "sent", "response", "body", "received", "end"]
    );
}

#[tokio::test]
async fn a_header_can_break_its_line_and_a_length_can_lie() {
    let (url, mut requests) = answer(response("400 Bad Request", "text/plain", "no")).await;
    let mut connection = open(&url).await;
    connection
        .send(with("x-odd", Some("a\r\nx-more: b")))
        .await
        .unwrap();
    assert!(
        next(&mut requests)
            .await
            .contains("\r\nx-odd: a\r\nx-more: b\r\n")
    );
    connection
        .send(with("content-length", Some("1")))
        .await
        .unwrap();
    assert!(
        next(&mut requests)
            .await
            .contains("\r\ncontent-length: 1\r\n")
    );
}

#[tokio::test]
async fn a_method_can_be_any_text() {
    let (url, mut requests) = answer(response("400 Bad Request", "text/plain", "no")).await;
    let mut connection = open(&url).await;
    let call = HttpCall {
        method: "P@ ST".into(),
        path: Some("/a?b".into()),
        ..HttpCall::default()
    };
    connection.http(call).await.unwrap();
    assert!(
        next(&mut requests)
            .await
            .starts_with("P@ ST /a?b HTTP/1.1\r\n")
    );
}

#[tokio::test]
async fn every_form_of_a_body_is_read() {
    let json = "content-type: application/json\r\n";
    for wire in [
        format!("HTTP/1.1 200 OK\r\n{json}content-length: 7\r\n\r\n{{\"a\":1}}trailing"),
        format!("HTTP/1.0 200 OK\r\n{json}connection: close\r\n\r\n{{\"a\":1}}"),
        format!(
            "HTTP/1.1 200 OK\r\n{json}Transfer-Encoding: Chunked\r\n\r\n3;x\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n"
        ),
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
             HTTP/1.1 200 OK\r\n{json}content-length: 7\r\n\r\n{{\"a\":1}}"
        ),
    ] {
        // Byte by byte: pieces may end anywhere.
        let bytes = wire.clone().into_bytes();
        let url = listen(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                read_request(&mut stream).await;
                for byte in bytes {
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            }
        })
        .await;
        let mut connection = open(&url).await;
        let exchange = connection.send(with("accept", None)).await.unwrap();
        assert_eq!(
            end_of(connection.recorder(), exchange).await,
            Ended::Complete,
            "{wire}"
        );
        let received = EventKind::Received {
            exchange,
            sse: None,
            bytes: "{\"a\":1}".into(),
        };
        assert!(kinds(connection.recorder()).contains(&received), "{wire}");
    }
}

#[tokio::test]
async fn a_body_is_not_expected_where_there_is_none() {
    let (url, _requests) =
        answer("HTTP/1.1 204 No Content\r\ncontent-type: application/json\r\n\r\n").await;
    let mut connection = open(&url).await;
    let exchange = connection.send(with("accept", None)).await.unwrap();
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );
}

#[tokio::test]
async fn a_bad_length_or_chunk_breaks_the_exchange() {
    for head in [
        "content-length: -1\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nxyz\r\n",
    ] {
        let (url, _requests) = answer(format!("HTTP/1.1 200 OK\r\n{head}")).await;
        let mut connection = open(&url).await;
        let exchange = connection.send(with("accept", None)).await.unwrap();
        let how = end_of(connection.recorder(), exchange).await;
        assert!(matches!(how, Ended::Broken(_)), "{head}: {how:?}");
    }
}

#[tokio::test]
async fn a_request_can_be_spelled_in_other_ways() {
    let (url, mut requests) = answer(response("200 OK", "application/json", "{}")).await;
    let mut connection = open(&url).await;
    let delivery = Delivery {
        chunked: true,
        absolute_form: true,
        upper_case_names: true,
        pieces: 9,
        ..Delivery::default()
    };
    let outgoing = Outgoing {
        delivery,
        ..message("{\"id\":1}")
    };
    let exchange = connection.send(outgoing).await.unwrap();
    let request = next(&mut requests).await;
    assert!(
        request.starts_with(&format!("POST {url} HTTP/1.1\r\n")),
        "{request}"
    );
    assert!(request.contains("\r\nTRANSFER-ENCODING: chunked\r\n"));
    assert!(!request.to_ascii_lowercase().contains("content-length"));
    assert_eq!(
        end_of(connection.recorder(), exchange).await,
        Ended::Complete
    );
}

#[tokio::test]
async fn two_requests_can_come_at_once_on_one_connection() {
    let second = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n2";
    for first in [
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n1",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n",
    ] {
        let url = listen(move |mut stream| async move {
            read_two(&mut stream).await;
            // In one piece, so that the second comes with the end of the first.
            let both = [first, second].concat();
            stream.write_all(both.as_bytes()).await.unwrap();
        })
        .await;
        let mut connection = open(&url).await;
        let held = Outgoing {
            delivery: Delivery {
                with_next: true,
                ..Delivery::default()
            },
            ..message("a")
        };
        let one = connection.send(held).await.unwrap();
        let two = connection.send(message("b")).await.unwrap();
        for (exchange, body) in [(one, "1"), (two, "2")] {
            assert_eq!(
                end_of(connection.recorder(), exchange).await,
                Ended::Complete
            );
            let received = EventKind::Received {
                exchange,
                sse: None,
                bytes: body.into(),
            };
            assert!(kinds(connection.recorder()).contains(&received), "{first}");
        }
    }
}

#[tokio::test]
async fn a_second_request_breaks_off_where_its_connection_ends() {
    let url = listen(|mut stream| async move {
        read_two(&mut stream).await;
        let first = response("200 OK", "application/json", "1");
        stream.write_all(&first).await.unwrap();
    })
    .await;
    let mut connection = open(&url).await;
    let held = Outgoing {
        delivery: Delivery {
            with_next: true,
            ..Delivery::default()
        },
        ..message("a")
    };
    let one = connection.send(held).await.unwrap();
    let two = connection.send(message("b")).await.unwrap();
    let recorder = connection.recorder();
    assert_eq!(end_of(recorder, one).await, Ended::Complete);
    assert!(matches!(end_of(recorder, two).await, Ended::Broken(_)));
}

#[tokio::test]
async fn a_header_can_come_twice_and_an_origin_be_the_servers_own() {
    let (url, mut requests) = answer(response("200 OK", "application/json", "{}")).await;
    let mut connection = open(&url).await;
    let delivery = Delivery {
        twice: "Mcp-Session-Id".to_owned(),
        own_origin: true,
        ..Delivery::default()
    };
    connection
        .send(Outgoing {
            delivery,
            ..with("mcp-session-id", Some("x"))
        })
        .await
        .unwrap();
    let request = next(&mut requests).await;
    assert_eq!(request.matches("mcp-session-id: x\r\n").count(), 2);
    let origin = url.trim_end_matches("/mcp");
    assert!(
        request.contains(&format!("\r\norigin: {origin}\r\n")),
        "{request}"
    );
}

/// Reads two requests, whose bodies are one byte long.
async fn read_two(stream: &mut tokio::net::TcpStream) {
    let mut seen = Vec::new();
    let ends = |seen: &[u8]| seen.windows(4).filter(|end| *end == b"\r\n\r\n").count();
    while ends(&seen) < 2 || seen.ends_with(b"\n") {
        if matches!(stream.read_buf(&mut seen).await, Ok(0) | Err(_)) {
            return;
        }
    }
}
