//! Gathers what vectors and rules find over all transcripts into one result for each check, revision and
//! transport.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_results::{CheckResult, Kind, Verdict};
use mcp_verdict_vectors::{
    Library,
    model::{CheckId, Outcome, RuleText, Vector},
};
use mcp_verdict_wire::{Revision, TransportKind, transcript::Transcript};

use super::{
    expect::by_level,
    results::{About, begin_us, reproduce},
    timeline,
    walk::{self, verdict_of},
};
use crate::{
    rules::{Finding, Rule},
    view::View,
};

/// A vector that does not run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The vector.
    pub check: CheckId,
    /// In which revision.
    pub revision: Revision,
    /// Over which transport.
    pub transport: TransportKind,
    /// `NotApplicable` or `Inconclusive`.
    pub verdict: Verdict,
    /// Why, and where that helps: what to do about it.
    pub reason: String,
}

/// Judges transcripts one by one, in any order, and gives the results in check order.
pub struct Judge<'l> {
    library: &'l Library,
    rules: &'l [&'l dyn Rule],
    results: BTreeMap<Key, CheckResult>,
    watches: BTreeMap<Key, Watch>,
    ways: BTreeSet<(Revision, TransportKind)>,
}

type Key = (String, Revision, TransportKind);

/// What one rule saw so far in one revision over one transport.
#[derive(Debug, Default)]
struct Watch {
    exercised: bool,
    findings: usize,
    worst: Option<Worst>,
}

/// A rule's worst finding, with where it was.
#[derive(Debug)]
struct Worst {
    verdict: Verdict,
    check: String,
    result: CheckResult,
}

/// Judges finished transcripts: `planned` are the vectors that did not run.
#[must_use]
pub fn transcripts(
    library: &Library,
    rules: &[&dyn Rule],
    transcripts: &[Transcript],
    planned: &[Planned],
) -> Vec<CheckResult> {
    let mut judge = Judge::new(library, rules);
    for transcript in transcripts {
        judge.add(transcript);
    }
    for planned in planned {
        judge.plan(planned);
    }
    judge.finish(|_| true)
}

/// What one rule found in one transcript.
#[derive(Clone, Debug)]
pub struct Watched<'l> {
    /// The rule.
    pub rule: &'l RuleText,
    /// What it found.
    pub finding: Finding,
    /// What that means in the transcript's revision.
    pub verdict: Verdict,
}

/// What the rules that apply find in one transcript.
#[must_use]
pub fn watch<'l>(library: &'l Library, rules: &[&dyn Rule], view: &View<'_>) -> Vec<Watched<'l>> {
    let mut all = Vec::new();
    for text in library.rules.iter().filter(|text| applies(text, view)) {
        let Some(rule) = rules.iter().find(|rule| rule.id() == text.id.0) else {
            continue;
        };
        let found = rule.observe(view).findings.into_iter();
        all.extend(found.map(|finding| Watched {
            rule: text,
            verdict: verdict_of(severity(text, view.head.revision, finding.outcome)),
            finding,
        }));
    }
    all
}

impl<'l> Judge<'l> {
    /// With nothing judged yet.
    #[must_use]
    pub fn new(library: &'l Library, rules: &'l [&'l dyn Rule]) -> Self {
        Self {
            library,
            rules,
            results: BTreeMap::new(),
            watches: BTreeMap::new(),
            ways: BTreeSet::new(),
        }
    }

    /// Judges one transcript by its vector and by every rule. Gives the vector's result.
    pub fn add(&mut self, transcript: &Transcript) -> &CheckResult {
        self.add_read(transcript, &View::of(transcript))
    }

    /// As [`Judge::add`], of a transcript that was read already.
    pub(crate) fn add_read(&mut self, transcript: &Transcript, view: &View<'_>) -> &CheckResult {
        let head = &transcript.head;
        self.ways.insert((head.revision, head.transport));
        let library = self.library;
        for text in library.rules.iter().filter(|text| applies(text, view)) {
            if let Some(rule) = self.rules.iter().find(|rule| rule.id() == text.id.0) {
                self.observe(*rule, text, transcript, view);
            }
        }
        let result = match library
            .vectors
            .iter()
            .find(|vector| vector.id.0 == head.check)
        {
            Some(vector) => {
                let judgement = walk::vector(vector, view);
                about(vector).judged(library, transcript, view, judgement)
            }
            None => unknown(library, transcript),
        };
        let key = (head.check.clone(), head.revision, head.transport);
        self.results.insert(key.clone(), result);
        &self.results[&key]
    }

    /// Notes a vector that does not run.
    pub fn plan(&mut self, planned: &Planned) {
        let library = self.library;
        let Some(vector) = library
            .vectors
            .iter()
            .find(|vector| vector.id == planned.check)
        else {
            return;
        };
        self.ways.insert((planned.revision, planned.transport));
        let key = (planned.check.0.clone(), planned.revision, planned.transport);
        self.results.entry(key).or_insert_with(|| {
            about(vector).result(
                library,
                planned.revision,
                planned.transport,
                planned.verdict,
                planned.reason.clone(),
            )
        });
    }

    fn observe(
        &mut self,
        rule: &dyn Rule,
        text: &RuleText,
        transcript: &Transcript,
        view: &View<'_>,
    ) {
        let observation = rule.observe(view);
        let head = &transcript.head;
        let key = (text.id.0.clone(), head.revision, head.transport);
        let watch = self.watches.entry(key).or_default();
        watch.exercised |= observation.exercised;
        watch.findings += observation.findings.len();
        for finding in observation.findings {
            let verdict = verdict_of(severity(text, head.revision, finding.outcome));
            let worse = watch.worst.as_ref().is_none_or(|worst| {
                verdict > worst.verdict || (verdict == worst.verdict && head.check < worst.check)
            });
            if worse && verdict != Verdict::Pass {
                let result = found(self.library, text, transcript, view, finding, verdict);
                watch.worst = Some(Worst {
                    verdict,
                    check: head.check.clone(),
                    result,
                });
            }
        }
    }

    /// The results of the checks that are `wanted`, in the order check, revision, transport.
    #[must_use]
    pub fn finish(mut self, wanted: impl Fn(&str) -> bool) -> Vec<CheckResult> {
        let library = self.library;
        for text in &library.rules {
            for (revision, transport) in self.ways.clone() {
                let key = (text.id.0.clone(), revision, transport);
                let watch = self.watches.remove(&key).unwrap_or_default();
                let known = self.rules.iter().any(|rule| rule.id() == text.id.0);
                // The protobuf binding has few requests, and declares nothing.
                let mut result = of_rule(library, text, revision, transport, watch, known);
                if result.verdict == Verdict::Inconclusive && transport == TransportKind::GrpcNative
                {
                    result.verdict = Verdict::NotApplicable;
                    result.message =
                        format!("what puts it to the test cannot be expressed over {transport}");
                }
                self.results.insert(key, result);
            }
        }
        self.results
            .into_values()
            .filter(|result| wanted(&result.check))
            .collect()
    }
}

impl std::fmt::Debug for Judge<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Judge")
            .field("results", &self.results.len())
            .finish_non_exhaustive()
    }
}

/// What a finding means: what the rule says itself, unless the revision demands less.
fn severity(text: &RuleText, revision: Revision, outcome: Option<Outcome>) -> Outcome {
    let due = by_level(text.level_in(revision));
    match outcome {
        Some(Outcome::Fail) | None => due,
        Some(milder) => milder,
    }
}

fn about(vector: &Vector) -> About<'_> {
    About {
        id: &vector.id,
        title: &vector.title,
        level: vector.level,
        strongest: &vector.strongest,
        kind: Kind::Vector,
        requirements: &vector.requirements,
    }
}

fn about_rule(text: &RuleText) -> About<'_> {
    About {
        id: &text.id,
        title: &text.title,
        level: text.level,
        strongest: &text.strongest,
        kind: Kind::Rule,
        requirements: &text.requirements,
    }
}

fn applies(text: &RuleText, view: &View<'_>) -> bool {
    why_not(text, view.head.revision, view.head.transport).is_none()
}

/// Why a rule says nothing about a revision and transport.
fn why_not(text: &RuleText, revision: Revision, transport: TransportKind) -> Option<String> {
    if !text.requirements.contains_key(&revision) {
        Some(format!("this is not about revision {revision}"))
    } else if !text.transports.is_empty() && !text.transports.contains(&transport) {
        Some(format!("this is not about {transport}"))
    } else {
        None
    }
}

/// The result of one finding of a rule.
fn found(
    library: &Library,
    text: &RuleText,
    transcript: &Transcript,
    view: &View<'_>,
    finding: Finding,
    verdict: Verdict,
) -> CheckResult {
    let head = &transcript.head;
    let shown = timeline::around(&transcript.events, begin_us(view), &finding.evidence);
    let message = format!("in `{}`: {}", head.check, finding.actual);
    let plain = about_rule(text).result(library, head.revision, head.transport, verdict, message);
    CheckResult {
        expected: Some(finding.expected),
        actual: Some(finding.actual),
        evidence: shown.evidence,
        exchange: shown.entries,
        reproduce: reproduce(head, &[&text.id.0, &head.check]),
        ..plain
    }
}

/// The result of a rule over all transcripts of one revision and transport.
fn of_rule(
    library: &Library,
    text: &RuleText,
    revision: Revision,
    transport: TransportKind,
    watch: Watch,
    known: bool,
) -> CheckResult {
    let plain =
        |verdict, message| about_rule(text).result(library, revision, transport, verdict, message);
    match (why_not(text, revision, transport), watch.worst) {
        (Some(why), _) => plain(Verdict::NotApplicable, why),
        (None, _) if !known => plain(
            Verdict::Error,
            "this suite has no code for the rule".to_owned(),
        ),
        (None, Some(worst)) => {
            let mut result = worst.result;
            if watch.findings > 1 {
                result
                    .message
                    .push_str(&format!(" (and {} more like it)", watch.findings - 1));
            }
            result
        }
        (None, None) if watch.exercised => plain(Verdict::Pass, text.title.clone()),
        (None, None) => plain(
            Verdict::Inconclusive,
            "nothing in this run's exchanges put the rule to the test".to_owned(),
        ),
    }
}

/// A transcript of a check that this suite does not have.
fn unknown(library: &Library, transcript: &Transcript) -> CheckResult {
    let head = &transcript.head;
    let id = CheckId(head.check.clone());
    let about = About {
        id: &id,
        title: "a check that this suite does not know",
        level: mcp_verdict_vectors::model::Level::Must,
        strongest: &BTreeMap::new(),
        kind: Kind::Vector,
        requirements: &BTreeMap::new(),
    };
    let message = format!(
        "this suite has no check `{id}`; its transcript is from {}",
        head.suite
    );
    about.result(
        library,
        head.revision,
        head.transport,
        Verdict::Error,
        message,
    )
}
