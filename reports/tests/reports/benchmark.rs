//! A benchmark in every format: whatever a target is called or sends, no text of its does anything.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_reports::{
    BENCHMARK_SCHEMA, TerminalOptions, benchmark_html, benchmark_json, benchmark_junit,
    benchmark_terminal,
};
use mcp_verdict_results::{
    Benchmark, BenchmarkFinding, BenchmarkPlan, BenchmarkSamples, BenchmarkSide, Calibration,
    Environment, Figures, Latency, Objective, OperationFigures, PlannedOperation, RateLimit,
    RateStep, Ratio, Slot, Spread, Suite, Timeline, Verdict,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{hostile::hostile, xml};

fn latency() -> Latency {
    Latency {
        count: 10,
        mean_us: 120.0,
        p50_us: 110.0,
        p99_us: 900.0,
        max_us: 1000.0,
        curve: vec![(0.0, 90.0), (90.0, 500.0), (99.0, 900.0)],
        ..Latency::default()
    }
}

/// A benchmark of two targets whose texts are those given, over and over.
fn benchmark(texts: &[String]) -> Benchmark {
    let mut texts = texts.iter().cycle();
    let mut next = || texts.next().expect("there is one").clone();
    let slot = Slot {
        answered: 5,
        p50_us: 100.0,
        p99_us: 800.0,
        max_us: 900.0,
        ..Slot::default()
    };
    let mut side = |letter: &str| {
        let figures = Figures {
            answered: 10,
            failed: 1,
            errors: BTreeMap::from([(next(), 1)]),
            answered_per_second: 100.0,
            latency: latency(),
            operations: vec![
                OperationFigures {
                    name: next(),
                    first_event: Some(latency()),
                    ..OperationFigures::default()
                },
                OperationFigures::default(),
            ],
            opening: Some(latency()),
            lag: Some(latency()),
            memory_kib: Some((1, 2)),
            timeline: Timeline {
                slot_ms: 125.0,
                slots: vec![slot.clone(), slot.clone(), slot.clone()],
            },
            ..Figures::default()
        };
        BenchmarkSide {
            letter: letter.to_owned(),
            name: next(),
            transport: next(),
            revision: next(),
            info: Some(serde_json::json!({"name": next(), "version": next()})),
            notes: vec![next()],
            runs: vec![figures.clone(), figures.clone()],
            total: figures,
            spread: Some(Spread::default()),
            samples: BenchmarkSamples {
                judged: 3,
                findings: vec![BenchmarkFinding {
                    rule: next(),
                    verdict: Verdict::Fail,
                    samples: 1,
                    message: next(),
                }],
            },
        }
    };
    let sides = vec![side("A"), side("B")];
    Benchmark {
        suite: Suite {
            name: "mcp-verdict bench".to_owned(),
            version: "0".to_owned(),
            seed: 1,
            started: "2026-01-01T00:00:00Z".to_owned(),
            duration_ms: 1234,
        },
        environment: Environment {
            processor: Some(next()),
            build: "release".to_owned(),
            flags: vec![next()],
            ..Environment::default()
        },
        plan: BenchmarkPlan {
            pacing: "open".to_owned(),
            rate_per_second: Some(100.0),
            arrivals: Some("poisson".to_owned()),
            connections: 4,
            threads: 2,
            warm_up_ms: 0,
            duration_ms: Some(1000),
            requests: None,
            repeat: 2,
            timeout_ms: 5000,
            operations: vec![PlannedOperation {
                name: next(),
                weight: 1,
                request_bytes: Some(10),
            }],
        },
        sides,
        calibration: Some(Calibration {
            server: next(),
            latency: latency(),
            ..Calibration::default()
        }),
        ratios: vec![Ratio {
            of: next(),
            ratio: 1.1,
            low: 1.0,
            high: 1.2,
            confidence_percent: 95.0,
            pairs: 2,
        }],
        limit: Some(RateLimit {
            objectives: vec![next()],
            holds_at_per_second: Some(10.0),
            breaks_at_per_second: None,
            steps: vec![RateStep {
                rate_per_second: 10.0,
                p99_us: 100.0,
                broken: vec![next()],
                ..RateStep::default()
            }],
        }),
        objectives: vec![Objective {
            text: next(),
            side: "B".to_owned(),
            measured: next(),
            held: false,
        }],
        warnings: vec![next()],
    }
}

/// The page as XML, without the styles, which are ours.
fn parse(html: &str) -> xml::Element {
    let end = html.rfind("</style>").expect("there is a style");
    xml::parse(&format!("<html><head>{}", &html[end + "</style>".len()..]))
}

fn names(page: &xml::Element) -> BTreeSet<String> {
    let all = page.all();
    let elements = all.iter().map(|one| one.name.clone());
    let attributes = all.iter().flat_map(|one| &one.attributes);
    elements
        .chain(attributes.map(|one| one.0.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_more_than_text(texts in prop::collection::vec(hostile(), 19)) {
        let hostile = benchmark(&texts);
        let harmless = benchmark(&["x".to_owned()]);
        let shown = parse(&benchmark_html(&hostile));
        prop_assert!(names(&shown).is_subset(&names(&parse(&benchmark_html(&harmless)))));
        let scripts: Vec<_> = shown.all().into_iter().filter(|one| one.name == "script").collect();
        prop_assert_eq!(scripts.len(), 1);
        let data: Value = serde_json::from_str(&scripts[0].text()).expect("JSON");
        prop_assert_eq!(&data["sides"][1]["name"], hostile.sides[1].name.as_str());
        let cases = xml::parse(&benchmark_junit(&hostile));
        prop_assert_eq!(cases.all().iter().filter(|one| one.name == "testcase").count(), 2);
        prop_assert_eq!(cases.all().iter().filter(|one| one.name == "failure").count(), 1);
        let options = TerminalOptions { color: false, width: 80, verbose: true };
        let plain = benchmark_terminal(&hostile, &options);
        prop_assert!(plain.chars().all(|character| character == '\n' || !character.is_control()));
        let report: Value = serde_json::from_str(&benchmark_json(&hostile)).expect("JSON");
        prop_assert_eq!(&report, &data);
        let schema: Value = serde_json::from_str(BENCHMARK_SCHEMA).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let broken: Vec<_> = validator.iter_errors(&report).collect();
        prop_assert!(broken.is_empty(), "{:?}", broken);
        let again: Benchmark = serde_json::from_value(report).expect("it is read again");
        prop_assert_eq!(again, hostile);
    }
}

#[test]
fn nothing_measured_is_no_page_of_nonsense() {
    let mut empty = benchmark(&["x".to_owned()]);
    for side in &mut empty.sides {
        side.total = Figures::default();
        side.runs.clear();
    }
    empty.ratios.clear();
    empty.limit = None;
    let page = benchmark_html(&empty);
    for word in ["NaN", "inf"] {
        let shown = parse(&page);
        let paths = shown.all().into_iter().filter_map(|one| one.attribute("d"));
        assert!(paths.into_iter().all(|path| !path.contains(word)));
    }
    assert!(benchmark_junit(&empty).contains("nothing was answered by A, B"));
}
