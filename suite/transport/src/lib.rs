//! Our end of every transport, and what it records into the transcript.
//!
//! A [`Connection`] only sends; everything that arrives is recorded by background tasks into the
//! [`Recorder`], where the driver waits for it. Nothing here judges, retries or repairs.

mod connection;
mod exchanges;
mod grpc;
mod http;
mod lines;
mod outbox;
mod recorder;
mod server;
mod socket;
mod stdio;
mod user_headers;
mod ws;

pub use connection::{
    Address, Connection, HeaderEdits, HttpCall, OpenError, Options, Outgoing, SendError, Shutdown,
};
pub use http::{RequestHeads, tls_config};
pub use recorder::{Budget, Recorder, Redactor};
pub use server::{Place, Server};
pub use stdio::{PipedChild, adopt_orphans, kill_children, kill_descendants};
