//! Finding out what a target really speaks, and where; and telling the mistakes that everybody makes apart,
//! each with its way out.

mod discover;
mod error;
mod locate;
mod reach;
mod speak;
mod tls;

pub use discover::{Discovery, Way, discover};
pub use error::{Attempt, Found, ProbeError};
