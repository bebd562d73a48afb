//! Finding the answer to one request among what is recorded, and noticing when none can come any more.

use std::{collections::VecDeque, time::Duration};

use mcp_verdict_transport::Recorder;
use mcp_verdict_wire::{
    TransportKind,
    message::Lenient,
    transcript::{Ended, Event, EventKind, Exchange},
};
use serde_json::Value;

use super::{SessionError, answer::is_request, error::cut};

/// The answer to a request: a result or an error.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The method that it answers.
    pub method: String,
    /// The whole message.
    pub message: Value,
    /// The HTTP status it came with, on HTTP.
    pub status: Option<u16>,
    /// The HTTP exchange of the request; 0 on stdio.
    pub exchange: Exchange,
}

impl Reply {
    /// The result, if it is one.
    #[must_use]
    pub fn result(&self) -> Option<&Value> {
        self.message.get("result")
    }

    /// Its result.
    ///
    /// # Errors
    /// When it is an error, or its result is no object.
    pub fn into_result(mut self) -> Result<Value, SessionError> {
        let method = self.method;
        if let Some(error) = self.message.get("error") {
            let code = error
                .get("code")
                .and_then(Value::as_i64)
                .unwrap_or_default();
            let message = error
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default();
            return Err(SessionError::Rpc {
                method,
                code,
                message: cut(message, SHOWN_CHARACTERS),
                data: error.get("data").cloned().map(Box::new),
            });
        }
        match self.message.get_mut("result").map(Value::take) {
            Some(result @ Value::Object(_)) => Ok(result),
            _ => Err(SessionError::Malformed {
                method,
                why: "its result is no object".to_owned(),
            }),
        }
    }
}

/// What was heard while waiting for an answer.
pub(super) enum Heard {
    /// The answer.
    Reply(Reply),
    /// A request of the server's.
    Request(Value),
    /// No answer can come any more.
    Over,
}

/// One wait for one answer.
pub(super) struct Listener {
    method: String,
    id: Value,
    exchange: Exchange,
    /// The event stream of HTTP+SSE, on which answers come.
    stream: Option<Exchange>,
    transport: TransportKind,
    /// Index of the next event to read.
    next: usize,
    heard: VecDeque<Heard>,
    status: Option<u16>,
    content_type: Option<String>,
    www_authenticate: Option<String>,
    body: String,
    /// The exchange that could have brought it is over.
    ended: bool,
    /// What was received is our own request.
    echoed: bool,
    broken: Option<String>,
    limit: Option<String>,
    not_json: Vec<String>,
    output_closed: bool,
    /// What the server said when it closed the channel.
    closed: Option<String>,
    exited: Option<(Option<i32>, Option<i32>)>,
}

impl Listener {
    pub(super) fn new(
        transport: TransportKind,
        stream: Option<Exchange>,
        next: usize,
        (method, id, exchange): (&str, &Value, Exchange),
    ) -> Self {
        Self {
            method: method.to_owned(),
            id: id.clone(),
            exchange,
            stream,
            transport,
            next,
            heard: VecDeque::new(),
            status: None,
            content_type: None,
            www_authenticate: None,
            body: String::new(),
            ended: false,
            echoed: false,
            broken: None,
            limit: None,
            not_json: Vec::new(),
            output_closed: false,
            closed: None,
            exited: None,
        }
    }

    /// Index of the first event not yet read.
    pub(super) fn position(&self) -> usize {
        self.next
    }

    /// The target is going: what is still to come comes soon.
    pub(super) fn is_leaving(&self) -> bool {
        self.output_closed || self.exited.is_some()
    }

    /// Reads what is new until there is something to tell.
    pub(super) fn hear(&mut self, events: &[Event]) -> Option<Heard> {
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return Some(heard);
            }
            let event = events.get(self.next)?;
            self.next += 1;
            self.read(&event.kind);
        }
    }

    /// As [`Listener::hear`], but gives `None` also when only the target's leaving was noticed, so that the
    /// caller can shorten its patience.
    pub(super) fn hear_or_leave(&mut self, events: &[Event]) -> Option<Option<Heard>> {
        let was_leaving = self.is_leaving();
        match self.hear(events) {
            Some(heard) => Some(Some(heard)),
            None if self.is_leaving() && !was_leaving => Some(None),
            None => None,
        }
    }

    fn read(&mut self, kind: &EventKind) {
        match kind {
            EventKind::Received {
                exchange, bytes, ..
            } => self.message(*exchange, &bytes.0),
            EventKind::HttpResponse {
                exchange,
                status,
                headers,
                ..
            } if *exchange == self.exchange => {
                let header = |wanted: &str| {
                    headers
                        .iter()
                        .find(|(name, _)| name == wanted)
                        .map(|(_, value)| value.clone())
                };
                self.status = Some(*status);
                self.content_type = header("content-type");
                self.www_authenticate = header("www-authenticate");
            }
            EventKind::HttpBody { exchange, bytes } if *exchange == self.exchange => {
                let start = &bytes.0[..bytes.0.len().min(4 * SHOWN_CHARACTERS)];
                self.body = cut(&String::from_utf8_lossy(start), SHOWN_CHARACTERS);
            }
            EventKind::HttpEnd { exchange, how } => self.end(*exchange, how),
            EventKind::LimitExceeded { limit, .. } => {
                self.limit = Some(limit.clone());
                self.heard.push_back(Heard::Over);
            }
            EventKind::Closed {
                exchange: 0,
                code,
                reason,
            } => {
                let code = code.map_or_else(String::new, |code| format!("{code} "));
                self.closed = Some(cut(&format!(": {code}{reason}"), SHOWN_CHARACTERS));
            }
            EventKind::OutputClosed { rest } => {
                self.output_closed = true;
                if !rest.0.is_empty() {
                    self.message(0, &rest.0);
                }
                self.leave();
            }
            EventKind::Exited { code, signal } => {
                self.exited = Some((*code, *signal));
                self.leave();
            }
            _ => {}
        }
    }

    fn leave(&mut self) {
        let is_program = self.transport == TransportKind::Stdio;
        if self.output_closed && (self.exited.is_some() || !is_program) {
            self.heard.push_back(Heard::Over);
        }
    }

    fn end(&mut self, exchange: Exchange, how: &Ended) {
        let answers_elsewhere = self.transport == TransportKind::HttpSse
            && *how == Ended::Complete
            && self.status.is_some_and(|status| status < 400);
        let ours = exchange == self.exchange && !answers_elsewhere;
        if ours || Some(exchange) == self.stream {
            if let Ended::Broken(why) = how {
                self.broken = Some(why.clone());
            }
            self.ended = true;
            self.heard.push_back(Heard::Over);
        }
    }

    fn message(&mut self, exchange: Exchange, bytes: &[u8]) {
        match Lenient::parse(bytes).map(|read| read.value) {
            Ok(Value::Array(batch)) => batch.into_iter().for_each(|one| self.one(exchange, one)),
            Ok(single) => self.one(exchange, single),
            Err(malformed) if malformed.is_limit() => {
                self.limit
                    .get_or_insert(format!("a message is more than is read: {malformed}"));
                self.heard.push_back(Heard::Over);
            }
            Err(_) => {
                let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * SHOWN_CHARACTERS)]);
                if self.not_json.len() < NOT_JSON_LINES_MAX && !text.trim().is_empty() {
                    self.not_json.push(cut(&text, SHOWN_CHARACTERS));
                }
            }
        }
    }

    fn one(&mut self, exchange: Exchange, message: Value) {
        let is_own = message.get("method").and_then(Value::as_str) == Some(self.method.as_str())
            && message.get("id") == Some(&self.id);
        if is_own {
            // `cat`, or a terminal: an answer would come back as well.
            self.echoed = true;
            self.heard.push_back(Heard::Over);
        } else if is_request(&message) {
            self.heard.push_back(Heard::Request(message));
        } else if self.is_answer(exchange, &message) {
            self.heard.push_back(Heard::Reply(Reply {
                method: self.method.clone(),
                message,
                status: self.status,
                exchange: self.exchange,
            }));
        }
    }

    /// The id decides; its type may be wrong, which is for rules to say. An error that cannot name the
    /// request is taken for its answer where it can be no other's.
    fn is_answer(&self, exchange: Exchange, message: &Value) -> bool {
        let is_error = message.get("error").is_some_and(Value::is_object);
        if !is_error && message.get("result").is_none() {
            return false;
        }
        let id = message.get("id").unwrap_or(&Value::Null);
        let plain = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let unnamed = id.is_null() || exchange != 0;
        plain(id) == plain(&self.id) || (is_error && exchange == self.exchange && unnamed)
    }

    /// Why there is no answer, after `after`.
    pub(super) fn give_up(self, recorder: &Recorder, after: Duration) -> SessionError {
        let method = self.method;
        if let Some(limit) = self.limit {
            return SessionError::Limit { method, limit };
        }
        if self.echoed {
            let why = "the request itself came back".to_owned();
            return SessionError::Malformed { method, why };
        }
        if self.output_closed && self.transport != TransportKind::Stdio {
            let why = self.closed.unwrap_or_default();
            return SessionError::Closed { method, why };
        }
        if self.output_closed || self.exited.is_some() {
            let (code, signal) = self.exited.unwrap_or_default();
            let stderr = stderr_tail(recorder);
            return SessionError::Exited {
                method,
                code,
                signal,
                stderr,
                not_json: self.not_json,
            };
        }
        if let Some(why) = self.broken {
            return SessionError::broken(&why);
        }
        match (self.status, self.not_json.into_iter().next()) {
            (Some(status), _) if status >= 400 => SessionError::Status {
                status,
                method,
                www_authenticate: self.www_authenticate,
                body: self.body,
            },
            (Some(status), _) if self.ended => SessionError::Empty {
                status,
                method,
                content_type: self.content_type,
                body: self.body,
            },
            (None, Some(line)) => SessionError::NotJson { line },
            _ => SessionError::NoAnswer { method, after },
        }
    }
}

/// The end of what the child wrote on standard error.
pub(super) fn stderr_tail(recorder: &Recorder) -> String {
    let bytes: Vec<u8> = recorder.look(|events| {
        let pieces = events.iter().filter_map(|event| match &event.kind {
            EventKind::Stderr { bytes } => Some(&*bytes.0),
            _ => None,
        });
        pieces.collect::<Vec<_>>().concat()
    });
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.len().saturating_sub(STDERR_LINES);
    lines[last..]
        .iter()
        .map(|line| cut(line, SHOWN_CHARACTERS))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How much of a body, a line or a message is shown.
const SHOWN_CHARACTERS: usize = 200;

/// Lines of standard output that are kept because they are no JSON.
const NOT_JSON_LINES_MAX: usize = 3;

/// Last lines of standard error that are shown.
const STDERR_LINES: usize = 12;
