//! One conversation: what a legacy session has agreed on, and what is in flight.
//!
//! In the modern era nothing is agreed on; there it only knows which requests are in flight.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Mutex,
};

use futures_util::future::AbortHandle;
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    logging::Level,
    outlet::{Outlet, lock},
    rpc::Refusal,
};

/// A stdio process, an HTTP session, or one modern HTTP exchange.
pub(crate) struct Session {
    /// How it is reached.
    pub(crate) transport: TransportKind,
    agreed: Mutex<Option<Agreed>>,
    unrelated: Outlet,
    asked: Mutex<HashMap<String, oneshot::Sender<Result<Value, Value>>>>,
    in_flight: Mutex<Vec<InFlight>>,
}

/// What `initialize` and the legacy requests after it settled.
#[derive(Clone, Debug)]
pub(crate) struct Agreed {
    /// The revision.
    pub(crate) revision: Revision,
    /// What the client can do.
    pub(crate) capabilities: Value,
    /// The lowest level it wants to hear of.
    pub(crate) log_level: Level,
    /// The resources it watches.
    pub(crate) watched: BTreeSet<String>,
}

struct InFlight {
    id: Value,
    number: u64,
    handle: AbortHandle,
}

/// Resources that one session may watch: far more than there are.
const WATCHED_MAX: usize = 1000;
/// Requests of one session at a time. A client that has more waiting is told so.
const IN_FLIGHT_MAX: usize = 256;

impl Session {
    pub(super) fn new(transport: TransportKind, unrelated: Outlet) -> Self {
        Self {
            transport,
            agreed: Mutex::default(),
            unrelated,
            asked: Mutex::default(),
            in_flight: Mutex::default(),
        }
    }

    /// What was agreed on, once it was.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        lock(&self.agreed).clone()
    }

    /// The revision agreed on.
    pub(crate) fn revision(&self) -> Option<Revision> {
        lock(&self.agreed).as_ref().map(|agreed| agreed.revision)
    }

    /// Settles what `initialize` settles; false when that was done before.
    pub(crate) fn agree(&self, revision: Revision, capabilities: Value) -> bool {
        let mut agreed = lock(&self.agreed);
        if agreed.is_some() {
            return false;
        }
        let watched = BTreeSet::new();
        *agreed = Some(Agreed {
            revision,
            capabilities,
            log_level: Level::Info,
            watched,
        });
        true
    }

    /// Changes what was agreed on.
    pub(super) fn amend(&self, change: impl FnOnce(&mut Agreed)) {
        if let Some(agreed) = lock(&self.agreed).as_mut() {
            change(agreed);
            while agreed.watched.len() > WATCHED_MAX {
                agreed.watched.pop_first();
            }
        }
    }

    /// Says something that belongs to no request.
    pub(super) fn say(&self, message: Value) {
        if let Some(revision) = self.revision() {
            // A client that does not read what it is told has to look for itself.
            let _ = self.unrelated.in_revision(revision).offer(message);
        }
    }

    /// Expects the answer to a request of ours.
    pub(super) fn expect(&self, id: &str) -> oneshot::Receiver<Result<Value, Value>> {
        let (sender, receiver) = oneshot::channel();
        lock(&self.asked).insert(id.to_owned(), sender);
        receiver
    }

    /// No longer expects it.
    pub(super) fn forget(&self, id: &str) {
        lock(&self.asked).remove(id);
    }

    /// An answer came. One that nobody waits for is ignored.
    pub(super) fn answered(&self, id: &Value, outcome: Result<Value, Value>) {
        let waiting = id.as_str().and_then(|id| lock(&self.asked).remove(id));
        if let Some(sender) = waiting {
            // The request may have been cancelled in the meantime.
            let _ = sender.send(outcome);
        }
    }

    /// Notes a request as in flight.
    pub(super) fn begin(
        &self,
        id: &Value,
        number: u64,
        handle: AbortHandle,
    ) -> Result<(), Refusal> {
        let mut in_flight = lock(&self.in_flight);
        if in_flight.len() >= IN_FLIGHT_MAX {
            let message = format!("more than {IN_FLIGHT_MAX} requests are in flight");
            return Err(Refusal::new(super::rpc::INTERNAL_ERROR, message));
        }
        in_flight.push(InFlight {
            id: id.clone(),
            number,
            handle,
        });
        Ok(())
    }

    /// A request is over.
    pub(super) fn end(&self, number: u64) {
        lock(&self.in_flight).retain(|request| request.number != number);
    }

    /// Stops the request with this id, if it is in flight.
    pub(super) fn cancel(&self, id: &Value) {
        lock(&self.in_flight).retain(|request| {
            let meant = request.id == *id;
            if meant {
                request.handle.abort();
            }
            !meant
        });
    }

    /// Whether nothing is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.in_flight).is_empty()
    }

    /// Stops everything.
    pub(crate) fn cancel_all(&self) {
        for request in lock(&self.in_flight).drain(..) {
            request.handle.abort();
        }
        lock(&self.asked).clear();
    }
}
