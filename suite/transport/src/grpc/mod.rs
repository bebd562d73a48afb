//! gRPC over HTTP/2, told as it is: raw statuses, headers, trailers and frames, which a gRPC library would
//! put right.

mod call;
mod line;
mod metadata;
mod native;
mod stream;
mod tunnel;

pub(crate) use native::Native;
pub(crate) use tunnel::Tunnel;
