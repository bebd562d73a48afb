//! `mcp-verdict list`.

use serde_json::Value;

use crate::{assert_code, run, text};

#[test]
fn statements_say_what_tests_them_or_why_nothing_does() {
    let output = run([
        "list",
        "--requirements",
        "--revision",
        "2026-07-28",
        "--json",
    ]);
    assert_code(&output, 0);
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("a list");
    assert_eq!(rows.len(), 618);
    for row in &rows {
        let state = row["state"].as_str().expect("a state");
        let told = match state {
            "tested" => row["checks"]
                .as_array()
                .is_some_and(|checks| !checks.is_empty()),
            "untestable" => row["because"].as_str().is_some_and(|why| !why.is_empty()),
            _ => ["authorization", "client", "permission"].contains(&state),
        };
        assert!(told, "{row}");
    }
}

#[test]
fn statements_of_one_check() {
    let output = run(["list", "--requirements", "--check", "lifecycle/discover"]);
    assert_code(&output, 0);
    let printed = text(&output.stdout);
    assert!(printed.contains("server/discover#.1"), "{printed}");
    assert!(printed.contains("2026-07-28: "), "{printed}");
    assert!(!printed.contains("2025-11-25"), "{printed}");
}
