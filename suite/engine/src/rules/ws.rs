//! WebSocket: the handshake, the frames, and the end.

use mcp_verdict_wire::{
    transcript::{EventKind, Exchange},
    websocket::accept_key,
};

use super::{Observation, Watch, http::head_of, reach::short};
use crate::view::{HttpExchange, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/ws/close-codes",
        observe: close_codes,
    },
    Watch {
        id: "rules/ws/frames",
        observe: frames,
    },
    Watch {
        id: "rules/ws/handshake",
        observe: handshake,
    },
    Watch {
        id: "rules/ws/nothing-after-close",
        observe: nothing_after_close,
    },
    Watch {
        id: "rules/ws/text-frames",
        observe: text_frames,
    },
];

/// Whether anything came that frames carried. The transcript has whole messages, and other frames as they were.
fn comes_in_a_frame(kind: &EventKind) -> Option<Exchange> {
    match kind {
        EventKind::Received { exchange, .. }
        | EventKind::Closed { exchange, .. }
        | EventKind::Frame {
            exchange,
            sent: false,
            ..
        } => Some(*exchange),
        _ => None,
    }
}

fn frames(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate() {
        if comes_in_a_frame(&event.kind).is_some() {
            seen.exercise();
        }
        if let EventKind::Frame {
            sent: false,
            opcode,
            breaks: Some(why),
            ..
        } = &event.kind
        {
            let actual = format!("a frame ({opcode}): {why}");
            seen.find("frames as RFC 6455 has them", actual, [index]);
        }
    }
}

fn text_frames(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate() {
        match &event.kind {
            EventKind::Received { .. } => seen.exercise(),
            EventKind::Frame {
                sent: false,
                opcode,
                bytes,
                breaks: None,
                ..
            } if opcode == "binary" => {
                let actual = format!("a binary frame: {}", short(&bytes.to_text()));
                seen.find("messages in text frames alone", actual, [index]);
            }
            _ => {}
        }
    }
}

/// RFC 6455, section 7.4: codes below 1000 are not used, and three are for no frame.
fn close_codes(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate() {
        let EventKind::Closed { code, .. } = &event.kind else {
            continue;
        };
        seen.exercise();
        if let Some(code) = code.filter(|code| *code < 1000 || matches!(code, 1005 | 1006 | 1015)) {
            let expected = "a code that a close frame may carry, or none";
            seen.find(expected, code.to_string(), [index]);
        }
    }
}

fn nothing_after_close(view: &View<'_>, seen: &mut Observation) {
    let mut closed: Vec<Exchange> = Vec::new();
    for (index, event) in view.events.iter().enumerate() {
        if let EventKind::Closed { exchange, .. } = &event.kind {
            seen.exercise();
            closed.push(*exchange);
            continue;
        }
        let data = match &event.kind {
            EventKind::Received {
                exchange, bytes, ..
            } => Some((exchange, bytes)),
            EventKind::Frame {
                exchange,
                sent: false,
                opcode,
                bytes,
                ..
            } if opcode == "binary" => Some((exchange, bytes)),
            _ => None,
        };
        if let Some((_, bytes)) = data.filter(|(exchange, _)| closed.contains(exchange)) {
            let actual = format!("a message: {}", short(&bytes.to_text()));
            seen.find("nothing after a close frame", actual, [index]);
        }
    }
}

fn handshake(view: &View<'_>, seen: &mut Observation) {
    for exchange in view.exchanges.values() {
        if exchange.status() != Some(101) || exchange.request.is_none() {
            continue;
        }
        seen.exercise();
        for (expected, actual) in mistakes(exchange) {
            let events = exchange.request.into_iter().chain(head_of(exchange));
            seen.find(expected, actual, events);
        }
    }
}

/// What is wrong with the head of a response that switches protocols (RFC 6455, sections 4.1 and 4.2.2).
fn mistakes(exchange: &HttpExchange) -> Vec<(String, String)> {
    let given = |name: &str| exchange.response_header(name).map(str::trim);
    let told = |value: Option<&str>| value.map_or_else(|| "none".to_owned(), short);
    let mut mistakes = Vec::new();
    let upgrade = given("upgrade");
    if !upgrade.is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
        mistakes.push((
            "`Upgrade: websocket` with HTTP 101".to_owned(),
            told(upgrade),
        ));
    }
    let connection = given("connection");
    let upgrades = |item: &str| item.trim().eq_ignore_ascii_case("upgrade");
    if !connection.is_some_and(|value| value.split(',').any(upgrades)) {
        mistakes.push((
            "`Connection: Upgrade` with HTTP 101".to_owned(),
            told(connection),
        ));
    }
    if let Some(key) = sent(exchange, "sec-websocket-key").next() {
        let (expected, accept) = (accept_key(key), given("sec-websocket-accept"));
        if accept != Some(expected.as_str()) {
            mistakes.push((format!("`Sec-WebSocket-Accept: {expected}`"), told(accept)));
        }
    }
    let protocol = given("sec-websocket-protocol");
    if let Some(chosen) = protocol.filter(|chosen| !offers(exchange, chosen)) {
        let expected = "a subprotocol that was offered, or none".to_owned();
        mistakes.push((expected, short(chosen)));
    }
    let extensions = given("sec-websocket-extensions").filter(|value| !value.is_empty());
    if let Some(agreed) = extensions
        && sent(exchange, "sec-websocket-extensions").next().is_none()
    {
        let expected = "no extension, since none was offered".to_owned();
        mistakes.push((expected, short(agreed)));
    }
    mistakes
}

/// Whether we offered that subprotocol. What is the user's own is not in the transcript.
fn offers(exchange: &HttpExchange, chosen: &str) -> bool {
    sent(exchange, "sec-websocket-protocol")
        .flat_map(|value| value.split(','))
        .any(|item| item.trim() == chosen || item.trim() == "[redacted]")
}

fn sent<'e>(exchange: &'e HttpExchange, name: &str) -> impl Iterator<Item = &'e str> {
    let fields = exchange.request_headers.iter();
    fields
        .filter(move |(field, _)| field == name)
        .map(|(_, value)| value.as_str())
}
