//! Bodies at work on all cores.

use std::{
    collections::BTreeSet,
    fmt::Display,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{Body, TARGETS};

/// Runs `work` for each target, and tells at the end which of them failed.
pub(super) fn for_each_target(work: impl Fn(&'static str, Body) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(BTreeSet::new());
    let take = || {
        while let Some(&(name, body)) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
            if catch_unwind(AssertUnwindSafe(|| work(name, body))).is_err() {
                failed.lock().expect("nobody panics with it").insert(name);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(take);
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    assert!(failed.is_empty(), "{failed:?} break a law");
}

/// Runs `body` on `input`, and tells the input if that panics.
pub(super) fn hold(name: &str, body: Body, input: &[u8], origin: &dyn Display) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
        let shown = input.escape_ascii();
        eprintln!("{name} breaks a law on {origin}: b\"{shown}\"");
        resume_unwind(panic);
    }
}
