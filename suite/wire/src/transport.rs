//! The names of the transports.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::Revision;

/// A transport that carries MCP messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum TransportKind {
    /// Newline-delimited JSON over a child's standard streams.
    #[serde(rename = "stdio")]
    Stdio,
    /// POST, GET and DELETE on one endpoint.
    #[serde(rename = "streamable-http")]
    StreamableHttp,
    /// A GET stream with an `endpoint` event, POST beside it (2024-11-05, deprecated later).
    #[serde(rename = "http+sse")]
    HttpSse,
}

/// A text that names no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown transport `{0}`; known are stdio, streamable-http, http+sse")]
pub struct UnknownTransport(pub String);

impl TransportKind {
    /// Every transport, in report order.
    pub const ALL: [Self; 3] = [Self::Stdio, Self::StreamableHttp, Self::HttpSse];

    /// Its name in files, flags and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::StreamableHttp => "streamable-http",
            Self::HttpSse => "http+sse",
        }
    }

    /// Whether a conversation in `revision` can be held over it.
    ///
    /// HTTP+SSE is a transport of 2024-11-05 which later legacy revisions keep for compatibility;
    /// Streamable HTTP came with 2025-03-26.
    #[must_use]
    pub fn carries(self, revision: Revision) -> bool {
        match self {
            Self::Stdio => true,
            Self::StreamableHttp => revision >= Revision::V2025_03_26,
            Self::HttpSse => revision < Revision::V2026_07_28,
        }
    }
}

impl fmt::Display for TransportKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for TransportKind {
    type Err = UnknownTransport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|transport| transport.as_str() == text)
            .ok_or_else(|| UnknownTransport(text.to_owned()))
    }
}
