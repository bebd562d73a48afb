//! Fuzzing over the wire: cases drawn from one seed, sent to anyone's server, and watched by the same judge that
//! watches vectors.
//!
//! The way of the data: [`material`] says what cases are made of, [`generate`] makes them, `volley` sends several on
//! one session, `oracle` suspects, `confirm` tries a suspicion alone, `shrink` makes it small, and `store` writes
//! what is left as an ordinary vector. A case is a list of steps of a vector from the beginning, so what finds is what
//! replays.

mod bucket;
mod campaign;
pub mod case;
pub mod client;
mod confirm;
pub mod generate;
pub mod json;
pub mod material;
mod oracle;
pub mod piece;
mod script;
mod shrink;
pub mod source;
mod store;
mod volley;

pub use bucket::Bucket;
pub use campaign::{Finished, Listener, Options, Progress, run};
pub use generate::Taste;
pub use oracle::ORACLES;
pub use store::{StoreError, store};
