//! What the tests share: options, waiting, and servers of a few lines.

use std::{future::Future, time::Duration};

use mcp_verdict_transport::{
    Address, Connection, HeaderEdits, HttpCall, Options, Outgoing, Recorder, Redactor,
};
use mcp_verdict_wire::transcript::{Ended, Event, EventKind, Exchange};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::timeout,
};

/// Far longer than anything here takes; only a broken test waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn options() -> Options {
    Options {
        headers: Vec::new(),
        ca_cert: None,
        insecure: false,
        connect_timeout: Duration::from_secs(5),
        exit_grace: Duration::from_secs(10),
        redactor: Redactor::default(),
        revision: None,
        server: None,
    }
}

pub(crate) fn recorder() -> Recorder {
    Recorder::new(Redactor::default())
}

pub(crate) fn message(text: &str) -> Outgoing {
    Outgoing {
        bytes: text.as_bytes().to_vec(),
        ..Outgoing::default()
    }
}

pub(crate) async fn open(url: &str) -> Connection {
    open_with(url, &options()).await
}

pub(crate) async fn open_with(url: &str, options: &Options) -> Connection {
    let address = Address::StreamableHttp {
        url: url.to_owned(),
    };
    let recorder = Recorder::new(options.redactor.clone());
    Connection::open(&address, options, recorder)
        .await
        .expect("nothing is sent yet")
}

/// Waits until `look` finds something; shows what there was if it does not.
pub(crate) async fn wait<T>(recorder: &Recorder, look: impl FnMut(&[Event]) -> Option<T>) -> T {
    match recorder.wait(PATIENCE, look).await {
        Some(found) => found,
        None => panic!("only these events came: {:#?}", recorder.events()),
    }
}

/// Waits for an event of that kind.
pub(crate) async fn wait_for(recorder: &Recorder, is: impl Fn(&EventKind) -> bool) -> EventKind {
    wait(recorder, |events| {
        events
            .iter()
            .find(|event| is(&event.kind))
            .map(|event| event.kind.clone())
    })
    .await
}

/// Waits for the exchange's end.
pub(crate) async fn end_of(recorder: &Recorder, wanted: Exchange) -> Ended {
    wait(recorder, |events| {
        events.iter().find_map(|event| match &event.kind {
            EventKind::HttpEnd { exchange, how } if *exchange == wanted => Some(how.clone()),
            _ => None,
        })
    })
    .await
}

pub(crate) fn kinds(recorder: &Recorder) -> Vec<EventKind> {
    recorder
        .events()
        .into_iter()
        .map(|event| event.kind)
        .collect()
}

/// The names of the events, in order.
pub(crate) fn names(kinds: &[EventKind]) -> Vec<&'static str> {
    kinds
        .iter()
        .map(|kind| match kind {
            EventKind::Sent { .. } => "sent",
            EventKind::Received { .. } => "received",
            EventKind::HttpRequest { .. } => "request",
            EventKind::HttpResponse { .. } => "response",
            EventKind::HttpBody { .. } => "body",
            EventKind::SseEvent { .. } => "event",
            EventKind::SseComment { .. } => "comment",
            EventKind::HttpEnd { .. } => "end",
            EventKind::ProcessStarted { .. } => "started",
            EventKind::Stderr { .. } => "stderr",
            EventKind::InputClosed => "input closed",
            EventKind::OutputClosed { .. } => "output closed",
            EventKind::Signalled { .. } => "signalled",
            EventKind::Exited { .. } => "exited",
            EventKind::LimitExceeded { .. } => "limit",
            _ => "other",
        })
        .collect()
}

/// A server that hands each connection to `serve`; gives its address.
pub(crate) async fn listen<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> String
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    format!("http://{address}/mcp")
}

/// A server that answers every request with `response` and tells what it was asked.
pub(crate) async fn answer(
    response: impl Into<Vec<u8>>,
) -> (String, mpsc::UnboundedReceiver<String>) {
    let response = response.into();
    let (seen, requests) = mpsc::unbounded_channel();
    let url = listen(move |mut stream| {
        let (seen, response) = (seen.clone(), response.clone());
        async move {
            while let Some(request) = read_request(&mut stream).await {
                // A test that looks at no request has dropped the other end.
                drop(seen.send(request));
                if stream.write_all(&response).await.is_err() {
                    return;
                }
                if response
                    .windows(17)
                    .any(|window| window == b"connection: close")
                {
                    return;
                }
            }
        }
    })
    .await;
    (url, requests)
}

/// A response with a body of known length.
pub(crate) fn response(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// Reads one request as far as its content length goes.
pub(crate) async fn read_request(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| *name == "content-length")
                .map_or(0, |(_, length)| length.parse().expect("a length"));
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// Waits for the next request that a server saw.
pub(crate) async fn next(requests: &mut mpsc::UnboundedReceiver<String>) -> String {
    timeout(PATIENCE, requests.recv())
        .await
        .expect("a request in time")
        .expect("the server runs")
}

/// Reads until the other side closes.
pub(crate) async fn until_closed(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut piece = [0; 1024];
    while let Ok(count) = stream.read(&mut piece).await
        && count > 0
    {}
}

/// The head of an event stream that ends with its connection.
pub(crate) const STREAM: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\
                      connection: close\r\n\r\n";

pub(crate) fn get(label: &str) -> HttpCall {
    HttpCall {
        method: "GET".into(),
        label: Some(label.into()),
        ..HttpCall::default()
    }
}

pub(crate) fn edits(pairs: &[(&str, Option<&str>)]) -> HeaderEdits {
    pairs
        .iter()
        .map(|(name, value)| ((*name).into(), value.map(str::to_owned)))
        .collect()
}
