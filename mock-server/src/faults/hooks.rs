//! Where a fault can hook in, and what it sees and may change there.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mcp_verdict_wire::websocket::Frame;
use serde_json::Value;

use crate::core::{Departure, Facts, Memory};

/// Where a fault hooks in. The functions are plain: what they need to remember goes into
/// [`Facts::memory`](crate::Facts).
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// How the bodies of HTTP requests are taken.
    Body(BodyFault),
    /// Several places, for a fault that no single one can bring about.
    All(&'static [Hook]),
    /// A message that leaves, edited in place. It sees JSON only, and keeps its number at one.
    Edit(fn(&Facts, &mut Value)),
    /// A call of gRPC, before anything is checked. What it returns is the response.
    GrpcCall(fn(&mut GrpcCall) -> Option<Vec<GrpcPart>>),
    /// A call of gRPC that its client cancels before the response is at its end.
    GrpcCancelled(fn(&GrpcCall)),
    /// A part of the response to a call of gRPC: none, one or more in its place.
    GrpcPart(fn(&GrpcCall, GrpcPart) -> Vec<GrpcPart>),
    /// A frame of a WebSocket that arrived, before the server sees it.
    FrameIn(fn(Frame) -> Vec<Frame>),
    /// A frame of a WebSocket that leaves.
    FrameOut(fn(Frame) -> Vec<Frame>),
    /// Whether an HTTP request is never answered.
    HttpHangs(fn(&HttpRequest) -> bool),
    /// An HTTP request, before anything is checked. What it returns is the response.
    HttpRequest(fn(&mut HttpRequest) -> Option<HttpResponse>),
    /// An HTTP response, before it is sent.
    HttpResponse(fn(&HttpRequest, &mut HttpResponse)),
    /// A JSON value that arrived, before the server sees it. In the facts it is the request.
    Incoming(fn(&Facts, Value) -> Arrived),
    /// A line that arrived on stdio, or a text over WebSocket, before it is read as JSON.
    LineIn(fn(&[u8]) -> LineIn),
    /// A line that leaves on stdio, with its newline.
    LineOut(fn(Vec<u8>) -> Vec<u8>),
    /// A message that leaves, or bytes in its place: none, one or more.
    Outgoing(fn(&Facts, Departure) -> Vec<Departure>),
    /// The life of a stdio process.
    Process(fn(Moment) -> Act),
    /// The life of a legacy HTTP session.
    Session(fn(&mut SessionEvent<'_>)),
    /// An event of an event stream.
    Stream(fn(&Facts, Event) -> Vec<Event>),
    /// Event streams that are over stay open.
    StreamsStayOpen,
    /// What one read from standard input brings is taken for one line.
    WholeReads,
}

/// How the bodies of HTTP requests are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// After one that broke off nothing is answered any more.
    BrokenEndsService,
    /// One that breaks off ends its session.
    BrokenEndsSession,
    /// What comes first is taken for all of it.
    FirstPiece,
    /// No other is read before one is at its end.
    OneByOne,
}

/// What becomes of a value that arrived.
#[derive(Debug, Default)]
pub struct Arrived {
    /// What the server gets to see, one after the other.
    pub pass: Vec<Value>,
    /// What is sent back at once, as it is.
    pub answers: Vec<Departure>,
}

/// What becomes of a line that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineIn {
    /// The process ends with this code.
    Exit(i32),
    /// It is never read, nor is anything after it.
    Hang,
    /// Nobody ever sees it.
    Ignore,
    /// It is read as this line.
    Replace(Vec<u8>),
    /// It is read.
    Take,
}

/// A call of gRPC without its messages.
#[derive(Clone, Debug, Default)]
pub struct GrpcCall {
    /// The HTTP method.
    pub method: Method,
    /// Service and method, as the path has them.
    pub path: String,
    /// The metadata.
    pub headers: HeaderMap,
    /// Which call of the server it is, counted from 1.
    pub number: u64,
    /// What was kept for later, by all calls of the server.
    pub memory: Arc<Memory>,
}

/// A part of the response to a call of gRPC.
#[derive(Clone, Debug)]
pub enum GrpcPart {
    /// Bytes of messages in their frames.
    Data(Vec<u8>),
    /// The head, which is the first part. With a status of gRPC in it, it is the only one.
    Head {
        /// The status of HTTP.
        status: StatusCode,
        /// The initial metadata.
        headers: HeaderMap,
    },
    /// The stream is reset.
    Reset,
    /// The trailers, which are the last part.
    Trailers(HeaderMap),
}

/// A moment in the life of a stdio process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Its input was closed.
    InputClosed,
    /// It was started.
    Started,
}

/// What the process does then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Ends by a signal, as a program with a grave mistake does.
    Crash,
    /// Is deaf to SIGTERM from now on.
    DeafToTerm,
    /// Ends with this code.
    Exit(i32),
    /// Stays, whatever happens.
    Linger,
    /// What it should.
    Nothing,
    /// Writes to its standard output first.
    Print(&'static [u8]),
}

/// An HTTP request, whole.
#[derive(Clone, Debug)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Whether its target is a whole URL.
    pub whole_url: bool,
    /// The path.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// Ids of the legacy sessions that are open, oldest first.
    pub sessions: Vec<String>,
    /// What was kept for later.
    pub memory: Arc<Memory>,
}

/// An HTTP response.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; nothing for an event stream, which stays one unless a body is put in its place.
    pub body: Option<Vec<u8>>,
}

/// A moment in the life of a legacy HTTP session.
#[derive(Debug)]
pub enum SessionEvent<'a> {
    /// Its client ended it.
    Ended {
        /// Whether it lives on all the same.
        keep: &'a mut bool,
    },
    /// A connection is gone on which a stream of it came that has more to bring.
    Lost {
        /// Whether the session ends with it.
        end: &'a mut bool,
        /// Whether what the stream would still bring is forgotten.
        forget: &'a mut bool,
    },
    /// It goes on over another connection than the one that it was on (WebSocket by SEP-1288).
    Moved {
        /// Whether the one that it was on is told, and left.
        leave: &'a mut bool,
    },
    /// It was opened.
    Opened {
        /// Its id.
        id: &'a mut String,
    },
    /// A stream is resumed.
    Resumed {
        /// What is replayed.
        plan: &'a mut Vec<Replay>,
        /// The numbers of all streams of the session.
        streams: &'a [u64],
        /// The number of the last event of that stream that a connection was given.
        given: Option<u64>,
        /// How often that stream was resumed before.
        before: u64,
    },
}

/// A stream to replay, and after which of its events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// The number of the stream.
    pub stream: u64,
    /// The number of the event; nothing for all of them.
    pub after: Option<u64>,
    /// The number of the last event that is replayed; nothing for all that will come.
    pub until: Option<u64>,
    /// Its events get other ids than they had.
    pub renamed: bool,
}

/// An event of an event stream, or what stands in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its type.
    pub event: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// The time to wait before the client comes again, in milliseconds.
    pub retry: Option<u64>,
    /// Its data.
    pub data: Option<Vec<u8>>,
    /// A comment before it.
    pub comment: Option<String>,
    /// Bytes in place of all this.
    pub raw: Option<Vec<u8>>,
}

impl Arrived {
    /// What a server without faults does.
    #[must_use]
    pub fn pass(message: Value) -> Self {
        Self {
            pass: vec![message],
            answers: Vec::new(),
        }
    }

    /// It never arrived.
    #[must_use]
    pub fn drop() -> Self {
        Self::default()
    }

    /// It is answered before the server sees it, which it does not.
    #[must_use]
    pub fn answer(answer: Departure) -> Self {
        Self {
            pass: Vec::new(),
            answers: vec![answer],
        }
    }

    /// It is answered, and the server sees it too.
    #[must_use]
    pub fn pass_and_answer(message: Value, answer: Departure) -> Self {
        Self {
            pass: vec![message],
            answers: vec![answer],
        }
    }
}

impl HttpRequest {
    /// The body as JSON, if it is JSON.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// A header's value, if it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Sets a header. What no header can hold is not set.
    pub fn set_header(&mut self, name: &'static str, value: &str) {
        set(&mut self.headers, name, value);
    }
}

impl HttpResponse {
    /// A response without a body.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Some(Vec::new()),
        }
    }

    /// Sets a header. What no header can hold is not set.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        set(&mut self.headers, name, value);
        self
    }

    /// Whether it is an event stream.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.body.is_none()
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

impl Event {
    /// An event that carries a message.
    #[must_use]
    pub fn message(data: Vec<u8>) -> Self {
        Self {
            event: Some("message".to_owned()),
            data: Some(data),
            ..Self::default()
        }
    }

    /// Bytes in an event's place.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            raw: Some(bytes.into()),
            ..Self::default()
        }
    }

    /// As it is written.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        if let Some(raw) = &self.raw {
            return raw.clone();
        }
        let mut bytes = Vec::new();
        if let Some(comment) = &self.comment {
            bytes.extend(mcp_verdict_wire::sse::comment(comment));
        }
        let (event, id) = (self.event.as_deref(), self.id.as_deref());
        match (&self.data, self.retry) {
            (Some(data), retry) => {
                bytes.extend(mcp_verdict_wire::sse::encode(event, id, retry, data))
            }
            (None, Some(retry)) => {
                bytes.extend_from_slice(format!("retry: {retry}\n\n").as_bytes())
            }
            (None, None) => bytes.push(b'\n'),
        }
        bytes
    }
}
