//! The clock and the book of one check: who records, and who waits for what was recorded.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use mcp_verdict_wire::{
    limits::{
        JSON_VALUES_MAX, OWN_BYTES, RUN_BYTES_MAX, TRANSCRIPT_BYTES_MAX, TRANSCRIPT_EVENTS_MAX,
        VALUE_BYTES,
    },
    transcript::{Bytes, Ended, Event, EventKind, Exchange, SseFields},
};
use tokio::sync::watch;

/// Collects the events of one check. Clones share one book; a session that serves several checks in turn
/// gives each its own by [`Recorder::start`].
#[derive(Clone, Debug)]
pub struct Recorder {
    book: Arc<Mutex<Book>>,
    grown: Arc<watch::Sender<usize>>,
    redactor: Redactor,
}

#[derive(Debug)]
struct Book {
    started: Instant,
    events: Vec<Event>,
    bytes: usize,
    exchanges: Exchange,
    full: bool,
    share: Share,
}

/// The memory that all transcripts of one run share. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Budget {
    taken: Arc<AtomicUsize>,
}

/// What one transcript takes of a budget.
#[derive(Debug, Default)]
struct Share {
    budget: Budget,
    /// What it needs, of which [`OWN_BYTES`] are its own.
    needed: usize,
    /// There was no room left.
    crowded: bool,
}

/// Replaces secrets in text and bytes.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    secrets: Arc<Vec<String>>,
}

impl Recorder {
    /// An empty book whose clock starts now.
    #[must_use]
    pub fn new(redactor: Redactor) -> Self {
        Self::within(redactor, &Budget::default())
    }

    /// As [`Recorder::new`], with memory that others draw on too.
    #[must_use]
    pub fn within(redactor: Redactor, budget: &Budget) -> Self {
        let book = Book {
            started: Instant::now(),
            events: Vec::new(),
            bytes: 0,
            exchanges: 0,
            full: false,
            share: Share {
                budget: budget.clone(),
                ..Share::default()
            },
        };
        Self {
            book: Arc::new(Mutex::new(book)),
            grown: Arc::new(watch::channel(0).0),
            redactor,
        }
    }

    /// Begins a new check on the same connection: takes all events recorded so far, puts `prelude` in
    /// their place, and sets the clock to zero. The numbering of exchanges goes on.
    pub fn start(&self, prelude: Vec<Event>) -> Vec<Event> {
        let mut book = self.book();
        book.started = Instant::now();
        book.bytes = 0;
        book.full = false;
        book.share.release();
        std::mem::replace(&mut book.events, prelude)
    }

    /// Records `kind` now. Past the transcript's limits the first event too many is recorded as
    /// [`EventKind::LimitExceeded`] and the rest is dropped.
    pub fn record(&self, kind: EventKind) {
        let kind = self.redactor.redact(kind);
        let mut book = self.book();
        if book.full {
            return;
        }
        book.bytes += kind.weight();
        let at_us = u64::try_from(book.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let limit = if book.bytes > TRANSCRIPT_BYTES_MAX
            || book.events.len() >= TRANSCRIPT_EVENTS_MAX
        {
            Some(format!(
                "a transcript holds {TRANSCRIPT_BYTES_MAX} bytes and {TRANSCRIPT_EVENTS_MAX} events"
            ))
        } else if book.share.take(cost(&kind)) {
            None
        } else {
            Some(crowded())
        };
        let kind = match limit {
            Some(limit) => {
                book.full = true;
                EventKind::LimitExceeded { exchange: 0, limit }
            }
            None => kind,
        };
        book.events.push(Event { at_us, kind });
        let count = book.events.len();
        drop(book);
        self.grown.send_replace(count);
    }

    /// Whether a limit of the transcript was reached: readers stop reading.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.book().full
    }

    /// Room for what is being read and not recorded yet.
    pub(crate) fn hold(&self, exchange: Exchange) -> Held {
        Held {
            recorder: self.clone(),
            exchange,
            bytes: 0,
        }
    }

    /// Whether it is full because of what others hold. Alone there would have been more room.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.book().share.crowded
    }

    /// The next exchange's number.
    #[must_use]
    pub fn next_exchange(&self) -> Exchange {
        let mut book = self.book();
        book.exchanges += 1;
        book.exchanges
    }

    /// A copy of what was recorded so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.book().events.clone()
    }

    /// Looks at the events so far without copying them.
    pub fn look<T>(&self, look: impl FnOnce(&[Event]) -> T) -> T {
        look(&self.book().events)
    }

    /// Waits until `look` gives something, at most for `patience`; `None` when it did not.
    pub async fn wait<T>(
        &self,
        patience: Duration,
        mut look: impl FnMut(&[Event]) -> Option<T>,
    ) -> Option<T> {
        let mut grown = self.grown.subscribe();
        let waiting = async {
            loop {
                grown.borrow_and_update();
                if let Some(found) = self.look(&mut look) {
                    return Some(found);
                }
                // The sender lives in `self`, so this ends only when something was recorded.
                grown.changed().await.ok()?;
                if *grown.borrow() > BUSY_EVENTS {
                    // Whoever waits reads everything again; in a flood not for each event.
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
            }
        };
        tokio::time::timeout(patience, waiting).await.ok().flatten()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // No code panics while it holds the lock; if it did, the events are still whole.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for what is being read.
#[derive(Debug)]
pub(crate) struct Held {
    recorder: Recorder,
    exchange: Exchange,
    bytes: usize,
}

impl Held {
    /// Whether there is room for so many bytes in place of those before. If not, that is recorded.
    pub(crate) fn is_enough_for(&mut self, bytes: usize) -> bool {
        // A buffer grows by doubling.
        let needed = bytes.saturating_mul(2);
        let mut book = self.recorder.book();
        book.share.give_back(self.bytes);
        self.bytes = 0;
        if book.share.take(needed) {
            self.bytes = needed;
            return true;
        }
        drop(book);
        self.recorder.record(EventKind::LimitExceeded {
            exchange: self.exchange,
            limit: crowded(),
        });
        false
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.recorder.book().share.give_back(self.bytes);
    }
}

fn crowded() -> String {
    format!("the transcripts under way hold {RUN_BYTES_MAX} bytes together")
}

impl Share {
    /// Takes what one more event costs, if there is room.
    fn take(&mut self, cost: usize) -> bool {
        let held = self.needed.saturating_sub(OWN_BYTES);
        let needed = self.needed.saturating_add(cost);
        let more = needed.saturating_sub(OWN_BYTES) - held;
        let before = self.budget.taken.fetch_add(more, Ordering::Relaxed);
        let is_over = before.saturating_add(more) > RUN_BYTES_MAX;
        self.crowded |= is_over;
        if is_over {
            self.budget.taken.fetch_sub(more, Ordering::Relaxed);
        } else {
            self.needed = needed;
        }
        !is_over
    }

    fn give_back(&mut self, bytes: usize) {
        let held = self.needed.saturating_sub(OWN_BYTES);
        self.needed = self.needed.saturating_sub(bytes);
        let less = held - self.needed.saturating_sub(OWN_BYTES);
        self.budget.taken.fetch_sub(less, Ordering::Relaxed);
    }

    fn release(&mut self) {
        self.give_back(usize::MAX);
        self.crowded = false;
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.release();
    }
}

impl Redactor {
    /// Replaces each of `secrets` (those shorter than 4 bytes are not looked for) wherever it appears.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut secrets: Vec<String> = secrets
            .into_iter()
            .filter(|secret| secret.len() >= 4)
            .collect();
        // A secret that holds another one goes first, so that nothing of it is left.
        secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        secrets.dedup();
        Self {
            secrets: Arc::new(secrets),
        }
    }

    /// `text` without secrets.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret, REDACTED)
        })
    }

    /// Every kind of event is named, so that a new one is not forgotten.
    fn redact(&self, mut kind: EventKind) -> EventKind {
        if self.secrets.is_empty() {
            return kind;
        }
        match &mut kind {
            EventKind::Sent { bytes, .. }
            | EventKind::HttpBody { bytes, .. }
            | EventKind::SseComment { text: bytes, .. }
            | EventKind::Frame { bytes, .. }
            | EventKind::Stderr { bytes }
            | EventKind::OutputClosed { rest: bytes } => self.clean_bytes(bytes),
            EventKind::Received { sse, bytes, .. } => {
                sse.iter_mut().for_each(|fields| self.clean_fields(fields));
                self.clean_bytes(bytes);
            }
            EventKind::SseEvent { fields, data, .. } => {
                self.clean_fields(fields);
                self.clean_bytes(data);
            }
            EventKind::HttpRequest {
                url, headers, body, ..
            } => {
                self.clean(url);
                self.clean_headers(headers);
                body.iter_mut().for_each(|body| self.clean_bytes(body));
            }
            EventKind::HttpResponse { headers, .. } | EventKind::Trailers { headers, .. } => {
                self.clean_headers(headers);
            }
            EventKind::HttpEnd {
                how: Ended::Broken(text),
                ..
            }
            | EventKind::Closed { reason: text, .. }
            | EventKind::Trouble { text } => self.clean(text),
            EventKind::ProcessStarted { command } => {
                command.iter_mut().for_each(|word| self.clean(word));
            }
            EventKind::HttpEnd {
                how: Ended::Complete | Ended::Dropped,
                ..
            }
            | EventKind::Step { .. }
            | EventKind::TimedOut { .. }
            | EventKind::InputClosed
            | EventKind::Signalled { .. }
            | EventKind::Exited { .. }
            | EventKind::Memory { .. }
            | EventKind::LimitExceeded { .. } => {}
        }
        kind
    }

    fn clean(&self, text: &mut String) {
        *text = self.text(text);
    }

    fn clean_headers(&self, headers: &mut [(String, String)]) {
        headers.iter_mut().for_each(|(_, value)| self.clean(value));
    }

    fn clean_fields(&self, fields: &mut SseFields) {
        let texts = fields.event.iter_mut().chain(&mut fields.id);
        texts.for_each(|text| self.clean(text));
    }

    fn clean_bytes(&self, bytes: &mut Bytes) {
        for secret in self.secrets.iter() {
            let whole = std::mem::replace(bytes, Bytes::from(Vec::new()));
            *bytes = replace(whole, secret.as_bytes());
        }
    }
}

/// `bytes` with [`REDACTED`] for each `secret`, whether they are text or not.
fn replace(bytes: Bytes, secret: &[u8]) -> Bytes {
    let mut kept = Vec::new();
    let mut rest = &*bytes.0;
    while let Some(place) = memchr::memmem::find(rest, secret) {
        kept.extend_from_slice(&rest[..place]);
        kept.extend_from_slice(REDACTED.as_bytes());
        rest = &rest[place + secret.len()..];
    }
    if kept.is_empty() {
        return bytes;
    }
    kept.extend_from_slice(rest);
    kept.into()
}

/// More events than an honest check has while someone waits.
const BUSY_EVENTS: usize = 1000;

/// How long events gather in a flood before someone looks.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// What an event takes in memory once it is read. Each value of a JSON text begins the text, or comes after one of
/// these.
fn cost(kind: &EventKind) -> usize {
    let values = match kind {
        EventKind::Received { bytes, .. } => bytes
            .0
            .iter()
            .filter(|byte| matches!(byte, b',' | b':' | b'['))
            .count()
            // More than that are not read.
            .min(JSON_VALUES_MAX),
        _ => 0,
    };
    kind.weight() + values * VALUE_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(bytes: usize) -> EventKind {
        EventKind::Received {
            exchange: 0,
            sse: None,
            bytes: vec![b'x'; bytes].into(),
        }
    }

    #[test]
    fn what_others_hold_is_missing_until_they_let_go() {
        let budget = Budget::default();
        let book = || Recorder::within(Redactor::default(), &budget);
        let (large, other, small) = (book(), book(), book());
        for _ in 0..2 {
            large.record(line(TRANSCRIPT_BYTES_MAX / 2));
            other.record(line(TRANSCRIPT_BYTES_MAX / 2));
        }
        small.record(line(OWN_BYTES));
        assert!(!large.is_full() && !other.is_full() && !small.is_full());
        small.record(line(3 * OWN_BYTES));
        assert!(small.is_full() && small.is_crowded());
        drop(large.start(Vec::new()));
        drop(small.start(Vec::new()));
        small.record(line(4 * OWN_BYTES));
        assert!(!small.is_full() && !small.is_crowded());
        drop((large, other, small));
        assert_eq!(budget.taken.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn what_is_being_read_takes_room_and_gives_it_back() {
        let recorder = Recorder::new(Redactor::default());
        let mut held = recorder.hold(0);
        assert!(held.is_enough_for(TRANSCRIPT_BYTES_MAX / 2));
        assert!(!held.is_enough_for(2 * TRANSCRIPT_BYTES_MAX));
        assert!(recorder.is_crowded());
        drop(held);
        assert_eq!(recorder.book().share.needed, 0);
    }
}
