//! Responses: to what they answer, once, and under which id.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::transcript::{Event, EventKind};
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{
        alike, brief, exchange_of, is_modern, is_plain, is_refusal, is_resumed, ours_in, provoked,
        responses, same, theirs_in,
    },
};
use crate::{
    schema::Validator,
    view::{Kind, Message, View, integer},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/responses/id-type",
        observe: id_type,
    },
    Watch {
        id: "rules/responses/known-id",
        observe: known_id,
    },
    Watch {
        id: "rules/responses/no-answer-to-notifications",
        observe: no_answer_to_notifications,
    },
    Watch {
        id: "rules/responses/once",
        observe: once,
    },
    Watch {
        id: "rules/responses/with-id",
        observe: with_id,
    },
];

/// Integers that every reader of JSON keeps apart (RFC 8259, section 6).
const SAFE_INTEGERS: std::ops::RangeInclusive<i64> = -9_007_199_254_740_991..=9_007_199_254_740_991;

fn is_safe(id: &Value) -> bool {
    id.is_string() || integer(id).is_some_and(|id| SAFE_INTEGERS.contains(&id))
}

/// A response's id, unless it is null.
fn id_of(response: &Message) -> Option<&Value> {
    response.id().filter(|id| !id.is_null())
}

/// Whether the id belongs to a request that was sent before this transcript began.
fn is_earlier(view: &View<'_>, id: &Value) -> bool {
    view.head
        .earlier_ids
        .iter()
        .any(|earlier| same(earlier, id))
}

fn known_id(view: &View<'_>, seen: &mut Observation) {
    // What we sent broken may have an id that only another reading of its bytes shows.
    let garbled = view.ours().any(|message| {
        let odd = message.id().is_some_and(|id| !is_safe(id));
        odd || !message.remarks.is_empty() || matches!(message.kind, Kind::Invalid { .. })
    }) || posts_elsewhere(view);
    for response in responses(view) {
        let Some(id) = id_of(response) else { continue };
        seen.exercise();
        let sent = |message: &Message| message.id().is_some_and(|other| alike(other, id));
        if garbled || response.answers.is_some() || is_earlier(view, id) || view.ours().any(sent) {
            continue;
        }
        let (expected, events) = ("the id of a request that was sent", [response.event]);
        if is_refusal(exchange_of(view, response)) {
            // The body of an HTTP error need not be a response.
            seen.find_as(Outcome::Warn, expected, brief(id), events);
        } else {
            seen.find(expected, brief(id), events);
        }
    }
}

/// Whether something was sent to another endpoint than the session's, whose answers may come here.
fn posts_elsewhere(view: &View<'_>) -> bool {
    let with_body = |event: &Event| matches!(&event.kind, EventKind::HttpRequest { method, body: Some(_), .. } if method == "POST");
    view.events.iter().any(with_body)
}

fn once(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let Some(id) = id_of(response) else { continue };
        seen.exercise();
        if response.answers.is_some() || is_earlier(view, id) || is_resumed(view, response) {
            continue;
        }
        let has_it = |message: &&Message| message.id().is_some_and(|of| same(of, id));
        // What is no request may be answered under its id as well.
        let sent = view.ours().filter(has_it).count();
        let given = responses(view).filter(|other| other.event <= response.event);
        if given.filter(has_it).count() <= sent {
            continue;
        }
        let asked = |request: &&Message| {
            request.is_request() && request.id().is_some_and(|of| same(of, id))
        };
        let answers = view
            .ours()
            .filter(asked)
            .filter_map(|request| view.response_to(request));
        let mut before = answers.filter(|first| {
            first.event <= response.event && id_of(first).is_some_and(|of| same(of, id))
        });
        if let Some(first) = before.next() {
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
        let (Some(asked), Some(given)) = (request.id(), id_of(response)) else {
            continue;
        };
        if !is_safe(asked) || !request.remarks.is_empty() {
            continue;
        }
        seen.exercise();
        let (expected, actual) = (
            format!("the id {}", brief(asked)),
            format!("the id {}", brief(given)),
        );
        let events = [request.event, response.event];
        if !same(asked, given) {
            seen.find(expected, actual, events);
        } else if asked != given && is_plainly_spelled(asked) {
            // The same number, spelled so that not every client finds its request.
            seen.find_as(Outcome::Warn, expected, actual, events);
        }
    }
}

/// Whether an integer is spelled as everyone spells it. What came as `-0`, `1.0` or `1e2` is read as a number, and may
/// go back as one, however it is spelled: JSON makes no difference between them.
fn is_plainly_spelled(id: &Value) -> bool {
    let spelled = id.to_string();
    integer(id).is_none_or(|number| number.to_string() == spelled)
}

fn with_id(view: &View<'_>, seen: &mut Observation) {
    for response in responses(view) {
        let request = view
            .request_of(response)
            .filter(|request| request.is_request() && is_plain(request));
        let Some(request) = request else { continue };
        if id_of(response).is_some() {
            seen.exercise();
        } else if !may_lack_id(view, request, response) {
            let expected = format!("the id {}", request.id().map(brief).unwrap_or_default());
            let actual = response.id().map_or("no id", |_| "null");
            let events = [request.event, response.event];
            if is_malformed(view, request) {
                // Whether the id of a request could be read whose params could not is open.
                seen.find_as(Outcome::Warn, expected, actual, events);
            } else {
                seen.find(expected, actual, events);
            }
        }
    }
}

/// Whether a request is meant to be no instance of what the schema describes.
fn is_malformed(view: &View<'_>, request: &Message) -> bool {
    let validator = Validator::of(view.head.revision);
    let definition = request
        .method()
        .and_then(|method| validator.request_definition(method));
    let (Some(definition), Some(value)) = (definition.filter(|_| request.meant), &request.value)
    else {
        return false;
    };
    validator
        .validate(definition, value)
        .is_ok_and(|violations| !violations.is_empty())
}

/// Whether a response without an id may be about something else than the request that is waiting, or come
/// from someone who has not read it.
fn may_lack_id(view: &View<'_>, request: &Message, response: &Message) -> bool {
    let exchange = exchange_of(view, response);
    let own = exchange.is_some_and(|exchange| exchange.number == request.exchange);
    if is_answered_later(view, request, response) || (!own && provoked(view)) {
        return true;
    }
    let error = matches!(response.kind, Kind::Error { .. });
    let unread = is_refusal(exchange) && !shows_reading(view, response);
    error && (unread || !has_readable_id(request))
}

/// Whether an error that refuses an HTTP request can only come from someone who has read its body: these
/// codes have their own statuses in the modern era.
fn shows_reading(view: &View<'_>, response: &Message) -> bool {
    is_modern(view) && matches!(response.code(), Some(-32601 | -32021))
}

/// Whether every reader of JSON can repeat a request's id; who cannot, cannot tell it in an error either.
fn has_readable_id(request: &Message) -> bool {
    request.id().is_some_and(is_safe)
}

/// Whether a request got its answer after a response without an id that was taken for it.
fn is_answered_later(view: &View<'_>, request: &Message, response: &Message) -> bool {
    request.id().is_some_and(|id| {
        let mut later = responses(view).filter(|other| other.event > response.event);
        later.any(|other| other.id().is_some_and(|of| same(of, id)))
    })
}

/// Over HTTP the refusal of a notification may come with an error that has no id.
fn no_answer_to_notifications(view: &View<'_>, seen: &mut Observation) {
    for notification in view
        .ours()
        .filter(|message| message.is_notification() && is_plain(message))
    {
        seen.exercise();
        let Some(exchange) = exchange_of(view, notification) else {
            continue;
        };
        if ours_in(view, exchange).count() > 1 {
            continue;
        }
        for answer in theirs_in(view, exchange).filter(|message| message.is_response()) {
            let actual = answer.value.as_ref().map_or_else(String::new, brief);
            let events = [notification.event, answer.event];
            let error = matches!(answer.kind, Kind::Error { .. });
            match (is_refusal(Some(exchange)) && error, id_of(answer)) {
                (true, None) => {}
                (true, Some(_)) => {
                    seen.find_as(Outcome::Warn, "an error without an id", actual, events);
                }
                (false, _) => seen.find("no response to a notification", actual, events),
            }
        }
    }
    unasked(view, seen);
}

/// On a channel without exchanges, a response without an id can only be about something broken that we
/// sent; where we sent nothing broken, it answers a notification, or a response.
fn unasked(view: &View<'_>, seen: &mut Observation) {
    if provoked(view) || !view.head.earlier_ids.is_empty() {
        return;
    }
    // A POST has its own answer, and the body that refuses a GET or DELETE is about that.
    let of_exchange = |message: &Message| {
        exchange_of(view, message)
            .is_some_and(|exchange| exchange.method == "POST" || !exchange.is_event_stream())
    };
    for response in responses(view).filter(|response| !of_exchange(response)) {
        let extra = view
            .request_of(response)
            .is_none_or(|request| is_answered_later(view, request, response));
        if id_of(response).is_none() && extra {
            let actual = response.value.as_ref().map_or_else(String::new, brief);
            seen.find("no response to a notification", actual, [response.event]);
        }
    }
}
