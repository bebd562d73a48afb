//! What an expectation looks at: whether its value is there, may still come, or never will.

use mcp_verdict_vectors::{
    matcher,
    model::{Level, Step, Subject, Vector},
};
use mcp_verdict_wire::{Revision, TransportKind, transcript::Ended};
use serde_json::{Map, Value, json};

use super::walk::RevisionSchemas;
use crate::{
    rules,
    view::{Closing, HttpExchange, Message, View},
};

/// How things stand with a subject.
#[derive(Clone, Debug, PartialEq)]
pub enum SubjectState {
    /// Its value, which will not change any more.
    Ready(Seen),
    /// Its value so far: a list or a stream that may still grow.
    Partial(Seen),
    /// No value yet.
    Pending,
    /// No value, and none can come: why.
    Never(String),
}

/// A subject's value and where it was seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// The value.
    pub value: Value,
    /// Indices of events.
    pub evidence: Vec<usize>,
}

/// Looks at a transcript up to `horizon`, an event's index.
pub(super) struct Look<'a, 't> {
    pub(super) vector: &'a Vector,
    pub(super) view: &'a View<'t>,
    pub(super) horizon: usize,
}

impl Look<'_, '_> {
    /// What a broken expectation means in this revision.
    pub(super) fn level(&self) -> Level {
        self.vector.level_in(self.view.head.revision)
    }

    /// The state of `subject`, whose pattern has its variables already replaced.
    pub(super) fn state(&self, subject: &Subject, variables: &Map<String, Value>) -> SubjectState {
        match subject {
            Subject::Response(label) => self.response(label),
            Subject::Http(label) => self.http(label),
            Subject::Message(pattern) => self.message(pattern),
            Subject::Messages(pattern) => self.messages(pattern),
            Subject::Stream(label) => self.stream(label),
            Subject::Replies(label) => self.replies(label),
            Subject::Pages(label) => self.pages(label),
            Subject::Frames(pattern) => self.frames(pattern),
            Subject::Closed(_) => self.closed(),
            Subject::Exit(_) => self.exit(),
            Subject::Memory(_) => self.memory(),
            Subject::Rule(id) => self.rule(id),
            Subject::Variables(_) => SubjectState::Ready(Seen {
                value: Value::Object(variables.clone()),
                evidence: Vec::new(),
            }),
        }
    }

    fn response(&self, label: &str) -> SubjectState {
        let Some(request) = self.sent(label) else {
            // What goes with a handshake is sent when that is over.
            let exchange = self.view.exchange_named(label);
            return match exchange.is_some_and(|of| self.ended(of).is_none()) {
                true => SubjectState::Pending,
                false => SubjectState::Never(format!("`{label}` was not sent")),
            };
        };
        match self.answer(request) {
            Some(answer) => SubjectState::Ready(seen(answer, [request.event])),
            None => self
                .why_never(request)
                .map_or(SubjectState::Pending, SubjectState::Never),
        }
    }

    /// Our message with this name.
    fn sent(&self, label: &str) -> Option<&Message> {
        self.view
            .request_named(label)
            .filter(|message| self.before(message.event))
    }

    /// The answer to a request of ours, within the horizon.
    pub(super) fn answer(&self, request: &Message) -> Option<&Message> {
        self.view
            .response_to(request)
            .filter(|answer| self.before(answer.event))
    }

    /// Why no answer to `request` can come any more.
    pub(super) fn why_never(&self, request: &Message) -> Option<String> {
        let Some(exchange) = self.view.exchanges.get(&request.exchange) else {
            return self.output_closed();
        };
        let how = self.ended(exchange)?;
        let refused = exchange.status().is_none_or(|status| status >= 400);
        let elsewhere = match self.view.head.transport {
            TransportKind::HttpSse => !refused,
            _ => true,
        };
        if elsewhere
            && self
                .view
                .exchanges
                .values()
                .any(|other| self.may_bring(other))
        {
            return None;
        }
        Some(match (how, exchange.response.as_ref()) {
            (Ended::Broken(reason), None) => format!("there was no HTTP response: {reason}"),
            (Ended::Dropped, _) => "its HTTP exchange was closed by us".to_owned(),
            (Ended::Broken(reason), Some(response)) => {
                format!(
                    "HTTP {} broke off without the answer: {reason}",
                    response.status
                )
            }
            (Ended::Complete, Some(response)) => {
                format!("HTTP {} came without the answer", response.status)
            }
            (Ended::Complete, None) => "there was no HTTP response".to_owned(),
        })
    }

    /// Whether a stream is open on which something can still come.
    fn may_bring(&self, exchange: &HttpExchange) -> bool {
        let get = exchange.method == "GET" || exchange.request.is_none();
        get && self.ended(exchange).is_none() && exchange.status().is_none_or(|status| status < 300)
    }

    /// Where the target left: its process is gone, or where there is none, its side of the channel closed.
    pub(super) fn gone(&self) -> Option<usize> {
        let process = &self.view.process;
        let gone = match self.view.head.transport {
            TransportKind::Stdio => process.exited.map(|exit| exit.event),
            // The end of a server that we started is recorded beside what becomes of its connections.
            _ => process
                .output_closed
                .or(process.exited.map(|exit| exit.event)),
        };
        gone.filter(|event| self.before(*event))
    }

    pub(super) fn output_closed(&self) -> Option<String> {
        let process = &self.view.process;
        process.output_closed.filter(|event| self.before(*event))?;
        Some(
            match process.exited.filter(|exit| self.before(exit.event)) {
                Some(exit) => format!(
                    "the target exited ({})",
                    how_it_ended(exit.code, exit.signal)
                ),
                None => match &process.closed {
                    Some(Closing {
                        code: Some(code),
                        reason,
                        ..
                    }) => format!("the target closed the channel ({code} {reason})"),
                    _ => "the target closed its output".to_owned(),
                },
            },
        )
    }

    pub(super) fn ended<'e>(&self, exchange: &'e HttpExchange) -> Option<&'e Ended> {
        exchange
            .ended
            .as_ref()
            .filter(|(event, _)| self.before(*event))
            .map(|(_, how)| how)
    }

    pub(super) fn before(&self, event: usize) -> bool {
        event < self.horizon
    }

    /// The target's messages since the vector's first step.
    fn since_first_step(&self) -> impl Iterator<Item = &Message> {
        let first = self.view.first_step().unwrap_or(0);
        self.view
            .targets()
            .filter(move |message| message.event >= first && self.before(message.event))
    }

    fn matching<'s>(&'s self, pattern: &'s Value) -> impl Iterator<Item = &'s Message> {
        let schemas = RevisionSchemas::of(self.revision());
        self.since_first_step().filter(move |message| {
            let value = message.value.as_ref();
            value.is_some() && matcher::matches(pattern, value, &schemas).is_ok()
        })
    }

    pub(super) fn revision(&self) -> Revision {
        self.view.head.revision
    }

    fn message(&self, pattern: &Value) -> SubjectState {
        match self.matching(pattern).next() {
            Some(message) => SubjectState::Ready(seen(message, [])),
            None => self
                .all_closed()
                .map_or(SubjectState::Pending, SubjectState::Never),
        }
    }

    fn messages(&self, pattern: &Value) -> SubjectState {
        let list = list(self.matching(pattern));
        if self.all_closed().is_some() {
            SubjectState::Ready(list)
        } else {
            SubjectState::Partial(list)
        }
    }

    /// Why nothing more can come from the target at all.
    fn all_closed(&self) -> Option<String> {
        let mut exchanges = self.view.exchanges.values();
        let open = exchanges.any(|exchange| self.ended(exchange).is_none());
        match self.view.head.transport {
            // Connections beside the channel bring messages too.
            TransportKind::Ws | TransportKind::WsDraft if open => return None,
            transport if transport.is_channel() => return self.output_closed(),
            _ => {}
        }
        (!open).then(|| "no HTTP exchange is open on which it could come".to_owned())
    }

    fn stream(&self, label: &str) -> SubjectState {
        if let Some(exchange) = self.view.exchange_named(label)
            && self.view.head.transport.has_exchanges()
        {
            let list = list(self.on_exchange(exchange));
            return match self.ended(exchange) {
                Some(_) => SubjectState::Ready(list),
                None => SubjectState::Partial(list),
            };
        }
        let Some(request) = self.sent(label) else {
            return SubjectState::Never(format!("there is no stream `{label}`"));
        };
        let answer = self.answer(request).map(|answer| answer.event);
        let list = list(self.since_first_step().filter(|message| {
            message.event > request.event
                && answer.is_none_or(|answer| message.event <= answer)
                && belongs(message, request)
        }));
        if answer.is_some() || self.output_closed().is_some() {
            SubjectState::Ready(list)
        } else {
            SubjectState::Partial(list)
        }
    }

    fn replies(&self, label: &str) -> SubjectState {
        let Some(sent) = self
            .view
            .named(label)
            .next()
            .filter(|sent| self.before(sent.event))
        else {
            return SubjectState::Never(format!("`{label}` was not sent"));
        };
        let exchange = self.view.exchanges.get(&sent.exchange);
        if let Some(exchange) = exchange
            && self.view.head.transport.has_exchanges()
        {
            let list = list(
                self.on_exchange(exchange)
                    .filter(|message| answers(message)),
            );
            return match self.ended(exchange) {
                Some(Ended::Broken(reason)) if exchange.response.is_none() => {
                    SubjectState::Never(format!("there was no HTTP response: {reason}"))
                }
                Some(_) => SubjectState::Ready(list),
                None => SubjectState::Partial(list),
            };
        }
        let barrier = self.barrier_after(sent.event);
        let replies = self.since_first_step().filter(|message| {
            message.event > sent.event
                && barrier.is_none_or(|end| message.event <= end)
                && answers(message)
                && message.answers.is_none_or(|request| {
                    // A response without an id is tied to whatever was open, if only to the barrier.
                    message.id().is_none_or(Value::is_null)
                        || self.view.messages[request].label.as_deref() == Some(label)
                })
        });
        let list = list(replies);
        if barrier.is_some() || self.output_closed().is_some() {
            SubjectState::Ready(list)
        } else {
            SubjectState::Partial(list)
        }
    }

    /// The end of the first barrier after `event` that was answered, with the moment that what it overtook has.
    fn barrier_after(&self, event: usize) -> Option<usize> {
        let barriers = self.vector.steps.iter().enumerate();
        barriers
            .filter(|(_, step)| matches!(step, Step::Barrier(_)))
            .find_map(|(index, _)| {
                let request = self
                    .barrier_request(index)
                    .filter(|request| request.event > event)?;
                let answered = self.answer(request)?.event;
                Some(self.view.step_end(index).unwrap_or(answered))
            })
    }

    /// The request that serves as the barrier of step `index`.
    pub(super) fn barrier_request(&self, index: usize) -> Option<&Message> {
        let begin = self.view.step_at(index)?;
        let end = self.view.step_end(index).unwrap_or(usize::MAX);
        self.view.ours().find(|message| {
            (begin..end).contains(&message.event)
                && message.is_request()
                && message.label.is_none()
                && self.before(message.event)
        })
    }

    fn pages(&self, label: &str) -> SubjectState {
        let items = self.vector.steps.iter().find_map(|step| match step {
            Step::Pages(pages) if pages.label == label => Some(pages.items.as_str()),
            _ => None,
        });
        let Some(items) = items else {
            return SubjectState::Never(format!("no step is named `{label}`"));
        };
        let (mut pages, mut all, mut cursors) = (Vec::new(), Vec::new(), Vec::new());
        let (mut evidence, mut complete) = (Vec::new(), false);
        for page in 0.. {
            let Some(request) = self.sent(&format!("{label}.{page}")) else {
                break;
            };
            complete = false;
            let Some(answer) = self.answer(request) else {
                break;
            };
            evidence.push(answer.event);
            let Some(result) = answer.result() else { break };
            all.extend(
                result
                    .get(items)
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
            let cursor = result.get("nextCursor").filter(|cursor| !cursor.is_null());
            cursors.extend(cursor.cloned());
            complete = cursor.is_none();
            pages.push(result.clone());
        }
        if pages.is_empty() {
            return SubjectState::Never("the first page did not come".to_owned());
        }
        let value = json!({"pages": pages, "items": all, "cursors": cursors, "complete": complete});
        SubjectState::Ready(Seen { value, evidence })
    }

    fn closed(&self) -> SubjectState {
        let process = &self.view.process;
        if !self.view.head.transport.is_channel() {
            return SubjectState::Never("there is no channel on this transport".to_owned());
        }
        let Some(end) = process.output_closed.filter(|event| self.before(*event)) else {
            return SubjectState::Pending;
        };
        let said = process.closed.as_ref();
        SubjectState::Ready(Seen {
            value: json!({
                "code": said.and_then(|said| said.code),
                "reason": said.map(|said| said.reason.as_str()),
            }),
            evidence: vec![said.map_or(end, |said| said.event)],
        })
    }

    fn exit(&self) -> SubjectState {
        if self.view.head.transport != TransportKind::Stdio {
            return SubjectState::Never("there is no child on this transport".to_owned());
        }
        match self
            .view
            .process
            .exited
            .filter(|exit| self.before(exit.event))
        {
            Some(exit) => SubjectState::Ready(Seen {
                value: json!({"code": exit.code, "signal": exit.signal}),
                evidence: vec![exit.event],
            }),
            None => SubjectState::Pending,
        }
    }

    fn memory(&self) -> SubjectState {
        let looks = self.view.process.memory.iter();
        let looks: Vec<_> = looks.filter(|(event, _)| self.before(*event)).collect();
        let (Some((first, before)), Some((last, now))) = (looks.first(), looks.last()) else {
            return SubjectState::Never("the target's memory cannot be seen".to_owned());
        };
        SubjectState::Ready(Seen {
            value: json!({
                "before_kib": before,
                "now_kib": now,
                "grown_kib": now.saturating_sub(*before),
            }),
            evidence: vec![*first, *last],
        })
    }

    fn rule(&self, id: &str) -> SubjectState {
        let Some(rule) = rules::all().iter().find(|rule| rule.id() == id) else {
            return SubjectState::Never(format!("no rule is called `{id}`"));
        };
        let within = |finding: &rules::Finding| {
            let mut events = finding.evidence.iter();
            events.all(|event| self.before(*event))
        };
        let mut found = rule.observe(self.view).findings;
        found.retain(within);
        let value = found
            .iter()
            .map(|finding| json!({"expected": finding.expected, "actual": finding.actual}));
        SubjectState::Partial(Seen {
            value: value.collect(),
            evidence: found.iter().flat_map(|it| it.evidence.clone()).collect(),
        })
    }
}

/// Whether a message can be an answer: servers tell and ask things of their own accord meanwhile.
fn answers(message: &Message) -> bool {
    !message.is_notification() && !message.is_request()
}

/// Whether our request of this name was answered, or cannot be any more.
#[must_use]
pub fn is_answered(vector: &Vector, view: &View<'_>, label: &str) -> bool {
    let look = Look {
        vector,
        view,
        horizon: view.events.len(),
    };
    !matches!(look.response(label), SubjectState::Pending)
}

/// Whether a message that came from the target after event `since` matches `pattern`.
#[must_use]
pub fn has_come(view: &View<'_>, since: usize, pattern: &Value) -> bool {
    let schemas = RevisionSchemas::of(view.head.revision);
    view.targets()
        .filter(|message| message.event >= since && message.value.is_some())
        .any(|message| matcher::matches(pattern, message.value.as_ref(), &schemas).is_ok())
}

fn seen(message: &Message, before: impl IntoIterator<Item = usize>) -> Seen {
    Seen {
        value: message.value.clone().unwrap_or(Value::Null),
        evidence: before.into_iter().chain([message.event]).collect(),
    }
}

fn list<'m>(messages: impl Iterator<Item = &'m Message>) -> Seen {
    let mut seen = Seen {
        value: Value::Null,
        evidence: Vec::new(),
    };
    let mut values = Vec::new();
    for message in messages {
        values.push(message.value.clone().unwrap_or(Value::Null));
        if seen.evidence.len() < EVIDENCE_MAX {
            seen.evidence.push(message.event);
        }
    }
    seen.value = Value::Array(values);
    seen
}

/// Whether a message on a channel that all share is part of what `request` brings: its answer, what
/// carries its subscription or progress token, and what can carry neither.
fn belongs(message: &Message, request: &Message) -> bool {
    if message.is_response() {
        return message.answers.is_some()
            && request.answer.is_some()
            && message_answers(message, request);
    }
    let meta = |name: &str| {
        message
            .params()
            .and_then(|params| params.get("_meta")?.get(name))
    };
    let subscription = meta("io.modelcontextprotocol/subscriptionId");
    if request.method() == Some("subscriptions/listen") {
        return subscription == request.id();
    }
    if subscription.is_some() {
        return false;
    }
    let token = message
        .params()
        .and_then(|params| params.get("progressToken"));
    let asked = request
        .params()
        .and_then(|params| params.get("_meta")?.get("progressToken"));
    token.is_none() || token == asked
}

fn message_answers(message: &Message, request: &Message) -> bool {
    message.id() == request.id()
}

/// How a child's end reads.
pub(super) fn how_it_ended(code: Option<i32>, signal: Option<i32>) -> String {
    match (code, signal) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown status".to_owned(),
    }
}

/// Events named as evidence of one finding: enough to look at.
const EVIDENCE_MAX: usize = 50;
