//! A fuzzer that needs none: changed seeds, the same in every run.

use std::{env, fs};

use super::{
    files::{path, seeds_of},
    mutator::{Mutator, words},
    workers::{for_each_target, hold},
};

/// `FUZZ_ROUNDS=100` does a hundred times as much, and `FUZZ_SEED=7` something else.
#[test]
fn every_change_of_a_seed_keeps_the_laws() {
    let number = |name| env::var(name).map(|text| text.parse().expect("it is a number"));
    let rounds: u64 = number("FUZZ_ROUNDS").unwrap_or(1);
    let seed: u64 = number("FUZZ_SEED").unwrap_or(1);
    for_each_target(|name, body| {
        let dictionary = path(&format!("dictionaries/{name}.dict"));
        let dictionary = fs::read_to_string(dictionary).expect("the dictionary can be read");
        let seeds = seeds_of(name).into_iter().map(|(_, seed)| seed).collect();
        let mut mutator = Mutator::new(seed, seeds, words(&dictionary));
        for turn in 0..rounds * turns(name) {
            let origin = format!("turn {turn} from {seed}");
            hold(name, body, &mutator.input(), &origin);
        }
    });
}

/// How many inputs each target gets: about a second's worth where nothing is optimized.
fn turns(target: &str) -> u64 {
    match target {
        "html" | "results" => 100,
        "judge" => 200,
        "junit" | "vector" => 500,
        "foreign_schema" | "rmcp_schema" | "schema" => 1000,
        _ => 4000,
    }
}
