//! Every message as such: JSON, UTF-8, JSON-RPC's envelope.

use mcp_verdict_wire::{Revision, transcript::EventKind};
use serde_json::Value;

use super::{Observation, Watch};
use crate::view::{Kind, Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/messages/json",
        observe: json,
    },
    Watch {
        id: "rules/messages/utf-8",
        observe: utf_8,
    },
    Watch {
        id: "rules/messages/unique-keys",
        observe: unique_keys,
    },
    Watch {
        id: "rules/messages/version",
        observe: version,
    },
    Watch {
        id: "rules/messages/no-batch",
        observe: no_batch,
    },
    Watch {
        id: "rules/messages/one-kind",
        observe: one_kind,
    },
];

/// The target's messages that are meant to be MCP messages. The body of an HTTP error need not be one:
/// it counts only if it says so itself.
pub(super) fn protocol_messages<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    view.targets().filter(|message| {
        let claims = || {
            message
                .value
                .as_ref()
                .is_some_and(|value| value.get("jsonrpc").is_some())
        };
        let of_post = |exchange: &crate::view::HttpExchange| {
            exchange.method == "POST" || exchange.is_event_stream()
        };
        match view.exchanges.get(&message.exchange) {
            None => true,
            Some(exchange) => {
                let accepted = exchange
                    .status()
                    .is_some_and(|status| (200..300).contains(&status));
                (accepted && of_post(exchange)) || claims()
            }
        }
    })
}

/// How much of what a peer sent goes into a sentence.
pub(super) fn brief(value: &Value) -> String {
    short(&value.to_string())
}

/// The first 200 characters.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn json(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view).filter(|message| message.exchange != 0) {
        seen.exercise();
        if let (None, Kind::Invalid { why, .. }) = (&message.value, &message.kind) {
            seen.find("a JSON text", format!("no JSON: {why}"), [message.event]);
        }
    }
}

fn utf_8(view: &View<'_>, seen: &mut Observation) {
    for (index, event) in view.events.iter().enumerate() {
        if let EventKind::Received { bytes, .. } = &event.kind {
            seen.exercise();
            if let Err(error) = std::str::from_utf8(&bytes.0) {
                let at = error.valid_up_to();
                seen.find("UTF-8", format!("a byte at {at} that is no UTF-8"), [index]);
            }
        }
    }
}

fn unique_keys(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view).filter(|message| message.value.is_some()) {
        seen.exercise();
        let doubled = message
            .remarks
            .iter()
            .find(|remark| remark.contains("duplicate"));
        if let Some(remark) = doubled {
            seen.find(
                "member names that are unique in their object",
                remark.as_str(),
                [message.event],
            );
        }
    }
}

fn version(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view) {
        let Some(Value::Object(members)) = &message.value else {
            continue;
        };
        seen.exercise();
        match members.get("jsonrpc") {
            Some(version) if version == "2.0" => {}
            Some(version) => seen.find("\"jsonrpc\": \"2.0\"", brief(version), [message.event]),
            None => seen.find(
                "\"jsonrpc\": \"2.0\"",
                "no member `jsonrpc`",
                [message.event],
            ),
        }
    }
}

/// Batches are part of JSON-RPC 2.0, were written down in 2025-03-26 and taken out with 2025-06-18.
fn no_batch(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_06_18 {
        return;
    }
    for message in protocol_messages(view) {
        seen.exercise();
        let empty = message.value.as_ref().is_some_and(Value::is_array);
        if message.batch == Some(0) || empty {
            seen.find("one message", "an array of messages", [message.event]);
        }
    }
}

fn one_kind(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view) {
        let Some(value @ Value::Object(_)) = &message.value else {
            continue;
        };
        seen.exercise();
        if let Kind::Invalid { why, .. } = &message.kind {
            let actual = format!("{why}: {}", brief(value));
            seen.find(
                "a request, a notification, a result or an error",
                actual,
                [message.event],
            );
        }
    }
}
