//! Replays every seed, so that the laws hold on them without a fuzzer.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use mcp_verdict_fuzz::TARGETS;

/// Everything in a folder of this crate, in order.
fn files_in(folder: &str) -> BTreeSet<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect()
}

fn seeds_of(target: &str) -> impl Iterator<Item = Vec<u8>> {
    let seeds = files_in(&format!("corpus/{target}"));
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds.into_iter().map(|seed| {
        println!("{}", seed.display());
        fs::read(seed).expect("a seed can be read")
    })
}

#[test]
fn every_seed_keeps_the_laws() {
    for (name, body) in TARGETS {
        seeds_of(name).for_each(|seed| body(&seed));
    }
}

/// Short seeds are cut everywhere, long ones here and there.
const CUTS_MAX: usize = 60;

#[test]
fn every_cut_of_every_seed_keeps_the_laws() {
    for (name, body) in TARGETS {
        for seed in seeds_of(name) {
            let step = seed.len().div_ceil(CUTS_MAX).max(1);
            for cut in (0..seed.len()).step_by(step) {
                body(&seed[..cut]);
                body(&seed[cut..]);
            }
        }
    }
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
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    for target in targets {
        assert!(
            manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
            "{target}"
        );
    }
}
