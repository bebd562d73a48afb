//! Requirements, schemas, vectors and rule descriptions as data; the loader that embeds and parses
//! them; and the matcher that compares a JSON value with a pattern.
//!
//! No crate but this one knows that vectors are YAML.

pub mod model;

pub use model::*;
