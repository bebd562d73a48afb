//! Fuzzing of clients as a user meets it: what makes one crash is found, made small, kept and shown again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{PROGRAM, assert_code, fragile_client::fragile, run, text};

fn fuzz(words: &[&str], client: &[String]) -> std::process::Output {
    let mut all: Vec<String> = ["fuzz", "--client"].map(str::to_owned).to_vec();
    all.extend(words.iter().map(|it| (*it).to_owned()));
    all.extend_from_slice(client);
    run(all)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("client")).expect("the folder of findings");
    entries
        .map(|entry| entry.expect("a finding").path())
        .collect()
}

#[test]
fn a_client_that_takes_everything_shows_nothing() {
    for server in [&["{url}"][..], &["--", "{server}"]] {
        let mut client = ["--", PROGRAM, "inspect"].map(str::to_owned).to_vec();
        client.extend(server.iter().map(|it| (*it).to_owned()));
        let output = fuzz(&["--cases", "60", "--strict"], &client);
        assert_code(&output, 0);
        let printed = text(&output.stdout);
        assert!(
            printed.contains("0 found") && printed.contains("seed 1"),
            "{printed}"
        );
    }
}

#[test]
fn what_makes_a_client_panic_is_found_made_small_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().display().to_string();
    let output = fuzz(
        &["--cases", "500", "--strict", "--corpus", &corpus],
        &fragile("panics"),
    );
    assert_code(&output, 1);
    let found = files(folder.path());
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = fs::read_to_string(&found[0]).unwrap();
    // One tool without a name is enough, and nothing else is left of it.
    assert!(
        finding.contains("panicked at") && finding.len() < 1500,
        "{finding}"
    );
    let replay = ["--strict", "--replay", &corpus];
    let again = fuzz(&replay, &fragile("panics"));
    assert_code(&again, 1);
    assert!(text(&again.stdout).contains("STILL FAILS"));
    let mended = fuzz(&replay, &fragile("nothing"));
    assert_code(&mended, 0);
    let printed = text(&mended.stdout);
    assert!(
        printed.contains("FIXED") && !printed.contains("STILL FAILS"),
        "{printed}"
    );
}

#[test]
fn a_client_that_ends_by_a_signal_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().display().to_string();
    let output = fuzz(&["--cases", "500", "--corpus", &corpus], &fragile("aborts"));
    assert_code(&output, 0);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("SIGABRT") || printed.contains("signal 6"),
        "{printed}"
    );
}

#[test]
fn a_client_that_waits_for_what_it_has_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().display().to_string();
    let words = ["--cases", "40", "--timeout", "4000", "--corpus", &corpus];
    let output = fuzz(&words, &fragile("hangs"));
    assert_code(&output, 0);
    let found = files(folder.path());
    let name = found
        .first()
        .map(|it| it.display().to_string())
        .unwrap_or_default();
    assert!(found.len() == 1 && name.contains("hang"), "{found:?}");
}

#[test]
fn a_client_that_does_not_work_is_not_fuzzed() {
    let none = ["--", "false"].map(str::to_owned);
    assert_code(&fuzz(&[], &none), 3);
    let silent = ["--", "true"].map(str::to_owned);
    let output = fuzz(&[], &silent);
    assert_code(&output, 3);
    assert!(text(&output.stderr).contains("{url}"));
    let missing = ["--", "no-such-program"].map(str::to_owned);
    assert_code(&fuzz(&[], &missing), 3);
    assert_code(&fuzz(&[], &[]), 2);
    let no_file = fuzz(&["--replay", "no-such-file"], &missing);
    assert_code(&no_file, 2);
}
