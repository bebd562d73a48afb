//! What the target reads: a bounded queue and the task that empties it, so that a target which does not read
//! blocks no one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use mcp_verdict_wire::{Delivery, transcript::EventKind};
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

enum Job {
    Line {
        bytes: Vec<u8>,
        delivery: Delivery,
        room: OwnedSemaphorePermit,
    },
    Close {
        closed: oneshot::Sender<()>,
    },
}

/// A place in the queue.
pub(crate) struct Place(OwnedSemaphorePermit);

/// The queue's end that we hold. Dropping it closes the target's input, whether it reads or not.
#[derive(Debug)]
pub(crate) struct Input {
    jobs: mpsc::UnboundedSender<Job>,
    room: Arc<Semaphore>,
    writer: AbortHandle,
    closing: Closing,
    closed: bool,
}

/// Records that we close the input: once, and before the target can notice.
#[derive(Clone, Debug)]
struct Closing {
    recorder: Recorder,
    recorded: Arc<AtomicBool>,
}

impl Closing {
    fn record(&self) {
        if !self.recorded.swap(true, Ordering::Relaxed) {
            self.recorder.record(EventKind::InputClosed);
        }
    }
}

impl Input {
    pub(crate) fn new(
        writer: impl AsyncWrite + Send + Unpin + 'static,
        recorder: Recorder,
    ) -> Self {
        // The queue is bounded by `room`, which counts bytes.
        let (jobs, queue) = mpsc::unbounded_channel();
        let closing = Closing {
            recorder,
            recorded: Arc::new(AtomicBool::new(false)),
        };
        let writer = tokio::spawn(write(writer, queue, closing.clone())).abort_handle();
        let room = Arc::new(Semaphore::new(QUEUE_BYTES_MAX as usize));
        Self {
            jobs,
            room,
            writer,
            closing,
            closed: false,
        }
    }

    /// Waits for room for a message of `length` bytes.
    pub(crate) async fn place(&self, length: usize) -> Result<Place, SendError> {
        if !self.is_open() {
            return Err(SendError::InputClosed);
        }
        let cost = u32::try_from(length.saturating_add(MESSAGE_OVERHEAD_BYTES)).unwrap_or(u32::MAX);
        let room = self
            .room
            .clone()
            .acquire_many_owned(cost.min(QUEUE_BYTES_MAX));
        tokio::select! {
            room = timeout(QUEUE_PATIENCE, room) => match room {
                Ok(room) => Ok(Place(room.map_err(|_| SendError::InputClosed)?)),
                Err(_) => Err(SendError::Stuck),
            },
            () = self.jobs.closed() => Err(SendError::InputClosed),
        }
    }

    /// Queues a message, which gets its newline here.
    pub(crate) fn write(&self, mut bytes: Vec<u8>, delivery: Delivery, place: Place) {
        if !delivery.unterminated {
            bytes.push(b'\n');
        }
        // A target that closed its input meanwhile shows in what comes, or does not come, from it.
        drop(self.jobs.send(Job::Line {
            bytes,
            delivery,
            room: place.0,
        }));
    }

    /// Closes the input once everything queued is written, or after `patience`, and records that.
    pub(crate) async fn close(&mut self, patience: Duration) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        let (closed, closing) = oneshot::channel();
        let queued = self.jobs.send(Job::Close { closed }).is_ok();
        if !queued || timeout(patience, closing).await.is_err() {
            self.closing.record();
            self.writer.abort();
        }
    }

    fn is_open(&self) -> bool {
        !self.closed && !self.jobs.is_closed()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        self.writer.abort();
    }
}

async fn write(
    mut writer: impl AsyncWrite + Unpin,
    mut queue: mpsc::UnboundedReceiver<Job>,
    closing: Closing,
) {
    let mut held = Vec::new();
    while let Some(job) = queue.recv().await {
        match job {
            Job::Line {
                bytes,
                delivery,
                room,
            } => {
                held.extend_from_slice(&bytes);
                if delivery.with_next {
                    continue;
                }
                if let Err(error) = write_pieces(&mut writer, &held, &delivery).await {
                    tracing::debug!(%error, "the target reads no more");
                    return;
                }
                held.clear();
                drop(room);
            }
            Job::Close { closed } => {
                // Held back for a next message that did not come; nobody misses it if it cannot be written.
                drop(writer.write_all(&held).await);
                closing.record();
                // A pipe is closed by being dropped; a socket says so before.
                drop(writer.shutdown().await);
                drop(writer);
                // No one waits any more: then it was closed in another way.
                let _: Result<(), ()> = closed.send(());
                return;
            }
        }
    }
}

async fn write_pieces(
    writer: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    delivery: &Delivery,
) -> std::io::Result<()> {
    for (index, piece) in delivery.cut(bytes).enumerate() {
        if index > 0 {
            tokio::time::sleep(PIECE_PAUSE).await;
        }
        writer.write_all(piece).await?;
        writer.flush().await?;
    }
    Ok(())
}

/// How far apart the pieces of a message are written: far enough that the other side reads each alone.
const PIECE_PAUSE: Duration = Duration::from_millis(3);
