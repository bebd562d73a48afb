//! What a run leaves, read again: its results as JSON, and baselines.

use mcp_verdict_engine::{baseline::Baseline, compare::Expected};
use mcp_verdict_reports::{TerminalOptions, html, json, junit, terminal};
use mcp_verdict_results::{Comparison, Run};
use serde_json::Value;

use crate::support::{json::has_private_marker, page, pieces::texts, run::run_of, xml};

/// Results that can be read are the same when they are written and read again, and every report can show
/// them; a baseline too, and it can be compared with any run.
pub fn results(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    baselines(text);
    if has_private_marker(bytes) {
        return;
    }
    if let Ok(run) = serde_json::from_str::<Run>(text) {
        let stored = serde_json::to_string(&run).expect("results are plain data");
        assert_eq!(
            serde_json::from_str::<Run>(&stored).ok().as_ref(),
            Some(&run)
        );
        shown(&run);
    }
    if let Ok(comparison) = serde_json::from_str::<Comparison>(text) {
        let stored = serde_json::to_string(&comparison).expect("results are plain data");
        let again = serde_json::from_str::<Comparison>(&stored);
        assert_eq!(again.ok().as_ref(), Some(&comparison));
    }
}

fn shown(run: &Run) {
    let report: Value = serde_json::from_str(&json(run)).expect("the report is JSON");
    let listed = report["results"].as_array().map_or(0, Vec::len);
    assert_eq!(listed, run.results.len());
    xml::elements(&junit(run));
    page::read(&html(run));
    let options = TerminalOptions {
        color: false,
        width: 80,
        verbose: true,
    };
    let plain = terminal(run, &options);
    let is_clean = |character: char| character == '\n' || !character.is_control();
    assert!(plain.chars().all(is_clean), "{plain:?}");
    let baseline = Baseline::of(run, vec![mcp_verdict_results::Verdict::Fail]);
    assert!(baseline.difference(run).new.is_empty());
}

fn baselines(text: &str) {
    if let Ok(baseline) = toml::from_str::<Baseline>(text) {
        let again = toml::from_str::<Baseline>(&baseline.to_toml());
        assert_eq!(again.ok().as_ref(), Some(&baseline));
        let run = run_of(&texts(text.as_bytes()));
        let difference = baseline.difference(&run);
        assert!(
            difference
                .new
                .iter()
                .all(|&index| index < run.results.len())
        );
        assert_eq!(baseline.difference(&run), difference);
    }
    if let Ok(expected) = toml::from_str::<Expected>(text) {
        let again = toml::from_str::<Expected>(&expected.to_toml());
        assert_eq!(again.ok().as_ref(), Some(&expected));
    }
}
