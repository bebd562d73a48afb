//! The proxy itself: its listener, and its end.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use rustls::ClientConfig;
use tokio::{
    net::TcpListener,
    sync::{Semaphore, oneshot},
    task::{JoinHandle, JoinSet},
    time::sleep,
};

use super::{
    fault::ProxyFault,
    relay,
    upstream::{Dialect, Upstream, UpstreamError},
};

/// Connections at a time. Further ones wait to be taken.
const CONNECTIONS_MAX: usize = 256;

/// How long to wait when no connection can be taken, because of too many open files for instance.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a proxy is started with.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// The server's URL: `http`, `https` or `tcp`.
    pub url: String,
    /// What befalls what passes.
    pub faults: Vec<ProxyFault>,
    /// Decides the numbers of faults that have a range.
    pub seed: u64,
    /// What TLS to the server is set up with; without it there is no `https`.
    pub tls: Option<Arc<ClientConfig>>,
}

/// Why a proxy cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// It cannot listen.
    #[error("listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A fault counts events on a way that has none.
    #[error(
        "count events of requests: over HTTP only responses have any, so not with `toward=server`"
    )]
    NoEvents,
    /// It cannot stand before this server.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
}

/// A proxy that is running. It ends, with all that it carries, when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What all connections of a proxy share.
pub(super) struct Shared {
    pub(super) upstream: Upstream,
    /// Authorities by which clients know the proxy.
    pub(super) own: Vec<String>,
    pub(super) seed: u64,
    /// Each with the number of requests or responses that it could have befallen.
    pub(super) faults: Vec<(ProxyFault, AtomicU64)>,
}

impl Proxy {
    /// Listens, and stands before the server from now on. The server need not be there yet.
    ///
    /// # Errors
    /// When the URL is none, a fault can befall nothing, or it cannot listen.
    pub async fn start(config: ProxyConfig, listen: SocketAddr) -> Result<Self, ProxyError> {
        let upstream = Upstream::parse(&config.url, config.tls)?;
        let in_vain = config
            .faults
            .iter()
            .any(ProxyFault::asks_requests_for_events);
        if in_vain && upstream.dialect == Dialect::Http {
            return Err(ProxyError::NoEvents);
        }
        let failed = |source| ProxyError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let url = match upstream.dialect {
            Dialect::Http => format!("http://{address}{}", upstream.target),
            Dialect::Lines => format!("tcp://{address}"),
        };
        let own = vec![address.to_string(), format!("localhost:{}", address.port())];
        let shared = Shared {
            upstream,
            own,
            seed: config.seed,
            faults: config
                .faults
                .into_iter()
                .map(|fault| (fault, AtomicU64::new(0)))
                .collect(),
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(run(listener, Arc::new(shared), stopped));
        Ok(Self {
            url,
            stop: Some(stop),
            task,
        })
    }

    /// Where clients find it: the path and query are those of the server's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it, and waits until every connection is gone.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        // That it panicked would show in its own message.
        let _: Result<(), _> = (&mut self.task).await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = async {
            let permit = room.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        tokio::select! {
            _ = &mut stopped => break,
            (permit, accepted) = accepted => match accepted {
                Ok((client, _)) => {
                    let shared = shared.clone();
                    connections.spawn(async move {
                        let _permit = permit;
                        if client.set_nodelay(true).is_ok() {
                            relay::serve(client, shared).await;
                        }
                    });
                }
                Err(error) => {
                    tracing::debug!(%error, "take a connection");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    connections.shutdown().await;
}
