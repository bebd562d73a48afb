//! Tests of the bodies without a fuzzer. They are here and not in `tests/`, where they would have every target linked.

mod corpus;
mod files;
mod mutation;
mod mutator;
mod workers;
