//! Legacy sessions over Streamable HTTP: their ids, their streams, and what belongs to no request.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::Value;
use tokio::sync::mpsc;

use super::stream_log::StreamLog;
use crate::core::{
    Core, Departure, Session,
    outlet::{QUEUE_LENGTH, lock},
};

/// Sessions at a time. The oldest goes when there are more: nobody must be able to keep others out.
const SESSIONS_MAX: usize = 1000;
/// Streams kept for one session.
const STREAMS_MAX: usize = 64;
/// Messages kept for a client that has not opened a stream for them yet.
const BACKLOG_MAX: usize = 64;

/// The sessions of one server.
#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<VecDeque<(String, Arc<HttpSession>)>>,
}

/// One session.
pub(super) struct HttpSession {
    /// What it agreed on.
    pub(super) session: Arc<Session>,
    streams: Mutex<Streams>,
    next: AtomicU64,
    /// It ended with a connection, by a fault.
    lost: Arc<AtomicBool>,
}

#[derive(Default)]
struct Streams {
    all: VecDeque<Arc<StreamLog>>,
    /// Those that the client opened for what belongs to no request.
    standalone: Vec<Arc<StreamLog>>,
    backlog: VecDeque<Departure>,
}

impl Sessions {
    /// Adds a session.
    pub(super) fn add(&self, id: String, session: Arc<HttpSession>) {
        let mut open = lock(&self.open);
        open.push_back((id, session));
        if open.len() > SESSIONS_MAX
            && let Some((_, oldest)) = open.pop_front()
        {
            oldest.end();
        }
    }

    /// The session of this id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<HttpSession>> {
        let open = lock(&self.open);
        open.iter()
            .find(|(known, _)| known == id)
            .map(|(_, session)| session.clone())
    }

    /// Ends a session.
    pub(super) fn remove(&self, id: &str) {
        lock(&self.open).retain(|(known, session)| {
            if known == id {
                session.end();
            }
            known != id
        });
    }

    /// The ids of those that are open, oldest first.
    pub(super) fn ids(&self) -> Vec<String> {
        lock(&self.open).iter().map(|(id, _)| id.clone()).collect()
    }
}

impl HttpSession {
    /// A session that has agreed on nothing yet.
    pub(super) fn new(core: &Arc<Core>) -> Arc<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
        let session = core.session(TransportKind::StreamableHttp, sender);
        let http_session = Arc::new(Self {
            session,
            streams: Mutex::default(),
            next: AtomicU64::new(1),
            lost: Arc::default(),
        });
        tokio::spawn(deliver(Arc::downgrade(&http_session), receiver));
        http_session
    }

    /// A new stream for what `request` leads to.
    pub(super) fn open_stream(&self, core: &Core, request: Option<Value>) -> Arc<StreamLog> {
        let revision = self.session.revision();
        let facts = core.facts(TransportKind::StreamableHttp, revision, request);
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // SHOULD since 2025-11-25; an event without data meant nothing before.
        let primed = revision >= Some(Revision::V2025_11_25);
        let log = StreamLog::new(number, facts, primed, self.lost.clone());
        let mut streams = lock(&self.streams);
        streams.all.push_back(log.clone());
        if streams.all.len() > STREAMS_MAX {
            let done = streams
                .all
                .iter()
                .position(|log| log.is_done())
                .unwrap_or(0);
            let gone = streams.all.remove(done);
            streams
                .standalone
                .retain(|log| Some(log.number) != gone.as_ref().map(|gone| gone.number));
        }
        log
    }

    /// A new stream for what belongs to no request. It starts with what nobody got.
    pub(super) fn open_standalone(&self, core: &Core) -> Arc<StreamLog> {
        let log = self.open_stream(core, None);
        let mut streams = lock(&self.streams);
        for missed in streams.standalone.iter().filter(|log| !log.is_read()) {
            missed
                .take_undelivered()
                .into_iter()
                .for_each(|data| log.adopt(data));
        }
        for departure in streams.backlog.drain(..) {
            log.append(&departure);
        }
        streams.standalone.push(log.clone());
        log
    }

    /// Whether it ended with a connection.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// The stream of this number.
    pub(super) fn stream(&self, number: u64) -> Option<Arc<StreamLog>> {
        lock(&self.streams)
            .all
            .iter()
            .find(|log| log.number == number)
            .cloned()
    }

    /// The numbers of all streams, oldest first.
    pub(super) fn stream_numbers(&self) -> Vec<u64> {
        lock(&self.streams)
            .all
            .iter()
            .map(|log| log.number)
            .collect()
    }

    /// MUST send each message on only one stream: the newest that somebody reads, or else the newest,
    /// whose client may come back for it.
    pub(super) fn say(&self, departure: Departure) {
        let mut streams = lock(&self.streams);
        if departure.everywhere && !streams.standalone.is_empty() {
            let all = streams.standalone.iter();
            all.for_each(|log| log.append(&departure));
            return;
        }
        let newest = streams.standalone.iter().rev();
        let read = newest.clone().find(|log| log.is_read());
        match read.or_else(|| newest.clone().next()).cloned() {
            Some(log) => log.append(&departure),
            None => {
                streams.backlog.push_back(departure);
                if streams.backlog.len() > BACKLOG_MAX {
                    streams.backlog.pop_front();
                }
            }
        }
    }

    /// Ends everything about it.
    fn end(&self) {
        self.session.cancel_all();
        for log in &lock(&self.streams).all {
            log.finish();
        }
    }
}

/// Brings what belongs to no request to a stream, as long as there is a session.
async fn deliver(session: std::sync::Weak<HttpSession>, mut receiver: mpsc::Receiver<Departure>) {
    while let Some(departure) = receiver.recv().await {
        let Some(session) = session.upgrade() else {
            return;
        };
        session.say(departure);
    }
}

/// An id that nobody can guess, in visible ASCII.
///
/// # Errors
/// When the system has no randomness to give.
pub(super) fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
