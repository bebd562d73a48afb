//! One message a line: over the standard streams, or over a socket that serves one client as they would.

use std::time::{Duration, Instant};

use mcp_verdict_wire::{TransportKind, limits::MESSAGE_BYTES_MAX};
#[cfg(unix)]
use tokio::signal::unix::SignalKind;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{MockConfig, StartError, exchange::Conversation};
use crate::{
    core::{Departure, Payload, outlet::QUEUE_LENGTH},
    faults::{Act, Faults, Moment},
};

/// How long answers that are almost there may take when the input is closed.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Serves on the standard streams of this process until its input is closed; returns its exit code.
///
/// # Errors
/// When the configuration names what does not exist.
pub async fn serve_stdio(config: &MockConfig) -> Result<i32, StartError> {
    let (reader, writer) = (tokio::io::stdin(), tokio::io::stdout());
    serve_lines(config, TransportKind::Stdio, reader, writer).await
}

/// Serves lines from `reader` to `writer`, as [`serve_stdio`] does on the standard streams. Only there do
/// faults end the whole process; elsewhere they end what this returns from.
///
/// # Errors
/// When the configuration names what does not exist.
pub async fn serve_lines<R, W>(
    config: &MockConfig,
    transport: TransportKind,
    reader: R,
    writer: W,
) -> Result<i32, StartError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let is_process = transport == TransportKind::Stdio;
    let (core, faults) = config.start()?;
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let session = core.session(transport, sender.clone());
    let (stop, stopped) = oneshot::channel();
    let mut writing = tokio::spawn(write(writer, receiver, faults.clone(), stopped));
    for act in faults.process(Moment::Started) {
        match act {
            Act::Exit(code) => return Ok(code),
            Act::Print(bytes) => say(&sender, bytes).await,
            Act::Crash if is_process => std::process::abort(),
            Act::Crash => return Ok(1),
            Act::DeafToTerm if is_process => stop_listening_to_term(),
            Act::DeafToTerm | Act::Linger | Act::Nothing => {}
        }
    }
    let conversation = Conversation {
        core,
        faults,
        session,
        era: None,
        headers: None,
        sender,
    };
    if let Some(code) = read(&conversation, reader, &mut writing).await {
        return Ok(code);
    }
    for act in conversation.faults.process(Moment::InputClosed) {
        match act {
            Act::Exit(code) => return Ok(code),
            Act::Print(bytes) => say(&conversation.sender, bytes).await,
            Act::Linger => std::future::pending().await,
            Act::Crash if is_process => std::process::abort(),
            Act::Crash => return Ok(1),
            Act::DeafToTerm | Act::Nothing => {}
        }
    }
    conversation.core.close();
    // Requests under way get a moment, then they are cut off.
    let patience = Instant::now() + LAST_WORDS;
    while !conversation.session.is_idle() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    conversation.session.cancel_all();
    // The writer is gone already if there is nobody left to tell, and how it ended is of no interest.
    let _ = stop.send(());
    let _ = tokio::time::timeout(LAST_WORDS, writing).await;
    Ok(0)
}

/// A signal that somebody waits for does not end the process any more; here nobody does.
fn stop_listening_to_term() {
    #[cfg(unix)]
    if let Ok(listening) = tokio::signal::unix::signal(SignalKind::terminate()) {
        std::mem::forget(listening);
    }
}

/// Reads lines until there are no more, or a fault wants the process to end.
async fn read<R: AsyncRead + Unpin>(
    conversation: &Conversation,
    reader: R,
    writing: &mut JoinHandle<()>,
) -> Option<i32> {
    let mut lines = Lines {
        reader: BufReader::new(reader),
        whole_reads: conversation.faults.whole_reads(),
    };
    loop {
        let line = tokio::select! {
            line = lines.next() => line,
            // Without anybody to tell, there is no point in listening.
            _ = &mut *writing => return Some(0),
        };
        let line = match line {
            None => return None,
            Some(Err(TooLong)) => {
                conversation.refuse_bytes("the message is too long").await;
                continue;
            }
            Some(Ok(line)) => line,
        };
        if let Err(code) = conversation.take_line(line).await {
            return Some(code);
        }
    }
}

/// A line longer than [`MESSAGE_BYTES_MAX`]; it was skipped to its end.
struct TooLong;

struct Lines<R> {
    reader: BufReader<R>,
    /// A read is a line, wherever newlines are.
    whole_reads: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// The next line without its newline; the last one may have none. An error of the reader is an
    /// end like any other.
    async fn next(&mut self) -> Option<Result<Vec<u8>, TooLong>> {
        let (mut line, mut too_long) = (Vec::new(), false);
        loop {
            let bytes = self.reader.fill_buf().await.unwrap_or_default();
            if bytes.is_empty() {
                return (!line.is_empty() && !too_long).then_some(Ok(line));
            }
            if self.whole_reads {
                let line = bytes.to_vec();
                self.reader.consume(line.len());
                return Some(Ok(line));
            }
            let newline = bytes.iter().position(|byte| *byte == b'\n');
            let end = newline.unwrap_or(bytes.len());
            too_long |= line.len() + end > MESSAGE_BYTES_MAX;
            if too_long {
                line.clear();
            } else {
                line.extend_from_slice(&bytes[..end]);
            }
            self.reader
                .consume(newline.map_or(end, |newline| newline + 1));
            if newline.is_some() {
                return Some(if too_long { Err(TooLong) } else { Ok(line) });
            }
        }
    }
}

/// Writes until there is nothing left to write, or nobody to write to.
async fn write<W: AsyncWrite + Unpin>(
    mut writer: W,
    mut receiver: mpsc::Receiver<Departure>,
    faults: Faults,
    mut stopped: oneshot::Receiver<()>,
) {
    loop {
        let departure = tokio::select! {
            biased;
            departure = receiver.recv() => departure,
            // Whatever is in the queue is written first. A sender that is dropped means the same.
            _ = &mut stopped => None,
        };
        let Some(departure) = departure else { return };
        let bytes = match departure.payload {
            Payload::HangUp => continue,
            Payload::Json(_) | Payload::Raw(_) => {
                let mut line = departure.bytes();
                line.push(b'\n');
                faults.line_out(line)
            }
        };
        if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
            return;
        }
    }
}

async fn say(sender: &mpsc::Sender<Departure>, bytes: &[u8]) {
    // The writer ends only when its reader is gone, and then nothing can be said.
    let _ = sender.send(Departure::raw(bytes)).await;
}
