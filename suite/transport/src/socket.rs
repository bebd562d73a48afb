//! Newline-delimited JSON over a socket: TCP, or a Unix domain socket.
//!
//! Source: basic/transports#custom-transports of 2026-07-28, which recommends the framing of stdio there.

use std::{io, path::Path, time::Duration};

use mcp_verdict_wire::transcript::{EventKind, Exchange};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    OpenError, Outgoing, Recorder, SendError, Shutdown,
    lines::{self, Input},
};

/// A connection that carries lines both ways. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Socket {
    recorder: Recorder,
    input: Input,
    /// The task that reads.
    output: JoinHandle<()>,
    exit_grace: Duration,
}

impl Socket {
    /// Connects to `host:port`.
    pub(crate) async fn tcp(
        address: &str,
        patience: Duration,
        exit_grace: Duration,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let stream = connected(address, patience, TcpStream::connect(address)).await?;
        // Lines are small and must not wait for one another. Without it they are only later.
        let _: io::Result<()> = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Ok(Self::over(reader, writer, exit_grace, recorder))
    }

    /// Connects to the socket at `path`.
    pub(crate) async fn unix(
        path: &Path,
        patience: Duration,
        exit_grace: Duration,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let address = path.display().to_string();
        let stream = connected(&address, patience, UnixStream::connect(path)).await?;
        let (reader, writer) = stream.into_split();
        Ok(Self::over(reader, writer, exit_grace, recorder))
    }

    fn over(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        exit_grace: Duration,
        recorder: Recorder,
    ) -> Self {
        let output = tokio::spawn(lines::read_messages(reader, recorder.clone()));
        Self {
            input: Input::new(writer, recorder.clone()),
            recorder,
            output,
            exit_grace,
        }
    }

    /// Queues a message as a line.
    pub(crate) async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        let place = self.input.place(outgoing.bytes.len()).await?;
        self.recorder.record(EventKind::Sent {
            exchange: 0,
            label: outgoing.label,
            meant: outgoing.meant,
            bytes: outgoing.bytes.clone().into(),
        });
        self.input.write(outgoing.bytes, &outgoing.delivery, place);
        Ok(0)
    }

    /// Closes our side, after what was sent before.
    pub(crate) async fn close_input(&mut self) {
        self.input.close(self.exit_grace).await;
    }

    /// Whether it is read.
    pub(crate) fn is_usable(&self) -> bool {
        !self.output.is_finished()
    }

    /// Closes our side after what was sent, unless that is to be `Now`, and then all of it; the server need not
    /// close its own.
    pub(crate) async fn shutdown(mut self, how: Shutdown) {
        if how == Shutdown::Orderly {
            self.close_input().await;
        }
        self.output.abort();
        // An aborted task ends in an error, as it should.
        drop((&mut self.output).await);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.output.abort();
    }
}

async fn connected<S>(
    address: &str,
    patience: Duration,
    connecting: impl Future<Output = io::Result<S>>,
) -> Result<S, OpenError> {
    let refused = |source| OpenError::Connect {
        address: address.to_owned(),
        source,
    };
    match timeout(patience, connecting).await {
        Ok(connected) => connected.map_err(refused),
        Err(_) => Err(refused(io::ErrorKind::TimedOut.into())),
    }
}
