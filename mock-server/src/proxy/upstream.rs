//! The server behind the proxy: where it is, and connections to it.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// How long connecting may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// What passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// HTTP/1.1.
    Http,
    /// Lines, of which each is an event.
    Lines,
}

/// A server.
#[derive(Clone)]
pub(super) struct Upstream {
    pub(super) dialect: Dialect,
    /// As in the URL: `host` or `host:port`.
    pub(super) authority: String,
    /// Scheme and authority.
    pub(super) origin: String,
    /// Path and query, with the slash, or nothing.
    pub(super) target: String,
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
}

/// Why a URL is none that the proxy can stand before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// It does not begin with a scheme that passes.
    #[error(
        "`{0}` is no URL that the proxy can stand before: it begins with http://, https:// or tcp://"
    )]
    Scheme(String),
    /// It names no host, or no port where it must.
    #[error("`{0}` names no host and port")]
    Authority(String),
    /// It holds a name or password.
    #[error("a URL for the proxy holds no user name; the client sends it")]
    UserInformation,
}

impl Upstream {
    /// The server of this URL. `tls` is for `https`.
    pub(super) fn parse(url: &str, tls: Option<Arc<ClientConfig>>) -> Result<Self, UpstreamError> {
        let (scheme, rest) = url
            .split_once("://")
            .ok_or_else(|| UpstreamError::Scheme(url.to_owned()))?;
        let (dialect, default, secure) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Dialect::Http, Some(80), false),
            "https" if tls.is_some() => (Dialect::Http, Some(443), true),
            "tcp" => (Dialect::Lines, None, false),
            _ => return Err(UpstreamError::Scheme(url.to_owned())),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        if authority.contains('@') {
            return Err(UpstreamError::UserInformation);
        }
        let nowhere = || UpstreamError::Authority(url.to_owned());
        let bracket = authority.rfind(']').unwrap_or(0);
        let (host, port) = match authority[bracket..].rfind(':') {
            Some(colon) => {
                let (host, port) = authority.split_at(bracket + colon);
                (host, port[1..].parse().map_err(|_| nowhere())?)
            }
            None => (authority, default.ok_or_else(nowhere)?),
        };
        if host.is_empty() {
            return Err(nowhere());
        }
        let target = target.split('#').next().unwrap_or_default();
        Ok(Self {
            dialect,
            authority: authority.to_owned(),
            origin: format!("{}://{authority}", scheme.to_ascii_lowercase()),
            target: target.to_owned(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            tls: tls.filter(|_| secure),
        })
    }

    pub(super) async fn connect(&self) -> Result<Stream, String> {
        match timeout(CONNECT_PATIENCE, self.open()).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(format!("connect to {}: {error}", self.authority)),
            Err(_) => Err(format!("connect to {}: timed out", self.authority)),
        }
    }

    async fn open(&self) -> io::Result<Stream> {
        let socket = TcpStream::connect((self.host.as_str(), self.port)).await?;
        socket.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Stream::Plain(socket));
        };
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(tls.clone());
        let secured = connector.connect(name, socket).await?;
        Ok(Stream::Secured(Box::new(secured)))
    }
}

/// A connection to the server.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// What carries it.
    pub(super) fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Secured(secured) => secured.get_ref().0,
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(context, buffer),
            Self::Secured(secured) => Pin::new(secured).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(context, bytes),
            Self::Secured(secured) => Pin::new(secured).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(context),
            Self::Secured(secured) => Pin::new(secured).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(context),
            Self::Secured(secured) => Pin::new(secured).poll_shutdown(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        let parse = |url: &str| Upstream::parse(url, None);
        let read = parse("http://[::1]:3000/mcp?a=b#c").unwrap();
        assert_eq!((read.host.as_str(), read.port), ("::1", 3000));
        assert_eq!(read.authority, "[::1]:3000");
        assert_eq!(read.target, "/mcp?a=b");
        assert_eq!(parse("http://example.com").unwrap().port, 80);
        assert_eq!(parse("tcp://h:9").unwrap().dialect, Dialect::Lines);
        for bad in [
            "example.com:80",
            "ftp://x",
            "http://",
            "tcp://h",
            "http://h:x/",
            "http://u@h",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
