//! The subcommands, one file each.

pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod fuzz;
mod fuzz_client;
pub(crate) mod inspect;
pub(crate) mod judge;
pub(crate) mod list;
pub(crate) mod mock;
pub(crate) mod relay;
mod requirements;
pub(crate) mod run;
pub(crate) mod self_test;
pub(crate) mod validate;
