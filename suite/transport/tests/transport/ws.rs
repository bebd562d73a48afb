//! WebSocket, against peers of a few lines that do what no library would.

use std::time::Duration;

use mcp_verdict_transport::{
    Address, Connection, HttpCall, OpenError, Options, Outgoing, Recorder, Shutdown,
};
use mcp_verdict_wire::{
    Delivery, FrameKind, Revision,
    transcript::{Ended, EventKind},
    websocket::{Decoder, Frame, accept_key, opcode},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::common::{
    end_of, kinds, listen, message, options, read_request, recorder, until_closed, wait_for,
};

/// The server's side of one connection.
struct Peer {
    stream: TcpStream,
    decoder: Decoder,
    request: String,
}

impl Peer {
    /// Reads a handshake and accepts it.
    async fn accept(mut stream: TcpStream) -> Option<Self> {
        let request = read_request(&mut stream).await?;
        let key = field(&request, "sec-websocket-key").unwrap_or_default();
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-accept: {}\r\nsec-websocket-protocol: mcp\r\n\r\n",
            accept_key(&key)
        );
        stream.write_all(head.as_bytes()).await.ok()?;
        let decoder = Decoder::new(1 << 24);
        Some(Self {
            stream,
            decoder,
            request,
        })
    }

    async fn send(&mut self, frame: Frame) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        self.raw(&bytes).await;
    }

    /// Whoever reads no more is of no concern to a test that got what it wanted.
    async fn raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    async fn next(&mut self) -> Option<Frame> {
        let mut piece = [0; 4096];
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("no frame is too long") {
                return Some(frame);
            }
            match self.stream.read(&mut piece).await.ok()? {
                0 => return None,
                count => self.decoder.push(&piece[..count]),
            }
        }
    }
}

fn field(request: &str, name: &str) -> Option<String> {
    let mut fields = request.lines().filter_map(|line| line.split_once(": "));
    fields
        .find(|(field, _)| *field == name)
        .map(|(_, value)| value.to_owned())
}

fn address(url: &str, draft: bool) -> Address {
    let url = url.replacen("http", "ws", 1);
    Address::WebSocket { url, draft }
}

async fn open(url: &str) -> Connection {
    Connection::open(&address(url, false), &options(), recorder())
        .await
        .expect("a WebSocket")
}

/// A server that accepts, sends these bytes, and waits for the end.
async fn sends(bytes: Vec<u8>) -> Connection {
    let url = listen(move |stream| {
        let bytes = bytes.clone();
        async move {
            let Some(mut peer) = Peer::accept(stream).await else {
                return;
            };
            peer.raw(&bytes).await;
            until_closed(&mut peer.stream).await;
        }
    })
    .await;
    open(&url).await
}

fn encoded(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| frame.encode(&mut bytes));
    bytes
}

fn text(payload: &str) -> Frame {
    Frame::whole(opcode::TEXT, payload)
}

async fn closed(connection: &Connection) {
    let over = |kind: &EventKind| matches!(kind, EventKind::OutputClosed { .. });
    wait_for(connection.recorder(), over).await;
}

/// What was recorded of frames, as `who opcode payload`.
fn frames(recorder: &Recorder) -> Vec<String> {
    let told = |kind: EventKind| match kind {
        EventKind::Frame {
            sent,
            opcode,
            bytes,
            ..
        } => {
            let who = if sent { "we" } else { "they" };
            Some(format!("{who} {opcode} {}", bytes.to_text()))
        }
        _ => None,
    };
    kinds(recorder).into_iter().filter_map(told).collect()
}

#[tokio::test]
async fn a_handshake_is_an_exchange_and_messages_are_on_the_channel() {
    let url = listen(|stream| async move {
        let Some(mut peer) = Peer::accept(stream).await else {
            return;
        };
        while let Some(frame) = peer.next().await {
            match frame.opcode {
                opcode::TEXT => {
                    peer.send(Frame {
                        mask: None,
                        ..frame
                    })
                    .await
                }
                _ => return,
            }
        }
    })
    .await;
    let mut connection = open(&url).await;
    assert_eq!(connection.send(message("{}")).await.unwrap(), 0);
    let received = |kind: &EventKind| matches!(kind, EventKind::Received { .. });
    let EventKind::Received {
        exchange: 0, bytes, ..
    } = wait_for(connection.recorder(), received).await
    else {
        panic!("not on the channel")
    };
    assert_eq!(&*bytes.0, b"{}");
    let seen = kinds(connection.recorder());
    assert!(
        matches!(&seen[0], EventKind::HttpRequest { exchange: 1, method, url, .. }
        if method == "GET" && url.starts_with("ws://127.0.0.1:")),
        "{seen:?}"
    );
    assert!(matches!(
        &seen[1],
        EventKind::HttpResponse {
            exchange: 1,
            status: 101,
            ..
        }
    ));
    let end = EventKind::HttpEnd {
        exchange: 1,
        how: Ended::Complete,
    };
    assert_eq!(seen[2], end);
    connection.shutdown(Shutdown::Orderly).await;
}

#[tokio::test]
async fn a_refused_handshake_is_recorded_with_its_status() {
    let url = listen(|mut stream| async move {
        read_request(&mut stream).await;
        let response = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno";
        drop(stream.write_all(response).await);
    })
    .await;
    let recorder = recorder();
    let opened = Connection::open(&address(&url, false), &options(), recorder.clone()).await;
    assert!(matches!(opened, Err(OpenError::Handshake(_))));
    let seen = kinds(&recorder);
    assert!(matches!(
        &seen[1],
        EventKind::HttpResponse { status: 404, .. }
    ));
    assert!(matches!(&seen[2], EventKind::HttpBody { bytes, .. } if &*bytes.0 == b"no"));
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_ends() {
    let url = listen(|mut stream| async move { until_closed(&mut stream).await }).await;
    let options = Options {
        connect_timeout: Duration::from_millis(50),
        ..options()
    };
    let recorder = recorder();
    let opened = Connection::open(&address(&url, false), &options, recorder.clone()).await;
    assert!(matches!(opened, Err(OpenError::Handshake(_))));
    assert!(matches!(end_of(&recorder, 1).await, Ended::Broken(_)));
}

#[tokio::test]
async fn a_wrong_accept_key_is_for_the_judge() {
    let url = listen(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 101 Ok\r\nsec-websocket-accept: wrong\r\n\r\n";
        drop(stream.write_all(head.as_bytes()).await);
        drop(stream.write_all(&encoded(&[text("{}")])).await);
        until_closed(&mut stream).await;
    })
    .await;
    let connection = open(&url).await;
    let received = |kind: &EventKind| matches!(kind, EventKind::Received { .. });
    wait_for(connection.recorder(), received).await;
}

#[tokio::test]
async fn fragments_are_one_message_and_pings_between_them_are_answered() {
    let part = |opcode, payload: &str, fin| Frame {
        fin,
        ..Frame::whole(opcode, payload)
    };
    let connection = sends(encoded(&[
        part(opcode::TEXT, "{\"a\":", false),
        Frame::whole(opcode::PING, "p"),
        part(opcode::CONTINUATION, "", false),
        part(opcode::CONTINUATION, "1}", true),
        text("\u{e9}"),
    ]))
    .await;
    let last = |kind: &EventKind| matches!(kind, EventKind::Received { bytes, .. } if bytes.to_text() == "\u{e9}");
    wait_for(connection.recorder(), last).await;
    let seen = kinds(connection.recorder());
    let whole = |kind: &EventKind| matches!(kind, EventKind::Received { bytes, .. } if bytes.to_text() == "{\"a\":1}");
    assert!(seen.iter().any(whole), "{seen:?}");
    assert_eq!(frames(connection.recorder()), ["they ping p", "we pong p"]);
}

#[tokio::test]
async fn what_no_server_may_send_ends_the_reading_and_says_why() {
    let masked = Frame {
        mask: Some([1, 2, 3, 4]),
        ..text("{}")
    };
    let compressed = Frame {
        reserved: 4,
        ..text("{}")
    };
    let parted = Frame {
        fin: false,
        ..Frame::whole(opcode::PING, "")
    };
    for (frames, why) in [
        (vec![masked], "masked"),
        (vec![compressed], "extension"),
        (vec![Frame::whole(opcode::RESERVED, "")], "opcode"),
        (vec![parted], "fragmented"),
        (vec![Frame::whole(opcode::PONG, [0; 126])], "125"),
        (vec![Frame::whole(opcode::CONTINUATION, "")], "continues"),
        (
            vec![
                Frame {
                    fin: false,
                    ..text("{")
                },
                text("}"),
            ],
            "within another",
        ),
        (vec![Frame::whole(opcode::CLOSE, "x")], "half a code"),
    ] {
        let connection = sends(encoded(&frames)).await;
        closed(&connection).await;
        let breaks = |kind: &EventKind| matches!(kind, EventKind::Frame { breaks: Some(told), .. } if told.contains(why));
        let seen = kinds(connection.recorder());
        assert!(seen.iter().any(breaks), "{why}: {seen:?}");
    }
}

#[tokio::test]
async fn a_frame_of_any_length_and_a_message_without_end_break_a_limit() {
    let endless = Frame {
        fin: false,
        ..text("")
    };
    let more = Frame {
        fin: false,
        ..Frame::whole(opcode::CONTINUATION, "")
    };
    let mut frames = vec![more; 20_000];
    frames.insert(0, endless);
    let huge = [0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    for bytes in [huge.to_vec(), encoded(&frames)] {
        let connection = sends(bytes).await;
        let limit = |kind: &EventKind| matches!(kind, EventKind::LimitExceeded { .. });
        wait_for(connection.recorder(), limit).await;
    }
}

#[tokio::test]
async fn a_flood_of_pings_fills_the_transcript_and_nothing_else() {
    let pings = vec![Frame::whole(opcode::PING, "x"); 20_000];
    let connection = sends(encoded(&pings)).await;
    let limit = |kind: &EventKind| matches!(kind, EventKind::LimitExceeded { .. });
    wait_for(connection.recorder(), limit).await;
}

#[tokio::test]
async fn a_close_frame_without_a_code_is_told_from_an_abrupt_end() {
    let connection = sends(encoded(&[Frame::whole(opcode::CLOSE, "")])).await;
    closed(&connection).await;
    let seen = kinds(connection.recorder());
    let said = EventKind::Closed {
        exchange: 0,
        code: None,
        reason: String::new(),
    };
    assert!(seen.contains(&said), "{seen:?}");
    // It was the target's wish, not ours.
    assert!(!seen.contains(&EventKind::InputClosed), "{seen:?}");
    let url = listen(|stream| async move { drop(Peer::accept(stream).await) }).await;
    let connection = open(&url).await;
    closed(&connection).await;
    let said = |kind: &EventKind| matches!(kind, EventKind::Closed { .. });
    assert!(!kinds(connection.recorder()).iter().any(said));
}

#[tokio::test]
async fn a_message_after_a_close_frame_is_still_seen() {
    let connection = sends(encoded(&[Frame::close(1001, "bye"), text("{}")])).await;
    closed(&connection).await;
    let seen = kinds(connection.recorder());
    let place = |is: &dyn Fn(&EventKind) -> bool| seen.iter().position(is).expect("it is there");
    let close = place(
        &|kind| matches!(kind, EventKind::Closed { code: Some(1001), reason, .. } if reason == "bye"),
    );
    assert!(close < place(&|kind| matches!(kind, EventKind::Received { .. })));
}

#[tokio::test]
async fn a_server_that_never_answers_a_close_frame_is_left() {
    let mut connection = sends(Vec::new()).await;
    connection.close_input().await.unwrap();
    assert_eq!(frames(connection.recorder()), ["we close \u{3}\u{fffd}"]);
    assert!(kinds(connection.recorder()).contains(&EventKind::InputClosed));
    assert!(connection.send(message("{}")).await.is_err());
    connection.shutdown(Shutdown::Orderly).await;
}

#[tokio::test]
async fn a_vector_decides_what_the_frames_are() {
    let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let url = listen(move |stream| {
        let told = told.clone();
        async move {
            let Some(mut peer) = Peer::accept(stream).await else {
                return;
            };
            while let Some(frame) = peer.next().await {
                drop(told.send(frame));
            }
        }
    })
    .await;
    let mut connection = open(&url).await;
    let send = |delivery: Delivery, text: &str| Outgoing {
        delivery,
        ..message(text)
    };
    let cut = Delivery {
        pieces: 2,
        pings: true,
        ..Delivery::default()
    };
    let with_next = Delivery {
        with_next: true,
        after: "\n".to_owned(),
        ..Delivery::default()
    };
    let odd = Delivery {
        frame: FrameKind::Reserved,
        unmasked: true,
        reserved_bit: true,
        ..Delivery::default()
    };
    connection.send(send(cut, "ab")).await.unwrap();
    connection.send(send(with_next, "1")).await.unwrap();
    connection.send(message("2")).await.unwrap();
    connection.send(send(odd, "x")).await.unwrap();
    let mut arrived = Vec::new();
    for _ in 0..5 {
        let frame = seen.recv().await.expect("a frame");
        let payload = String::from_utf8(frame.payload).expect("text");
        arrived.push((
            frame.opcode,
            frame.fin,
            frame.reserved,
            frame.mask.is_some(),
            payload,
        ));
    }
    let expected = [
        (opcode::TEXT, false, 0, true, "a"),
        (opcode::PING, true, 0, true, "between"),
        (opcode::CONTINUATION, true, 0, true, "b"),
        (opcode::TEXT, true, 0, true, "12"),
        (opcode::RESERVED, true, 4, false, "x"),
    ];
    assert_eq!(
        arrived,
        expected.map(|(code, fin, bits, masked, text)| (code, fin, bits, masked, text.to_owned()))
    );
    assert_eq!(
        frames(connection.recorder()),
        ["we ping between", "we opcode 3 x"]
    );
}

#[tokio::test]
async fn a_further_handshake_is_an_exchange_that_stays_open() {
    let url = listen(|stream| async move {
        let Some(mut peer) = Peer::accept(stream).await else {
            return;
        };
        while let Some(frame) = peer.next().await {
            if frame.opcode == opcode::TEXT {
                peer.send(Frame {
                    mask: None,
                    ..frame
                })
                .await;
            }
        }
    })
    .await;
    let mut connection = open(&url).await;
    let call = HttpCall {
        method: "GET".into(),
        body: Some(b"[1]".to_vec()),
        label: Some("second".into()),
        ..HttpCall::default()
    };
    let exchange = connection.http(call).await.unwrap();
    assert_eq!(exchange, 2);
    let back = |kind: &EventKind| matches!(kind, EventKind::Received { exchange: 2, bytes, .. } if &*bytes.0 == b"[1]");
    wait_for(connection.recorder(), back).await;
    connection.drop_exchange(exchange);
    assert_eq!(end_of(connection.recorder(), 2).await, Ended::Dropped);
    assert!(connection.is_usable());
}

#[tokio::test]
async fn the_draft_offers_version_and_token_and_no_one_reads_the_token() {
    let (told, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let url = listen(move |stream| {
        let told = told.clone();
        async move {
            if let Some(mut peer) = Peer::accept(stream).await {
                drop(told.send(peer.request.clone()));
                until_closed(&mut peer.stream).await;
            }
        }
    })
    .await;
    let options = Options {
        headers: vec![("authorization".into(), "Bearer s3cret".into())],
        revision: Some(Revision::V2025_11_25),
        ..options()
    };
    let connection = Connection::open(&address(&url, true), &options, recorder())
        .await
        .expect("a WebSocket");
    let request = seen.recv().await.expect("a handshake");
    assert_eq!(
        field(&request, "sec-websocket-protocol").as_deref(),
        Some("mcp, mcp.version.2025-11-25, mcp.auth.s3cret")
    );
    let recorded = format!("{:?}", kinds(connection.recorder()));
    assert!(!recorded.contains("s3cret"), "{recorded}");
    assert!(recorded.contains("mcp.auth.[redacted]"), "{recorded}");
}
