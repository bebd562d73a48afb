//! Event streams (`text/event-stream`) as the HTML standard defines them, read and written without I/O.

mod borders;
mod reader;
mod writer;

pub use borders::Borders;
pub use reader::{Event, Item, Reader, Remark, TooLong, read_all};
pub use writer::{comment, encode};

#[cfg(test)]
mod tests;
