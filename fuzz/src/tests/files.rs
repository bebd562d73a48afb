//! What this crate has beside its sources.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// A file or folder of this crate.
pub(super) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Everything in a folder of this crate, in order.
pub(super) fn files_in(folder: &str) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(path(folder)).expect("the folder is there");
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect()
}

/// The seeds of a target, each with its name.
pub(super) fn seeds_of(target: &str) -> Vec<(String, Vec<u8>)> {
    let seeds = files_in(&format!("corpus/{target}"));
    assert!(!seeds.is_empty(), "{target} has no seeds");
    let read = |seed: PathBuf| {
        let bytes = fs::read(&seed).expect("a seed can be read");
        (seed.display().to_string(), bytes)
    };
    seeds.into_iter().map(read).collect()
}
