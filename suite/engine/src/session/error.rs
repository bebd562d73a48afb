//! Why a session did not open, or a request of it got no answer.

use std::time::Duration;

use mcp_verdict_transport::{OpenError, SendError};
use mcp_verdict_wire::Revision;
use serde_json::Value;

/// Why there is no session, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The server closed the channel before it answered.
    #[error("the server closed the connection before it answered {method}{why}")]
    Closed {
        /// What was asked.
        method: String,
        /// What it said about that, after a colon; empty if nothing.
        why: String,
    },
    /// The server answered the HTTP request with this end of it and no message.
    #[error("HTTP {status} to {method} brought no message{}", shown(body))]
    Empty {
        /// The status, below 400.
        status: u16,
        /// What was asked.
        method: String,
        /// The content type, if any.
        content_type: Option<String>,
        /// The beginning of the body.
        body: String,
    },
    /// The program ended before it answered.
    #[error("the program ended ({}) before it answered {method}", ended(*code, *signal))]
    Exited {
        /// What was asked.
        method: String,
        /// Its exit code.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
        /// The end of what it wrote on standard error.
        stderr: String,
        /// The first lines on standard output that are no JSON.
        not_json: Vec<String>,
    },
    /// It sent more than a transcript holds, or a longer line than is read.
    #[error("the server exceeds a limit before it answers {method}: {limit}")]
    Limit {
        /// What was asked.
        method: String,
        /// The limit.
        limit: String,
    },
    /// It answered with something that is not what the method's result is.
    #[error("the answer to {method} is not what it should be: {why}")]
    Malformed {
        /// What was asked.
        method: String,
        /// What is wrong with it.
        why: String,
    },
    /// No answer in time.
    #[error("no answer to {method} within {} ms", after.as_millis())]
    NoAnswer {
        /// What was asked.
        method: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// Standard output carries something else than messages, and no answer.
    #[error("standard output is not JSON: `{line}`")]
    NotJson {
        /// The first such line, cut.
        line: String,
    },
    /// There is no connection at all.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It wants to speak another revision.
    #[error("asked for {asked}, the server answers with {got}")]
    OtherRevision {
        /// What we asked for.
        asked: Revision,
        /// What it answered.
        got: String,
    },
    /// No HTTP connection, or it broke.
    #[error("the connection failed: {why}")]
    Refused {
        /// The reason.
        why: String,
    },
    /// It answered with a JSON-RPC error.
    #[error("{method} is refused with {code}: {message}")]
    Rpc {
        /// What was asked.
        method: String,
        /// The code.
        code: i64,
        /// The message, cut.
        message: String,
        /// `data`, if any.
        data: Option<Box<Value>>,
    },
    /// Our side could not send.
    #[error(transparent)]
    Send(#[from] SendError),
    /// An HTTP status of 400 or more, without a message that answers.
    #[error("HTTP {status} to {method}{}", shown(body))]
    Status {
        /// The status.
        status: u16,
        /// What was asked.
        method: String,
        /// `www-authenticate`, if any.
        www_authenticate: Option<String>,
        /// The beginning of the body.
        body: String,
    },
    /// No TLS connection.
    #[error("TLS failed: {why}")]
    Tls {
        /// The reason.
        why: String,
    },
}

impl SessionError {
    /// A broken connection; told apart is what certificates and handshakes cause.
    pub(crate) fn broken(why: &str) -> Self {
        let lower = why.to_ascii_lowercase();
        let is_tls = [
            "certificate",
            "tls",
            "handshake",
            "corrupt message",
            "unknownissuer",
        ];
        let why = why.to_owned();
        if is_tls.iter().any(|word| lower.contains(word)) {
            Self::Tls { why }
        } else {
            Self::Refused { why }
        }
    }

    /// Whether the server refuses us for lack of a credential: 401, or 403.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(
            self,
            Self::Status {
                status: 401 | 403,
                ..
            }
        )
    }
}

/// `exit code 1`, `signal 9`, …
pub(crate) fn ended(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "it closed its output".to_owned(),
    }
}

/// At most `most` characters of `text`, on one line, without control characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let line: String = text
        .trim()
        .chars()
        .take(most)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    if text.trim().chars().nth(most).is_some() {
        format!("{line}…")
    } else {
        line
    }
}

fn shown(body: &str) -> String {
    if body.is_empty() {
        String::new()
    } else {
        format!(": `{body}`")
    }
}
