//! What a transcript shows of a target, in a form in which two of them can be set against each other.
//!
//! Messages are named by what they answer, or by their method and how many of it came before; what only the run
//! decides - ids of ours, tokens of ours, ids that the target chose - is replaced by what it stands for.

use std::collections::BTreeMap;

use mcp_verdict_wire::{
    TransportKind,
    transcript::{Ended, EventKind, Transcript},
};
use serde_json::{Map, Value, json};

use crate::view::{HttpExchange, Kind, Message, View, media_type};

/// What one transcript shows.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// By name.
    pub(super) items: BTreeMap<Key, Fact>,
    /// What we sent, in order: where this differs, what followed cannot be compared.
    pub(super) sent: Vec<String>,
    /// A response came that answers nothing of the session.
    pub(super) has_stray: bool,
    /// The target could say something that belongs to no request of ours.
    pub(super) has_stream: bool,
}

/// The name of a fact within its transcript.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) what: What,
    pub(super) name: String,
    pub(super) nth: usize,
}

/// What a fact is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// What a request of ours was answered with.
    Answer,
    /// A request of the target.
    Request,
    /// A notification of the target.
    Notification,
    /// What came before and after an answer.
    Order,
    /// The head of an HTTP response.
    Http,
    /// How the target closed a channel.
    Closed,
}

/// One thing that a target did.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    /// As people call it; what differs in the same manner under the same name is told once.
    pub(super) subject: String,
    /// The same, more exactly: what varies by itself does so under this name.
    pub(super) source: String,
    /// The message, or what stands for it; `None` when nothing came.
    pub(super) value: Option<Value>,
    /// Why the transport may have a say in it, where the other side uses another.
    pub(super) owed: Option<&'static str>,
}

impl Facts {
    /// Reads a transcript.
    pub(super) fn of(transcript: &Transcript) -> Self {
        let view = View::of(transcript);
        let begin = view.first_step().unwrap_or(0);
        let mut facts = Self {
            has_stream: has_stream(&view),
            ..Self::default()
        };
        facts.answers(&view, begin);
        facts.unasked(&view, begin);
        facts.orders(&view, begin);
        facts.http(&view, begin);
        facts.closed(&view);
        facts.has_stray = has_stray(&view);
        facts
    }

    fn add(&mut self, what: What, name: &str, fact: Fact) {
        let taken = |nth: &usize| {
            let key = Key {
                what,
                name: name.to_owned(),
                nth: *nth,
            };
            self.items.contains_key(&key)
        };
        let nth = (0..ITEMS_MAX).find(|nth| !taken(nth));
        let Some(nth) = nth else { return };
        let key = Key {
            what,
            name: name.to_owned(),
            nth,
        };
        self.items.insert(key, fact);
    }

    /// What each request of ours was answered with.
    fn answers(&mut self, view: &View<'_>, begin: usize) {
        for request in view.ours().filter(|message| !message.is_response()) {
            let name = name_of(request);
            if request.event >= begin {
                self.sent.push(name.clone());
            } else if !matches!(request.method(), Some("initialize" | "server/discover")) {
                continue;
            }
            let is_meant = matches!(request.kind, Kind::Invalid { .. });
            if !request.is_request() && !is_meant {
                continue;
            }
            let answer = view.response_to(request);
            if answer.is_none() && is_given_up(request, view) {
                continue;
            }
            let value = answer.and_then(|answer| normal(answer, view));
            let is_error = answer.is_some_and(|answer| matches!(answer.kind, Kind::Error { .. }));
            let asked = asked(request);
            let fact = Fact {
                subject: if is_error {
                    "error answer".to_owned()
                } else {
                    format!("answer to {asked}")
                },
                source: format!("answer to {asked}"),
                value,
                owed: owed_to_transport(request, view),
            };
            let name = if request.event < begin {
                OPENING.to_owned()
            } else {
                name
            };
            self.add(What::Answer, &name, fact);
        }
    }

    /// Notifications and requests of the target, while the vector ran.
    fn unasked(&mut self, view: &View<'_>, begin: usize) {
        for message in view.targets().filter(|message| message.event >= begin) {
            let Some(method) = message.method() else {
                continue;
            };
            let what = if message.is_request() {
                What::Request
            } else {
                What::Notification
            };
            let fact = Fact {
                subject: method.to_owned(),
                source: method.to_owned(),
                value: normal(message, view),
                owed: None,
            };
            self.add(what, method, fact);
        }
    }

    /// For each answer, the notifications around it, where the transport keeps their order.
    fn orders(&mut self, view: &View<'_>, begin: usize) {
        let one_stream = !view.head.transport.has_exchanges();
        for request in view.ours().filter(|message| message.event >= begin) {
            let Some(answer) = view.response_to(request) else {
                continue;
            };
            let alone = is_alone(request, answer, view);
            let beside = |message: &&Message| {
                let is_its = match message.method() {
                    Some("notifications/progress") => token_of(message) == token_of(request),
                    Some(_) => alone && message.is_notification(),
                    None => message.event == answer.event,
                };
                is_its
                    && message.event >= begin
                    && (one_stream || message.exchange == answer.exchange)
            };
            let told = |message: &Message| json!(message.method().unwrap_or("answer"));
            let sequence: Vec<Value> = view
                .targets()
                .filter(beside)
                .take(ITEMS_MAX)
                .map(told)
                .collect();
            if sequence.len() < 2 {
                continue;
            }
            let subject = format!("answer to {} among notifications", asked(request));
            let fact = Fact {
                source: subject.clone(),
                subject,
                value: Some(Value::Array(sequence)),
                owed: None,
            };
            self.add(What::Order, &name_of(request), fact);
        }
    }

    /// Heads of responses, as far as MCP gives them a meaning.
    fn http(&mut self, view: &View<'_>, begin: usize) {
        if !matches!(
            view.head.transport,
            TransportKind::StreamableHttp | TransportKind::HttpSse
        ) {
            return;
        }
        for exchange in view.exchanges.values() {
            let Some(event) = exchange.request else {
                continue;
            };
            let first = exchange.ours.first().map(|index| &view.messages[*index]);
            let asks = first.map_or_else(String::new, |message| format!(" of {}", asked(message)));
            let opens = first.and_then(Message::method) == Some("initialize");
            if event < begin && !opens {
                continue;
            }
            let label = match (event < begin, first) {
                (true, _) => OPENING.to_owned(),
                (false, Some(message)) => name_of(message),
                (false, None) => exchange.label.clone().unwrap_or_default(),
            };
            let subject = format!("HTTP response to {}{asks}", exchange.method);
            let fact = Fact {
                source: subject.clone(),
                subject,
                value: head_of(exchange, view),
                owed: None,
            };
            self.add(What::Http, &format!("{} {label}", exchange.method), fact);
        }
    }

    fn closed(&mut self, view: &View<'_>) {
        let Some(closing) = &view.process.closed else {
            return;
        };
        let fact = Fact {
            subject: "end of the channel".to_owned(),
            source: "end of the channel".to_owned(),
            value: Some(json!({"code": closing.code, "reason": closing.reason})),
            owed: None,
        };
        self.add(What::Closed, "", fact);
    }
}

/// Whether the target could speak unasked: always on one channel, on HTTP only where a GET stream was open.
fn has_stream(view: &View<'_>) -> bool {
    !view.head.transport.has_exchanges()
        || view.exchanges.values().any(|exchange| {
            exchange.method == "GET" && exchange.status() == Some(200) && exchange.is_event_stream()
        })
}

/// What a vector calls a message of ours, or what it is.
fn name_of(message: &Message) -> String {
    match (&message.label, message.method()) {
        (Some(label), _) => label.clone(),
        (None, Some(method)) => method.to_owned(),
        (None, None) => "message".to_owned(),
    }
}

/// What a message of ours asks for, as people call it.
fn asked(message: &Message) -> String {
    let Some(method) = message.method() else {
        return "what is no request".to_owned();
    };
    let member = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "uri",
        _ => return method.to_owned(),
    };
    match message.params().and_then(|params| params.get(member)) {
        Some(Value::String(name)) => format!("{method} {name}"),
        _ => method.to_owned(),
    }
}

/// The progress token of a request, or of a notification of progress.
fn token_of(message: &Message) -> Option<&Value> {
    let params = message.params()?;
    match message.method() {
        Some("notifications/progress") => params.get("progressToken"),
        _ => params.get("_meta")?.get("progressToken"),
    }
}

/// Whether there is a response to a request that was answered already, or that nobody of this session made.
fn has_stray(view: &View<'_>) -> bool {
    // Under what id a transport refuses a request is its own affair.
    let is_refusal = |message: &Message| {
        let exchange = view.exchanges.get(&message.exchange);
        let status = exchange.and_then(HttpExchange::status);
        message.exchange != 0 && status.is_some_and(|status| status >= 400)
    };
    view.targets().any(|message| {
        message.is_response()
            && message.answers.is_none()
            && !is_refusal(message)
            && message.id().is_some_and(|id| !id.is_null())
            && !is_earlier(message, view)
    })
}

/// Whether a response is late: its request was made before the transcript begins.
fn is_earlier(response: &Message, view: &View<'_>) -> bool {
    response
        .id()
        .is_some_and(|id| view.head.earlier_ids.contains(id))
}

/// Whether no other request of ours was open while this one was.
fn is_alone(request: &Message, answer: &Message, view: &View<'_>) -> bool {
    let others = view
        .ours()
        .filter(|other| other.is_request() && other.event != request.event);
    let mut beside = others.filter(|other| {
        let answered = view.response_to(other).map(|answer| answer.event);
        other.event < answer.event && answered.is_none_or(|event| event > request.event)
    });
    beside.next().is_none()
}

/// Whether we closed the stream on which the answer would have come.
fn is_given_up(request: &Message, view: &View<'_>) -> bool {
    let exchange = view.exchanges.get(&request.exchange);
    exchange.is_some_and(|exchange| matches!(exchange.ended, Some((_, Ended::Dropped))))
}

/// Why another transport may answer a message of ours in another way.
fn owed_to_transport(request: &Message, view: &View<'_>) -> Option<&'static str> {
    if matches!(request.kind, Kind::Invalid { .. }) {
        return Some("what was sent is no message, and each transport has its own answer to that");
    }
    let exchange = view.exchanges.get(&request.exchange)?;
    let is_refused = exchange
        .status()
        .is_some_and(|status| (400..500).contains(&status));
    let opens = request.method() == Some("initialize") && request.batch.is_none();
    let is_modern = request
        .params()
        .and_then(|params| params.get("_meta")?.get(VERSION))
        .is_some();
    let has_session = exchange.request_header("mcp-session-id").is_some();
    (is_refused && !opens && !is_modern && !has_session)
        .then_some("Streamable HTTP asks for its session first")
}

/// A message of the target without what only the run decides.
fn normal(message: &Message, view: &View<'_>) -> Option<Value> {
    let mut value = message.value.clone()?;
    let members = value.as_object_mut()?;
    if message.is_request() {
        members.insert("id".to_owned(), json!(OWN_ID));
    } else if let (Some(id), Some(request)) = (message.id(), view.request_of(message))
        && request.id() == Some(id)
    {
        members.insert("id".to_owned(), json!(AS_ASKED));
    }
    if let Some(Value::Object(params)) = members.get_mut("params") {
        stand_in(params, "progressToken", &|given| {
            view.ours().any(|ours| token_of(ours) == Some(given))
        });
        if message.method() == Some("notifications/cancelled") && params.contains_key("requestId") {
            params.insert("requestId".to_owned(), json!(OWN_ID));
        }
    }
    let is_id = |given: &Value| view.ours().any(|ours| ours.id() == Some(given));
    for part in ["params", "result"] {
        let meta = members.get_mut(part).and_then(|part| part.get_mut("_meta"));
        if let Some(Value::Object(meta)) = meta {
            stand_in(meta, "io.modelcontextprotocol/subscriptionId", &is_id);
        }
    }
    Some(value)
}

/// Replaces a member that repeats something of ours.
fn stand_in(members: &mut Map<String, Value>, name: &str, is_ours: &dyn Fn(&Value) -> bool) {
    if let Some(value) = members.get_mut(name)
        && is_ours(value)
    {
        *value = json!(AS_ASKED);
    }
}

/// The status and the headers of a response, and the form of its stream.
fn head_of(exchange: &HttpExchange, view: &View<'_>) -> Option<Value> {
    let response = exchange.response.as_ref()?;
    let mut head = Map::new();
    head.insert("status".to_owned(), json!(response.status));
    for name in HEADERS {
        let Some(value) = exchange.response_header(name) else {
            continue;
        };
        let value = match name {
            "content-type" => media_type(value),
            "mcp-session-id" => PRESENT.to_owned(),
            _ => value.to_owned(),
        };
        head.insert(name.to_owned(), json!(value));
    }
    if exchange.is_event_stream() {
        let fields = exchange
            .stream
            .iter()
            .filter_map(|event| match &view.events[*event].kind {
                EventKind::Received { sse, .. } => sse.as_ref(),
                EventKind::SseEvent { fields, .. } => Some(fields),
                _ => None,
            });
        let has_ids = fields.clone().any(|fields| fields.id.is_some());
        let retries = fields.clone().any(|fields| fields.retry.is_some());
        head.insert("event ids".to_owned(), json!(has_ids));
        head.insert("retry".to_owned(), json!(retries));
    }
    Some(Value::Object(head))
}

/// Headers of responses that MCP, or the authorization that it asks for, gives a meaning.
const HEADERS: [&str; 5] = [
    "content-type",
    "mcp-session-id",
    "mcp-protocol-version",
    "www-authenticate",
    "allow",
];

/// Where a modern request names its revision.
const VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Stands for an id or a token that is the one that we gave.
pub(super) const AS_ASKED: &str = "[as asked]";

/// Stands for an id that the target chose.
const OWN_ID: &str = "[an id]";

/// Stands for a value that is another one in each session.
const PRESENT: &str = "[present]";

/// The name of the request that opened the session.
const OPENING: &str = "[opening]";

/// Messages of one name that are looked at: more than an honest exchange has.
const ITEMS_MAX: usize = 200;
