//! One HTTP response, read as it comes: its head, the framing of its body, and the messages in it.

use std::time::Instant;

use mcp_verdict_wire::{
    limits::{BODY_BYTES_MAX, MESSAGE_BYTES_MAX},
    sse,
};

use super::{Captured, Exchanged, Failure, chunked::Chunked};
use crate::scan::{Said, Scanned, scan};

/// What the head of a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    framing: Framing,
    content: Content,
    /// The connection is of no use afterwards.
    pub(super) close: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Json,
    EventStream,
    Other,
}

/// Reads a head from the beginning of `bytes`; `None` while it is not there in full. Gives how long it is, too.
pub(super) fn head(
    bytes: &[u8],
    captured: Option<&mut Captured>,
) -> Result<Option<(Head, usize)>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let length = match response.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if bytes.len() < HEAD_BYTES_MAX => return Ok(None),
        _ => return Err(Failure::NotHttp),
    };
    let status = response.code.ok_or(Failure::NotHttp)?;
    let mut head = Head {
        status,
        framing: Framing::UntilClose,
        content: Content::Other,
        close: response.version != Some(1),
    };
    for field in response.headers.iter() {
        read_field(&mut head, field)?;
    }
    if matches!(status, 100..=199 | 204 | 304) {
        head.framing = Framing::Length(0);
    }
    head.close |= head.framing == Framing::UntilClose;
    if let Some(captured) = captured {
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let fields = response.headers.iter();
        let fields = fields.map(|field| (field.name.to_ascii_lowercase(), text(field.value)));
        captured.head = Some((status, fields.collect()));
    }
    Ok(Some((head, length)))
}

fn read_field(head: &mut Head, field: &httparse::Header<'_>) -> Result<(), Failure> {
    let begins = |with: &[u8]| {
        let start = field.value.get(..with.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let is = |name: &str| field.name.eq_ignore_ascii_case(name);
    if is("content-length") {
        let digits = std::str::from_utf8(field.value).map_err(|_| Failure::NotHttp)?;
        let length = digits.trim().parse().map_err(|_| Failure::NotHttp)?;
        // RFC 9112, section 6.3: a transfer coding overrides a length.
        if head.framing != Framing::Chunked {
            head.framing = Framing::Length(length);
        }
    } else if is("transfer-encoding") {
        let chunked = field.value.to_ascii_lowercase();
        if chunked.trim_ascii().ends_with(b"chunked") {
            head.framing = Framing::Chunked;
        }
    } else if is("content-type") {
        if begins(b"application/json") {
            head.content = Content::Json;
        } else if begins(b"text/event-stream") {
            head.content = Content::EventStream;
        }
    } else if is("connection") && begins(b"close") {
        head.close = true;
    }
    Ok(())
}

/// Reads the body that follows a head.
#[derive(Debug)]
pub(super) struct Body<'c> {
    head: Head,
    /// What is still to come of a body of known length.
    left: u64,
    chunked: Chunked,
    /// A body of JSON that does not lie in one piece.
    json: Vec<u8>,
    stream: sse::Reader,
    seen: Seen<'c>,
}

/// The messages of a body.
#[derive(Debug)]
struct Seen<'c> {
    /// The id that is waited for; none where nothing is.
    id: Option<u64>,
    captured: Option<&'c mut Captured>,
    /// What stands between here and a good answer.
    wrong: Option<Failure>,
    answered: Option<(Instant, Said)>,
    first_event: Option<Instant>,
    requests: u64,
}

impl<'c> Body<'c> {
    pub(super) fn new(head: Head, id: Option<u64>, captured: Option<&'c mut Captured>) -> Self {
        Self {
            head,
            left: match head.framing {
                Framing::Length(length) => length,
                _ => 0,
            },
            chunked: Chunked::new(),
            json: Vec::new(),
            stream: sse::Reader::with_limit(MESSAGE_BYTES_MAX),
            seen: Seen {
                id,
                captured,
                wrong: None,
                answered: None,
                first_event: None,
                requests: 0,
            },
        }
    }

    /// Whether all of it was read, as far as its framing tells.
    pub(super) fn is_over(&self) -> bool {
        match self.head.framing {
            Framing::Length(_) => self.left == 0,
            Framing::Chunked => self.chunked.is_done(),
            Framing::UntilClose => false,
        }
    }

    /// Whether its end is where the connection ends.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.head.framing == Framing::UntilClose
    }

    /// Whether the answer is there.
    pub(super) fn is_answered(&self) -> bool {
        self.seen.answered.is_some()
    }

    /// Reads on. Says how many bytes of `piece` belong to the body.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<usize, Failure> {
        match self.head.framing {
            Framing::Length(length) => {
                let room = usize::try_from(self.left).unwrap_or(usize::MAX);
                let run = &piece[..room.min(piece.len())];
                self.left -= run.len() as u64;
                if length > 0 && run.len() as u64 == length && self.is_json() {
                    // All of it in one piece needs no copy.
                    self.seen.message(None, run);
                } else {
                    self.run(run)?;
                    if self.left == 0 {
                        self.json_is_over();
                    }
                }
                Ok(run.len())
            }
            Framing::UntilClose => {
                self.run(piece)?;
                Ok(piece.len())
            }
            Framing::Chunked => {
                let mut chunked = std::mem::replace(&mut self.chunked, Chunked::new());
                let mut outcome = Ok(());
                let used = chunked.push(piece, &mut |run| {
                    if outcome.is_ok() {
                        outcome = self.run(run);
                    }
                });
                self.chunked = chunked;
                outcome?;
                let used = used.map_err(|_| Failure::NotHttp)?;
                if self.chunked.is_done() {
                    self.json_is_over();
                }
                Ok(used)
            }
        }
    }

    /// The connection ended where the body does.
    pub(super) fn closed(&mut self) {
        self.json_is_over();
    }

    /// What came of it, and how many requests of the server's were in it.
    pub(super) fn finish(self, received: usize) -> (Result<Exchanged, Failure>, u64) {
        let requests = self.seen.requests;
        let outcome = match (self.head.status, self.head.content, self.seen) {
            (status, ..) if !(200..=299).contains(&status) => Err(Failure::Status(status)),
            (
                _,
                _,
                Seen {
                    wrong: Some(wrong), ..
                },
            ) => Err(wrong),
            (
                ..,
                Seen {
                    answered: Some((answered, said)),
                    first_event,
                    ..
                },
            ) => Ok(Exchanged {
                answered,
                first_event,
                received,
                said,
            }),
            (_, Content::Other, _) => Err(Failure::ContentType),
            _ => Err(Failure::NoAnswer),
        };
        (outcome, requests)
    }

    fn is_json(&self) -> bool {
        self.head.content == Content::Json
    }

    fn run(&mut self, run: &[u8]) -> Result<(), Failure> {
        match self.head.content {
            Content::Json => {
                if self.json.len() + run.len() > BODY_BYTES_MAX {
                    return Err(Failure::TooLong);
                }
                self.json.extend_from_slice(run);
                Ok(())
            }
            Content::EventStream => {
                let seen = &mut self.seen;
                let pushed = self.stream.push(run, &mut |item| {
                    if let sse::Item::Event(event) = item {
                        seen.event(event);
                    }
                });
                pushed.map_err(|_| Failure::TooLong)
            }
            Content::Other => Ok(()),
        }
    }

    fn json_is_over(&mut self) {
        if !self.json.is_empty() {
            let json = std::mem::take(&mut self.json);
            self.seen.message(None, &json);
        }
    }
}

impl Seen<'_> {
    fn event(&mut self, event: sse::Event) {
        self.first_event.get_or_insert_with(Instant::now);
        // A priming event has no data, and other types carry no messages.
        let typed = event.fields.event.as_deref();
        if event.dispatched && !event.data.is_empty() && matches!(typed, None | Some("message")) {
            self.message(Some(event.fields), &event.data);
        }
    }

    fn message(&mut self, sse: Option<mcp_verdict_wire::transcript::SseFields>, bytes: &[u8]) {
        if let Some(captured) = &mut self.captured {
            captured.keep(sse, bytes);
        }
        let Some(expected) = self.id else {
            return;
        };
        match scan(bytes) {
            Scanned::Answer { id, said } if id == expected && self.answered.is_none() => {
                self.answered = Some((Instant::now(), said));
            }
            Scanned::Answer { .. } => self.wrong = Some(Failure::WrongId),
            Scanned::Notification => {}
            Scanned::Request { .. } => self.requests += 1,
            Scanned::Unreadable => self.wrong = Some(Failure::NotAMessage),
        }
    }
}

/// Header fields of a response that are read; more are no honest server's.
const FIELDS_MAX: usize = 96;

/// The longest head of a response.
const HEAD_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, size: usize) -> Result<Said, Failure> {
        let bytes = text.as_bytes();
        let (head, length) = head(bytes, None)?.expect("a whole head");
        let mut body = Body::new(head, Some(7), None);
        let mut used = 0;
        for piece in bytes[length..].chunks(size) {
            used += body.push(piece)?;
        }
        if body.ends_with_connection() {
            body.closed();
        } else {
            assert!(body.is_over());
            assert_eq!(used, bytes.len() - length);
        }
        body.finish(used).0.map(|exchanged| exchanged.said)
    }

    const ANSWER: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

    #[test]
    fn an_answer_is_found_in_every_framing_and_in_any_pieces() {
        let json = "content-type: application/json; charset=utf-8";
        let stream = format!(
            ": hi\n\nid: 1\ndata:\n\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}}\n\ndata: {ANSWER}\n\n"
        );
        let texts = [
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\ncontent-length: {}\r\n\r\n{ANSWER}",
                ANSWER.len()
            ),
            format!("HTTP/1.0 200 OK\r\n{json}\r\n\r\n{ANSWER}"),
            format!(
                "HTTP/1.1 200 OK\r\n{json}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{ANSWER}\r\n0\r\n\r\n",
                ANSWER.len()
            ),
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{stream}\r\n0\r\n\r\n",
                stream.len()
            ),
        ];
        for text in texts {
            for size in [1, 7, 4096] {
                assert_eq!(read(&text, size), Ok(Said::Result), "{text}");
            }
        }
    }

    #[test]
    fn what_is_wrong_has_its_name() {
        let cases = [
            (
                "HTTP/1.1 503 No\r\ncontent-length: 2\r\n\r\nno".to_owned(),
                Failure::Status(503),
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno".to_owned(),
                Failure::ContentType,
            ),
            (
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\nno"
                    .to_owned(),
                Failure::NotAMessage,
            ),
            (
                "HTTP/1.1 202 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"
                    .to_owned(),
                Failure::NoAnswer,
            ),
            (
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
                    ANSWER.len(),
                    ANSWER.replace('7', "8")
                ),
                Failure::WrongId,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(read(&text, 4096), Err(expected), "{text}");
        }
        assert_eq!(head(b"SSH-2.0\r\n\r\n", None), Err(Failure::NotHttp));
        assert_eq!(head(b"HTTP/1.1 200 OK\r\ncontent-le", None), Ok(None));
    }
}
