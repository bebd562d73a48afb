//! One server over every transport: what is not about a transport has the same verdict over each.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{assert_code, run};

/// The verdict and the message of a check, by transport.
type Row = BTreeMap<String, (String, String)>;

/// What every run must have in common: at least so many checks that every transport of a revision can carry.
const SHARED_MIN: usize = 150;

#[test]
fn what_is_not_about_a_transport_has_the_same_verdict_over_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let output = run(["run", "--report", &format!("json={}", path.display())]);
    assert_code(&output, 0);
    let report: Value =
        serde_json::from_slice(&fs::read(&path).expect("the report is there")).expect("it is JSON");
    let mut rows: BTreeMap<[String; 2], Row> = BTreeMap::new();
    for result in report["results"].as_array().expect("results") {
        let word = |member: &str| result[member].as_str().unwrap_or_default().to_owned();
        rows.entry([word("revision"), word("check")])
            .or_default()
            .insert(word("transport"), (word("verdict"), word("message")));
    }
    let mut shared: BTreeMap<&str, usize> = BTreeMap::new();
    for ([revision, check], row) in &rows {
        let about_others = |message: &str| message.starts_with("this is not about ");
        let inexpressible = |message: &str| message.contains("cannot be expressed");
        let judged: BTreeSet<&str> = row
            .values()
            .filter(|(verdict, message)| {
                verdict != "not-applicable" || !(about_others(message) || inexpressible(message))
            })
            .map(|(verdict, _)| verdict.as_str())
            .collect();
        assert!(judged.len() <= 1, "{check} in {revision}: {row:#?}");
        let not_here = |(_, message): &&(String, String)| about_others(message);
        if !judged.is_empty() && !row.values().any(|told| not_here(&told)) {
            *shared.entry(revision).or_default() += 1;
        }
    }
    assert_eq!(shared.len(), 5, "{shared:?}");
    assert!(
        shared.values().all(|count| *count >= SHARED_MIN),
        "{shared:?}"
    );
}
