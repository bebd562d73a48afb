//! What the proposal SEP-1288 adds to WebSocket on our side: subprotocols that say something, and messages that
//! name their session.

use mcp_verdict_wire::Revision;
use serde_json::Value;

use crate::HeaderEdits;

/// The session that messages belong to, once the server has named it.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: Option<String>,
}

impl Session {
    /// Takes the session id; SEP-1288 has no other headers.
    pub(super) fn set_header(&mut self, name: &str, value: Option<String>) {
        if name == HEADER {
            self.id = value;
        }
    }

    /// The message with its session id, put in front so that all its other bytes stay as they are. `edits` may name
    /// another session, or none. What is no object, or names a session already, stays as it is.
    pub(super) fn named_in(&self, bytes: Vec<u8>, edits: &HeaderEdits) -> Vec<u8> {
        let id = match edits.get(HEADER) {
            Some(edited) => edited.as_ref(),
            None => self.id.as_ref(),
        };
        let Some(id) = id else { return bytes };
        let Ok(Value::Object(members)) = serde_json::from_slice(&bytes) else {
            return bytes;
        };
        let Some(open) = bytes.iter().position(|byte| *byte == b'{') else {
            return bytes;
        };
        if members.contains_key(MEMBER) {
            return bytes;
        }
        let comma = if members.is_empty() { "" } else { "," };
        let member = format!("\"{MEMBER}\":{}{comma}", Value::from(id.as_str()));
        let (head, tail) = bytes.split_at(open + 1);
        [head, member.as_bytes(), tail].concat()
    }
}

/// What is offered by way of subprotocols: beside that of MCP the version, and the token if there is one.
pub(super) fn protocols(mcp: &str, revision: Option<Revision>, token: Option<&str>) -> String {
    let version = revision.map(|revision| format!(", mcp.version.{revision}"));
    let token = token.map(|token| format!(", mcp.auth.{token}"));
    [Some(mcp.to_owned()), version, token]
        .into_iter()
        .flatten()
        .collect()
}

/// Where every other transport has the session id.
const HEADER: &str = "mcp-session-id";

/// Where SEP-1288 has it: beside `jsonrpc`.
const MEMBER: &str = "sessionId";

#[cfg(test)]
mod tests {
    use super::*;

    fn named(message: &str, edits: &HeaderEdits) -> String {
        let mut session = Session::default();
        session.set_header("mcp-protocol-version", Some("x".to_owned()));
        session.set_header(HEADER, Some("a\"b".to_owned()));
        String::from_utf8(session.named_in(message.as_bytes().to_vec(), edits)).unwrap()
    }

    #[test]
    fn a_message_names_its_session_and_keeps_its_bytes() {
        let plain = HeaderEdits::new();
        assert_eq!(
            named(" { \"id\":1.0 }", &plain),
            r#" {"sessionId":"a\"b", "id":1.0 }"#
        );
        assert_eq!(named("{}", &plain), r#"{"sessionId":"a\"b"}"#);
        for same in ["[{}]", "{", "1", r#"{"sessionId":null}"#] {
            assert_eq!(named(same, &plain), same);
        }
    }

    #[test]
    fn a_vector_names_another_session_or_none() {
        let none = HeaderEdits::from([(HEADER.to_owned(), None)]);
        assert_eq!(named("{}", &none), "{}");
        let other = HeaderEdits::from([(HEADER.to_owned(), Some("c".to_owned()))]);
        assert_eq!(named("{}", &other), r#"{"sessionId":"c"}"#);
        let unnamed = Session::default().named_in(b"{}".to_vec(), &HeaderEdits::new());
        assert_eq!(unnamed, b"{}");
    }
}
