//! Completing what a step says to what goes over the wire, and sending it.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mcp_verdict_transport::{HeaderEdits, HttpCall, Outgoing, SendError};
use mcp_verdict_vectors::{
    model::{HttpStep, NotifyStep, Part, RawStep, RequestStep, SendStep},
    template,
};
use mcp_verdict_wire::{
    Delivery, Era, NetworkFault, Revision, TransportKind, grpc, limits::MESSAGE_BYTES_MAX,
};
use serde_json::{Value, json};

use super::Drive;
use crate::native::any_method;
use crate::session::{complete_notification, complete_request, draft_session, tool_headers};

/// Why a step could not be done.
pub(super) type Trouble = String;

impl Drive<'_> {
    pub(super) async fn request(&mut self, step: &RequestStep) -> Result<(), Trouble> {
        let params = step
            .params
            .as_ref()
            .map(|params| self.substitute(params))
            .transpose()?;
        let id = match &step.id {
            Some(id) => self.substitute(id)?,
            None => self.next_id(),
        };
        let method = self.substitute_text(&step.method)?;
        let session = &self.session;
        let capabilities = &session.client_capabilities;
        let (message, mut headers) = if step.bare {
            // The header edits are those of the same request; its body stays as the vector has it.
            let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
            if let Some(params) = params {
                message["params"] = params;
            }
            let headers = self.headers_of(&message);
            (message, headers)
        } else {
            complete_request(
                self.head.revision,
                capabilities,
                &method,
                params,
                id.clone(),
            )
        };
        headers.extend(self.tool_headers(&message));
        headers.extend(self.edits(&step.headers)?);
        self.session.issued.push(id);
        self.send(Outgoing {
            bytes: step.delivery.wrap(message.to_string().into_bytes()),
            label: step.label.clone(),
            meant: step.malformed
                || step.bare
                || step.delivery.wraps()
                || step.delivery.breaks_frames()
                || step.delivery.alters_headers()
                || !step.headers.is_empty(),
            headers,
            delivery: step.delivery.clone(),
        })
        .await
    }

    pub(super) async fn notify(&mut self, step: &NotifyStep) -> Result<(), Trouble> {
        let params = step
            .params
            .as_ref()
            .map(|params| self.substitute(params))
            .transpose()?;
        let method = self.substitute_text(&step.method)?;
        let (message, mut headers) = complete_notification(self.head.revision, &method, params);
        headers.extend(self.edits(&step.headers)?);
        self.send(Outgoing {
            bytes: message.to_string().into_bytes(),
            label: step.label.clone(),
            meant: step.malformed || !step.headers.is_empty(),
            headers,
            delivery: Delivery::default(),
        })
        .await
    }

    pub(super) async fn send_json(&mut self, step: &SendStep) -> Result<(), Trouble> {
        let message = self.substitute(&step.json)?;
        let mut headers = self.headers_of(&message);
        headers.extend(self.edits(&step.headers)?);
        self.issue(&message);
        self.send(Outgoing {
            bytes: step.delivery.wrap(message.to_string().into_bytes()),
            label: step.label.clone(),
            meant: true,
            headers,
            delivery: step.delivery.clone(),
        })
        .await
    }

    pub(super) async fn send_raw(&mut self, step: &RawStep) -> Result<(), Trouble> {
        let bytes = match (&step.text, &step.base64) {
            (Some(text), _) => self.substitute_text(text)?.into_bytes(),
            (None, Some(base64)) => decoded(base64)?,
            (None, None) => self.joined(&step.parts)?,
        };
        let parsed: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let mut headers = self.headers_of(&parsed);
        headers.extend(self.edits(&step.headers)?);
        self.issue(&parsed);
        let outgoing = Outgoing {
            bytes: step.delivery.wrap(bytes),
            label: step.label.clone(),
            meant: true,
            headers,
            delivery: step.delivery.clone(),
        };
        for _ in 1..step.times {
            self.send(outgoing.clone()).await?;
        }
        self.send(outgoing).await
    }

    /// The bytes that parts come to.
    fn joined(&self, parts: &[Part]) -> Result<Vec<u8>, Trouble> {
        let mut bytes = Vec::new();
        for part in parts {
            let piece = match (&part.text, &part.base64) {
                (Some(text), _) => self.substitute_text(text)?.into_bytes(),
                (None, base64) => decoded(base64.as_deref().unwrap_or_default())?,
            };
            // What was captured from the target can stand in a part.
            let length = piece.len().saturating_mul(part.times);
            if length > MESSAGE_BYTES_MAX.saturating_sub(bytes.len()) {
                return Err(format!(
                    "the parts are more than {MESSAGE_BYTES_MAX} bytes together"
                ));
            }
            bytes.extend(piece.repeat(part.times));
        }
        Ok(bytes)
    }

    pub(super) async fn http(&mut self, step: &HttpStep) -> Result<(), Trouble> {
        let json = step
            .json
            .as_ref()
            .map(|json| self.substitute(json))
            .transpose()?;
        let mut headers = match &json {
            Some(message) if step.method == "POST" => self.headers_of(message),
            _ => HeaderEdits::new(),
        };
        headers.extend(self.edits(&step.headers)?);
        let body = match (json, &step.text, &step.base64) {
            (Some(json), ..) => {
                self.issue(&json);
                Some(self.framed(&json.to_string()))
            }
            (None, Some(text), _) => Some(self.framed(&self.substitute_text(text)?)),
            (None, None, Some(base64)) => Some(decoded(base64)?),
            (None, None, None) if step.parts.is_empty() => None,
            (None, None, None) => Some(self.joined(&step.parts)?),
        };
        let path = step
            .path
            .as_ref()
            .map(|path| self.substitute_text(path))
            .transpose()?;
        let call = HttpCall {
            method: step.method.clone(),
            path,
            headers,
            body: body.map(|body| step.delivery.wrap(body)),
            label: Some(step.label.clone()),
            meant: true,
            delivery: step.delivery.clone(),
        };
        self.call(call).await
    }

    /// The bytes of an HTTP body that is `text`; over gRPC each of its lines is a message in its frame.
    fn framed(&self, text: &str) -> Vec<u8> {
        match self.head.transport {
            TransportKind::Grpc => text
                .lines()
                .flat_map(|line| grpc::encode(&grpc::Line::of(line.as_bytes())))
                .collect(),
            _ => text.as_bytes().to_vec(),
        }
    }

    /// The ping, or discovery, that serves as a barrier.
    pub(super) async fn barrier(&mut self) -> Result<(), Trouble> {
        let method = any_method(self.head.transport, self.head.revision.era());
        self.ask(method, None, None).await
    }

    /// Sends a request of ours that no step spells out.
    pub(super) async fn ask(
        &mut self,
        method: &str,
        params: Option<Value>,
        label: Option<String>,
    ) -> Result<(), Trouble> {
        let id = self.next_id();
        self.session.issued.push(id.clone());
        let capabilities = &self.session.client_capabilities;
        let (message, headers) =
            complete_request(self.head.revision, capabilities, method, params, id);
        let bytes = message.to_string().into_bytes();
        self.send(Outgoing {
            bytes,
            label,
            headers,
            ..Outgoing::default()
        })
        .await
    }

    /// Sends a notification of ours that no step spells out.
    pub(super) async fn tell(&mut self, method: &str, params: Value) -> Result<(), Trouble> {
        let (message, headers) = complete_notification(self.head.revision, method, Some(params));
        let bytes = message.to_string().into_bytes();
        self.send(Outgoing {
            bytes,
            headers,
            ..Outgoing::default()
        })
        .await
    }

    pub(super) async fn send(&mut self, mut outgoing: Outgoing) -> Result<(), Trouble> {
        self.adopt_session();
        outgoing.delivery.network = self.network(outgoing.label.as_deref());
        let sending = self.session.connection.send(outgoing);
        settle(sending, self.limits.timeout).await
    }

    pub(super) async fn call(&mut self, mut call: HttpCall) -> Result<(), Trouble> {
        self.adopt_session();
        call.delivery.network = self.network(call.label.as_deref());
        let sending = self.session.connection.http(call);
        settle(sending, self.limits.timeout).await
    }

    /// What the vector's network does to what it sends under this name, or to the response.
    pub(super) fn network(&self, label: Option<&str>) -> Option<NetworkFault> {
        self.vector.network.get(label?).copied()
    }

    /// Where the vector opens the session itself: what a client does with the answer to `initialize`.
    fn adopt_session(&mut self) {
        let legacy = self.head.revision.era() == Era::Legacy;
        let draft = self.head.transport == TransportKind::WsDraft;
        if self.adopted || !legacy || (self.head.transport.is_channel() && !draft) {
            return;
        }
        self.read();
        let Some((request, result)) = self.reading.opening() else {
            return;
        };
        let id = self
            .reading
            .exchanges
            .get(&request.exchange)
            .and_then(|exchange| exchange.response_header("mcp-session-id"))
            .map(str::to_owned);
        if draft {
            let answer = self.reading.response_to(request);
            let id = answer.and_then(|answer| draft_session(answer.value.as_ref()?));
            self.session.session_id.clone_from(&id);
            self.session.connection.set_header("mcp-session-id", id);
            self.adopted = true;
            return;
        }
        let version = result
            .get("protocolVersion")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if self.head.transport == TransportKind::StreamableHttp && id.is_some() {
            self.session.session_id.clone_from(&id);
            self.session.connection.set_header("mcp-session-id", id);
        }
        if let Some(version) = version
            && version.as_str() >= Revision::V2025_06_18.as_str()
        {
            self.session
                .connection
                .set_header("mcp-protocol-version", Some(version));
        }
        self.adopted = true;
    }

    pub(super) fn next_id(&mut self) -> Value {
        let id = self.session.next_id;
        self.session.next_id += 1;
        Value::from(id)
    }

    /// Keeps the id of a message that the vector spells out.
    fn issue(&mut self, message: &Value) {
        if message.get("method").is_some()
            && let Some(id) = message.get("id")
        {
            self.session.issued.push(id.clone());
        }
    }

    /// The headers that go with a message which is sent as it stands.
    fn headers_of(&self, message: &Value) -> HeaderEdits {
        let revision = self.head.revision;
        let method = message.get("method").and_then(Value::as_str);
        match (revision.era(), method) {
            (Era::Legacy, _) => HeaderEdits::new(),
            (Era::Modern, Some(method)) => {
                let (_, mut headers) =
                    complete_notification(revision, method, message.get("params").cloned());
                headers.extend(self.tool_headers(message));
                headers
            }
            (Era::Modern, None) => HeaderEdits::from([(
                "mcp-protocol-version".to_owned(),
                Some(revision.to_string()),
            )]),
        }
    }

    /// The `mcp-param-*` headers of a modern tool call.
    pub(super) fn tool_headers(&self, message: &Value) -> HeaderEdits {
        let modern = self.head.revision.era() == Era::Modern;
        let called = message.get("method").and_then(Value::as_str) == Some("tools/call");
        let name = message.pointer("/params/name");
        if !modern || !called || self.head.transport != TransportKind::StreamableHttp {
            return HeaderEdits::new();
        }
        let tool = self.tools.iter().find(|tool| tool.get("name") == name);
        match (
            tool.and_then(|tool| tool.get("inputSchema")),
            message.pointer("/params/arguments"),
        ) {
            (Some(schema), Some(arguments)) => tool_headers(schema, arguments),
            _ => HeaderEdits::new(),
        }
    }

    /// The vector's own headers.
    pub(super) fn edits(
        &self,
        headers: &BTreeMap<String, Option<String>>,
    ) -> Result<HeaderEdits, Trouble> {
        let replaced = headers.iter().map(|(name, value)| {
            let value = value
                .as_ref()
                .map(|value| self.substitute_text(value))
                .transpose()?;
            Ok((self.substitute_text(name)?.to_ascii_lowercase(), value))
        });
        replaced.collect()
    }

    pub(super) fn substitute(&self, value: &Value) -> Result<Value, Trouble> {
        template::substitute(value, self.walk.variables()).map_err(|unbound| unbound.to_string())
    }

    pub(super) fn substitute_text(&self, text: &str) -> Result<String, Trouble> {
        if !text.contains("${") {
            return Ok(text.to_owned());
        }
        Ok(match self.substitute(&Value::from(text))? {
            Value::String(text) => text,
            other => other.to_string(),
        })
    }
}

fn decoded(base64: &str) -> Result<Vec<u8>, Trouble> {
    STANDARD
        .decode(base64)
        .map_err(|error| format!("decode `base64`: {error}"))
}

/// Sends, for a bounded time. That the child left, or that we closed its input, is no trouble of ours:
/// what waits for an answer sees it.
async fn settle<T>(
    sending: impl Future<Output = Result<T, SendError>>,
    patience: Duration,
) -> Result<(), Trouble> {
    match tokio::time::timeout(patience, sending).await {
        Ok(Ok(_) | Err(SendError::InputClosed)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!(
            "the target took nothing within {} ms",
            patience.as_millis()
        )),
    }
}
