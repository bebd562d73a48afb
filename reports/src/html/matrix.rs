//! The run at a glance: areas down, revisions and transports across.

use std::collections::BTreeMap;

use mcp_verdict_results::{CheckResult, Run, Summary, Verdict};

use crate::{
    groups::{self, Column},
    text::Line,
    verdicts::{SHOWN, participle, sign},
};

/// The whole table.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    /// Revisions with the number of transports below each.
    pub(super) revisions: Vec<(Line<'a>, usize)>,
    pub(super) transports: Vec<Line<'a>>,
    /// One for each area, then one for all of them.
    pub(super) rows: Vec<Row<'a>>,
}

/// One area.
#[derive(Debug)]
pub(super) struct Row<'a> {
    /// Nothing for the row of all areas.
    pub(super) area: Option<Line<'a>>,
    pub(super) cells: Vec<Cell<'a>>,
}

/// One area in one revision over one transport.
#[derive(Debug)]
pub(super) struct Cell<'a> {
    pub(super) revision: Line<'a>,
    pub(super) transport: Line<'a>,
    /// Nothing where there is no result.
    pub(super) content: Option<Content>,
}

/// What a cell counts.
#[derive(Debug)]
pub(super) struct Content {
    /// The worst verdict.
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) number: usize,
    /// How many passed, where that is not `number`.
    pub(super) passed: Option<usize>,
    /// All counts in words.
    pub(super) told: String,
}

impl<'a> Matrix<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let columns = groups::columns(run);
        let mut revisions: Vec<(&str, usize)> = Vec::new();
        for column in &columns {
            match revisions.last_mut() {
                Some((revision, span)) if *revision == column.revision => *span += 1,
                _ => revisions.push((column.revision, 1)),
            }
        }
        let mut rows: Vec<Row<'_>> = groups::grouped(&run.results, |result| &result.area)
            .into_iter()
            .map(|results| Row::of(Some(&results[0].area), &columns, &results))
            .collect();
        let all: Vec<_> = run.results.iter().collect();
        rows.push(Row::of(None, &columns, &all));
        Self {
            revisions: revisions
                .into_iter()
                .map(|(name, span)| (Line(name), span))
                .collect(),
            transports: columns
                .iter()
                .map(|column| Line(column.transport))
                .collect(),
            rows,
        }
    }
}

impl<'a> Row<'a> {
    fn of(area: Option<&'a str>, columns: &[Column<'a>], results: &[&CheckResult]) -> Self {
        let mut by_column: BTreeMap<Column<'_>, Vec<&CheckResult>> = BTreeMap::new();
        for result in results {
            by_column
                .entry(Column::of(result))
                .or_default()
                .push(result);
        }
        let cell = |column: &Column<'a>| Cell {
            revision: Line(column.revision),
            transport: Line(column.transport),
            content: by_column.get(column).map(|results| Content::of(results)),
        };
        Self {
            area: area.map(Line),
            cells: columns.iter().map(cell).collect(),
        }
    }
}

impl Content {
    pub(super) fn of(results: &[&CheckResult]) -> Self {
        let summary = Summary::of(results.iter().copied());
        let worst = results
            .iter()
            .map(|result| result.verdict)
            .max()
            .unwrap_or(Verdict::NotApplicable);
        let has_more = worst != Verdict::Pass && summary.pass > 0;
        Self {
            class: worst.as_str(),
            sign: sign(worst),
            number: summary.count(worst),
            passed: has_more.then_some(summary.pass),
            told: told(summary),
        }
    }
}

/// `2 failed, 11 passed`.
pub(super) fn told(summary: Summary) -> String {
    let counts: Vec<String> = SHOWN
        .into_iter()
        .filter(|&verdict| summary.count(verdict) > 0)
        .map(|verdict| format!("{} {}", summary.count(verdict), participle(verdict)))
        .collect();
    counts.join(", ")
}
