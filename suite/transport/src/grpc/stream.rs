//! The sending half of a call as a byte stream.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use h2::SendStream;
use tokio::io::AsyncWrite;

/// Each write is a piece of one or more DATA frames; shutting it down is the half-close.
#[derive(Debug)]
pub(super) struct Sink {
    stream: SendStream<Bytes>,
    /// Capacity that was asked for and not used yet.
    asked: usize,
}

impl Sink {
    pub(super) fn new(stream: SendStream<Bytes>) -> Self {
        Self { stream, asked: 0 }
    }
}

impl AsyncWrite for Sink {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if bytes.is_empty() {
            return Poll::Ready(Ok(0));
        }
        if self.asked != bytes.len() {
            self.asked = bytes.len();
            self.stream.reserve_capacity(bytes.len());
        }
        while self.stream.capacity() == 0 {
            match self.stream.poll_capacity(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(io::Error::other(error))),
                Poll::Ready(None) => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = self.stream.capacity().min(bytes.len());
        let piece = Bytes::copy_from_slice(&bytes[..count]);
        self.asked = 0;
        match self.stream.send_data(piece, false) {
            Ok(()) => Poll::Ready(Ok(count)),
            Err(error) => Poll::Ready(Err(io::Error::other(error))),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ended = self.stream.send_data(Bytes::new(), true);
        Poll::Ready(ended.map_err(io::Error::other))
    }
}
