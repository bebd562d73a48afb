//! The loader of vectors, rules and requirements.

use mcp_verdict_vectors::{Known, Library};
use mcp_verdict_wire::Revision;

/// Whatever a file says, it loads or there are diagnostics that can be shown; twice the same.
pub fn vector(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let path = if text.contains("- says") || text.contains("  says") {
        "requirements/2025-06-18.yaml"
    } else if text.contains("steps") {
        "fuzz/file.yaml"
    } else {
        "rules/fuzz/file.yaml"
    };
    let known = Known {
        faults: Some(&["one", "two"]),
        fixtures: None,
    };
    let load = || Library::from_files(&[LEDGER, (path, text)], &known);
    match (load(), load()) {
        (Ok(library), Ok(again)) => assert_eq!(read(&library), read(&again)),
        (Err(error), Err(again)) => {
            assert!(!error.problems.is_empty(), "refused without a reason");
            let shown = error.render(false);
            assert!(!shown.contains('\u{1b}'), "{shown:?}");
            assert_eq!(shown, again.render(false));
            assert!(!error.render(true).is_empty());
            for problem in &error.problems {
                assert!(problem.line() <= problem.text.split('\n').count());
            }
        }
        _ => panic!("it loads only sometimes"),
    }
}

/// What was read, in words.
fn read(library: &Library) -> String {
    let requirements = Revision::ALL.map(|revision| library.requirements(revision));
    format!("{:?} {:?} {requirements:?}", library.vectors, library.rules)
}

/// Statements that a file may name, beside those of the schema.
const LEDGER: (&str, &str) = (
    "requirements/2025-11-25.yaml",
    "- id: a#1\n  level: MUST\n  binds: both\n  says: A.\n- id: a#2\n  level: SHOULD\n  binds: server\n  says: B.\n- id: a#3\n  level: MAY\n  binds: client\n  says: C.\n",
);
