//! Replays every seed, so that the laws hold on them without a fuzzer.

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::{
    files::{files_in, path, seeds_of},
    workers::{for_each_target, hold},
};
use crate::TARGETS;

#[test]
fn every_seed_keeps_the_laws() {
    for_each_target(|name, body| {
        for (origin, seed) in seeds_of(name) {
            hold(name, body, &seed, &origin);
        }
    });
}

/// Short seeds are cut everywhere, long ones here and there.
const CUTS_MAX: usize = 60;

#[test]
fn every_cut_of_every_seed_keeps_the_laws() {
    for_each_target(|name, body| {
        for (origin, seed) in seeds_of(name) {
            let step = seed.len().div_ceil(CUTS_MAX).max(1);
            for cut in (0..seed.len()).step_by(step) {
                hold(name, body, &seed[..cut], &origin);
                hold(name, body, &seed[cut..], &origin);
            }
        }
    });
}

#[test]
fn every_target_has_a_file_and_a_corpus_and_every_file_is_a_target() {
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |folder| -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files_in(folder).into_iter().map(stem).collect()
    };
    assert_eq!(names("fuzz_targets"), targets);
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("dictionaries"), targets);
    let manifest = fs::read_to_string(path("Cargo.toml")).unwrap();
    for target in targets {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "{target}"
        );
    }
}
