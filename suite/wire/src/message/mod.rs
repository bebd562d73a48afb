//! JSON-RPC messages as they are: raw bytes with a lenient and a strict view.
//!
//! The lenient view shows a judge what a peer's bytes say even where they are not what they should
//! be; the strict view admits exactly what JSON-RPC 2.0 and MCP allow and lists every deviation.
//! Where both speak, they agree. The JSON reader below them is our own, because general ones
//! silently repair what is to be judged here: duplicate keys, spelling, private marker keys.

mod decimal;
mod id;
mod lenient;
mod shape;
mod strict;
mod text;

pub use decimal::Decimal;
pub use id::Id;
pub use lenient::{Lenient, Malformed, Remark};
pub use shape::{Kind, Message, Parsed, Why};
pub use strict::{Breach, Deviation, Strict};

#[cfg(test)]
mod tests;
