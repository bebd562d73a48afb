//! What an event stream brings, as it is recorded.

use mcp_verdict_wire::{
    sse::{Event, Item},
    transcript::EventKind,
};
use tokio::sync::oneshot;

use crate::exchanges::Log;

/// Gets the first `endpoint` event's data.
pub(super) type EndpointSender = oneshot::Sender<String>;

/// Records an item of the stream. What a stream's end cuts off is told, and counts for nothing.
pub(super) fn record(
    log: &Log,
    item: Item,
    endpoint: &mut Option<EndpointSender>,
) -> Option<String> {
    let exchange = log.exchange();
    match item {
        Item::Comment(text) => log.record(EventKind::SseComment {
            exchange,
            text: text.into(),
        }),
        Item::Event(event) if is_message(&event) => log.record(EventKind::Received {
            exchange,
            sse: Some(event.fields),
            bytes: event.data.into(),
        }),
        Item::Event(Event { fields, data, .. }) => {
            let is_endpoint = fields.event.as_deref() == Some("endpoint");
            let text = is_endpoint.then(|| String::from_utf8_lossy(&data).into_owned());
            log.record(EventKind::SseEvent {
                exchange,
                fields,
                data: data.into(),
            });
            if let Some(text) = text
                && let Some(endpoint) = endpoint.take()
            {
                // The one who waited may have lost patience.
                let _: Result<(), String> = endpoint.send(text);
            }
        }
        Item::Incomplete { event, rest } => return Some(describe_cut(&event, &rest)),
    }
    None
}

/// An event of the default type with data.
fn is_message(event: &Event) -> bool {
    let kind = event.fields.event.as_deref().unwrap_or_default();
    matches!(kind, "" | "message") && !event.data.is_empty()
}

fn describe_cut(event: &Event, rest: &[u8]) -> String {
    let seen = if event.data.is_empty() {
        rest
    } else {
        &event.data
    };
    let text: String = String::from_utf8_lossy(&seen[..seen.len().min(4 * SHOWN_CHARACTERS_MAX)])
        .chars()
        .take(SHOWN_CHARACTERS_MAX)
        .collect();
    format!("the stream ended within an event, which no empty line completes: {text}")
}

/// How much of a cut-off event is shown.
const SHOWN_CHARACTERS_MAX: usize = 200;
