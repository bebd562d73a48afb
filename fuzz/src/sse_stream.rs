//! Our reader of event streams against `sse-stream`.

use std::convert::Infallible;

use futures_util::{FutureExt as _, StreamExt as _, stream};
use mcp_verdict_wire::sse::{Item, read_all};
use sse_stream::{Error, Sse, SseStream};

/// Up to the first line that `DISAGREEMENTS.md` tells of, both read the same events; that line is taken by
/// each as the file says.
pub fn sse_stream(bytes: &[u8]) {
    let known = first_known(bytes);
    let compared = known.as_ref().map_or(bytes.len(), |known| known.begin);
    let (theirs, error) = read(&bytes[..compared]);
    assert!(error.is_none(), "sse-stream: {error:?}");
    assert_eq!(theirs, ours(&bytes[..compared]));
    if let Some(known) = known {
        let line = &bytes[known.begin..known.end];
        // After a comment a byte order mark is no mark.
        let mut alone = [b":\n", line, b"\n"].concat();
        if known.manner == Manner::Repeated {
            alone.extend_from_slice(line);
            alone.push(b'\n');
        }
        alone.push(b'\n');
        let (theirs, error) = read(&alone);
        known.manner.holds(&theirs, error.as_ref(), &ours(&alone));
    }
}

/// A line on which both are known to differ.
struct Known {
    begin: usize,
    end: usize,
    manner: Manner,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// A field without a colon: an empty value by the standard, an error there.
    NoColon,
    /// No UTF-8: replaced by the standard, an error there.
    NotUtf8,
    /// A second `event`, `id` or `retry` in one event: the last counts by the standard, an error there.
    Repeated,
    /// `retry` with something beside digits: ignored by the standard; an error there, or a number.
    Retry,
    /// A field that the standard does not know: ignored by it, an error there.
    UnknownField,
}

impl Manner {
    fn holds(self, theirs: &[Sse], error: Option<&Error>, ours: &[Sse]) {
        match self {
            Self::NoColon | Self::UnknownField => {
                assert!(matches!(error, Some(Error::InvalidLine)), "{error:?}");
            }
            Self::NotUtf8 => assert!(matches!(error, Some(Error::Utf8Parse(_))), "{error:?}"),
            Self::Repeated => {
                assert!(matches!(
                    error,
                    Some(
                        Error::DuplicatedEventLine
                            | Error::DuplicatedIdLine
                            | Error::DuplicatedRetry
                    )
                ));
                assert_eq!(ours.len(), 1);
            }
            Self::Retry => {
                assert!(ours.iter().all(|event| event.retry.is_none()), "{ours:?}");
                let number = theirs.iter().any(|event| event.retry.is_some());
                let refused = matches!(error, Some(Error::IntParse(_) | Error::Utf8Parse(_)));
                assert!(number || refused, "{theirs:?} {error:?}");
            }
        }
    }
}

fn first_known(bytes: &[u8]) -> Option<Known> {
    let mut begin = if bytes.starts_with(BYTE_ORDER_MARK) {
        BYTE_ORDER_MARK.len()
    } else {
        0
    };
    let mut seen: Vec<&[u8]> = Vec::new();
    while begin < bytes.len() {
        let rest = &bytes[begin..];
        // A last line without an end is read by neither.
        let length = rest.iter().position(|byte| b"\r\n".contains(byte))?;
        let line = &rest[..length];
        let end = begin + length;
        if line.is_empty() {
            seen.clear();
        } else if let Some(manner) = manner(line, &mut seen) {
            return Some(Known { begin, end, manner });
        }
        begin = end + 1;
        if rest[length..].starts_with(b"\r\n") {
            begin += 1;
        }
    }
    None
}

fn manner<'b>(line: &'b [u8], seen: &mut Vec<&'b [u8]>) -> Option<Manner> {
    let Some(colon) = line.iter().position(|&byte| byte == b':') else {
        return Some(Manner::NoColon);
    };
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let value = value.strip_prefix(b" ").unwrap_or(value);
    let is_text = std::str::from_utf8(value).is_ok();
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    match name {
        b"" => return None,
        b"id" if value.contains(&0) => return None,
        b"data" => return (!is_text).then_some(Manner::NotUtf8),
        b"retry" if !digits || String::from_utf8_lossy(value).parse::<u64>().is_err() => {
            return Some(Manner::Retry);
        }
        b"event" | b"id" if !is_text => return Some(Manner::NotUtf8),
        b"event" | b"id" | b"retry" if seen.contains(&name) => return Some(Manner::Repeated),
        b"event" | b"id" | b"retry" => seen.push(name),
        _ => return Some(Manner::UnknownField),
    }
    None
}

fn ours(bytes: &[u8]) -> Vec<Sse> {
    let items = read_all(bytes).expect("no input is that long");
    let events = items.into_iter().filter_map(|item| match item {
        Item::Event(event) => Some(event),
        Item::Comment(_) | Item::Incomplete { .. } => None,
    });
    let events = events.map(|event| Sse {
        event: event.fields.event,
        data: event
            .dispatched
            .then(|| String::from_utf8_lossy(&event.data).into_owned()),
        id: event.fields.id,
        retry: event.fields.retry,
    });
    // An event of ignored lines alone is nothing to them, and to an application.
    events.filter(|event| *event != Sse::default()).collect()
}

/// What they read, byte by byte, up to their first error.
fn read(bytes: &[u8]) -> (Vec<Sse>, Option<Error>) {
    let pieces = bytes
        .chunks(1)
        .map(|piece| Ok::<_, Infallible>(bytes::Bytes::copy_from_slice(piece)));
    let mut stream = Box::pin(SseStream::from_bytes_stream(stream::iter(pieces)));
    let mut events = Vec::new();
    while let Some(next) = stream.next().now_or_never().expect("nothing is waited for") {
        match next {
            Ok(event) => events.push(event),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
