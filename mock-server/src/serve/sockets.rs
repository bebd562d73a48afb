//! Lines over TCP connections and Unix domain sockets: each serves one client, as a process of its own would.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use mcp_verdict_wire::TransportKind;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    task::JoinSet,
};

use super::{MockConfig, StartError, lines::serve_lines};

/// Clients at a time; the next has to wait.
const CLIENTS_MAX: usize = 256;

/// How long accepting rests after a failure, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What accepts clients, and where.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) async fn tcp(address: SocketAddr) -> std::io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok((Self::Tcp(listener), address))
    }

    pub(super) fn unix(path: &Path) -> std::io::Result<Self> {
        UnixListener::bind(path).map(Self::Unix)
    }

    /// Serves whoever comes; those that are served end with this.
    pub(super) async fn serve(self, config: MockConfig) {
        let config = Arc::new(config);
        let mut clients = JoinSet::new();
        loop {
            while clients.len() >= CLIENTS_MAX {
                clients.join_next().await;
            }
            while clients.try_join_next().is_some() {}
            if self.accept(&config, &mut clients).await.is_err() {
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn accept(
        &self,
        config: &Arc<MockConfig>,
        clients: &mut JoinSet<()>,
    ) -> std::io::Result<()> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Lines are small and must not wait for one another. Without it they are only later.
                let _ = stream.set_nodelay(true);
                let (reader, writer) = stream.into_split();
                clients.spawn(client(config.clone(), TransportKind::Tcp, reader, writer));
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let (reader, writer) = stream.into_split();
                clients.spawn(client(config.clone(), TransportKind::Unix, reader, writer));
            }
        }
        Ok(())
    }
}

async fn client(
    config: Arc<MockConfig>,
    transport: TransportKind,
    reader: impl AsyncRead + Unpin,
    writer: impl AsyncWrite + Unpin + Send + 'static,
) {
    let served: Result<i32, StartError> = serve_lines(&config, transport, reader, writer).await;
    if let Err(error) = served {
        tracing::warn!(%error, "a client is not served");
    }
}
