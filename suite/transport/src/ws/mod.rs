//! WebSocket (RFC 6455): our end writes frames as a vector wants them, and records those that come as they are.
//!
//! A library would refuse what is wrong and mend what is not quite right; both are what the judge must see.

mod channel;
mod draft;
mod encode;
mod reading;

pub(crate) use channel::Channel;
