//! The bodies of the fuzz targets: plain functions of bytes, which panic where a law is broken.
//!
//! A target in `fuzz_targets/` is one line, its body a function in a module here; `corpus/TARGET/` holds its
//! seeds, which an ordinary test replays without a fuzzer. Where a body compares us with readers that we did
//! not write, `DISAGREEMENTS.md` says where they are known to differ, and who is right.

mod config;
mod grpc;
mod header_value;
mod judge;
mod message;
mod reports;
mod results;
mod rmcp_message;
mod rmcp_schema;
mod schema;
mod sse;
mod sse_stream;
mod support;
#[cfg(test)]
mod tests;
mod transcript;
mod vector;
mod websocket;

pub use config::{client_config, config};
pub use grpc::{grpc, grpc_native};
pub use header_value::header_value;
pub use judge::judge;
pub use message::{message_lenient, message_strict};
pub use reports::{html, junit};
pub use results::results;
pub use rmcp_message::rmcp_message;
pub use rmcp_schema::rmcp_schema;
pub use schema::{foreign_schema, schema};
pub use sse::sse_split;
pub use sse_stream::sse_stream;
pub use transcript::transcript;
pub use vector::vector;
pub use websocket::websocket;

/// A fuzz body.
pub type Body = fn(&[u8]);

/// Every target by its name, which is also that of its file and of its corpus.
pub const TARGETS: [(&str, Body); 20] = [
    ("client_config", client_config),
    ("config", config),
    ("foreign_schema", foreign_schema),
    ("grpc", grpc),
    ("grpc_native", grpc_native),
    ("header_value", header_value),
    ("html", html),
    ("judge", judge),
    ("junit", junit),
    ("message_lenient", message_lenient),
    ("message_strict", message_strict),
    ("results", results),
    ("rmcp_message", rmcp_message),
    ("rmcp_schema", rmcp_schema),
    ("schema", schema),
    ("sse_split", sse_split),
    ("sse_stream", sse_stream),
    ("transcript", transcript),
    ("vector", vector),
    ("websocket", websocket),
];

/// The body that the environment variable `FUZZ_TARGET` names; `empty` does nothing, to show what the rest of an
/// execution costs.
///
/// # Panics
/// When it names none.
pub fn named() -> Body {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    if name == "empty" {
        return |_| {};
    }
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.expect("FUZZ_TARGET names a target").1
}

/// Runs `body` on each file named on the command line.
///
/// # Errors
/// When a file cannot be read.
pub fn replay(body: Body) -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        body(&std::fs::read(path)?);
    }
    Ok(())
}
