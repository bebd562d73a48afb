//! Frames from a byte stream, however it comes in pieces.

use super::frame::{Frame, apply};

/// A frame that is longer than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// The limit.
    pub limit: usize,
}

/// Cuts a byte stream into frames with payloads of at most so many bytes.
#[derive(Clone, Debug)]
pub struct Decoder {
    limit: usize,
    /// What was read and is no part of a frame yet, from `start` on.
    buffered: Vec<u8>,
    start: usize,
}

/// What a frame begins with.
struct Header {
    length: usize,
    payload: u64,
    mask: Option<[u8; 4]>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffered: Vec::new(),
            start: 0,
        }
    }

    /// Takes the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffered.drain(..self.start);
        self.start = 0;
        self.buffered.extend_from_slice(piece);
    }

    /// Bytes that wait for the rest of their frame.
    #[must_use]
    pub fn held(&self) -> usize {
        self.buffered.len() - self.start
    }

    /// The next frame that is whole.
    ///
    /// # Errors
    /// When its payload is too long; nothing can be read after it.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, TooLong> {
        let bytes = &self.buffered[self.start..];
        let Some(header) = header(bytes) else {
            return Ok(None);
        };
        let limit = self.limit;
        let payload = usize::try_from(header.payload)
            .ok()
            .filter(|length| *length <= limit)
            .ok_or(TooLong { limit })?;
        let Some(payload) = bytes.get(header.length..header.length + payload) else {
            return Ok(None);
        };
        let mut payload = payload.to_vec();
        if let Some(mask) = header.mask {
            apply(mask, &mut payload);
        }
        let frame = Frame {
            fin: bytes[0] & 0x80 != 0,
            reserved: bytes[0] >> 4 & 7,
            opcode: bytes[0] & 15,
            mask: header.mask,
            payload,
        };
        self.start += header.length + frame.payload.len();
        Ok(Some(frame))
    }
}

/// The header at the beginning, if all of it is there.
fn header(bytes: &[u8]) -> Option<Header> {
    let second = *bytes.get(1)?;
    let (payload, mut length) = match second & 0x7f {
        126 => (
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
            4,
        ),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let mask = match second & 0x80 {
        0 => None,
        _ => {
            let mask = bytes.get(length..length + 4)?.try_into().ok()?;
            length += 4;
            Some(mask)
        }
    };
    Some(Header {
        length,
        payload,
        mask,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::websocket::opcode;

    fn decode(pieces: &[&[u8]]) -> Vec<Frame> {
        let mut decoder = Decoder::new(1 << 20);
        let mut frames = Vec::new();
        for piece in pieces {
            decoder.push(piece);
            while let Some(frame) = decoder.next_frame().unwrap() {
                frames.push(frame);
            }
        }
        assert_eq!(decoder.held(), 0);
        frames
    }

    #[test]
    fn the_examples_of_the_standard_are_read_and_written() {
        // RFC 6455, section 5.7.
        let hello = Frame::whole(opcode::TEXT, "Hello");
        let masked = Frame {
            mask: Some([0x37, 0xfa, 0x21, 0x3d]),
            ..hello.clone()
        };
        let cases: [(&[u8], &Frame); 2] = [
            (&[0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f], &hello),
            (
                &[
                    0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
                ],
                &masked,
            ),
        ];
        for (bytes, frame) in cases {
            let mut written = Vec::new();
            frame.encode(&mut written);
            assert_eq!(written, bytes);
            assert_eq!(&decode(&[bytes]), std::slice::from_ref(frame));
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_its_payload_comes() {
        let mut decoder = Decoder::new(125);
        decoder.push(&[0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(decoder.next_frame(), Err(TooLong { limit: 125 }));
        let mut decoder = Decoder::new(125);
        decoder.push(&[0x82, 126, 0, 126]);
        assert_eq!(decoder.next_frame(), Err(TooLong { limit: 125 }));
    }

    #[test]
    fn a_close_frame_says_why() {
        let closing = Frame::close(1003, "text only").closing().unwrap();
        assert_eq!(
            (closing.code, closing.reason.as_str()),
            (Some(1003), "text only")
        );
        let empty = Frame::whole(opcode::CLOSE, "");
        assert_eq!(empty.closing(), Some(Closing::default()));
        assert_eq!(Frame::whole(opcode::CLOSE, "x").closing(), None);
        assert_eq!(Frame::whole(11, "").name(), "opcode 11");
    }

    use crate::websocket::Closing;

    proptest! {
        #[test]
        fn whatever_is_written_is_read_however_it_is_cut(
            frames in prop::collection::vec(
                (any::<bool>(), 0..8u8, 0..16u8, any::<Option<[u8; 4]>>(), 0..3usize, any::<Vec<u8>>()),
                1..4,
            ),
            cut: prop::sample::Index,
        ) {
            let frames: Vec<Frame> = frames
                .into_iter()
                .map(|(fin, reserved, opcode, mask, long, mut payload)| {
                    payload.resize(payload.len() + [0, 200, 66_000][long], b'x');
                    Frame { fin, reserved, opcode, mask, payload }
                })
                .collect();
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.encode(&mut bytes));
            let cut = cut.index(bytes.len());
            prop_assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]]), frames);
        }
    }
}
