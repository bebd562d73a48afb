//! The mock server, as its clients see it.

#![expect(
    clippy::unwrap_used,
    reason = "a panic is how a test fails, in its helpers too"
)]

mod distortion;
mod faults;
mod grpc;
mod http_sse;
mod legacy_http;
mod modern_http;
mod proxy;
mod stdio_legacy;
mod stdio_modern;
mod support;
mod ws;
