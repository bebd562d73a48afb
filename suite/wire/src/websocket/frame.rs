//! One frame, written and named.

/// Opcodes (RFC 6455, section 5.2).
pub mod opcode {
    /// A further fragment.
    pub const CONTINUATION: u8 = 0;
    /// A message that is text, or its first fragment.
    pub const TEXT: u8 = 1;
    /// A message that is bytes, or its first fragment.
    pub const BINARY: u8 = 2;
    /// The first one that has no meaning.
    pub const RESERVED: u8 = 3;
    /// The end of what its sender sends.
    pub const CLOSE: u8 = 8;
    /// A question whether the other side is there.
    pub const PING: u8 = 9;
    /// The answer.
    pub const PONG: u8 = 10;
}

/// Opcodes and what they are called.
pub const OPCODE_NAMES: [(u8, &str); 6] = [
    (opcode::CONTINUATION, "continuation"),
    (opcode::TEXT, "text"),
    (opcode::BINARY, "binary"),
    (opcode::CLOSE, "close"),
    (opcode::PING, "ping"),
    (opcode::PONG, "pong"),
];

/// A frame, whatever its header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// It is the last of its message.
    pub fin: bool,
    /// The three bits that extensions may use, the first of them the highest: 0 to 7.
    pub reserved: u8,
    /// What it is: 0 to 15.
    pub opcode: u8,
    /// What its payload is masked with on the wire.
    pub mask: Option<[u8; 4]>,
    /// The payload, not masked.
    pub payload: Vec<u8>,
}

/// What a close frame says (RFC 6455, section 5.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closing {
    /// The code, if there is one.
    pub code: Option<u16>,
    /// The reason beside it, invalid UTF-8 replaced.
    pub reason: String,
}

impl Frame {
    /// A frame that is alone, and not masked.
    #[must_use]
    pub fn whole(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            reserved: 0,
            opcode,
            mask: None,
            payload: payload.into(),
        }
    }

    /// A close frame that is not masked.
    #[must_use]
    pub fn close(code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        Self::whole(opcode::CLOSE, payload)
    }

    /// Whether it is about the connection and no part of a message.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.opcode & 0x8 != 0
    }

    /// What its opcode is called.
    #[must_use]
    pub fn name(&self) -> String {
        OPCODE_NAMES
            .iter()
            .find(|(opcode, _)| *opcode == self.opcode)
            .map_or_else(
                || format!("opcode {}", self.opcode),
                |(_, name)| (*name).to_owned(),
            )
    }

    /// What it says as a close frame; `None` for a payload of one byte, which is no code.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        match self.payload.as_slice() {
            [] => Some(Closing::default()),
            [_] => None,
            [high, low, reason @ ..] => Some(Closing {
                code: Some(u16::from_be_bytes([*high, *low])),
                reason: String::from_utf8_lossy(reason).into_owned(),
            }),
        }
    }

    /// Appends it as it goes over the wire, its length written in as few bytes as possible.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let length = self.payload.len();
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        bytes.push(u8::from(self.fin) << 7 | (self.reserved & 7) << 4 | self.opcode & 15);
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(short), _) if short < 126 => bytes.push(masked | short),
            (_, Ok(medium)) => {
                bytes.push(masked | 126);
                bytes.extend_from_slice(&medium.to_be_bytes());
            }
            _ => {
                bytes.push(masked | 127);
                bytes.extend_from_slice(&(length as u64).to_be_bytes());
            }
        }
        let begin = bytes.len() + self.mask.map_or(0, |mask| mask.len());
        bytes.extend(self.mask.into_iter().flatten());
        bytes.extend_from_slice(&self.payload);
        if let Some(mask) = self.mask {
            apply(mask, &mut bytes[begin..]);
        }
    }
}

/// Masks, or takes the mask off (RFC 6455, section 5.3).
pub(super) fn apply(mask: [u8; 4], payload: &mut [u8]) {
    for (byte, mask) in payload.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}
