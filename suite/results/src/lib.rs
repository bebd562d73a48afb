//! What a run of the suite produces, as plain data that outlives versions.
//!
//! Public fields, no behaviour beyond counting: every report format renders this, and none recomputes a
//! verdict.

mod benchmark;
mod comparison;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use benchmark::{
    Benchmark, BenchmarkFinding, BenchmarkPlan, BenchmarkSamples, BenchmarkSide, Calibration,
    Environment, Figures, Latency, Objective, OperationFigures, PlannedOperation, Range, RateLimit,
    RateStep, Ratio, Slot, Spread, Timeline,
};
pub use comparison::{
    Compared, Comparison, Difference, DifferenceKind, ExchangePair, LeftOut, Noise, Pair, Place,
};

/// What one check established about one target, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Does not concern this target.
    NotApplicable,
    /// Every expectation held.
    Pass,
    /// It concerns this target, but could not be provoked.
    Inconclusive,
    /// A SHOULD was not followed, or something legal is not strict.
    Warn,
    /// A MUST was broken.
    Fail,
    /// Our side broke.
    Error,
}

/// The result of judging one target once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Who judged.
    pub suite: Suite,
    /// Who was judged.
    pub target: Target,
    /// How many results there are of each verdict.
    pub summary: Summary,
    /// One for each check, revision and transport, in the order check, revision, transport.
    pub results: Vec<CheckResult>,
    /// What was sent to find them, where they come from fuzzing: one for each revision and transport.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub campaigns: Vec<Campaign>,
}

/// A fuzzing campaign in one revision over one transport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Campaign {
    /// The revision.
    pub revision: String,
    /// The transport.
    pub transport: String,
    /// Cases that were sent, or visits that a client made.
    pub cases: u64,
    /// How long that took.
    pub duration_ms: u64,
    /// Suspicions that did not show again.
    pub unconfirmed: u64,
    /// Why it ended before its time, if it did.
    pub cut_short: Option<String>,
    /// How often each change was made to each method, in the order method, change.
    pub coverage: Vec<Coverage>,
}

/// How often a change was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// To messages of this method.
    pub method: String,
    /// The change.
    pub change: String,
    /// How often.
    pub cases: u64,
}

/// Who judged, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suite {
    /// `mcp-verdict`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The start of the run, RFC 3339 in UTC.
    pub started: String,
    /// How long it took.
    pub duration_ms: u64,
}

/// Who was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Its address or command, without secrets.
    pub name: String,
    /// What it says of itself, for each transport and revision that was judged.
    pub peers: Vec<Peer>,
    /// What the suite found out and a person should know: how the address was completed, which revisions
    /// it does not speak, which fixtures are missing.
    pub notes: Vec<String>,
}

/// One way in which the target was reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The transport.
    pub transport: String,
    /// The revision negotiated.
    pub revision: String,
    /// `serverInfo` as sent, if any.
    pub info: Option<serde_json::Value>,
    /// `capabilities` as sent.
    pub capabilities: serde_json::Value,
    /// Fixtures bound, by name.
    pub fixtures: BTreeMap<String, serde_json::Value>,
    /// Fixtures that were looked for and not found, each with how to bind it.
    pub missing_fixtures: Vec<String>,
}

/// Counts by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Passed.
    pub pass: usize,
    /// Warned.
    pub warn: usize,
    /// Failed.
    pub fail: usize,
    /// Inconclusive.
    pub inconclusive: usize,
    /// Not applicable.
    pub not_applicable: usize,
    /// Errors of ours.
    pub error: usize,
}

/// One check's result in one revision over one transport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckResult {
    /// The check's id.
    pub check: String,
    /// What the target does right if it passes.
    pub title: String,
    /// The first words of the id: what part of the protocol it is about.
    pub area: String,
    /// `vector` or `rule`.
    pub kind: Kind,
    /// The revision.
    pub revision: String,
    /// The transport.
    pub transport: String,
    /// `MUST`, `SHOULD`, `MAY`.
    pub level: String,
    /// What was established.
    pub verdict: Verdict,
    /// The statements behind it.
    pub requirements: Vec<Clause>,
    /// One line for a person: why this verdict.
    pub message: String,
    /// What was expected, when it did not pass.
    pub expected: Option<String>,
    /// What was seen, when it did not pass.
    pub actual: Option<String>,
    /// Where in `exchange` the evidence is: indices.
    pub evidence: Vec<usize>,
    /// What went over the wire: for a vector all of it, for a rule the events around its first finding.
    pub exchange: Vec<Entry>,
    /// The command that shows it again.
    pub reproduce: String,
    /// How long the check ran, in milliseconds.
    pub duration_ms: f64,
}

/// Active or passive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A passive observer of every exchange.
    Rule,
    /// An active script.
    Vector,
}

/// A statement that a check rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// The anchor.
    pub id: String,
    /// `MUST`, `SHOULD`, `MAY`.
    pub level: String,
    /// In our words.
    pub says: String,
    /// Where to read it, if it is on the web.
    pub url: Option<String>,
    /// Where its text allows two readings: which, and that both are accepted.
    pub doubt: Option<String>,
}

/// One line of an exchange's timeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Microseconds since the check began.
    pub at_us: u64,
    /// Who.
    pub side: Side,
    /// What, in two or three words: `message`, `POST /mcp`, `HTTP 202`, `SSE event`, `exited`.
    pub what: String,
    /// The number of the HTTP exchange, if it belongs to one.
    pub exchange: Option<u32>,
    /// The bytes as text (U+FFFD for what is no UTF-8), cut at a limit that `cut` tells.
    pub text: String,
    /// How many bytes are not shown.
    pub cut: usize,
}

/// Whose doing an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Neither: time-outs, steps.
    Harness,
    /// What the target sent or did.
    Target,
    /// What we sent or did.
    Us,
}

impl Verdict {
    /// Every verdict, from best to worst.
    pub const ALL: [Self; 6] = [
        Self::NotApplicable,
        Self::Pass,
        Self::Inconclusive,
        Self::Warn,
        Self::Fail,
        Self::Error,
    ];

    /// Its name in files and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not-applicable",
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Summary {
    /// Counts the verdicts of `results`.
    #[must_use]
    pub fn of<'a>(results: impl IntoIterator<Item = &'a CheckResult>) -> Self {
        let mut summary = Self::default();
        for result in results {
            *summary.count_mut(result.verdict) += 1;
        }
        summary
    }

    /// How many results have this verdict.
    #[must_use]
    pub fn count(mut self, verdict: Verdict) -> usize {
        *self.count_mut(verdict)
    }

    /// All of them.
    #[must_use]
    pub const fn total(self) -> usize {
        self.pass + self.warn + self.fail + self.inconclusive + self.not_applicable + self.error
    }

    fn count_mut(&mut self, verdict: Verdict) -> &mut usize {
        match verdict {
            Verdict::NotApplicable => &mut self.not_applicable,
            Verdict::Pass => &mut self.pass,
            Verdict::Inconclusive => &mut self.inconclusive,
            Verdict::Warn => &mut self.warn,
            Verdict::Fail => &mut self.fail,
            Verdict::Error => &mut self.error,
        }
    }
}
