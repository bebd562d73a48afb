//! Lean connections: they send bytes made ahead, and read of an answer what says whether it is a good one.
//!
//! They record nothing. What the judge is to see is captured of single exchanges.

mod chunked;
mod http;
mod lines;
mod recorded;
mod response;

use std::time::Instant;

use mcp_verdict_transport::Address;
use mcp_verdict_wire::{limits::MESSAGE_BYTES_MAX, transcript::SseFields};

use crate::{
    request::{Body, Endpoint},
    scan::Said,
};

/// A connection that is open.
#[derive(Debug)]
pub(crate) enum Link {
    Http(Box<http::Link>),
    Lines(Box<lines::Link>),
    Recorded(Box<recorded::Link>),
}

/// What came of one request.
#[derive(Debug)]
pub(crate) struct Exchanged {
    /// When the answer was there in full.
    pub(crate) answered: Instant,
    /// When the first event of its stream was, if it came in one.
    pub(crate) first_event: Option<Instant>,
    /// Bytes received for it, framing and all.
    pub(crate) received: usize,
    /// What it says.
    pub(crate) said: Said,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub(crate) enum Failure {
    /// There is no connection.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke, or its other end closed it.
    #[error("connection lost")]
    Lost,
    /// No answer in time.
    #[error("timeout")]
    Timeout,
    /// An HTTP status that is no success.
    #[error("status {0}")]
    Status(u16),
    /// What came is no HTTP response.
    #[error("no HTTP response")]
    NotHttp,
    /// The response is neither JSON nor an event stream.
    #[error("content type is neither JSON nor an event stream")]
    ContentType,
    /// What came is no message.
    #[error("no message")]
    NotAMessage,
    /// An answer to another request.
    #[error("wrong id")]
    WrongId,
    /// The response ended without an answer.
    #[error("no answer in the response")]
    NoAnswer,
    /// More than we read.
    #[error("answer is longer than {MESSAGE_BYTES_MAX} bytes")]
    TooLong,
}

/// What is kept of an exchange for the judge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Captured {
    /// Status and header fields, names in lower case; over HTTP only.
    pub(crate) head: Option<(u16, Vec<(String, String)>)>,
    /// What the target sent, in order.
    pub(crate) messages: Vec<CapturedMessage>,
    /// Bytes of them.
    bytes: usize,
    /// There was more than is kept: it cannot be judged.
    pub(crate) cut: bool,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct CapturedMessage {
    /// Its fields beside its data, if it was an event.
    pub(crate) sse: Option<SseFields>,
    pub(crate) bytes: Vec<u8>,
}

impl Captured {
    /// The value of the header field of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let (_, fields) = self.head.as_ref()?;
        let mut named = fields.iter().filter(|(field, _)| field == name);
        named.next().map(|(_, value)| value.as_str())
    }

    fn keep(&mut self, sse: Option<SseFields>, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.messages.len() >= CAPTURED_MESSAGES_MAX || self.bytes > CAPTURED_BYTES_MAX {
            self.cut = true;
            return;
        }
        let bytes = bytes.to_vec();
        self.messages.push(CapturedMessage { sse, bytes });
    }

    /// How much it holds, in bytes.
    pub(crate) const fn weight(&self) -> usize {
        self.bytes
    }
}

/// Messages captured of one exchange.
const CAPTURED_MESSAGES_MAX: usize = 64;

/// Bytes captured of one exchange.
const CAPTURED_BYTES_MAX: usize = 1024 * 1024;

impl Link {
    /// Connects, or starts the child.
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        match &endpoint.address {
            Address::StreamableHttp { .. } => Ok(Self::Http(Box::new(http::Link::new(endpoint)?))),
            Address::Command { .. } | Address::Tcp { .. } | Address::Unix { .. } => {
                let link = lines::Link::connect(&endpoint.address, &endpoint.options).await?;
                Ok(Self::Lines(Box::new(link)))
            }
            Address::HttpSse { .. } | Address::Grpc { .. } | Address::WebSocket { .. } => {
                let link = recorded::Link::connect(endpoint).await?;
                Ok(Self::Recorded(Box::new(link)))
            }
        }
    }

    /// Header fields that every later request carries: those of the session.
    pub(crate) fn set_session(&mut self, fields: Vec<(String, String)>) {
        match self {
            Self::Http(link) => link.set_session(fields),
            Self::Recorded(link) => link.set_session(fields),
            Self::Lines(_) => {}
        }
    }

    /// Sends a request under this id, and waits for its answer. Bounded by its caller; dropping the future leaves the
    /// connection unusable.
    pub(crate) async fn request(
        &mut self,
        body: &Body,
        id: u64,
        captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        match self {
            Self::Http(link) => link.request(body, id, captured).await,
            Self::Lines(link) => link.request(body, id, captured).await,
            Self::Recorded(link) => link.request(body, id, captured).await,
        }
    }

    /// Sends a notification.
    pub(crate) async fn notify(&mut self, body: &Body) -> Result<(), Failure> {
        match self {
            Self::Http(link) => link.notify(body).await,
            Self::Lines(link) => link.notify(body).await,
            Self::Recorded(link) => link.notify(body).await,
        }
    }

    /// Ends the session, as far as the transport knows one, and closes.
    pub(crate) async fn close(self) {
        match self {
            Self::Http(link) => link.close().await,
            Self::Lines(link) => link.close().await,
            Self::Recorded(link) => link.close().await,
        }
    }

    /// Requests of the server's own that were not answered so far.
    pub(crate) fn unanswered_requests(&self) -> u64 {
        match self {
            Self::Http(link) => link.unanswered_requests(),
            Self::Lines(_) | Self::Recorded(_) => 0,
        }
    }

    /// What a child of ours and all that it started hold in memory, in KiB.
    pub(crate) fn memory_kib(&self) -> Option<u64> {
        match self {
            Self::Http(_) | Self::Recorded(_) => None,
            Self::Lines(link) => link.memory_kib(),
        }
    }

    /// Whether nothing more can come over it. A connection of HTTP is made again when it is needed.
    pub(crate) fn is_over(&self, failure: &Failure) -> bool {
        match self {
            Self::Http(_) => false,
            Self::Lines(_) => matches!(failure, Failure::Lost | Failure::TooLong),
            Self::Recorded(link) => matches!(failure, Failure::TooLong) || link.is_over(),
        }
    }
}

/// The answer to a request of the server's: to a ping what it asks for, to all else that we do not have it.
fn reply(id: &[u8], ping: bool) -> Vec<u8> {
    let mut bytes = br#"{"jsonrpc":"2.0","id":"#.to_vec();
    bytes.extend_from_slice(id);
    bytes.extend_from_slice(match ping {
        true => br#","result":{}}"#,
        false => br#","error":{"code":-32601,"message":"Method not found"}}"#,
    });
    bytes
}
