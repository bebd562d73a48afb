//! Requests made ahead: bytes with a hole for the id.

use mcp_verdict_engine::session::complete_request;
use mcp_verdict_transport::{Address, HeaderEdits, Options};
use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value, json};

/// Where requests go.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The address of the target.
    pub address: Address,
    /// What the user set for every connection.
    pub options: Options,
    /// The revision spoken.
    pub revision: Revision,
}

/// A message made ahead, with what its transport has to know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The message. A request has [`ID_MIN`] in the place of its id.
    bytes: Vec<u8>,
    /// Header fields that go with it over HTTP.
    headers: Vec<(String, String)>,
    /// Which template of the plan it is, so that connections can keep what they made of it.
    number: usize,
}

impl Body {
    /// A request as `revision` asks for it. Our client declares no capabilities: a server has no reason to ask back.
    #[must_use]
    pub fn request(
        revision: Revision,
        number: usize,
        method: &str,
        params: Option<Value>,
        extra: HeaderEdits,
    ) -> Self {
        let id = json!(ID_MIN);
        let (request, headers) = complete_request(revision, &Map::new(), method, params, id);
        Self::of(number, &request, headers, extra)
    }

    /// A notification.
    #[must_use]
    pub fn notification(revision: Revision, number: usize, method: &str) -> Self {
        let (notification, headers) =
            mcp_verdict_engine::session::complete_notification(revision, method, None);
        Self::of(number, &notification, headers, HeaderEdits::new())
    }

    /// `initialize`, or where there is none `server/discover`.
    #[must_use]
    pub fn opening(revision: Revision, number: usize) -> Self {
        let (method, params) = match revision.era() {
            Era::Legacy => (
                "initialize",
                Some(json!({
                    "protocolVersion": revision.as_str(),
                    "capabilities": {},
                    "clientInfo": mcp_verdict_engine::session::client_info(),
                })),
            ),
            Era::Modern => ("server/discover", None),
        };
        Self::request(revision, number, method, params, HeaderEdits::new())
    }

    fn of(number: usize, message: &Value, headers: HeaderEdits, extra: HeaderEdits) -> Self {
        let fields = headers.into_iter().chain(extra);
        Self {
            bytes: message.to_string().into_bytes(),
            headers: fields
                .filter_map(|(name, value)| Some((name, value?)))
                .collect(),
            number,
        }
    }

    /// The message as it is sent under this id.
    #[must_use]
    pub fn with_id(&self, id: u64) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        patch(&mut bytes, ID_AT, id);
        bytes
    }

    /// How long it is, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never true.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    pub(crate) const fn number(&self) -> usize {
        self.number
    }
}

/// Writes an id into the hole that begins at `place`.
pub(crate) fn patch(bytes: &mut [u8], place: usize, id: u64) {
    debug_assert!((ID_MIN..=ID_MAX).contains(&id));
    let Some(hole) = bytes.get_mut(place..place + ID_DIGITS) else {
        return;
    };
    let mut rest = id;
    for digit in hole.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
}

/// Where in a request its id begins.
pub(crate) const ID_AT: usize = r#"{"jsonrpc":"2.0","id":"#.len();

/// Digits of an id: all have the same number, so that lengths never change.
const ID_DIGITS: usize = 9;

/// The first id. Every server can hold it: it fits 31 bits.
pub const ID_MIN: u64 = 100_000_000;

/// The last id.
pub const ID_MAX: u64 = 999_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_goes_into_its_hole_and_nowhere_else() {
        for revision in Revision::ALL {
            let params = json!({"name": "echo", "arguments": {"text": "100000000"}});
            let body = Body::request(revision, 0, "tools/call", Some(params), HeaderEdits::new());
            for id in [ID_MIN, 123_456_789, ID_MAX] {
                let bytes = body.with_id(id);
                assert_eq!(bytes.len(), body.len());
                let message: Value = serde_json::from_slice(&bytes).expect("JSON");
                assert_eq!(message["id"], json!(id));
                assert_eq!(message["params"]["arguments"]["text"], "100000000");
            }
        }
    }

    #[test]
    fn a_modern_request_carries_its_headers() {
        let params = json!({"name": "echo", "arguments": {}});
        let modern = Revision::V2026_07_28;
        let body = Body::request(modern, 0, "tools/call", Some(params), HeaderEdits::new());
        let header = |name: &str| {
            let mut all = body.headers().iter();
            all.find(|(field, _)| field == name)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(header("mcp-method"), Some("tools/call"));
        assert_eq!(header("mcp-name"), Some("echo"));
    }
}
