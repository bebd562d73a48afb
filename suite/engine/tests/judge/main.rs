//! The judge against hand-written transcripts: every step and every subject, both verdict ways.

mod barrier;
mod collect;
mod fairness;
mod helper;
mod http;
mod response;
mod view;
mod waits;
mod wire_lists;
