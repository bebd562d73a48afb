//! Passive checks: observers that hold on every exchange of every transcript.
//!
//! What a rule is about is data (`vectors/rules/`); what it looks at is code here, found by its id.

mod asking;
mod content;
mod errors;
mod grpc;
mod http;
mod input;
mod messages;
mod modern;
mod notifications;
mod progress;
mod reach;
mod requests;
mod responses;
mod results;
mod stdio;
mod streams;
mod subscriptions;
mod tools;
mod ws;

use std::sync::LazyLock;

use mcp_verdict_vectors::model::Outcome;

use crate::view::View;

/// A passive check.
pub trait Rule: Sync {
    /// Its id, equal to that of its text: `rules/AREA/NAME`.
    fn id(&self) -> &'static str;

    /// What it sees in one transcript.
    fn observe(&self, view: &View<'_>) -> Observation;
}

/// What a rule saw in one transcript.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// There was something to look at. A rule that never was exercised is inconclusive, not passed.
    pub exercised: bool,
    /// What was not as it should be.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// What it means; `None` for what the rule's level says.
    pub outcome: Option<Outcome>,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// Where: indices of events.
    pub evidence: Vec<usize>,
}

impl Observation {
    /// Notes that there was something to look at.
    pub fn exercise(&mut self) {
        self.exercised = true;
    }

    /// Notes a violation, which means what the rule's level says.
    pub fn find(
        &mut self,
        expected: impl Into<String>,
        actual: impl Into<String>,
        evidence: impl IntoIterator<Item = usize>,
    ) {
        self.add(None, expected.into(), actual.into(), evidence);
    }

    /// Notes a violation that means `outcome`, whatever the rule's level.
    pub fn find_as(
        &mut self,
        outcome: Outcome,
        expected: impl Into<String>,
        actual: impl Into<String>,
        evidence: impl IntoIterator<Item = usize>,
    ) {
        self.add(Some(outcome), expected.into(), actual.into(), evidence);
    }

    /// Of many findings alike the first ones tell all there is to tell.
    fn add(
        &mut self,
        outcome: Option<Outcome>,
        expected: String,
        actual: String,
        evidence: impl IntoIterator<Item = usize>,
    ) {
        self.exercised = true;
        let alike = |finding: &&Finding| finding.outcome == outcome;
        if self.findings.iter().filter(alike).count() < FINDINGS_MAX {
            self.findings.push(Finding {
                outcome,
                expected,
                actual,
                evidence: evidence.into_iter().collect(),
            });
        }
    }
}

/// Findings of one outcome that a rule keeps of one transcript.
const FINDINGS_MAX: usize = 100;

/// Every rule, in the order of their ids.
#[must_use]
pub fn all() -> &'static [&'static dyn Rule] {
    static ALL: LazyLock<Vec<&'static dyn Rule>> = LazyLock::new(|| {
        let families = [
            asking::RULES,
            content::RULES,
            errors::RULES,
            grpc::RULES,
            http::RULES,
            input::RULES,
            messages::RULES,
            modern::RULES,
            notifications::RULES,
            progress::RULES,
            requests::RULES,
            responses::RULES,
            results::RULES,
            stdio::RULES,
            streams::RULES,
            subscriptions::RULES,
            tools::RULES,
            ws::RULES,
        ];
        let mut rules: Vec<&'static dyn Rule> = Vec::new();
        for rule in families.into_iter().flatten() {
            rules.push(rule);
        }
        rules.sort_by_key(|rule| rule.id());
        rules
    });
    &ALL
}

/// A rule that is a function.
struct Watch {
    id: &'static str,
    observe: fn(&View<'_>, &mut Observation),
}

impl Rule for Watch {
    fn id(&self) -> &'static str {
        self.id
    }

    fn observe(&self, view: &View<'_>) -> Observation {
        let mut seen = Observation::default();
        (self.observe)(view, &mut seen);
        seen
    }
}
