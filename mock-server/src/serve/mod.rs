//! The bindings to the transports.

mod config;
mod exchange;
mod frame_filter;
mod grpc;
mod grpc_native;
mod grpc_session;
mod guard;
mod http;
mod http_session;
mod http_sse;
mod lines;
mod modern_headers;
mod reply;
mod request_body;
mod served;
mod sockets;
mod stream_log;
mod streamable_http;
mod tls;
mod websocket;
mod websocket_draft;

pub use config::{MockConfig, StartError, Tls};
pub use lines::{serve_lines, serve_stdio};
pub use served::{Listen, Served};
