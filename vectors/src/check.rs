//! What a vector must be beyond its shape: every name in it leads somewhere, and its severity rests on
//! a statement.

use std::collections::BTreeMap;

use mcp_verdict_wire::Revision;

use crate::{
    diagnostic::ProblemKind,
    ledger::Ledger,
    library::Names,
    model::{CheckId, FaultCase, Level, Outcome, RequirementId, Step, Vector},
    node::{Node, Shape},
    steps::check_steps,
};

/// What is wrong, and a JSON pointer to where.
pub(crate) struct Finding {
    /// What is wrong.
    pub(crate) kind: ProblemKind,
    /// A pointer to the value it is about.
    pub(crate) at: String,
    /// Whether the key is meant rather than the value.
    pub(crate) key: bool,
}

impl Finding {
    /// A finding about a value.
    pub(crate) fn value(at: impl Into<String>, kind: ProblemKind) -> Self {
        Self {
            kind,
            at: at.into(),
            key: false,
        }
    }

    /// A finding about a key.
    pub(crate) fn key(at: impl Into<String>, kind: ProblemKind) -> Self {
        Self {
            kind,
            at: at.into(),
            key: true,
        }
    }

    /// A finding about a value that does not fit.
    pub(crate) fn invalid(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self::value(
            at,
            ProblemKind::Invalid {
                message: message.into(),
            },
        )
    }
}

/// The part that vectors and rules have in common.
pub(crate) struct Claim<'a> {
    /// The id.
    pub(crate) id: &'a CheckId,
    /// The statements, by revision.
    pub(crate) requirements: &'a BTreeMap<Revision, Vec<RequirementId>>,
    /// The level.
    pub(crate) level: Level,
    /// The faults.
    pub(crate) faults: &'a [FaultCase],
    /// A target was found to break it, which shows as well that it can fail.
    pub(crate) found: bool,
}

/// Checks what vectors and rules have in common.
pub(crate) fn check_claim(
    claim: &Claim<'_>,
    node: &Node,
    path: &str,
    ledger: &Ledger,
    names: &Names,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if claim.id.0 != path {
        findings.push(Finding::value(
            "/id",
            ProblemKind::IdIsNotPath {
                path: path.to_owned(),
            },
        ));
    }
    if !claim.id.0.split('/').all(is_word) {
        let message = "an id is words of lower-case letters, digits and `.-_`, joined by `/`";
        findings.push(Finding::invalid("/id", message));
    }
    if claim.level == Level::May {
        findings.push(Finding::invalid("/level", "a check is a MUST or a SHOULD"));
    }
    if claim.requirements.is_empty() {
        findings.push(Finding::invalid("/requirements", "no revision is named"));
    }
    check_requirements(claim, node, ledger, &mut findings);
    check_faults(claim, names, &mut findings);
    findings
}

/// Whether a text is a word of an id.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.bytes().next().is_some_and(plain)
        && text
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'.' | b'-' | b'_'))
}

fn check_requirements(
    claim: &Claim<'_>,
    node: &Node,
    ledger: &Ledger,
    findings: &mut Vec<Finding>,
) {
    let mut known = true;
    for (revision, ids) in claim.requirements {
        let at = requirement_key(node, *revision);
        for id in ids {
            if ledger.find(*revision, id).is_none() {
                known = false;
                let index = position(node, &at, &id.0);
                let kind = ProblemKind::UnknownRequirement {
                    id: id.0.clone(),
                    revisions: vec![*revision],
                    known: ledger.names(*revision, id),
                };
                add_revision(findings, Finding::value(format!("{at}/{index}"), kind));
            }
        }
    }
    // What is told of an unknown statement need not be told of its level too.
    if known {
        check_levels(claim, node, ledger, findings);
    }
}

/// The strongest statement of each revision.
pub(crate) fn strongest(
    requirements: &BTreeMap<Revision, Vec<RequirementId>>,
    ledger: &Ledger,
) -> BTreeMap<Revision, Level> {
    let of = |revision: Revision, ids: &[RequirementId]| {
        let entries = ids.iter().filter_map(|id| ledger.find(revision, id));
        let levels = entries.map(|entry| entry.level);
        levels.max().unwrap_or(Level::May)
    };
    let all = requirements.iter();
    all.map(|(revision, ids)| (*revision, of(*revision, ids)))
        .collect()
}

/// A level needs a statement that is as strong in one revision at least, since it is weakened to what
/// each of the others has; a fault that must lead to `fail` needs a MUST wherever it does.
fn check_levels(claim: &Claim<'_>, node: &Node, ledger: &Ledger, findings: &mut Vec<Finding>) {
    let strongest = strongest(claim.requirements, ledger);
    let founded = strongest
        .values()
        .any(|strongest| *strongest >= claim.level);
    let idle = strongest
        .iter()
        .filter(|(_, strongest)| !founded || **strongest == Level::May);
    for (revision, _) in idle {
        let kind = ProblemKind::Unfounded {
            level: if founded { Level::Should } else { claim.level },
            revisions: vec![*revision],
        };
        add_revision(
            findings,
            Finding::key(requirement_key(node, *revision), kind),
        );
    }
    for (index, case) in claim.faults.iter().enumerate() {
        let here =
            |revision: &Revision| case.revisions.is_empty() || case.revisions.contains(revision);
        let lacking = strongest.iter().filter(|(revision, strongest)| {
            founded && case.verdict == Outcome::Fail && here(revision) && **strongest < Level::Must
        });
        for (revision, _) in lacking {
            let kind = ProblemKind::Unfounded {
                level: Level::Must,
                revisions: vec![*revision],
            };
            let at = format!("/faults/{index}/verdict");
            add_revision(findings, Finding::value(at, kind));
        }
    }
}

/// Adds a finding, or only its revision where the same is already told of another.
fn add_revision(findings: &mut Vec<Finding>, finding: Finding) {
    let told = findings
        .iter_mut()
        .find_map(|told| match (&mut told.kind, &finding.kind) {
            _ if told.at != finding.at => None,
            (
                ProblemKind::UnknownRequirement { revisions, .. },
                ProblemKind::UnknownRequirement {
                    revisions: more, ..
                },
            )
            | (
                ProblemKind::Unfounded { revisions, .. },
                ProblemKind::Unfounded {
                    revisions: more, ..
                },
            ) => Some((revisions, more)),
            _ => None,
        });
    match told {
        Some((revisions, more)) => revisions.extend(more),
        None => findings.push(finding),
    }
}

/// A pointer to the key of `requirements` that stands for a revision, alone or in a range.
fn requirement_key(node: &Node, revision: Revision) -> String {
    let found = node.find("/requirements").map(|keys| &keys.shape);
    let Some(Shape::Map(keys)) = found else {
        return String::new();
    };
    keys.iter()
        .find(|(key, _)| revisions_of(key.key()).is_ok_and(|found| found.contains(&revision)))
        .map_or_else(String::new, |(key, _)| {
            format!("/requirements/{}", key.key())
        })
}

/// Where a statement stands in the list at a pointer.
fn position(node: &Node, at: &str, id: &str) -> usize {
    match node.find(at).map(|list| &list.shape) {
        Some(Shape::List(items)) => items.iter().position(|item| item.key() == id).unwrap_or(0),
        _ => 0,
    }
}

/// The revisions that a key of `requirements` stands for: one, or `A..B` with both ends.
pub(crate) fn revisions_of(key: &str) -> Result<Vec<Revision>, ProblemKind> {
    let one = |name: &str| {
        name.parse::<Revision>().map_err(|_| ProblemKind::Unknown {
            what: "revision",
            name: name.to_owned(),
            known: Revision::ALL.iter().map(ToString::to_string).collect(),
        })
    };
    let (first, last) = match key.split_once("..") {
        Some((first, last)) => (one(first)?, one(last)?),
        None => (one(key)?, one(key)?),
    };
    let all = Revision::ALL
        .into_iter()
        .filter(|revision| (first..=last).contains(revision));
    let all: Vec<Revision> = all.collect();
    if all.is_empty() {
        let message = format!("`{key}` holds no revision: {last} is older than {first}");
        return Err(ProblemKind::Invalid { message });
    }
    Ok(all)
}

fn check_faults(claim: &Claim<'_>, names: &Names, findings: &mut Vec<Finding>) {
    if claim.faults.is_empty() && !claim.found {
        findings.push(Finding::invalid("/faults", NO_FAULT));
    }
    for (index, case) in claim.faults.iter().enumerate() {
        let at = format!("/faults/{index}");
        if let Some(kind) = names.faults.miss("fault", &case.fault) {
            findings.push(Finding::value(format!("{at}/fault"), kind));
        }
        if matches!(case.verdict, Outcome::Pass | Outcome::NotApplicable) {
            let message = "a fault that is caught leads to `fail`, `warn` or `inconclusive`";
            findings.push(Finding::invalid(format!("{at}/verdict"), message));
        }
        for (place, revision) in case.revisions.iter().enumerate() {
            if !claim.requirements.contains_key(revision) {
                let message = format!("the check does not hold in revision {revision}");
                findings.push(Finding::invalid(format!("{at}/revisions/{place}"), message));
            }
        }
    }
}

/// Checks the rest of a vector.
pub(crate) fn check_vector(vector: &Vector, node: &Node, names: &Names) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, fixture) in vector.needs.fixtures.iter().enumerate() {
        if let Some(kind) = names.fixtures.miss("fixture", fixture) {
            findings.push(Finding::value(format!("/needs/fixtures/{index}"), kind));
        }
    }
    for revision in vector.requirements.keys() {
        let runs = |transports: &[mcp_verdict_wire::TransportKind]| {
            transports.is_empty() || transports.iter().any(|kind| kind.carries(*revision))
        };
        if !runs(&vector.transports) {
            let message = format!("none of these transports exists in revision {revision}");
            findings.push(Finding::key(
                "/transports",
                ProblemKind::Invalid { message },
            ));
        }
    }
    if vector.steps.is_empty() {
        findings.push(Finding::invalid(
            "/steps",
            "a vector without steps shows nothing",
        ));
    } else if !vector
        .steps
        .iter()
        .any(|step| matches!(step, Step::Expect(_) | Step::Barrier(_)))
    {
        let message = "a vector without `expect` can never fail".to_owned();
        findings.push(Finding::key("/steps", ProblemKind::Invalid { message }));
    }
    check_steps(vector, node, &mut findings);
    findings
}

/// A `fail` that an author asks for needs a MUST in every revision, whatever the level says.
pub(crate) fn check_severity(vector: &Vector, ledger: &Ledger, findings: &mut Vec<Finding>) {
    let lacking = vector.requirements.iter().find(|(revision, ids)| {
        let levels = ids.iter().filter_map(|id| ledger.find(**revision, id));
        levels.map(|entry| entry.level).max() < Some(Level::Must)
    });
    let Some((revision, _)) = lacking else { return };
    let mut add = |at: String| {
        let kind = ProblemKind::Unfounded {
            level: Level::Must,
            revisions: vec![*revision],
        };
        findings.push(Finding::value(at, kind));
    };
    for (index, step) in vector.steps.iter().enumerate() {
        match step {
            Step::Expect(expect) => {
                for (place, case) in expect.accept.iter().enumerate() {
                    if case.outcome == Outcome::Fail {
                        add(format!("/steps/{index}/expect/accept/{place}/outcome"));
                    }
                }
                if expect.otherwise == Some(Outcome::Fail) {
                    add(format!("/steps/{index}/expect/otherwise"));
                }
            }
            Step::Capture(capture) if capture.otherwise == Some(Outcome::Fail) => {
                add(format!("/steps/{index}/capture/otherwise"));
            }
            _ => {}
        }
    }
}

const NO_FAULT: &str = "a check names at least one fault that it must catch";
