//! Streamable HTTP: statuses, headers and streams.

use std::collections::BTreeMap;

use mcp_verdict_wire::{Era, TransportKind, transcript::EventKind};

use super::{Observation, Watch, messages::short};
use crate::view::{HttpExchange, Kind, Message, View, media_type};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/http/accepted",
        observe: accepted,
    },
    Watch {
        id: "rules/http/accepted-is-empty",
        observe: accepted_is_empty,
    },
    Watch {
        id: "rules/http/answer-content-type",
        observe: answer_content_type,
    },
    Watch {
        id: "rules/http/allow",
        observe: allow,
    },
    Watch {
        id: "rules/http/session-id-characters",
        observe: session_id_characters,
    },
    Watch {
        id: "rules/http/no-response-on-get",
        observe: no_response_on_get,
    },
    Watch {
        id: "rules/http/own-response-only",
        observe: own_response_only,
    },
    Watch {
        id: "rules/http/no-broadcast",
        observe: no_broadcast,
    },
    Watch {
        id: "rules/http/event-ids",
        observe: event_ids,
    },
    Watch {
        id: "rules/http/stream-not-buffered",
        observe: stream_not_buffered,
    },
];

fn is_streamable(view: &View<'_>) -> bool {
    view.head.transport == TransportKind::StreamableHttp
}

/// POSTs of this transport with a response, each with our messages in it.
fn posts<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v HttpExchange, Vec<&'v Message>)> {
    let streamable = is_streamable(view);
    view.exchanges
        .values()
        .filter(move |exchange| {
            streamable && exchange.method == "POST" && exchange.response.is_some()
        })
        .map(|exchange| {
            let messages = exchange.messages.iter().map(|index| &view.messages[*index]);
            (
                exchange,
                messages.filter(|message| !message.is_targets()).collect(),
            )
        })
}

/// Whether all that was sent are notifications and responses.
fn asks_nothing(ours: &[&Message]) -> bool {
    !ours.is_empty()
        && ours.iter().all(|message| {
            matches!(
                message.kind,
                Kind::Notification { .. } | Kind::Result { .. } | Kind::Error { .. }
            )
        })
}

fn response_event(exchange: &HttpExchange) -> Option<usize> {
    exchange.response.as_ref().map(|response| response.event)
}

fn accepted(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view).filter(|(_, ours)| asks_nothing(ours)) {
        let Some(status) = exchange.status() else {
            continue;
        };
        seen.exercise();
        if status != 202 && status < 400 {
            let expected = "HTTP 202, or an HTTP error, for a POST without a request";
            let events = ours.first().map(|message| message.event).into_iter();
            seen.find(
                expected,
                format!("HTTP {status}"),
                events.chain(response_event(exchange)),
            );
        }
    }
}

fn accepted_is_empty(view: &View<'_>, seen: &mut Observation) {
    for (exchange, _) in posts(view).filter(|(_, ours)| asks_nothing(ours)) {
        if exchange.status() != Some(202) {
            continue;
        }
        seen.exercise();
        let body = exchange
            .body
            .and_then(|event| match &view.events[event].kind {
                EventKind::HttpBody { bytes, .. } if !bytes.0.is_empty() => Some((event, bytes)),
                _ => None,
            });
        if let Some((event, bytes)) = body {
            seen.find("no body with HTTP 202", short(&bytes.to_text()), [event]);
        } else if let Some(event) = exchange.stream.first() {
            seen.find("no body with HTTP 202", "an event stream", [*event]);
        }
    }
}

fn answer_content_type(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view) {
        let asks = ours
            .iter()
            .any(|message| message.is_request() && !message.meant);
        if !asks
            || exchange
                .status()
                .is_none_or(|status| !(200..300).contains(&status))
        {
            continue;
        }
        seen.exercise();
        let given = exchange.response_header("content-type");
        let kind = given.map(media_type).unwrap_or_default();
        if !matches!(kind.as_str(), "application/json" | "text/event-stream") {
            let expected = "`application/json` or `text/event-stream` in answer to a request";
            let actual = given.map_or_else(|| "no content type".to_owned(), short);
            seen.find(expected, actual, response_event(exchange));
        }
    }
}

/// RFC 9110, section 15.5.6.
fn allow(view: &View<'_>, seen: &mut Observation) {
    for exchange in view
        .exchanges
        .values()
        .filter(|exchange| exchange.status() == Some(405))
    {
        seen.exercise();
        if exchange.response_header("allow").is_none() {
            seen.find("`Allow` with HTTP 405", "none", response_event(exchange));
        }
    }
}

fn session_id_characters(view: &View<'_>, seen: &mut Observation) {
    for exchange in view.exchanges.values().filter(|_| is_streamable(view)) {
        let Some(id) = exchange.response_header("mcp-session-id") else {
            continue;
        };
        seen.exercise();
        if id.is_empty() || !id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            let actual = format!("{:?}", short(id));
            seen.find(
                "a session id of visible ASCII characters",
                actual,
                response_event(exchange),
            );
        }
    }
}

/// The legacy GET stream, except one that resumes another.
fn listening<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v HttpExchange> {
    let legacy = is_streamable(view) && view.head.revision.era() == Era::Legacy;
    view.exchanges.values().filter(move |exchange| {
        legacy
            && exchange.method == "GET"
            && exchange.is_event_stream()
            && exchange.request_header("last-event-id").is_none()
    })
}

fn theirs<'v>(view: &'v View<'_>, exchange: &'v HttpExchange) -> impl Iterator<Item = &'v Message> {
    exchange
        .messages
        .iter()
        .map(|index| &view.messages[*index])
        .filter(|message| message.is_targets())
}

fn no_response_on_get(view: &View<'_>, seen: &mut Observation) {
    for exchange in listening(view) {
        seen.exercise();
        for message in theirs(view, exchange).filter(|message| message.is_response()) {
            seen.find(
                "no response on a GET stream that resumes nothing",
                "a response",
                [message.event],
            );
        }
    }
}

fn own_response_only(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view) {
        for response in theirs(view, exchange).filter(|message| message.is_response()) {
            let Some(request) = view.request_of(response) else {
                continue;
            };
            seen.exercise();
            if request.exchange != exchange.number && !ours.is_empty() {
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

/// Each message on one stream only. Equal notifications may be sent twice on purpose, so only what an id
/// makes unique is compared: requests and responses.
fn no_broadcast(view: &View<'_>, seen: &mut Observation) {
    let mut first: BTreeMap<String, &Message> = BTreeMap::new();
    let streams = view.exchanges.values().filter(|exchange| {
        is_streamable(view)
            && exchange.is_event_stream()
            && exchange.request_header("last-event-id").is_none()
    });
    for exchange in streams {
        for message in theirs(view, exchange) {
            seen.exercise();
            let Some(value) = message
                .value
                .as_ref()
                .filter(|_| !message.is_notification())
            else {
                continue;
            };
            match first.get(&value.to_string()) {
                Some(other) if other.exchange != message.exchange => {
                    let expected = "each message on one stream only";
                    seen.find(
                        expected,
                        "the same message on two",
                        [other.event, message.event],
                    );
                }
                Some(_) => {}
                None => {
                    first.insert(value.to_string(), message);
                }
            }
        }
    }
}

/// Event ids are unique across the streams of a session; a resumed stream repeats those it replays.
fn event_ids(view: &View<'_>, seen: &mut Observation) {
    let mut used: BTreeMap<&str, usize> = BTreeMap::new();
    let legacy = is_streamable(view) && view.head.revision.era() == Era::Legacy;
    let fresh = view
        .exchanges
        .values()
        .filter(|exchange| legacy && exchange.request_header("last-event-id").is_none());
    let session_of =
        |exchange: &HttpExchange| exchange.request_header("mcp-session-id").map(str::to_owned);
    let sessions: std::collections::BTreeSet<_> =
        view.exchanges.values().filter_map(session_of).collect();
    if sessions.len() > 1 {
        return;
    }
    for event in fresh.flat_map(|exchange| &exchange.stream) {
        let id = match &view.events[*event].kind {
            EventKind::Received {
                sse: Some(fields), ..
            }
            | EventKind::SseEvent { fields, .. } => &fields.id,
            _ => continue,
        };
        let Some(id) = id.as_deref().filter(|id| !id.is_empty()) else {
            continue;
        };
        seen.exercise();
        if let Some(before) = used.insert(id, *event) {
            let actual = format!("{:?} again", short(id));
            seen.find(
                "event ids that are unique in the session",
                actual,
                [before, *event],
            );
        }
    }
}

fn stream_not_buffered(view: &View<'_>, seen: &mut Observation) {
    for (exchange, _) in posts(view).filter(|_| view.head.revision.era() == Era::Modern) {
        if !exchange.is_event_stream() {
            continue;
        }
        seen.exercise();
        if exchange
            .response_header("x-accel-buffering")
            .is_none_or(|value| !value.eq_ignore_ascii_case("no"))
        {
            seen.find(
                "`X-Accel-Buffering: no` with an event stream",
                "none",
                response_event(exchange),
            );
        }
    }
}
