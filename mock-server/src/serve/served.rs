//! A server on a listener.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::Request, serve::ListenerExt};
use mcp_verdict_wire::TransportKind;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tonic::{
    service::Routes,
    transport::{
        Identity,
        server::{ServerTlsConfig, TcpIncoming},
    },
};

use super::{
    MockConfig, StartError,
    grpc::GrpcServer,
    http::{HttpServer, MCP_PATH, SSE_PATH},
    sockets::Listener,
    tls::TlsListener,
    websocket::WS_PATH,
};
use crate::core::Core;

/// How long connections may take to end when the server does.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// A path for a Unix domain socket, at which there is nothing yet. It is removed at the end.
    Path(PathBuf),
    /// An address for everything else. Port 0 takes any that is free.
    Socket(SocketAddr),
}

/// A server that listens; dropping it ends it.
pub struct Served {
    transport: TransportKind,
    at: Listen,
    is_tls: bool,
    /// What every conversation has in common, where there is such a thing.
    core: Option<Arc<Core>>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Default for Listen {
    /// Any free port of this machine, for itself alone.
    fn default() -> Self {
        Self::Socket((Ipv4Addr::LOCALHOST, 0).into())
    }
}

impl Served {
    /// Starts a server of a transport other than stdio.
    ///
    /// # Errors
    /// When `listen` cannot be listened on, or is none for this transport, or the configuration names what does
    /// not exist.
    pub async fn start(
        config: &MockConfig,
        transport: TransportKind,
        listen: &Listen,
    ) -> Result<Self, StartError> {
        let has_lines = matches!(
            transport,
            TransportKind::Stdio | TransportKind::Tcp | TransportKind::Unix
        );
        if config.tls.is_some() && has_lines {
            return Err(StartError::NoTls(transport));
        }
        match (transport, listen) {
            (
                TransportKind::StreamableHttp
                | TransportKind::HttpSse
                | TransportKind::Ws
                | TransportKind::WsDraft,
                Listen::Socket(address),
            ) => {
                let mut served = Self::http(config, *address).await?;
                served.transport = transport;
                Ok(served)
            }
            (TransportKind::Grpc | TransportKind::GrpcNative, Listen::Socket(address)) => {
                Self::grpc(config, transport, *address).await
            }
            (TransportKind::Tcp, Listen::Socket(address)) => {
                let failed = |source| StartError::Listen {
                    address: address.to_string(),
                    source,
                };
                let (listener, address) = Listener::tcp(*address).await.map_err(failed)?;
                Self::sockets(config, transport, listener, Listen::Socket(address))
            }
            (TransportKind::Unix, Listen::Path(path)) => {
                let failed = |source| StartError::Listen {
                    address: path.display().to_string(),
                    source,
                };
                let listener = Listener::unix(path).map_err(failed)?;
                Self::sockets(config, transport, listener, listen.clone())
            }
            _ => Err(StartError::NoListener(transport)),
        }
    }

    async fn grpc(
        config: &MockConfig,
        transport: TransportKind,
        listen: SocketAddr,
    ) -> Result<Self, StartError> {
        let failed = |source| StartError::Listen {
            address: listen.to_string(),
            source,
        };
        let server = Arc::new(GrpcServer::new(config.clone()).await?);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let router = Router::new().fallback(move |request: Request| server.clone().answer(request));
        let mut builder = tonic::transport::Server::builder();
        if let Some(tls) = &config.tls {
            let identity = Identity::from_pem(&tls.certificate, &tls.key);
            builder = builder
                .tls_config(ServerTlsConfig::new().identity(identity))
                .map_err(|error| StartError::Tls(error.to_string()))?;
        }
        let (stop, mut stopped) = watch::channel(false);
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let serving = builder
            .add_routes(Routes::from(router))
            .serve_with_incoming(incoming);
        let task = tokio::spawn(async move {
            tokio::select! {
                // Accepting goes on by itself; there is no error that ends it.
                _ = serving => {}
                // An error means that whoever could say so is gone.
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
        Ok(Self {
            transport,
            at: Listen::Socket(address),
            is_tls: config.tls.is_some(),
            core: None,
            stop,
            task: Some(task),
        })
    }

    fn sockets(
        config: &MockConfig,
        transport: TransportKind,
        listener: Listener,
        at: Listen,
    ) -> Result<Self, StartError> {
        // Each client gets a server of its own; this one shows that it can be started.
        config.start()?;
        let (stop, mut stopped) = watch::channel(false);
        let serving = listener.serve(config.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = serving => {}
                // An error means that whoever could say so is gone.
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        });
        Ok(Self {
            transport,
            at,
            is_tls: false,
            core: None,
            stop,
            task: Some(task),
        })
    }

    /// Starts a server of the transports of HTTP. Port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the configuration names what does not exist.
    pub async fn http(config: &MockConfig, listen: SocketAddr) -> Result<Self, StartError> {
        let (core, faults) = config.start()?;
        let failed = |source| StartError::Listen {
            address: listen.to_string(),
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = Arc::new(HttpServer::new(core.clone(), faults, address, config));
        let router = Router::new().fallback(move |request: Request| server.clone().answer(request));
        let (stop, stopped) = watch::channel(false);
        let task = match &config.tls {
            Some(tls) => serve(TlsListener::new(listener, address, tls)?, router, stopped),
            None => {
                let listener = listener.tap_io(|connection| {
                    // Events are small and must not wait for one another. Without it they are only later.
                    let _ = connection.set_nodelay(true);
                });
                serve(listener, router, stopped)
            }
        };
        Ok(Self {
            transport: TransportKind::StreamableHttp,
            at: Listen::Socket(address),
            is_tls: config.tls.is_some(),
            core: Some(core),
            stop,
            task: Some(task),
        })
    }

    /// Where clients of its transport find it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(self.transport)
    }

    /// Where it listens, if not at a path.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match self.at {
            Listen::Path(_) => None,
            Listen::Socket(address) => Some(address),
        }
    }

    /// The URL of its Streamable HTTP endpoint, of both eras.
    #[must_use]
    pub fn streamable_http_url(&self) -> String {
        self.url_of(TransportKind::StreamableHttp)
    }

    /// The URL of its HTTP+SSE event stream.
    #[must_use]
    pub fn http_sse_url(&self) -> String {
        self.url_of(TransportKind::HttpSse)
    }

    fn url_of(&self, transport: TransportKind) -> String {
        let s = if self.is_tls { "s" } else { "" };
        match (&self.at, transport) {
            (Listen::Path(path), _) => format!("unix:{}", path.display()),
            (Listen::Socket(address), TransportKind::Tcp) => format!("tcp://{address}"),
            (Listen::Socket(address), TransportKind::Grpc | TransportKind::GrpcNative) => {
                format!("grpc{s}://{address}")
            }
            (Listen::Socket(address), TransportKind::HttpSse) => {
                format!("http{s}://{address}{SSE_PATH}")
            }
            (Listen::Socket(address), TransportKind::Ws | TransportKind::WsDraft) => {
                format!("ws{s}://{address}{WS_PATH}")
            }
            (Listen::Socket(address), _) => format!("http{s}://{address}{MCP_PATH}"),
        }
    }

    /// Ends it, and waits until it has.
    pub async fn shutdown(mut self) {
        self.end();
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut task)
                .await
                .is_err()
        {
            task.abort();
        }
    }

    /// Waits until it ends by itself, which it does not.
    pub async fn wait(mut self) {
        if let Some(task) = self.task.take() {
            // A task that was aborted is over too.
            let _ = task.await;
        }
    }

    fn end(&self) {
        if let Some(core) = &self.core {
            core.close();
        }
        self.stop.send_replace(true);
    }
}

/// Serves what the listener accepts, until it is told to stop.
fn serve<L: axum::serve::Listener<Addr = SocketAddr>>(
    listener: L,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) -> JoinHandle<()> {
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // An error means that whoever could say so is gone.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    tokio::spawn(async move {
        // Accepting retries by itself; there is no error that ends it.
        let _ = serving.await;
    })
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
        if let Listen::Path(path) = &self.at {
            // Whoever removed it before us did the same.
            let _ = std::fs::remove_file(path);
        }
    }
}
