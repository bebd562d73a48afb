//! Checks and the statements that they rest on: the ledger, vectors, rules.

use std::{collections::BTreeMap, fmt};

use mcp_verdict_wire::{NetworkFault, Revision, TransportKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Step;

/// A check's permanent name: a path of words such as `tools/call/unknown-tool`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckId(pub String);

/// A requirement's name within its revision: the anchor of the statement, such as
/// `server/tools#error-handling.1`, or `json-rpc-2.0#5`, `schema#CallToolResult`, `robustness#…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequirementId(pub String);

/// How binding a statement is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// MAY, OPTIONAL.
    #[serde(rename = "MAY")]
    May,
    /// SHOULD, RECOMMENDED.
    #[serde(rename = "SHOULD")]
    Should,
    /// MUST, SHALL, REQUIRED.
    #[serde(rename = "MUST")]
    Must,
}

/// Whom a statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Binds {
    /// Client and server.
    Both,
    /// The client.
    Client,
    /// Someone else: an authorization server, a host, an intermediary, the specification's editors.
    Other,
    /// The server.
    Server,
}

/// One normative statement of one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its anchor.
    pub id: RequirementId,
    /// Its level.
    pub level: Level,
    /// Whom it binds.
    pub binds: Binds,
    /// What it asks, in one line of our own words.
    pub says: String,
    /// Why no check can test it. Absent where checks do, or will.
    #[serde(default)]
    pub untestable: Option<String>,
    /// Checks of what will test it.
    #[serde(default)]
    pub awaits: Option<Awaits>,
    /// Where its text allows two readings: which, and that both are accepted.
    #[serde(default)]
    pub doubt: Option<String>,
}

/// A part of the specification whose checks are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Awaits {
    /// Protected servers, and what protects them.
    Authorization,
    /// Tasks that stand for requests.
    Tasks,
}

/// What is known of whether a statement is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Checks of that part are still to come.
    Awaits(Awaits),
    /// It binds clients, whose checks judge them.
    Client,
    /// Nothing tests it, and nothing says why.
    Open,
    /// It allows something, so nobody can break it.
    Permission,
    /// These checks test it.
    Tested(Vec<CheckId>),
    /// Why no check can.
    Untestable(String),
}

/// The verdict that a vector's author can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Pass,
    /// A SHOULD broken, or legal but not strict.
    Warn,
    /// A MUST broken.
    Fail,
    /// It could not be provoked.
    Inconclusive,
    /// It does not concern this target.
    NotApplicable,
}

/// One behaviour, tested.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// Its name, equal to its path below `vectors/` without `.yaml`.
    pub id: CheckId,
    /// What the target does right, in one line.
    pub title: String,
    /// Why it matters, or how to read it.
    pub description: Option<String>,
    /// The statements behind it, for each revision it applies to. The revisions are the keys.
    pub requirements: BTreeMap<Revision, Vec<RequirementId>>,
    /// What a broken expectation means at most: `MUST` fails, `SHOULD` warns.
    pub level: Level,
    /// The strongest statement of each revision.
    pub strongest: BTreeMap<Revision, Level>,
    /// Where it runs; empty for every transport.
    pub transports: Vec<TransportKind>,
    /// What it needs of the session it runs in.
    pub session: SessionMode,
    /// How our client presents itself.
    pub client: Client,
    /// What the target must offer for this vector to mean anything.
    pub needs: Needs,
    /// What the network does to what was sent under these names, or to the responses to it.
    pub network: BTreeMap<String, NetworkFault>,
    /// The faults it must catch. None where a target was found to break it.
    pub faults: Vec<FaultCase>,
    /// How it was found, if no person wrote it.
    pub found: Option<Found>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// Where it was read from, for diagnostics: file name as shown to a person.
    pub source: String,
    /// The YAML text.
    pub text: String,
}

impl Requirement {
    /// What is known of it, given the checks that name it.
    pub(crate) fn coverage(&self, checks: Option<Vec<CheckId>>) -> Coverage {
        match (checks, &self.untestable, self.awaits) {
            (Some(checks), ..) => Coverage::Tested(checks),
            (None, Some(why), _) => Coverage::Untestable(why.clone()),
            (None, None, Some(awaits)) => Coverage::Awaits(awaits),
            (None, None, None) if self.level == Level::May => Coverage::Permission,
            (None, None, None) if self.binds == Binds::Client => Coverage::Client,
            (None, None, None) => Coverage::Open,
        }
    }
}

impl Vector {
    /// These steps in one revision, and nothing else: for what is put together while the program runs.
    #[must_use]
    pub fn of_steps(id: String, revision: Revision, level: Level, steps: Vec<Step>) -> Self {
        Self {
            id: CheckId(id),
            title: String::new(),
            description: None,
            requirements: BTreeMap::from([(revision, Vec::new())]),
            level,
            strongest: BTreeMap::new(),
            transports: Vec::new(),
            session: SessionMode::default(),
            client: Client::default(),
            needs: Needs::default(),
            network: BTreeMap::new(),
            faults: Vec::new(),
            found: None,
            steps,
            source: String::new(),
            text: String::new(),
        }
    }

    /// What a broken expectation means in a revision.
    #[must_use]
    pub fn level_in(&self, revision: Revision) -> Level {
        weaker(self.level, &self.strongest, revision)
    }
}

impl RuleText {
    /// What a violation means in a revision.
    #[must_use]
    pub fn level_in(&self, revision: Revision) -> Level {
        weaker(self.level, &self.strongest, revision)
    }
}

/// The weaker of a check's level and the strongest statement it has in a revision: what one revision
/// demands, another may only recommend.
fn weaker(level: Level, strongest: &BTreeMap<Revision, Level>, revision: Revision) -> Level {
    strongest
        .get(&revision)
        .map_or(level, |strongest| level.min(*strongest))
}

/// What a vector needs of its session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SessionMode {
    /// A session of its own, newly opened.
    Fresh,
    /// A connection without the opening exchange: the vector does that itself.
    None,
    /// An open session that other vectors use before and after, one at a time.
    #[default]
    Shared,
}

/// How our client presents itself, and what it answers of its own accord.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Its capabilities. Absent: `roots`, `sampling`, `elicitation` as far as the revision has them.
    pub capabilities: Option<Map<String, Value>>,
    /// Results for requests of the server, by method (legacy). `ping` is always answered.
    /// Absent methods get a plausible default for a capability that was declared, and -32601 otherwise.
    pub answers: BTreeMap<String, Value>,
    /// Errors in place of results, by method (legacy). What an `input_required` result asks for with such
    /// a method is left unanswered (modern), where there is no way to answer with an error.
    pub errors: BTreeMap<String, ClientError>,
}

/// An error with which our client answers a request of the server's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientError {
    /// Its code.
    pub code: i64,
    /// Its message.
    pub message: String,
}

/// What the target must offer.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// Dotted paths into the server's declared capabilities (`resources.subscribe`). A missing one
    /// makes the check not applicable.
    pub capabilities: Vec<String>,
    /// Fixtures. A missing one makes the check inconclusive.
    pub fixtures: Vec<String>,
    /// Only where the target hands out a session id (Streamable HTTP, legacy); not applicable otherwise.
    pub session_id: bool,
}

/// A fault that the check must catch.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultCase {
    /// Its name in the mock's catalogue.
    pub fault: String,
    /// The verdict it must lead to.
    pub verdict: Outcome,
    /// Only in these revisions; empty for all of the check's.
    #[serde(default)]
    pub revisions: Vec<Revision>,
    /// Only on these transports; empty for all of the check's.
    #[serde(default, deserialize_with = "crate::load::transports")]
    pub transports: Vec<TransportKind>,
}

/// How the fuzzer came to a vector: what a target did when it was first seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// What was broken: `silence`, `exit`, a rule's id.
    pub by: String,
    /// The verdict then.
    pub verdict: Outcome,
    /// The seed of the campaign.
    pub seed: u64,
}

/// A passive check on every exchange, as far as it is data. Its code is found by its id.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleText {
    /// Its name: `rules/AREA/NAME`.
    pub id: CheckId,
    /// What the target does right, in one line.
    pub title: String,
    /// Why it matters, or how to read it.
    pub description: Option<String>,
    /// The statements behind it, for each revision it applies to.
    pub requirements: BTreeMap<Revision, Vec<RequirementId>>,
    /// What a violation means at most.
    pub level: Level,
    /// The strongest statement of each revision.
    pub strongest: BTreeMap<Revision, Level>,
    /// Where it applies; empty for every transport.
    pub transports: Vec<TransportKind>,
    /// The faults it must catch.
    pub faults: Vec<FaultCase>,
    /// Vectors whose exchanges show it its faults: what the self-test runs for it.
    pub provoked_by: Vec<CheckId>,
    /// Where it was read from.
    pub source: String,
}

impl fmt::Display for CheckId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for RequirementId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::May => "MAY",
            Self::Should => "SHOULD",
            Self::Must => "MUST",
        })
    }
}
