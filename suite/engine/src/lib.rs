//! Targets, plan, drive, rules and judge: everything between a vector and its verdict.
//!
//! The way of the data is one-directional: [`plan`] decides what runs, [`drive`] and [`pool`] make it
//! happen and leave a transcript, and [`judge`] - a pure function - says what the transcript shows.

pub mod baseline;
pub mod compare;
pub mod config;
mod crowd;
mod draft;
pub mod drive;
pub mod fixtures;
pub mod inspect;
pub mod judge;
mod native;
pub mod plan;
mod pool;
pub mod probe;
pub mod rules;
pub mod run;
pub mod schema;
pub mod self_test;
pub mod session;
pub mod target;
pub mod time;
pub mod validate;
pub mod view;
