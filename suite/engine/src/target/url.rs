//! As much of a URL as the suite needs: where to connect, and how to ask for another path there.

use std::fmt;

/// The URL of a server, without user information.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What is spoken there.
    pub scheme: Scheme,
    /// Whether it is spoken over TLS.
    pub is_tls: bool,
    /// The host as written; an IPv6 address without its brackets.
    pub host: String,
    /// The port, also where it is not written.
    pub port: u16,
    /// Path and query, from the first `/`; at least `/`.
    pub path: String,
    /// The part before the path.
    origin: String,
}

/// What is spoken at a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP: `http`, `https`.
    Http,
    /// gRPC: `grpc`, `grpcs`.
    Grpc,
    /// Lines over TCP: `tcp`.
    Tcp,
    /// WebSocket: `ws`, `wss`.
    Ws,
}

/// Why a text is no address of a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A character that no URL holds.
    #[error("it holds {0:?}")]
    Character(char),
    /// There is no port, and none goes without saying.
    #[error("it names no port")]
    NoPort,
    /// A Unix domain socket without a path.
    #[error("it names no socket; write unix:PATH")]
    NoPath,
    /// There is no host.
    #[error("it names no host")]
    Host,
    /// The port is none.
    #[error("`{0}` is no port")]
    Port(String),
    /// It begins with no scheme that we speak.
    #[error(
        "it begins with none of http://, https://, grpc://, grpcs://, ws://, wss://, tcp:// and unix:"
    )]
    Scheme,
    /// It holds a user name or a password.
    #[error("it holds a user name; pass credentials with --header or --bearer-env")]
    User,
}

impl Url {
    /// Reads a URL.
    ///
    /// # Errors
    /// When its scheme is none that we speak, or it holds credentials.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        if let Some(wrong) = text.chars().find(|it| !it.is_ascii_graphic()) {
            return Err(UrlError::Character(wrong));
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let (scheme, is_tls, usual_port) = match scheme.to_ascii_lowercase().as_str() {
            "http" => (Scheme::Http, false, Some(80)),
            "https" => (Scheme::Http, true, Some(443)),
            "grpc" => (Scheme::Grpc, false, Some(80)),
            "grpcs" => (Scheme::Grpc, true, Some(443)),
            "tcp" => (Scheme::Tcp, false, None),
            "ws" => (Scheme::Ws, false, Some(80)),
            "wss" => (Scheme::Ws, true, Some(443)),
            _ => return Err(UrlError::Scheme),
        };
        let spelled = text[..text.len() - rest.len() - 3].to_ascii_lowercase();
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(inner) => {
                let (host, after) = inner.split_once(']').ok_or(UrlError::Host)?;
                (host, after.strip_prefix(':'))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        if host.is_empty() {
            return Err(UrlError::Host);
        }
        let port = match port {
            None => usual_port.ok_or(UrlError::NoPort)?,
            Some(port) => port.parse().map_err(|_| UrlError::Port(port.to_owned()))?,
        };
        Ok(Self {
            scheme,
            is_tls,
            host: host.to_owned(),
            port,
            path: if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("/{path}")
            },
            origin: format!("{spelled}://{authority}"),
        })
    }

    /// Where to connect: host and port, also where the port is not written.
    #[must_use]
    pub fn listener(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The same place with another path.
    #[must_use]
    pub fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }

    /// Host and port, an IPv6 address in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// Its path without the query.
    #[must_use]
    pub fn path_alone(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// Names and values in its query, as written.
    pub(crate) fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        let query = self.path.split_once('?').map_or("", |(_, query)| query);
        query.split('&').filter_map(|pair| pair.split_once('='))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_falls_into_its_parts() {
        let url = Url::parse("HTTPS://Example.com:8443/a/b?c=d&e=f#g").expect("a URL");
        assert_eq!(
            (url.host.as_str(), url.port, url.is_tls),
            ("Example.com", 8443, true)
        );
        assert_eq!(
            (url.path.as_str(), url.path_alone()),
            ("/a/b?c=d&e=f", "/a/b")
        );
        assert_eq!(url.query().collect::<Vec<_>>(), [("c", "d"), ("e", "f")]);
        assert_eq!(
            url.with_path("/mcp").to_string(),
            "https://Example.com:8443/mcp"
        );
    }

    #[test]
    fn what_is_not_written_is_added() {
        let url = Url::parse("http://[::1]").expect("a URL");
        assert_eq!(
            (url.host.as_str(), url.port, url.path.as_str()),
            ("::1", 80, "/")
        );
        assert_eq!(
            Url::parse("https://a?b=c").expect("a URL").to_string(),
            "https://a/?b=c"
        );
        assert_eq!(Url::parse("https://a").expect("a URL").port, 443);
    }

    #[test]
    fn what_is_no_url_is_told_apart() {
        for (text, error) in [
            ("localhost:3000/mcp", UrlError::Scheme),
            ("ftp://a/", UrlError::Scheme),
            ("tcp://a", UrlError::NoPort),
            ("http:///mcp", UrlError::Host),
            ("http://:80/", UrlError::Host),
            ("http://[::1/", UrlError::Host),
            ("http://a:b/", UrlError::Port("b".to_owned())),
            ("http://a:70000/", UrlError::Port("70000".to_owned())),
            ("http://me:secret@a/", UrlError::User),
            ("http://a b/", UrlError::Character(' ')),
            ("http://ä/", UrlError::Character('ä')),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text}");
        }
    }
}
