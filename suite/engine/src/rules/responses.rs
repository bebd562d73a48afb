//! Responses: to what they answer, once, under which id, and in which shape.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;

use super::{
    Observation, Watch,
    messages::{brief, protocol_messages, short},
};
use crate::{
    schema::Validator,
    view::{Kind, Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/responses/known-id",
        observe: known_id,
    },
    Watch {
        id: "rules/responses/once",
        observe: once,
    },
    Watch {
        id: "rules/responses/id-type",
        observe: id_type,
    },
    Watch {
        id: "rules/responses/no-answer-to-notifications",
        observe: no_answer_to_notifications,
    },
    Watch {
        id: "rules/responses/error-object",
        observe: error_object,
    },
    Watch {
        id: "rules/responses/reserved-codes",
        observe: reserved_codes,
    },
    Watch {
        id: "rules/responses/result-schema",
        observe: result_schema,
    },
    Watch {
        id: "rules/responses/no-inner-workings",
        observe: no_inner_workings,
    },
];

fn responses<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_response())
}

/// Whether the id belongs to a request that was sent before this transcript began.
fn is_earlier(view: &View<'_>, id: &Value) -> bool {
    view.head.earlier_ids.contains(id)
}

/// Whether messages of this exchange may be repeated: a stream that was asked to resume.
fn is_resumed(view: &View<'_>, message: &Message) -> bool {
    view.exchanges
        .get(&message.exchange)
        .is_some_and(|exchange| exchange.request_header("last-event-id").is_some())
}

fn known_id(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let Some(id) = response.id().filter(|id| !id.is_null()) else {
            continue;
        };
        seen.exercise();
        let sent = |message: &Message| message.id() == Some(id);
        // What we sent broken may have an id that only its bytes show.
        let unreadable = view
            .ours()
            .any(|message| message.meant && message.value.is_none());
        if response.answers.is_none()
            && !is_earlier(view, id)
            && !view.ours().any(sent)
            && !unreadable
        {
            seen.find(
                "the id of a request that was sent",
                brief(id),
                [response.event],
            );
        }
    }
}

fn once(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let Some(id) = response.id().filter(|id| !id.is_null()) else {
            continue;
        };
        seen.exercise();
        if response.answers.is_some() || is_earlier(view, id) || is_resumed(view, response) {
            continue;
        }
        let answered = view
            .ours()
            .find(|request| request.is_request() && request.id() == Some(id));
        let first = answered.and_then(|request| view.response_to(request));
        if let Some(first) = first.filter(|first| first.event < response.event) {
            let actual = format!("another one under the id {}", brief(id));
            seen.find(
                "one response to a request",
                actual,
                [first.event, response.event],
            );
        }
    }
}

fn id_type(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let Some(request) = view
            .request_of(response)
            .filter(|request| request.is_request())
        else {
            continue;
        };
        let (Some(asked), Some(given)) = (request.id(), response.id()) else {
            continue;
        };
        let lawful = asked.is_string() || asked.is_i64() || asked.is_u64();
        if !lawful || given.is_null() {
            continue;
        }
        seen.exercise();
        if asked != given {
            let events = [request.event, response.event];
            seen.find(
                format!("the id {}", brief(asked)),
                format!("the id {}", brief(given)),
                events,
            );
        }
    }
}

/// Over HTTP the refusal of a notification may come with an error that has no id.
fn no_answer_to_notifications(view: &View<'_>, seen: &mut Observation) {
    for notification in view.ours().filter(|message| message.is_notification()) {
        seen.exercise();
        let Some(exchange) = view.exchanges.get(&notification.exchange) else {
            continue;
        };
        let alone = notification.batch.is_none();
        let refused = exchange.status().is_some_and(|status| status >= 400);
        let answers = exchange.messages.iter().map(|index| &view.messages[*index]);
        for answer in
            answers.filter(|message| alone && message.is_targets() && message.is_response())
        {
            let no_id = answer.id().is_none_or(Value::is_null);
            if !(refused && no_id && matches!(answer.kind, Kind::Error { .. })) {
                let actual = answer.value.as_ref().map_or_else(String::new, brief);
                seen.find(
                    "no response to a notification",
                    actual,
                    [notification.event, answer.event],
                );
            }
        }
    }
    unasked_without_id(view, seen);
}

/// On a channel without exchanges, a response without an id can only be about something broken that we
/// sent; where we sent nothing broken, it answers a notification, or a response.
fn unasked_without_id(view: &View<'_>, seen: &mut Observation) {
    let in_exchange = |message: &Message| {
        view.exchanges
            .get(&message.exchange)
            .is_some_and(|exchange| exchange.method == "POST")
    };
    let broken = |message: &&Message| {
        message.meant && !matches!(message.kind, Kind::Notification { .. })
            || matches!(message.kind, Kind::Invalid { .. })
    };
    if view.ours().any(|message| broken(&message)) || !view.head.earlier_ids.is_empty() {
        return;
    }
    for response in responses(view).filter(|response| !in_exchange(response)) {
        let no_id = response.id().is_none_or(Value::is_null);
        if no_id && response.answers.is_none() {
            let actual = response.value.as_ref().map_or_else(String::new, brief);
            seen.find("no response to a notification", actual, [response.event]);
        }
    }
}

fn error_object(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let Some(error) = response.value.as_ref().and_then(|value| value.get("error")) else {
            continue;
        };
        seen.exercise();
        let integer = error
            .get("code")
            .is_some_and(|code| code.is_i64() || code.is_u64());
        let message = error.get("message").is_some_and(Value::is_string);
        if !integer || !message {
            let expected = "an error with an integer `code` and a string `message`";
            seen.find(expected, brief(error), [response.event]);
        }
    }
}

/// Error codes as 2026-07-28 parts them.
fn reserved_codes(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2026_07_28 {
        return;
    }
    for response in responses(view) {
        let Some(code) = response.code() else {
            continue;
        };
        // A legacy request in between is answered by legacy rules.
        if view.request_of(response).and_then(Message::method) == Some("initialize") {
            continue;
        }
        seen.exercise();
        match code {
            -32002 | -32042 => {
                let actual = format!("{code}, which earlier revisions used");
                seen.find("an error code of this revision", actual, [response.event]);
            }
            -32099..=-32020 if !matches!(code, -32022..=-32020) => {
                let actual = format!("{code}, from the range reserved for the specification");
                seen.find(
                    "an error code that the specification defines",
                    actual,
                    [response.event],
                );
            }
            -32019..=-32000 => {
                let actual = format!("{code}, from the range left to earlier implementations");
                seen.find_as(
                    Outcome::Warn,
                    "a code outside -32019 to -32000",
                    actual,
                    [response.event],
                );
            }
            _ => {}
        }
    }
}

fn result_schema(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for response in responses(view) {
        let (Some(request), Some(result)) = (view.request_of(response), response.result()) else {
            continue;
        };
        let legacy_opening =
            view.head.revision.era() == Era::Modern && request.method() == Some("initialize");
        let Some(method) = request.method().filter(|_| !legacy_opening) else {
            continue;
        };
        // The result of another revision's `initialize` is that revision's business.
        let other = method == "initialize"
            && result
                .get("protocolVersion")
                .is_some_and(|version| version != view.head.revision.as_str());
        if other {
            continue;
        }
        let Some(violations) = validator.result(method, result) else {
            continue;
        };
        seen.exercise();
        if let Some(violation) = violations.first() {
            let name = validator.result_definition(method).unwrap_or("result");
            let expected = format!("a result of {method} as {name} describes it");
            seen.find(
                expected,
                short(&violation.to_string()),
                [request.event, response.event],
            );
        }
    }
}

/// Traces of the program that answered, in the words that it answered with.
fn no_inner_workings(view: &View<'_>, seen: &mut Observation) {
    const TRACES: [&str; 6] = [
        "Traceback (most recent call last)",
        "\n    at ",
        "\n\tat ",
        "stack backtrace:",
        "goroutine 1 [",
        "node_modules/",
    ];
    for response in responses(view) {
        let Some(error) = response.value.as_ref().and_then(|value| value.get("error")) else {
            continue;
        };
        seen.exercise();
        let mut texts = Vec::new();
        strings(error, 0, &mut texts);
        let found = texts.iter().find_map(|text| {
            TRACES
                .iter()
                .find(|trace| text.contains(**trace))
                .map(|trace| (*text, trace))
        });
        if let Some((text, trace)) = found {
            let from = text.find(trace).unwrap_or_default();
            let actual = format!("a stack trace: {}", short(&text[from..]));
            seen.find(
                "an error that keeps the program's insides to itself",
                actual,
                [response.event],
            );
        }
    }
}

/// Every string in `value`.
fn strings<'v>(value: &'v Value, depth: usize, into: &mut Vec<&'v str>) {
    match value {
        _ if depth > 16 => {}
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, depth + 1, into)),
        Value::Object(members) => members
            .values()
            .for_each(|item| strings(item, depth + 1, into)),
        _ => {}
    }
}
