//! The mistakes everybody makes: a clear error, a way out, and an exit code that tells them apart.

use std::fs;

use crate::{assert_code, run, text};

/// The exit code is `code`, and what was printed holds each of `words`.
fn ends<'a>(arguments: impl IntoIterator<Item = &'a str>, code: i32, words: &[&str]) {
    let output = run(arguments);
    assert_code(&output, code);
    let printed = text(&output.stderr);
    for word in words {
        assert!(printed.contains(word), "`{word}` is not in:\n{printed}");
    }
    assert!(!printed.contains("panicked"), "{printed}");
}

#[test]
fn a_command_that_does_not_exist() {
    ends(
        ["run", "--", "no-such-command-anywhere"],
        3,
        &["no-such-command-anywhere", "installed"],
    );
}

#[test]
fn a_command_that_exits_at_once() {
    ends(["run", "--", "false"], 3, &["exit code 1"]);
}

#[test]
fn a_port_where_nothing_listens() {
    // Port 1 is reserved, and nobody serves it.
    ends(
        ["run", "http://127.0.0.1:1/mcp"],
        3,
        &["127.0.0.1:1", "started"],
    );
}

#[test]
fn a_host_that_does_not_exist() {
    // RFC 2606 keeps this name free.
    ends(["run", "http://mcp.invalid/mcp"], 3, &["mcp.invalid"]);
}

#[test]
fn a_url_without_a_scheme() {
    ends(["run", "127.0.0.1:3000/mcp"], 2, &["http://"]);
}

#[test]
fn two_targets_at_once() {
    ends(
        ["run", "http://127.0.0.1:1/mcp", "--", "true"],
        2,
        &["two targets"],
    );
}

#[test]
fn a_revision_that_does_not_exist() {
    ends(["run", "--revision", "2025-01-01"], 2, &["2025-11-25"]);
}

#[test]
fn a_filter_that_selects_nothing() {
    ends(
        ["run", "--check", "base/no-such-check"],
        4,
        &["base/no-such-check"],
    );
}

#[test]
fn a_definition_that_does_not_exist() {
    ends(
        [
            "validate",
            "--revision",
            "2025-11-25",
            "--as",
            "CallToolResul",
        ],
        2,
        &["CallToolResult"],
    );
}

#[test]
fn a_transcript_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a.jsonl");
    fs::write(&file, "{\"format\": 1").expect("written");
    ends(["judge", file.to_str().expect("UTF-8")], 2, &["line 1"]);
}

#[test]
fn a_baseline_that_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("known.toml");
    fs::write(&file, "[[known]]\nchek = \"a\"\n").expect("written");
    ends(
        ["run", "--baseline", file.to_str().expect("UTF-8")],
        2,
        &["chek"],
    );
}

#[test]
fn a_list_of_nothing_says_so() {
    ends(
        ["list", "--check", "no/such-check"],
        4,
        &["no check is selected"],
    );
}

#[test]
fn a_typo_in_a_vector_is_shown_where_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let vector = "id: mine\ntitle: A title\nlevel: MUST\nrequirements:\n  2025-11-25: [json-rpc-2.0#5]\n\
                  faults:\n  - {fault: ids-as-strings, verdict: fail}\nsteps:\n  - sned: {json: {}}\n";
    fs::write(folder.path().join("mine.yaml"), vector).expect("written");
    let vectors = folder.path().to_str().expect("UTF-8");
    ends(
        ["run", "--vectors", vectors],
        2,
        &["error: unknown step `sned`", "mine.yaml:9:", "send"],
    );
    let output = run(["list", "--vectors", vectors]);
    assert!(!text(&output.stderr).contains("error: error:"));
}

#[test]
fn a_report_format_that_does_not_exist() {
    ends(["run", "--report", "pdf=out.pdf"], 2, &["pdf"]);
}

#[test]
fn a_proxy_fault_that_does_not_exist_or_takes_something_else() {
    let proxy = ["mock", "--proxy", "http://127.0.0.1:1/mcp", "--fault"];
    let with = |fault| proxy.into_iter().chain([fault]);
    ends(
        with("ids-as-strings"),
        2,
        &["ids-as-strings", "--list-faults"],
    );
    ends(with("delay,events=2"), 2, &["`events`", "`ms`"]);
    ends(with("delay=soon"), 2, &["soon", "1..5"]);
}

#[test]
fn a_proxy_before_what_it_cannot_stand_before() {
    ends(
        ["mock", "--proxy", "127.0.0.1:1"],
        2,
        &["http://", "tcp://"],
    );
    ends(
        ["mock", "--proxy", "ws://x/y"],
        2,
        &["ws://x/y", "--proxy http://"],
    );
}
