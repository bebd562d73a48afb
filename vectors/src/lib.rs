//! Requirements, schemas, vectors and rule descriptions as data; the loader that embeds and parses
//! them; and the matcher that compares a JSON value with a pattern.
//!
//! No crate but this one knows that vectors are YAML.

mod check;
mod decode;
mod diagnostic;
mod expect;
mod ledger;
mod library;
mod load;
pub mod matcher;
pub mod model;
mod node;
mod number;
pub mod pattern;
pub mod schemas;
mod steps;
pub mod template;
mod text_format;

pub use diagnostic::{LoadError, Problem, ProblemKind};
pub use library::{FIXTURES, Known, Library, SHIPPED};
pub use matcher::{Mismatch, Schemas, matches};
pub use model::*;
pub use pattern::check_pattern;
pub use template::{Unbound, references, substitute, substitute_pattern};
pub use text_format::{is_base64, is_uri};
