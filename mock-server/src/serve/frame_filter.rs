//! Between a WebSocket and its wire, where faults change frames as they pass.

use mcp_verdict_wire::{
    limits::MESSAGE_BYTES_MAX,
    websocket::{Decoder, Frame},
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};

use crate::faults::Faults;

/// Bytes read at once, and held between the two sides.
const PIECE_BYTES: usize = 64 * 1024;

/// The other side of `wire`, with the faults between. Everything ends with `wire`, or with what is returned.
pub(super) fn between(
    wire: impl AsyncRead + AsyncWrite + Send + 'static,
    faults: Faults,
) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(PIECE_BYTES);
    let (wire_in, wire_out) = tokio::io::split(wire);
    let (theirs_in, theirs_out) = tokio::io::split(theirs);
    let incoming = faults.clone();
    tokio::spawn(async move {
        let arriving = pass(wire_in, theirs_out, |frame| incoming.frame_in(frame));
        let leaving = pass(theirs_in, wire_out, |frame| faults.frame_out(frame));
        // What still is to be written when the other direction ends is written.
        tokio::join!(arriving, leaving)
    });
    ours
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    change: impl Fn(Frame) -> Vec<Frame>,
) {
    let mut decoder = Decoder::new(MESSAGE_BYTES_MAX);
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let count = from.read(&mut piece).await.unwrap_or(0);
        if count == 0 {
            break;
        }
        decoder.push(&piece[..count]);
        let mut bytes = Vec::new();
        while let Ok(Some(frame)) = decoder.next_frame() {
            change(frame)
                .iter()
                .for_each(|frame| frame.encode(&mut bytes));
        }
        if to.write_all(&bytes).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    // Whoever is gone already needs no telling.
    let _ = to.shutdown().await;
}
