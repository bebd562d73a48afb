//! What an expectation sees of an HTTP exchange: its head, body, events and trailers, as one value.

use mcp_verdict_wire::{
    message::Lenient,
    transcript::{Ended, EventKind},
};
use serde_json::{Map, Value, json};

use super::subject::{Look, Seen, SubjectState};
use crate::view::{HttpExchange, Message, media_type};

impl Look<'_, '_> {
    pub(super) fn http(&self, label: &str) -> SubjectState {
        let named = self.view.exchange_named(label);
        let Some(exchange) = named.filter(|of| of.request.is_some_and(|event| self.before(event)))
        else {
            return SubjectState::Never(format!("there is no HTTP exchange `{label}`"));
        };
        let ended = self.ended(exchange);
        let response = exchange
            .response
            .as_ref()
            .filter(|response| self.before(response.event));
        let Some(response) = response else {
            return match ended {
                Some(Ended::Broken(reason)) => {
                    SubjectState::Never(format!("there was no HTTP response: {reason}"))
                }
                Some(_) => SubjectState::Never("there was no HTTP response".to_owned()),
                None => SubjectState::Pending,
            };
        };
        if ended.is_none() && !exchange.stays_open() {
            return SubjectState::Pending;
        }
        let evidence = exchange
            .request
            .into_iter()
            .chain([response.event])
            .collect();
        let seen = Seen {
            value: self.http_value(exchange, ended),
            evidence,
        };
        // After 101 the connection is another protocol's: nothing more of this response can come.
        if ended.is_some() || exchange.status() == Some(101) {
            SubjectState::Ready(seen)
        } else {
            SubjectState::Partial(seen)
        }
    }

    fn http_value(&self, exchange: &HttpExchange, ended: Option<&Ended>) -> Value {
        let of = exchange.response.as_ref();
        let trailers = exchange.trailers.as_ref();
        let trailers = trailers.filter(|(event, _)| self.before(*event));
        json!({
            "status": exchange.status(),
            "version": of.map(|response| response.version.as_str()),
            "headers": combined(of.map_or(&[], |response| &response.headers)),
            "body": self.body(exchange),
            "messages": self.on_exchange(exchange).filter_map(|message| message.value.clone())
                .collect::<Vec<_>>(),
            "events": self.stream_events(exchange),
            "trailers": combined(trailers.map_or(&[], |(_, fields)| fields)),
            "ended": match ended {
                None => "open",
                Some(Ended::Complete) => "complete",
                Some(Ended::Broken(_)) => "broken",
                Some(Ended::Dropped) => "dropped",
            },
        })
    }

    fn body(&self, exchange: &HttpExchange) -> Value {
        let event = exchange.body.filter(|event| self.before(*event));
        let Some(EventKind::HttpBody { bytes, .. }) =
            event.map(|event| &self.view.events[event].kind)
        else {
            return Value::Null;
        };
        if bytes.0.is_empty() {
            return Value::Null;
        }
        let media = exchange
            .response_header("content-type")
            .map(media_type)
            .unwrap_or_default();
        let json = media == "application/json" || media.ends_with("+json");
        let parsed = json
            .then(|| Lenient::parse(&bytes.0).ok())
            .flatten()
            .map(|read| read.value);
        parsed.unwrap_or_else(|| Value::String(bytes.to_text().into_owned()))
    }

    fn stream_events(&self, exchange: &HttpExchange) -> Vec<Value> {
        let within = exchange.stream.iter().filter(|event| self.before(**event));
        let of = |event: &usize| match &self.view.events[*event].kind {
            EventKind::Received {
                sse: Some(fields),
                bytes,
                ..
            }
            | EventKind::SseEvent {
                fields,
                data: bytes,
                ..
            } => Some(json!({
                "event": fields.event,
                "id": fields.id,
                "retry": fields.retry,
                "data": bytes.to_text(),
            })),
            _ => None,
        };
        within.filter_map(of).collect()
    }

    pub(super) fn on_exchange<'s>(
        &'s self,
        exchange: &'s HttpExchange,
    ) -> impl Iterator<Item = &'s Message> {
        let messages = exchange
            .messages
            .iter()
            .map(|index| &self.view.messages[*index]);
        messages.filter(|message| message.is_targets() && self.before(message.event))
    }
}

/// Header fields as an object; those of one name are combined (RFC 9110, section 5.2).
fn combined(fields: &[(String, String)]) -> Map<String, Value> {
    let mut combined = Map::new();
    for (name, value) in fields {
        match combined.get_mut(name) {
            Some(Value::String(already)) => {
                already.push_str(", ");
                already.push_str(value);
            }
            _ => drop(combined.insert(name.clone(), Value::String(value.clone()))),
        }
    }
    combined
}
