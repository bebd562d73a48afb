//! One request being handled: all that a feature may know, and how it talks back while it works.

use std::sync::Arc;

use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value, json};

use super::{Core, Departure, Payload, Session, logging::Level, outlet::Outlet, rpc::Refusal};

/// A request being handled.
pub(crate) struct Call {
    /// The server.
    pub(crate) core: Arc<Core>,
    /// The conversation it came in.
    pub(crate) session: Arc<Session>,
    /// The revision it is handled by.
    pub(crate) revision: Revision,
    /// What the client can do.
    pub(crate) capabilities: Value,
    /// The lowest level to log at; nothing for none at all.
    pub(crate) log_level: Option<Level>,
    /// The token under which to report progress.
    pub(crate) progress_token: Option<Value>,
    /// Its id.
    pub(crate) id: Value,
    /// Its method.
    pub(crate) method: String,
    /// Its params.
    pub(crate) params: Map<String, Value>,
    /// Where everything about it goes.
    pub(crate) outlet: Outlet,
}

/// Why a feature has no result to give.
#[derive(Debug, PartialEq)]
pub(crate) enum Stop {
    /// The client is needed first: the whole `input_required` result (modern).
    Ask(Value),
    /// The request is refused.
    Refuse(Refusal),
    /// The tool failed, in words for the model.
    Tool(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl Call {
    /// Whether it is handled by a modern revision.
    pub(crate) fn is_modern(&self) -> bool {
        self.revision.era() == Era::Modern
    }

    /// A param that must be a string.
    pub(crate) fn text(&self, name: &str) -> Result<&str, Refusal> {
        let text = self.params.get(name).and_then(Value::as_str);
        text.ok_or_else(|| Refusal::invalid_params(format!("`{name}` must be a string")))
    }

    /// The param `arguments`: an object, or absent.
    pub(crate) fn arguments(&self) -> Result<Map<String, Value>, Refusal> {
        match self.params.get("arguments") {
            None => Ok(Map::new()),
            Some(Value::Object(arguments)) => Ok(arguments.clone()),
            Some(_) => Err(Refusal::invalid_params("`arguments` must be an object")),
        }
    }

    /// Says something about this request.
    pub(crate) async fn notify(&self, method: &str, params: Value) {
        self.outlet
            .send(Departure::message(notification(method, params)))
            .await;
    }

    /// Reports progress, if the client wants to know.
    pub(crate) async fn progress(&self, progress: u64, total: u64, message: &str) {
        let Some(token) = &self.progress_token else {
            return;
        };
        let mut params = json!({"progressToken": token, "progress": progress, "total": total});
        if self.revision >= Revision::V2025_03_26 {
            params["message"] = json!(message);
        }
        self.notify("notifications/progress", params).await;
    }

    /// Logs, if the client wants to hear of this level.
    pub(crate) async fn log(&self, level: Level, text: &str) {
        if self.log_level.is_some_and(|lowest| level >= lowest) {
            let params = json!({"level": level.as_str(), "logger": "mock", "data": text});
            self.notify("notifications/message", params).await;
        }
    }

    /// Lets the connection go while the stream goes on, where the transport can.
    pub(crate) async fn hang_up(&self) {
        let payload = Payload::HangUp;
        self.outlet
            .send(Departure {
                payload,
                ..Departure::message(Value::Null)
            })
            .await;
    }
}

/// A notification.
pub(crate) fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}
