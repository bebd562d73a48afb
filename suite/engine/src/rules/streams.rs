//! Streamable HTTP: what comes on which event stream.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_wire::{
    Era,
    transcript::{EventKind, SseFields},
};

use super::{
    Observation, Watch,
    http::{head_of, posts},
    reach::{asks_modern, is_one_session, is_resuming, is_streamable, same, short, theirs_in},
};
use crate::view::{HttpExchange, Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/streams/event-ids",
        observe: event_ids,
    },
    Watch {
        id: "rules/streams/no-broadcast",
        observe: no_broadcast,
    },
    Watch {
        id: "rules/streams/no-response-on-get",
        observe: no_response_on_get,
    },
    Watch {
        id: "rules/streams/not-buffered",
        observe: not_buffered,
    },
    Watch {
        id: "rules/streams/nothing-after-response",
        observe: nothing_after_response,
    },
    Watch {
        id: "rules/streams/own-response-only",
        observe: own_response_only,
    },
];

fn is_legacy(view: &View<'_>) -> bool {
    is_streamable(view) && view.head.revision.era() == Era::Legacy
}

/// The legacy GET stream, except one that resumes another.
fn listening<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v HttpExchange> {
    let legacy = is_legacy(view);
    view.exchanges.values().filter(move |exchange| {
        legacy && exchange.method == "GET" && exchange.is_event_stream() && !is_resuming(exchange)
    })
}

fn no_response_on_get(view: &View<'_>, seen: &mut Observation) {
    for exchange in listening(view) {
        seen.exercise();
        for message in theirs_in(view, exchange).filter(|message| message.is_response()) {
            let expected = "no response on a GET stream that resumes nothing";
            seen.find(expected, "a response", [message.event]);
        }
    }
}

fn own_response_only(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view).filter(|(_, ours)| !ours.is_empty()) {
        for response in theirs_in(view, exchange).filter(|message| message.is_response()) {
            let Some(request) = view.request_of(response) else {
                continue;
            };
            seen.exercise();
            let own = request.exchange == exchange.number;
            if !own && !ours.iter().any(|message| message.id() == request.id()) {
                let expected = "the response to the request of this POST";
                seen.find(
                    expected,
                    "the response to another",
                    [request.event, response.event],
                );
            }
        }
    }
}

fn nothing_after_response(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view).filter(|(exchange, _)| exchange.is_event_stream()) {
        let answers: Option<Vec<&Message>> = ours
            .iter()
            .filter(|message| message.is_request())
            .map(|request| {
                view.response_to(request)
                    .filter(|of| of.exchange == exchange.number)
            })
            .collect();
        // Every request has its answer on this stream.
        let Some(last) = answers.and_then(|all| all.iter().map(|answer| answer.event).max()) else {
            continue;
        };
        seen.exercise();
        if let Some(message) = theirs_in(view, exchange).find(|message| message.event > last) {
            let actual = message
                .method()
                .map_or_else(|| "a message".to_owned(), short);
            seen.find(
                "the end of the stream after the response",
                actual,
                [last, message.event],
            );
        }
    }
}

/// The session that an exchange belongs to; none where the server has no sessions.
fn session_of(exchange: &HttpExchange) -> Option<&str> {
    exchange.request_header("mcp-session-id")
}

/// Whether two messages are so much the same that they must be one: a request by its id, and progress,
/// which never stands still. Other notifications may be sent twice on purpose.
fn is_copy(one: &Message, other: &Message) -> bool {
    let (Some(left), Some(right)) = (&one.value, &other.value) else {
        return false;
    };
    let request = one.is_request()
        && one
            .id()
            .zip(other.id())
            .is_some_and(|(one, other)| same(one, other));
    (request || one.method() == Some("notifications/progress")) && left == right
}

fn no_broadcast(view: &View<'_>, seen: &mut Observation) {
    let streams = view.exchanges.values().filter(|exchange| {
        is_legacy(view)
            && exchange.is_event_stream()
            && !is_resuming(exchange)
            && session_of(exchange).is_some()
    });
    let mut earlier: Vec<(&HttpExchange, &Message)> = Vec::new();
    for exchange in streams {
        for message in theirs_in(view, exchange) {
            seen.exercise();
            let copy = earlier.iter().find(|(of, other)| {
                of.number != exchange.number
                    && session_of(of) == session_of(exchange)
                    && is_copy(message, other)
            });
            if let Some((_, other)) = copy {
                let events = [other.event, message.event];
                seen.find(
                    "each message on one stream only",
                    "the same message on two",
                    events,
                );
            } else if !message.is_response() && earlier.len() < REMEMBERED_MAX {
                earlier.push((exchange, message));
            }
        }
    }
}

/// The fields of an event of a stream, whether it brought a message or not.
fn fields_at<'v>(view: &'v View<'_>, event: usize) -> Option<&'v SseFields> {
    match &view.events[event].kind {
        EventKind::Received { sse, .. } => sse.as_ref(),
        EventKind::SseEvent { fields, .. } => Some(fields),
        _ => None,
    }
}

/// Event ids are unique across the streams of a session, or of a client where there are no sessions. A
/// resumed stream repeats those that it replays.
fn event_ids(view: &View<'_>, seen: &mut Observation) {
    let sessions: BTreeSet<_> = view.exchanges.values().filter_map(session_of).collect();
    if !is_legacy(view) || sessions.len() > 1 || !is_one_session(view) {
        return;
    }
    let mut used: BTreeMap<&str, (&HttpExchange, usize)> = BTreeMap::new();
    for exchange in view
        .exchanges
        .values()
        .filter(|exchange| !is_resuming(exchange))
    {
        for event in &exchange.stream {
            let id = fields_at(view, *event).and_then(|fields| fields.id.as_deref());
            let Some(id) = id.filter(|id| !id.is_empty()) else {
                continue;
            };
            seen.exercise();
            let before = used.insert(id, (exchange, *event));
            let Some((other, first)) = before else {
                continue;
            };
            if !begin_alike(view, (other, first), (exchange, *event)) {
                let actual = format!("{:?} again", short(id));
                seen.find(
                    "event ids that are unique in the session",
                    actual,
                    [first, *event],
                );
            }
        }
    }
}

/// Whether two events without a message stand on GET streams. Who opens such a stream a second time may get
/// the same one, at its beginning.
fn begin_alike(
    view: &View<'_>,
    one: (&HttpExchange, usize),
    other: (&HttpExchange, usize),
) -> bool {
    [one, other].iter().all(|(exchange, event)| {
        let empty = matches!(view.events[*event].kind, EventKind::SseEvent { .. });
        exchange.method == "GET" && empty
    }) && one.0.number != other.0.number
}

fn not_buffered(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view).filter(|(exchange, _)| exchange.is_event_stream()) {
        if !ours.iter().any(|request| asks_modern(view, request)) {
            continue;
        }
        seen.exercise();
        let header = exchange.response_header("x-accel-buffering");
        if header.is_none_or(|value| !value.eq_ignore_ascii_case("no")) {
            seen.find(
                "`X-Accel-Buffering: no` with an event stream",
                "none",
                head_of(exchange),
            );
        }
    }
}

/// More messages than any honest server sends in one conversation, and few enough to compare each with
/// all.
const REMEMBERED_MAX: usize = 2000;
