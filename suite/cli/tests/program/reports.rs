//! What a run writes: valid by its own schema, readable by a strict reader, and the same when judged again.

use std::{collections::BTreeMap, fs, path::Path};

use quick_xml::events::Event;
use serde_json::Value;

use crate::{assert_code, run};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("the report is there")).expect("it is JSON")
}

/// Each result's verdict.
fn verdicts(report: &Value) -> BTreeMap<[String; 3], String> {
    let word = |result: &Value, member: &str| result[member].as_str().expect("a string").to_owned();
    report["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| {
            let key = ["check", "revision", "transport"].map(|member| word(result, member));
            (key, word(result, "verdict"))
        })
        .collect()
}

#[test]
fn the_reports_of_a_whole_run_are_valid_and_its_transcripts_judge_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .expect("a path of UTF-8")
            .to_owned()
    };
    let (report, junit, html) = (path("report.json"), path("junit.xml"), path("report.html"));
    let saved = path("saved");
    let output = run([
        "run",
        "--report",
        &format!("json={report}"),
        "--report",
        &format!("junit={junit}"),
        "--report",
        &format!("html={html}"),
        "--transcript",
        &saved,
    ]);
    assert_code(&output, 0);
    let live = json(Path::new(&report));
    let schema: Value =
        serde_json::from_str(mcp_verdict_reports::SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("it is a schema");
    let errors: Vec<String> = validator
        .iter_errors(&live)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(live["summary"]["error"], 0);
    let cases = junit_cases(&fs::read_to_string(&junit).expect("JUnit"));
    assert_eq!(cases, live["results"].as_array().expect("results").len());
    assert!(
        fs::read_to_string(&html)
            .expect("HTML")
            .contains("base/ping")
    );
    judges_the_same(&live, &saved, &path("again.json"));
}

/// Results that come from transcripts; what did not run has none.
fn judges_the_same(live: &Value, saved: &str, again: &str) {
    assert_code(
        &run(["judge", saved, "--report", &format!("json={again}")]),
        0,
    );
    let (live, offline) = (verdicts(live), verdicts(&json(Path::new(again))));
    assert!(offline.len() > 100, "only {} results", offline.len());
    for (key, verdict) in &offline {
        assert_eq!(live.get(key), Some(verdict), "{key:?}");
    }
    let judged = |verdict: &&String| verdict.as_str() != "not-applicable";
    assert_eq!(
        live.values().filter(judged).count(),
        offline.values().filter(judged).count()
    );
}

/// Reads JUnit strictly and counts its test cases.
fn junit_cases(text: &str) -> usize {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_comments = true;
    let mut cases = 0;
    loop {
        match reader.read_event().expect("well-formed XML") {
            Event::Start(start) | Event::Empty(start) => {
                cases += usize::from(start.name().as_ref() == b"testcase");
            }
            Event::Eof => return cases,
            _ => {}
        }
    }
}
