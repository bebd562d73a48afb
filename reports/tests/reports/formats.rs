//! JSON and JUnit say exactly what the table says.

use mcp_verdict_reports::{SCHEMA, json, junit};
use mcp_verdict_results::{Run, Verdict};
use serde_json::Value;

use crate::{
    fixture::{Model, model, run},
    xml::{self, Element},
};

#[test]
fn json_holds_the_table() {
    let report: Value = serde_json::from_str(&json(&run())).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows: Model = report["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let verdict = text(&result["verdict"]);
            let verdict = Verdict::ALL
                .into_iter()
                .find(|one| one.as_str() == verdict)
                .unwrap();
            (
                text(&result["check"]),
                text(&result["revision"]),
                text(&result["transport"]),
                verdict,
            )
        })
        .collect();
    assert_eq!(rows, model());
    for verdict in Verdict::ALL {
        let counted = model().iter().filter(|row| row.3 == verdict).count();
        assert_eq!(report["summary"][verdict.as_str()], counted, "{verdict}");
    }
}

#[test]
fn json_is_what_its_schema_says_and_nothing_more() {
    let mut schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let published = jsonschema::validator_for(&schema).unwrap();
    close(&mut schema);
    let closed = jsonschema::validator_for(&schema).unwrap();
    for run in [run(), empty()] {
        let report: Value = serde_json::from_str(&json(&run)).unwrap();
        for validator in [&published, &closed] {
            let errors: Vec<_> = validator
                .iter_errors(&report)
                .map(|error| format!("{}: {error}", error.instance_path()))
                .collect();
            assert_eq!(errors, [""; 0]);
        }
    }
}

#[test]
fn json_without_a_verdict_breaks_the_schema() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut report: Value = serde_json::from_str(&json(&run())).unwrap();
    report["results"][3]
        .as_object_mut()
        .unwrap()
        .remove("verdict");
    assert!(!jsonschema::is_valid(&schema, &report));
}

#[test]
fn json_keeps_texts_exactly() {
    let mut run = run();
    run.results[0].exchange[1].text = "\0\u{1b}[2J\u{fffe}]]>\r\n".to_owned();
    let report: Value = serde_json::from_str(&json(&run)).unwrap();
    assert_eq!(
        report["results"][0]["exchange"][1]["text"],
        run.results[0].exchange[1].text.as_str()
    );
}

#[test]
fn junit_holds_the_table() {
    let report = xml::parse(&junit(&run()));
    assert_eq!(report.name, "testsuites");
    let mut rows = Model::new();
    for suite in &report.children {
        let (revision, transport) = suite.attribute("name").unwrap().split_once(' ').unwrap();
        for case in suite
            .children
            .iter()
            .filter(|child| child.name == "testcase")
        {
            let check = case.attribute("name").unwrap().to_owned();
            rows.push((
                check,
                revision.to_owned(),
                transport.to_owned(),
                case_verdict(case),
            ));
        }
    }
    let mut expected = model();
    // Suites are by revision and transport, cases within them by the run's order.
    expected.sort_by(|left, right| (&left.1, &left.2).cmp(&(&right.1, &right.2)));
    assert_eq!(rows, expected);
}

#[test]
fn junit_counts_what_it_lists() {
    let report = xml::parse(&junit(&run()));
    for suite in &report.children {
        let count = |name: &str| suite.attribute(name).unwrap().parse::<usize>().unwrap();
        let cases = || {
            suite
                .children
                .iter()
                .filter(|child| child.name == "testcase")
        };
        let with = |name: &str| cases().filter(|case| case.child(name).is_some()).count();
        assert_eq!(count("tests"), cases().count());
        assert_eq!(count("failures"), with("failure"));
        assert_eq!(count("errors"), with("error"));
        assert_eq!(suite.attribute("timestamp"), Some("2026-11-21T09:15:44Z"));
    }
}

#[test]
fn junit_tells_how_to_run_each_case_again() {
    let run = run();
    let report = xml::parse(&junit(&run));
    let mut outs = Vec::new();
    for case in report.children.iter().flat_map(|suite| &suite.children) {
        if let Some(out) = case.child("system-out") {
            assert!(out.own_text.contains("seed: 7041776\n"));
            outs.push(out.own_text.clone());
        }
    }
    assert_eq!(outs.len(), run.results.len());
    for result in &run.results {
        let (revision, command) = (&result.revision, &result.reproduce);
        let told = format!("revision: {revision}\ntransport: {}\n", result.transport);
        assert!(
            outs.iter()
                .any(|out| out.contains(&told) && out.contains(command))
        );
    }
}

#[test]
fn junit_gives_a_failure_its_clause_and_its_evidence() {
    let report = xml::parse(&junit(&run()));
    let failure = report
        .all()
        .into_iter()
        .find(|element| element.name == "failure")
        .unwrap();
    assert_eq!(failure.attribute("type"), Some("MUST"));
    for part in [
        "#statement.1: ",
        "expected: ",
        "seen: ",
        "evidence: message: {\"jsonrpc\"",
    ] {
        assert!(
            failure.own_text.contains(part),
            "{part} is not in {}",
            failure.own_text
        );
    }
}

fn case_verdict(case: &Element) -> Verdict {
    let skipped = case
        .child("skipped")
        .map(|skipped| skipped.attribute("type").unwrap());
    let out = &case.child("system-out").unwrap().own_text;
    match skipped {
        Some("inconclusive") => Verdict::Inconclusive,
        Some("not-applicable") => Verdict::NotApplicable,
        Some(other) => panic!("`{other}` is no reason to skip"),
        None if case.child("failure").is_some() => Verdict::Fail,
        None if case.child("error").is_some() => Verdict::Error,
        None if out.starts_with("WARN: ") => Verdict::Warn,
        None => Verdict::Pass,
    }
}

fn empty() -> Run {
    let mut run = run();
    run.results.clear();
    run.target.peers.clear();
    run.summary = mcp_verdict_results::Summary::default();
    run
}

/// Forbids every member that the schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties")
                && members.get("type").is_some_and(|it| it == "object")
            {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
