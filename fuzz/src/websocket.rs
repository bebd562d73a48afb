//! WebSocket frames: our decoder against itself, and against tungstenite's.

use std::io::Cursor;

use mcp_verdict_wire::websocket::{Decoder, Frame, TooLong, opcode};
use tungstenite::{
    Error,
    error::ProtocolError,
    protocol::frame::{Frame as Theirs, FrameSocket},
};

/// However the bytes are cut, the same frames come out; written again they are read again; and tungstenite
/// reads the same. The first byte chooses how long the pieces are, the second the limit.
pub fn websocket(bytes: &[u8]) {
    let [step, limit, stream @ ..] = bytes else {
        return;
    };
    let limit = usize::from(*limit) * 8;
    let whole = decode(stream, stream.len().max(1), limit);
    assert_eq!(decode(stream, usize::from(*step).max(1), limit), whole);
    assert_eq!(decode(stream, 1, limit), whole);
    written_again(&whole.0, limit);
    held_against_theirs(stream, &whole, limit);
}

/// The frames, and what came of the rest: how many bytes wait, or that a frame is too long.
type Read = (Vec<Frame>, Result<usize, TooLong>);

fn decode(stream: &[u8], step: usize, limit: usize) -> Read {
    let mut decoder = Decoder::new(limit);
    let mut frames = Vec::new();
    for piece in stream.chunks(step) {
        decoder.push(piece);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(too_long) => return (frames, Err(too_long)),
            }
        }
    }
    (frames, Ok(decoder.held()))
}

fn written_again(frames: &[Frame], limit: usize) {
    let mut bytes = Vec::new();
    for frame in frames {
        assert!(frame.payload.len() <= limit);
        frame.encode(&mut bytes);
    }
    assert_eq!(
        decode(&bytes, bytes.len().max(1), limit),
        (frames.to_vec(), Ok(0))
    );
}

fn held_against_theirs(stream: &[u8], ours: &Read, limit: usize) {
    let mut socket = FrameSocket::new(Cursor::new(stream));
    let mut frames = ours.0.iter();
    loop {
        match socket.read(Some(limit)) {
            Ok(Some(theirs)) => {
                let ours = frames.next().expect("tungstenite reads a frame more");
                agree(ours, &theirs);
            }
            Ok(None) => {
                assert_eq!(frames.next(), None);
                assert!(ours.1.is_ok(), "tungstenite waits where we refuse");
                return;
            }
            // Known: tungstenite refuses opcodes without a meaning when it reads the header.
            Err(Error::Protocol(ProtocolError::InvalidOpcode(code))) => {
                assert!(is_reserved(code));
                if let Some(frame) = frames.next() {
                    assert_eq!(frame.opcode, code);
                }
                return;
            }
            Err(Error::Capacity(_)) => {
                assert_eq!(frames.next(), None);
                assert_eq!(ours.1, Err(TooLong { limit }));
                return;
            }
            Err(other) => panic!("tungstenite: {other}"),
        }
    }
}

fn agree(ours: &Frame, theirs: &Theirs) {
    let header = theirs.header();
    let bits = [(header.rsv1, 4), (header.rsv2, 2), (header.rsv3, 1)];
    let reserved: u8 = bits.iter().filter(|bit| bit.0).map(|bit| bit.1).sum();
    assert_eq!(ours.fin, header.is_final);
    assert_eq!(ours.reserved, reserved);
    assert_eq!(ours.opcode, u8::from(header.opcode));
    assert_eq!(ours.mask, header.mask);
    let mut payload = theirs.payload().to_vec();
    if let Some(mask) = header.mask {
        for (index, byte) in payload.iter_mut().enumerate() {
            *byte ^= mask[index % 4];
        }
    }
    assert_eq!(ours.payload, payload);
}

fn is_reserved(code: u8) -> bool {
    (opcode::RESERVED..opcode::CLOSE).contains(&code) || code > opcode::PONG
}
