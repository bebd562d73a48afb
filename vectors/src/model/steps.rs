//! What a vector does, step by step, and what it expects.

use std::collections::BTreeMap;

use mcp_verdict_wire::Delivery;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Outcome;

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
