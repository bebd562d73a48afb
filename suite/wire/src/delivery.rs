//! How the bytes of a message reach the wire, where that is the matter.

use serde::Deserialize;

use crate::websocket::opcode;

/// How a message is written. The default is the plain way: whole, at once, as the transport has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// Put before the message.
    pub before: String,
    /// Put after it; on stdio before its newline.
    pub after: String,
    /// So many spaces after it, for a message of some size.
    pub padding: usize,
    /// In so many writes, a moment apart. 0 and 1 are one. On WebSocket each is a frame.
    pub pieces: usize,
    /// stdio: without the newline that ends it. gRPC: a call beside the session's is not half-closed. WebSocket: without the frame that ends it.
    pub unterminated: bool,
    /// Held back, and written together with the next message: on WebSocket in one frame with it, over HTTP on
    /// one connection (pipelining).
    pub with_next: bool,
    /// HTTP: the body in chunks, its length not stated.
    pub chunked: bool,
    /// HTTP: the whole URL in the request line.
    pub absolute_form: bool,
    /// HTTP: header names in upper case.
    pub upper_case_names: bool,
    /// HTTP: the origin of the endpoint itself as `Origin`.
    pub own_origin: bool,
    /// HTTP: the name of a header that is sent twice, with the same value.
    pub twice: String,
    /// WebSocket: the kind of frame.
    pub frame: FrameKind,
    /// WebSocket: a ping after each frame but the last.
    pub pings: bool,
    /// WebSocket: not masked, which no client may do.
    pub unmasked: bool,
    /// WebSocket: with a bit set that is kept for extensions.
    pub reserved_bit: bool,
    /// HTTP: what the network does to the request or the response.
    #[serde(skip)]
    pub network: Option<NetworkFault>,
}

/// The kind of frame that carries what is sent over a WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameKind {
    /// A message, as all others are.
    #[default]
    Text,
    /// A message, as bytes.
    Binary,
    /// A close frame: our side is closed with it.
    Close,
    /// A ping.
    Ping,
    /// A pong that nobody asked for.
    Pong,
    /// An opcode that has no meaning.
    Reserved,
}

impl FrameKind {
    /// Its opcode.
    #[must_use]
    pub const fn opcode(self) -> u8 {
        match self {
            Self::Text => opcode::TEXT,
            Self::Binary => opcode::BINARY,
            Self::Close => opcode::CLOSE,
            Self::Ping => opcode::PING,
            Self::Pong => opcode::PONG,
            Self::Reserved => opcode::RESERVED,
        }
    }

    /// Whether it carries a message.
    #[must_use]
    pub const fn is_message(self) -> bool {
        matches!(self, Self::Text | Self::Binary)
    }
}

/// What the network does to a request, or to a response that is an event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkFault {
    /// How the connection is lost.
    pub fault: NetworkFaultKind,
    /// How many events come through before.
    #[serde(default)]
    pub after_events: u32,
    /// How many bytes of the request's body come through before, where it is the request that suffers; all of them
    /// where there is no number.
    #[serde(default)]
    pub after_bytes: Option<u32>,
}

/// How a connection is lost. Unless it only stalls, the server's side is told at once, by the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkFaultKind {
    /// It closes at the end of an event.
    CutBetweenEvents,
    /// It closes after a part of the next event.
    CutMidEvent,
    /// It closes within the request or behind it, before the response.
    CutRequest,
    /// It is reset (RST) at the end of an event.
    Reset,
    /// It is reset (RST) within the request or behind it, before the response.
    ResetRequest,
    /// It stays open, and nothing more of the request comes.
    StallRequest,
}

impl NetworkFaultKind {
    /// Whether it befalls the request, and there is no response.
    #[must_use]
    pub const fn is_of_request(self) -> bool {
        matches!(
            self,
            Self::CutRequest | Self::ResetRequest | Self::StallRequest
        )
    }

    /// Whether the connection ends by a reset.
    #[must_use]
    pub const fn resets(self) -> bool {
        matches!(self, Self::Reset | Self::ResetRequest)
    }
}

impl Delivery {
    /// The bytes with what is put around them.
    #[must_use]
    pub fn wrap(&self, bytes: Vec<u8>) -> Vec<u8> {
        if !self.wraps() {
            return bytes;
        }
        let mut wrapped = self.before.clone().into_bytes();
        wrapped.extend_from_slice(&bytes);
        wrapped.extend_from_slice(self.after.as_bytes());
        wrapped.resize(wrapped.len() + self.padding.min(PADDING_MAX), b' ');
        wrapped
    }

    /// Whether anything is put around the message.
    #[must_use]
    pub fn wraps(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty() || self.padding > 0
    }

    /// Whether it goes with headers that a client would not send.
    #[must_use]
    pub fn alters_headers(&self) -> bool {
        self.own_origin || !self.twice.is_empty()
    }

    /// Whether it is something else than text frames as a client sends them.
    #[must_use]
    pub fn breaks_frames(&self) -> bool {
        self.frame != FrameKind::Text || self.unmasked || self.reserved_bit
    }

    /// Whether an HTTP client that behaves well would not write it like that.
    #[must_use]
    pub fn needs_plain_socket(&self) -> bool {
        self.pieces > 1
            || self.with_next
            || self.chunked
            || self.absolute_form
            || self.upper_case_names
            || self.network.is_some()
    }

    /// The bytes cut into the pieces that are written one by one; all but the last are equally long.
    pub fn cut<'b>(&self, bytes: &'b [u8]) -> impl Iterator<Item = &'b [u8]> + use<'b> {
        let pieces = self.pieces.clamp(1, PIECES_MAX);
        bytes.chunks(bytes.len().div_ceil(pieces).max(1))
    }
}

/// The most spaces behind a message: what a message may hold.
const PADDING_MAX: usize = crate::limits::MESSAGE_BYTES_MAX;

/// The most writes for one message: each takes its moment.
const PIECES_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_way_changes_nothing() {
        let delivery = Delivery::default();
        assert_eq!(delivery.wrap(b"{}".to_vec()), b"{}");
        assert!(!delivery.needs_plain_socket());
        assert_eq!(delivery.cut(b"{}").collect::<Vec<_>>(), [b"{}"]);
        assert_eq!(delivery.cut(b"").count(), 0);
    }

    #[test]
    fn what_is_put_around_is_part_of_the_bytes() {
        let delivery = Delivery {
            before: "\r\n".to_owned(),
            after: "\t".to_owned(),
            padding: 2,
            ..Delivery::default()
        };
        assert_eq!(delivery.wrap(b"{}".to_vec()), b"\r\n{}\t  ");
    }

    #[test]
    fn pieces_are_the_whole_cut_up() {
        for pieces in [1, 2, 3, 7, 1000] {
            let delivery = Delivery {
                pieces,
                ..Delivery::default()
            };
            let cut: Vec<_> = delivery.cut(b"0123456789").collect();
            assert_eq!(cut.concat(), b"0123456789");
            assert!(cut.len() <= pieces && !cut.is_empty());
        }
    }
}
