//! HTTP: requests as the protocol, the user and a vector want them, and what comes back.

mod address;
mod chunked;
mod client;
mod event_stream;
mod fields;
mod heads;
mod network;
mod raw;
mod response;
mod tls;
mod upgrade;

pub(crate) use client::Client;
pub use heads::RequestHeads;
pub(crate) use tls::config as tls_setup;
pub use tls::tls_config;
pub(crate) use upgrade::{Upgraded, Upgrader};
