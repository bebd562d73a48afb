//! A network that fails where a vector says: what came before is there, what came after is not, and the server's
//! side sees the connection end before the exchange does.

use mcp_verdict_transport::HttpCall;
use mcp_verdict_wire::{
    Delivery, NetworkFault, NetworkFaultKind,
    transcript::{Ended, EventKind},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
    time::timeout,
};

use crate::common::{PATIENCE, STREAM, end_of, get, kinds, listen, names, open, read_request};

/// How a server sees a connection end.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Closed,
    Reset,
}

/// A server of a stream of three events, which says how the connection ended.
async fn server() -> (String, mpsc::UnboundedReceiver<Seen>) {
    let (told, seen) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let told = told.clone();
        async move {
            read_request(&mut stream).await;
            let events =
                "id: 1\ndata: {\"a\":1}\n\nid: 2\ndata: {\"a\":2}\n\nid: 3\ndata: {\"a\":3}\n\n";
            let bytes = format!("{STREAM}{events}");
            drop(stream.write_all(bytes.as_bytes()).await);
            let end = stream.read(&mut [0; 16]).await;
            let seen = match end {
                Ok(_) => Seen::Closed,
                Err(_) => Seen::Reset,
            };
            drop(told.send(seen));
        }
    })
    .await;
    (url, seen)
}

/// What is recorded, and what the server saw.
async fn lose(fault: NetworkFaultKind, after_events: u32) -> (Vec<EventKind>, Ended, Seen) {
    let (url, mut seen) = server().await;
    let mut connection = open(&url).await;
    let network = Some(NetworkFault {
        fault,
        after_events,
        after_bytes: None,
    });
    let delivery = Delivery {
        network,
        ..Delivery::default()
    };
    let call = HttpCall {
        delivery,
        ..get("stream")
    };
    let exchange = connection.http(call).await.expect("it is sent");
    let ended = end_of(connection.recorder(), exchange).await;
    let seen = timeout(PATIENCE, seen.recv()).await;
    let seen = seen.expect("the server tells").expect("it runs");
    (kinds(connection.recorder()), ended, seen)
}

#[tokio::test]
async fn a_connection_closes_between_two_events() {
    let (kinds, ended, seen) = lose(NetworkFaultKind::CutBetweenEvents, 2).await;
    assert_eq!(
        names(&kinds),
        ["request", "response", "received", "received", "end"]
    );
    assert_eq!((ended, seen), (Ended::Dropped, Seen::Closed));
}

#[tokio::test]
async fn half_an_event_is_none() {
    let (kinds, ended, seen) = lose(NetworkFaultKind::CutMidEvent, 2).await;
    assert_eq!(
        names(&kinds),
        ["request", "response", "received", "received", "end"]
    );
    assert_eq!((ended, seen), (Ended::Dropped, Seen::Closed));
}

#[tokio::test]
async fn a_reset_is_one() {
    let (kinds, ended, seen) = lose(NetworkFaultKind::Reset, 1).await;
    assert_eq!(names(&kinds), ["request", "response", "received", "end"]);
    assert_eq!((ended, seen), (Ended::Dropped, Seen::Reset));
}

/// What a server reads of a request that the network loses, and how the connection ends.
async fn lose_request(fault: NetworkFaultKind, after_bytes: Option<u32>) -> (Vec<u8>, Seen) {
    let (told, mut seen) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let told = told.clone();
        async move {
            let mut bytes = Vec::new();
            let end = stream.read_to_end(&mut bytes).await;
            let how = match end {
                Ok(_) => Seen::Closed,
                Err(_) => Seen::Reset,
            };
            drop(told.send((bytes, how)));
        }
    })
    .await;
    let mut connection = open(&url).await;
    let network = Some(NetworkFault {
        fault,
        after_events: 0,
        after_bytes,
    });
    let delivery = Delivery {
        network,
        ..Delivery::default()
    };
    let call = HttpCall {
        method: "POST".to_owned(),
        body: Some(b"0123456789".to_vec()),
        delivery,
        ..get("lost")
    };
    let exchange = connection.http(call).await.expect("it is sent");
    let ended = end_of(connection.recorder(), exchange).await;
    assert_eq!(ended, Ended::Dropped);
    let seen = timeout(PATIENCE, seen.recv()).await;
    seen.expect("the server tells").expect("it runs")
}

#[tokio::test]
async fn a_request_is_cut_within_its_body_or_behind_it() {
    let (bytes, seen) = lose_request(NetworkFaultKind::CutRequest, Some(4)).await;
    assert!(bytes.ends_with(b"\r\n\r\n0123"));
    assert_eq!(seen, Seen::Closed);
    let (bytes, seen) = lose_request(NetworkFaultKind::CutRequest, None).await;
    assert!(bytes.ends_with(b"\r\n\r\n0123456789"));
    assert_eq!(seen, Seen::Closed);
}

#[tokio::test]
async fn a_request_is_reset() {
    let (_, seen) = lose_request(NetworkFaultKind::ResetRequest, Some(4)).await;
    assert_eq!(seen, Seen::Reset);
}
