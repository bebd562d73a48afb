//! Reads events one by one and ties requests to their responses.

use std::collections::BTreeMap;

use mcp_verdict_wire::{
    limits::JSON_VALUES_MAX,
    message::{Lenient, Malformed, Remark},
    transcript::{Bytes, Event, EventKind, Exchange},
};
use serde_json::Value;

use super::{
    exchange::{HttpExchange, HttpResponse},
    message::{Direction, Kind, Message, TWICE, integer},
};

/// What was understood of the events read so far. Grows with them.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The messages of both sides, batches taken apart, in the order of their events.
    pub messages: Vec<Message>,
    /// The HTTP exchanges by number.
    pub exchanges: BTreeMap<Exchange, HttpExchange>,
    /// What became of the channel, and of the child.
    pub process: Process,
    /// Waits that ended without what they waited for.
    pub timeouts: Vec<TimedOut>,
    /// Events that tell of trouble on our side, with what they say.
    pub troubles: Vec<(usize, String)>,
    /// Events that tell of a broken limit, or that are too much to be read, with the limit's name.
    pub limits: Vec<(usize, String)>,
    /// Our `initialize` requests: indices into `messages`.
    pub openings: Vec<usize>,
    /// `(index of the step, index of the event)`.
    steps: Vec<(usize, usize)>,
    /// How many events were read.
    read: usize,
    /// How many JSON values their messages hold. There is room for those of one large message.
    values: usize,
    /// Our messages: indices into `messages`. Rules ask for them at each message of a target, which may
    /// send tens of thousands.
    pub(super) ours: Vec<usize>,
    ours_open: Vec<usize>,
    theirs_open: Vec<usize>,
}

/// The facts of the channel, and of the child behind it if there is one, each with its event.
#[derive(Clone, Debug, Default)]
pub struct Process {
    /// It was started.
    pub started: Option<usize>,
    /// We closed its input.
    pub input_closed: Option<usize>,
    /// It closed its output.
    pub output_closed: Option<usize>,
    /// What it said when it closed the channel.
    pub closed: Option<Closing>,
    /// It is gone.
    pub exited: Option<Exit>,
    /// Signals that we sent.
    pub signalled: Vec<(usize, String)>,
    /// Where it wrote to its standard error.
    pub stderr: Vec<usize>,
    /// What it held in memory, in KiB, each time we looked.
    pub memory: Vec<(usize, u64)>,
}

/// What the target said when it closed the channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Its event.
    pub event: usize,
    /// The code of a WebSocket close frame, or the status of a gRPC call.
    pub code: Option<u32>,
    /// The text beside it.
    pub reason: String,
}

/// The end of the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its event.
    pub event: usize,
    /// Its exit code, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// A wait that ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut {
    /// Its event.
    pub event: usize,
    /// The step that waited.
    pub step: usize,
    /// For how long, in milliseconds.
    pub after_ms: u64,
}

/// Elements of one batch that are looked at: more than anyone sends, and few enough that a body of 16 MiB
/// of zeros does not fill memory.
const BATCH_MAX: usize = 10_000;

impl Reading {
    /// Reads the events that were not read yet; `events` begins with those that were.
    pub fn extend(&mut self, events: &[Event]) {
        for (index, event) in events.iter().enumerate().skip(self.read) {
            self.push(index, event);
        }
        self.read = self.read.max(events.len());
    }

    /// How many events were read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read
    }

    /// Whether none was.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.read == 0
    }

    /// The event at which step `index` begins.
    #[must_use]
    pub fn step_at(&self, index: usize) -> Option<usize> {
        self.steps
            .iter()
            .find(|(step, _)| *step == index)
            .map(|(_, event)| *event)
    }

    /// The event at which the step after `index` begins, or the vector ends.
    #[must_use]
    pub fn step_end(&self, index: usize) -> Option<usize> {
        let place = self.steps.iter().position(|(step, _)| *step == index)?;
        self.steps.get(place + 1).map(|(_, event)| *event)
    }

    /// The event at which the vector begins; before it the session was opened.
    #[must_use]
    pub fn first_step(&self) -> Option<usize> {
        self.steps.first().map(|(_, event)| *event)
    }

    /// The event of the last step, or of the mark behind it.
    #[must_use]
    pub fn last_step(&self) -> Option<usize> {
        self.steps.last().map(|(_, event)| *event)
    }

    /// The step during which `event` happened.
    #[must_use]
    pub fn step_of(&self, event: usize) -> Option<usize> {
        self.steps
            .iter()
            .rev()
            .find(|(_, at)| *at <= event)
            .map(|(step, _)| *step)
    }

    /// Our messages that were not answered, so far as they ask for an answer.
    pub fn unanswered_of_ours(&self) -> impl Iterator<Item = &Message> {
        self.ours_open.iter().map(|index| &self.messages[*index])
    }

    /// Requests of the target that we have not answered, with their places in `messages`.
    pub fn open_of_target(&self) -> impl Iterator<Item = (usize, &Message)> {
        self.theirs_open
            .iter()
            .map(|index| (*index, &self.messages[*index]))
    }

    /// Requests of the target that we have not answered.
    pub fn unanswered_of_target(&self) -> impl Iterator<Item = &Message> {
        self.theirs_open.iter().map(|index| &self.messages[*index])
    }

    fn push(&mut self, index: usize, event: &Event) {
        match &event.kind {
            EventKind::Step { index: step } => self.steps.push((*step, index)),
            EventKind::TimedOut {
                index: step,
                after_ms,
            } => {
                self.timeouts.push(TimedOut {
                    event: index,
                    step: *step,
                    after_ms: *after_ms,
                });
            }
            EventKind::Sent {
                exchange, bytes, ..
            }
            | EventKind::Received {
                exchange, bytes, ..
            } => {
                self.messages_of(index, event, *exchange, bytes);
            }
            EventKind::ProcessStarted { .. } => self.process.started = Some(index),
            EventKind::Stderr { .. } => self.process.stderr.push(index),
            EventKind::InputClosed => self.process.input_closed = Some(index),
            EventKind::OutputClosed { .. } => self.process.output_closed = Some(index),
            EventKind::Closed {
                exchange: 0,
                code,
                reason,
            } => {
                self.process.closed = Some(Closing {
                    event: index,
                    code: *code,
                    reason: reason.clone(),
                });
            }
            EventKind::Signalled { signal } => self.process.signalled.push((index, signal.clone())),
            EventKind::Exited { code, signal } => {
                self.process.exited = Some(Exit {
                    event: index,
                    code: *code,
                    signal: *signal,
                });
            }
            EventKind::Memory { kib } => self.process.memory.push((index, *kib)),
            EventKind::LimitExceeded { limit, .. } => self.limits.push((index, limit.clone())),
            EventKind::Trouble { text } => self.troubles.push((index, text.clone())),
            _ => self.http(index, event),
        }
    }

    fn http(&mut self, index: usize, event: &Event) {
        match &event.kind {
            EventKind::HttpRequest {
                exchange,
                label,
                meant,
                method,
                url,
                headers,
                ..
            } => {
                let of = self.exchange(*exchange);
                of.request = Some(index);
                of.at_us = event.at_us;
                of.method.clone_from(method);
                of.url.clone_from(url);
                of.request_headers.clone_from(headers);
                of.label.clone_from(label);
                of.meant = *meant;
            }
            EventKind::HttpResponse {
                exchange,
                status,
                version,
                headers,
            } => {
                self.exchange(*exchange).response = Some(HttpResponse {
                    event: index,
                    at_us: event.at_us,
                    status: *status,
                    version: version.clone(),
                    headers: headers.clone(),
                });
            }
            EventKind::HttpBody { exchange, .. } => self.exchange(*exchange).body = Some(index),
            EventKind::Trailers { exchange, headers } => {
                let of = self.exchange(*exchange);
                of.trailers = Some((index, headers.clone()));
            }
            EventKind::SseEvent { exchange, .. } | EventKind::SseComment { exchange, .. } => {
                self.exchange(*exchange).stream.push(index);
            }
            EventKind::HttpEnd { exchange, how } => {
                self.exchange(*exchange)
                    .ended
                    .get_or_insert((index, how.clone()));
            }
            _ => {}
        }
    }

    fn exchange(&mut self, number: Exchange) -> &mut HttpExchange {
        self.exchanges
            .entry(number)
            .or_insert_with(|| HttpExchange {
                number,
                ..HttpExchange::default()
            })
    }

    fn messages_of(&mut self, index: usize, event: &Event, exchange: Exchange, bytes: &Bytes) {
        let template = template(index, event, exchange);
        if template.sse.is_some() {
            self.exchange(exchange).stream.push(index);
        }
        // What we send ourselves takes nothing from the room that there is for the target.
        let ours = template.direction == Direction::Us;
        let taken = if ours { 0 } else { self.values };
        let room = JSON_VALUES_MAX.saturating_sub(taken);
        let (value, remarks) = match parse(bytes, room) {
            Ok((value, remarks, values)) => {
                self.values += if ours { 0 } else { values };
                (value, remarks)
            }
            // It may be all that it should be; nothing is said about what was not read.
            Err(malformed) if malformed.is_limit() && !ours => {
                return self.limits.push((
                    index,
                    format!("a message is more than is read: {malformed}"),
                ));
            }
            Err(malformed) => {
                return self.add(Message {
                    kind: Kind::invalid(malformed.to_string(), None),
                    ..template
                });
            }
        };
        match value {
            Value::Array(items) if !items.is_empty() => {
                let count = items.len();
                for (position, item) in items.into_iter().take(BATCH_MAX).enumerate() {
                    let remarks = if position == 0 {
                        remarks.clone()
                    } else {
                        Vec::new()
                    };
                    self.add(Message {
                        batch: Some(position),
                        kind: Kind::of(&item),
                        value: Some(item),
                        remarks,
                        ..template.clone()
                    });
                }
                if count > BATCH_MAX {
                    let why =
                        format!("a batch of {count}, of which only {BATCH_MAX} were looked at");
                    self.add(Message {
                        kind: Kind::invalid(why, None),
                        ..template
                    });
                }
            }
            value => {
                let kind = if value.is_array() {
                    Kind::invalid("an empty batch".to_owned(), None)
                } else {
                    Kind::of(&value)
                };
                self.add(Message {
                    kind,
                    value: Some(value),
                    remarks,
                    ..template
                });
            }
        }
    }

    fn add(&mut self, mut message: Message) {
        let index = self.messages.len();
        let (ours, response) = (!message.is_targets(), message.is_response());
        if response {
            let open = if ours {
                &self.theirs_open
            } else {
                &self.ours_open
            };
            if let Some(place) = self.place_of_request(&message, open) {
                let open = if ours {
                    &mut self.theirs_open
                } else {
                    &mut self.ours_open
                };
                let request = open.remove(place);
                self.messages[request].answer = Some(index);
                message.answers = Some(request);
            }
        } else if message.is_request() {
            if ours {
                &mut self.ours_open
            } else {
                &mut self.theirs_open
            }
            .push(index);
            if ours && message.method() == Some("initialize") {
                self.openings.push(index);
            }
        } else if ours && matches!(message.kind, Kind::Invalid { .. }) {
            // What we send broken may be answered with an error.
            self.ours_open.push(index);
        }
        if message.exchange != 0 {
            let exchange = self.exchange(message.exchange);
            exchange.messages.push(index);
            if ours {
                exchange.ours.push(index);
            }
        }
        if ours {
            self.ours.push(index);
        }
        self.messages.push(message);
    }

    /// Where in `open` the request stands that `response` answers: by its id, else by an id that only
    /// differs in type, else - for an error without an id - the request that it must be about.
    fn place_of_request(&self, response: &Message, open: &[usize]) -> Option<usize> {
        let same_exchange = |index: &usize| {
            response.exchange != 0 && self.messages[*index].exchange == response.exchange
        };
        let id = response.id().filter(|id| !id.is_null());
        let Some(id) = id else {
            return self.place_without_id(response, open);
        };
        let find = |same: &dyn Fn(&Value) -> bool| {
            let fits = |index: &usize| self.messages[*index].id().is_some_and(same);
            open.iter()
                .position(|index| same_exchange(index) && fits(index))
                .or_else(|| open.iter().position(fits))
        };
        find(&|other| other == id).or_else(|| {
            // What has this very id is answered by it, and nothing else is.
            let asker = !response.is_targets();
            let known = |other: &Message| other.is_targets() == asker && other.id() == Some(id);
            if self
                .messages
                .iter()
                .any(|other| !other.is_response() && known(other))
            {
                return None;
            }
            let spelled = loosely(id)?;
            find(&|other| loosely(other).as_ref() == Some(&spelled))
        })
    }

    fn place_without_id(&self, response: &Message, open: &[usize]) -> Option<usize> {
        if response.exchange != 0 {
            let here = open
                .iter()
                .position(|index| self.messages[*index].exchange == response.exchange);
            if here.is_some() {
                return here;
            }
            // What comes back for a POST of ours is about that, even if it asked for nothing.
            let posted = |index: &usize| self.messages[*index].exchange == response.exchange;
            if self.ours.iter().any(posted) || self.is_json_body(response) {
                return None;
            }
        }
        let invalid = |index: &usize| matches!(self.messages[*index].kind, Kind::Invalid { .. });
        let meant = |index: &usize| self.messages[*index].meant;
        // On a channel of its own such an error can only be about what is still open there: first of all what has no
        // readable id.
        open.iter()
            .position(invalid)
            .or_else(|| open.iter().position(meant))
            .or((open.len() == 1).then_some(0))
    }

    /// Whether it is the body of a response, and so about that request alone: an `OPTIONS`, for instance.
    fn is_json_body(&self, response: &Message) -> bool {
        let exchange = self.exchanges.get(&response.exchange);
        let media = exchange.and_then(|exchange| exchange.response_header("content-type"));
        media.is_some_and(|media| {
            let essence = media.split(';').next().unwrap_or_default();
            essence.trim().eq_ignore_ascii_case("application/json")
        })
    }
}

fn template(event: usize, of: &Event, exchange: Exchange) -> Message {
    let (direction, label, meant, sse) = match &of.kind {
        EventKind::Sent { label, meant, .. } => (Direction::Us, label.clone(), *meant, None),
        EventKind::Received { sse, .. } => (Direction::Target, None, false, sse.clone()),
        _ => (Direction::Target, None, false, None),
    };
    Message {
        event,
        at_us: of.at_us,
        exchange,
        direction,
        label,
        meant,
        sse,
        batch: None,
        value: None,
        kind: Kind::invalid(String::new(), None),
        remarks: Vec::new(),
        answer: None,
        answers: None,
    }
}

/// The JSON in `bytes`, what was noticed about them, and how many values it holds.
fn parse(bytes: &Bytes, values_max: usize) -> Result<(Value, Vec<String>, usize), Malformed> {
    let lenient = Lenient::parse_within(&bytes.0, values_max)?;
    let duplicates = lenient
        .duplicate_keys
        .iter()
        .map(|at| format!("{at}{TWICE}"));
    let others = lenient.remarks.iter().map(|remark| match remark {
        Remark::ByteOrderMark => "a byte order mark precedes it".to_owned(),
        Remark::LoneSurrogate { offset } => format!("byte {offset} escapes half of a character"),
    });
    let remarks = duplicates.chain(others).collect();
    Ok((lenient.value, remarks, lenient.values))
}

/// An id's text without its type, to find the request that a mistyped id belongs to.
fn loosely(id: &Value) -> Option<String> {
    match id {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            Some(integer(id).map_or_else(|| number.to_string(), |id| id.to_string()))
        }
        _ => None,
    }
}
