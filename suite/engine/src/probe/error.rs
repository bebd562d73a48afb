//! Why a target cannot be judged.

use std::{fmt::Write as _, time::Duration};

use mcp_verdict_wire::{Revision, TransportKind};

use crate::session::{SessionError, ended};

/// One attempt to speak a revision, without success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Over which transport.
    pub transport: TransportKind,
    /// In which revision.
    pub revision: Revision,
    /// What came of it.
    pub got: String,
}

/// An endpoint that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its URL.
    pub url: String,
    /// What it is.
    pub transport: TransportKind,
}

/// Why a target cannot be judged. The program ends with [`ProbeError::exit_code`].
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The connection was made, and broke.
    #[error("`{at}` breaks the connection: {why}")]
    Broken {
        /// The URL.
        at: String,
        /// The reason.
        why: String,
        /// Whether TLS is spoken there, and not asked for.
        is_tls: bool,
    },
    /// Nobody answers at a socket.
    #[error("no connection to `{at}`: {why}")]
    Connect {
        /// The address.
        at: String,
        /// What the system says.
        why: String,
    },
    /// The server asks for a credential, or refuses the one it got.
    #[error("`{url}` refuses access: HTTP {status}{}", asked(www_authenticate.as_deref()))]
    Denied {
        /// The URL.
        url: String,
        /// 401 or 403.
        status: u16,
        /// What it asks for.
        www_authenticate: Option<String>,
        /// Whether a credential was sent.
        had_credential: bool,
    },
    /// The program ends instead of serving.
    #[error("`{command}` ends ({}) before it answers{}{}", ended(*code, *signal), block("standard error", stderr), block("standard output", &not_json.join("\n")))]
    Exited {
        /// The command.
        command: String,
        /// Its exit code.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The end of its standard error.
        stderr: String,
        /// The first lines of standard output that are no messages.
        not_json: Vec<String>,
    },
    /// No MCP endpoint at the URL, nor where there often is one.
    #[error("`{url}` is no MCP endpoint{}", listed(tried))]
    NoEndpoint {
        /// As given.
        url: String,
        /// What was tried, and what came of it.
        tried: Vec<(String, String)>,
    },
    /// None of the transports asked for leads to the target.
    #[error("the target is reached by {}, not by {}", words(has), words(asked))]
    NoTransport {
        /// Asked for.
        asked: Vec<TransportKind>,
        /// Possible.
        has: Vec<TransportKind>,
    },
    /// The revisions asked for do not exist on the transport.
    #[error("{transport} does not carry {}", words(asked))]
    NoRevision {
        /// The transport.
        transport: TransportKind,
        /// Asked for.
        asked: Vec<Revision>,
    },
    /// The program prints something else than messages.
    #[error("`{command}` does not speak MCP on standard output; it prints `{line}`")]
    NotMcp {
        /// The command.
        command: String,
        /// Its first line.
        line: String,
    },
    /// Nothing listens there.
    #[error("nothing listens on {host}:{port}: {why}")]
    PortClosed {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// What the system says.
        why: String,
    },
    /// Several endpoints answer, and none was chosen.
    #[error(
        "`{url}` is no MCP endpoint, but there are several beside it{}",
        endpoints(found)
    )]
    SeveralEndpoints {
        /// As given.
        url: String,
        /// Those that answer.
        found: Vec<Found>,
    },
    /// It answers, or is silent, in every revision.
    #[error("the target speaks none of the revisions{}", attempted(attempts))]
    SpeaksNone {
        /// What each attempt brought.
        attempts: Vec<Attempt>,
    },
    /// The program cannot be started.
    #[error("start `{program}`: {why}")]
    Start {
        /// The program.
        program: String,
        /// What the system says.
        why: String,
        /// Whether there is no such program.
        is_missing: bool,
        /// Whether no program can be called so, or be given such arguments or variables.
        is_impossible: bool,
    },
    /// The host does not answer.
    #[error("no connection to {host}:{port} within {} s", after.as_secs_f32())]
    Timeout {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// How long it was tried.
        after: Duration,
    },
    /// No TLS connection.
    #[error("no TLS connection to `{at}`: {why}")]
    Tls {
        /// The URL.
        at: String,
        /// The reason.
        why: String,
    },
    /// The host's name stands for no address.
    #[error("the host `{host}` is not known: {why}")]
    UnknownHost {
        /// The host.
        host: String,
        /// What the system says.
        why: String,
    },
}

impl ProbeError {
    /// The way out, if there is one to name.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Broken { is_tls: true, .. } => "it is served over TLS: write https://".to_owned(),
            Self::Connect { .. } => "is the server started, and is this its address?".to_owned(),
            Self::Denied {
                had_credential: false,
                ..
            } => "pass a token by --bearer-env VARIABLE, \
                or another credential by --header 'NAME: VALUE'"
                .to_owned(),
            Self::Denied { .. } => {
                "the credential that was sent is not accepted; is it still valid, \
                and meant for this server?"
                    .to_owned()
            }
            Self::Exited { not_json, .. } if !not_json.is_empty() => {
                "it seems to be no stdio server, \
                or to need an argument for that"
                    .to_owned()
            }
            Self::Exited { .. } => {
                "run the command in a terminal; it must go on until its input closes".to_owned()
            }
            Self::NoEndpoint { .. } => {
                "give the whole URL of the endpoint, with its path".to_owned()
            }
            Self::NotMcp { .. } => {
                "a stdio server prints messages only; it may log to standard error, \
                or need an argument to serve on stdio"
                    .to_owned()
            }
            Self::PortClosed { .. } => "is the server started, and on this port?".to_owned(),
            Self::SeveralEndpoints { found, .. } => {
                let first = found.first().map_or("", |found| found.url.as_str());
                format!("choose one, such as {first}")
            }
            Self::SpeaksNone { .. } => {
                "is this an MCP server? Known revisions are 2024-11-05, 2025-03-26, 2025-06-18, \
                 2025-11-25 and 2026-07-28"
                    .to_owned()
            }
            Self::Start {
                is_missing: true,
                program,
                ..
            } if program.contains('/') => "there is no such file".to_owned(),
            Self::Start {
                is_missing: true, ..
            } => "it is neither a file here nor in PATH; is it installed, and spelled right?"
                .to_owned(),
            Self::Tls { .. } => "for a private authority pass its root by --ca-cert FILE; \
                --insecure does without verification"
                .to_owned(),
            Self::UnknownHost { .. } => "is it spelled right?".to_owned(),
            Self::Broken { .. }
            | Self::NoRevision { .. }
            | Self::NoTransport { .. }
            | Self::Start { .. }
            | Self::Timeout { .. } => return None,
        })
    }

    /// 2 where the user asked for what cannot be, 3 where the target cannot be reached or spoken to.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NoRevision { .. }
            | Self::NoTransport { .. }
            | Self::Start {
                is_impossible: true,
                ..
            } => 2,
            _ => 3,
        }
    }

    /// What a failed attempt says about the whole target, where it says anything.
    pub(super) fn of(
        error: SessionError,
        at: &str,
        had_credential: bool,
    ) -> Result<Self, SessionError> {
        use mcp_verdict_transport::OpenError;
        Ok(match error {
            SessionError::Open(OpenError::Start { program, source }) => {
                let is_missing = source.kind() == std::io::ErrorKind::NotFound;
                let is_impossible = source.kind() == std::io::ErrorKind::InvalidInput;
                Self::Start {
                    program,
                    why: source.to_string(),
                    is_missing,
                    is_impossible,
                }
            }
            SessionError::Open(OpenError::Connect { source, .. }) => Self::Connect {
                at: at.to_owned(),
                why: source.to_string(),
            },
            SessionError::Open(OpenError::Tls(why)) | SessionError::Tls { why } => Self::Tls {
                at: at.to_owned(),
                why,
            },
            SessionError::Refused { why } => Self::Broken {
                at: at.to_owned(),
                why,
                is_tls: false,
            },
            SessionError::Status {
                status: status @ (401 | 403),
                www_authenticate,
                ..
            } => Self::Denied {
                url: at.to_owned(),
                status,
                www_authenticate,
                had_credential,
            },
            other => return Err(other),
        })
    }
}

fn words(items: &[impl ToString]) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn asked(www_authenticate: Option<&str>) -> String {
    www_authenticate.map_or_else(String::new, |it| format!(", www-authenticate: {it}"))
}

fn block(title: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let lines = text
        .lines()
        .fold(String::new(), |all, line| format!("{all}\n    {line}"));
    format!("\n  {title}:{lines}")
}

fn listed(tried: &[(String, String)]) -> String {
    tried.iter().fold(String::new(), |all, (url, got)| {
        format!("{all}\n  {url}: {got}")
    })
}

fn endpoints(found: &[Found]) -> String {
    found.iter().fold(String::new(), |all, it| {
        format!("{all}\n  {} ({})", it.url, it.transport)
    })
}

fn attempted(attempts: &[Attempt]) -> String {
    attempts.iter().fold(String::new(), |mut all, it| {
        // Writing to a string does not fail.
        let _ = write!(all, "\n  {} over {}: {}", it.revision, it.transport, it.got);
        all
    })
}
