//! The transports side by side: how each fared in each revision, and where they differ.

use std::collections::BTreeMap;

use mcp_verdict_results::{CheckResult, Run, Verdict};

use super::{
    checks::Badge,
    matrix::{Cell, Content, Row, Table},
};
use crate::{
    groups::{self, Column},
    text::Line,
};

/// The section, where there is more than one transport.
#[derive(Debug)]
pub(super) struct Transports<'a> {
    pub(super) names: Vec<Line<'a>>,
    /// A line for each transport, a column for each revision.
    pub(super) table: Table<'a>,
    /// How many pairs of check and revision were judged over more than one transport.
    pub(super) compared: usize,
    /// Those of them whose verdicts are not all the same; the first of them.
    pub(super) differing: Vec<Difference<'a>>,
    /// How many more there are.
    pub(super) left_out: usize,
}

/// A check whose verdict in a revision depends on the transport.
#[derive(Debug)]
pub(super) struct Difference<'a> {
    pub(super) check: Line<'a>,
    pub(super) revision: Line<'a>,
    /// Its verdict over each transport; nothing where it does not apply.
    pub(super) verdicts: Vec<Option<Badge>>,
}

impl<'a> Transports<'a> {
    pub(super) fn of(run: &'a Run) -> Option<Self> {
        let mut names: Vec<&str> = Vec::new();
        let mut by_column: BTreeMap<Column<'_>, Vec<&CheckResult>> = BTreeMap::new();
        for result in &run.results {
            let column = Column::of(result);
            if !names.contains(&column.transport) {
                names.push(column.transport);
            }
            by_column.entry(column).or_default().push(result);
        }
        if names.len() < 2 {
            return None;
        }
        names.sort_unstable();
        let mut revisions: Vec<&str> = by_column.keys().map(|column| column.revision).collect();
        revisions.dedup();
        let cell = |revision, transport| Cell {
            revision: Line(revision),
            transport: Line(transport),
            content: by_column
                .get(&Column {
                    revision,
                    transport,
                })
                .map(|results| Content::of(results)),
        };
        let row = |transport| Row {
            head: Line(transport),
            area: Line(""),
            is_all: false,
            cells: revisions.iter().map(|it| cell(it, transport)).collect(),
        };
        let (compared, differing) = groups::differing(run);
        let left_out = differing.len().saturating_sub(DIFFERENCES_MAX);
        let difference = |row: &groups::Differing<'a>| Difference {
            check: Line(row.check),
            revision: Line(row.revision),
            verdicts: names
                .iter()
                .map(|name| row.verdicts.get(name).copied())
                .map(|verdict: Option<Verdict>| verdict.map(Badge::of))
                .collect(),
        };
        Some(Self {
            table: Table {
                groups: Vec::new(),
                names: revisions.iter().map(|revision| Line(revision)).collect(),
                rows: names.iter().map(|name| row(name)).collect(),
            },
            compared,
            differing: differing
                .iter()
                .take(DIFFERENCES_MAX)
                .map(difference)
                .collect(),
            left_out,
            names: names.into_iter().map(Line).collect(),
        })
    }
}

/// More differences than that are no list that anybody reads.
const DIFFERENCES_MAX: usize = 100;
