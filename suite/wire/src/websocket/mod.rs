//! The frames of WebSocket (RFC 6455) as they are, and the key that accepts a handshake. No I/O, and no
//! opinion: what a frame may be is for others to say.

mod decoder;
mod frame;
mod key;

pub use decoder::{Decoder, TooLong};
pub use frame::{Closing, Frame, OPCODE_NAMES, opcode};
pub use key::accept_key;
