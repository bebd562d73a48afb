//! One HTTP request of ours and what came back.

use mcp_verdict_wire::transcript::{Ended, Exchange};

/// An HTTP exchange.
#[derive(Clone, Debug, Default)]
pub struct HttpExchange {
    /// Its number.
    pub number: Exchange,
    /// The event of its request; `None` when it began before this transcript.
    pub request: Option<usize>,
    /// When the request was sent.
    pub at_us: u64,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Names in lower case.
    pub request_headers: Vec<(String, String)>,
    /// The vector's name for it.
    pub label: Option<String>,
    /// The vector means it to be as wrong as it is.
    pub meant: bool,
    /// The response's head.
    pub response: Option<HttpResponse>,
    /// What followed the response's body, and its event.
    pub trailers: Option<(usize, Vec<(String, String)>)>,
    /// The event that holds the response's body (not of an event stream).
    pub body: Option<usize>,
    /// The events of its stream: `Received` with fields, `SseEvent`, `SseComment`.
    pub stream: Vec<usize>,
    /// Its messages of both sides: indices into `messages`.
    pub messages: Vec<usize>,
    /// Those of them that are ours.
    pub ours: Vec<usize>,
    /// How it ended, and the event that says so.
    pub ended: Option<(usize, Ended)>,
}

/// The head of a response.
#[derive(Clone, Debug)]
pub struct HttpResponse {
    /// Its event.
    pub event: usize,
    /// When it came.
    pub at_us: u64,
    /// The status.
    pub status: u16,
    /// `HTTP/1.1`, `HTTP/2`.
    pub version: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl HttpExchange {
    /// The status, once there is one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.response.as_ref().map(|response| response.status)
    }

    /// A header of the response.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<&str> {
        header(&self.response.as_ref()?.headers, name)
    }

    /// A header of the request.
    #[must_use]
    pub fn request_header(&self, name: &str) -> Option<&str> {
        header(&self.request_headers, name)
    }

    /// Whether the response is an event stream by its content type.
    #[must_use]
    pub fn is_event_stream(&self) -> bool {
        self.is_of_type("text/event-stream")
    }

    /// Whether its response is there with its head, though it is not at its end: an event stream, or another
    /// protocol.
    #[must_use]
    pub fn stays_open(&self) -> bool {
        self.status() == Some(101) || self.is_event_stream()
    }

    fn is_of_type(&self, wanted: &str) -> bool {
        self.response_header("content-type")
            .is_some_and(|value| media_type(value) == wanted)
    }
}

/// The first value of a header, its name in lower case.
#[must_use]
pub fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    header_values(headers, name).next()
}

/// Every value of a header, its name in lower case.
pub fn header_values<'h>(
    headers: &'h [(String, String)],
    name: &str,
) -> impl Iterator<Item = &'h str> {
    headers
        .iter()
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// The media type of a `Content-Type`, in lower case and without parameters.
#[must_use]
pub fn media_type(value: &str) -> String {
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}
