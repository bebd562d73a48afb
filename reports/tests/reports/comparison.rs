//! A comparison in every format: whatever the two targets sent, no text of theirs does anything.

use std::collections::BTreeSet;

use mcp_verdict_reports::{
    COMPARISON_SCHEMA, TerminalOptions, comparison_html, comparison_json, comparison_junit,
    comparison_terminal,
};
use mcp_verdict_results::{
    Compared, Comparison, Difference, DifferenceKind, Entry, ExchangePair, LeftOut, Noise, Pair,
    Place, Side, Suite,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::{hostile::hostile, xml};

/// A comparison whose texts are those given, over and over.
fn comparison(texts: &[String]) -> Comparison {
    let mut texts = texts.iter().cycle();
    let mut next = || texts.next().expect("there is one").clone();
    let mut difference = |kind, matters| Difference {
        kind,
        subject: next(),
        pointer: next(),
        matters,
        message: next(),
        a: Some(next()),
        b: None,
        places: vec![Place {
            check: next(),
            revision: next(),
            transport_a: next(),
            transport_b: next(),
            pointer: next(),
        }],
        exchange: Some(0),
    };
    let differences = vec![
        difference(DifferenceKind::Dropped, true),
        difference(DifferenceKind::Respelled, false),
    ];
    let mut entry = |side| Entry {
        at_us: u64::MAX,
        side,
        what: next(),
        exchange: Some(1),
        text: next(),
        cut: 1,
    };
    let (a, b) = (vec![entry(Side::Us)], vec![entry(Side::Target)]);
    let mut compared = || Compared {
        name: next(),
        notes: vec![next()],
        unfinished: true,
    };
    Comparison {
        a: compared(),
        b: compared(),
        suite: Suite {
            name: next(),
            version: next(),
            seed: 1,
            started: next(),
            duration_ms: 1,
        },
        pairs: vec![Pair {
            revision: next(),
            transport_a: next(),
            transport_b: next(),
            compared: 7,
            left_out: vec![LeftOut {
                reason: next(),
                vectors: 2,
            }],
        }],
        differences,
        noise: vec![Noise {
            subject: next(),
            pointer: next(),
            side: "a".to_owned(),
        }],
        exchanges: vec![ExchangePair {
            check: next(),
            revision: next(),
            transport_a: next(),
            transport_b: next(),
            a,
            b,
            reproduce: next(),
        }],
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
    fn no_text_becomes_more_than_text(texts in prop::collection::vec(hostile(), 17)) {
        let hostile = comparison(&texts);
        let harmless = comparison(&["x".to_owned()]);
        let shown = parse(&comparison_html(&hostile));
        prop_assert!(names(&shown).is_subset(&names(&parse(&comparison_html(&harmless)))));
        for link in shown.all().iter().filter_map(|one| one.attribute("href")) {
            prop_assert!(link.starts_with('#'), "{}", link);
        }
        let cases = xml::parse(&comparison_junit(&hostile));
        prop_assert_eq!(cases.all().iter().filter(|one| one.name == "testcase").count(), 2);
        let options = TerminalOptions { color: false, width: 80, verbose: true };
        let plain = comparison_terminal(&hostile, &options);
        prop_assert!(plain.chars().all(|character| character == '\n' || !character.is_control()));
        let report: Value = serde_json::from_str(&comparison_json(&hostile)).expect("JSON");
        prop_assert_eq!(&report["differences"][0]["subject"], hostile.differences[0].subject.as_str());
        let schema: Value = serde_json::from_str(COMPARISON_SCHEMA).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        prop_assert!(validator.is_valid(&report));
    }
}

#[test]
fn nothing_that_matters_is_said_in_every_format() {
    let mut comparison = comparison(&["x".to_owned()]);
    comparison.differences.remove(0);
    let options = TerminalOptions {
        color: false,
        width: 80,
        verbose: false,
    };
    let said = "No difference that matters, 1 that do not matter";
    assert!(comparison_terminal(&comparison, &options).contains(said));
    assert!(comparison_html(&comparison).contains(said));
    assert!(!comparison_junit(&comparison).contains("<failure"));
}

#[test]
fn how_a_session_was_opened_is_folded_away() {
    let mut comparison = comparison(&["x".to_owned()]);
    let entry = |what: &str, side| Entry {
        what: what.to_owned(),
        side,
        ..comparison.exchanges[0].a[0].clone()
    };
    let entries = vec![
        entry("opening message", Side::Us),
        entry("step 1", Side::Harness),
        entry("tested message", Side::Us),
    ];
    comparison.exchanges[0].a = entries;
    let page = parse(&comparison_html(&comparison));
    let folded: Vec<_> = page
        .all()
        .into_iter()
        .filter(|one| one.has_class("opening"))
        .collect();
    assert_eq!(folded.len(), 1);
    assert!(folded[0].text().contains("opening message"));
    assert!(!folded[0].text().contains("tested message"));
}
