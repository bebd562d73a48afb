//! The JSON report: everything that is known, for programs.
//!
//! It has types of its own, so that what it promises (`schema/report.schema.json`) does not change
//! when a field inside the suite does. Texts are kept exactly as they were.

use std::collections::BTreeMap;

use mcp_verdict_results as results;
use serde::Serialize;
use serde_json::Value;

/// The version of the JSON report's form. It changes only when a reader of the old form would
/// misread the new one; new members alone do not change it.
pub const FORMAT: u32 = 1;

/// The JSON Schema of the JSON report.
pub const SCHEMA: &str = include_str!("../schema/report.schema.json");

/// Renders a run as JSON.
#[must_use]
pub fn json(run: &results::Run) -> String {
    let mut text = serde_json::to_string_pretty(&Report::of(run)).expect("a report is plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    suite: Suite<'a>,
    target: Target<'a>,
    summary: Summary,
    results: Vec<CheckResult<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    campaigns: Vec<Campaign<'a>>,
}

#[derive(Serialize)]
pub(crate) struct Suite<'a> {
    name: &'a str,
    version: &'a str,
    seed: u64,
    started: &'a str,
    duration_ms: u64,
}

#[derive(Serialize)]
struct Target<'a> {
    name: &'a str,
    peers: Vec<Peer<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct Peer<'a> {
    revision: &'a str,
    transport: &'a str,
    info: Option<&'a Value>,
    capabilities: &'a Value,
    fixtures: &'a BTreeMap<String, Value>,
    missing_fixtures: &'a [String],
}

/// Its members are spelled like the verdicts they count.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Summary {
    pass: usize,
    warn: usize,
    fail: usize,
    inconclusive: usize,
    not_applicable: usize,
    error: usize,
}

#[derive(Serialize)]
struct CheckResult<'a> {
    check: &'a str,
    title: &'a str,
    area: &'a str,
    kind: &'static str,
    revision: &'a str,
    transport: &'a str,
    level: &'a str,
    verdict: &'static str,
    requirements: Vec<Clause<'a>>,
    message: &'a str,
    expected: Option<&'a str>,
    actual: Option<&'a str>,
    reproduce: &'a str,
    duration_ms: f64,
    evidence: &'a [usize],
    exchange: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Campaign<'a> {
    revision: &'a str,
    transport: &'a str,
    cases: u64,
    duration_ms: u64,
    unconfirmed: u64,
    cut_short: Option<&'a str>,
    coverage: Vec<Coverage<'a>>,
}

#[derive(Serialize)]
struct Coverage<'a> {
    method: &'a str,
    change: &'a str,
    cases: u64,
}

#[derive(Serialize)]
struct Clause<'a> {
    id: &'a str,
    level: &'a str,
    says: &'a str,
    url: Option<&'a str>,
    doubt: Option<&'a str>,
}

#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    at_us: u64,
    side: &'static str,
    what: &'a str,
    exchange: Option<u32>,
    text: &'a str,
    cut: usize,
}

impl<'a> Report<'a> {
    fn of(run: &'a results::Run) -> Self {
        let results::Target {
            name: target,
            peers,
            notes,
        } = &run.target;
        Self {
            format: FORMAT,
            suite: Suite::of(&run.suite),
            target: Target {
                name: target,
                peers: peers.iter().map(Peer::of).collect(),
                notes,
            },
            summary: Summary::of(run.summary),
            results: run.results.iter().map(CheckResult::of).collect(),
            campaigns: run.campaigns.iter().map(Campaign::of).collect(),
        }
    }
}

impl<'a> Campaign<'a> {
    fn of(campaign: &'a results::Campaign) -> Self {
        let results::Campaign {
            revision,
            transport,
            cases,
            duration_ms,
            unconfirmed,
            cut_short,
            coverage,
        } = campaign;
        let coverage = coverage.iter().map(|of| Coverage {
            method: &of.method,
            change: &of.change,
            cases: of.cases,
        });
        Self {
            revision,
            transport,
            cases: *cases,
            duration_ms: *duration_ms,
            unconfirmed: *unconfirmed,
            cut_short: cut_short.as_deref(),
            coverage: coverage.collect(),
        }
    }
}

impl<'a> Suite<'a> {
    pub(crate) fn of(suite: &'a results::Suite) -> Self {
        let results::Suite {
            name,
            version,
            seed,
            started,
            duration_ms,
        } = suite;
        Self {
            name,
            version,
            seed: *seed,
            started,
            duration_ms: *duration_ms,
        }
    }
}

impl<'a> Peer<'a> {
    fn of(peer: &'a results::Peer) -> Self {
        Self {
            revision: &peer.revision,
            transport: &peer.transport,
            info: peer.info.as_ref(),
            capabilities: &peer.capabilities,
            fixtures: &peer.fixtures,
            missing_fixtures: &peer.missing_fixtures,
        }
    }
}

impl Summary {
    const fn of(summary: results::Summary) -> Self {
        let results::Summary {
            pass,
            warn,
            fail,
            inconclusive,
            not_applicable,
            error,
        } = summary;
        Self {
            pass,
            warn,
            fail,
            inconclusive,
            not_applicable,
            error,
        }
    }
}

impl<'a> CheckResult<'a> {
    fn of(result: &'a results::CheckResult) -> Self {
        Self {
            check: &result.check,
            title: &result.title,
            area: &result.area,
            kind: match result.kind {
                results::Kind::Rule => "rule",
                results::Kind::Vector => "vector",
            },
            revision: &result.revision,
            transport: &result.transport,
            level: &result.level,
            verdict: result.verdict.as_str(),
            requirements: result.requirements.iter().map(Clause::of).collect(),
            message: &result.message,
            expected: result.expected.as_deref(),
            actual: result.actual.as_deref(),
            reproduce: &result.reproduce,
            // JSON has no other numbers.
            duration_ms: if result.duration_ms.is_finite() {
                result.duration_ms
            } else {
                0.0
            },
            evidence: &result.evidence,
            exchange: result.exchange.iter().map(Entry::of).collect(),
        }
    }
}

impl<'a> Clause<'a> {
    fn of(clause: &'a results::Clause) -> Self {
        let results::Clause {
            id,
            level,
            says,
            url,
            doubt,
        } = clause;
        Self {
            id,
            level,
            says,
            url: url.as_deref(),
            doubt: doubt.as_deref(),
        }
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn of(entry: &'a results::Entry) -> Self {
        let results::Entry {
            at_us,
            side,
            what,
            exchange,
            text,
            cut,
        } = entry;
        let side = match side {
            results::Side::Harness => "harness",
            results::Side::Target => "target",
            results::Side::Us => "us",
        };
        Self {
            at_us: *at_us,
            side,
            what,
            exchange: *exchange,
            text,
            cut: *cut,
        }
    }
}
