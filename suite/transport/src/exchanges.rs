//! HTTP exchanges that are under way, and their entries in the book.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use mcp_verdict_wire::transcript::{Ended, EventKind, Exchange};
use tokio::task::JoinHandle;

use crate::{Recorder, recorder::Held};

/// Records what belongs to one exchange: nothing after its end, and one end.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    exchange: Exchange,
    recorder: Recorder,
    ended: Arc<Mutex<bool>>,
}

/// The exchanges of one connection. Dropping it aborts those that are still open.
#[derive(Debug, Default)]
pub(crate) struct Exchanges {
    open: BTreeMap<Exchange, (Log, JoinHandle<()>)>,
}

impl Log {
    pub(crate) fn new(recorder: &Recorder) -> Self {
        Self {
            exchange: recorder.next_exchange(),
            recorder: recorder.clone(),
            ended: Arc::new(Mutex::new(false)),
        }
    }

    pub(crate) fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// Records, unless the exchange is over.
    pub(crate) fn record(&self, kind: EventKind) {
        let ended = self.ended();
        if !*ended {
            self.recorder.record(kind);
        }
    }

    /// Records the end, unless there was one.
    pub(crate) fn end(&self, how: Ended) {
        let mut ended = self.ended();
        if !std::mem::replace(&mut *ended, true) {
            self.recorder.record(EventKind::HttpEnd {
                exchange: self.exchange,
                how,
            });
        }
    }

    /// Room for what is being read.
    pub(crate) fn hold(&self) -> Held {
        self.recorder.hold(self.exchange)
    }

    /// Whether it makes no sense to read on.
    pub(crate) fn is_full(&self) -> bool {
        self.recorder.is_full()
    }

    fn ended(&self) -> MutexGuard<'_, bool> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchanges {
    /// Carries an exchange out in the background; `work` records, and ends the log.
    pub(crate) fn spawn(&mut self, log: Log, work: impl Future<Output = ()> + Send + 'static) {
        self.open.retain(|_, (_, task)| !task.is_finished());
        self.open.insert(log.exchange(), (log, tokio::spawn(work)));
    }

    /// Ends an exchange; nothing of it is recorded afterwards.
    pub(crate) fn drop_one(&mut self, exchange: Exchange) {
        if let Some((log, task)) = self.open.remove(&exchange) {
            close(&log, &task);
        }
    }

    /// Whether the exchange is still open.
    pub(crate) fn is_open(&self, exchange: Exchange) -> bool {
        self.open
            .get(&exchange)
            .is_some_and(|(_, task)| !task.is_finished())
    }

    /// Ends all exchanges and waits until their connections are closed.
    pub(crate) async fn drop_all(&mut self) {
        let open = std::mem::take(&mut self.open);
        for (log, task) in open.values() {
            close(log, task);
        }
        for (_, task) in open.into_values() {
            // An aborted task ends in an error, as it should.
            drop(task.await);
        }
    }
}

impl Drop for Exchanges {
    fn drop(&mut self) {
        for (log, task) in self.open.values() {
            close(log, task);
        }
    }
}

fn close(log: &Log, task: &JoinHandle<()>) {
    log.end(Ended::Dropped);
    task.abort();
}
