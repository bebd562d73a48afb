//! What the target reads: a bounded queue and the task that empties it, so that a target which does not read
//! blocks no one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcp_verdict_wire::transcript::EventKind;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::AbortHandle,
    time::timeout,
};

use crate::{Recorder, SendError};

/// Bytes that may wait for the target to read them: several of the largest messages.
const QUEUE_BYTES_MAX: u32 = 64 * 1024 * 1024;

/// What a queued message costs beside its bytes.
const MESSAGE_OVERHEAD_BYTES: usize = 64;

/// How long a message may wait for its place in the queue.
const QUEUE_PATIENCE: Duration = Duration::from_secs(10);

/// How far apart the pieces of a message are written: far enough that the other side reads each alone.
const PIECE_PAUSE: Duration = Duration::from_millis(3);

enum Job {
    Pieces {
        pieces: Vec<Vec<u8>>,
        room: OwnedSemaphorePermit,
    },
    Close {
        last: Vec<u8>,
        closed: Option<oneshot::Sender<()>>,
    },
}

/// A place in the queue.
pub(crate) struct Place(OwnedSemaphorePermit);

/// The queue's end that we hold. Dropping it stops the writing, whether the target reads or not.
#[derive(Debug)]
pub(crate) struct Outbox {
    feed: Feed,
    writer: AbortHandle,
}

/// Where messages are put in.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    jobs: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
    closed: Arc<AtomicBool>,
    closing: Closing,
}

/// Records that we close the input: once, and before the target can notice.
#[derive(Clone, Debug)]
struct Closing {
    /// None where it is not for the transcript.
    recorder: Option<Recorder>,
    recorded: Arc<AtomicBool>,
}

impl Closing {
    fn record(&self) {
        if let Some(recorder) = &self.recorder
            && !self.recorded.swap(true, Ordering::Relaxed)
        {
            recorder.record(EventKind::InputClosed);
        }
    }
}

impl Outbox {
    /// Writes what is put in to `writer`. At the end `shuts` says whether the writer is shut down, or only left
    /// alone; the end is recorded if there is a `recorder`.
    pub(crate) fn new(
        writer: impl AsyncWrite + Send + Unpin + 'static,
        shuts: bool,
        recorder: Option<Recorder>,
    ) -> Self {
        // The queue is bounded by `room`, which counts bytes.
        let (jobs, queue) = mpsc::unbounded_channel();
        let closing = Closing {
            recorder,
            recorded: Arc::new(AtomicBool::new(false)),
        };
        let writer = tokio::spawn(write(writer, shuts, queue, closing.clone())).abort_handle();
        let feed = Feed {
            jobs,
            room: Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize)),
            closed: Arc::new(AtomicBool::new(false)),
            closing,
        };
        Self { feed, writer }
    }

    /// Where messages are put in.
    pub(crate) fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Closes the input once everything queued and `last` are written, or after `patience`, and records that.
    pub(crate) async fn close(&self, last: Vec<u8>, patience: Duration) {
        let (closed, closing) = oneshot::channel();
        let Some(queued) = self.feed.queue_end(last, Some(closed)) else {
            return;
        };
        if !queued || timeout(patience, closing).await.is_err() {
            self.feed.closing.record();
            self.writer.abort();
        }
    }
}

impl Feed {
    /// Waits for room for a message of `length` bytes.
    pub(crate) async fn place(&self, length: usize) -> Result<Place, SendError> {
        if !self.is_open() {
            return Err(SendError::InputClosed);
        }
        let room = self.room.clone().acquire_many_owned(cost(length));
        tokio::select! {
            room = timeout(QUEUE_PATIENCE, room) => match room {
                Ok(room) => Ok(Place(room.map_err(|_| SendError::InputClosed)?)),
                Err(_) => Err(SendError::Stuck),
            },
            () = self.jobs.closed() => Err(SendError::InputClosed),
        }
    }

    /// Room for a message of `length` bytes, if there is some now.
    pub(crate) fn place_now(&self, length: usize) -> Option<Place> {
        let room = self.room.clone().try_acquire_many_owned(cost(length));
        room.ok().filter(|_| self.is_open()).map(Place)
    }

    /// Queues bytes, which are written piece by piece, a moment apart.
    pub(crate) fn push(&self, pieces: Vec<Vec<u8>>, place: Place) {
        // A target that closed its input meanwhile shows in what comes, or does not come, from it.
        drop(self.jobs.send(Job::Pieces {
            pieces,
            room: place.0,
        }));
    }

    /// Closes the input once everything queued and `last` are written, and waits for nothing.
    pub(crate) fn end(&self, last: Vec<u8>) {
        // A target that is gone needs no telling.
        let _: Option<bool> = self.queue_end(last, None);
    }

    /// As [`Feed::end`], because the target closes: it was not our wish, and is not recorded as one.
    pub(crate) fn end_in_turn(&self, last: Vec<u8>) {
        self.closing.recorded.store(true, Ordering::Relaxed);
        self.end(last);
    }

    /// Whether anything can be sent.
    pub(crate) fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed) && !self.jobs.is_closed()
    }

    /// `None` when it was closed before; else whether the writer will come to it.
    fn queue_end(&self, last: Vec<u8>, closed: Option<oneshot::Sender<()>>) -> Option<bool> {
        if self.closed.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(self.jobs.send(Job::Close { last, closed }).is_ok())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

fn cost(length: usize) -> u32 {
    let cost = length.saturating_add(MESSAGE_OVERHEAD_BYTES);
    u32::try_from(cost).unwrap_or(u32::MAX).min(QUEUE_BYTES_MAX)
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    shuts: bool,
    mut queue: mpsc::UnboundedReceiver<Job>,
    closing: Closing,
) {
    while let Some(job) = queue.recv().await {
        match job {
            Job::Pieces { pieces, room } => {
                if let Err(error) = write_pieces(&mut writer, &pieces).await {
                    tracing::debug!(%error, "the target reads no more");
                    return;
                }
                drop(room);
            }
            Job::Close { last, closed } => {
                closing.record();
                // Nobody misses it if it cannot be written.
                drop(writer.write_all(&last).await);
                drop(writer.flush().await);
                if shuts {
                    // A pipe is closed by being dropped; a socket says so before.
                    drop(writer.shutdown().await);
                }
                drop(writer);
                if let Some(closed) = closed {
                    // No one waits any more: then it was closed in another way.
                    let _: Result<(), ()> = closed.send(());
                }
                return;
            }
        }
    }
}

async fn write_pieces(
    writer: &mut (impl AsyncWrite + Unpin),
    pieces: &[Vec<u8>],
) -> std::io::Result<()> {
    for (index, piece) in pieces.iter().enumerate() {
        if index > 0 {
            tokio::time::sleep(PIECE_PAUSE).await;
        }
        writer.write_all(piece).await?;
        writer.flush().await?;
    }
    Ok(())
}
