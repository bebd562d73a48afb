//! How a verdict looks: its sign and its words. Never its colour alone.

use mcp_verdict_results::Verdict;

/// Every verdict in the order in which a report counts them: what matters most first.
pub(crate) const SHOWN: [Verdict; 6] = [
    Verdict::Fail,
    Verdict::Error,
    Verdict::Warn,
    Verdict::Inconclusive,
    Verdict::Pass,
    Verdict::NotApplicable,
];

/// One character that stands for it.
pub(crate) const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "–",
        Verdict::Pass => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Warn => "!",
        Verdict::Fail => "✗",
        Verdict::Error => "E",
    }
}

/// Its name in a heading.
pub(crate) const fn heading(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "not applicable",
        Verdict::Pass => "pass",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Warn => "warn",
        Verdict::Fail => "fail",
        Verdict::Error => "error",
    }
}

/// What is said of a number of results: `3 failed`.
pub(crate) const fn participle(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "not applicable",
        Verdict::Pass => "passed",
        Verdict::Inconclusive => "inconclusive",
        Verdict::Warn => "warned",
        Verdict::Fail => "failed",
        Verdict::Error => "in error",
    }
}
