//! Questions that rules and the judge ask of a reading.

use serde_json::Value;

use super::{HttpExchange, Message, Reading};

impl Reading {
    /// The response to a request, or the request's own answer to an error without an id.
    #[must_use]
    pub fn response_to(&self, request: &Message) -> Option<&Message> {
        self.messages.get(request.answer?)
    }

    /// The request that a response answers.
    #[must_use]
    pub fn request_of(&self, response: &Message) -> Option<&Message> {
        self.messages.get(response.answers?)
    }

    /// Our messages, in order.
    pub fn ours(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.ours.iter().map(|index| &self.messages[*index])
    }

    /// The target's messages, in order.
    pub fn targets(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter().filter(|message| message.is_targets())
    }

    /// Our messages with this name: one, or the elements of a batch.
    pub fn named<'r>(&'r self, label: &str) -> impl DoubleEndedIterator<Item = &'r Message> {
        self.ours()
            .filter(move |message| message.label.as_deref() == Some(label))
    }

    /// Our request with this name, or what was sent in its place.
    #[must_use]
    pub fn request_named(&self, label: &str) -> Option<&Message> {
        self.named(label)
            .find(|message| message.is_request())
            .or_else(|| self.named(label).next())
    }

    /// The HTTP exchange with this name: that of an HTTP request, or of the message with that name.
    #[must_use]
    pub fn exchange_named(&self, label: &str) -> Option<&HttpExchange> {
        let by_head = self
            .exchanges
            .values()
            .rev()
            .find(|exchange| exchange.label.as_deref() == Some(label));
        by_head.or_else(|| self.exchanges.get(&self.named(label).next()?.exchange))
    }

    /// The request by which the session was opened and its result: of `initialize`, or of
    /// `server/discover`.
    #[must_use]
    pub fn opening(&self) -> Option<(&Message, &Value)> {
        self.ours().find_map(|request| {
            if !matches!(request.method(), Some("initialize" | "server/discover")) {
                return None;
            }
            Some((request, self.response_to(request)?.result()?))
        })
    }

    /// The result of `initialize`.
    #[must_use]
    pub fn initialize_result(&self) -> Option<&Value> {
        let (request, result) = self.opening()?;
        (request.method() == Some("initialize")).then_some(result)
    }

    /// The protocol version that `initialize` settled.
    #[must_use]
    pub fn negotiated_version(&self) -> Option<&str> {
        self.initialize_result()?.get("protocolVersion")?.as_str()
    }

    /// What the target declared that it can do.
    #[must_use]
    pub fn server_capabilities(&self) -> Option<&Value> {
        self.opening()?.1.get("capabilities")
    }

    /// Whether the target declared `path`, such as `resources.subscribe`. `false` does not declare.
    #[must_use]
    pub fn declares(&self, path: &str) -> bool {
        self.server_capabilities()
            .is_some_and(|capabilities| declares(capabilities, path))
    }

    /// What we declared that our client can do: with `initialize`, or with the last request before
    /// `event` that says it in its `_meta`.
    #[must_use]
    pub fn client_capabilities(&self, event: usize) -> Option<&Value> {
        let modern = |message: &Message| {
            Some(
                message
                    .params()?
                    .get("_meta")?
                    .get("io.modelcontextprotocol/clientCapabilities")
                    .is_some(),
            )
        };
        let last = self.ours().rev().find(|message| {
            message.event < event
                && (message.method() == Some("initialize") || modern(message) == Some(true))
        })?;
        let params = last.params()?;
        params.get("capabilities").or_else(|| {
            params
                .get("_meta")?
                .get("io.modelcontextprotocol/clientCapabilities")
        })
    }
}

/// Whether `capabilities` holds the dotted `path` with something other than `false` or `null`.
#[must_use]
pub fn declares(capabilities: &Value, path: &str) -> bool {
    let mut at = capabilities;
    for member in path.split('.') {
        match at.get(member) {
            Some(Value::Null | Value::Bool(false)) | None => return false,
            Some(inner) => at = inner,
        }
    }
    true
}
