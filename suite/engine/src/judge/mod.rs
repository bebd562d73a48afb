//! The verdict: a pure function of checks and transcripts.
//!
//! Nothing here does I/O. The driver asks the same code whether a wait is over, so what is judged live
//! and what is judged again from a file cannot differ.

mod absence;
mod barrier;
mod collect;
mod expect;
mod frames;
mod http;
mod own;
mod results;
mod subject;
mod timeline;
mod walk;

pub use collect::{Judge, Planned, Watched, transcripts, watch};
pub use results::clause;
pub(crate) use results::exchange;
pub use subject::{Seen, SubjectState, has_come, is_answered};
pub use walk::{Flow, Judgement, Walk, vector};
