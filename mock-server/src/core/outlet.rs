//! Where the core's messages leave, and what is known about each when it does.
//!
//! Everything the core says passes one [`Outlet`]. It carries a filter, which does nothing in the
//! conformant server; this is the only door by which anything outside can change what the core says.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::AbortHandle;
use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What is known about a message beside the message itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// How it travels.
    pub transport: TransportKind,
    /// The revision spoken, once that is settled.
    pub revision: Option<Revision>,
    /// The message of the client that is being handled; nothing for what the server says of its own
    /// accord.
    pub request: Option<Value>,
    /// What was kept for later.
    pub memory: Arc<Memory>,
}

/// Things kept between messages, by name. Bounded: what does not fit is not kept.
#[derive(Debug, Default)]
pub struct Memory {
    kept: Mutex<BTreeMap<String, Vec<Departure>>>,
    counts: Mutex<BTreeMap<String, u64>>,
}

/// A message on its way out, or what stands in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Departure {
    /// What is sent.
    pub payload: Payload,
    /// Whether it answers a request of the client (and so may be a whole HTTP body).
    pub answers: bool,
    /// The HTTP status that goes with it, where it is not 200.
    pub status: Option<u16>,
    /// How long to hold it back.
    pub after: Duration,
    /// Whether it goes out on every stream that is open, which nothing does by rights.
    pub everywhere: bool,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The connection is closed, though its stream is not at its end (resumable streams only).
    HangUp,
    /// A message.
    Json(Value),
    /// Bytes in a message's place.
    Raw(Vec<u8>),
}

/// Changes what leaves: every departure becomes none, one or more.
pub(crate) type Filter = Arc<dyn Fn(&Facts, Departure) -> Vec<Departure> + Send + Sync>;

/// The door out.
#[derive(Clone)]
pub(crate) struct Outlet {
    facts: Arc<Facts>,
    filter: Filter,
    sender: mpsc::Sender<Departure>,
    /// Closes the door at once when its request is cancelled.
    cancelled: Option<AbortHandle>,
}

/// Departures that wait for their transport. A handler that runs ahead of a slow reader waits.
pub(crate) const QUEUE_LENGTH: usize = 256;

impl Facts {
    /// The era, as far as it is settled; legacy until then.
    #[must_use]
    pub fn era(&self) -> Era {
        self.revision.map_or(Era::Legacy, Revision::era)
    }

    /// The method of the message being handled, or nothing.
    #[must_use]
    pub fn method(&self) -> &str {
        self.member("method").as_str().unwrap_or_default()
    }

    /// The id of the message being handled, or null.
    #[must_use]
    pub fn id(&self) -> &Value {
        self.member("id")
    }

    /// A member of the params of the message being handled, by JSON pointer, or null.
    #[must_use]
    pub fn param(&self, pointer: &str) -> &Value {
        self.member("params")
            .pointer(pointer)
            .unwrap_or(&Value::Null)
    }

    fn member(&self, name: &str) -> &Value {
        let request = self.request.as_ref();
        request
            .and_then(|request| request.get(name))
            .unwrap_or(&Value::Null)
    }
}

impl Memory {
    /// Keeps a departure under a name.
    pub fn keep(&self, name: &str, departure: Departure) {
        let mut kept = lock(&self.kept);
        if kept.len() < KEPT_NAMES_MAX || kept.contains_key(name) {
            let list = kept.entry(name.to_owned()).or_default();
            if list.len() < KEPT_EACH_MAX {
                list.push(departure);
            }
        }
    }

    /// Takes back all that was kept under a name, in order.
    #[must_use]
    pub fn take(&self, name: &str) -> Vec<Departure> {
        lock(&self.kept).remove(name).unwrap_or_default()
    }

    /// Takes back all that was kept under a name; where nothing was, keeps `departure`, at once, so that of two
    /// that come together one finds the other.
    #[must_use]
    pub fn take_or_keep(&self, name: &str, departure: &Departure) -> Vec<Departure> {
        let mut kept = lock(&self.kept);
        let taken = kept.remove(name).unwrap_or_default();
        if taken.is_empty() && kept.len() < KEPT_NAMES_MAX {
            kept.insert(name.to_owned(), vec![departure.clone()]);
        }
        taken
    }

    /// Remembers a name.
    pub fn mark(&self, name: &str) {
        // How often it was marked is of no interest.
        let _ = self.count(name);
    }

    /// Whether a name was marked or counted.
    #[must_use]
    pub fn is_marked(&self, name: &str) -> bool {
        lock(&self.counts).contains_key(name)
    }

    /// Counts: 1 when first asked about a name, then 2, and so on.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        let mut counts = lock(&self.counts);
        if counts.len() >= KEPT_NAMES_MAX && !counts.contains_key(name) {
            return 1;
        }
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        *count
    }
}

impl Departure {
    /// A message that is no answer.
    #[must_use]
    pub fn message(message: Value) -> Self {
        Self {
            payload: Payload::Json(message),
            answers: false,
            status: None,
            after: Duration::ZERO,
            everywhere: false,
        }
    }

    /// An answer.
    #[must_use]
    pub fn answer(message: Value) -> Self {
        Self {
            answers: true,
            ..Self::message(message)
        }
    }

    /// An answer that is an error.
    #[must_use]
    pub fn error(id: &Value, code: i64, message: &str) -> Self {
        let error = json!({"code": code, "message": message});
        Self::answer(json!({"jsonrpc": "2.0", "id": id, "error": error}))
    }

    /// Bytes in place of a message.
    #[must_use]
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: Payload::Raw(bytes.into()),
            ..Self::message(Value::Null)
        }
    }

    /// The message, if it is one.
    #[must_use]
    pub fn json(&self) -> Option<&Value> {
        match &self.payload {
            Payload::Json(message) => Some(message),
            Payload::HangUp | Payload::Raw(_) => None,
        }
    }

    /// The message, to be edited.
    pub fn json_mut(&mut self) -> Option<&mut Value> {
        match &mut self.payload {
            Payload::Json(message) => Some(message),
            Payload::HangUp | Payload::Raw(_) => None,
        }
    }

    /// The bytes to send, without framing.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match &self.payload {
            Payload::HangUp => Vec::new(),
            Payload::Json(message) => message.to_string().into_bytes(),
            Payload::Raw(bytes) => bytes.clone(),
        }
    }
}

impl Outlet {
    /// A door into `sender`, with what is known about what passes.
    pub(crate) fn new(facts: Facts, filter: Filter, sender: mpsc::Sender<Departure>) -> Self {
        Self {
            facts: Arc::new(facts),
            filter,
            sender,
            cancelled: None,
        }
    }

    /// The same door, for what belongs to a conversation in this revision.
    pub(crate) fn in_revision(&self, revision: Revision) -> Self {
        let facts = Facts {
            revision: Some(revision),
            ..(*self.facts).clone()
        };
        Self {
            facts: Arc::new(facts),
            ..self.clone()
        }
    }

    /// The same door, until the request that this handle stops is cancelled.
    pub(crate) fn until_cancelled(&self, handle: AbortHandle) -> Self {
        let cancelled = Some(handle);
        Self {
            cancelled,
            ..self.clone()
        }
    }

    /// Sends. When nobody listens any more, it is dropped: that is the client's choice.
    pub(crate) async fn send(&self, departure: Departure) {
        for departure in self.filtered(departure) {
            if !departure.after.is_zero() {
                tokio::time::sleep(departure.after).await;
            }
            if self.sender.send(departure).await.is_err() {
                return;
            }
        }
    }

    /// Sends without waiting; false when there is no room.
    pub(crate) fn offer(&self, message: Value) -> bool {
        let mut departures = self.filtered(Departure::message(message)).into_iter();
        departures.all(|departure| self.sender.try_send(departure).is_ok())
    }

    fn filtered(&self, departure: Departure) -> Vec<Departure> {
        if self.cancelled.as_ref().is_some_and(AbortHandle::is_aborted) {
            return Vec::new();
        }
        match departure.payload {
            Payload::HangUp => vec![departure],
            Payload::Json(_) | Payload::Raw(_) => (self.filter)(&self.facts, departure),
        }
    }
}

/// Locks. A panic elsewhere must not end the service for everybody: what the lock guards is plain data.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const KEPT_NAMES_MAX: usize = 1024;
const KEPT_EACH_MAX: usize = 16;
