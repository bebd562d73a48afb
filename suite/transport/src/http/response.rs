//! Reads a response to its end and records it, whoever made the connection.

use mcp_verdict_wire::{
    NetworkFault,
    limits::BODY_BYTES_MAX,
    sse::Reader,
    transcript::{Bytes, Ended, EventKind},
};

use super::{
    event_stream::{self, EndpointSender},
    network::Network,
    raw,
};
use crate::exchanges::Log;

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) version: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
}

/// A body that is still coming.
pub(super) enum Body {
    Pooled(reqwest::Response),
    Raw(raw::Body),
}

impl Head {
    pub(super) fn of(response: &reqwest::Response) -> Self {
        let field = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        };
        Self {
            status: response.status().as_u16(),
            version: format!("{:?}", response.version()),
            headers: response.headers().iter().map(field).collect(),
        }
    }

    /// The first field of that name, which is in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(field, _)| field == name);
        found.map(|(_, value)| value.trim())
    }

    /// The content type without parameters, in lower case.
    fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or_default();
        value
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    }
}

impl Body {
    async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, String> {
        match self {
            Self::Pooled(response) => response.chunk().await.map_err(|error| reason(&error)),
            Self::Raw(body) => Ok(body.chunk().await?.map(bytes::Bytes::from)),
        }
    }
}

/// Records the response from its head on, and gives its end. `endpoint` gets the data of an `endpoint` event.
pub(super) async fn read(
    log: &Log,
    head: Head,
    body: &mut Body,
    endpoint: Option<EndpointSender>,
    network: Option<NetworkFault>,
) -> Ended {
    let media_type = head.media_type();
    log.record(EventKind::HttpResponse {
        exchange: log.exchange(),
        status: head.status,
        version: head.version,
        headers: head.headers,
    });
    if media_type == "text/event-stream" {
        read_stream(log, body, endpoint, network).await
    } else {
        read_body(log, body, media_type == "application/json").await
    }
}

/// What went wrong, with its causes, and without the URL.
pub(super) fn reason(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = next {
        let one = error.to_string();
        // Many an error repeats its cause.
        if !text.contains(&one) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&one);
        }
        next = error.source();
    }
    text
}

async fn read_stream(
    log: &Log,
    body: &mut Body,
    mut endpoint: Option<EndpointSender>,
    network: Option<NetworkFault>,
) -> Ended {
    let mut reader = Reader::new();
    let mut network = network.map(Network::new);
    let mut room = log.hold();
    loop {
        match body.chunk().await {
            Ok(Some(piece)) => {
                let mut emit = |item| drop(event_stream::record(log, item, &mut endpoint));
                let lost_at = network.as_mut().and_then(|network| network.lost_at(&piece));
                let piece = &piece[..lost_at.unwrap_or(piece.len())];
                if let Err(too_long) = reader.push(piece, &mut emit) {
                    let limit = too_long.to_string();
                    log.record(EventKind::LimitExceeded {
                        exchange: log.exchange(),
                        limit,
                    });
                    return Ended::Dropped;
                }
                if lost_at.is_some() || log.is_full() || !room.is_enough_for(reader.held()) {
                    return Ended::Dropped;
                }
            }
            Ok(None) => {
                let cut = reader
                    .finish()
                    .and_then(|item| event_stream::record(log, item, &mut None));
                return cut.map_or(Ended::Complete, Ended::Broken);
            }
            Err(reason) => return Ended::Broken(reason),
        }
    }
}

async fn read_body(log: &Log, body: &mut Body, is_json: bool) -> Ended {
    let exchange = log.exchange();
    let mut bytes = Vec::new();
    let mut room = log.hold();
    let how = loop {
        match body.chunk().await {
            Ok(Some(piece)) if bytes.len() + piece.len() > BODY_BYTES_MAX => {
                let limit = format!("a body holds at most {BODY_BYTES_MAX} bytes");
                log.record(EventKind::LimitExceeded { exchange, limit });
                return Ended::Dropped;
            }
            Ok(Some(piece)) if !room.is_enough_for(bytes.len() + piece.len()) => {
                return Ended::Dropped;
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Ok(None) => break Ended::Complete,
            Err(reason) => break Ended::Broken(reason),
        }
    };
    let is_message = is_json && how == Ended::Complete && !bytes.is_empty();
    drop(room);
    let body = Bytes::from(bytes);
    log.record(EventKind::HttpBody {
        exchange,
        bytes: body.clone(),
    });
    if is_message {
        log.record(EventKind::Received {
            exchange,
            sse: None,
            bytes: body,
        });
    }
    how
}
