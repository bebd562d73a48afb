//! The bindings to the transports.

mod config;
mod exchange;
mod guard;
mod http;
mod http_session;
mod http_sse;
mod modern_headers;
mod reply;
mod served;
mod stdio;
mod stream_log;
mod streamable_http;

pub use config::{MockConfig, StartError};
pub use served::Served;
pub use stdio::{serve_lines, serve_stdio};
