//! `mcp-verdict bench`.

mod asks;
mod flags;
mod perform;
mod prepare;

pub(crate) use perform::{null, perform};
