//! Results put together the way a person asks about them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use mcp_verdict_results::{CheckResult, Run, Summary, Verdict};

/// One revision over one transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Column<'a> {
    pub(crate) revision: &'a str,
    pub(crate) transport: &'a str,
}

/// All results of one check that have the same verdict.
#[derive(Debug)]
pub(crate) struct Finding<'a> {
    pub(crate) verdict: Verdict,
    /// At least one, in the run's order.
    pub(crate) results: Vec<&'a CheckResult>,
}

/// The same reason, met several times.
#[derive(Debug)]
pub(crate) struct Reason<'a> {
    pub(crate) message: &'a str,
    pub(crate) results: Vec<&'a CheckResult>,
}

impl<'a> Column<'a> {
    pub(crate) fn of(result: &'a CheckResult) -> Self {
        Self {
            revision: &result.revision,
            transport: &result.transport,
        }
    }
}

/// Every revision and transport that was judged, in order.
pub(crate) fn columns(run: &Run) -> Vec<Column<'_>> {
    run.results
        .iter()
        .map(Column::of)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The counts of each column, in order.
pub(crate) fn counts(run: &Run) -> BTreeMap<Column<'_>, Summary> {
    let mut columns: BTreeMap<Column<'_>, Vec<&CheckResult>> = BTreeMap::new();
    for result in &run.results {
        columns.entry(Column::of(result)).or_default().push(result);
    }
    columns
        .into_iter()
        .map(|(column, results)| (column, Summary::of(results)))
        .collect()
}

/// What a person has to look at: failures, then errors, then warnings, each in the run's order, a
/// check's results of one verdict together.
pub(crate) fn findings(run: &Run) -> Vec<Finding<'_>> {
    [Verdict::Fail, Verdict::Error, Verdict::Warn]
        .into_iter()
        .flat_map(|verdict| {
            let found = run
                .results
                .iter()
                .filter(move |result| result.verdict == verdict);
            grouped(found, |result| &result.check)
                .into_iter()
                .map(move |results| Finding { verdict, results })
        })
        .collect()
}

/// The results of one verdict by what they say, the most frequent first.
pub(crate) fn reasons(run: &Run, verdict: Verdict) -> Vec<Reason<'_>> {
    let found = run
        .results
        .iter()
        .filter(|result| result.verdict == verdict);
    let mut reasons: Vec<_> = grouped(found, |result| &result.message)
        .into_iter()
        .map(|results| Reason {
            message: &results[0].message,
            results,
        })
        .collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.results.len()));
    reasons
}

/// A check whose verdict in one revision depends on the transport.
#[derive(Debug)]
pub(crate) struct Differing<'a> {
    pub(crate) check: &'a str,
    pub(crate) revision: &'a str,
    /// By transport, where it applies.
    pub(crate) verdicts: BTreeMap<&'a str, Verdict>,
}

/// How many pairs of check and revision were judged over more than one transport, and those of them whose
/// verdicts are not all the same, the worst first.
pub(crate) fn differing(run: &Run) -> (usize, Vec<Differing<'_>>) {
    let mut rows: BTreeMap<(&str, &str), BTreeMap<&str, Verdict>> = BTreeMap::new();
    let judged = |result: &&CheckResult| result.verdict != Verdict::NotApplicable;
    for result in run.results.iter().filter(judged) {
        let row = rows.entry((&result.check, &result.revision)).or_default();
        row.insert(&result.transport, result.verdict);
    }
    rows.retain(|_, verdicts| verdicts.len() > 1);
    let compared = rows.len();
    let mut differing: Vec<Differing<'_>> = rows
        .into_iter()
        .filter(|(_, verdicts)| {
            let mut all = verdicts.values();
            let first = all.next();
            all.any(|verdict| Some(verdict) != first)
        })
        .map(|((check, revision), verdicts)| Differing {
            check,
            revision,
            verdicts,
        })
        .collect();
    let worst = |row: &Differing<'_>| row.verdicts.values().max().copied();
    differing.sort_by_key(|row| std::cmp::Reverse(worst(row)));
    (compared, differing)
}

/// Groups by a key, in the order in which keys are first met. No group is empty.
pub(crate) fn grouped<'a>(
    results: impl IntoIterator<Item = &'a CheckResult>,
    key: impl Fn(&'a CheckResult) -> &'a str,
) -> Vec<Vec<&'a CheckResult>> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<Vec<&CheckResult>> = Vec::new();
    for result in results {
        let place = *places.entry(key(result)).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(result);
    }
    groups
}
