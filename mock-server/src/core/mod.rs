//! The conformant server. It knows nothing of sockets, files or faults: messages come in as JSON,
//! and everything it says leaves through an [`outlet::Outlet`].
//!
//! | module | what it answers |
//! | --- | --- |
//! | [`dispatch`] | which message is whose, in which era |
//! | [`lifecycle`] | `initialize`, `server/discover`, `ping`, the metadata of modern requests |
//! | [`tools`] | `tools/list`, `tools/call` |
//! | [`resources`], [`prompts`], [`completion`], [`logging`] | their methods |
//! | [`subscriptions`] | what changes, and who hears of it in either era |
//! | [`asking`] | sampling, elicitation and roots: requests of ours, or multi-round-trip results |

pub(crate) mod arguments;
pub(crate) mod asking;
pub(crate) mod call;
pub(crate) mod completion;
pub(crate) mod dispatch;
pub(crate) mod lifecycle;
pub(crate) mod logging;
pub(crate) mod outlet;
pub(crate) mod paging;
pub(crate) mod prompts;
pub(crate) mod request_state;
pub(crate) mod resources;
pub(crate) mod rpc;
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod subscriptions;
pub(crate) mod tools;

pub(crate) use dispatch::{Accepted, Work};
pub(crate) use outlet::Filter;
pub use outlet::{Departure, Facts, Memory, Payload};
pub(crate) use server::Core;
pub(crate) use session::Session;
