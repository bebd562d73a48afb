//! A plan carried out: what stands between the mock and one client, and what it saw of both.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use mcp_verdict_mock::{Departure, Distortion, Event, Facts, HttpRequest, HttpResponse, Payload};
use mcp_verdict_wire::Revision;
use serde_json::Value;

use super::plan::{Change, Plan, Response, What, filled};
use crate::piece::Pieces;

/// What stands between the mock and one client.
#[derive(Debug)]
pub(crate) struct Stage {
    plan: Plan,
    log: Mutex<Log>,
}

/// What was seen.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    begun: Instant,
    counts: BTreeMap<(Layer, String), u64>,
    /// The last time that the client said something.
    pub(crate) last_heard: Instant,
    /// What the client said, as bytes.
    pub(crate) heard: Vec<Vec<u8>>,
    /// How often it asked for what.
    pub(crate) asked: BTreeMap<String, u64>,
    /// Ids of its requests.
    pub(crate) open: Vec<String>,
    /// Ids of those whose answer it got as it is.
    pub(crate) answered: BTreeSet<String>,
    /// Something else than messages was changed, so that nobody knows what reached it.
    pub(crate) disturbed: bool,
    /// What would be sent.
    pub(crate) seen: Vec<Seen>,
    /// The newest revision that was spoken.
    pub(crate) revision: Option<Revision>,
    /// Bytes of messages that were changed.
    pub(crate) sent_bytes: usize,
    /// Both sides, in order, cut short.
    pub(crate) traffic: Vec<Line>,
}

/// Something that the mock would send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) layer: Layer,
    pub(crate) of: String,
    pub(crate) nth: u64,
    pub(crate) bytes: Vec<u8>,
}

/// Where a change hooks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Layer {
    Event,
    Message,
    Response,
}

/// One line of the traffic.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at_us: u64,
    pub(crate) from_client: bool,
    pub(crate) what: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) cut: usize,
}

impl Stage {
    pub(crate) fn new(plan: Plan) -> Self {
        let begun = Instant::now();
        let log = Log {
            begun,
            counts: BTreeMap::new(),
            last_heard: begun,
            heard: Vec::new(),
            asked: BTreeMap::new(),
            open: Vec::new(),
            answered: BTreeSet::new(),
            disturbed: false,
            seen: Vec::new(),
            revision: None,
            sent_bytes: 0,
            traffic: Vec::new(),
        };
        Self {
            plan,
            log: Mutex::new(log),
        }
    }

    /// Looks at what was seen so far.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Log) -> T) -> T {
        look(&self.log())
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The change that is planned for the next thing of this kind.
    fn next(&self, log: &mut Log, layer: Layer, of: &str, bytes: &[u8]) -> Option<&Change> {
        let count = log.counts.entry((layer, of.to_owned())).or_default();
        *count += 1;
        let nth = *count;
        if log.seen.len() < SEEN_MAX && bytes.len() <= SEEN_BYTES_MAX {
            log.seen.push(Seen {
                layer,
                of: of.to_owned(),
                nth,
                bytes: bytes.to_vec(),
            });
        }
        let is_it = |change: &&Change| {
            let same_layer = matches!(
                (&change.what, layer),
                (What::Event(_), Layer::Event)
                    | (What::Messages(_), Layer::Message)
                    | (What::Response(_), Layer::Response)
            );
            same_layer && change.of == of && (change.nth == 0 || change.nth == nth)
        };
        self.plan.0.iter().find(is_it)
    }

    fn hear(&self, what: &str, bytes: &[u8], is_message: bool) {
        let mut log = self.log();
        log.last_heard = Instant::now();
        log.write(true, what, bytes);
        if !is_message {
            return;
        }
        if log.heard.len() >= HEARD_MAX || bytes.len() > HEARD_BYTES_MAX {
            log.disturbed = true;
            return;
        }
        log.heard.push(bytes.to_vec());
        let Ok(Value::Object(message)) = serde_json::from_slice(bytes) else {
            // Nobody knows what it waits for now.
            log.disturbed = true;
            return;
        };
        if let (Some(Value::String(method)), Some(id)) = (message.get("method"), message.get("id"))
        {
            *log.asked.entry(method.clone()).or_default() += 1;
            log.open.push(id.to_string());
        }
    }
}

impl Distortion for Stage {
    fn request(&self, request: &HttpRequest) {
        let is_json = |it: &str| it.to_ascii_lowercase().contains("json");
        let is_message = request.method == "POST"
            && MESSAGE_PATHS.contains(&request.path.as_str())
            && request.header("content-type").is_some_and(is_json);
        let what = format!("{} {}", request.method, request.path);
        self.hear(&what, &request.body, is_message);
    }

    fn line(&self, line: &[u8]) {
        self.hear("message", line, true);
    }

    fn message(&self, facts: &Facts, departure: Departure) -> Vec<Departure> {
        let same = match &departure.payload {
            Payload::Json(message) => message.to_string().into_bytes(),
            Payload::Raw(bytes) => bytes.clone(),
            Payload::HangUp => return vec![departure],
        };
        let id = facts.id().to_string();
        let mut log = self.log();
        log.revision = log.revision.max(facts.revision);
        let change = self.next(&mut log, Layer::Message, facts.method(), &same);
        match departure.answers {
            true if change.is_none_or(Change::delivers) => drop(log.answered.insert(id.clone())),
            true => log.disturbed = true,
            false => {}
        }
        let Some(Change {
            what: What::Messages(messages),
            ..
        }) = change
        else {
            log.write(false, "message", &same);
            return vec![departure];
        };
        let alone = messages.len() == 1;
        let mut sent = |pieces: &Pieces| {
            let bytes = filled(pieces, &id, &same);
            log.write(false, "message, changed", &bytes);
            log.sent_bytes += bytes.len();
            Departure {
                payload: Payload::Raw(bytes),
                answers: departure.answers && alone,
                ..departure.clone()
            }
        };
        messages.iter().map(&mut sent).collect()
    }

    fn event(&self, facts: &Facts, event: Event) -> Vec<Event> {
        let same = event.to_bytes();
        let mut log = self.log();
        let change = self.next(&mut log, Layer::Event, facts.method(), &same);
        let Some(Change {
            what: What::Event(pieces),
            ..
        }) = change
        else {
            return vec![event];
        };
        log.disturbed |= !change.is_some_and(Change::delivers);
        let bytes = filled(pieces, &facts.id().to_string(), &same);
        log.write(false, "event, changed", &bytes);
        log.sent_bytes += bytes.len();
        vec![Event::raw(bytes)]
    }

    fn response(&self, request: &HttpRequest, response: &mut HttpResponse) -> Option<usize> {
        let message = request.json().unwrap_or_default();
        let of = match message.get("method").and_then(Value::as_str) {
            Some(method) => method.to_owned(),
            None => request.method.to_string(),
        };
        let same = response.body.clone();
        let mut log = self.log();
        let change = self.next(
            &mut log,
            Layer::Response,
            &of,
            same.as_deref().unwrap_or(b""),
        );
        let Some(Change {
            what: What::Response(change),
            ..
        }) = change
        else {
            return None;
        };
        log.disturbed = true;
        let id = message.get("id").unwrap_or(&Value::Null).to_string();
        apply(change, &id, response);
        let head = format!("{} {:?}", response.status, response.headers);
        log.write(false, "response, changed", head.as_bytes());
        if let Some(body) = &response.body {
            log.write(false, "body", body);
            log.sent_bytes += body.len();
        }
        change.breaks_after
    }
}

fn apply(change: &Response, id: &str, response: &mut HttpResponse) {
    if let Some(status) = change.status.and_then(|it| it.try_into().ok()) {
        response.status = status;
    }
    for (name, value) in &change.headers {
        let Ok(name) = name.parse::<http::HeaderName>() else {
            continue;
        };
        match value.as_deref().map(|it| it.as_bytes().try_into()) {
            None => drop(response.headers.remove(name)),
            Some(Ok(value)) => drop(response.headers.insert(name, value)),
            // What no header can hold is not sent.
            Some(Err(_)) => {}
        }
    }
    if let Some(body) = &change.body {
        let same = response.body.take().unwrap_or_default();
        response.body = Some(filled(body, id, &same));
    }
}

impl Log {
    /// Whether each request of the client got its answer as it is.
    pub(crate) fn all_answered(&self) -> bool {
        !self.disturbed && self.open.iter().all(|id| self.answered.contains(id))
    }

    fn write(&mut self, from_client: bool, what: &str, bytes: &[u8]) {
        if self.traffic.len() >= TRAFFIC_MAX {
            return;
        }
        let at_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let kept = bytes.len().min(LINE_BYTES_MAX);
        self.traffic.push(Line {
            at_us,
            from_client,
            what: what.to_owned(),
            bytes: bytes[..kept].to_vec(),
            cut: bytes.len() - kept,
        });
    }
}

/// Where messages are posted.
const MESSAGE_PATHS: [&str; 2] = ["/mcp", "/messages"];

/// What would be sent, as far as it is kept.
const SEEN_MAX: usize = 1000;
/// Bytes of one of those.
const SEEN_BYTES_MAX: usize = 256 * 1024;
/// Messages of a client that are kept.
const HEARD_MAX: usize = 5000;
/// Bytes of one of those.
const HEARD_BYTES_MAX: usize = 64 * 1024;
/// Lines of the traffic that are kept.
const TRAFFIC_MAX: usize = 200;
/// Bytes of one of those.
const LINE_BYTES_MAX: usize = 2000;
