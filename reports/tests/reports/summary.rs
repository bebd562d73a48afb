//! The summary for a terminal.

use mcp_verdict_reports::{TerminalOptions, terminal};
use mcp_verdict_results::Verdict;

use crate::fixture::{COLUMNS, model, run};

const PLAIN: TerminalOptions = TerminalOptions {
    color: false,
    width: 100,
    verbose: false,
};

#[test]
fn the_summary_is_as_expected() {
    let expected = include_str!("expected-summary.txt");
    assert_eq!(terminal(&run(), &PLAIN), expected.replace("\r\n", "\n"));
}

#[test]
fn the_counts_are_those_of_the_table() {
    let summary = terminal(&run(), &PLAIN);
    let order = [
        Verdict::Fail,
        Verdict::Error,
        Verdict::Warn,
        Verdict::Inconclusive,
        Verdict::Pass,
        Verdict::NotApplicable,
    ];
    for (revision, transport) in COLUMNS {
        let start = format!("  {revision} {transport} ");
        let line = summary
            .lines()
            .find(|line| line.starts_with(&start))
            .unwrap();
        let numbers: Vec<usize> = line[start.len()..]
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        let counted = order.map(|verdict| {
            model()
                .iter()
                .filter(|row| (&*row.1, &*row.2, row.3) == (revision, transport, verdict))
                .count()
        });
        assert_eq!(numbers, counted, "{start}");
    }
}

#[test]
fn every_failure_is_told_with_a_command() {
    let verbose = terminal(
        &run(),
        &TerminalOptions {
            verbose: true,
            ..PLAIN
        },
    );
    for result in run().results {
        let is_told = verbose.contains(&format!("again     {}\n", result.reproduce));
        let needs_it = matches!(
            result.verdict,
            Verdict::Fail | Verdict::Error | Verdict::Warn
        );
        assert_eq!(is_told, needs_it, "{} {}", result.check, result.revision);
    }
}

#[test]
fn lines_stay_within_the_width_but_for_commands() {
    for width in [40, 60, 80, 120] {
        let summary = terminal(&run(), &TerminalOptions { width, ..PLAIN });
        for line in summary
            .lines()
            .skip(1)
            .filter(|line| !line.contains("again  "))
        {
            let is_count = line.starts_with("  20") || line.trim_start().starts_with("fail");
            let is_head = line.starts_with(['✗', '!', 'E']) || line.contains("(3.2 s");
            assert!(
                is_count || is_head || line.chars().count() <= width,
                "{width}: {line}"
            );
        }
    }
}

#[test]
fn colour_is_used_only_when_asked_for() {
    assert!(!terminal(&run(), &PLAIN).contains('\u{1b}'));
    assert!(
        terminal(
            &run(),
            &TerminalOptions {
                color: true,
                ..PLAIN
            }
        )
        .contains("\u{1b}[31m")
    );
}

#[test]
fn an_empty_run_does_not_look_like_success() {
    let mut run = run();
    run.results.clear();
    run.summary = mcp_verdict_results::Summary::default();
    let summary = terminal(&run, &PLAIN);
    assert!(summary.ends_with("\nNothing was judged.\n"), "{summary}");
    assert!(!summary.contains("passed"));
}
