//! Vectors made of cases: what is driven, and what is written.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_vectors::{
    model::{Found, Level, Outcome, RequirementId, SessionMode, Step, Vector},
    template::{references, root_of},
};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::{Value, json};

use crate::{case::Case, oracle::Oracle};

/// A vector as it will be written: its steps as JSON, and what stands above them.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Its id.
    pub(crate) id: String,
    /// What the target does right.
    pub(crate) title: String,
    /// How severe it is to break it.
    pub(crate) level: Level,
    /// The statements behind it.
    pub(crate) requirements: Vec<RequirementId>,
    /// Where it runs.
    pub(crate) revision: Revision,
    /// How.
    pub(crate) transport: TransportKind,
    /// How it was found.
    pub(crate) found: Found,
    /// What is done, and what is expected.
    pub(crate) steps: Vec<Value>,
}

impl Script {
    /// As the driver and the judge take it. `None` when the steps are none, which is a mistake of ours.
    pub(crate) fn vector(&self) -> Option<Vector> {
        let mut vector = vector(&self.id, self.revision, self.transport, self.steps.clone())?;
        vector.title.clone_from(&self.title);
        vector.level = self.level;
        vector.requirements = BTreeMap::from([(self.revision, self.requirements.clone())]);
        vector.found = Some(self.found.clone());
        vector.session = SessionMode::Fresh;
        Some(vector)
    }
}

/// A vector of these steps.
pub(crate) fn vector(
    id: &str,
    revision: Revision,
    transport: TransportKind,
    steps: Vec<Value>,
) -> Option<Vector> {
    let steps = serde_json::from_value::<Vec<Step>>(Value::Array(steps));
    let steps = match steps {
        Ok(steps) => steps,
        Err(error) => {
            tracing::error!(%error, "steps of a case are none");
            return None;
        }
    };
    Some(Vector {
        transports: vec![transport],
        ..Vector::of_steps(id.to_owned(), revision, Level::Must, steps)
    })
}

/// Whether every name that these steps use was given by a step before, and to nothing else.
pub(crate) fn hold_together(steps: &[Value]) -> bool {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    steps.iter().all(|step| {
        let references = references(step);
        let mut names = references.iter().map(|reference| root_of(reference));
        let mut used = USES
            .iter()
            .filter_map(|pointer| step.pointer(pointer)?.as_str());
        let holds = names.all(|name| known.contains(name)) && used.all(|name| known.contains(name));
        holds && given(step).is_none_or(|name| known.insert(name))
    })
}

/// The name that a step gives to what it does.
fn given(step: &Value) -> Option<&str> {
    let (kind, body) = step.as_object()?.iter().next()?;
    let member = if kind == "capture" { "name" } else { "as" };
    body.get(member)?.as_str()
}

/// Where steps name others.
const USES: [&str; 6] = [
    "/drop/of",
    "/capture/from/http",
    "/expect/http",
    "/expect/replies",
    "/expect/response",
    "/expect/stream",
];

/// What a finding by this oracle is, as a vector: title, level, statements, and the steps behind those of its cases.
pub(crate) struct Claim {
    pub(crate) title: String,
    pub(crate) level: Level,
    pub(crate) requirements: Vec<RequirementId>,
    pub(crate) expectations: Vec<Value>,
}

/// What `oracle` claims about `case`, whose message `label` is.
pub(crate) fn claim(oracle: &Oracle, case: &Case, label: &str) -> Claim {
    let what = case.kind();
    let of = |title: String, level, requirements: &[&str], expectations| Claim {
        title,
        level,
        requirements: requirements
            .iter()
            .map(|id| RequirementId((*id).to_owned()))
            .collect(),
        expectations,
    };
    let error = json!({"error": {"code": {"$type": "integer"}}});
    match oracle {
        Oracle::Exit => of(
            format!("The server stays after {what}"),
            Level::Must,
            &["json-rpc-2.0#5", "robustness#survival"],
            Vec::new(),
        ),
        Oracle::Silence => of(
            format!("The server answers after {what}"),
            Level::Must,
            &["json-rpc-2.0#5", "robustness#survival"],
            Vec::new(),
        ),
        Oracle::Unanswered => of(
            format!("A request is answered in spite of {what}"),
            Level::Must,
            &["json-rpc-2.0#5"],
            vec![
                // A status can be the whole refusal.
                json!({"expect": {"http": label, "accept": [
                    {"match": {"status": {"$gte": 400}}, "then_stop": true},
                    {"match": {"$any": true}}, {"absent": true}]}}),
                json!({"expect": {"response": label, "match": {"$any": true},
                    "because": "the request is not answered"}}),
            ],
        ),
        Oracle::Served => of(
            format!("What is no JSON is not served ({what})"),
            Level::Must,
            &["json-rpc-2.0#5.1", "json-rpc-2.0#5"],
            vec![
                json!({"expect": {"replies": label, "match": {"$each": error},
                "because": "what is no JSON was answered as if it were a message"}}),
            ],
        ),
        Oracle::Code { code } => of(
            format!("{what} is refused with {code}"),
            Level::Should,
            &["json-rpc-2.0#5.1"],
            vec![json!({"expect": {"replies": label,
                "match": {"$each": {"error": {"code": code}}}, "otherwise": "warn",
                "because": "it is refused with another code"}})],
        ),
        Oracle::ServerError => of(
            format!("The server does not fail over {what}"),
            Level::Should,
            &["robustness#survival"],
            vec![json!({"expect": {"http": label, "accept": [
                {"match": {"status": {"$lt": 500}}},
                {"match": {"$any": true}, "outcome": "warn", "because": "HTTP says that the server failed"},
                {"absent": true, "outcome": "inconclusive", "because": "there was no response"}]}})],
        ),
        Oracle::Foreign { mark } => of(
            "An answer is about its own request alone".to_owned(),
            Level::Should,
            &["robustness#concurrency"],
            vec![json!({"expect": {"response": label, "accept": [
                {"match": {"$not": {"$mentions": mark.to_string()}}},
                {"match": {"$any": true}, "outcome": "warn",
                    "because": "an answer holds what another message said"},
                {"absent": true, "outcome": "inconclusive", "because": "there was no answer"}]}})],
        ),
        Oracle::Memory => of(
            format!("Nothing is left behind in memory of {what}"),
            Level::Should,
            &["robustness#survival"],
            vec![json!({"expect": {"memory": {}, "accept": [
                {"match": {"grown_kib": {"$lt": GROWTH_KIB}}},
                {"match": {"$any": true}, "outcome": "warn", "because": "what the messages took is not given back"},
                {"absent": true, "outcome": "inconclusive", "because": "memory cannot be seen"}]}})],
        ),
        Oracle::Rule { id, fails } => of(
            format!("`{id}` holds in spite of {what}"),
            if *fails { Level::Must } else { Level::Should },
            &[],
            vec![json!({"expect": {"rule": id, "match": [],
                "otherwise": if *fails { "fail" } else { "warn" },
                "because": "the rule finds something"}})],
        ),
    }
}

/// The verdict that a finding by this oracle has.
pub(crate) fn outcome(oracle: &Oracle) -> Outcome {
    match oracle {
        Oracle::Exit
        | Oracle::Silence
        | Oracle::Unanswered
        | Oracle::Served
        | Oracle::Rule { fails: true, .. } => Outcome::Fail,
        _ => Outcome::Warn,
    }
}

/// More than this is kept, in KiB, by a server that keeps what it was sent: honest ones, those with a garbage
/// collector too, come to rest below it.
pub(crate) const GROWTH_KIB: u64 = 64 * 1024;
