//! What travels on the wire, as it is: revisions, JSON-RPC messages as raw bytes with a lenient and
//! a strict view, the SSE codec, the frames of WebSocket, header values, and the transcript that records all of it.
//!
//! Nothing here does I/O, and nothing here judges.

mod delivery;
pub mod grpc;
pub mod header_value;
pub mod limits;
pub mod message;
mod revision;
pub mod sse;
pub mod transcript;
mod transport;
pub mod websocket;

pub use delivery::{Delivery, FrameKind, NetworkFault, NetworkFaultKind};
pub use revision::{Era, Revision, UnknownRevision};
pub use transport::{TransportKind, UnknownTransport};
