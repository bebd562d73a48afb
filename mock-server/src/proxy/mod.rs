//! A proxy that stands before a server and does to what passes what a bad network does: it delays, cuts, repeats
//! and resets. Without faults it is transparent, byte for byte, except that `Host`, and an `Origin` that is its
//! own, name the server, so that the server's guards let the request pass.
//!
//! It reads HTTP/1.1 and event streams just enough to know where responses, bodies and events end. Redirects and
//! absolute URLs in bodies are not rewritten: who follows them leaves the proxy.

mod fault;
mod framing;
mod passage;
mod proxying;
mod relay;
mod upstream;

pub use fault::{PROXY_FAULTS, ProxyFault, ProxyFaultError, ProxyFaultKind};
pub use proxying::{Proxy, ProxyConfig, ProxyError};
pub use upstream::UpstreamError;

use proxying::Shared;
