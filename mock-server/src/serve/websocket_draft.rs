//! What the proposal SEP-1288 adds to WebSocket: the version as a subprotocol, and messages that name their session,
//! which outlives its connection.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use http::{HeaderMap, header};
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::http_session::new_id;
use crate::faults::{Faults, SessionEvent};

/// The sessions of one server, and the connection that each is on.
#[derive(Debug, Default)]
pub(super) struct DraftSessions {
    known: Mutex<VecDeque<(String, Arc<Notify>)>>,
}

/// A connection that follows the proposal.
pub(super) struct Draft {
    /// The session, once there is one.
    id: Option<String>,
    /// Told when the session goes on over another connection.
    left: Arc<Notify>,
}

/// How a connection is closed, and why.
pub(super) type Closing = (CloseCode, &'static str);

/// What became of the versions that a handshake offers.
pub(super) enum Offer {
    /// None is offered.
    Nothing,
    /// This subprotocol stands for the first that is spoken.
    Spoken(String),
    /// None of them is spoken.
    Unspoken,
}

/// Whether a handshake asks for the proposal.
pub(super) fn is_offered(headers: &HeaderMap) -> bool {
    !matches!(offer(headers), Offer::Nothing)
}

/// The version that a handshake offers. Sessions begin with `initialize`, so that modern revisions have none.
pub(super) fn offer(headers: &HeaderMap) -> Offer {
    let mut outcome = Offer::Nothing;
    for value in headers.get_all(header::SEC_WEBSOCKET_PROTOCOL) {
        for item in value.to_str().unwrap_or_default().split(',') {
            let Some(version) = item.trim().strip_prefix(VERSION) else {
                continue;
            };
            let revision = version.parse::<Revision>();
            if revision.is_ok_and(|revision| revision.era() == Era::Legacy) {
                return Offer::Spoken(item.trim().to_owned());
            }
            outcome = Offer::Unspoken;
        }
    }
    outcome
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            id: None,
            left: Arc::default(),
        }
    }

    /// What tells that the session goes on elsewhere.
    pub(super) fn left(&self) -> Arc<Notify> {
        self.left.clone()
    }

    /// Takes what arrived: the message without its session, or how the connection is closed.
    pub(super) fn admit(
        &mut self,
        text: &[u8],
        all: &DraftSessions,
        faults: &Faults,
    ) -> Result<Value, Closing> {
        let mut message: Value = serde_json::from_slice(text)
            .map_err(|_| (CloseCode::Unsupported, "this is no JSON"))?;
        if !is_envelope(&message) {
            return Err((CloseCode::Unsupported, "this is no message"));
        }
        let named = message
            .as_object_mut()
            .and_then(|members| members.remove(MEMBER));
        let opens = message.get("method").and_then(Value::as_str) == Some("initialize");
        let asks = message.get("method").is_some() && message.get("id").is_some();
        match named {
            None if opens && self.id.is_none() => self.id = all.begin(&self.left),
            None if asks && !opens => return Err((CloseCode::Policy, "Missing sessionId")),
            None => {}
            Some(Value::String(id)) if self.id.as_ref() == Some(&id) => {}
            Some(Value::String(id)) if opens && all.take_over(&id, &self.left, faults) => {
                self.id = Some(id);
            }
            Some(_) => return Err((CloseCode::Policy, "Unknown session ID")),
        }
        Ok(message)
    }

    /// Ends the session.
    pub(super) fn terminate(&mut self, all: &DraftSessions) {
        if let Some(id) = self.id.take() {
            all.end(&id);
        }
    }

    /// Puts the session into a message that leaves.
    pub(super) fn name_in(&self, message: &mut Value) {
        if let (Some(id), Value::Object(members)) = (&self.id, message) {
            members.insert(MEMBER.to_owned(), Value::from(id.as_str()));
        }
    }
}

impl DraftSessions {
    /// A new session on this connection; nothing where the system has no randomness to give.
    fn begin(&self, connection: &Arc<Notify>) -> Option<String> {
        let id = new_id().ok()?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() == SESSIONS_MAX {
            known.pop_front();
        }
        known.push_back((id.clone(), connection.clone()));
        Some(id)
    }

    fn end(&self, id: &str) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(known, _)| known != id);
    }

    /// Moves a session to another connection, and tells the one that it was on. Whether it is known.
    fn take_over(&self, id: &str, connection: &Arc<Notify>, faults: &Faults) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((_, on)) = known.iter_mut().find(|(known, _)| known == id) else {
            return false;
        };
        let mut leave = true;
        faults.session(&mut SessionEvent::Moved { leave: &mut leave });
        let left = std::mem::replace(on, connection.clone());
        if leave {
            left.notify_one();
        }
        true
    }
}

fn is_envelope(message: &Value) -> bool {
    let has = |name: &str| message.get(name).is_some();
    let answers = has("id") && has("result") != has("error");
    let calls = message.get("method").is_some_and(Value::is_string);
    let is_id = |id: &Value| id.is_string() || id.is_i64() || id.is_u64();
    message.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
        && message.get("id").is_none_or(is_id)
        && (answers || calls)
}

/// The beginning of a subprotocol that names a version.
const VERSION: &str = "mcp.version.";

/// The request that ends a session.
pub(super) const TERMINATE: &str = "terminate";

/// Why a connection is closed whose session was ended, as SEP-1288 says it.
pub(super) const TERMINATED: &str = "MCP session terminated";

/// Where messages name their session.
const MEMBER: &str = "sessionId";

/// Largest message by SEP-1288: less than what the other side may keep, so that it can be told what is too large.
pub(super) const DRAFT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Sessions that are remembered; the oldest are forgotten first.
const SESSIONS_MAX: usize = 1024;
