//! Two servers compared by the program: what it says, what it writes, and how it ends.

use std::fs;

use crate::{PROGRAM, assert_code, run, text};

fn mock(fault: &str) -> String {
    match fault {
        "" => format!("'{PROGRAM}' mock --transport stdio"),
        fault => format!("'{PROGRAM}' mock --transport stdio --fault {fault}"),
    }
}

const QUICK: [&str; 4] = ["--check", "base/ping", "--revision", "2025-11-25"];

#[test]
fn a_server_is_like_itself() {
    let output = run(["compare", &mock(""), &mock("")].into_iter().chain(QUICK));
    assert_code(&output, 0);
    assert!(text(&output.stdout).contains("No difference"));
}

#[test]
fn a_difference_ends_with_1_and_is_known_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let baseline = folder.path().join("known.toml");
    let file = baseline.to_str().expect("a path of UTF-8");
    let (plain, faulty) = (mock(""), mock("server-info-missing"));
    let write = ["--write-baseline", file];
    let output = run(["compare", &plain, &faulty]
        .into_iter()
        .chain(QUICK)
        .chain(write));
    assert_code(&output, 1);
    assert!(text(&output.stdout).contains("/result/serverInfo"));
    let known = ["--baseline", file];
    let output = run(["compare", &plain, &faulty]
        .into_iter()
        .chain(QUICK)
        .chain(known));
    assert_code(&output, 0);
    let output = run(["compare", &plain, &plain]
        .into_iter()
        .chain(QUICK)
        .chain(known));
    assert_code(&output, 1);
    assert!(
        text(&output.stderr).contains("but not seen"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn the_second_may_stand_after_two_dashes() {
    let plain = mock("");
    let command = ["--", PROGRAM, "mock", "--transport", "stdio"];
    let output = run(["compare", &plain].into_iter().chain(QUICK).chain(command));
    assert_code(&output, 0);
}

/// The vectors of the mirror, and one of them.
const MIRROR: [&str; 6] = [
    "--vectors",
    concat!(env!("CARGO_MANIFEST_DIR"), "/../interop/vectors"),
    "--check",
    "mirror/answer-error",
    "--revision",
    "2025-11-25",
];

#[test]
fn a_command_that_shows_it_again_finds_vectors_of_the_user() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let report = format!("json={}", path.display());
    let (plain, faulty) = (mock(""), mock("jsonrpc-missing"));
    let again = |command: &str, target: &[&str], pointer: &str| {
        let flags = ["--report", &report];
        let arguments = [command].into_iter().chain(MIRROR).chain(flags);
        assert_code(&run(arguments.chain(target.iter().copied())), 1);
        let text = fs::read_to_string(&path).expect("a report");
        let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let again = report.pointer(pointer).and_then(|it| it.as_str());
        again.expect("a command").to_owned()
    };
    let compared = again("compare", &[&plain, &faulty], "/exchanges/0/reproduce");
    assert!(compared.contains(MIRROR[1]), "{compared}");
    let words: Vec<&str> = "mock --transport stdio --fault jsonrpc-missing"
        .split(' ')
        .collect();
    let words = [&["--", PROGRAM], words.as_slice()].concat();
    let judged = again("run", &words, "/results/0/reproduce");
    assert!(judged.contains(MIRROR[1]), "{judged}");
}

#[test]
fn reports_are_written_and_json_keeps_to_its_schema() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| format!("{name}={}", folder.path().join(name).display());
    let reports = ["json", "html", "junit"].map(path);
    let (plain, faulty) = (mock(""), mock("ids-as-strings"));
    let flags = reports.iter().flat_map(|report| ["--report", report]);
    let output = run(["compare", &plain, &faulty]
        .into_iter()
        .chain(QUICK)
        .chain(flags));
    assert_code(&output, 1);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a report");
    let report: serde_json::Value = serde_json::from_str(&read("json")).expect("JSON");
    let schema = serde_json::from_str(mcp_verdict_reports::COMPARISON_SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let broken: Vec<_> = validator.iter_errors(&report).collect();
    assert!(broken.is_empty(), "{broken:?}");
    assert!(read("html").contains("answer to ping"));
    assert!(read("junit").contains("comparison.changed"));
}

#[test]
fn mistakes_are_told_with_their_way_out() {
    let ends = |arguments: &[&str], code: i32, words: &[&str]| {
        let output = run(arguments);
        assert_code(&output, code);
        for word in words {
            assert!(
                text(&output.stderr).contains(word),
                "{}",
                text(&output.stderr)
            );
        }
    };
    ends(
        &["compare"],
        2,
        &["no target is given", "mcp-verdict compare"],
    );
    ends(&["compare", "node x"], 2, &["one target is given"]);
    ends(&["compare", "a", "b", "c"], 2, &["3 targets are given"]);
    ends(&["compare", "node 'x", "b"], 2, &["not closed"]);
    ends(
        &["compare", &mock(""), "http://127.0.0.1:1/mcp"],
        3,
        &["B: ", "127.0.0.1:1"],
    );
    ends(&["compare", "no-such-command-anywhere", "b"], 3, &["A: "]);
    ends(
        &["compare", &mock(""), &mock(""), "--check", "no/such"],
        4,
        &["no check is called"],
    );
}
