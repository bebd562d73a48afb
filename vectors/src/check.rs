//! What a vector must be beyond its shape: every name in it leads somewhere, and its severity rests on
//! a statement.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_wire::Revision;

use crate::{
    diagnostic::ProblemKind,
    ledger::Ledger,
    library::Names,
    model::{
        CheckId, FaultCase, Level, Outcome, RawStep, RequirementId, Step, Subject, Vector,
        WindowStep,
    },
    node::{Node, Shape},
    pattern::{OPERATORS, check_pattern},
    template::{malformed, references_in, root_of},
    text_format::is_base64,
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
    fn value(at: impl Into<String>, kind: ProblemKind) -> Self {
        Self {
            kind,
            at: at.into(),
            key: false,
        }
    }

    fn key(at: impl Into<String>, kind: ProblemKind) -> Self {
        Self {
            kind,
            at: at.into(),
            key: true,
        }
    }

    fn invalid(at: impl Into<String>, message: impl Into<String>) -> Self {
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

fn check_requirements(
    claim: &Claim<'_>,
    node: &Node,
    ledger: &Ledger,
    findings: &mut Vec<Finding>,
) {
    // A fault that must lead to `fail` needs a MUST as much as the level does.
    let fails = claim
        .faults
        .iter()
        .any(|case| case.verdict == Outcome::Fail);
    let level = if fails { Level::Must } else { claim.level };
    for (revision, ids) in claim.requirements {
        let at = requirement_key(node, *revision);
        let mut known = true;
        for id in ids {
            if ledger.find(*revision, id).is_none() {
                known = false;
                let index = position(node, &at, &id.0);
                let kind = ProblemKind::UnknownRequirement {
                    id: id.0.clone(),
                    revisions: vec![*revision],
                    known: ledger.names(*revision),
                };
                add_revision(findings, Finding::value(format!("{at}/{index}"), kind));
            }
        }
        let strongest = ids
            .iter()
            .filter_map(|id| ledger.find(*revision, id))
            .map(|entry| entry.level)
            .max();
        if known && strongest.is_none_or(|strongest| strongest < level) {
            let kind = ProblemKind::Unfounded {
                level,
                revisions: vec![*revision],
            };
            add_revision(findings, Finding::key(at, kind));
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
    if claim.faults.is_empty() {
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

/// What the steps so far have given a name.
#[derive(Default)]
struct Scope {
    /// Labels of what was sent.
    sent: BTreeSet<String>,
    /// Labels of listings.
    pages: BTreeSet<String>,
    /// Variables.
    variables: BTreeSet<String>,
}

fn check_steps(vector: &Vector, node: &Node, findings: &mut Vec<Finding>) {
    let mut scope = Scope::default();
    let fixtures = vector
        .needs
        .fixtures
        .iter()
        .map(|name| name.replace('-', "_"));
    scope
        .variables
        .extend(fixtures.chain(BUILT_IN.map(str::to_owned)));
    if let Some(client) = node.find("/client") {
        check_references(client, "/client", &scope, findings);
    }
    let steps = node.find("/steps").map(|steps| &steps.shape);
    let Some(Shape::List(nodes)) = steps else {
        return;
    };
    for (index, (step, node)) in vector.steps.iter().zip(nodes).enumerate() {
        let at = format!("/steps/{index}");
        check_references(node, &at, &scope, findings);
        check_step(step, node, &at, &mut scope, findings);
    }
}

/// Every `${…}` in the strings below a node must be known by now.
fn check_references(node: &Node, at: &str, scope: &Scope, findings: &mut Vec<Finding>) {
    match &node.shape {
        Shape::String(text) => check_text(text, at, false, scope, findings),
        Shape::List(items) => {
            for (index, item) in items.iter().enumerate() {
                check_references(item, &format!("{at}/{index}"), scope, findings);
            }
        }
        Shape::Map(members) => {
            for (key, value) in members {
                let at = format!("{at}/{}", key.key().replace('~', "~0").replace('/', "~1"));
                check_text(key.key(), &at, true, scope, findings);
                check_references(value, &at, scope, findings);
            }
        }
        _ => {}
    }
}

/// Every `${…}` in one string must be known by now.
fn check_text(text: &str, at: &str, key: bool, scope: &Scope, findings: &mut Vec<Finding>) {
    if malformed(text).is_some() {
        let message = "`${` without a name and a `}`; write `$${` for the characters".to_owned();
        let kind = ProblemKind::Invalid { message };
        findings.push(Finding {
            kind,
            at: at.to_owned(),
            key,
        });
    }
    for reference in references_in(text) {
        let root = root_of(&reference);
        let known = [&scope.variables, &scope.sent, &scope.pages];
        if !known.iter().any(|names| names.contains(root)) {
            let known = known
                .iter()
                .flat_map(|names| names.iter().cloned())
                .collect();
            let kind = ProblemKind::Unknown {
                what: "name",
                name: root.to_owned(),
                known,
            };
            findings.push(Finding {
                kind,
                at: at.to_owned(),
                key,
            });
        }
    }
}

fn check_step(step: &Step, node: &Node, at: &str, scope: &mut Scope, findings: &mut Vec<Finding>) {
    let mut defines = None;
    match step {
        Step::Request(step) => defines = step.label.as_ref().map(|label| (label, "request")),
        Step::Notify(step) => defines = step.label.as_ref().map(|label| (label, "notify")),
        Step::Send(step) => defines = step.label.as_ref().map(|label| (label, "send")),
        Step::SendRaw(step) => {
            check_raw(step, at, findings);
            defines = step.label.as_ref().map(|label| (label, "send_raw"));
        }
        Step::Http(step) => {
            if step.json.is_some() && step.text.is_some() {
                findings.push(Finding::invalid(format!("{at}/http/text"), "a second body"));
            }
            defines = Some((&step.label, "http"));
        }
        Step::OpenStream(step) => defines = Some((&step.label, "open_stream")),
        Step::Drop(step) => check_label(&step.of, &scope.sent, &format!("{at}/drop/of"), findings),
        Step::Cancel(step) => {
            check_label(
                &step.request,
                &scope.sent,
                &format!("{at}/cancel/request"),
                findings,
            );
        }
        Step::Signal(step) => {
            if !SIGNALS.contains(&step.name.as_str()) {
                let kind = ProblemKind::Unknown {
                    what: "signal",
                    name: step.name.clone(),
                    known: SIGNALS.map(str::to_owned).to_vec(),
                };
                findings.push(Finding::value(format!("{at}/signal/name"), kind));
            }
        }
        Step::Window(WindowStep { ms }) if *ms > WINDOW_MS_MAX => {
            let message = format!("a window of more than {WINDOW_MS_MAX} ms");
            findings.push(Finding::invalid(format!("{at}/window/ms"), message));
        }
        Step::Pages(step) => {
            if !scope.pages.insert(step.label.clone()) {
                findings.push(taken(&step.label, format!("{at}/pages/as")));
            }
        }
        Step::Expect(expect) => {
            check_subject(&expect.subject, &format!("{at}/expect"), scope, findings);
            let short = node.find("/expect/match").is_some();
            for (place, case) in expect.accept.iter().enumerate() {
                let place = if short {
                    String::new()
                } else {
                    format!("/accept/{place}")
                };
                if let Some(pattern) = &case.pattern {
                    check_one_pattern(pattern, &format!("{at}/expect{place}/match"), findings);
                }
            }
        }
        Step::Capture(step) => {
            check_subject(&step.from, &format!("{at}/capture/from"), scope, findings);
            if step
                .pointer
                .as_ref()
                .is_some_and(|at| !at.is_empty() && !at.starts_with('/'))
            {
                let message = "a JSON pointer is empty or starts with `/`";
                findings.push(Finding::invalid(format!("{at}/capture/pointer"), message));
            }
            if !scope.variables.insert(step.name.clone()) {
                findings.push(taken(&step.name, format!("{at}/capture/name")));
            }
        }
        Step::CloseStdin(_) | Step::Barrier(_) | Step::Window(_) => {}
    }
    if let Some((label, step)) = defines
        && !scope.sent.insert(label.clone())
    {
        findings.push(taken(label, format!("{at}/{step}/as")));
    }
}

fn check_raw(step: &RawStep, at: &str, findings: &mut Vec<Finding>) {
    match (&step.text, &step.base64) {
        (Some(_), None) => {}
        (None, Some(base64)) if is_base64(base64) => {}
        (None, Some(_)) => {
            findings.push(Finding::invalid(
                format!("{at}/send_raw/base64"),
                "this is no base64",
            ));
        }
        _ => {
            let message = "`send_raw` has either `text` or `base64`".to_owned();
            findings.push(Finding::key(
                format!("{at}/send_raw"),
                ProblemKind::Invalid { message },
            ));
        }
    }
}

fn check_subject(subject: &Subject, at: &str, scope: &Scope, findings: &mut Vec<Finding>) {
    match subject {
        Subject::Response(label) => {
            // The requests of a listing are named after it and their place.
            let page = label.rsplit_once('.').is_some_and(|(name, number)| {
                scope.pages.contains(name) && number.bytes().all(|byte| byte.is_ascii_digit())
            });
            if !page {
                check_label(label, &scope.sent, &format!("{at}/response"), findings);
            }
        }
        Subject::Http(label) => check_label(label, &scope.sent, &format!("{at}/http"), findings),
        Subject::Stream(label) => {
            check_label(label, &scope.sent, &format!("{at}/stream"), findings)
        }
        Subject::Replies(label) => {
            check_label(label, &scope.sent, &format!("{at}/replies"), findings);
        }
        Subject::Pages(label) => check_label(label, &scope.pages, &format!("{at}/pages"), findings),
        Subject::Message(pattern) => {
            check_one_pattern(pattern, &format!("{at}/message"), findings);
        }
        Subject::Messages(pattern) => {
            check_one_pattern(pattern, &format!("{at}/messages"), findings);
        }
        Subject::Exit(_) | Subject::Variables(_) => {}
    }
}

/// A label that an earlier step must have.
fn check_label(label: &str, known: &BTreeSet<String>, at: &str, findings: &mut Vec<Finding>) {
    if !known.contains(label) {
        let known = known.iter().cloned().collect();
        let kind = ProblemKind::Unknown {
            what: "step label",
            name: label.to_owned(),
            known,
        };
        findings.push(Finding::value(at, kind));
    }
}

/// A pattern in its place.
fn check_one_pattern(pattern: &serde_json::Value, at: &str, findings: &mut Vec<Finding>) {
    let Err(error) = check_pattern(pattern) else {
        return;
    };
    let kind = match error.unknown {
        Some(name) => {
            let known = OPERATORS.map(str::to_owned).to_vec();
            ProblemKind::Unknown {
                what: "operator",
                name,
                known,
            }
        }
        None => ProblemKind::Invalid {
            message: error.message,
        },
    };
    findings.push(Finding::key(format!("{at}{}", error.at), kind));
}

fn taken(name: &str, at: String) -> Finding {
    Finding::value(
        at,
        ProblemKind::DuplicateKey {
            key: name.to_owned(),
        },
    )
}

/// Variables that every step can use.
const BUILT_IN: [&str; 2] = ["revision", "transport"];

/// The signals that can be sent.
const SIGNALS: [&str; 3] = ["HUP", "INT", "TERM"];

/// The longest that a vector may wait for nothing.
const WINDOW_MS_MAX: u64 = 2000;

const NO_FAULT: &str = "a check names at least one fault that it must catch";
