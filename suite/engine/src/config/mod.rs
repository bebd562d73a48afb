//! Files that describe targets: those of MCP clients, which are read leniently, and ours, which is not.

mod client;
mod error;
mod file;
mod jsonc;
mod references;
mod source;

pub use client::{from_client_config, parse_client_config};
pub use error::ConfigError;
pub use file::{from_file, parse_file};
pub use references::Environment;
