//! Newline-delimited JSON over a child's standard streams.

mod child;
mod group;
mod memory;
mod orphans;
mod piped;

pub(crate) use child::{Child, Program};
pub(crate) use group::Group;
pub use group::kill_children;
pub use orphans::{adopt_orphans, kill_descendants};
pub use piped::PipedChild;
