//! A resumable event stream: its events are kept, so that a connection can come and go.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, stream};
use tokio::sync::watch;

use super::reply::{Events, KEEP_ALIVE, keep_alive, write};
use crate::{
    core::{Core, Departure, Facts, Payload, outlet::lock},
    faults::{Event, Faults, Replay, SessionEvent},
};

/// Events kept of one stream; older ones cannot be replayed.
const EVENTS_MAX: usize = 1024;
/// How long a client should wait before it comes again, in milliseconds.
const RETRY_MS: u64 = 50;

/// One stream of a session.
pub(super) struct StreamLog {
    /// Its number within the session.
    pub(super) number: u64,
    facts: Facts,
    kept: Mutex<Kept>,
    /// Rises with every change.
    changed: watch::Sender<u64>,
    /// Of the session: it ended with a connection.
    lost: Arc<AtomicBool>,
}

#[derive(Default)]
struct Kept {
    events: VecDeque<(u64, Vec<u8>)>,
    next: u64,
    /// The last event that a connection got.
    delivered: Option<u64>,
    /// Nothing more will come.
    done: bool,
    /// The connection that reads; another one takes over.
    reader: u64,
    /// The connection that reads has to go, though the stream goes on.
    hung_up: bool,
    /// Whether a connection reads.
    is_read: bool,
    /// Nothing more is kept, by a fault.
    forgotten: bool,
}

enum Next {
    End,
    Event(u64, Vec<u8>),
    HangUp,
    Wait,
}

impl StreamLog {
    /// An empty stream. A primed one starts with an event without data, whose id can be resumed from.
    pub(super) fn new(number: u64, facts: Facts, primed: bool, lost: Arc<AtomicBool>) -> Arc<Self> {
        let log = Self {
            number,
            facts,
            kept: Mutex::default(),
            changed: watch::Sender::new(0),
            lost,
        };
        if primed {
            log.append_bytes(Vec::new());
        }
        Arc::new(log)
    }

    /// Adds a message; or lets the connection go.
    pub(super) fn append(&self, departure: &Departure) {
        match &departure.payload {
            Payload::HangUp => {
                lock(&self.kept).hung_up = true;
                self.tell();
            }
            Payload::Json(_) | Payload::Raw(_) => self.append_bytes(departure.bytes()),
        }
    }

    fn append_bytes(&self, data: Vec<u8>) {
        {
            let mut kept = lock(&self.kept);
            if kept.forgotten {
                return;
            }
            let number = kept.next;
            kept.next += 1;
            kept.events.push_back((number, data));
            if kept.events.len() > EVENTS_MAX {
                kept.events.pop_front();
            }
        }
        self.tell();
    }

    /// Nothing more will come.
    pub(super) fn finish(&self) {
        lock(&self.kept).done = true;
        self.tell();
    }

    /// Whether nothing more will come.
    pub(super) fn is_done(&self) -> bool {
        lock(&self.kept).done
    }

    /// Whether a connection reads it.
    pub(super) fn is_read(&self) -> bool {
        lock(&self.kept).is_read
    }

    /// The number of the last event that a connection was given.
    pub(super) fn given(&self) -> Option<u64> {
        lock(&self.kept).delivered
    }

    /// How often a connection came to read it.
    pub(super) fn times_read(&self) -> u64 {
        lock(&self.kept).reader
    }

    /// Takes away what no connection got.
    pub(super) fn take_undelivered(&self) -> Vec<Vec<u8>> {
        let mut kept = lock(&self.kept);
        let delivered = kept.delivered;
        let (old, new): (VecDeque<_>, VecDeque<_>) = kept
            .events
            .drain(..)
            .partition(|(number, _)| Some(*number) <= delivered);
        kept.events = old;
        new.into_iter()
            .map(|(_, data)| data)
            .filter(|data| !data.is_empty())
            .collect()
    }

    /// Adds what was taken from another stream.
    pub(super) fn adopt(&self, data: Vec<u8>) {
        self.append_bytes(data);
    }

    fn tell(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// A connection that gets everything; the one before it ends.
    pub(super) fn read(self: &Arc<Self>, core: &Arc<Core>, faults: &Faults) -> Events {
        self.replay(core, faults, Replay::default())
    }

    /// A connection that gets everything after an event; the one before it ends.
    pub(super) fn replay(
        self: &Arc<Self>,
        core: &Arc<Core>,
        faults: &Faults,
        replay: Replay,
    ) -> Events {
        let reader = {
            let mut kept = lock(&self.kept);
            kept.reader += 1;
            kept.hung_up = false;
            kept.is_read = true;
            kept.reader
        };
        self.tell();
        let reading = Reading {
            log: self.clone(),
            faults: faults.clone(),
            reader,
            replay,
            changed: self.changed.subscribe(),
            hung_up: false,
        };
        let core = core.clone();
        let events = stream::unfold((reading, core), |(mut reading, core)| async {
            let event = reading.next(&core).await?;
            Some((event, (reading, core)))
        });
        let (faults, facts) = (faults.clone(), self.facts.clone());
        Box::pin(events.flat_map(move |event| stream::iter(write(&faults, &facts, event))))
    }
}

/// A connection that reads a stream.
struct Reading {
    log: Arc<StreamLog>,
    faults: Faults,
    reader: u64,
    /// What is still to be read.
    replay: Replay,
    changed: watch::Receiver<u64>,
    hung_up: bool,
}

impl Reading {
    async fn next(&mut self, core: &Core) -> Option<Event> {
        loop {
            self.changed.mark_unchanged();
            match self.look() {
                Next::Event(number, data) => {
                    let own = format!("{}-{number}", self.log.number);
                    let id = Some(match self.replay.renamed {
                        true => format!("{own}.{}", self.reader),
                        false => own,
                    });
                    let event = if data.is_empty() {
                        None
                    } else {
                        Some("message".to_owned())
                    };
                    return Some(Event {
                        id,
                        event,
                        data: Some(data),
                        ..Event::default()
                    });
                }
                Next::HangUp => {
                    // SHOULD: 2025-11-25 basic/transports#sending-messages-to-the-server.6.
                    self.hung_up = true;
                    return Some(Event {
                        retry: Some(RETRY_MS),
                        ..Event::default()
                    });
                }
                Next::End => return None,
                Next::Wait => {}
            }
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                () = tokio::time::sleep(KEEP_ALIVE) => return Some(keep_alive()),
                () = core.closed() => return None,
            }
        }
    }

    fn look(&mut self) -> Next {
        let mut kept = lock(&self.log.kept);
        if self.hung_up || kept.reader != self.reader {
            return Next::End;
        }
        let after = self.replay.after;
        if self.replay.until.is_some() && after >= self.replay.until {
            return Next::End;
        }
        let next = kept
            .events
            .iter()
            .find(|(number, _)| Some(*number) > after)
            .cloned();
        match next {
            Some((number, data)) => {
                self.replay.after = Some(number);
                kept.delivered = kept.delivered.max(Some(number));
                Next::Event(number, data)
            }
            None if kept.hung_up => Next::HangUp,
            None if kept.done => Next::End,
            None => Next::Wait,
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut kept = lock(&self.log.kept);
        if kept.reader != self.reader {
            return;
        }
        kept.is_read = false;
        if kept.done || self.hung_up {
            return;
        }
        let (mut end, mut forget) = (false, false);
        self.faults.session(&mut SessionEvent::Lost {
            end: &mut end,
            forget: &mut forget,
        });
        kept.forgotten |= forget;
        if end {
            self.log.lost.store(true, Ordering::Relaxed);
        }
    }
}
