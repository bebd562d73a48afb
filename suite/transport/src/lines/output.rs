//! Reads what the target writes: messages, a line each; and a child's standard error, which may hold anything.

use mcp_verdict_wire::{
    limits::{MESSAGE_BYTES_MAX, STDERR_BYTES_MAX},
    transcript::EventKind,
};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::splitter::Lines;
use crate::Recorder;

/// Bytes read at once: what a pipe holds.
const PIECE_BYTES: usize = 64 * 1024;

/// Bytes of standard error that are held back for the end of their line.
const STDERR_LINE_BYTES_MAX: usize = 8 * 1024;

/// Pieces of standard error kept for a child: one byte at a time must not fill a transcript.
const STDERR_PIECES_MAX: usize = 4096;

/// Records each line as a message until the output ends, or breaks a limit. Reads no further then.
pub(crate) async fn read_messages(mut stdout: impl AsyncRead + Unpin, recorder: Recorder) {
    let mut lines = Lines::new(MESSAGE_BYTES_MAX);
    let mut piece = vec![0; PIECE_BYTES];
    let mut room = recorder.hold(0);
    loop {
        let count = match stdout.read(&mut piece).await {
            Ok(count) => count,
            Err(error) => {
                tracing::debug!(%error, "standard output ends");
                0
            }
        };
        if count == 0 {
            recorder.record(EventKind::OutputClosed {
                rest: lines.finish().into(),
            });
            return;
        }
        let pushed = lines.push(&piece[..count], &mut |line| {
            recorder.record(EventKind::Received {
                exchange: 0,
                sse: None,
                bytes: line.into(),
            });
        });
        if let Err(too_long) = pushed {
            let limit = format!("a line holds at most {} bytes", too_long.limit);
            recorder.record(EventKind::LimitExceeded { exchange: 0, limit });
            return;
        }
        if recorder.is_full() || !room.is_enough_for(lines.held()) {
            return;
        }
    }
}

/// Records standard error in pieces that end with a line where they can, so that no secret is cut in
/// two. Beyond [`STDERR_BYTES_MAX`] it is still read, and forgotten.
pub(crate) async fn read_errors(mut stderr: impl AsyncRead + Unpin, recorder: Recorder) {
    let mut held: Vec<u8> = Vec::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes_left = STDERR_BYTES_MAX;
    let mut pieces_left = STDERR_PIECES_MAX;
    let mut record = |bytes: &[u8]| {
        let bytes = &bytes[..bytes.len().min(bytes_left)];
        if !bytes.is_empty() && pieces_left > 0 {
            bytes_left -= bytes.len();
            pieces_left -= 1;
            recorder.record(EventKind::Stderr {
                bytes: bytes.into(),
            });
        }
    };
    loop {
        let count = match stderr.read(&mut piece).await {
            Ok(count) => count,
            Err(error) => {
                tracing::debug!(%error, "standard error ends");
                0
            }
        };
        if count == 0 {
            record(&held);
            return;
        }
        held.extend_from_slice(&piece[..count]);
        let whole = held
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |end| end + 1);
        let cut = if held.len() - whole > STDERR_LINE_BYTES_MAX {
            held.len()
        } else {
            whole
        };
        record(&held[..cut]);
        held.drain(..cut);
    }
}
