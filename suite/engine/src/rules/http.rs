//! Streamable HTTP: statuses and headers.

use mcp_verdict_wire::{Era, Revision, transcript::EventKind};

use super::{
    Observation, Watch,
    reach::{is_modern, is_sound, is_streamable, ours_in, short},
};
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
        id: "rules/http/allow",
        observe: allow,
    },
    Watch {
        id: "rules/http/answer-content-type",
        observe: answer_content_type,
    },
    Watch {
        id: "rules/http/session-id-characters",
        observe: session_id_characters,
    },
];

/// POSTs of this transport with a response, each with our messages in it.
pub(super) fn posts<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v HttpExchange, Vec<&'v Message>)> {
    let streamable = is_streamable(view);
    let answered = move |exchange: &&HttpExchange| {
        streamable && exchange.method == "POST" && exchange.response.is_some()
    };
    let all = view.exchanges.values().filter(answered);
    all.map(|exchange| (exchange, ours_in(view, exchange).collect()))
}

/// The event of a response's head.
pub(super) fn head_of(exchange: &HttpExchange) -> Option<usize> {
    exchange.response.as_ref().map(|response| response.event)
}

/// Whether what was sent are notifications and responses, as the revision takes them: batches in
/// 2025-03-26 only, and responses in the legacy era only.
fn asks_nothing(view: &View<'_>, ours: &[&Message]) -> bool {
    let batches = view.head.revision == Revision::V2025_03_26;
    !ours.is_empty()
        && ours.iter().all(|message| {
            let lawful = match message.kind {
                Kind::Notification { .. } => true,
                Kind::Result { .. } | Kind::Error { .. } => !is_modern(view),
                _ => false,
            };
            lawful && is_sound(message) && (batches || message.batch.is_none())
        })
}

fn accepted(view: &View<'_>, seen: &mut Observation) {
    for (exchange, ours) in posts(view).filter(|(_, ours)| asks_nothing(view, ours)) {
        let Some(status) = exchange.status() else {
            continue;
        };
        seen.exercise();
        if status != 202 && (200..300).contains(&status) {
            let expected = "HTTP 202, or an HTTP error, for a POST without a request";
            let events = ours.first().map(|message| message.event).into_iter();
            seen.find(
                expected,
                format!("HTTP {status}"),
                events.chain(head_of(exchange)),
            );
        }
    }
}

fn accepted_is_empty(view: &View<'_>, seen: &mut Observation) {
    for (exchange, _) in posts(view).filter(|(_, ours)| asks_nothing(view, ours)) {
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
            .any(|message| message.is_request() && is_sound(message) && !message.meant);
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
            seen.find(expected, actual, head_of(exchange));
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
            seen.find("`Allow` with HTTP 405", "none", head_of(exchange));
        }
    }
}

fn session_id_characters(view: &View<'_>, seen: &mut Observation) {
    let legacy = is_streamable(view) && view.head.revision.era() == Era::Legacy;
    for exchange in view.exchanges.values().filter(|_| legacy) {
        let Some(id) = exchange.response_header("mcp-session-id") else {
            continue;
        };
        seen.exercise();
        if id.is_empty() || !id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            let actual = format!("{:?}", short(id));
            seen.find(
                "a session id of visible ASCII characters",
                actual,
                head_of(exchange),
            );
        }
    }
}
