//! Two targets driven through the same exchanges, and what differs between them: a server and the same server
//! behind a bridge, or two versions of one.
//!
//! [`differences`] is a pure function of transcripts; [`compare`] gets them by driving both sides.

mod baseline;
mod diff;
mod drive;
mod echo;
mod facts;
mod group;
mod pairs;

pub use baseline::{Expected, Known, Unexpected};
pub use drive::{NothingToCompare, Options, Progress, Side, compare};
pub use group::{Rounds, Told, differences};
