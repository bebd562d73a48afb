//! The HTML report: one self-contained page that needs no network and works without scripts.
//!
//! Text of peers reaches the page through askama's escaping only; nothing of theirs stands in a
//! script, a style, or an attribute that has a meaning. The page's own security policy forbids
//! everything but the style and the script that it was written with.

mod assets;
mod budget;
mod checks;
mod coverage;
mod exchange;
mod json_text;
mod matrix;
mod page;
mod transports;

pub(crate) use assets::{
    BENCHMARK_STYLE, BENCHMARK_STYLE_DIGEST, COMPARISON_STYLE, COMPARISON_STYLE_DIGEST, STYLE,
    STYLE_DIGEST,
};
pub(crate) use budget::Spent;
pub(crate) use exchange::Moment;
pub use page::html;
