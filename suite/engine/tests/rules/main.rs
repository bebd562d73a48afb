//! Every rule, on conversations written by hand: what breaks it, and what must not.

mod asking;
mod content;
mod errors;
mod helper;
mod http;
mod messages;
mod modern;
mod notifications;
mod progress;
mod requests;
mod responses;
mod results;
mod stdio;
mod texts;
mod tools;
