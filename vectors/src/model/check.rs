//! What a vector says, after loading: the contract between those who write vectors, those who drive
//! them and those who judge them.

use std::{collections::BTreeMap, fmt};

use mcp_verdict_wire::{Delivery, NetworkFault, Revision, TransportKind};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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

/// One step of a vector. In YAML a mapping with one key, the step's name.
///
/// Strings anywhere in a step may hold `${name}` or `${name.path.to.0.member}`: a fixture, a captured
/// value, or one of the built-in `${revision}`, `${transport}`, `${any_method}`: what every server answers
/// with a result, `ping` or in the modern era `server/discover`, and `${request_meta}`: the `_meta` that a
/// request carries, `{}` in the legacy era. A string that is nothing but one reference becomes the value
/// itself, with its type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Send a request, completed to what the revision asks for.
    Request(RequestStep),
    /// Send a notification, completed in the same way.
    Notify(NotifyStep),
    /// Send this JSON, as it stands.
    Send(SendStep),
    /// Send these bytes, as they stand, as one message (a line, a POST body).
    SendRaw(RawStep),
    /// Send an HTTP request and hold on to its response.
    Http(HttpStep),
    /// Open the GET stream (legacy Streamable HTTP).
    OpenStream(OpenStreamStep),
    /// Close an HTTP exchange of ours: a stream, or a request still waiting.
    Drop(DropStep),
    /// Cancel a request as era and transport ask: `notifications/cancelled`, or closing its stream.
    Cancel(CancelStep),
    /// Make a request again whose result asked for input, with our client's answers and the server's state.
    Retry(RetryStep),
    /// Close the target's input: a child's standard input, or our side of a channel.
    CloseInput(Nothing),
    /// Send the child's process group a signal (stdio).
    Signal(SignalStep),
    /// Exchange something whose answer must come after everything before it (`ping`, or
    /// `server/discover`), so that what has not come by then is not coming. Its absence is a failure.
    Barrier(Nothing),
    /// Wait, because nothing can serve as a barrier. State why in a comment.
    Window(WindowStep),
    /// Follow `nextCursor` to the last page.
    Pages(PagesStep),
    /// Say what must be, and what it means when it is not.
    Expect(Expect),
    /// Hold a value for later steps.
    Capture(CaptureStep),
}

/// A step without settings: `{}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `request:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestStep {
    /// The method.
    pub method: String,
    /// The params. In the modern era `_meta` is completed with the fields that every request carries;
    /// a member of `_meta` given here wins, and one given as `null` is left out.
    #[serde(default)]
    pub params: Option<Value>,
    /// The id; absent: the session's next integer.
    #[serde(default)]
    pub id: Option<Value>,
    /// Its name for later steps.
    #[serde(default, rename = "as")]
    pub label: Option<String>,
    /// Leave `_meta` as it is in `params`, and `params` out where there are none (modern era).
    #[serde(default)]
    pub bare: bool,
    /// The request breaks the schema on purpose.
    #[serde(default)]
    pub malformed: bool,
    /// HTTP headers set, or left out (`null`), against what the transport would send.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// How its bytes reach the wire.
    #[serde(default)]
    pub delivery: Delivery,
}

/// `notify:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyStep {
    /// The method.
    pub method: String,
    /// The params.
    #[serde(default)]
    pub params: Option<Value>,
    /// Its name for later steps (`http: NAME` finds the response to its POST).
    #[serde(default, rename = "as")]
    pub label: Option<String>,
    /// The notification breaks the schema on purpose.
    #[serde(default)]
    pub malformed: bool,
    /// HTTP headers set, or left out (`null`).
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// `send:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendStep {
    /// The JSON to send: an object, a batch, or something that is no message at all.
    pub json: Value,
    /// Its name for later steps.
    #[serde(default, rename = "as")]
    pub label: Option<String>,
    /// HTTP headers set, or left out (`null`).
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// How its bytes reach the wire.
    #[serde(default)]
    pub delivery: Delivery,
}

/// `send_raw:`, exactly one of `text`, `base64` and `parts`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawStep {
    /// The bytes as UTF-8 text.
    #[serde(default)]
    pub text: Option<String>,
    /// The bytes as base64.
    #[serde(default)]
    pub base64: Option<String>,
    /// The bytes in pieces, each as often as it says.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// How often the message is sent, one after the other; absent: once.
    #[serde(default = "once")]
    pub times: usize,
    /// Its name for later steps.
    #[serde(default, rename = "as")]
    pub label: Option<String>,
    /// HTTP headers set, or left out (`null`).
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// How its bytes reach the wire.
    #[serde(default)]
    pub delivery: Delivery,
}

/// A piece of what is sent, exactly one of `text` and `base64`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The bytes as UTF-8 text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The bytes as base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// How often they stand there, one after the other; absent: once.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: usize,
}

fn once() -> usize {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_once(times: &usize) -> bool {
    *times == 1
}

/// `http:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpStep {
    /// The method.
    pub method: String,
    /// Path and query, or what an `endpoint` event brought; absent: the endpoint's own.
    #[serde(default)]
    pub path: Option<String>,
    /// Headers set, or left out (`null`), against those that a session's request of this method has.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// A JSON body; over gRPC a line in its frame.
    #[serde(default)]
    pub json: Option<Value>,
    /// A text body; over gRPC each of its lines in a frame of its own.
    #[serde(default)]
    pub text: Option<String>,
    /// The bytes of a body, as base64.
    #[serde(default)]
    pub base64: Option<String>,
    /// The bytes of a body in pieces, each as often as it says.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// How its bytes reach the wire.
    #[serde(default)]
    pub delivery: Delivery,
    /// Its name for later steps.
    #[serde(rename = "as")]
    pub label: String,
}

/// `open_stream:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenStreamStep {
    /// Its name for later steps.
    #[serde(rename = "as")]
    pub label: String,
    /// The `Last-Event-ID` to resume after.
    #[serde(default)]
    pub last_event_id: Option<String>,
    /// HTTP headers set, or left out (`null`).
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
}

/// `drop:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropStep {
    /// The name of the request, HTTP request or stream.
    pub of: String,
}

/// `cancel:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CancelStep {
    /// The name of the request.
    pub request: String,
    /// The reason to give.
    #[serde(default)]
    pub reason: Option<String>,
}

/// `retry:`, a request of its own: the params of the first one, `inputResponses` to what was asked, and the
/// `requestState` as it came.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryStep {
    /// The name of the request whose result asked for input.
    pub of: String,
    /// Its own name.
    #[serde(rename = "as")]
    pub label: String,
    /// Answers to what was not asked, by their key.
    #[serde(default)]
    pub extra: Map<String, Value>,
    /// What to answer to everything that was asked, in place of what our client would.
    #[serde(default)]
    pub answer: Option<Value>,
    /// Members of the params, in place of those of a faithful retry; one given as `null` is left out.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// The request breaks the schema on purpose.
    #[serde(default)]
    pub malformed: bool,
}

/// `signal:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalStep {
    /// `TERM`, `INT`, `HUP`.
    pub name: String,
}

/// `window:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowStep {
    /// Its length in milliseconds, at most 2000.
    pub ms: u64,
    /// It is over at once when a message from the target that comes meanwhile matches this pattern: what
    /// should not come has come.
    #[serde(default)]
    pub until: Option<Value>,
}

/// `pages:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagesStep {
    /// The list method.
    pub method: String,
    /// The member of the result that holds the items.
    pub items: String,
    /// Its name for later steps. The requests are named `NAME.0`, `NAME.1`, …
    #[serde(rename = "as")]
    pub label: String,
    /// Where to stop.
    #[serde(default = "PagesStep::default_max")]
    pub max: usize,
}

impl PagesStep {
    /// More pages than any honest list has, few enough to end soon.
    fn default_max() -> usize {
        50
    }
}

/// `capture:`
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaptureStep {
    /// The variable's name.
    pub name: String,
    /// Where to look.
    pub from: Subject,
    /// A JSON pointer into the subject's value; absent: the whole.
    #[serde(default)]
    pub pointer: Option<String>,
    /// What is there is a list, and this a JSON pointer into each of its items: the list of what they have there,
    /// `null` where one has nothing.
    #[serde(default)]
    pub each: Option<String>,
    /// When there is no such value. Absent: `inconclusive`.
    #[serde(default)]
    pub otherwise: Option<Outcome>,
    /// What to say then.
    #[serde(default)]
    pub because: Option<String>,
}

/// What an expectation looks at. In YAML a mapping with one key.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The JSON-RPC response to the named request, as a whole message.
    Response(String),
    /// The HTTP response to the named step:
    /// `{status, version, headers: {name: value}, body: JSON or text or null, messages: [..],
    /// events: [{event, id, retry, data}], trailers: {name: value}, ended: complete|broken|dropped|open}`.
    Http(String),
    /// The first message from the target, since the vector's first step, that matches this pattern.
    Message(Value),
    /// All messages from the target, since the vector's first step, that match this pattern: a list.
    Messages(Value),
    /// The messages that came on the stream of the named step: a list of messages in order.
    Stream(String),
    /// The messages (and only those) that answer the named `send` or `send_raw`, which may be no
    /// request: on HTTP what its exchange brought; elsewhere what came between it and the next
    /// barrier's answer, without answers to other requests and without notifications: a list.
    Replies(String),
    /// `{pages: [result, …], items: […], cursors: […], complete: bool}` of a `pages` step.
    Pages(String),
    /// The end of the channel, by the target: `{code, reason}`, `null` where it said nothing; nothing while it is
    /// open (all transports but those of HTTP).
    Closed(Nothing),
    /// The frames of WebSocket from the target, since the vector's first step, that are no text messages, as
    /// `{opcode, data}`, and match this pattern: a list.
    Frames(Value),
    /// The child's end: `{code, signal}`; nothing while it runs.
    Exit(Nothing),
    /// What a child that we started holds in memory, with all that it started, in KiB:
    /// `{before_kib, now_kib, grown_kib}`, where `before` is the vector's beginning (stdio on Linux).
    Memory(Nothing),
    /// What the rule of this id finds in the vector's exchanges so far: a list of `{expected, actual}`.
    Rule(String),
    /// Every variable: `{name: value}`, for comparing one captured value with another.
    Variables(Nothing),
}

/// `expect:`
#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// What it looks at.
    pub subject: Subject,
    /// How long to wait for the subject, in milliseconds; absent: the run's timeout.
    pub within_ms: Option<u64>,
    /// In order: the first pattern that the subject's value matches decides.
    pub accept: Vec<Case>,
    /// When there is a value and nothing matches, or no value. Absent: by the vector's level.
    pub otherwise: Option<Outcome>,
    /// What to say then; absent: made from pattern and value.
    pub because: Option<String>,
    /// Line of the step in its file, from 1.
    pub line: usize,
}

/// One accepted outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What matches; `None` for "there is no value" (no answer, not exited).
    pub pattern: Option<Value>,
    /// What it means.
    pub outcome: Outcome,
    /// What to say; required unless it passes.
    pub because: Option<String>,
    /// Whether the vector goes on with its next step. Default: it does after `pass` and `warn`.
    pub then_stop: bool,
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
