//! Fuzzing as a user meets it: what is found is kept as a vector, which shows it again until it is mended.

use std::{fs, path::Path};

use crate::{PROGRAM, assert_code, run, text};

/// The mock server with a fault, as a command of the user's.
fn mock(fault: &str) -> Vec<String> {
    let words = [
        "--",
        PROGRAM,
        "mock",
        "--transport",
        "stdio",
        "--fault",
        fault,
    ];
    words.map(str::to_owned).to_vec()
}

fn arguments(before: &[&str], corpus: &Path, target: &[String]) -> Vec<String> {
    let mut all: Vec<String> = before.iter().map(|it| (*it).to_owned()).collect();
    all.push(corpus.display().to_string());
    all.extend(["--revision", "2025-11-25"].map(str::to_owned));
    all.extend_from_slice(target);
    all
}

#[test]
fn the_conformant_mock_breaks_nothing() {
    let output = run([
        "fuzz",
        "--cases",
        "600",
        "--strict",
        "--transport",
        "stdio",
        "--transport",
        "streamable-http",
    ]);
    assert_code(&output, 0);
    let printed = text(&output.stdout);
    assert!(printed.contains("0 found"), "{printed}");
    assert!(printed.contains("seed 1"), "{printed}");
}

#[test]
fn what_ends_a_server_is_found_made_small_and_shown_again() {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("found");
    let faulty = mock("deep-nesting-kills");
    let output = run(arguments(
        &["fuzz", "--cases", "400", "--corpus"],
        &corpus,
        &faulty,
    ));
    assert_code(&output, 1);
    let vectors: Vec<_> = fs::read_dir(corpus.join("fuzz")).unwrap().collect();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let vector = fs::read_to_string(vector.unwrap().path()).unwrap();
        assert!(vector.contains("\nfound: "), "{vector}");
        // So much depth is told in a few words.
        assert!(vector.len() < 2000, "{vector}");
    }
    let replay = ["run", "--check", "fuzz", "--vectors"];
    let again = run(arguments(&replay, &corpus, &faulty));
    assert_code(&again, 1);
    assert!(text(&again.stdout).contains("STILL FAILS"));
    let sound: Vec<String> = faulty[..faulty.len() - 2].to_vec();
    let mended = run(arguments(&replay, &corpus, &sound));
    assert_code(&mended, 0);
    let printed = text(&mended.stdout);
    assert!(
        printed.contains("FIXED") && !printed.contains("STILL FAILS"),
        "{printed}"
    );

    // A campaign tries first what was found before.
    let first = ["fuzz", "--cases", "1", "--corpus"];
    let again = run(arguments(&first, &corpus, &faulty));
    assert_code(&again, 1);
    assert!(text(&again.stdout).contains("STILL FAILS"));
    let mended = run(arguments(&first, &corpus, &sound));
    assert_code(&mended, 0);
    assert!(text(&mended.stdout).contains("FIXED"));
}

#[test]
fn a_time_that_is_none_is_refused() {
    for time in ["0s", "x", "5y", "99999h"] {
        let output = run(["fuzz", "--time", time]);
        assert_code(&output, 2);
        assert!(text(&output.stderr).contains("duration"), "{time}");
    }
}
