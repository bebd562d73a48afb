//! Green means something: every check catches each of its faults, and the conformant mock passes everything.

use serde_json::Value;

use crate::{assert_code, run};

#[test]
fn every_check_catches_its_faults_and_the_conformant_mock_passes_everything() {
    let output = run(["self-test", "--json"]);
    let matrix: Value = serde_json::from_slice(&output.stdout).expect("the matrix is JSON");
    let missed: Vec<&Value> = matrix["cells"]
        .as_array()
        .expect("cells")
        .iter()
        .filter(|cell| cell["expected"] != cell["actual"])
        .collect();
    assert!(missed.is_empty(), "not caught: {missed:#?}");
    assert_eq!(
        matrix["conformant"],
        serde_json::json!([]),
        "the conformant mock is not passed"
    );
    assert_code(&output, 0);
}

#[test]
fn a_fault_that_does_not_exist_is_a_mistake_of_the_users() {
    let output = run(["self-test", "--fault", "no-such-fault"]);
    assert_code(&output, 2);
}
