//! A target, described.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use mcp_verdict_transport::{Address, Options, Place, Redactor, Server};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::Value;

use super::{Scheme, Secrets, Url, UrlError};
use crate::config::ConfigError;

/// What to judge, how to reach it, and what its user says about it.
#[derive(Clone, Debug)]
pub struct TargetSpec {
    /// For people: the address or command, without secrets.
    pub name: String,
    /// How it is named on a command line that shows something again, without secrets.
    pub reproduce: String,
    /// Where it is, as far as that is certain.
    pub addresses: Vec<Address>,
    /// URLs of which it has to be found out what they are.
    pub urls: Vec<Url>,
    /// What the user set for every connection.
    pub options: Options,
    /// What is to be judged of it.
    pub declared: Declared,
    /// Fixtures bound by the user, by name.
    pub bindings: BTreeMap<String, Value>,
    /// Tools that the user allows to be called.
    pub safe_tools: BTreeSet<String>,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// How long a program may take to answer for the first time: it may have to be downloaded first.
    pub start_timeout: Duration,
    pub(crate) secrets: Secrets,
}

/// What the user asks for, or the vendor declares. Empty means: whatever the target really speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Revisions.
    pub revisions: Vec<Revision>,
    /// Transports.
    pub transports: Vec<TransportKind>,
}

impl TargetSpec {
    /// A target without an address.
    pub(crate) fn unreachable(name: String) -> Self {
        let options = Options {
            headers: Vec::new(),
            ca_cert: None,
            insecure: false,
            connect_timeout: CONNECT_TIMEOUT,
            exit_grace: EXIT_GRACE,
            redactor: Redactor::default(),
            revision: None,
            server: None,
        };
        Self {
            reproduce: name.clone(),
            name,
            addresses: Vec::new(),
            urls: Vec::new(),
            options,
            declared: Declared::default(),
            bindings: BTreeMap::new(),
            safe_tools: BTreeSet::new(),
            timeout: TIMEOUT,
            start_timeout: START_TIMEOUT,
            secrets: Secrets::default(),
        }
    }

    /// A program that speaks on its standard streams.
    ///
    /// # Errors
    /// When there is no word.
    pub fn from_command(words: &[String]) -> Result<Self, ConfigError> {
        let (program, arguments) = words.split_first().ok_or(ConfigError::NoCommand)?;
        let shown = shell_words(words);
        let mut spec = Self::unreachable(shown.clone());
        spec.reproduce = format!("-- {shown}");
        spec.add_command(program.clone(), arguments.to_vec(), BTreeMap::new(), None);
        Ok(spec.sealed())
    }

    /// A server at a URL. Which transport of HTTP it is has yet to be found out; other schemes say it.
    ///
    /// # Errors
    /// When it is no URL that we can use.
    pub fn from_url(text: &str) -> Result<Self, ConfigError> {
        Self::from_url_over(text, None)
    }

    /// As [`TargetSpec::from_url`], over a transport that the URL can stand for.
    pub(crate) fn from_url_over(
        text: &str,
        transport: Option<TransportKind>,
    ) -> Result<Self, ConfigError> {
        let mut spec = Self::unreachable(text.to_owned());
        spec.add_url(text, transport)?;
        Ok(spec.sealed())
    }

    /// The server at an address that is known, such as one that this program started itself.
    #[must_use]
    pub fn from_address(name: &str, address: Address) -> Self {
        let mut spec = Self::unreachable(name.to_owned());
        spec.addresses.push(address);
        spec.sealed()
    }

    /// The address that a URL is, over a transport that it can stand for.
    ///
    /// # Errors
    /// When it is no URL that we can use, or which transport it is has yet to be found out.
    pub fn address_of(url: &str, transport: TransportKind) -> Result<Address, ConfigError> {
        let mut spec = Self::unreachable(String::new());
        spec.add_url(url, Some(transport))?;
        let address = spec.addresses.pop();
        address.ok_or_else(|| ConfigError::Url {
            given: url.to_owned(),
            error: UrlError::Scheme,
        })
    }

    pub(crate) fn add_command(
        &mut self,
        program: String,
        arguments: Vec<String>,
        environment: BTreeMap<String, String>,
        directory: Option<std::path::PathBuf>,
    ) {
        self.secrets.words(&arguments);
        for (name, value) in &environment {
            self.secrets.variable(name, value);
        }
        self.addresses.push(Address::Command {
            program,
            arguments,
            environment,
            directory,
        });
    }

    pub(crate) fn add_url(
        &mut self,
        text: &str,
        transport: Option<TransportKind>,
    ) -> Result<(), ConfigError> {
        let wrong = |error| ConfigError::Url {
            given: text.to_owned(),
            error,
        };
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(wrong(UrlError::NoPath));
            }
            self.addresses.push(Address::Unix { path: path.into() });
            return Ok(());
        }
        let url = Url::parse(text).map_err(wrong)?;
        self.secrets.url(&url);
        match transport {
            _ if url.scheme == Scheme::Grpc => {
                // One server may speak both, and nothing in the URL says which.
                let url = url.to_string();
                let spoken = match transport {
                    Some(TransportKind::GrpcNative) => vec![true],
                    Some(_) => vec![false],
                    None => vec![false, true],
                };
                self.addresses
                    .extend(spoken.into_iter().map(|native| Address::Grpc {
                        url: url.clone(),
                        native,
                    }));
            }
            _ if url.scheme == Scheme::Tcp => self.addresses.push(Address::Tcp {
                address: url.authority(),
            }),
            _ if url.scheme == Scheme::Ws => self.addresses.push(Address::WebSocket {
                url: url.to_string(),
                draft: transport == Some(TransportKind::WsDraft),
            }),
            Some(TransportKind::StreamableHttp) => {
                self.addresses.push(Address::StreamableHttp {
                    url: url.to_string(),
                });
            }
            Some(TransportKind::HttpSse) => {
                self.addresses.push(Address::HttpSse {
                    url: url.to_string(),
                });
            }
            _ => self.urls.push(url),
        }
        Ok(())
    }

    pub(crate) fn add_header(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_sendable = |byte: u8| byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        if name.is_empty() || !name.bytes().all(is_token) || !value.bytes().all(is_sendable) {
            return Err(ConfigError::Header {
                name: name.to_owned(),
            });
        }
        self.secrets.header(name, value);
        self.options
            .headers
            .push((name.to_ascii_lowercase(), value.to_owned()));
        Ok(())
    }

    /// The command of these words serves the URL, and is started when it is needed.
    pub(crate) fn starts(&mut self, words: &[String]) -> Result<(), ConfigError> {
        let place = self.place().ok_or(ConfigError::StartWithoutUrl)?;
        self.secrets.words(words);
        let server = Server::new(words.to_vec(), place, self.start_timeout);
        self.options.server = Some(server);
        let command = shell_words(&[shell_words(words)]);
        self.reproduce = format!("--start {command} {}", self.reproduce);
        Ok(())
    }

    /// Where a server would have to listen; `None` where there is none to connect to.
    fn place(&self) -> Option<Place> {
        let of = |text: &str| Url::parse(text).ok().map(|url| Place::Tcp(url.listener()));
        if let Some(url) = self.urls.first() {
            return Some(Place::Tcp(url.listener()));
        }
        match self.addresses.first()? {
            Address::Command { .. } => None,
            Address::StreamableHttp { url }
            | Address::HttpSse { url }
            | Address::Grpc { url, .. }
            | Address::WebSocket { url, .. } => of(url),
            Address::Tcp { address } => Some(Place::Tcp(address.clone())),
            Address::Unix { path } => Some(Place::Unix(path.clone())),
        }
    }

    /// To be called when nothing more is added: from here on nothing shown or recorded holds a secret.
    pub(crate) fn sealed(mut self) -> Self {
        self.options.redactor = self.secrets.redactor();
        self.name = self.options.redactor.text(&self.name);
        self.reproduce = self.options.redactor.text(&self.reproduce);
        self
    }
}

/// The words as a person types them in a POSIX shell.
#[must_use]
pub fn shell_words(words: &[String]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=+./:@%,^".contains(&byte);
    let quoted = |word: &String| {
        if !word.is_empty() && word.bytes().all(plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

/// How long an answer is waited for, unless the user says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// `npx` and `uvx` fetch a package of some megabytes within this.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection may take. Local servers need a millisecond; a distant one, with TLS, a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a program may take to exit, and again after TERM. Interpreters need some 100 ms.
const EXIT_GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_a_shell_takes_it() {
        let words = ["sh", "-c", "echo 'a b'", ""].map(str::to_owned);
        let spec = TargetSpec::from_command(&words).expect("a target");
        assert_eq!(spec.name, r"sh -c 'echo '\''a b'\''' ''");
        assert_eq!(spec.reproduce, format!("-- {}", spec.name));
    }

    #[test]
    fn a_secret_in_a_command_is_not_shown() {
        let words = ["serve", "--token", "abcdef"].map(str::to_owned);
        let spec = TargetSpec::from_command(&words).expect("a target");
        assert_eq!(spec.name, "serve --token [redacted]");
        let Address::Command { arguments, .. } = &spec.addresses[0] else {
            panic!("a command")
        };
        assert_eq!(arguments, &["--token", "abcdef"]);
    }

    #[test]
    fn an_empty_command_is_refused() {
        assert!(matches!(
            TargetSpec::from_command(&[]),
            Err(ConfigError::NoCommand)
        ));
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_refused() {
        let mut spec = TargetSpec::unreachable("x".to_owned());
        assert!(spec.add_header("x-a", "b\r\nc: d").is_err());
        assert!(spec.add_header("x a", "b").is_err());
        assert!(spec.add_header("X-A", "b").is_ok());
        assert_eq!(spec.options.headers, [("x-a".to_owned(), "b".to_owned())]);
    }
}
