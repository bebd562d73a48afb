//! Whatever a peer sends, every report is well-formed and no text of theirs does anything.

use std::collections::BTreeSet;

use mcp_verdict_reports::{TerminalOptions, html, json, junit, terminal};
use mcp_verdict_results::{Entry, Run, Side};
use proptest::prelude::*;
use serde_json::Value;

use crate::{fixture::run, page, xml};

/// Pieces that break naive writers, among ordinary and arbitrary text.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "]]>",
            "<![CDATA[",
            "<!--",
            "-->",
            "</script>",
            "<script>alert(1)</script>",
            "\" onload=\"x",
            "'",
            "&",
            "&#0;",
            "&amp;",
            "\u{1b}[31m",
            "\u{1b}]8;;http://x\u{7}",
            "\0",
            "\u{fffe}",
            "\u{ffff}",
            "\r\n",
            "\n",
            "\t",
            "\u{85}",
            "\u{9b}",
            "\u{2028}",
            "\u{202e}",
            "🦀",
            "👩‍💻",
            "{{ style }}",
            "{% if %}",
            "{\"a\":[1e400,{\"a\":2}]}",
            "[[[[",
            "\\",
            "]]",
            ">",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// A run with hostile text in every place that holds any.
fn hostile_run() -> impl Strategy<Value = Run> {
    prop::collection::vec(hostile(), 24).prop_map(|texts| {
        let mut texts = texts.into_iter().cycle();
        let mut next = || texts.next().unwrap();
        let mut run = run();
        run.target.name = next();
        run.target.notes = vec![next(), next()];
        run.suite.started = next();
        for peer in &mut run.target.peers {
            peer.info = Some(serde_json::json!({"name": next(), "version": next()}));
            peer.capabilities = Value::String(next());
            peer.missing_fixtures = vec![next()];
            peer.fixtures.insert(next(), Value::String(next()));
        }
        for result in &mut run.results {
            result.check = next();
            result.title = next();
            result.area = next();
            result.level = next();
            result.revision = next();
            result.transport = next();
            result.message = next();
            result.expected = Some(next());
            result.actual = Some(next());
            result.reproduce = next();
            for clause in &mut result.requirements {
                clause.id = next();
                clause.says = next();
                clause.url = Some(next());
                clause.doubt = Some(next());
            }
            result.exchange = [Side::Us, Side::Target, Side::Harness]
                .map(|side| entry(side, next(), next()))
                .into();
            result.evidence = vec![0, 1, 99];
            result.duration_ms = f64::NAN;
        }
        run
    })
}

fn entry(side: Side, what: String, text: String) -> Entry {
    Entry {
        at_us: u64::MAX,
        side,
        what,
        exchange: Some(1),
        text,
        cut: 1,
    }
}

/// What a text looks like on one line of a report: the model of the cleaning.
fn visible(text: &str) -> String {
    text.chars()
        .map(|character| match u32::from(character) {
            0xA => "⏎".to_owned(),
            code @ (0..=0x1F
            | 0x7F..=0x9F
            | 0x061C
            | 0x200B
            | 0x200E
            | 0x200F
            | 0x2028..=0x202E
            | 0x2066..=0x2069
            | 0xFEFF
            | 0xFDD0..=0xFDEF
            | 0xE0000..=0xE007F) => format!("\\u{{{code:x}}}"),
            code if code % 0x10000 >= 0xFFFE => format!("\\u{{{code:x}}}"),
            _ => character.to_string(),
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn junit_is_well_formed_and_keeps_names(run in hostile_run()) {
        let report = xml::parse(&junit(&run));
        let cases = || {
            report.children.iter().flat_map(|suite| &suite.children).filter(|one| one.name == "testcase")
        };
        prop_assert_eq!(cases().count(), run.results.len());
        let mut names: Vec<_> = cases().map(|case| case.attribute("name").unwrap().to_owned()).collect();
        let mut expected: Vec<_> = run.results.iter().map(|result| visible(&result.check)).collect();
        names.sort();
        expected.sort();
        prop_assert_eq!(names, expected);
        let known = BTreeSet::from([
            "testsuites", "testsuite", "testcase", "failure", "error", "skipped", "system-out",
        ]);
        for element in report.all() {
            prop_assert!(known.contains(&*element.name), "{}", element.name);
        }
    }

    #[test]
    fn the_page_is_well_formed_and_no_text_becomes_markup(run in hostile_run()) {
        let harmless = page::parse(&html(&crate::fixture::run()));
        let shown = page::parse(&html(&run));
        let names = |page: &xml::Element| -> BTreeSet<String> {
            page.all().iter().map(|one| one.name.clone()).collect()
        };
        prop_assert!(names(&shown).is_subset(&names(&harmless)));
        let attributes = |page: &xml::Element| -> BTreeSet<String> {
            page.all().iter().flat_map(|one| &one.attributes).map(|one| one.0.clone()).collect()
        };
        prop_assert!(attributes(&shown).is_subset(&attributes(&harmless)));
        prop_assert_eq!(page::rows(&shown).len(), run.results.len());
        for link in shown.all().iter().filter_map(|one| one.attribute("href")) {
            let is_safe = ["#", "https://", "http://"].iter().any(|start| link.starts_with(start));
            prop_assert!(is_safe, "{}", link);
        }
        let ids: Vec<_> = shown.all().iter().filter_map(|one| one.attribute("id").map(str::to_owned)).collect();
        prop_assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }

    #[test]
    fn json_reads_back_as_it_was(run in hostile_run()) {
        let report: Value = serde_json::from_str(&json(&run)).unwrap();
        for (result, told) in run.results.iter().zip(report["results"].as_array().unwrap()) {
            prop_assert_eq!(&told["check"], result.check.as_str());
            prop_assert_eq!(&told["actual"], result.actual.as_deref().unwrap());
            prop_assert_eq!(&told["exchange"][1]["text"], result.exchange[1].text.as_str());
        }
    }

    #[test]
    fn the_summary_carries_no_escape_sequence_of_a_peer(run in hostile_run(), width in 0_usize..300, verbose: bool) {
        let plain = terminal(&run, &TerminalOptions { color: false, width, verbose });
        prop_assert!(plain.chars().all(|character| character == '\n' || !character.is_control()));
        let colored = terminal(&run, &TerminalOptions { color: true, width, verbose });
        let mut uncolored = colored.clone();
        while let Some(start) = uncolored.find('\u{1b}') {
            let length = uncolored[start..].find('m').expect("our sequences end with m") + 1;
            let sequence = &uncolored[start..start + length];
            prop_assert!(sequence[2..length - 1].chars().all(|one| one.is_ascii_digit() || one == ';'));
            uncolored.replace_range(start..start + length, "");
        }
        prop_assert_eq!(uncolored, plain);
    }
}
