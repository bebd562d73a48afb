//! A benchmark as JUnit: one suite, one case for each objective, and one that says whether anything was measured.

use junit_report::{Duration, TestCase, TestResult, TestSuite};
use mcp_verdict_results::{Benchmark, Objective};

use super::{headline, load, reached};
use crate::junit::{attribute, body, timestamp, xml};

/// Renders a benchmark as JUnit XML.
#[must_use]
pub fn benchmark_junit(benchmark: &Benchmark) -> String {
    let mut cases = vec![measured(benchmark)];
    cases.extend(benchmark.objectives.iter().map(case));
    let mut out = format!("{}\n{}\n", headline(benchmark), load(&benchmark.plan));
    for side in &benchmark.sides {
        out += &format!("{}: {}\n", side.letter, reached(side));
    }
    for warning in &benchmark.warnings {
        out += &format!("warning: {warning}\n");
    }
    xml([TestSuite {
        name: "bench".to_owned(),
        package: attribute(&benchmark.suite.name),
        timestamp: timestamp(&benchmark.suite.started),
        hostname: "localhost".to_owned(),
        testcases: cases,
        system_out: Some(body(&out)),
        system_err: None,
    }])
}

/// Whether there is anything to demand something of.
fn measured(benchmark: &Benchmark) -> TestCase {
    let silent: Vec<&str> = benchmark
        .sides
        .iter()
        .filter(|side| side.total.answered == 0)
        .map(|side| side.letter.as_str())
        .collect();
    let result = match silent.as_slice() {
        [] if !benchmark.sides.is_empty() => TestResult::Success,
        _ => TestResult::Failure {
            type_: "objective".to_owned(),
            message: attribute(&format!("nothing was answered by {}", silent.join(", "))),
            cause: None,
        },
    };
    TestCase {
        name: "requests are answered".to_owned(),
        time: duration(benchmark.suite.duration_ms),
        result,
        classname: Some("bench".to_owned()),
        filepath: None,
        system_out: None,
        system_err: None,
    }
}

fn case(objective: &Objective) -> TestCase {
    let told = format!(
        "{} of {}: {}",
        objective.text, objective.side, objective.measured
    );
    TestCase {
        name: attribute(&objective.text),
        time: Duration::ZERO,
        result: match objective.held {
            true => TestResult::Success,
            false => TestResult::Failure {
                type_: "objective".to_owned(),
                message: attribute(&format!("measured {}", objective.measured)),
                cause: Some(body(&told)),
            },
        },
        classname: Some("bench.objective".to_owned()),
        filepath: None,
        system_out: objective.held.then(|| body(&told)),
        system_err: None,
    }
}

fn duration(milliseconds: u64) -> Duration {
    Duration::milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
