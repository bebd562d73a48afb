//! The JUnit report: one suite for each revision and transport, one case for each check.
//!
//! `fail` is a failure and `error` an error; `inconclusive` and `not-applicable` are skipped, with
//! the reason; `warn` passes, since JUnit knows nothing between, and says so in `system-out`.
//!
//! The writer escapes markup but neither drops what XML forbids nor splits `]]>`; all text goes
//! through [`attribute`] or [`body`] first.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use junit_report::{Duration, OffsetDateTime, Report, TestCase, TestResult, TestSuite};
use mcp_verdict_results::{CheckResult, Run, Verdict};

use crate::{groups::Column, text};

/// Renders a run as JUnit XML.
#[must_use]
pub fn junit(run: &Run) -> String {
    let mut columns: BTreeMap<Column<'_>, Vec<&CheckResult>> = BTreeMap::new();
    for result in &run.results {
        columns.entry(Column::of(result)).or_default().push(result);
    }
    let suites = columns
        .into_iter()
        .map(|(column, results)| suite(run, column, &results));
    xml(suites)
}

/// The whole report of these suites.
pub(crate) fn xml(suites: impl IntoIterator<Item = TestSuite>) -> String {
    let mut report = Report::new();
    report.add_testsuites(suites);
    let mut xml = Vec::new();
    report
        .write_xml(&mut xml)
        .expect("a vector can be written to, and every name is XML");
    xml.push(b'\n');
    String::from_utf8(xml).expect("text and markup are UTF-8")
}

fn suite(run: &Run, column: Column<'_>, results: &[&CheckResult]) -> TestSuite {
    let Column {
        revision,
        transport,
    } = column;
    let out = format!(
        "target: {}\nsuite: {} {}\nseed: {}\nrevision: {revision}\ntransport: {transport}\n",
        run.target.name, run.suite.name, run.suite.version, run.suite.seed
    );
    TestSuite {
        name: attribute(&format!("{revision} {transport}")),
        package: attribute(&run.suite.name),
        timestamp: timestamp(&run.suite.started),
        hostname: "localhost".to_owned(),
        testcases: results.iter().map(|result| case(run, result)).collect(),
        system_out: Some(body(&out)),
        system_err: None,
    }
}

fn case(run: &Run, result: &CheckResult) -> TestCase {
    let message = attribute(&result.message);
    let outcome = match result.verdict {
        Verdict::Pass | Verdict::Warn => TestResult::Success,
        Verdict::Fail => TestResult::Failure {
            type_: attribute(&result.level),
            message,
            cause: Some(body(&account(result))),
        },
        Verdict::Error => TestResult::Error {
            type_: "error".to_owned(),
            message,
            cause: Some(body(&account(result))),
        },
        Verdict::Inconclusive | Verdict::NotApplicable => TestResult::SkippedWithCause {
            type_: result.verdict.as_str().to_owned(),
            message,
            cause: None,
        },
    };
    TestCase {
        name: attribute(&result.check),
        time: duration(result.duration_ms),
        result: outcome,
        classname: Some(attribute(&format!(
            "{}.{}.{}",
            result.revision, result.transport, result.area
        ))),
        filepath: None,
        system_out: Some(body(&circumstances(run, result))),
        system_err: None,
    }
}

/// What a person needs to run the case again. A warning is told here in full.
fn circumstances(run: &Run, result: &CheckResult) -> String {
    let mut out = String::new();
    if result.verdict == Verdict::Warn {
        out = format!("WARN: {}\n{}\n", result.message, account(result));
    }
    let _ = write!(
        out,
        "revision: {}\ntransport: {}\nseed: {}\nreproduce: {}\n",
        result.revision, result.transport, run.suite.seed, result.reproduce
    );
    out
}

/// Clause, expectation, observation and evidence.
fn account(result: &CheckResult) -> String {
    let mut out = format!("{}\n", result.title);
    for clause in &result.requirements {
        let _ = writeln!(out, "{} {}: {}", clause.level, clause.id, clause.says);
        push_some(&mut out, "  read it at", clause.url.as_deref());
        push_some(&mut out, "  doubt", clause.doubt.as_deref());
    }
    push_some(&mut out, "expected", result.expected.as_deref());
    push_some(&mut out, "seen", result.actual.as_deref());
    let evidence = result
        .evidence
        .iter()
        .filter_map(|&index| result.exchange.get(index));
    for entry in evidence.take(EVIDENCE_MAX) {
        let shown = text::start(&entry.text, EVIDENCE_BYTES_MAX);
        let hidden = entry.cut.saturating_add(entry.text.len() - shown.len());
        let _ = writeln!(out, "evidence: {}: {shown}{}", entry.what, Hidden(hidden));
    }
    out
}

fn push_some(out: &mut String, name: impl fmt::Display, value: Option<&str>) {
    if let Some(value) = value {
        let _ = writeln!(out, "{name}: {value}");
    }
}

/// How much is not shown, if any.
struct Hidden(usize);

impl fmt::Display for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            bytes => write!(
                formatter,
                " … ({} not shown)",
                text::count(bytes, "byte", "bytes")
            ),
        }
    }
}

/// Text for an attribute, where XML would turn newlines and tabs into spaces.
pub(crate) fn attribute(text: &str) -> String {
    text::line(text).into_owned()
}

/// Text for the inside of an element, which is written as CDATA: `]]>` would end it.
pub(crate) fn body(text: &str) -> String {
    text::lines(text).replace("]]>", "]]]]><![CDATA[>")
}

fn duration(milliseconds: f64) -> Duration {
    let microseconds = (milliseconds * 1000.0).clamp(0.0, DURATION_US_MAX);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "clamped above; nonsense becomes 0"
    )]
    Duration::microseconds(microseconds as i64)
}

/// Reads `2026-11-21T10:15:30Z`, with or without a fraction. What is no such time becomes 1970,
/// since the attribute is required.
pub(crate) fn timestamp(text: &str) -> OffsetDateTime {
    seconds_since_1970(text)
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn seconds_since_1970(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = text.get(range)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || !text.ends_with('Z') {
        return None;
    }
    // Days from the civil calendar, with years that begin in March.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// More evidence than this is in the other reports.
const EVIDENCE_MAX: usize = 5;
/// As much of one piece of evidence as a CI page shows well.
const EVIDENCE_BYTES_MAX: usize = 2000;
/// A day: no check runs longer.
const DURATION_US_MAX: f64 = 86_400e6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_the_run_is_read_exactly() {
        assert_eq!(seconds_since_1970("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(
            seconds_since_1970("2000-02-29T12:00:01.5Z"),
            Some(951_825_601)
        );
        assert_eq!(
            seconds_since_1970("2026-11-21T09:15:44Z"),
            Some(1_795_252_544)
        );
        for nonsense in [
            "",
            "now",
            "2026-13-01T00:00:00Z",
            "2026-11-21T09:15:44",
            "+026-01-01T00:00:00Z",
            "éééééééééééé",
        ] {
            assert_eq!(seconds_since_1970(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_body_cannot_end_its_cdata_section() {
        assert_eq!(body("a]]>b\u{1b}"), "a]]]]><![CDATA[>b\\u{1b}");
    }

    #[test]
    fn durations_never_overflow() {
        assert_eq!(duration(1.5), Duration::microseconds(1500));
        assert_eq!(duration(f64::NAN), Duration::ZERO);
        assert_eq!(duration(f64::INFINITY), Duration::days(1));
    }
}
