//! Reading: bytes in any pieces, the same items out.
//!
//! Unlike a browser's reader this one also tells what never reaches an application: comments, events
//! without data, ignored fields, and a last event that was cut off.

use crate::{limits::MESSAGE_BYTES_MAX, transcript::SseFields};

/// Something that an event stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A comment line: what follows its colon.
    Comment(Vec<u8>),
    /// An event, ended by an empty line.
    Event(Event),
    /// What the stream's end cut off. By the standard it counts for nothing.
    Incomplete {
        /// The event as far as its lines are complete.
        event: Event,
        /// The last line as far as it came.
        rest: Vec<u8>,
    },
}

/// The lines between two empty lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The fields beside the data that this event has itself.
    pub fields: SseFields,
    /// The data, its lines joined by newlines.
    pub data: Vec<u8>,
    /// Whether an application gets to see it: it has a `data` field, be it empty.
    pub dispatched: bool,
    /// What is odd about its lines.
    pub remarks: Vec<Remark>,
}

/// Something that a reader of event streams passes over in silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The stream begins with a byte order mark.
    ByteOrderMark,
    /// An `id` field that holds a NUL, and is ignored for it.
    IdWithNul,
    /// An `event` or `id` field, or a field's name, that is not UTF-8; it reads with U+FFFD.
    NotUtf8,
    /// A `retry` field that is no number of milliseconds, and is ignored for it.
    RetryNotDigits,
    /// A field that the standard does not know: its name, cut where it is very long.
    UnknownField(String),
}

/// A line or an event that is longer than the limit. The reader reads no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is longer than {limit} bytes")]
pub struct TooLong {
    /// The limit.
    pub limit: usize,
}

/// Reads one event stream.
#[derive(Clone, Debug)]
pub struct Reader {
    limit: usize,
    /// The current line as far as it came in earlier pieces.
    line: Vec<u8>,
    /// The last piece ended in CR: a LF that follows belongs to it.
    after_cr: bool,
    first_line: bool,
    event: Event,
    /// Bytes of the current event's lines, whatever became of them.
    event_bytes: usize,
    /// The event has at least one line.
    begun: bool,
    last_event_id: String,
    retry: Option<u64>,
    broken: bool,
}

/// Reads a whole stream at once, as far as the limit lets it.
///
/// # Errors
/// When a line or event is longer than [`MESSAGE_BYTES_MAX`].
pub fn read_all(bytes: &[u8]) -> Result<Vec<Item>, TooLong> {
    let mut items = Vec::new();
    let mut reader = Reader::new();
    reader.push(bytes, &mut |item| items.push(item))?;
    items.extend(reader.finish());
    Ok(items)
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader at a stream's beginning, which takes no line or event beyond [`MESSAGE_BYTES_MAX`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limit(MESSAGE_BYTES_MAX)
    }

    /// A reader at a stream's beginning, which takes no line or event beyond `limit` bytes.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            first_line: true,
            event: Event::default(),
            event_bytes: 0,
            begun: false,
            last_event_id: String::new(),
            retry: None,
            broken: false,
        }
    }

    /// Reads the next piece and hands each item to `emit` as soon as it is complete.
    ///
    /// # Errors
    /// When a line or event is too long, and ever after.
    pub fn push(&mut self, bytes: &[u8], emit: &mut impl FnMut(Item)) -> Result<(), TooLong> {
        let mut rest = bytes;
        if std::mem::take(&mut self.after_cr) {
            match rest.split_first() {
                Some((b'\n', after)) => rest = after,
                Some(_) => {}
                None => self.after_cr = true,
            }
        }
        while !self.broken
            && let Some(end) = line_end(rest)
        {
            let (line, ending) = rest.split_at(end);
            rest = match ending {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                _ => &ending[1..],
            };
            if !self.fits(line.len()) {
                break;
            }
            if self.line.is_empty() {
                self.take_line(line, emit);
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                self.take_line(&whole, emit);
            }
        }
        if !self.broken && self.fits(rest.len()) {
            self.line.extend_from_slice(rest);
        }
        if self.broken {
            Err(TooLong { limit: self.limit })
        } else {
            Ok(())
        }
    }

    /// The stream is over: what was cut off, if anything was.
    #[must_use]
    pub fn finish(mut self) -> Option<Item> {
        let mut rest = std::mem::take(&mut self.line);
        if self.first_line && rest.starts_with(BYTE_ORDER_MARK) {
            rest.drain(..BYTE_ORDER_MARK.len());
        }
        if self.begun || !rest.is_empty() {
            Some(Item::Incomplete {
                event: self.event,
                rest,
            })
        } else {
            None
        }
    }

    /// The stream's last event id, with which a client resumes it. Empty when there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The stream's reconnection time in milliseconds, if it set one.
    #[must_use]
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    /// Bytes that wait for the end of their line or event.
    #[must_use]
    pub fn held(&self) -> usize {
        self.line.len() + self.event_bytes
    }

    /// Whether `more` bytes may be added to the current line; breaks the reader if not.
    fn fits(&mut self, more: usize) -> bool {
        let line_bytes = self.line.len() + more;
        self.broken = line_bytes > 0 && self.event_bytes + line_bytes > self.limit;
        if self.broken {
            self.line = Vec::new();
        }
        !self.broken
    }

    fn take_line(&mut self, line: &[u8], emit: &mut impl FnMut(Item)) {
        let mut line = line;
        if std::mem::take(&mut self.first_line)
            && let Some(after) = line.strip_prefix(BYTE_ORDER_MARK)
        {
            line = after;
            self.event.remarks.push(Remark::ByteOrderMark);
        }
        if line.is_empty() {
            self.end_event(emit);
            return;
        }
        let colon = line.iter().position(|&byte| byte == b':');
        if colon == Some(0) {
            emit(Item::Comment(line[1..].to_vec()));
            return;
        }
        self.begun = true;
        // One more for the newline that may join it to the next, so that empty lines count too.
        self.event_bytes += line.len() + 1;
        let (name, value) = match colon {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &[][..]),
        };
        self.take_field(name, value.strip_prefix(b" ").unwrap_or(value));
    }

    fn take_field(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"data" => {
                if self.event.dispatched {
                    self.event.data.push(b'\n');
                }
                self.event.dispatched = true;
                self.event.data.extend_from_slice(value);
            }
            b"event" => self.event.fields.event = Some(self.text(value)),
            b"id" if value.contains(&0) => self.remark(Remark::IdWithNul),
            b"id" => self.event.fields.id = Some(self.text(value)),
            b"retry" => match read_digits(value) {
                Some(retry) => {
                    self.event.fields.retry = Some(retry);
                    self.retry = Some(retry);
                }
                None => self.remark(Remark::RetryNotDigits),
            },
            _ => {
                let name = self.text(name).chars().take(NAME_CHARACTERS_MAX).collect();
                self.remark(Remark::UnknownField(name));
            }
        }
    }

    fn end_event(&mut self, emit: &mut impl FnMut(Item)) {
        self.event_bytes = 0;
        if !std::mem::take(&mut self.begun) {
            return;
        }
        let event = std::mem::take(&mut self.event);
        if let Some(id) = &event.fields.id {
            self.last_event_id.clone_from(id);
        }
        emit(Item::Event(event));
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) {
            self.remark(Remark::NotUtf8);
        }
        text.into_owned()
    }

    fn remark(&mut self, remark: Remark) {
        if self.event.remarks.len() < REMARKS_MAX {
            self.event.remarks.push(remark);
        }
    }
}

fn read_digits(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value).ok()?;
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().ok()
    } else {
        None
    }
}

/// Where the first CR or LF is. Looks at whole blocks without branching, which the compiler turns into
/// vector instructions.
fn line_end(bytes: &[u8]) -> Option<usize> {
    let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let mut passed = 0;
    for block in bytes.chunks(BLOCK_BYTES) {
        if block.iter().fold(false, |found, byte| found | ends(byte)) {
            return block.iter().position(ends).map(|place| passed + place);
        }
        passed += block.len();
    }
    None
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Four vectors of 16 bytes.
const BLOCK_BYTES: usize = 64;

/// Remarks kept for one event: enough to see what is wrong, too few to fill memory.
const REMARKS_MAX: usize = 16;

/// Longest part of an unknown field's name that is kept.
const NAME_CHARACTERS_MAX: usize = 100;
