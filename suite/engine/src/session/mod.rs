//! Opening a conversation with a server, as its era asks, and the few requests that the suite itself
//! makes in one: completing requests, waiting for their answers, answering the server meanwhile.
//!
//! Vectors are driven elsewhere; they share [`complete_request`] and [`answer_for`] with this module.

mod answer;
mod complete;
mod error;
mod listen;
mod open;

pub use answer::{answer_for, answer_server_requests, input_responses};
pub use complete::{
    client_info, complete_notification, complete_request, default_capabilities, request_meta,
    tool_headers,
};
pub use error::SessionError;
pub(crate) use error::{cut, ended};
pub use listen::Reply;
pub use open::Session;
pub(crate) use open::{START_FACTOR, draft_session};
