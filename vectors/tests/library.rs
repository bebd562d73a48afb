//! What ships with the program: it loads, it is quick, and its files are as an editor's schema says.

use std::{collections::BTreeSet, time::Instant};

use mcp_verdict_vectors::{FIXTURES, Known, Level, Library, RequirementId};
use mcp_verdict_wire::Revision;

fn library() -> Library {
    match Library::embedded(&Known::default()) {
        Ok(library) => library,
        Err(error) => panic!("{}", error.render(false)),
    }
}

#[test]
fn everything_that_ships_is_sound() {
    let library = library();
    assert!(!library.vectors.is_empty());
}

#[test]
fn every_revision_has_its_statements() {
    let library = library();
    for revision in Revision::ALL {
        let count = library.requirements(revision).len();
        assert!(count > 80, "{revision} has {count}");
    }
    assert!(library.foundations().len() > 30);
}

#[test]
fn a_check_never_rests_on_what_no_check_can_test() {
    let library = library();
    let vectors = library
        .vectors
        .iter()
        .map(|vector| (&vector.id, &vector.requirements));
    let rules = library
        .rules
        .iter()
        .map(|rule| (&rule.id, &rule.requirements));
    for (id, requirements) in vectors.chain(rules) {
        for (revision, anchors) in requirements {
            for anchor in anchors {
                let entry = library
                    .requirement(*revision, anchor)
                    .expect("it was checked on load");
                assert_eq!(entry.untestable, None, "{id} tests {anchor} of {revision}");
            }
        }
    }
}

#[test]
fn robustness_is_never_more_than_a_should() {
    for entry in library().foundations() {
        let own = entry.id.0.starts_with("robustness#");
        assert!(!own || entry.level <= Level::Should, "{}", entry.id);
    }
}

#[test]
fn a_statement_of_a_standard_holds_in_every_revision() {
    let library = library();
    let id = RequirementId("json-rpc-2.0#5".to_owned());
    for revision in Revision::ALL {
        assert!(library.requirement(revision, &id).is_some());
    }
}

#[test]
fn the_fixtures_are_those_of_the_format() {
    let format = include_str!("../FORMAT.md");
    let (_, section) = format
        .split_once("## Fixtures")
        .expect("the format has fixtures");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    let named: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split('`'))
        .filter(|word| !word.trim().is_empty())
        .collect();
    assert_eq!(named, FIXTURES.into_iter().collect());
}

#[test]
fn loading_takes_no_time_that_a_person_would_notice() {
    let start = Instant::now();
    let library = library();
    let taken = start.elapsed();
    // Generous: a debug build on a busy machine. `cargo bench` has the real figure.
    assert!(
        taken.as_secs() < 5,
        "{} vectors in {taken:?}",
        library.vectors.len()
    );
    println!("{} vectors in {taken:?}", library.vectors.len());
}
