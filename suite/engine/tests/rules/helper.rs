//! Conversations in few words.

use std::collections::BTreeMap;

use mcp_verdict_engine::{
    rules::{self, Observation},
    view::View,
};
use mcp_verdict_vectors::Outcome;
use mcp_verdict_wire::{
    Era, Revision, TransportKind,
    transcript::{Bytes, Ended, Event, EventKind, Exchange, FORMAT, Head, SseFields, Transcript},
};
use serde_json::{Value, json};

pub(crate) const OLDEST: Revision = Revision::V2024_11_05;
pub(crate) const BATCHES: Revision = Revision::V2025_03_26;
pub(crate) const MIDDLE: Revision = Revision::V2025_06_18;
pub(crate) const LEGACY: Revision = Revision::V2025_11_25;
pub(crate) const MODERN: Revision = Revision::V2026_07_28;

/// What a server declares that offers everything.
pub(crate) fn everything() -> Value {
    json!({
        "completions": {},
        "logging": {},
        "prompts": {"listChanged": true},
        "resources": {"listChanged": true, "subscribe": true},
        "tools": {"listChanged": true},
    })
}

/// A conversation.
#[derive(Clone)]
pub(crate) struct Talk {
    revision: Revision,
    transport: TransportKind,
    events: Vec<EventKind>,
    exchange: Exchange,
    session: Option<&'static str>,
    pub(crate) earlier: Vec<Value>,
    pub(crate) bindings: BTreeMap<String, Value>,
}

impl Talk {
    /// Without its opening.
    pub(crate) fn bare(revision: Revision, transport: TransportKind) -> Self {
        Self {
            revision,
            transport,
            events: Vec::new(),
            exchange: 0,
            session: None,
            earlier: Vec::new(),
            bindings: BTreeMap::new(),
        }
    }

    /// Opened on stdio, with a server that offers everything.
    pub(crate) fn stdio(revision: Revision) -> Self {
        Self::bare(revision, TransportKind::Stdio).opened(everything())
    }

    /// Opened over Streamable HTTP, in a session where there are sessions.
    pub(crate) fn http(revision: Revision) -> Self {
        let talk = Self::bare(revision, TransportKind::StreamableHttp).opened(everything());
        match revision.era() {
            Era::Legacy => talk.in_session("s-1"),
            Era::Modern => talk,
        }
    }

    /// What follows belongs to this session.
    pub(crate) fn in_session(mut self, session: &'static str) -> Self {
        self.session = Some(session);
        self
    }

    /// With an opening, by a server with these capabilities, under the id 0.
    pub(crate) fn opened(self, capabilities: Value) -> Self {
        let version = self.revision.as_str();
        match self.revision.era() {
            Era::Modern => self.asks(0, "server/discover", json!({})).answers(
                0,
                json!({
                    "resultType": "complete", "supportedVersions": [version], "capabilities": capabilities,
                    "ttlMs": 0, "cacheScope": "public",
                    "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "s", "version": "1"}},
                }),
            ),
            Era::Legacy => {
                let params = json!({
                    "protocolVersion": version, "capabilities": {"roots": {}, "sampling": {}},
                    "clientInfo": {"name": "c", "version": "1"},
                });
                let result = json!({
                    "protocolVersion": version, "capabilities": capabilities,
                    "serverInfo": {"name": "s", "version": "1"},
                });
                let talk = self.asks(0, "initialize", params).answers(0, result);
                talk.tells(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            }
        }
    }

    fn push(mut self, kind: EventKind) -> Self {
        self.events.push(kind);
        self
    }

    /// The number of the last exchange.
    pub(crate) fn exchange(&self) -> Exchange {
        self.exchange
    }

    pub(crate) fn event(self, kind: EventKind) -> Self {
        self.push(kind)
    }

    /// Our request, complete for its revision.
    pub(crate) fn asks(self, id: impl Into<Value>, method: &str, params: Value) -> Self {
        let message = self.request(id, method, params);
        self.says(&message.to_string(), false)
    }

    /// A request that is complete for its revision.
    pub(crate) fn request(&self, id: impl Into<Value>, method: &str, mut params: Value) -> Value {
        if self.revision.era() == Era::Modern {
            let mut meta = json!({
                "io.modelcontextprotocol/protocolVersion": self.revision.as_str(),
                "io.modelcontextprotocol/clientCapabilities": {"roots": {}, "sampling": {}},
            });
            if let Some(Value::Object(more)) = params.get("_meta") {
                meta.as_object_mut()
                    .expect("metadata is an object")
                    .extend(more.clone());
            }
            params["_meta"] = meta;
        }
        json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params})
    }

    /// A notification or response of ours.
    pub(crate) fn tells(self, message: Value) -> Self {
        let talk = self.says(&message.to_string(), false);
        match talk.transport {
            TransportKind::Stdio => talk,
            _ => talk.head(202, &[]).body("").ends(),
        }
    }

    /// What we send as it stands, because the vector means it.
    pub(crate) fn means(self, text: &str) -> Self {
        self.says(text, true)
    }

    fn says(mut self, text: &str, meant: bool) -> Self {
        if self.transport != TransportKind::Stdio {
            self = self.requests("POST", &[]);
        }
        let exchange = self.exchange;
        self.push(EventKind::Sent {
            exchange,
            label: None,
            meant,
            bytes: text.into(),
        })
    }

    /// A new HTTP exchange.
    pub(crate) fn requests(mut self, method: &str, headers: &[(&str, &str)]) -> Self {
        self.exchange += 1;
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut all: Vec<_> = headers.iter().map(owned).collect();
        let has = |name: &str| headers.iter().any(|(own, _)| *own == name);
        if self.revision >= MIDDLE && self.exchange > 1 && !has("mcp-protocol-version")
            || self.revision.era() == Era::Modern
        {
            let version = self.revision.as_str().to_owned();
            all.push(("mcp-protocol-version".to_owned(), version));
        }
        if let Some(session) = self.session {
            all.push(("mcp-session-id".to_owned(), session.to_owned()));
        }
        let exchange = self.exchange;
        self.push(EventKind::HttpRequest {
            exchange,
            label: None,
            meant: false,
            method: method.to_owned(),
            url: "http://t/mcp".to_owned(),
            headers: all,
            body: None,
        })
    }

    /// The head of the response to the last exchange.
    pub(crate) fn head(self, status: u16, headers: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let (exchange, headers) = (self.exchange, headers.iter().map(owned).collect());
        self.push(EventKind::HttpResponse {
            exchange,
            status,
            version: "HTTP/1.1".to_owned(),
            headers,
        })
    }

    /// The last exchange answers with an event stream.
    pub(crate) fn streams(self) -> Self {
        self.head(
            200,
            &[
                ("content-type", "text/event-stream"),
                ("x-accel-buffering", "no"),
            ],
        )
    }

    pub(crate) fn body(self, text: &str) -> Self {
        let exchange = self.exchange;
        self.push(EventKind::HttpBody {
            exchange,
            bytes: text.into(),
        })
    }

    pub(crate) fn ends(self) -> Self {
        let exchange = self.exchange;
        self.push(EventKind::HttpEnd {
            exchange,
            how: Ended::Complete,
        })
    }

    /// A result, whole: over HTTP with its head and end.
    pub(crate) fn answers(self, id: impl Into<Value>, result: Value) -> Self {
        self.replies(&json!({"jsonrpc": "2.0", "id": id.into(), "result": result}))
    }

    /// A response, whole: over HTTP with its head and end.
    pub(crate) fn replies(self, message: &Value) -> Self {
        self.replies_with(200, message)
    }

    /// The same with a status.
    pub(crate) fn replies_with(self, status: u16, message: &Value) -> Self {
        if self.transport == TransportKind::Stdio {
            return self.gets(message);
        }
        let json = [("content-type", "application/json")];
        let talk = self.head(status, &json).body(&message.to_string());
        talk.gets(message).ends()
    }

    /// A message of the target, where the talk is.
    pub(crate) fn gets(self, message: &Value) -> Self {
        self.raw(message.to_string().as_bytes())
    }

    /// Bytes in place of a message.
    pub(crate) fn raw(self, bytes: &[u8]) -> Self {
        self.event_with(None, bytes)
    }

    /// An event of a stream, with an id.
    pub(crate) fn event_with(self, id: Option<&str>, bytes: &[u8]) -> Self {
        let sse = id.map(|id| SseFields {
            id: Some(id.to_owned()),
            ..SseFields::default()
        });
        let exchange = self.exchange;
        self.push(EventKind::Received {
            exchange,
            sse,
            bytes: Bytes::from(bytes),
        })
    }

    /// A notification of the target.
    pub(crate) fn hears(self, method: &str, params: Value) -> Self {
        self.gets(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    fn transcript(&self) -> Transcript {
        let event = |(at, kind): (usize, &EventKind)| Event {
            at_us: at as u64,
            kind: kind.clone(),
        };
        Transcript {
            head: Head {
                format: FORMAT,
                suite: "0".to_owned(),
                check: "t/x".to_owned(),
                revision: self.revision,
                transport: self.transport,
                target: "t".to_owned(),
                seed: 0,
                bindings: self.bindings.clone(),
                earlier_ids: self.earlier.clone(),
            },
            events: self.events.iter().enumerate().map(event).collect(),
        }
    }
}

/// What a rule sees in a conversation. Evidence always points into it.
pub(crate) fn observe(rule: &str, talk: &Talk) -> Observation {
    let id = format!("rules/{rule}");
    let rule = rules::all().iter().find(|rule| rule.id() == id);
    let rule = rule.unwrap_or_else(|| panic!("there is no rule {id}"));
    let transcript = talk.transcript();
    let seen = rule.observe(&View::of(&transcript));
    for finding in &seen.findings {
        assert!(
            !finding.evidence.is_empty(),
            "{id} shows nothing: {finding:?}"
        );
        let within = |event: &usize| *event < transcript.events.len();
        assert!(finding.evidence.iter().all(within), "{finding:?}");
    }
    seen
}

/// The rule was put to the test, and holds.
#[track_caller]
pub(crate) fn holds(rule: &str, talk: &Talk) {
    let seen = observe(rule, talk);
    assert!(seen.exercised, "{rule} was not exercised");
    assert!(seen.findings.is_empty(), "{rule}: {:?}", seen.findings);
}

/// The rule finds nothing, whether it was put to the test or not.
#[track_caller]
pub(crate) fn spares(rule: &str, talk: &Talk) {
    let seen = observe(rule, talk);
    assert!(seen.findings.is_empty(), "{rule}: {:?}", seen.findings);
}

/// There was nothing to look at.
#[track_caller]
pub(crate) fn idles(rule: &str, talk: &Talk) {
    let seen = observe(rule, talk);
    assert_eq!(seen, Observation::default(), "{rule}");
}

/// The rule is broken, which means what its level says.
#[track_caller]
pub(crate) fn breaks(rule: &str, talk: &Talk, part: &str) {
    finds(rule, talk, None, part);
}

/// The rule finds something that is a warning at most.
#[track_caller]
pub(crate) fn warns(rule: &str, talk: &Talk, part: &str) {
    finds(rule, talk, Some(Outcome::Warn), part);
}

#[track_caller]
fn finds(rule: &str, talk: &Talk, outcome: Option<Outcome>, part: &str) {
    let seen = observe(rule, talk);
    assert!(seen.exercised);
    let all: Vec<String> = seen
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{:?}: {}; {}",
                finding.outcome, finding.expected, finding.actual
            )
        })
        .collect();
    assert_eq!(all.len(), 1, "{rule} finds {all:#?}");
    assert_eq!(seen.findings[0].outcome, outcome, "{all:?}");
    assert!(all[0].contains(part), "{:?} does not say {part:?}", all[0]);
}
