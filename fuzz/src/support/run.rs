//! A run with texts of a fuzzer's choice in every place that holds any.

use std::collections::BTreeMap;

use mcp_verdict_results::{
    CheckResult, Clause, Entry, Kind, Peer, Run, Side, Suite, Summary, Target, Verdict,
};
use serde_json::{Value, json};

/// The run that the texts fill, in turn and again from the beginning.
pub(crate) fn run_of(texts: &[String]) -> Run {
    let mut texts = texts.iter().cycle();
    let mut next = || texts.next().cloned().unwrap_or_default();
    let results: Vec<CheckResult> = Verdict::ALL
        .into_iter()
        .map(|verdict| result(verdict, &mut next))
        .collect();
    Run {
        suite: Suite {
            name: next(),
            version: next(),
            seed: 1,
            started: next(),
            duration_ms: 1,
        },
        target: Target {
            name: next(),
            peers: vec![peer(&mut next)],
            notes: vec![next()],
        },
        summary: Summary::of(&results),
        results,
        campaigns: Vec::new(),
    }
}

fn peer(next: &mut impl FnMut() -> String) -> Peer {
    Peer {
        transport: next(),
        revision: next(),
        info: Some(json!({"name": next(), "version": next()})),
        capabilities: Value::String(next()),
        fixtures: BTreeMap::from([(next(), Value::String(next()))]),
        missing_fixtures: vec![next()],
    }
}

fn result(verdict: Verdict, next: &mut impl FnMut() -> String) -> CheckResult {
    CheckResult {
        check: next(),
        title: next(),
        area: next(),
        kind: Kind::Vector,
        revision: next(),
        transport: next(),
        level: next(),
        verdict,
        requirements: vec![Clause {
            id: next(),
            level: next(),
            says: next(),
            url: Some(next()),
            doubt: Some(next()),
        }],
        message: next(),
        expected: Some(next()),
        actual: Some(next()),
        evidence: vec![1, 99],
        exchange: [Side::Us, Side::Target, Side::Harness]
            .map(|side| Entry {
                at_us: 1,
                side,
                what: next(),
                exchange: None,
                text: next(),
                cut: 0,
            })
            .into(),
        reproduce: next(),
        duration_ms: 0.5,
    }
}
