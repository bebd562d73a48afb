//! What a vector says, after loading: the contract between those who write vectors, those who drive
//! them and those who judge them.

mod check;
mod steps;

pub use check::*;
pub use steps::*;
