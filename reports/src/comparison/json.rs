//! A comparison as JSON: everything that is known, for programs. It has types of its own, so that what it
//! promises (`schema/comparison.schema.json`) does not change when a field inside the suite does.

use mcp_verdict_results as results;
use serde::Serialize;

use crate::json::{Entry, FORMAT, Suite};

/// The JSON Schema of the JSON report of a comparison.
pub const COMPARISON_SCHEMA: &str = include_str!("../../schema/comparison.schema.json");

/// Renders a comparison as JSON.
#[must_use]
pub fn comparison_json(comparison: &results::Comparison) -> String {
    let report = Report::of(comparison);
    let mut text = serde_json::to_string_pretty(&report).expect("a report is plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    suite: Suite<'a>,
    a: Target<'a>,
    b: Target<'a>,
    summary: Summary,
    pairs: Vec<Pair<'a>>,
    differences: Vec<Difference<'a>>,
    varies: Vec<Varies<'a>>,
    exchanges: Vec<ExchangePair<'a>>,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    notes: &'a [String],
    unfinished: bool,
}

#[derive(Serialize)]
struct Summary {
    compared: usize,
    differences: usize,
    unimportant: usize,
}

#[derive(Serialize)]
struct Pair<'a> {
    revision: &'a str,
    transport_a: &'a str,
    transport_b: &'a str,
    compared: usize,
    left_out: Vec<LeftOut<'a>>,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    reason: &'a str,
    vectors: usize,
}

#[derive(Serialize)]
struct Difference<'a> {
    kind: &'static str,
    subject: &'a str,
    pointer: &'a str,
    matters: bool,
    message: &'a str,
    a: Option<&'a str>,
    b: Option<&'a str>,
    places: Vec<Place<'a>>,
    exchange: Option<usize>,
}

#[derive(Serialize)]
struct Place<'a> {
    check: &'a str,
    revision: &'a str,
    transport_a: &'a str,
    transport_b: &'a str,
    pointer: &'a str,
}

#[derive(Serialize)]
struct Varies<'a> {
    subject: &'a str,
    pointer: &'a str,
    side: &'a str,
}

#[derive(Serialize)]
struct ExchangePair<'a> {
    check: &'a str,
    revision: &'a str,
    transport_a: &'a str,
    transport_b: &'a str,
    reproduce: &'a str,
    a: Vec<Entry<'a>>,
    b: Vec<Entry<'a>>,
}

impl<'a> Report<'a> {
    fn of(comparison: &'a results::Comparison) -> Self {
        Self {
            format: FORMAT,
            suite: Suite::of(&comparison.suite),
            a: Target::of(&comparison.a),
            b: Target::of(&comparison.b),
            summary: Summary {
                compared: comparison.compared(),
                differences: comparison.mattering(),
                unimportant: comparison.differences.len() - comparison.mattering(),
            },
            pairs: comparison.pairs.iter().map(Pair::of).collect(),
            differences: comparison.differences.iter().map(Difference::of).collect(),
            varies: comparison
                .noise
                .iter()
                .map(|noise| Varies {
                    subject: &noise.subject,
                    pointer: &noise.pointer,
                    side: &noise.side,
                })
                .collect(),
            exchanges: comparison.exchanges.iter().map(ExchangePair::of).collect(),
        }
    }
}

impl<'a> Target<'a> {
    fn of(target: &'a results::Compared) -> Self {
        Self {
            name: &target.name,
            notes: &target.notes,
            unfinished: target.unfinished,
        }
    }
}

impl<'a> Pair<'a> {
    fn of(pair: &'a results::Pair) -> Self {
        let left_out = pair.left_out.iter().map(|it| LeftOut {
            reason: &it.reason,
            vectors: it.vectors,
        });
        Self {
            revision: &pair.revision,
            transport_a: &pair.transport_a,
            transport_b: &pair.transport_b,
            compared: pair.compared,
            left_out: left_out.collect(),
        }
    }
}

impl<'a> Difference<'a> {
    fn of(difference: &'a results::Difference) -> Self {
        let places = difference.places.iter().map(|place| Place {
            check: &place.check,
            revision: &place.revision,
            transport_a: &place.transport_a,
            transport_b: &place.transport_b,
            pointer: &place.pointer,
        });
        Self {
            kind: difference.kind.as_str(),
            subject: &difference.subject,
            pointer: &difference.pointer,
            matters: difference.matters,
            message: &difference.message,
            a: difference.a.as_deref(),
            b: difference.b.as_deref(),
            places: places.collect(),
            exchange: difference.exchange,
        }
    }
}

impl<'a> ExchangePair<'a> {
    fn of(pair: &'a results::ExchangePair) -> Self {
        Self {
            check: &pair.check,
            revision: &pair.revision,
            transport_a: &pair.transport_a,
            transport_b: &pair.transport_b,
            reproduce: &pair.reproduce,
            a: pair.a.iter().map(Entry::of).collect(),
            b: pair.b.iter().map(Entry::of).collect(),
        }
    }
}
