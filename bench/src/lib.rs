//! The load generator: lean connections that send as fast as they can or when it is time, what they measured, and what
//! of it can be trusted. Beside it the inputs of the criterion benches of the suite itself.

mod bootstrap;
mod connect;
mod environment;
mod figures;
mod fleet;
mod inputs;
mod measure;
mod mix;
mod null;
mod objective;
mod pace;
mod plan;
mod ramp;
mod random;
mod request;
mod sample;
mod scan;
mod schedule;
mod session;
mod tally;
mod trust;
mod worker;

pub use environment::environment;
pub use figures::read_log;
pub use fleet::{Fleet, FleetError, Progress};
pub use inputs::{Input, messages, streams};
pub use measure::{Measured, Tell, against, repeat};
pub use mix::{Ask, AskKind, MixError, operations, read_mix};
pub use null::{NullHttp, serve_lines};
pub use objective::{Demand, DemandError, Held};
pub use plan::{Load, Operation, Pacing, Plan, Until, Work};
pub use ramp::{Ramp, find_limit};
pub use request::{Body, Endpoint, ID_MAX, ID_MIN};
pub use schedule::Arrivals;
pub use trust::warnings;
