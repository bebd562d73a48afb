//! What several bodies share.

pub(crate) mod json;
pub(crate) mod page;
pub(crate) mod pieces;
pub(crate) mod run;
pub(crate) mod xml;
