//! A comparison as JUnit: one suite, one case for each difference; where there is none, a case that says so.

use junit_report::{Duration, TestCase, TestResult, TestSuite};
use mcp_verdict_results::{Comparison, Difference};

use super::{headline, places};
use crate::junit::{attribute, body, timestamp, xml};

/// Renders a comparison as JUnit XML.
#[must_use]
pub fn comparison_junit(comparison: &Comparison) -> String {
    let mut cases: Vec<TestCase> = comparison.differences.iter().map(case).collect();
    if cases.is_empty() {
        cases.push(TestCase {
            name: "no difference".to_owned(),
            time: Duration::ZERO,
            result: TestResult::Success,
            classname: Some("comparison".to_owned()),
            filepath: None,
            system_out: None,
            system_err: None,
        });
    }
    let out = format!(
        "{}\nA: {}\nB: {}\nvectors compared: {}\nseed: {}\n",
        headline(comparison),
        comparison.a.name,
        comparison.b.name,
        comparison.compared(),
        comparison.suite.seed
    );
    xml([TestSuite {
        name: "comparison".to_owned(),
        package: attribute(&comparison.suite.name),
        timestamp: timestamp(&comparison.suite.started),
        hostname: "localhost".to_owned(),
        testcases: cases,
        system_out: Some(body(&out)),
        system_err: None,
    }])
}

fn case(difference: &Difference) -> TestCase {
    let side = |value: &Option<String>| value.as_deref().unwrap_or("(nothing)").to_owned();
    let account = format!(
        "{}\nA: {}\nB: {}\nseen in: {}\n",
        difference.message,
        side(&difference.a),
        side(&difference.b),
        places(&difference.places, PLACES_MAX)
    );
    let result = if difference.matters {
        TestResult::Failure {
            type_: attribute(difference.kind.as_str()),
            message: attribute(&difference.message),
            cause: Some(body(&account)),
        }
    } else {
        TestResult::Success
    };
    TestCase {
        name: attribute(format!("{} {}", difference.subject, difference.pointer).trim_end()),
        time: Duration::ZERO,
        result,
        classname: Some(attribute(&format!("comparison.{}", difference.kind))),
        filepath: None,
        system_out: (!difference.matters).then(|| body(&account)),
        system_err: None,
    }
}

/// Places named for one difference.
const PLACES_MAX: usize = 20;
