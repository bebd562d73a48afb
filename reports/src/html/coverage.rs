//! What a fuzzing campaign sent: how often each change was made to each method.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_results::Campaign;

use crate::text::{self, Line};

/// A campaign, with a line for each change and a column for each method.
#[derive(Debug)]
pub(super) struct Coverage<'a> {
    pub(super) revision: Line<'a>,
    pub(super) transport: Line<'a>,
    pub(super) told: String,
    pub(super) methods: Vec<Line<'a>>,
    /// Each change, with how often it was made to each method, and in all.
    pub(super) rows: Vec<(Line<'a>, Vec<u64>, u64)>,
}

impl<'a> Coverage<'a> {
    pub(super) fn of(campaign: &'a Campaign) -> Self {
        let mut methods: BTreeSet<&str> = BTreeSet::new();
        let mut changes: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        for of in &campaign.coverage {
            methods.insert(&of.method);
            *changes
                .entry(&of.change)
                .or_default()
                .entry(&of.method)
                .or_default() += of.cases;
        }
        let rows = changes.into_iter().map(|(change, by_method)| {
            let count = |method: &&str| by_method.get(method).copied().unwrap_or(0);
            let counts: Vec<u64> = methods.iter().map(count).collect();
            let sum = counts.iter().sum();
            (Line(change), counts, sum)
        });
        #[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
        let took = text::duration(campaign.duration_ms as f64);
        Self {
            revision: Line(&campaign.revision),
            transport: Line(&campaign.transport),
            told: format!("{} cases in {took}", campaign.cases),
            rows: rows.collect(),
            methods: methods.into_iter().map(Line).collect(),
        }
    }
}
