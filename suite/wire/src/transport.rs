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
    /// WebSocket as it is in use: subprotocol `mcp`, one JSON message per text frame.
    #[serde(rename = "ws")]
    Ws,
    /// WebSocket by the rules of the proposal for the specification, SEP-1288.
    #[serde(rename = "ws-draft")]
    WsDraft,
    /// JSON-RPC messages through a bidirectional gRPC stream.
    #[serde(rename = "grpc")]
    Grpc,
    /// The protobuf binding that is in use: a unary gRPC call for each request.
    #[serde(rename = "grpc-native")]
    GrpcNative,
    /// Newline-delimited JSON over a TCP connection.
    #[serde(rename = "tcp")]
    Tcp,
    /// Newline-delimited JSON over a Unix domain socket.
    #[serde(rename = "unix")]
    Unix,
}

/// A text that names no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown transport `{0}`; known are {known}", known = TransportKind::names())]
pub struct UnknownTransport(pub String);

impl TransportKind {
    /// Every transport, in report order.
    pub const ALL: [Self; 9] = [
        Self::Stdio,
        Self::StreamableHttp,
        Self::HttpSse,
        Self::Ws,
        Self::WsDraft,
        Self::Grpc,
        Self::GrpcNative,
        Self::Tcp,
        Self::Unix,
    ];

    /// Its name in files, flags and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::StreamableHttp => "streamable-http",
            Self::HttpSse => "http+sse",
            Self::Ws => "ws",
            Self::WsDraft => "ws-draft",
            Self::Grpc => "grpc",
            Self::GrpcNative => "grpc-native",
            Self::Tcp => "tcp",
            Self::Unix => "unix",
        }
    }

    /// Whether a conversation in `revision` can be held over it.
    ///
    /// HTTP+SSE is a transport of 2024-11-05 which later legacy revisions keep for compatibility;
    /// Streamable HTTP came with 2025-03-26, which is also the oldest that the protobuf binding knows. Custom
    /// transports carry what is sent over them, but the sessions of SEP-1288 begin with `initialize`, which only
    /// legacy revisions have.
    #[must_use]
    pub fn carries(self, revision: Revision) -> bool {
        match self {
            Self::StreamableHttp | Self::GrpcNative => revision >= Revision::V2025_03_26,
            Self::HttpSse | Self::WsDraft => revision < Revision::V2026_07_28,
            _ => true,
        }
    }

    /// Whether no revision defines it.
    ///
    /// Source: basic/transports#custom-transports, which asks that message format and patterns be kept.
    #[must_use]
    pub const fn is_custom(self) -> bool {
        !matches!(self, Self::Stdio | Self::StreamableHttp | Self::HttpSse)
    }

    /// Whether all messages of both sides go through one ordered channel, which is exchange 0.
    #[must_use]
    pub const fn is_channel(self) -> bool {
        !self.has_exchanges() && !matches!(self, Self::HttpSse)
    }

    /// Whether each request has an exchange of its own, which brings its answer and then ends.
    #[must_use]
    pub const fn has_exchanges(self) -> bool {
        matches!(self, Self::StreamableHttp | Self::GrpcNative)
    }

    /// Whether a message is a line, as stdio has it.
    #[must_use]
    pub const fn has_lines(self) -> bool {
        matches!(self, Self::Stdio | Self::Tcp | Self::Unix)
    }

    /// All names, for a message.
    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_transport_is_read_by_its_name_and_stored_under_it() {
        for transport in TransportKind::ALL {
            assert_eq!(transport.to_string().parse(), Ok(transport));
            let stored = serde_json::to_string(&transport).unwrap();
            assert_eq!(stored, format!("\"{transport}\""));
            assert_eq!(
                serde_json::from_str::<TransportKind>(&stored).unwrap(),
                transport
            );
            assert!(
                UnknownTransport("x".into())
                    .to_string()
                    .contains(transport.as_str())
            );
        }
    }

    #[test]
    fn other_texts_name_no_transport() {
        for text in ["", "STDIO", "http", "sse", "streamable_http"] {
            assert_eq!(
                text.parse::<TransportKind>(),
                Err(UnknownTransport(text.to_owned()))
            );
        }
    }

    #[test]
    fn each_transport_carries_the_revisions_that_have_it() {
        let carried = |transport: TransportKind| {
            Revision::ALL
                .into_iter()
                .filter(|&revision| transport.carries(revision))
                .count()
        };
        assert_eq!(carried(TransportKind::Stdio), 5);
        assert_eq!(carried(TransportKind::StreamableHttp), 4);
        assert!(!TransportKind::StreamableHttp.carries(Revision::V2024_11_05));
        assert_eq!(carried(TransportKind::HttpSse), 4);
        assert_eq!(carried(TransportKind::Tcp), 5);
        assert_eq!(carried(TransportKind::WsDraft), 4);
        assert!(!TransportKind::HttpSse.carries(Revision::V2026_07_28));
    }
}
