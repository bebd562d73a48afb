//! Several messages whose order is the matter: a model of what a client can be in the middle of.

use mcp_verdict_wire::{Era, TransportKind};
use serde_json::{Value, json};

use super::{message_bytes, own_mark};
use crate::{
    case::{Action, Mutation, Sending, label},
    material::Material,
    piece::Pieces,
    source::{Mark, Source},
};

/// What a client can do next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    /// Asks for something.
    Ask,
    /// Asks the same again, under the same id.
    AskAgain,
    /// Asks for two things, under a number and under the text that it is spelled with.
    AskAlike,
    /// Cancels what it asked for last.
    Cancel,
    /// Cancels what nobody asked for.
    CancelNothing,
    /// Answers what nobody asked.
    Answer,
    /// Tells something.
    Notify,
    /// Asks for many things at once.
    Crowd,
}

/// A walk through a conversation, and what it was about.
pub(crate) fn walk(
    source: &mut Source,
    material: &Material,
    mark: Mark,
) -> (Mutation, Vec<Action>) {
    if material.transport == TransportKind::StreamableHttp && source.one_in(3) {
        return match material.era() {
            Era::Legacy if source.one_in(2) => {
                ("two sessions", two_sessions(source, material, mark))
            }
            Era::Legacy => ("streams", streams(mark)),
            Era::Modern => ("listening", listening(mark)),
        };
    }
    let mut actions: Vec<Action> = Vec::new();
    let mut asked: Vec<Value> = Vec::new();
    let mut kind = "conversation";
    for _ in 0..2 + source.below(6) {
        let next = source.weighted(&[
            (4, Move::Ask),
            (1, Move::AskAgain),
            (1, Move::AskAlike),
            (4, Move::Cancel),
            (2, Move::CancelNothing),
            (2, Move::Answer),
            (3, Move::Notify),
            (1, Move::Crowd),
        ]);
        match next {
            Move::Cancel => kind = "cancellation",
            Move::AskAlike if kind == "conversation" => kind = "ids alike",
            _ => {}
        }
        step(source, material, mark, next, &mut actions, &mut asked);
    }
    (kind, actions)
}

fn step(
    source: &mut Source,
    material: &Material,
    mark: Mark,
    next: Move,
    actions: &mut Vec<Action>,
    asked: &mut Vec<Value>,
) {
    let own = own_mark(mark, actions.len());
    match next {
        Move::Ask => {
            let request = material.request(source, own, json!(own.to_string())).value;
            say(actions, &request);
            asked.push(request);
        }
        Move::AskAgain => {
            if let Some(last) = asked.last() {
                say(actions, last);
            }
        }
        Move::AskAlike => {
            let ids = [json!(own.0), json!(own.0.to_string())];
            let first = source.below(2);
            for id in [&ids[first], &ids[1 - first]] {
                let own = own_mark(mark, actions.len());
                let request = material.request(source, own, id.clone()).value;
                say(actions, &request);
            }
        }
        Move::Cancel => {
            let id = asked.last().and_then(|request| request.get("id"));
            say(actions, &cancelled(id.unwrap_or(&json!(own.to_string()))));
        }
        Move::CancelNothing => {
            let none = [
                json!(null),
                json!(-1),
                json!(1e300),
                json!(""),
                json!({}),
                json!([1]),
            ];
            say(actions, &cancelled(source.pick(&none)));
        }
        Move::Answer => {
            let id = source
                .pick(&[
                    json!(own.to_string()),
                    json!(null),
                    json!(-7),
                    json!({"a": 1}),
                ])
                .clone();
            if source.one_in(2) {
                say(actions, &json!({"jsonrpc": "2.0", "id": id, "result": {}}));
            } else {
                say(
                    actions,
                    &json!({"jsonrpc": "2.0", "id": id, "error": {"code": -1, "message": own.to_string()}}),
                );
            }
        }
        Move::Notify => say(actions, &material.notification(source, own).value),
        Move::Crowd => {
            for _ in 0..4 + source.below(12) {
                let own = own_mark(mark, actions.len());
                let request = material.request(source, own, json!(own.to_string()));
                say(actions, &request.value);
            }
        }
    }
}

/// Sends a message.
fn say(actions: &mut Vec<Action>, value: &Value) {
    let pieces = Pieces::of(value.to_string());
    actions.push(Action::Message(Sending::of(pieces)));
}

fn cancelled(id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})
}

/// Another session beside ours, and calls of both.
fn two_sessions(source: &mut Source, material: &Material, mark: Mark) -> Vec<Action> {
    // Labels go by place in the case: the first two are those of its actions.
    let (open, ready, ask) = (label(mark, 2), label(mark, 3), label(mark, 4));
    let session = format!("s{:x}", mark.0);
    let reference = format!("${{{session}}}");
    let version = material.revision.as_str();
    let initialize = json!({"jsonrpc": "2.0", "id": format!("{mark} open"), "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "other", "version": "1"}}});
    let (one, other) = (own_mark(mark, 3), own_mark(mark, 4));
    // The same id in both: ids are unique within a session alone.
    let mine = message_bytes(
        &material
            .request_of(source, one, json!(format!("{mark} same")), "tools/call")
            .value,
    );
    let mut theirs = material
        .request_of(source, other, json!(format!("{mark} same")), "tools/call")
        .value;
    // Most servers repeat the name of a tool that they do not have, whatever the others say.
    if source.one_in(2) {
        theirs["params"]["name"] = json!(format!("{other} none"));
    }
    let with = |name: &str, message: &Value| {
        json!({"http": {"method": "POST", "as": name, "json": message,
            "headers": {"mcp-session-id": reference, "mcp-protocol-version": version}}})
    };
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let mut steps = vec![
        json!({"http": {"method": "POST", "as": open, "json": initialize,
            "headers": {"mcp-session-id": null, "mcp-protocol-version": null}}}),
        json!({"capture": {"name": session, "from": {"http": open}, "pointer": "/headers/mcp-session-id",
            "otherwise": "not-applicable", "because": "the server hands out no session ids"}}),
        with(&ready, &initialized),
        with(&ask, &theirs),
    ];
    // What is mixed up at once shows beside each other, what is kept too long one after the other.
    if source.one_in(2) {
        steps.push(answered(&ask));
    }
    let mine = Action::Message(Sending::of(Pieces::of(mine)));
    vec![Action::Steps(steps), mine]
}

/// Waits for the response to a request of HTTP, which may be none.
pub(crate) fn answered(label: &str) -> Value {
    json!({"expect": {"http": label, "accept": [{"match": {"$any": true}}, {"absent": true}]}})
}

/// The stream that a client may open is opened, closed and opened again.
fn streams(mark: Mark) -> Vec<Action> {
    let (first, second) = (label(mark, 0), label(mark, 1));
    vec![Action::Steps(vec![
        json!({"open_stream": {"as": first}}),
        json!({"barrier": {}}),
        json!({"drop": {"of": first}}),
        json!({"open_stream": {"as": second, "last_event_id": mark.to_string()}}),
        json!({"barrier": {}}),
        json!({"drop": {"of": second}}),
    ])]
}

/// A subscription that its client leaves without a word.
fn listening(mark: Mark) -> Vec<Action> {
    let name = label(mark, 0);
    let filter = json!({"notifications": {"toolsListChanged": true, "resourceSubscriptions": [format!("test://{mark}")]}});
    vec![Action::Steps(vec![
        json!({"request": {"method": "subscriptions/listen", "id": mark.to_string(), "params": filter, "as": name}}),
        json!({"barrier": {}}),
        json!({"drop": {"of": name}}),
    ])]
}
