//! The run at a glance: areas down, revisions and transports across.

use std::collections::BTreeMap;

use mcp_verdict_results::{CheckResult, Run, Summary, Verdict};

use crate::{
    groups::{self, Column},
    text::Line,
    verdicts::{SHOWN, participle, sign},
};

/// One table where it fits a page. Where it does not, one of revisions, and one for each revision.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    pub(super) whole: Table<'a>,
    pub(super) by_revision: Vec<(Line<'a>, Table<'a>)>,
}

/// Counts, with links to what they count.
#[derive(Debug)]
pub(super) struct Table<'a> {
    /// Names above the names, with how many columns each spans; none where one line of names will do.
    pub(super) groups: Vec<(Line<'a>, usize)>,
    pub(super) names: Vec<Line<'a>>,
    pub(super) rows: Vec<Row<'a>>,
}

/// A line of a table.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) head: Line<'a>,
    /// The area that it is about; empty where it is about all.
    pub(super) area: Line<'a>,
    /// Whether it sums up the others.
    pub(super) is_all: bool,
    pub(super) cells: Vec<Cell<'a>>,
}

/// One area in one revision over one transport, or over all where that is empty.
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
        let all: Vec<&CheckResult> = run.results.iter().collect();
        if columns.len() <= COLUMNS_MAX {
            let groups = revisions.into_iter();
            return Self {
                whole: Table {
                    groups: groups.map(|(name, span)| (Line(name), span)).collect(),
                    ..Table::of_transports(&columns, &all)
                },
                by_revision: Vec::new(),
            };
        }
        let of_revision = |revision: &'a str| {
            let is_its = |column: &&Column<'a>| column.revision == revision;
            let columns: Vec<_> = columns.iter().filter(is_its).copied().collect();
            let results = all.iter().filter(|result| result.revision == revision);
            let results: Vec<_> = results.copied().collect();
            (Line(revision), Table::of_transports(&columns, &results))
        };
        let names: Vec<&str> = revisions.iter().map(|(revision, _)| *revision).collect();
        Self {
            whole: Table::of_revisions(&names, &all),
            by_revision: names.into_iter().map(of_revision).collect(),
        }
    }
}

impl<'a> Table<'a> {
    fn of_transports(columns: &[Column<'a>], results: &[&'a CheckResult]) -> Self {
        Self {
            groups: Vec::new(),
            names: columns.iter().map(|it| Line(it.transport)).collect(),
            rows: Row::areas(columns, results, &Column::of),
        }
    }

    fn of_revisions(revisions: &[&'a str], results: &[&'a CheckResult]) -> Self {
        let column = |revision| Column {
            revision,
            transport: "",
        };
        let columns: Vec<_> = revisions.iter().map(|revision| column(revision)).collect();
        Self {
            groups: Vec::new(),
            names: revisions.iter().map(|revision| Line(revision)).collect(),
            rows: Row::areas(&columns, results, &|result| column(&result.revision)),
        }
    }
}

/// Which column a result belongs to.
type ColumnOf<'f, 'a> = &'f dyn Fn(&'a CheckResult) -> Column<'a>;

impl<'a> Row<'a> {
    /// One for each area, then one for all of them.
    fn areas(
        columns: &[Column<'a>],
        results: &[&'a CheckResult],
        column_of: ColumnOf<'_, 'a>,
    ) -> Vec<Self> {
        let areas = groups::grouped(results.iter().copied(), |result| &result.area);
        let mut rows: Vec<Self> = areas
            .into_iter()
            .map(|results| {
                let area = Line(&results[0].area);
                Self::of((area, area), columns, &results, column_of)
            })
            .collect();
        let all = (Line("All areas"), Line(""));
        rows.push(Self {
            is_all: true,
            ..Self::of(all, columns, results, column_of)
        });
        rows
    }

    fn of(
        (head, area): (Line<'a>, Line<'a>),
        columns: &[Column<'a>],
        results: &[&'a CheckResult],
        column_of: ColumnOf<'_, 'a>,
    ) -> Self {
        let mut by_column: BTreeMap<Column<'_>, Vec<&CheckResult>> = BTreeMap::new();
        for result in results {
            by_column.entry(column_of(result)).or_default().push(result);
        }
        let cell = |column: &Column<'a>| Cell {
            revision: Line(column.revision),
            transport: Line(column.transport),
            content: by_column.get(column).map(|results| Content::of(results)),
        };
        Self {
            head,
            area,
            is_all: false,
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

/// More columns than these do not fit a page of 76 rem.
const COLUMNS_MAX: usize = 12;
