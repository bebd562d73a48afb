//! A benchmark as JSON: everything that is known, for programs, the histograms in full.

use mcp_verdict_results::{
    Benchmark, BenchmarkPlan, BenchmarkSide, Calibration, Environment, Objective, RateLimit, Ratio,
};
use serde::Serialize;

use crate::json::{FORMAT, Suite};

/// The JSON Schema of the JSON report of a benchmark.
pub const BENCHMARK_SCHEMA: &str = include_str!("../../schema/benchmark.schema.json");

/// Renders a benchmark as JSON. It can be read again as a [`Benchmark`].
#[must_use]
pub fn benchmark_json(benchmark: &Benchmark) -> String {
    let report = Report {
        format: FORMAT,
        suite: Suite::of(&benchmark.suite),
        environment: &benchmark.environment,
        plan: &benchmark.plan,
        sides: &benchmark.sides,
        calibration: benchmark.calibration.as_ref(),
        ratios: &benchmark.ratios,
        limit: benchmark.limit.as_ref(),
        objectives: &benchmark.objectives,
        warnings: &benchmark.warnings,
    };
    let mut text = serde_json::to_string_pretty(&report).expect("a report is plain data");
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Report<'a> {
    format: u32,
    suite: Suite<'a>,
    environment: &'a Environment,
    plan: &'a BenchmarkPlan,
    sides: &'a [BenchmarkSide],
    calibration: Option<&'a Calibration>,
    ratios: &'a [Ratio],
    limit: Option<&'a RateLimit>,
    objectives: &'a [Objective],
    warnings: &'a [String],
}
