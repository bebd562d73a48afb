//! One HTTP/2 connection to a gRPC server.

use std::{collections::BTreeMap, fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::client::SendRequest;
use mcp_verdict_wire::limits::MESSAGE_BYTES_MAX;
use reqwest::Url;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use super::metadata::Metadata;
use crate::{OpenError, Options, http::tls_setup};

/// What a server may send us on one stream before we have looked at it.
const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;

/// The same on all streams together.
const CONNECTION_WINDOW_BYTES: u32 = 4 * 1024 * 1024;

/// Longest list of header fields or trailers.
const HEADERS_BYTES_MAX: u32 = 256 * 1024;

/// Bytes of ours that wait in the library for their turn.
const SEND_BUFFER_BYTES_MAX: usize = MESSAGE_BYTES_MAX;

/// What carries the bytes.
trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Where calls go, and what each of them carries. Connects again when the connection is gone.
pub(super) struct Line {
    /// `grpc` or `grpcs`, as the user says it, without user information.
    url: Url,
    tls: Arc<ClientConfig>,
    patience: Duration,
    user: Metadata,
    session: BTreeMap<String, String>,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Bytes>,
    /// The task that reads and writes.
    task: JoinHandle<()>,
}

impl Line {
    /// Connects.
    pub(super) async fn open(url: &str, options: &Options) -> Result<Self, OpenError> {
        let unusable = |why: String| OpenError::Url {
            url: url.to_owned(),
            why,
        };
        let url = Url::parse(url).map_err(|error| unusable(error.to_string()))?;
        let is_tls = match url.scheme() {
            "grpc" => false,
            "grpcs" => true,
            other => {
                return Err(unusable(format!(
                    "its scheme `{other}` is not grpc or grpcs"
                )));
            }
        };
        if url.host_str().is_none_or(str::is_empty) {
            return Err(unusable("it names no host".to_owned()));
        }
        let mut tls = (*tls_setup(options, is_tls)?).clone();
        // gRPC over TLS is HTTP/2, and ALPN says so.
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let mut line = Self {
            url,
            tls: Arc::new(tls),
            patience: options.connect_timeout,
            user: Metadata::of_user(&options.headers)?,
            session: BTreeMap::new(),
            open: None,
        };
        line.open = Some(line.connect().await?);
        Ok(line)
    }

    /// Sets or removes a field of every later call.
    pub(super) fn set_header(&mut self, name: &str, value: Option<String>) {
        let name = name.to_ascii_lowercase();
        match value {
            Some(value) => drop(self.session.insert(name, value)),
            None => drop(self.session.remove(&name)),
        }
    }

    /// What a call carries.
    pub(super) fn metadata(&self) -> Metadata {
        Metadata::defaults(&self.session, &self.user)
    }

    /// The URL of a call, for a person.
    pub(super) fn shown(&self, path: &str) -> String {
        let scheme = if self.is_tls() { "https" } else { "http" };
        format!("{scheme}://{}{path}", self.authority())
    }

    /// The path of a call below that of the URL.
    pub(super) fn path(&self, call: &str) -> String {
        format!("{}{call}", self.url.path().trim_end_matches('/'))
    }

    /// What sends calls, on a new connection if need be.
    pub(super) async fn sender(&mut self) -> Result<SendRequest<Bytes>, String> {
        if self
            .open
            .as_ref()
            .is_none_or(|open| open.task.is_finished())
        {
            let open = self.connect().await.map_err(|error| error.to_string())?;
            self.open = Some(open);
        }
        let sender = self.open.as_ref().map(|open| open.sender.clone());
        sender.ok_or_else(|| "there is no connection".to_owned())
    }

    /// Closes it, and waits until it is.
    pub(super) async fn close(&mut self) {
        if let Some(Open { sender, task }) = self.open.take() {
            drop(sender);
            // What goes with the last of them: resets, and the end of the connection.
            if timeout(CLOSE_PATIENCE, &mut { task }).await.is_err() {
                tracing::debug!("the connection did not end by itself");
            }
        }
    }

    fn is_tls(&self) -> bool {
        self.url.scheme() == "grpcs"
    }

    fn host(&self) -> &str {
        let host = self.url.host_str().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    fn port(&self) -> u16 {
        let usual = if self.is_tls() { 443 } else { 80 };
        self.url.port().unwrap_or(usual)
    }

    fn authority(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{host}:{}", self.port())
    }

    async fn connect(&self) -> Result<Open, OpenError> {
        match timeout(self.patience, self.dial()).await {
            Ok(connected) => connected,
            Err(_) => Err(self.refused(io::ErrorKind::TimedOut.into())),
        }
    }

    fn refused(&self, source: io::Error) -> OpenError {
        OpenError::Connect {
            address: self.authority(),
            source,
        }
    }

    async fn dial(&self) -> Result<Open, OpenError> {
        let refused = |source| self.refused(source);
        let tcp = TcpStream::connect((self.host(), self.port()))
            .await
            .map_err(refused)?;
        // Messages are small and must not wait for one another. Without it they are only later.
        let _: io::Result<()> = tcp.set_nodelay(true);
        let transport: Box<dyn Transport> = if self.is_tls() {
            let failed = |why: String| OpenError::Tls(why);
            let name = ServerName::try_from(self.host().to_owned())
                .map_err(|error| failed(error.to_string()))?;
            let tls = TlsConnector::from(self.tls.clone())
                .connect(name, tcp)
                .await
                .map_err(|error| failed(error.to_string()))?;
            if tls.get_ref().1.alpn_protocol() != Some(b"h2") {
                return Err(failed("the server does not agree to HTTP/2".to_owned()));
            }
            Box::new(tls)
        } else {
            Box::new(tcp)
        };
        let (sender, connection) = h2::client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(HEADERS_BYTES_MAX)
            .max_send_buffer_size(SEND_BUFFER_BYTES_MAX)
            .handshake(transport)
            .await
            .map_err(|error| refused(io::Error::other(error)))?;
        let task = tokio::spawn(async move {
            if let Err(error) = connection.await {
                // Each call that it carried says the same.
                tracing::debug!(%error, "the connection ends");
            }
        });
        Ok(Open { sender, task })
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(open) = &self.open {
            open.task.abort();
        }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Line")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

/// How long a connection without calls may take to end.
const CLOSE_PATIENCE: Duration = Duration::from_millis(250);
