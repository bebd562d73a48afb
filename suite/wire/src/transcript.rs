//! Everything that happened on the wire while one check ran, with monotonic times.
//!
//! A transcript is the only thing a judge may look at. It is stored as JSON lines: the [`Head`] on the
//! first line, then one [`Event`] a line. Secrets are gone before an event gets here: whoever records
//! redacts.

use std::{collections::BTreeMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::{Revision, TransportKind, limits::TRANSCRIPT_EVENTS_MAX};

/// The version of the format that this crate writes.
pub const FORMAT: u32 = 1;

/// One check's conversation with a target.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// What was run, and with what.
    pub head: Head,
    /// What happened, in the order in which we saw it.
    pub events: Vec<Event>,
}

/// The first line of a stored transcript.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// [`FORMAT`] at the time of writing.
    pub format: u32,
    /// Version of the suite that recorded it.
    pub suite: String,
    /// Id of the vector that was driven.
    pub check: String,
    /// The revision spoken.
    pub revision: Revision,
    /// The transport used.
    pub transport: TransportKind,
    /// The target's name, without secrets.
    pub target: String,
    /// The seed of everything random.
    pub seed: u64,
    /// Variables a vector may refer to: the fixtures bound, by name.
    pub bindings: BTreeMap<String, Value>,
    /// Ids of requests sent earlier in the same session, before this check began.
    pub earlier_ids: Vec<Value>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Microseconds since the recorder's start, monotonic.
    pub at_us: u64,
    /// What it was.
    pub kind: EventKind,
}

/// Number of an HTTP exchange (one request and its response) within a transcript, from 1.
/// 0 stands for the one channel of a transport that has no exchanges (stdio).
pub type Exchange = u32;

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum EventKind {
    /// Step number `index` of the vector (from 0) begins. What comes before the first step opened the
    /// session.
    Step {
        /// Index into the vector's steps.
        index: usize,
    },
    /// The wait of step `index` ended without what it waited for.
    TimedOut {
        /// Index into the vector's steps.
        index: usize,
        /// How long it waited, in milliseconds.
        after_ms: u64,
    },
    /// A JSON-RPC message (or what stands in its place) that we sent.
    Sent {
        /// Its channel.
        exchange: Exchange,
        /// The name the vector gave it.
        label: Option<String>,
        /// The vector means these bytes to be as wrong as they are.
        meant: bool,
        /// The message without its framing.
        bytes: Bytes,
    },
    /// A message that the target sent: a line, an HTTP body that holds JSON, or an SSE event's data.
    Received {
        /// Its channel.
        exchange: Exchange,
        /// Where it came in an event stream.
        sse: Option<SseFields>,
        /// The message without its framing.
        bytes: Bytes,
    },
    /// The head of an HTTP request of ours. Values of secret headers read `[redacted]`.
    HttpRequest {
        /// Its number.
        exchange: Exchange,
        /// The name the vector gave it.
        label: Option<String>,
        /// The vector means this request to be as wrong as it is.
        meant: bool,
        /// The method.
        method: String,
        /// The whole URL, without user information.
        url: String,
        /// Field names in lower case, values as sent, in order.
        headers: Vec<(String, String)>,
        /// The body, when it is no message (a message follows as `Sent`).
        body: Option<Bytes>,
    },
    /// The head of the response.
    HttpResponse {
        /// Its number.
        exchange: Exchange,
        /// The status code.
        status: u16,
        /// `HTTP/1.1`, `HTTP/2`.
        version: String,
        /// Field names in lower case, values as received (invalid UTF-8 replaced), in order.
        headers: Vec<(String, String)>,
    },
    /// The whole body of a response that is not an event stream, also when it is a message too.
    HttpBody {
        /// Its number.
        exchange: Exchange,
        /// The bytes, at most [`crate::limits::BODY_BYTES_MAX`].
        bytes: Bytes,
    },
    /// An event of a stream that carries no message: another type (`endpoint`), or no data.
    SseEvent {
        /// Its number.
        exchange: Exchange,
        /// Its fields.
        fields: SseFields,
        /// Its data.
        data: Bytes,
    },
    /// A comment line of an event stream.
    SseComment {
        /// Its number.
        exchange: Exchange,
        /// What follows the colon.
        text: Bytes,
    },
    /// What follows the body of an HTTP response (RFC 9110, section 6.5); in gRPC its status.
    Trailers {
        /// Its number.
        exchange: Exchange,
        /// Field names in lower case, values as received, in order.
        headers: Vec<(String, String)>,
    },
    /// A frame of WebSocket that is no text message, of either side; or a message of gRPC that is, or carries,
    /// more than a line.
    Frame {
        /// Its channel.
        exchange: Exchange,
        /// We sent it.
        sent: bool,
        /// `binary`, `ping`, `pong`, `close`; one that breaks RFC 6455 may be any other too. In gRPC `JsonRpcLine`
        /// for one that carries more than its line, which follows as `Received`, `message` for what is none, and
        /// `flag N` for one that is not plain.
        opcode: String,
        /// Its payload.
        bytes: Bytes,
        /// What RFC 6455 does not allow of it. Nothing is read after such a frame of the target.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breaks: Option<String>,
    },
    /// The target closed the channel, and said why.
    Closed {
        /// Its channel.
        exchange: Exchange,
        /// The code of a WebSocket close frame (RFC 6455, section 7.4), or the status of a gRPC call.
        code: Option<u32>,
        /// The text beside it.
        reason: String,
    },
    /// An exchange is over.
    HttpEnd {
        /// Its number.
        exchange: Exchange,
        /// How.
        how: Ended,
    },
    /// The child was started.
    ProcessStarted {
        /// Program and arguments.
        command: Vec<String>,
    },
    /// The child wrote to its standard error.
    Stderr {
        /// What it wrote, in the pieces that we read.
        bytes: Bytes,
    },
    /// We closed the target's input: a child's standard input, or our side of a channel.
    InputClosed,
    /// The target closed its output: a child's standard output, or its side of a channel. `rest` holds what
    /// followed the last newline.
    OutputClosed {
        /// A last line without its newline.
        rest: Bytes,
    },
    /// We sent the child's group a signal.
    Signalled {
        /// `TERM`, `KILL`, …
        signal: String,
    },
    /// The child is gone.
    Exited {
        /// Its exit code, if it ended by itself.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// What the child holds in memory, with all that it started.
    Memory {
        /// The sum of what is resident, in KiB.
        kib: u64,
    },
    /// The target made us stop reading: which limit it broke.
    LimitExceeded {
        /// Its channel.
        exchange: Exchange,
        /// The limit and its value.
        limit: String,
    },
    /// Our side could not do what a step asked for.
    Trouble {
        /// What, and why.
        text: String,
    },
}

/// How an HTTP exchange ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ended {
    /// The response is complete.
    Complete,
    /// No connection, or it broke: the reason.
    Broken(String),
    /// We closed it, because a step says so or the check was over.
    Dropped,
}

/// The fields of an SSE event beside its data, as far as the stream set them for this event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SseFields {
    /// The event's type, if it has an `event` field.
    pub event: Option<String>,
    /// The event's own `id` field (not the stream's last id).
    pub id: Option<String>,
    /// The event's `retry` field, in milliseconds.
    pub retry: Option<u64>,
}

/// Bytes, stored as text where they are UTF-8 and as `{"base64": …}` where not. Copies share them: what opened a
/// session is in the transcript of each check that it serves.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Bytes(pub Arc<[u8]>);

impl Transcript {
    /// Reads the JSON lines that [`Transcript::to_json_lines`] writes.
    ///
    /// # Errors
    /// When a line is not what it should be; names the line.
    pub fn from_json_lines(text: &str) -> Result<Self, ReadError> {
        let mut lines = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty());
        let at = |line: usize| {
            move |source| ReadError::Line {
                line: line + 1,
                source,
            }
        };
        let (number, first) = lines.next().ok_or(ReadError::Empty)?;
        let head: Head = serde_json::from_str(first).map_err(at(number))?;
        if head.format != FORMAT {
            return Err(ReadError::Format(head.format));
        }
        // What opened the session stands before what a check may record.
        let events_max = 2 * TRANSCRIPT_EVENTS_MAX;
        if lines.clone().nth(events_max).is_some() {
            return Err(ReadError::TooLong(events_max));
        }
        let events = lines
            .map(|(number, line)| serde_json::from_str(line).map_err(at(number)))
            .collect::<Result<_, _>>()?;
        Ok(Self { head, events })
    }

    /// The stored form: one JSON text a line.
    #[must_use]
    pub fn to_json_lines(&self) -> String {
        let mut text = serde_json::to_string(&self.head).expect("a head is plain data");
        text.push('\n');
        for event in &self.events {
            text.push_str(&serde_json::to_string(event).expect("an event is plain data"));
            text.push('\n');
        }
        text
    }
}

impl SseFields {
    fn weight(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        length(&self.event) + length(&self.id)
    }
}

impl EventKind {
    /// The bytes that a peer, or we, chose; heads count by their fields.
    #[must_use]
    pub fn weight(&self) -> usize {
        let of = |headers: &[(String, String)]| {
            headers
                .iter()
                .map(|(name, value)| name.len() + value.len())
                .sum::<usize>()
        };
        match self {
            Self::Received { bytes, sse, .. } => {
                bytes.0.len() + sse.as_ref().map_or(0, SseFields::weight)
            }
            Self::SseEvent { data, fields, .. } => data.0.len() + fields.weight(),
            Self::Sent { bytes, .. }
            | Self::HttpBody { bytes, .. }
            | Self::Stderr { bytes }
            | Self::OutputClosed { rest: bytes }
            | Self::Frame { bytes, .. }
            | Self::SseComment { text: bytes, .. } => bytes.0.len(),
            Self::HttpRequest { headers, .. }
            | Self::HttpResponse { headers, .. }
            | Self::Trailers { headers, .. } => of(headers),
            Self::Closed { reason, .. } => reason.len(),
            _ => 0,
        }
    }
}

/// Why a stored transcript cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// There is no line.
    #[error("the transcript is empty")]
    Empty,
    /// Written by a suite that is newer, or much older.
    #[error("transcript format {0} is not known here (this suite reads {FORMAT})")]
    Format(u32),
    /// More events than any transcript has.
    #[error("it has more than {0} events")]
    TooLong(usize),
    /// A line that is no event.
    #[error("line {line} of the transcript: {source}")]
    Line {
        /// From 1.
        line: usize,
        /// What the JSON reader says.
        source: serde_json::Error,
    },
}

impl Bytes {
    /// As text, with U+FFFD for what is no UTF-8.
    #[must_use]
    pub fn to_text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:?}", self.to_text())
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().into())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    base64: String,
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Encoded {
                base64: STANDARD.encode(&self.0),
            }
            .serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(text.into_bytes().into()),
            other => {
                let encoded: Encoded = serde_json::from_value(other).map_err(D::Error::custom)?;
                STANDARD
                    .decode(encoded.base64)
                    .map(Self::from)
                    .map_err(D::Error::custom)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn transcript(events: Vec<EventKind>) -> Transcript {
        let head = Head {
            format: FORMAT,
            suite: "0.1.0".into(),
            check: "server/tools/call".into(),
            revision: Revision::V2025_11_25,
            transport: TransportKind::StreamableHttp,
            target: "mock \u{2028} \"quoted\"".into(),
            seed: u64::MAX,
            bindings: [(
                "tool_any".into(),
                json!({"name": "echo", "arguments": {"n": 1.50}}),
            )]
            .into(),
            earlier_ids: vec![json!(1), json!("1"), json!(9_007_199_254_740_993_u64)],
        };
        let at = |(index, kind)| Event {
            at_us: index as u64 * 7,
            kind,
        };
        Transcript {
            head,
            events: events.into_iter().enumerate().map(at).collect(),
        }
    }

    fn every_kind(bytes: &Bytes) -> Vec<EventKind> {
        let (exchange, label, bytes) = (3, Some("call".to_owned()), bytes.clone());
        let fields = SseFields {
            event: Some("endpoint".into()),
            id: Some(String::new()),
            retry: Some(9),
        };
        let headers = vec![("mcp-session-id".to_owned(), "[redacted]".to_owned())];
        vec![
            EventKind::Step { index: 0 },
            EventKind::TimedOut {
                index: 1,
                after_ms: 250,
            },
            EventKind::Sent {
                exchange,
                label: label.clone(),
                meant: true,
                bytes: bytes.clone(),
            },
            EventKind::Received {
                exchange,
                sse: Some(fields.clone()),
                bytes: bytes.clone(),
            },
            EventKind::Received {
                exchange: 0,
                sse: None,
                bytes: bytes.clone(),
            },
            EventKind::HttpRequest {
                exchange,
                label,
                meant: false,
                method: "POST".into(),
                url: "http://127.0.0.1/mcp".into(),
                headers: headers.clone(),
                body: Some(bytes.clone()),
            },
            EventKind::HttpResponse {
                exchange,
                status: 202,
                version: "HTTP/1.1".into(),
                headers: headers.clone(),
            },
            EventKind::Trailers { exchange, headers },
            EventKind::Frame {
                exchange: 0,
                sent: false,
                opcode: "ping".into(),
                bytes: bytes.clone(),
                breaks: Some("it is masked".into()),
            },
            EventKind::Closed {
                exchange: 0,
                code: Some(1000),
                reason: "bye".into(),
            },
            EventKind::HttpBody {
                exchange,
                bytes: bytes.clone(),
            },
            EventKind::SseEvent {
                exchange,
                fields,
                data: bytes.clone(),
            },
            EventKind::SseComment {
                exchange,
                text: bytes.clone(),
            },
            EventKind::HttpEnd {
                exchange,
                how: Ended::Complete,
            },
            EventKind::HttpEnd {
                exchange,
                how: Ended::Broken("reset".into()),
            },
            EventKind::HttpEnd {
                exchange,
                how: Ended::Dropped,
            },
            EventKind::ProcessStarted {
                command: vec!["server".into(), "--flag".into()],
            },
            EventKind::Stderr {
                bytes: bytes.clone(),
            },
            EventKind::InputClosed,
            EventKind::OutputClosed { rest: bytes },
            EventKind::Signalled {
                signal: "TERM".into(),
            },
            EventKind::Exited {
                code: None,
                signal: Some(15),
            },
            EventKind::LimitExceeded {
                exchange,
                limit: "a limit".into(),
            },
            EventKind::Trouble { text: "why".into() },
        ]
    }

    #[test]
    fn every_kind_of_event_is_read_back() {
        for bytes in [
            &b"{\"a\":\"\n\r\0\"}"[..],
            b"",
            b"\xff\xfe",
            "\u{2028}\u{85}😀".as_bytes(),
        ] {
            let transcript = transcript(every_kind(&Bytes::from(bytes)));
            let text = transcript.to_json_lines();
            assert_eq!(text.lines().count(), transcript.events.len() + 1);
            assert_eq!(Transcript::from_json_lines(&text).unwrap(), transcript);
        }
    }

    #[test]
    fn bytes_are_text_where_they_are_utf8_and_base64_where_not() {
        let json = |bytes: &[u8]| serde_json::to_string(&Bytes::from(bytes)).unwrap();
        assert_eq!(json("é".as_bytes()), "\"é\"");
        assert_eq!(json(b"\xff\x00"), r#"{"base64":"/wA="}"#);
        for wrong in [
            "1",
            "null",
            "{}",
            r#"{"base64":"?"}"#,
            r#"{"base64":"","x":1}"#,
        ] {
            assert!(serde_json::from_str::<Bytes>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_transcript_is_refused_with_its_line() {
        let read = |text: &str| Transcript::from_json_lines(text).unwrap_err().to_string();
        let text = transcript(vec![EventKind::InputClosed]).to_json_lines();
        assert_eq!(read("\n \n"), "the transcript is empty");
        assert!(read(&text.replacen("\"format\":1", "\"format\":2", 1)).contains("format 2"));
        assert!(read(&text.replace("input_closed", "input_opened")).starts_with("line 2 "));
        assert!(read(&format!("{text}\n{{}}")).starts_with("line 4 "));
        assert!(read(&text.replacen("\"seed\"", "\"sead\"", 1)).starts_with("line 1 "));
    }

    proptest! {
        #[test]
        fn any_bytes_and_texts_are_read_back(bytes: Vec<u8>, text: String, at_us: u64) {
            let mut transcript = transcript(every_kind(&Bytes::from(bytes)));
            transcript.head.target.clone_from(&text);
            transcript.events.push(Event { at_us, kind: EventKind::Trouble { text } });
            let stored = transcript.to_json_lines();
            prop_assert_eq!(Transcript::from_json_lines(&stored).unwrap(), transcript);
        }
    }
}
