//! What all connections to one server share.

use std::sync::{
    Arc, Mutex, Weak,
    atomic::{AtomicU64, Ordering},
};

use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::{
    Departure, Facts, Filter, Memory, Session,
    outlet::{Outlet, lock},
    subscriptions::{Changes, Listener},
};

/// One server: its lists and their state, and who wants to hear when they change.
pub(crate) struct Core {
    /// The revisions it speaks, oldest first.
    pub(super) revisions: Vec<Revision>,
    /// What has changed since the start.
    pub(super) changes: Mutex<Changes>,
    /// Open `subscriptions/listen` requests.
    pub(super) listeners: Mutex<Vec<Listener>>,
    /// Key of everything that clients carry for us.
    pub(super) secret: [u8; 32],
    sessions: Mutex<Vec<Weak<Session>>>,
    closing: watch::Sender<bool>,
    filter: Filter,
    memory: Arc<Memory>,
    next: AtomicU64,
}

impl Core {
    /// A server that speaks these revisions.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub(crate) fn new(
        revisions: &[Revision],
        filter: Filter,
    ) -> Result<Arc<Self>, getrandom::Error> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret)?;
        let mut revisions = revisions.to_vec();
        revisions.sort_unstable();
        revisions.dedup();
        Ok(Arc::new(Self {
            revisions,
            changes: Mutex::default(),
            listeners: Mutex::default(),
            secret,
            sessions: Mutex::default(),
            closing: watch::Sender::new(false),
            filter,
            memory: Arc::default(),
            next: AtomicU64::new(1),
        }))
    }

    /// A conversation. `unrelated` takes what belongs to no request.
    pub(crate) fn session(
        self: &Arc<Self>,
        transport: TransportKind,
        unrelated: mpsc::Sender<Departure>,
    ) -> Arc<Session> {
        let session = Arc::new(Session::new(
            transport,
            self.outlet(transport, None, None, unrelated),
        ));
        let mut sessions = lock(&self.sessions);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&session));
        session
    }

    /// The door for everything that `request` leads to.
    pub(crate) fn outlet(
        &self,
        transport: TransportKind,
        revision: Option<Revision>,
        request: Option<Value>,
        sender: mpsc::Sender<Departure>,
    ) -> Outlet {
        Outlet::new(
            self.facts(transport, revision, request),
            self.filter.clone(),
            sender,
        )
    }

    /// What is known about a message.
    pub(crate) fn facts(
        &self,
        transport: TransportKind,
        revision: Option<Revision>,
        request: Option<Value>,
    ) -> Facts {
        Facts {
            transport,
            revision,
            request,
            memory: self.memory.clone(),
        }
    }

    /// The revisions of one era that it speaks, oldest first.
    pub(crate) fn revisions_of(&self, era: Era) -> Vec<Revision> {
        self.revisions
            .iter()
            .copied()
            .filter(|revision| revision.era() == era)
            .collect()
    }

    /// A number that no other part of this server uses.
    pub(crate) fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Ends everything that would not end by itself.
    pub(crate) fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Waits for [`Core::close`].
    pub(crate) async fn closed(&self) {
        let mut closing = self.closing.subscribe();
        // An error means that the server itself is gone, which is as closed as it gets.
        let _ = closing.wait_for(|closing| *closing).await;
    }

    /// The conversations that are open.
    pub(super) fn open_sessions(&self) -> Vec<Arc<Session>> {
        lock(&self.sessions)
            .iter()
            .filter_map(Weak::upgrade)
            .collect()
    }
}
