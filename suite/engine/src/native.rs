//! What of a vector can be said in the protobuf binding of gRPC, which has a call for eight requests and nothing
//! else: no notifications, no batches, no ids, no session.

use mcp_verdict_transport::Address;
use mcp_verdict_vectors::{
    model::{Expect, RequestStep, Step, Subject, Vector},
    template,
};
use mcp_verdict_wire::{Era, TransportKind, grpc::native};
use serde_json::{Map, Value, json};

use crate::{plan::PreparedWay, session::complete_request};

/// What these fixtures are for comes in notifications, asks the client for something, or takes a session.
const UNSUITED: [&str; 16] = [
    "tool-elicitation",
    "tool-header-integer",
    "tool-header-string",
    "tool-logging",
    "tool-progress",
    "tool-prompts-changed",
    "tool-request-state",
    "tool-resource-updated",
    "tool-resources-changed",
    "tool-roots",
    "tool-sampling",
    "tool-slow",
    "tool-stream-drop",
    "tool-tools-changed",
    "prompt-required-argument",
    "tool-required-argument",
];

/// Whether an address is spoken to in the binding.
pub(crate) fn is_native(address: &Address) -> bool {
    address.transport() == TransportKind::GrpcNative
}

/// Why a vector cannot be expressed in the binding, if that is where it would run.
pub(crate) fn inexpressible(vector: &Vector, way: &PreparedWay) -> Option<String> {
    if way.transport != TransportKind::GrpcNative || is_about_grpc(vector) {
        return None;
    }
    let why = why_not(vector, way)?;
    Some(format!(
        "this cannot be expressed over {}: {why}",
        way.transport
    ))
}

/// Whether it was written with the binding in mind.
fn is_about_grpc(vector: &Vector) -> bool {
    let of_grpc =
        |it: &TransportKind| matches!(it, TransportKind::Grpc | TransportKind::GrpcNative);
    !vector.transports.is_empty() && vector.transports.iter().all(of_grpc)
}

fn why_not(vector: &Vector, way: &PreparedWay) -> Option<String> {
    let client = &vector.client;
    if !(client.answers.is_empty() && client.errors.is_empty() && client.capabilities.is_none()) {
        return Some("a server cannot ask its client for anything".to_owned());
    }
    let unsuited = |fixture: &&String| UNSUITED.contains(&fixture.as_str());
    if let Some(fixture) = vector.needs.fixtures.iter().find(unsuited) {
        return Some(format!("there is no place for what `{fixture}` does"));
    }
    vector.steps.iter().find_map(|step| match step {
        Step::Request(request) => unsaid(request, way),
        Step::Expect(expect) => unseen(expect),
        Step::Barrier(_) | Step::Capture(_) | Step::Window(_) => None,
        Step::Pages(_) => Some("cursors are not carried".to_owned()),
        Step::Notify(_) => Some("there are no notifications".to_owned()),
        Step::Send(_) | Step::SendRaw(_) => Some("messages are not bytes of JSON".to_owned()),
        Step::Http(_) | Step::OpenStream(_) | Step::Drop(_) => {
            Some("there are no HTTP requests".to_owned())
        }
        Step::Cancel(_) => Some("there is no cancellation".to_owned()),
        Step::Retry(_) => Some("a server cannot ask for input".to_owned()),
        Step::CloseInput(_) | Step::Signal(_) => Some("there is no channel".to_owned()),
    })
}

fn unsaid(step: &RequestStep, way: &PreparedWay) -> Option<String> {
    if step.id.is_some() {
        return Some("ids are not carried".to_owned());
    }
    if step.bare || step.malformed || step.delivery.wraps() || !step.headers.is_empty() {
        return Some("messages are not bytes of JSON".to_owned());
    }
    let known = |value: &Value| template::substitute(value, &way.bindings);
    // What is not known yet, such as a captured variable, stands for itself.
    let params = step
        .params
        .as_ref()
        .map(|params| known(params).unwrap_or_else(|_| params.clone()));
    let method = known(&Value::from(step.method.as_str()));
    let method = method.ok().and_then(|it| it.as_str().map(str::to_owned));
    let method = match step.method.as_str() {
        "${any_method}" => ANY_METHOD.to_owned(),
        other => method.unwrap_or_else(|| other.to_owned()),
    };
    let (request, _) = complete_request(way.revision, &Map::new(), &method, params, json!(1));
    native::request(&request)
        .err()
        .map(|unmapped| unmapped.to_string())
}

fn unseen(expect: &Expect) -> Option<String> {
    match &expect.subject {
        Subject::Response(_)
        | Subject::Message(_)
        | Subject::Messages(_)
        | Subject::Stream(_)
        | Subject::Replies(_)
        | Subject::Pages(_)
        | Subject::Rule(_)
        | Subject::Variables(_) => None,
        Subject::Http(_) => Some("there are no HTTP requests".to_owned()),
        Subject::Closed(_) | Subject::Exit(_) | Subject::Frames(_) | Subject::Memory(_) => {
            Some("there is no channel".to_owned())
        }
    }
}

/// What every server answers: a `ping`, a discovery, or in the binding a list.
pub(crate) fn any_method(transport: TransportKind, era: Era) -> &'static str {
    match (transport, era) {
        (TransportKind::GrpcNative, _) => ANY_METHOD,
        (_, Era::Legacy) => "ping",
        (_, Era::Modern) => "server/discover",
    }
}

/// The list that a server of the binding most likely has.
const ANY_METHOD: &str = "tools/list";
