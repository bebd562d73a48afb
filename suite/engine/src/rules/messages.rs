//! Every message as such: JSON, UTF-8, JSON-RPC's envelope.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{Revision, transcript::EventKind};
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{brief, claims, is_in_place, protocol_messages},
};
use crate::view::{Kind, Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/messages/json",
        observe: json,
    },
    Watch {
        id: "rules/messages/no-batch",
        observe: no_batch,
    },
    Watch {
        id: "rules/messages/no-byte-order-mark",
        observe: no_byte_order_mark,
    },
    Watch {
        id: "rules/messages/one-kind",
        observe: one_kind,
    },
    Watch {
        id: "rules/messages/unique-keys",
        observe: unique_keys,
    },
    Watch {
        id: "rules/messages/utf-8",
        observe: utf_8,
    },
    Watch {
        id: "rules/messages/version",
        observe: version,
    },
];

/// The bytes that held a message.
pub(super) fn bytes_of<'v>(view: &'v View<'_>, message: &Message) -> &'v [u8] {
    match &view.events[message.event].kind {
        EventKind::Received { bytes, .. } => &bytes.0,
        _ => &[],
    }
}

/// On stdio a line without JSON breaks the purity of the output, which is another rule.
fn json(view: &View<'_>, seen: &mut Observation) {
    // A line that is none is told of by the rule of its transport.
    let framed = !view.head.transport.has_lines();
    for message in view
        .targets()
        .filter(|message| framed && is_in_place(view, message))
    {
        seen.exercise();
        if let (None, Kind::Invalid { why, .. }) = (&message.value, &message.kind)
            && std::str::from_utf8(bytes_of(view, message)).is_ok()
        {
            seen.find("a JSON text", format!("no JSON: {why}"), [message.event]);
        }
    }
}

fn utf_8(view: &View<'_>, seen: &mut Observation) {
    let messages = view
        .targets()
        .filter(|message| is_in_place(view, message) || claims(message));
    for message in messages.filter(|message| message.batch.unwrap_or(0) == 0) {
        seen.exercise();
        if let Err(error) = std::str::from_utf8(bytes_of(view, message)) {
            let actual = format!("byte {} is none", error.valid_up_to());
            seen.find("UTF-8", actual, [message.event]);
        }
    }
}

fn no_byte_order_mark(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view).filter(|message| message.batch.unwrap_or(0) == 0) {
        seen.exercise();
        if bytes_of(view, message).starts_with(b"\xef\xbb\xbf") {
            seen.find(
                "JSON from its first byte on",
                "a byte order mark before it",
                [message.event],
            );
        }
    }
}

fn unique_keys(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view).filter(|message| message.value.is_some()) {
        seen.exercise();
        if let Some(pointer) = message.duplicate_keys().next() {
            let actual = format!("{pointer} is there twice");
            seen.find(
                "names that are unique within their object",
                actual,
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
        if !claims(message) && matches!(message.kind, Kind::Invalid { .. }) {
            // It is no message at all.
            continue;
        }
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

/// Batches are part of JSON-RPC 2.0, were written down in 2025-03-26 and taken out with 2025-06-18. Who
/// takes a batch of ours all the same may answer it like one.
fn no_batch(view: &View<'_>, seen: &mut Observation) {
    if view.head.revision < Revision::V2025_06_18 {
        return;
    }
    let sent_one = view.ours().any(|message| {
        message.batch.is_some() || message.value.as_ref().is_some_and(Value::is_array)
    });
    for message in protocol_messages(view) {
        seen.exercise();
        let empty = message.value.as_ref().is_some_and(Value::is_array);
        if message.batch != Some(0) && !empty {
            continue;
        }
        let (expected, actual) = ("one message", "an array of messages");
        if sent_one {
            seen.find_as(Outcome::Warn, expected, actual, [message.event]);
        } else {
            seen.find(expected, actual, [message.event]);
        }
    }
}

fn one_kind(view: &View<'_>, seen: &mut Observation) {
    for message in protocol_messages(view) {
        let Some(value) = &message.value else {
            continue;
        };
        seen.exercise();
        let Kind::Invalid { why, .. } = &message.kind else {
            continue;
        };
        if value.is_array() && view.head.revision >= Revision::V2025_06_18 {
            // An empty batch is a batch.
            continue;
        }
        let expected = "a request, a notification, a result or an error";
        let actual = format!("{why}: {}", brief(value));
        // Further members are nobody's business, whatever they are called.
        if value.get("method").is_some_and(Value::is_string) {
            seen.find_as(Outcome::Warn, expected, actual, [message.event]);
        } else {
            seen.find(expected, actual, [message.event]);
        }
    }
}
