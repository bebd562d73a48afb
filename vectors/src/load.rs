//! From a file's text to a vector or a rule, or to everything that is wrong with it.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use mcp_verdict_wire::{NetworkFault, Revision, TransportKind};
use serde::{Deserialize, Deserializer, de::Error};

use crate::{
    check::{Claim, Finding, check_claim, check_severity, check_vector, revisions_of, strongest},
    decode::decode,
    diagnostic::{Problem, ProblemKind, line_of},
    ledger::Ledger,
    library::Names,
    model::{
        CaptureStep, CheckId, Client, Expect, FaultCase, Found, Level, Needs, RequirementId,
        RuleText, SessionMode, Step, Subject, Vector,
    },
    node::Node,
};

/// A file to read.
#[derive(Clone, Copy)]
pub(crate) struct File<'a> {
    /// Its path below the folder of vectors, without `.yaml`.
    pub(crate) path: &'a str,
    /// Its name, as shown to a person.
    pub(crate) source: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
}

/// A vector as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VectorFile {
    id: CheckId,
    title: String,
    #[serde(default)]
    description: Option<String>,
    level: Level,
    requirements: BTreeMap<String, Vec<RequirementId>>,
    #[serde(default, deserialize_with = "transports")]
    transports: Vec<TransportKind>,
    #[serde(default)]
    session: SessionMode,
    #[serde(default)]
    client: Client,
    #[serde(default)]
    needs: Needs,
    #[serde(default)]
    network: BTreeMap<String, NetworkFault>,
    #[serde(default)]
    faults: Option<Vec<FaultCase>>,
    #[serde(default)]
    found: Option<Found>,
    steps: Vec<Step>,
}

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    id: CheckId,
    title: String,
    #[serde(default)]
    description: Option<String>,
    level: Level,
    requirements: BTreeMap<String, Vec<RequirementId>>,
    #[serde(default, deserialize_with = "transports")]
    transports: Vec<TransportKind>,
    faults: Vec<FaultCase>,
    #[serde(default)]
    provoked_by: Vec<CheckId>,
}

/// A list of transports, in which a group stands for those that are alike.
pub(crate) fn transports<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<TransportKind>, D::Error> {
    let mut transports = Vec::new();
    for name in Vec::<String>::deserialize(deserializer)? {
        let all = TransportKind::ALL.into_iter();
        match name.as_str() {
            "channels" => transports.extend(all.filter(|it| it.is_channel())),
            "custom" => transports.extend(all.filter(|it| it.is_custom())),
            "lines" => transports.extend(all.filter(|it| it.has_lines())),
            _ => transports.push(name.parse().map_err(D::Error::custom)?),
        }
    }
    transports.sort_unstable();
    transports.dedup();
    Ok(transports)
}

/// A vector that has been read.
pub(crate) struct VectorRead {
    /// The vector.
    pub(crate) vector: Vector,
    /// The rules it looks at, each with the problem there is if it is not there.
    pub(crate) watched: Vec<(CheckId, Problem)>,
}

/// Reads a vector.
pub(crate) fn vector(
    file: File<'_>,
    ledger: &mut Ledger,
    names: &Names,
) -> Result<VectorRead, Vec<Problem>> {
    let node = Node::parse(file.text).map_err(|refusal| vec![file.problem(refusal)])?;
    let text: VectorFile = decode(&node).map_err(|refusal| vec![file.problem(refusal)])?;
    if text.faults.is_none() && text.found.is_none() {
        let key = "faults".to_owned();
        return Err(vec![
            file.problem((ProblemKind::MissingKey { key }, node.place(""))),
        ]);
    }
    let requirements =
        expand(&text.requirements, &node).map_err(|refused| vec![file.problem(refused)])?;
    admit(&requirements, ledger);
    let mut vector = Vector {
        id: text.id,
        title: text.title,
        description: text.description,
        strongest: strongest(&requirements, ledger),
        requirements,
        level: text.level,
        transports: text.transports,
        session: text.session,
        client: text.client,
        needs: text.needs,
        network: text.network,
        faults: text.faults.unwrap_or_default(),
        found: text.found,
        steps: text.steps,
        source: file.source.to_owned(),
        text: file.text.to_owned(),
    };
    for (index, step) in vector.steps.iter_mut().enumerate() {
        if let Step::Expect(expect) = step {
            let place = node.key_place(&format!("/steps/{index}/expect"));
            expect.line = line_of(file.text, place.start);
        }
    }
    let claim = Claim {
        id: &vector.id,
        requirements: &vector.requirements,
        level: vector.level,
        faults: &vector.faults,
        found: vector.found.is_some(),
    };
    let mut findings = check_claim(&claim, &node, file.path, ledger, names);
    if findings.is_empty() {
        // A `fail` without a statement is told once.
        check_severity(&vector, ledger, &mut findings);
    }
    findings.extend(check_vector(&vector, &node, names));
    file.refuse(&node, findings)?;
    let watched = watched(&vector, &node, file);
    Ok(VectorRead { vector, watched })
}

/// The rules that a vector looks at.
fn watched(vector: &Vector, node: &Node, file: File<'_>) -> Vec<(CheckId, Problem)> {
    let steps = vector.steps.iter().enumerate();
    let looks = steps.filter_map(|(index, step)| match step {
        Step::Expect(Expect {
            subject: Subject::Rule(id),
            ..
        }) => Some((id, format!("/steps/{index}/expect/rule"))),
        Step::Capture(CaptureStep {
            from: Subject::Rule(id),
            ..
        }) => Some((id, format!("/steps/{index}/capture/from/rule"))),
        _ => None,
    });
    let named = looks.map(|(id, at)| {
        let id = CheckId(id.clone());
        let problem = file.unknown("rule", &id, node.place(&at));
        (id, problem)
    });
    named.collect()
}

/// A rule that has been read.
pub(crate) struct RuleRead {
    /// The rule.
    pub(crate) rule: RuleText,
    /// The vectors it names, each with the problem there is if it is not there.
    pub(crate) named: Vec<(CheckId, Problem)>,
}

/// Reads a rule.
pub(crate) fn rule(
    file: File<'_>,
    ledger: &mut Ledger,
    names: &Names,
) -> Result<RuleRead, Vec<Problem>> {
    let node = Node::parse(file.text).map_err(|refusal| vec![file.problem(refusal)])?;
    let text: RuleFile = decode(&node).map_err(|refusal| vec![file.problem(refusal)])?;
    let requirements =
        expand(&text.requirements, &node).map_err(|refused| vec![file.problem(refused)])?;
    admit(&requirements, ledger);
    let rule = RuleText {
        id: text.id,
        title: text.title,
        description: text.description,
        strongest: strongest(&requirements, ledger),
        requirements,
        level: text.level,
        transports: text.transports,
        faults: text.faults,
        provoked_by: text.provoked_by,
        source: file.source.to_owned(),
    };
    let claim = Claim {
        id: &rule.id,
        requirements: &rule.requirements,
        level: rule.level,
        faults: &rule.faults,
        found: false,
    };
    let findings = check_claim(&claim, &node, file.path, ledger, names);
    file.refuse(&node, findings)?;
    let named = rule.provoked_by.iter().enumerate().map(|(index, id)| {
        let span = node.place(&format!("/provoked_by/{index}"));
        (id.clone(), file.unknown("vector", id, span))
    });
    let named = named.collect();
    Ok(RuleRead { rule, named })
}

impl File<'_> {
    /// A check is named that is not there; those that are, are known later.
    fn unknown(self, what: &'static str, id: &CheckId, span: Range<usize>) -> Problem {
        let kind = ProblemKind::Unknown {
            what,
            name: id.0.clone(),
            known: Vec::new(),
        };
        self.problem((kind, span))
    }

    /// A problem of this file.
    pub(crate) fn problem(self, (kind, span): (ProblemKind, Range<usize>)) -> Problem {
        Problem {
            kind,
            source: self.source.to_owned(),
            text: Arc::from(self.text),
            span,
        }
    }

    /// Turns findings into problems, in file order.
    fn refuse(self, node: &Node, findings: Vec<Finding>) -> Result<(), Vec<Problem>> {
        let mut problems: Vec<Problem> = findings
            .into_iter()
            .map(|finding| {
                let span = if finding.key {
                    node.key_place(&finding.at)
                } else {
                    node.place(&finding.at)
                };
                self.problem((finding.kind, span))
            })
            .collect();
        problems.sort_by_key(|problem| problem.span.start);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

/// Spells out the ranges of revisions.
fn expand(
    written: &BTreeMap<String, Vec<RequirementId>>,
    node: &Node,
) -> Result<BTreeMap<Revision, Vec<RequirementId>>, (ProblemKind, Range<usize>)> {
    let mut expanded = BTreeMap::new();
    for (key, ids) in written {
        let place = || node.key_place(&format!("/requirements/{key}"));
        for revision in revisions_of(key).map_err(|kind| (kind, place()))? {
            if expanded.insert(revision, ids.clone()).is_some() {
                return Err((
                    ProblemKind::DuplicateKey {
                        key: revision.to_string(),
                    },
                    place(),
                ));
            }
        }
    }
    Ok(expanded)
}

/// Makes the definitions known that a check names.
fn admit(requirements: &BTreeMap<Revision, Vec<RequirementId>>, ledger: &mut Ledger) {
    for (revision, ids) in requirements {
        for id in ids {
            ledger.admit(*revision, id);
        }
    }
}
