//! gRPC on the wire, as far as it is bytes: the frame around each message, the tunnel's own message, and
//! statuses. No HTTP/2 and no I/O.

mod frame;
pub mod native;
mod status;
mod tunnel;

pub use frame::{FRAME_HEAD_BYTES, Frame, Frames, TooLarge, encode};
pub use status::{decode_message, encode_message, status};
pub use tunnel::{JsonRpcLine, Line, SESSION_PATH};
