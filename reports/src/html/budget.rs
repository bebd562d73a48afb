//! How much of each exchange the page shows, so that it stays small whatever the target sends.

use mcp_verdict_results::{CheckResult, Verdict};

/// How much of a result's exchange is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Share {
    /// Every entry.
    All,
    /// The entries that are evidence.
    Evidence,
    /// None.
    Nothing,
}

/// Shares the page out among the results: the worst verdicts first, each as much as is left. What
/// passed has a budget of its own, so that it takes nothing from the others.
pub(super) fn shares(results: &[CheckResult]) -> Vec<Share> {
    let mut shares = vec![Share::Nothing; results.len()];
    let mut order: Vec<usize> = (0..results.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(results[index].verdict));
    let (mut left, mut left_passed) = (FOUND_BYTES_MAX, PASSED_BYTES_MAX);
    for index in order {
        let result = &results[index];
        let left = if result.verdict > Verdict::Pass {
            &mut left
        } else {
            &mut left_passed
        };
        let all = weight(result.exchange.iter());
        let evidence = weight(
            result
                .evidence
                .iter()
                .filter_map(|&index| result.exchange.get(index)),
        );
        let (share, weight) = match *left {
            left if all <= left => (Share::All, all),
            left if evidence > 0 && evidence <= left => (Share::Evidence, evidence),
            _ => (Share::Nothing, 0),
        };
        shares[index] = share;
        *left -= weight;
    }
    shares
}

/// About how many bytes of the page these entries take.
fn weight<'a>(entries: impl Iterator<Item = &'a mcp_verdict_results::Entry>) -> usize {
    entries
        .map(|entry| ENTRY_BYTES + 2 * entry.text.len().min(TEXT_BYTES_MAX))
        .sum()
}

/// What the exchanges of a comparison take.
#[derive(Debug, Default)]
pub(crate) struct Spent(usize);

impl Spent {
    /// Whether there is still room for an entry, which then takes it.
    pub(crate) fn has_room(&mut self, entry: &mcp_verdict_results::Entry) -> bool {
        let weight = weight(std::iter::once(entry));
        let fits = self.0 + weight <= FOUND_BYTES_MAX;
        self.0 += if fits { weight } else { 0 };
        fits
    }
}

/// As much of one entry's text as is shown.
pub(super) const TEXT_BYTES_MAX: usize = 16 * 1024;
/// For exchanges of all that did not pass.
const FOUND_BYTES_MAX: usize = 4 * 1024 * 1024;
/// For exchanges of what passed, or did not apply.
const PASSED_BYTES_MAX: usize = 1024 * 1024;
/// The markup round one entry.
const ENTRY_BYTES: usize = 160;
