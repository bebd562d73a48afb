//! Newline-delimited JSON over any two byte streams: a child's, or those of a socket.

mod input;
mod output;
mod splitter;

pub(crate) use input::Input;
pub(crate) use output::{read_errors, read_messages};
