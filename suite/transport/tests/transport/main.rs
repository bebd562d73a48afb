//! The transports against real children and real sockets. Nothing here sleeps to see something: every
//! test waits for what the recorder holds.

mod common;
mod ends;
mod event_stream;
mod grpc;
mod http;
mod network;
mod plain_socket;
mod socket;
mod stdio;
mod tls;
mod ws;
