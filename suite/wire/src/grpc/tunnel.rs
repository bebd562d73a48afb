//! The message of the tunnel, `mcp.transport.v1.JsonRpcLine` (`proto/mcp/transport/v1/mcp.proto`).

use prost::Message;

/// The path of the tunnel's only call.
pub const SESSION_PATH: &str = "/mcp.transport.v1.Mcp/Session";

/// One JSON-RPC message, as a peer that is to be believed sends it.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct JsonRpcLine {
    /// The message: one JSON text.
    #[prost(string, tag = "1")]
    pub line: String,
    /// The id of the request that it belongs to, if any.
    #[prost(string, tag = "2")]
    pub related_request_id: String,
    /// What resumes the stream after it, if anything.
    #[prost(string, tag = "3")]
    pub resumption_token: String,
}

/// The same as a peer may send it: its fields need not be UTF-8.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Line {
    /// The message.
    #[prost(bytes = "vec", tag = "1")]
    pub line: Vec<u8>,
    /// The id of the request that it belongs to.
    #[prost(bytes = "vec", tag = "2")]
    pub related_request_id: Vec<u8>,
    /// What resumes the stream after it.
    #[prost(bytes = "vec", tag = "3")]
    pub resumption_token: Vec<u8>,
}

impl Line {
    /// Reads a message.
    ///
    /// # Errors
    /// When the bytes are no message of protobuf, or its fields are of other types.
    pub fn read(bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        Self::decode(bytes)
    }

    /// A line alone, as bytes of protobuf.
    #[must_use]
    pub fn of(line: &[u8]) -> Vec<u8> {
        let line = Self {
            line: line.to_vec(),
            ..Self::default()
        };
        line.encode_to_vec()
    }

    /// Whether it carries more than its line.
    #[must_use]
    pub fn says_more(&self) -> bool {
        !self.related_request_id.is_empty() || !self.resumption_token.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_readings_agree(line: String, related_request_id: String, resumption_token: String) {
            let strict = JsonRpcLine { line, related_request_id, resumption_token };
            let lenient = Line::read(&strict.encode_to_vec()).unwrap();
            prop_assert_eq!(&lenient.line, strict.line.as_bytes());
            prop_assert_eq!(lenient.encode_to_vec(), strict.encode_to_vec());
            prop_assert_eq!(Line::of(strict.line.as_bytes()),
                JsonRpcLine { line: strict.line, ..JsonRpcLine::default() }.encode_to_vec());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            drop(Line::read(&bytes));
        }
    }

    #[test]
    fn a_line_need_not_be_text() {
        let line = Line::read(&Line::of(b"\xff")).unwrap();
        assert_eq!(line.line, b"\xff");
        assert!(!line.says_more());
        assert_eq!(Line::read(b"").unwrap(), Line::default());
        assert!(Line::read(b"\x08\x01").is_err());
    }
}
