//! The reference MCP server: conformant in every revision, over every transport, and able to deviate on
//! request.
//!
//! - `core` is the server: messages in, messages out.
//! - [`serve_stdio`] and [`Served`] bind it to a transport; one HTTP listener serves `/mcp` for both
//!   eras, `/sse` with `/messages` for the old transport, and `/ws` for WebSocket.
//! - [`Proxy`] stands before any server, and does to what passes what a bad network does.
//! - [`faults()`] lists the ways in which it can be made to misbehave; `core` knows none of them.
//!
//! Everything that a client can make it hold is bounded, and it listens on the loopback interface
//! unless it is told otherwise.

mod core;
mod faults;
mod proxy;
mod serve;

pub use crate::core::{Departure, Facts, Memory, Payload};
pub use faults::{
    Act, Arrived, BodyFault, Distort, Distortion, Event, Fault, GrpcCall, GrpcPart, Hook,
    HttpRequest, HttpResponse, LineIn, Moment, Replay, SessionEvent, faults, find,
};
pub use proxy::{
    PROXY_FAULTS, Proxy, ProxyConfig, ProxyError, ProxyFault, ProxyFaultError, ProxyFaultKind,
    UpstreamError,
};
pub use serve::{Listen, MockConfig, Served, StartError, Tls, serve_lines, serve_stdio};
