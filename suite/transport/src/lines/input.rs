//! What the target reads: a line for each message.

use std::time::Duration;

use mcp_verdict_wire::Delivery;
use tokio::io::AsyncWrite;

use crate::{
    Recorder, SendError,
    outbox::{Outbox, Place},
};

/// The target's input. Dropping it closes it, whether the target reads or not.
#[derive(Debug)]
pub(crate) struct Input {
    outbox: Outbox,
    /// Lines held back for the next one.
    held: Vec<u8>,
}

impl Input {
    pub(crate) fn new(
        writer: impl AsyncWrite + Send + Unpin + 'static,
        recorder: Recorder,
    ) -> Self {
        Self {
            outbox: Outbox::new(writer, true, Some(recorder)),
            held: Vec::new(),
        }
    }

    /// Waits for room for a message of `length` bytes.
    pub(crate) async fn place(&self, length: usize) -> Result<Place, SendError> {
        self.outbox.feed().place(length).await
    }

    /// Queues a message, which gets its newline here.
    pub(crate) fn write(&mut self, mut bytes: Vec<u8>, delivery: &Delivery, place: Place) {
        if !delivery.unterminated {
            bytes.push(b'\n');
        }
        self.write_framed(bytes, delivery, place);
    }

    /// Queues a message in its frame.
    pub(crate) fn write_framed(&mut self, bytes: Vec<u8>, delivery: &Delivery, place: Place) {
        self.held.extend(bytes);
        if delivery.with_next {
            return;
        }
        let whole = std::mem::take(&mut self.held);
        let pieces = delivery.cut(&whole).map(<[u8]>::to_vec).collect();
        self.outbox.feed().push(pieces, place);
    }

    /// Closes the input once everything queued is written, or after `patience`, and records that.
    pub(crate) async fn close(&mut self, patience: Duration) {
        let held = std::mem::take(&mut self.held);
        self.outbox.close(held, patience).await;
    }
}
