//! From a message to the frames that carry it.

use mcp_verdict_wire::{
    Delivery,
    websocket::{Frame, opcode},
};

/// What a ping between fragments holds.
const PING: &[u8] = b"between";

/// The frames that carry these bytes, and the pings between them.
pub(super) fn frames(bytes: &[u8], delivery: &Delivery) -> Vec<Frame> {
    let mut pieces: Vec<&[u8]> = delivery.cut(bytes).collect();
    if pieces.is_empty() {
        pieces.push(b"");
    }
    let last = pieces.len() - 1;
    let mut frames = Vec::new();
    for (index, piece) in pieces.into_iter().enumerate() {
        let opcode = match index {
            0 => delivery.frame.opcode(),
            _ => opcode::CONTINUATION,
        };
        frames.push(Frame {
            fin: index == last && !delivery.unterminated,
            reserved: if delivery.reserved_bit { 4 } else { 0 },
            ..Frame::whole(opcode, piece)
        });
        if delivery.pings && index < last {
            frames.push(Frame::whole(opcode::PING, PING));
        }
    }
    frames
}

/// A frame as a client writes it.
pub(super) fn masked(mut frame: Frame) -> Vec<u8> {
    let mut mask = MASK_WITHOUT_CHANCE;
    if let Err(error) = getrandom::fill(&mut mask) {
        tracing::debug!(%error, "a mask that can be guessed");
    }
    frame.mask = Some(mask);
    plain(&frame)
}

/// A frame as it stands.
pub(super) fn plain(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.encode(&mut bytes);
    bytes
}

/// A mask for a system that has no randomness to give. It is there for the sake of caches between us and a
/// browser's page (RFC 6455, section 10.3), of which there is none.
const MASK_WITHOUT_CHANCE: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

#[cfg(test)]
mod tests {
    use mcp_verdict_wire::FrameKind;

    use super::*;

    fn told(bytes: &[u8], delivery: &Delivery) -> Vec<(u8, bool, Vec<u8>)> {
        let frames = frames(bytes, delivery).into_iter();
        frames
            .map(|frame| (frame.opcode, frame.fin, frame.payload))
            .collect()
    }

    #[test]
    fn a_message_is_one_frame_unless_it_is_cut() {
        let plain = Delivery::default();
        assert_eq!(told(b"{}", &plain), [(opcode::TEXT, true, b"{}".to_vec())]);
        assert_eq!(told(b"", &plain), [(opcode::TEXT, true, Vec::new())]);
        let cut = Delivery {
            pieces: 2,
            pings: true,
            frame: FrameKind::Binary,
            ..Delivery::default()
        };
        let expected = [
            (opcode::BINARY, false, b"{".to_vec()),
            (opcode::PING, true, PING.to_vec()),
            (opcode::CONTINUATION, true, b"}".to_vec()),
        ];
        assert_eq!(told(b"{}", &cut), expected);
    }
}
