//! Exchanges that end badly, at a limit, or because we end them.

use mcp_verdict_transport::{HttpCall, Outgoing, Shutdown};
use mcp_verdict_wire::{
    limits::{BODY_BYTES_MAX, MESSAGE_BYTES_MAX},
    transcript::{Ended, EventKind},
};
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::mpsc, time::timeout};

use crate::common::{
    PATIENCE, STREAM, answer, edits, end_of, get, kinds, listen, message, names, next, open,
    read_request, until_closed, wait, wait_for,
};

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
