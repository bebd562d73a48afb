//! What comes over a WebSocket: frame by frame into the book.

use std::{ops::ControlFlow, time::Duration};

use mcp_verdict_wire::{
    limits::MESSAGE_BYTES_MAX,
    transcript::{Bytes, Ended, EventKind, Exchange},
    websocket::{Decoder, Frame, opcode},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout_at},
};

use super::encode::masked;
use crate::{Recorder, exchanges::Log, outbox::Feed, recorder::Held};

/// Bytes read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Frames of one message: as many as a large one has when each carries a kilobyte. Frames may be empty, and
/// nothing else would end a message that never ends.
const FRAGMENTS_MAX: usize = MESSAGE_BYTES_MAX / 1024;

/// Longest payload of a frame that is no message (RFC 6455, section 5.5).
const CONTROL_BYTES_MAX: usize = 125;

/// How long the target may take to hang up after it said that it closes.
const HANG_UP: Duration = Duration::from_millis(500);

/// The code of a side that cannot go on because of the other one (RFC 6455, section 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;

/// The code of an end in good order.
pub(super) const NORMAL: u16 = 1000;

/// Where a connection is written down: as the channel, or as an exchange of its own.
#[derive(Debug)]
pub(super) enum Book {
    Channel(Recorder),
    Exchange(Log),
}

/// Reads one connection to its end.
pub(super) struct Reading {
    book: Book,
    feed: Feed,
    message: Option<Message>,
    /// The target said that it closes; then it hangs up before this.
    closing: Option<Instant>,
    room: Held,
}

/// A message of which the last frame did not come yet.
struct Message {
    is_text: bool,
    bytes: Vec<u8>,
    fragments: usize,
}

/// Why no more is read.
enum Stop {
    /// The target hung up, or was waited for in vain.
    Gone,
    /// A limit was broken, or there is no room.
    Limit,
    /// It sent what RFC 6455 does not allow.
    Violation,
}

impl Book {
    pub(super) fn record(&self, kind: EventKind) {
        match self {
            Self::Channel(recorder) => recorder.record(kind),
            Self::Exchange(log) => log.record(kind),
        }
    }

    pub(super) fn exchange(&self) -> Exchange {
        match self {
            Self::Channel(_) => 0,
            Self::Exchange(log) => log.exchange(),
        }
    }

    fn hold(&self) -> Held {
        match self {
            Self::Channel(recorder) => recorder.hold(0),
            Self::Exchange(log) => log.hold(),
        }
    }

    fn is_full(&self) -> bool {
        match self {
            Self::Channel(recorder) => recorder.is_full(),
            Self::Exchange(log) => log.is_full(),
        }
    }

    /// Records a frame of ours that is no message.
    pub(super) fn sent_frame(&self, frame: &Frame) {
        self.record(self.frame(frame, true, None));
    }

    fn frame(&self, frame: &Frame, sent: bool, breaks: Option<String>) -> EventKind {
        EventKind::Frame {
            exchange: self.exchange(),
            sent,
            opcode: frame.name(),
            bytes: frame.payload.as_slice().into(),
            breaks,
        }
    }

    /// Records how it ended.
    fn end(&self, stop: &Stop, said_so: bool) {
        match (self, stop) {
            (Self::Channel(_), Stop::Limit) => {}
            (Self::Channel(recorder), _) => recorder.record(EventKind::OutputClosed {
                rest: Bytes::default(),
            }),
            (Self::Exchange(log), Stop::Gone) if said_so => log.end(Ended::Complete),
            (Self::Exchange(log), Stop::Gone) => {
                log.end(Ended::Broken("closed without a close frame".to_owned()));
            }
            (Self::Exchange(log), _) => log.end(Ended::Dropped),
        }
    }
}

impl Reading {
    pub(super) fn new(book: Book, feed: Feed) -> Self {
        let room = book.hold();
        Self {
            book,
            feed,
            message: None,
            closing: None,
            room,
        }
    }

    /// Reads from `source`, of which `read` was read already, and records to the end.
    pub(super) async fn run(mut self, mut source: impl AsyncRead + Unpin, read: Vec<u8>) {
        let mut decoder = Decoder::new(MESSAGE_BYTES_MAX);
        decoder.push(&read);
        let mut piece = vec![0; PIECE_BYTES];
        let stop = loop {
            if let ControlFlow::Break(stop) = self.take_all(&mut decoder) {
                break stop;
            }
            let reading = source.read(&mut piece);
            let count = match self.closing {
                Some(end) => timeout_at(end, reading).await.unwrap_or(Ok(0)),
                None => reading.await,
            };
            match count {
                Ok(0) => break Stop::Gone,
                Ok(count) => decoder.push(&piece[..count]),
                Err(error) => {
                    tracing::debug!(%error, "the WebSocket ends");
                    break Stop::Gone;
                }
            }
        };
        self.book.end(&stop, self.closing.is_some());
    }

    fn take_all(&mut self, decoder: &mut Decoder) -> ControlFlow<Stop> {
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => self.take(frame)?,
                Ok(None) => break,
                Err(too_long) => {
                    return self.limit(format!("a frame holds at most {} bytes", too_long.limit));
                }
            }
        }
        let held = self.message.as_ref().map_or(0, |held| held.bytes.len());
        match self.book.is_full() || !self.room.is_enough_for(decoder.held() + held) {
            true => ControlFlow::Break(Stop::Limit),
            false => ControlFlow::Continue(()),
        }
    }

    fn take(&mut self, frame: Frame) -> ControlFlow<Stop> {
        if let Some(why) = self.forbidden(&frame) {
            let event = self.book.frame(&frame, false, Some(why.to_owned()));
            self.book.record(event);
            self.close(Frame::close(PROTOCOL_ERROR, ""));
            return ControlFlow::Break(Stop::Violation);
        }
        match frame.opcode {
            opcode::TEXT | opcode::BINARY => {
                self.message = Some(Message {
                    is_text: frame.opcode == opcode::TEXT,
                    bytes: Vec::new(),
                    fragments: 0,
                });
                self.append(frame)
            }
            opcode::CONTINUATION => self.append(frame),
            opcode::PING => {
                self.book.record(self.book.frame(&frame, false, None));
                self.answer(frame);
                self.unless_full()
            }
            opcode::CLOSE => {
                self.closes(frame);
                ControlFlow::Continue(())
            }
            _ => {
                self.book.record(self.book.frame(&frame, false, None));
                self.unless_full()
            }
        }
    }

    /// What RFC 6455 does not allow of this frame here.
    fn forbidden(&self, frame: &Frame) -> Option<&'static str> {
        let is_known = matches!(frame.opcode, 0..=2 | 8..=10);
        let within = self.message.is_some();
        Some(match frame.opcode {
            _ if frame.mask.is_some() => "a server's frame is masked",
            _ if frame.reserved != 0 => "a bit is set that no extension was agreed on for",
            _ if !is_known => "its opcode is reserved",
            _ if frame.is_control() && !frame.fin => "a control frame is fragmented",
            _ if frame.is_control() && frame.payload.len() > CONTROL_BYTES_MAX => {
                "a control frame holds more than 125 bytes"
            }
            opcode::CONTINUATION if !within => "it continues no message",
            opcode::TEXT | opcode::BINARY if within => "a message begins within another",
            opcode::CLOSE if frame.payload.len() == 1 => "a close frame holds half a code",
            _ => return None,
        })
    }

    /// Adds a frame to the message under way, and records that if it is whole.
    fn append(&mut self, frame: Frame) -> ControlFlow<Stop> {
        let Some(mut message) = self.message.take() else {
            return ControlFlow::Continue(());
        };
        message.fragments += 1;
        if message.bytes.len() + frame.payload.len() > MESSAGE_BYTES_MAX {
            return self.limit(format!("a message holds at most {MESSAGE_BYTES_MAX} bytes"));
        }
        if message.fragments > FRAGMENTS_MAX {
            return self.limit(format!("a message has at most {FRAGMENTS_MAX} frames"));
        }
        message.bytes.extend_from_slice(&frame.payload);
        if !frame.fin {
            self.message = Some(message);
            return ControlFlow::Continue(());
        }
        let exchange = self.book.exchange();
        let bytes = message.bytes.into();
        self.book.record(match message.is_text {
            true => EventKind::Received {
                exchange,
                sse: None,
                bytes,
            },
            false => EventKind::Frame {
                exchange,
                sent: false,
                opcode: "binary".to_owned(),
                bytes,
                breaks: None,
            },
        });
        self.unless_full()
    }

    /// Answers a ping, if there is room; of many only some need an answer (RFC 6455, section 5.5.3).
    fn answer(&self, ping: Frame) {
        let pong = Frame::whole(opcode::PONG, ping.payload);
        if let Some(place) = self.feed.place_now(pong.payload.len()) {
            self.book.sent_frame(&pong);
            self.feed.push(vec![masked(pong)], place);
        }
    }

    /// The target closes: its code is recorded, and comes back to it.
    fn closes(&mut self, frame: Frame) {
        if self.closing.is_some() {
            // Once is enough; what a rule has to say of it is in the first.
            return self.book.record(self.book.frame(&frame, false, None));
        }
        let said = frame.closing().unwrap_or_default();
        self.book.record(EventKind::Closed {
            exchange: self.book.exchange(),
            code: said.code.map(u32::from),
            reason: said.reason,
        });
        self.closing = Some(Instant::now() + HANG_UP);
        self.close(Frame::whole(
            opcode::CLOSE,
            &frame.payload[..frame.payload.len().min(2)],
        ));
    }

    /// Closes our side, unless it is closed.
    fn close(&self, frame: Frame) {
        if self.feed.is_open() {
            self.book.sent_frame(&frame);
            self.feed.end_in_turn(masked(frame));
        }
    }

    fn limit(&self, limit: String) -> ControlFlow<Stop> {
        self.book.record(EventKind::LimitExceeded {
            exchange: self.book.exchange(),
            limit,
        });
        ControlFlow::Break(Stop::Limit)
    }

    fn unless_full(&self) -> ControlFlow<Stop> {
        match self.book.is_full() {
            true => ControlFlow::Break(Stop::Limit),
            false => ControlFlow::Continue(()),
        }
    }
}
