//! The suite's own connection, for transports that have no lean one here. It records each exchange, which costs time:
//! figures over it say more about a target that is slow than about one that is fast.

use std::time::{Duration, Instant};

use mcp_verdict_transport::{Connection, Outgoing, Recorder, Shutdown};
use mcp_verdict_wire::transcript::{Ended, Event, EventKind, Exchange};

use super::{Captured, Exchanged, Failure};
use crate::{
    request::{Body, Endpoint},
    scan::{Said, Scanned, scan},
};

/// A connection that records.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
}

/// What a recorder heard that matters to who waits for an answer.
enum Heard {
    Answer(Said),
    Asked { id: Vec<u8>, ping: bool },
    Wrong(Failure),
}

/// How far one exchange was read.
#[derive(Default)]
struct Place {
    seen: usize,
    received: usize,
    first_event: Option<Instant>,
}

impl Link {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self, Failure> {
        let mut options = endpoint.options.clone();
        options.revision = Some(endpoint.revision);
        let recorder = Recorder::new(options.redactor.clone());
        let connection = Connection::open(&endpoint.address, &options, recorder)
            .await
            .map_err(|error| Failure::Connect(error.to_string()))?;
        Ok(Self { connection })
    }

    pub(crate) fn set_session(&mut self, fields: Vec<(String, String)>) {
        for (name, value) in fields {
            self.connection.set_header(&name, Some(value));
        }
    }

    pub(crate) async fn request(
        &mut self,
        body: &Body,
        id: u64,
        mut captured: Option<&mut Captured>,
    ) -> Result<Exchanged, Failure> {
        self.connection.recorder().start(Vec::new());
        self.send(body, body.with_id(id)).await?;
        let mut place = Place::default();
        loop {
            let recorder = self.connection.recorder().clone();
            let heard = recorder
                .wait(PATIENCE, |events| {
                    place.hear(events, id, captured.as_deref_mut())
                })
                .await;
            match heard {
                None => return Err(Failure::Timeout),
                Some(Heard::Wrong(failure)) => return Err(failure),
                Some(Heard::Asked { id, ping }) => self.reply(&id, ping).await?,
                Some(Heard::Answer(said)) => {
                    return Ok(Exchanged {
                        answered: Instant::now(),
                        first_event: place.first_event,
                        received: place.received,
                        said,
                    });
                }
            }
        }
    }

    pub(crate) async fn notify(&mut self, body: &Body) -> Result<(), Failure> {
        let sent = self.send(body, body.bytes().to_vec()).await?;
        if !self.connection.transport().is_channel() {
            // What follows has to come after it.
            let is_end = |event: &Event| matches!(event.kind, EventKind::HttpEnd { exchange, .. } if exchange == sent);
            let recorder = self.connection.recorder();
            let ended = |events: &[Event]| events.iter().any(is_end).then_some(());
            recorder.wait(PATIENCE, ended).await;
        }
        Ok(())
    }

    pub(crate) async fn close(self) {
        self.connection.shutdown(Shutdown::Orderly).await;
    }

    /// Whether nothing more can come over it.
    pub(crate) fn is_over(&self) -> bool {
        !self.connection.is_usable()
    }

    async fn send(&mut self, body: &Body, bytes: Vec<u8>) -> Result<Exchange, Failure> {
        let headers = body.headers().iter();
        let outgoing = Outgoing {
            bytes,
            headers: headers
                .map(|(name, value)| (name.clone(), Some(value.clone())))
                .collect(),
            ..Outgoing::default()
        };
        self.connection
            .send(outgoing)
            .await
            .map_err(|_| Failure::Lost)
    }

    async fn reply(&mut self, id: &[u8], ping: bool) -> Result<(), Failure> {
        let outgoing = Outgoing {
            bytes: super::reply(id, ping),
            ..Outgoing::default()
        };
        let sent = self.connection.send(outgoing).await;
        sent.map(|_| ()).map_err(|_| Failure::Lost)
    }
}

impl Place {
    fn hear(
        &mut self,
        events: &[Event],
        expected: u64,
        mut captured: Option<&mut Captured>,
    ) -> Option<Heard> {
        while let Some(event) = events.get(self.seen) {
            self.seen += 1;
            match &event.kind {
                EventKind::Received { sse, bytes, .. } => {
                    let bytes: &[u8] = &bytes.0;
                    self.received += bytes.len();
                    if sse.is_some() {
                        self.first_event.get_or_insert_with(Instant::now);
                    }
                    if let Some(captured) = &mut captured {
                        captured.keep(sse.clone(), bytes);
                    }
                    if let Some(heard) = said(bytes, expected) {
                        return Some(heard);
                    }
                }
                EventKind::HttpResponse { status, .. } if *status >= 400 => {
                    return Some(Heard::Wrong(Failure::Status(*status)));
                }
                EventKind::LimitExceeded { .. } => return Some(Heard::Wrong(Failure::TooLong)),
                EventKind::Closed { .. }
                | EventKind::OutputClosed { .. }
                | EventKind::Exited { .. }
                | EventKind::HttpEnd {
                    how: Ended::Broken(_),
                    ..
                } => return Some(Heard::Wrong(Failure::Lost)),
                _ => {}
            }
        }
        None
    }
}

fn said(bytes: &[u8], expected: u64) -> Option<Heard> {
    match scan(bytes) {
        Scanned::Answer { id, said } if id == expected => Some(Heard::Answer(said)),
        // One that came too late for its request is not the next one's fault.
        Scanned::Answer { id, .. } if id < expected => None,
        Scanned::Answer { .. } => Some(Heard::Wrong(Failure::WrongId)),
        Scanned::Notification => None,
        Scanned::Request { id, ping } => Some(Heard::Asked { id, ping }),
        Scanned::Unreadable => Some(Heard::Wrong(Failure::NotAMessage)),
    }
}

/// Longer than a caller waits.
const PATIENCE: Duration = Duration::from_secs(3600);
