//! One call: its head on the way out, and all of its response as it comes.

use bytes::Bytes;
use h2::{
    RecvStream, SendStream,
    client::{ResponseFuture, SendRequest},
};
use http::{HeaderMap, Method, Request, Uri};
use mcp_verdict_wire::{
    grpc::{decode_message, status},
    limits::BODY_BYTES_MAX,
    transcript::{Ended, EventKind},
};

use super::{
    line::Line,
    metadata::{Metadata, received},
};
use crate::{SendError, exchanges::Log};

/// The head of a call.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) method: String,
    /// The whole URL.
    pub(super) url: String,
    pub(super) metadata: Metadata,
}

/// What a call ended with, beside how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// `grpc-status`, if it is a number.
    pub(super) code: Option<u32>,
    /// `grpc-message`, decoded.
    pub(super) message: String,
    /// The trailing metadata: trailers, or the head where there is nothing else.
    pub(super) trailing: Vec<(String, String)>,
}

impl Head {
    pub(super) fn new(line: &Line, method: &str, path: &str, metadata: Metadata) -> Self {
        Self {
            method: method.to_owned(),
            url: line.shown(path),
            metadata,
        }
    }

    /// As the library sends it.
    pub(super) fn request(&self) -> Result<Request<()>, SendError> {
        let build = |error: &dyn std::fmt::Display| SendError::Build(error.to_string());
        let uri: Uri = self.url.parse().map_err(|error| build(&error))?;
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|error| build(&error))?;
        let mut request = Request::new(());
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.version_mut() = http::Version::HTTP_2;
        *request.headers_mut() = self.metadata.sent().map_err(SendError::Build)?;
        Ok(request)
    }
}

/// Sends the head. What follows goes through the stream.
pub(super) async fn begin(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    is_last: bool,
) -> Result<(ResponseFuture, SendStream<Bytes>), String> {
    let mut sender = sender.ready().await.map_err(|error| reason(&error))?;
    sender
        .send_request(request, is_last)
        .map_err(|error| reason(&error))
}

/// Records a response from its head to its trailers, and hands each piece of its body to `take`, which may
/// refuse it: then nothing more is read. Does not end the log.
pub(super) async fn receive(
    log: &Log,
    response: ResponseFuture,
    take: &mut (dyn FnMut(&[u8]) -> bool + Send),
) -> (Ended, Status) {
    let broken = |error: &h2::Error| (Ended::Broken(reason(error)), Status::default());
    let response = match response.await {
        Ok(response) => response,
        Err(error) => return broken(&error),
    };
    let (head, mut body) = response.into_parts();
    let headers = received(&head.headers);
    log.record(EventKind::HttpResponse {
        exchange: log.exchange(),
        status: head.status.as_u16(),
        version: "HTTP/2".to_owned(),
        headers: headers.clone(),
    });
    while let Some(piece) = body.data().await {
        let piece = match piece {
            Ok(piece) => piece,
            Err(error) => return broken(&error),
        };
        // There is no window to give back once the stream is over.
        drop(body.flow_control().release_capacity(piece.len()));
        if !take(&piece) {
            return (Ended::Dropped, Status::default());
        }
    }
    match trailers(log, &mut body).await {
        Ok(Some(trailers)) => (Ended::Complete, Status::of(received(&trailers))),
        Ok(None) => (Ended::Complete, Status::of(headers)),
        Err(error) => broken(&error),
    }
}

async fn trailers(log: &Log, body: &mut RecvStream) -> Result<Option<HeaderMap>, h2::Error> {
    let trailers = body.trailers().await?;
    if let Some(fields) = &trailers {
        log.record(EventKind::Trailers {
            exchange: log.exchange(),
            headers: received(fields),
        });
    }
    Ok(trailers)
}

/// Collects a body, at most as long as is kept.
pub(super) async fn collect(log: &Log, response: ResponseFuture) -> (Ended, Status, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut room = log.hold();
    let mut take = |piece: &[u8]| {
        if bytes.len() + piece.len() > BODY_BYTES_MAX {
            log.record(EventKind::LimitExceeded {
                exchange: log.exchange(),
                limit: format!("a body holds at most {BODY_BYTES_MAX} bytes"),
            });
            return false;
        }
        let fits = room.is_enough_for(bytes.len() + piece.len());
        if fits {
            bytes.extend_from_slice(piece);
        }
        fits && !log.is_full()
    };
    let (how, status) = receive(log, response, &mut take).await;
    (how, status, bytes)
}

impl Status {
    fn of(trailing: Vec<(String, String)>) -> Self {
        let field = |wanted: &str| {
            let mut found = trailing.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.as_str())
        };
        Self {
            code: field("grpc-status").and_then(status),
            message: field("grpc-message")
                .map(decode_message)
                .unwrap_or_default(),
            trailing,
        }
    }
}

/// What went wrong, as HTTP/2 calls it.
pub(super) fn reason(error: &h2::Error) -> String {
    match error.reason() {
        Some(reason) if error.is_reset() => format!("RST_STREAM {reason:?}"),
        Some(reason) if error.is_go_away() => format!("GOAWAY {reason:?}"),
        _ => error.to_string(),
    }
}
