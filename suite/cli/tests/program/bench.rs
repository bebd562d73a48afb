//! Load by the program: so many requests, never so much time, so that nothing here depends on speed.

use std::fs;

use serde_json::Value;

use crate::{PROGRAM, assert_code, run, text};

const STDIO: [&str; 4] = ["--", PROGRAM, "mock", "--transport"];

/// `bench` with a JSON report, which is returned; on stdio by a command where `fault` is given.
fn measured(flags: &[&str], fault: Option<&str>, code: i32) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let report = format!("json={}", path.display());
    let target: Vec<&str> = match fault {
        None => Vec::new(),
        Some(fault) => STDIO
            .iter()
            .copied()
            .chain(["stdio", "--fault", fault])
            .collect(),
    };
    let arguments = ["bench", "--no-calibration", "--report", &report];
    let arguments = arguments.iter().chain(flags).chain(&target);
    assert_code(&run(arguments), code);
    let text = fs::read_to_string(&path).expect("a report");
    let report: Value = serde_json::from_str(&text).expect("JSON");
    let schema = serde_json::from_str(mcp_verdict_reports::BENCHMARK_SCHEMA).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let broken: Vec<_> = validator.iter_errors(&report).collect();
    assert!(broken.is_empty(), "{broken:?}");
    report
}

fn total(report: &Value) -> &Value {
    &report["sides"][0]["total"]
}

#[test]
fn every_answer_is_counted_over_http_in_both_eras() {
    for revision in ["2025-03-26", "2025-11-25", "2026-07-28"] {
        let flags = ["-n", "300", "-c", "4", "--call", "echo", "--payload", "200"];
        let report = measured(&[&flags[..], &["--revision", revision]].concat(), None, 0);
        let total = total(&report);
        assert_eq!(total["answered"], 300, "{revision}");
        assert_eq!(total["failed"], 0);
        assert_eq!(total["latency"]["count"], 300);
        assert_eq!(total["opening"]["count"], 4);
        assert!(total["latency"]["p50_us"].as_f64() > Some(0.0));
        let samples = &report["sides"][0]["samples"];
        assert_eq!(samples["judged"], 4);
        assert_eq!(samples["findings"], serde_json::json!([]), "{revision}");
        assert_eq!(report["sides"][0]["revision"], revision);
    }
}

#[test]
fn children_are_put_under_load_and_started_anew() {
    let flags = ["-n", "60", "-c", "2", "--transport", "stdio", "--ping"];
    let report = measured(
        &[&flags[..], &["--revision", "2025-06-18"]].concat(),
        None,
        0,
    );
    assert_eq!(total(&report)["answered"], 60);
    assert!(total(&report)["memory_kib"][1].as_u64() > Some(0));
    let flags = ["-n", "3", "--transport", "stdio", "--session"];
    let report = measured(&flags, None, 0);
    assert_eq!(total(&report)["answered"], 3);
    assert_eq!(report["plan"]["operations"][0]["name"], "session");
}

#[test]
fn every_other_transport_is_put_under_load_too() {
    for transport in ["tcp", "unix", "ws", "grpc", "http+sse"] {
        let report = measured(&["-n", "40", "-c", "2", "--transport", transport], None, 0);
        assert_eq!(total(&report)["answered"], 40);
        assert_eq!(report["sides"][0]["transport"], transport);
    }
}

#[test]
fn a_mix_comes_by_its_weights_and_repeats_have_a_spread() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mix.toml");
    let mix = "[[operation]]\ncall = 'echo'\nweight = 3\n[[operation]]\nlist = 'tools'\n[[operation]]\nsession = true\n";
    fs::write(&path, mix).expect("written");
    let path = path.to_str().expect("UTF-8");
    let flags = ["-n", "200", "-c", "2", "--repeat", "3", "--mix", path];
    let report = measured(
        &[&flags[..], &["--revision", "2025-11-25"]].concat(),
        None,
        0,
    );
    let side = &report["sides"][0];
    assert_eq!(side["runs"].as_array().map(Vec::len), Some(3));
    assert_eq!(side["total"]["answered"], 600);
    assert!(side["spread"]["answered_per_second"]["median"].as_f64() > Some(0.0));
    let of = |number: usize| side["total"]["operations"][number]["answered"].as_u64();
    assert!(of(0) > of(1) && of(1) > Some(0) && of(2) > Some(0));
    assert_eq!(
        of(0).into_iter().chain(of(1)).chain(of(2)).sum::<u64>(),
        600
    );
}

#[test]
fn what_is_no_good_answer_is_no_throughput() {
    let flags = ["-n", "20", "--revision", "2025-11-25", "--call"];
    let failing = measured(&[&flags[..], &["test_error_handling"]].concat(), None, 3);
    assert_eq!(total(&failing)["answered"], 0);
    assert_eq!(total(&failing)["errors"]["tool error"], 20);
    let unknown = measured(&[&flags[..], &["nope={}"]].concat(), None, 3);
    assert_eq!(total(&unknown)["errors"]["error -32602"], 20);
    let strings = ["-n", "20", "--revision", "2025-11-25", "--timeout", "200"];
    let output = run(["bench", "--no-calibration"]
        .iter()
        .chain(&strings)
        .chain(&STDIO)
        .chain(&["stdio", "--fault", "ids-as-strings"]));
    assert_code(&output, 3);
}

#[test]
fn what_is_judged_is_of_what_is_measured() {
    let flags = [
        "-n",
        "60",
        "-c",
        "2",
        "--warm-up",
        "200ms",
        "--call",
        "echo",
        "--list",
        "tools",
    ];
    let report = measured(&flags, None, 0);
    assert_eq!(total(&report)["answered"], 60);
    // Two connections, the first answer to each of two operations.
    assert_eq!(report["sides"][0]["samples"]["judged"], 4);
}

#[test]
fn the_judge_sees_samples() {
    let flags = ["-n", "20", "--revision", "2025-11-25"];
    let report = measured(&flags, Some("jsonrpc-missing"), 0);
    let findings = report["sides"][0]["samples"]["findings"].to_string();
    assert!(findings.contains("rules/"), "{findings}");
    assert!(report["warnings"].to_string().contains("break a MUST"));
}

/// An open loop counts from when a request was meant to be sent, so that a server that stalls for a second is seen by
/// all that should have been sent in that second; a closed loop sees it once.
#[test]
fn an_open_loop_sees_a_stall_that_a_closed_one_hides() {
    let flags = ["-n", "400", "--revision", "2025-11-25"];
    let closed = measured(&flags, Some("stalls-once"), 0);
    let open = measured(
        &[&flags[..], &["--rate", "200"]].concat(),
        Some("stalls-once"),
        0,
    );
    let at = |report: &Value, name: &str| total(report)["latency"][name].as_f64();
    for report in [&closed, &open] {
        assert!(at(report, "max_us") > Some(900_000.0));
    }
    // One of 400 is no 99th percentile; two hundred that had to wait are.
    assert!(at(&closed, "p99_us") < Some(900_000.0));
    assert!(at(&open, "p99_us") > Some(900_000.0));
    assert!(at(&open, "p90_us") > Some(400_000.0));
    assert!(total(&open)["late"].as_u64() > Some(100));
    assert_eq!(open["plan"]["pacing"], "open");
}

#[test]
fn objectives_decide_the_exit_code_and_are_cases() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bench.xml");
    let junit = format!("junit={}", path.display());
    let holds = ["-n", "50", "--report", &junit, "--objective", "errors = 0"];
    let report = measured(&holds, None, 0);
    assert_eq!(report["objectives"][0]["held"], true);
    let breaks = [&holds[..], &["--objective", "p99 < 1us"]].concat();
    let report = measured(&breaks, None, 1);
    assert_eq!(report["objectives"][1]["held"], false);
    let xml = fs::read_to_string(&path).expect("a report");
    assert!(xml.contains("failures=\"1\""), "{xml}");
    assert!(xml.contains("p99 &lt; 1us"), "{xml}");
}

#[test]
fn an_earlier_report_is_a_baseline() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("before.json");
    let report = format!("json={}", path.display());
    let first = ["bench", "--no-calibration", "-n", "50", "--report", &report];
    assert_code(&run(first), 0);
    let path = path.to_str().expect("UTF-8");
    let flags = ["-n", "50", "--baseline", path, "--objective"];
    measured(&[&flags[..], &["p99 < 1000000x"]].concat(), None, 0);
    measured(&[&flags[..], &["p99 < 0.000001x"]].concat(), None, 1);
}

#[test]
fn two_targets_are_measured_in_turn() {
    let other = format!("'{PROGRAM}' mock --transport stdio");
    let flags = [
        "-n",
        "20",
        "--repeat",
        "3",
        "--transport",
        "stdio",
        "--against",
        &other,
    ];
    let report = measured(&flags, None, 0);
    let sides = report["sides"].as_array().expect("sides");
    assert_eq!(sides.len(), 2);
    for side in sides {
        assert_eq!(side["total"]["answered"], 60);
    }
    let ratio = &report["ratios"][0];
    assert_eq!(ratio["pairs"], 3);
    assert!(ratio["low"].as_f64() <= ratio["ratio"].as_f64());
    assert!(ratio["ratio"].as_f64() <= ratio["high"].as_f64());
}

#[test]
fn the_generator_tells_what_it_can_do_itself() {
    let output = run(["bench", "-n", "50", "--report", "json=-"]);
    assert_code(&output, 0);
    let report: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON alone");
    assert!(report["calibration"]["answered_per_second"].as_f64() > Some(0.0));
    assert_eq!(report["calibration"]["latency"]["count"], 50);
}

#[test]
fn mistakes_are_told_with_their_way_out() {
    let ends = |arguments: &[&str], code: i32, words: &[&str]| {
        let output = run(["bench"].iter().chain(arguments));
        assert_code(&output, code);
        for word in words {
            assert!(
                text(&output.stderr).contains(word),
                "{}",
                text(&output.stderr)
            );
        }
    };
    ends(&["--objective", "p99"], 2, &["no relation"]);
    ends(
        &["--objective", "p99 < 2x"],
        2,
        &["nothing to be relative to", "--baseline"],
    );
    ends(
        &["--call", "nope"],
        2,
        &["lists no tool `nope`", "test_simple_text"],
    );
    ends(&["--ping", "--revision", "2026-07-28"], 2, &["has no ping"]);
    ends(&["--mix", "no-such-file"], 2, &["read mix `no-such-file`"]);
    ends(&["--rate", "-5"], 2, &[]);
    ends(&["http://127.0.0.1:1/mcp"], 3, &["127.0.0.1:1"]);
    ends(&["--transport", "grpc-native"], 3, &["load is put on"]);
}
