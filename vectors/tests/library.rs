//! What ships with the program: it loads, and its files are as an editor's schema says.

use std::collections::BTreeSet;

use mcp_verdict_vectors::{Coverage, FIXTURES, Known, Level, Library, RequirementId, SHIPPED};
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

/// As many as the revision's text holds.
#[test]
fn every_statement_of_every_revision_is_known() {
    let library = library();
    let counts = Revision::ALL.map(|revision| library.requirements(revision).len());
    assert_eq!(counts, [133, 227, 270, 500, 618]);
}

#[test]
fn every_statement_is_tested_or_says_why_not() {
    let library = library();
    for revision in Revision::ALL {
        let open: Vec<String> = library
            .coverage(revision)
            .into_iter()
            .filter(|(_, coverage)| *coverage == Coverage::Open)
            .map(|(entry, _)| entry.id.to_string())
            .collect();
        assert!(open.is_empty(), "{revision}: {}", open.join(", "));
    }
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

/// The editor's schema for a shipped file.
fn schema_for(path: &str) -> serde_json::Value {
    let name = match path.split('/').next() {
        Some("requirements") => "requirements",
        Some("rules") => "rule",
        _ => "vector",
    };
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the schema is there");
    serde_json::from_str(&text).expect("the schema is JSON")
}

/// What an editor would say of a file.
fn complaints(schema: &serde_json::Value, text: &str) -> Vec<String> {
    let instance: serde_json::Value = serde_saphyr::from_str(text).expect("the file is YAML");
    let validator = jsonschema::validator_for(schema).expect("the schema is one");
    validator
        .iter_errors(&instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn every_shipped_file_is_as_the_editors_schema_says() {
    for (path, text) in SHIPPED {
        let complaints = complaints(&schema_for(path), text);
        assert!(complaints.is_empty(), "{path}: {}", complaints.join("\n"));
    }
}

#[test]
fn the_editors_schema_refuses_what_the_loader_refuses() {
    let (_, example) = *SHIPPED
        .iter()
        .find(|(path, _)| *path == "example.yaml")
        .expect("the example ships");
    for (from, to) in [
        ("title:", "titel:"),
        ("level: MUST", "level: MSUT"),
        ("id: example", "id: Exam ple"),
        ("2024-11-05:", "2024-11-06:"),
        ("verdict: fail", "verdict: failed"),
        ("- request:", "- requst:"),
        ("response: call", "respons: call"),
        ("{$length: 1}", "{$lenght: 1}"),
        ("{$type: object}", "{$type: objekt}"),
        ("      as: call", "      as: call\n      ass: call"),
        ("      match: {$length: 1}\n", ""),
        (
            "      match: {$length: 1}",
            "      match: {$length: 1}\n      absent: true",
        ),
        ("          because: the tool could not be called\n", ""),
        ("- barrier: {}", "- barrier: {}\n    window: {ms: 1}"),
        ("- barrier: {}", "- window: {ms: 2001}"),
    ] {
        assert_eq!(
            example.matches(from).count(),
            1,
            "`{from}` stands once in the example"
        );
        let broken = example.replace(from, to);
        assert!(
            !complaints(&schema_for("example.yaml"), &broken).is_empty(),
            "{to}"
        );
        let ledgers: Vec<_> = SHIPPED
            .iter()
            .copied()
            .filter(|(path, _)| path.starts_with("requirements/"))
            .chain([("example.yaml", broken.as_str())])
            .collect();
        assert!(
            Library::from_files(&ledgers, &Known::default()).is_err(),
            "{to}"
        );
    }
}
