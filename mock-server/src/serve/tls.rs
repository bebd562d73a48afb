//! TLS for the transports of HTTP. gRPC has its library's own.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::AbortHandle,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{StartError, Tls};

/// How long a client may take for its handshake.
const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(10);

/// Connections that are ready and wait to be taken.
const READY_MAX: usize = 64;

impl Tls {
    /// Makes an identity for this machine, as its loopback is called. Its certificate is signed by itself: whoever
    /// trusts it as a root trusts the server.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn for_loopback() -> Result<Self, StartError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| StartError::Tls(error.to_string()))?;
        Ok(Self {
            certificate: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        })
    }

    fn acceptor(&self) -> Result<TlsAcceptor, StartError> {
        let failed = |error: &dyn std::fmt::Display| StartError::Tls(error.to_string());
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.certificate.as_bytes()).collect();
        let chain = chain.map_err(|error| failed(&error))?;
        let key =
            PrivateKeyDer::from_pem_slice(self.key.as_bytes()).map_err(|error| failed(&error))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| failed(&error))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Accepts connections once their handshake is done. A client that is slow in it keeps no other waiting.
pub(super) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    accepting: AbortHandle,
}

impl TlsListener {
    pub(super) fn new(
        mut listener: TcpListener,
        address: SocketAddr,
        tls: &Tls,
    ) -> Result<Self, StartError> {
        let acceptor = tls.acceptor()?;
        let (sender, ready) = mpsc::channel(READY_MAX);
        let accepting = tokio::spawn(async move {
            loop {
                let (tcp, from) = Listener::accept(&mut listener).await;
                // Messages are small and must not wait for one another. Without it they are only later.
                let _ = tcp.set_nodelay(true);
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match timeout(HANDSHAKE_PATIENCE, acceptor.accept(tcp)).await {
                        // Nobody takes it where the server ends.
                        Ok(Ok(tls)) => drop(sender.send((tls, from)).await),
                        Ok(Err(error)) => tracing::debug!(%error, "a handshake of TLS fails"),
                        Err(_) => tracing::debug!("a handshake of TLS takes too long"),
                    }
                });
            }
        });
        Ok(Self {
            address,
            ready,
            accepting: accepting.abort_handle(),
        })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
