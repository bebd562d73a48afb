//! What a benchmark brings, as plain data that outlives versions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Suite, Verdict};

/// One or two targets under load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Benchmark {
    /// Who measured.
    pub suite: Suite,
    /// Where.
    pub environment: Environment,
    /// What was sent.
    pub plan: BenchmarkPlan,
    /// The target, or both of them.
    pub sides: Vec<BenchmarkSide>,
    /// What the load generator reaches against a server that does nothing.
    pub calibration: Option<Calibration>,
    /// How the second target does against the first.
    pub ratios: Vec<Ratio>,
    /// The search for the rate at which an objective breaks.
    pub limit: Option<RateLimit>,
    /// What was demanded, and whether it held.
    pub objectives: Vec<Objective>,
    /// Why a figure here may not be what it seems, each with its way out.
    pub warnings: Vec<String>,
}

/// The machine and the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// `linux`, `macos`.
    pub os: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// The release of the kernel, where the system tells.
    pub kernel: Option<String>,
    /// The name of the processor, where the system tells.
    pub processor: Option<String>,
    /// Processors that we may use.
    pub cores: usize,
    /// All of its memory, in KiB, where the system tells.
    pub memory_kib: Option<u64>,
    /// How many were waiting for a processor in the minute before, where the system tells, in hundredths.
    pub load_percent: Option<u64>,
    /// `release`, or `debug` for a build that is not made for speed.
    pub build: String,
    /// The command line, without what is secret.
    pub flags: Vec<String>,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkPlan {
    /// `closed`: each connection asks when it has its answer. `open`: requests are sent when it is time.
    pub pacing: String,
    /// Requests a second; open only.
    pub rate_per_second: Option<f64>,
    /// `constant` or `poisson`; open only.
    pub arrivals: Option<String>,
    /// Connections, or children.
    pub connections: usize,
    /// Threads of the load generator.
    pub threads: usize,
    /// Not counted, before each run.
    pub warm_up_ms: u64,
    /// How long each run was meant to be.
    pub duration_ms: Option<u64>,
    /// How many requests each run was meant to have.
    pub requests: Option<u64>,
    /// How many runs of each target.
    pub repeat: usize,
    /// How long an answer may take.
    pub timeout_ms: u64,
    /// What is asked for.
    pub operations: Vec<PlannedOperation>,
}

/// One kind of request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedOperation {
    /// As a person reads it.
    pub name: String,
    /// How often it comes, against the others.
    pub weight: u32,
    /// Bytes of the message; none where it is more than one.
    pub request_bytes: Option<usize>,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkSide {
    /// `A`, or `B` for the one that is held against it.
    pub letter: String,
    /// Its address or command, without secrets.
    pub name: String,
    /// The transport.
    pub transport: String,
    /// The revision spoken.
    pub revision: String,
    /// `serverInfo` as sent, if any.
    pub info: Option<Value>,
    /// What a person should know about it.
    pub notes: Vec<String>,
    /// Each run.
    pub runs: Vec<Figures>,
    /// All runs together.
    pub total: Figures,
    /// How far the runs are apart; of two or more.
    pub spread: Option<Spread>,
    /// What the judge says of answers.
    pub samples: BenchmarkSamples,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Answered as it should be.
    pub answered: u64,
    /// Answered with an error, or not at all.
    pub failed: u64,
    /// Errors by name; they sum up to `failed`.
    pub errors: BTreeMap<String, u64>,
    /// From the end of the warm-up to the last answer.
    pub elapsed_ms: f64,
    /// Good answers a second.
    pub answered_per_second: f64,
    /// Of all operations, from when a request was, or in an open loop was meant to be, sent. What timed out is in it
    /// with the time it was waited for.
    pub latency: Latency,
    /// By operation, in the order of the plan.
    pub operations: Vec<OperationFigures>,
    /// What it took to open a session, connection or start of a child included.
    pub opening: Option<Latency>,
    /// Open loop: how late requests were sent that a free connection waited to send. It is in `latency`, and our own.
    pub lag: Option<Latency>,
    /// Open loop: requests sent more than a millisecond late, for whatever reason.
    pub late: u64,
    /// Open loop: requests never sent, since the time for their answer was over before a connection was free.
    pub dropped: u64,
    /// Requests of the server's that our client did not answer.
    pub unanswered_requests: u64,
    /// Bytes of messages sent.
    pub sent_bytes: u64,
    /// Bytes received, of bodies or lines.
    pub received_bytes: u64,
    /// What children held in memory before and after, together, in KiB.
    pub memory_kib: Option<(u64, u64)>,
    /// Its course.
    pub timeline: Timeline,
}

/// Of one operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OperationFigures {
    /// Its name in the plan.
    pub name: String,
    /// Answered as it should be.
    pub answered: u64,
    /// Answered with an error, or not at all.
    pub failed: u64,
    /// As in [`Figures::latency`].
    pub latency: Latency,
    /// Until the first event of those answers that came in a stream.
    pub first_event: Option<Latency>,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// How many times.
    pub count: u64,
    /// The mean.
    pub mean_us: f64,
    /// The standard deviation.
    pub deviation_us: f64,
    /// The least.
    pub min_us: f64,
    /// The median.
    pub p50_us: f64,
    /// Nine of ten are at most so long.
    pub p90_us: f64,
    /// 95 of a hundred are.
    pub p95_us: f64,
    /// 99 of a hundred are.
    pub p99_us: f64,
    /// 999 of a thousand are.
    pub p999_us: f64,
    /// 9999 of ten thousand are.
    pub p9999_us: f64,
    /// The longest.
    pub max_us: f64,
    /// Points of its curve: a share of all in percent, and the time that it is answered in.
    pub curve: Vec<(f64, f64)>,
    /// All of it: an HdrHistogram of nanoseconds with three digits, encoded as `V2` with DEFLATE, in base64. Such logs
    /// can be added up without loss.
    pub histogram: String,
}

/// A course over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timeline {
    /// How long a slot is.
    pub slot_ms: f64,
    /// One after the other, from the end of the warm-up on.
    pub slots: Vec<Slot>,
}

/// What ended in one slot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Slot {
    /// Answered as it should be.
    pub answered: u64,
    /// Answered with an error, or not at all.
    pub failed: u64,
    /// The median.
    pub p50_us: f64,
    /// 99 of a hundred are at most so long.
    pub p99_us: f64,
    /// The longest.
    pub max_us: f64,
}

/// How far runs are apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Good answers a second.
    pub answered_per_second: Range,
    /// The median latency.
    pub p50_us: Range,
    /// The 99th percentile.
    pub p99_us: Range,
}

/// The least, the middle and the largest of some runs' figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Range {
    /// The least.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// What the judge says of answers that were kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkSamples {
    /// How many were judged.
    pub judged: u64,
    /// What rules found in them.
    pub findings: Vec<BenchmarkFinding>,
}

/// What one rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BenchmarkFinding {
    /// The rule.
    pub rule: String,
    /// What it means.
    pub verdict: Verdict,
    /// In how many samples.
    pub samples: u64,
    /// What it says of the first of them.
    pub message: String,
}

/// The load generator against a server that does nothing, over the same transport.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What it was measured with.
    pub server: String,
    /// Good answers a second in a closed loop.
    pub answered_per_second: f64,
    /// Its latency.
    pub latency: Latency,
    /// What share of the target's median latency that is, from 0 to 1.
    pub share_of_p50: f64,
    /// What share of what the generator can send it did send to the target, from 0 to 1.
    pub share_of_rate: f64,
}

/// The second target against the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    /// Of what: `answered_per_second`, `p50`, `p99`, `mean`.
    pub of: String,
    /// B divided by A: the median of all pairs of blocks.
    pub ratio: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// How sure the interval is, in percent.
    pub confidence_percent: f64,
    /// Pairs of blocks.
    pub pairs: usize,
}

/// The search for the rate at which an objective breaks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// What had to hold.
    pub objectives: Vec<String>,
    /// The highest rate at which it did.
    pub holds_at_per_second: Option<f64>,
    /// The lowest rate at which it did not.
    pub breaks_at_per_second: Option<f64>,
    /// Every step, in the order in which it was tried.
    pub steps: Vec<RateStep>,
}

/// One rate that was tried.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RateStep {
    /// Requests a second that were to be sent.
    pub rate_per_second: f64,
    /// Good answers a second.
    pub answered_per_second: f64,
    /// The median latency.
    pub p50_us: f64,
    /// The 99th percentile.
    pub p99_us: f64,
    /// Answered with an error, or not at all, or not even sent.
    pub failed: u64,
    /// What did not hold; nothing if all did.
    pub broken: Vec<String>,
}

/// Something that was demanded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Objective {
    /// As it was given: `p99 < 50ms`.
    pub text: String,
    /// Of which target: its letter.
    pub side: String,
    /// What was measured, in the unit of the objective; as a person reads it.
    pub measured: String,
    /// Whether it held.
    pub held: bool,
}
