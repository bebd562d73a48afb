//! A server on a listener.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::Request, serve::ListenerExt};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use super::{
    MockConfig, StartError,
    http::{HttpServer, MCP_PATH, SSE_PATH},
};
use crate::core::Core;

/// How long connections may take to end when the server does.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// A server that listens; dropping it ends it.
pub struct Served {
    address: SocketAddr,
    core: Arc<Core>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Served {
    /// Starts a server. Port 0 takes any that is free.
    ///
    /// # Errors
    /// When the address cannot be listened on, or the configuration names what does not exist.
    pub async fn http(config: &MockConfig, listen: SocketAddr) -> Result<Self, StartError> {
        let (core, faults) = config.start()?;
        let failed = |source| StartError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let listener = listener.tap_io(|connection| {
            // Events are small and must not wait for one another. Without it they are only later.
            let _ = connection.set_nodelay(true);
        });
        let server = Arc::new(HttpServer::new(
            core.clone(),
            faults,
            address,
            &config.allow_hosts,
        ));
        let router = Router::new().fallback(move |request: Request| server.clone().answer(request));
        let (stop, mut stopped) = watch::channel(false);
        let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
            // An error means that whoever could say so is gone.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let task = tokio::spawn(async move {
            // Accepting retries by itself; there is no error that ends it.
            let _ = serving.await;
        });
        Ok(Self {
            address,
            core,
            stop,
            task: Some(task),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its Streamable HTTP endpoint, of both eras.
    #[must_use]
    pub fn streamable_http_url(&self) -> String {
        format!("http://{}{MCP_PATH}", self.address)
    }

    /// The URL of its HTTP+SSE event stream.
    #[must_use]
    pub fn http_sse_url(&self) -> String {
        format!("http://{}{SSE_PATH}", self.address)
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
        self.core.close();
        self.stop.send_replace(true);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.end();
    }
}
