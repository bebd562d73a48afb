//! Fuzzing of clients: the mock serves them, and what it sends is changed on its way out.
//!
//! A [`Plan`] says which of its messages, HTTP responses and events are changed, and into what; it is data, which
//! `draw` makes from a seed, `shrink` makes smaller, and a [`Finding`] keeps in a file. `stage` carries it out, `visit`
//! lets a client come once, and `oracle` suspects.

mod campaign;
mod draw;
mod finding;
mod oracle;
mod plan;
mod shrink;
mod stage;
mod visit;

pub use campaign::{ClientBucket, ClientCampaign, ClientError, ClientFinished, ClientOptions};
pub use finding::{Finding, FindingError};
pub use oracle::CLIENT_ORACLES;
pub use plan::{Change, Plan, Response, What};
pub use visit::ClientCommand;
