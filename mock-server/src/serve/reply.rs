//! HTTP replies before they are HTTP: a status with headers, and a body or a stream of events.

use std::{pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use mcp_verdict_wire::Revision;
use serde_json::Value;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::{
    core::{
        Core, Departure, Facts, Payload,
        rpc::{INVALID_REQUEST, Refusal},
    },
    faults::{Event, Faults, HttpResponse},
};

/// A reply.
pub(super) struct Reply {
    pub(super) head: HttpResponse,
    /// The events, where the head has no body.
    pub(super) events: Option<Events>,
}

/// The bytes of an event stream.
pub(super) type Events = Pin<Box<dyn Stream<Item = Bytes> + Send>>;

/// How long a stream may be silent before a comment keeps it alive.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

impl Reply {
    /// Nothing but a status.
    pub(super) fn status(status: StatusCode) -> Self {
        Self {
            head: HttpResponse::empty(status),
            events: None,
        }
    }

    /// A refusal on the level of HTTP, with the same in JSON-RPC for whoever reads it.
    pub(super) fn refused(
        status: StatusCode,
        why: &str,
        id: Option<&Value>,
        revision: Option<Revision>,
    ) -> Self {
        let refusal = Refusal::new(INVALID_REQUEST, why);
        Self::json(
            status,
            refusal.response(id, revision).to_string().into_bytes(),
        )
    }

    /// A JSON body.
    pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Self {
        let mut head = HttpResponse::empty(status);
        head.headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        head.body = Some(body);
        Self { head, events: None }
    }

    /// A message in a JSON body.
    pub(super) fn departure(departure: &Departure) -> Self {
        let status = departure
            .status
            .and_then(|status| StatusCode::from_u16(status).ok());
        Self::json(status.unwrap_or(StatusCode::OK), departure.bytes())
    }

    /// An event stream.
    pub(super) fn events(events: Events) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // SHOULD: 2026-07-28 basic/transports/streamable-http#receiving-messages.
        headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
        let head = HttpResponse {
            status: StatusCode::OK,
            headers,
            body: None,
        };
        Self {
            head,
            events: Some(events),
        }
    }

    /// The same reply with one more header.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.head = self.head.with_header(name, value);
        self
    }
}

/// Something that ends with the stream that needs it.
pub(super) struct EndsWith<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> EndsWith<F> {
    pub(super) fn new(end: F) -> Self {
        Self(Some(end))
    }
}

impl<F: FnOnce()> Drop for EndsWith<F> {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            end();
        }
    }
}

/// Aborts a task when dropped: its client is gone.
pub(super) fn abort_with(task: JoinHandle<()>) -> EndsWith<impl FnOnce() + Send + 'static> {
    EndsWith::new(move || task.abort())
}

/// What a stream of messages, as they come, is made of.
pub(super) struct Source<G> {
    pub(super) core: Arc<Core>,
    pub(super) faults: Faults,
    pub(super) facts: Facts,
    /// What came already.
    pub(super) first: Vec<Departure>,
    /// What is still to come.
    pub(super) receiver: mpsc::Receiver<Departure>,
    /// Dropped with the stream.
    pub(super) guard: G,
}

impl<G: Send + 'static> Source<G> {
    /// A stream that ends when nobody can send to it any more, or the server closes. `opening` comes
    /// first.
    pub(super) fn into_events(self, opening: Option<Event>) -> Events {
        let Self {
            core,
            faults,
            facts,
            first,
            receiver,
            guard,
        } = self;
        let opening = opening
            .into_iter()
            .chain(first.into_iter().filter_map(event_of))
            .collect::<Vec<_>>();
        let later = stream::unfold(
            (receiver, guard, core),
            |(mut receiver, guard, core)| async {
                let event = next_event(&mut receiver, &core).await?;
                Some((event, (receiver, guard, core)))
            },
        );
        let events = stream::iter(opening).chain(later);
        let written = events.flat_map(move |event| stream::iter(write(&faults, &facts, event)));
        Box::pin(written)
    }
}

async fn next_event(receiver: &mut mpsc::Receiver<Departure>, core: &Core) -> Option<Event> {
    loop {
        let departure = tokio::select! {
            biased;
            departure = receiver.recv() => departure,
            () = tokio::time::sleep(KEEP_ALIVE) => return Some(keep_alive()),
            () = closed_for_good(core) => None,
        };
        match event_of(departure?) {
            None => {}
            event => return event,
        }
    }
}

/// Leaves those who say good-bye when the server closes the time to do so.
async fn closed_for_good(core: &Core) {
    core.closed().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// A comment, which means nothing.
pub(super) fn keep_alive() -> Event {
    Event::raw(":\n\n")
}

fn event_of(departure: Departure) -> Option<Event> {
    match departure.payload {
        Payload::HangUp => None,
        Payload::Json(_) | Payload::Raw(_) => Some(Event::message(departure.bytes())),
    }
}

/// An event as bytes, after the faults.
pub(super) fn write(faults: &Faults, facts: &Facts, event: Event) -> Vec<Bytes> {
    faults
        .stream(facts, event)
        .iter()
        .map(|event| Bytes::from(event.to_bytes()))
        .collect()
}
