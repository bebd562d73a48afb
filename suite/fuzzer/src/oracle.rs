//! What a volley showed that should not be: suspicions, each to be confirmed alone.

use std::collections::BTreeSet;

use mcp_verdict_engine::{
    judge, rules,
    schema::Validator,
    view::{Kind, Message, View},
};
use mcp_verdict_results::Verdict;
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};
use serde_json::Value;

use crate::{
    case::Case,
    source::{Mark, marks_in},
    volley,
};

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Oracle {
    /// An error with another code than JSON-RPC has for this.
    Code {
        /// The code that JSON-RPC has.
        code: i64,
    },
    /// The target left, or closed its side.
    Exit,
    /// An answer holds what another message said.
    Foreign {
        /// The other message's mark.
        mark: Mark,
    },
    /// The memory of the child grows.
    Memory,
    /// A rule found something.
    Rule {
        /// Its id.
        id: String,
        /// What that means.
        fails: bool,
    },
    /// What is no message was served.
    Served,
    /// HTTP says that the server failed.
    ServerError,
    /// The target does not answer any more.
    Silence,
    /// A request was not answered.
    Unanswered,
}

/// Something to be looked into.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Suspicion {
    /// What seems wrong.
    pub(crate) oracle: Oracle,
    /// Which case of the volley; where it cannot be told, the last that was sent.
    pub(crate) case: usize,
    /// The label of what it is about, if it is about one message.
    pub(crate) label: Option<String>,
    /// What was seen, without what differs from case to case.
    pub(crate) shape: String,
}

impl Oracle {
    /// Its name, in findings and file names.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Code { .. } => "code",
            Self::Exit => "exit",
            Self::Foreign { .. } => "foreign",
            Self::Memory => "memory",
            Self::Rule { id, .. } => id,
            Self::Served => "served",
            Self::ServerError => "server-error",
            Self::Silence => "silence",
            Self::Unanswered => "unanswered",
        }
    }

    /// Whether it is about an answer that may have no id: beside others, nobody can tell what it answers.
    pub(crate) fn needs_to_be_alone(&self) -> bool {
        matches!(self, Self::Code { .. } | Self::Served)
    }

    /// Whether it is suspected too often, and soon cleared up: among several, what was not answered yet looks like what
    /// never is, and an error without an id like another's.
    pub(crate) fn is_soon_tried(&self) -> bool {
        self.needs_to_be_alone() || matches!(self, Self::Unanswered | Self::Foreign { .. })
    }

    /// Whether it is about the target as a whole, not about an answer.
    pub(crate) fn is_about_life(&self) -> bool {
        matches!(self, Self::Exit | Self::Silence)
    }
}

impl Suspicion {
    /// The same of every other case of one message that is no JSON either.
    pub(crate) fn others(&self, cases: &[Case]) -> Vec<Self> {
        let single = |(_, case): &(usize, &Case)| case.actions.len() == 1;
        let other = |(index, case): (usize, &Case)| {
            let (label, sending) = case.messages().next()?;
            is_broken(&sending.pieces.bytes()).then_some(Self {
                case: index,
                label: Some(label),
                ..self.clone()
            })
        };
        let cases = cases.iter().enumerate().filter(single);
        let others = cases.filter_map(other);
        others.filter(|other| other.label != self.label).collect()
    }
}

/// Every oracle that is no rule, with what it asks.
pub const ORACLES: [(&str, &str); 8] = [
    ("code", "An error has the code that JSON-RPC has for it"),
    ("exit", "The server stays, whatever it is sent"),
    ("foreign", "An answer is about its own request alone"),
    ("memory", "Messages leave nothing behind in memory"),
    ("served", "What is no message is not served"),
    ("server-error", "No request makes an HTTP server fail"),
    ("silence", "The server answers, whatever it was sent before"),
    ("unanswered", "Every request is answered"),
];

/// Whether the target closed the channel as its transport has it for what it was sent: WebSocket has codes for bytes
/// that are no text and for messages that are too big (RFC 6455, section 7.4.1), gRPC statuses.
pub(crate) fn is_refused_by_closing(view: &View<'_>) -> bool {
    let code = match &view.process.closed {
        Some(closing) => closing.code,
        None => return false,
    };
    let refuses = match view.head.transport {
        TransportKind::Ws | TransportKind::WsDraft => {
            matches!(code, Some(1002 | 1003 | 1007 | 1008 | 1009))
        }
        TransportKind::Grpc => code.is_some_and(|code| code != 0),
        _ => false,
    };
    // By SEP-1288 it closes on whatever is not quite a message, and nearly all cases send some of that.
    if refuses && view.head.transport == TransportKind::WsDraft {
        return true;
    }
    let mut sent = view.events.iter().filter_map(|event| match &event.kind {
        EventKind::Sent { bytes, .. } => Some(&bytes.0),
        _ => None,
    });
    refuses
        && sent.any(|bytes| {
            bytes.len() > BYTES_CARRIED || mcp_verdict_wire::message::Lenient::parse(bytes).is_err()
        })
}

/// What is suspicious about a volley. `case_of` tells during which case an event happened.
pub(crate) fn suspicions(
    library: &Library,
    view: &View<'_>,
    cases: &[Case],
    case_of: &dyn Fn(usize) -> usize,
) -> Vec<Suspicion> {
    let mut found = Vec::new();
    let last = cases.len().saturating_sub(1);
    let refused = is_refused_by_closing(view);
    if let Some(left) = view
        .process
        .output_closed
        .or(view.process.exited.map(|exit| exit.event))
    {
        if !refused {
            found.push(of(Oracle::Exit, case_of(left).min(last), None, "left"));
        }
    } else if let Some(wait) = view.timeouts.first() {
        found.push(of(
            Oracle::Silence,
            case_of(wait.event).min(last),
            None,
            "silent",
        ));
    } else if is_broken_down(view) {
        found.push(of(Oracle::Silence, last, None, "broken down"));
    }
    // What did not live to answer is told once.
    let alive = found.is_empty() && !refused;
    for (index, case) in cases.iter().enumerate() {
        for (label, _) in case.messages() {
            if let Some(message) = view.request_named(&label) {
                let mut own = Vec::new();
                look_at(view, message, index, &label, alive, &mut own);
                let explained = |one: &Suspicion| matches!(one.oracle, Oracle::Code { code } if is_explained(view, cases, index, code));
                found.extend(own.into_iter().filter(|one| !explained(one)));
            }
        }
        let messages = case.messages().map(|(label, _)| label);
        for label in messages.chain(case.step_labels().map(str::to_owned)) {
            let exchange = view.exchange_named(&label);
            let status = exchange.and_then(mcp_verdict_engine::view::HttpExchange::status);
            if let Some(status) = status.filter(|status| *status >= 500 && *status != 501) {
                found.push(of(
                    Oracle::ServerError,
                    index,
                    Some(label),
                    &status.to_string(),
                ));
            }
        }
    }
    foreign(view, case_of, last, &mut found);
    let mut told = BTreeSet::new();
    for watched in judge::watch(library, rules::all(), view) {
        let shape = shape(&watched.finding.actual);
        let place = cause(view, &watched.finding.evidence);
        let oracle = Oracle::Rule {
            id: watched.rule.id.0.clone(),
            fails: watched.verdict == Verdict::Fail,
        };
        let counts = matches!(watched.verdict, Verdict::Fail | Verdict::Warn);
        if counts && told.insert((oracle.clone(), shape.clone())) {
            found.push(of(oracle, case_of(place).min(last), None, &shape));
        }
    }
    found
}

/// Whether the sign of life behind everything failed over HTTP: what was sent before may have broken the session. A
/// status that tells of the client, or of too much to do (RFC 9110, section 15.6.4), is no such failure.
fn is_broken_down(view: &View<'_>) -> bool {
    let unnamed = |message: &&Message| message.is_request() && message.label.is_none();
    let Some(sign) = view.ours().rev().find(unnamed) else {
        return false;
    };
    let exchange = view.exchanges.get(&sign.exchange);
    let status = exchange.and_then(mcp_verdict_engine::view::HttpExchange::status);
    view.response_to(sign).is_none()
        && status.is_some_and(|status| status >= 500 && !matches!(status, 501 | 503))
}

/// The event that a finding comes from: what we sent, if it is told or answered by what is told. An answer may come
/// while later cases are sent.
fn cause(view: &View<'_>, evidence: &[usize]) -> usize {
    let sent = |event: &usize| matches!(view.events.get(*event), Some(it) if matches!(it.kind, EventKind::Sent { .. }));
    let asked = |event: &usize| {
        let mut answers = view.targets().filter(|message| message.event == *event);
        let request = answers.find_map(|answer| view.request_of(answer).map(|of| of.event));
        let mut exchanges = view.exchanges.values();
        let exchange = || {
            exchanges.find_map(|of| {
                let response = of.response.as_ref().map(|response| response.event);
                of.request.filter(|_| response == Some(*event))
            })
        };
        request.or_else(exchange)
    };
    let own = evidence.iter().find(|event| sent(event)).copied();
    own.or_else(|| evidence.iter().find_map(asked))
        .or(evidence.last().copied())
        .unwrap_or(0)
}

fn of(oracle: Oracle, case: usize, label: Option<String>, shape: &str) -> Suspicion {
    Suspicion {
        oracle,
        case,
        label,
        shape: shape.to_owned(),
    }
}

/// Whether an error without an id came between the signs of life around a case, and has the right code: where answers
/// keep the order of what they answer, that one is the case's.
fn is_explained(view: &View<'_>, cases: &[Case], index: usize, code: i64) -> bool {
    let sign_of = |case: &Case| {
        let sign = view.request_named(&volley::sign_of_life(case))?;
        Some(view.response_to(sign)?.event)
    };
    let (before, after) = (index.checked_sub(1), cases.get(index).and_then(sign_of));
    let from = before.map_or(Some(0), |before| sign_of(&cases[before]));
    let (Some(from), until) = (from, after.unwrap_or(usize::MAX)) else {
        return false;
    };
    view.targets().any(|answer| {
        let without_id = answer.id().is_none_or(Value::is_null);
        let right = matches!(&answer.kind, Kind::Error { code: Some(it), .. } if *it == code);
        (from..until).contains(&answer.event) && without_id && right
    })
}

/// What is owed for one message, and whether it came.
fn look_at(
    view: &View<'_>,
    message: &Message,
    case: usize,
    label: &str,
    alive: bool,
    found: &mut Vec<Suspicion>,
) {
    let label = || Some(label.to_owned());
    let answer = view.response_to(message);
    let refused = || {
        let exchange = view.exchanges.get(&message.exchange);
        let status = exchange.and_then(mcp_verdict_engine::view::HttpExchange::status);
        status.is_some_and(|status| status >= 400)
    };
    match owed(view, message) {
        Owed::Answer if answer.is_none() && alive && !refused() => {
            found.push(of(Oracle::Unanswered, case, label(), "request"));
        }
        Owed::Refusal { code } => match answer.map(|answer| &answer.kind) {
            Some(Kind::Result { .. }) => found.push(of(Oracle::Served, case, label(), "result")),
            Some(Kind::Error {
                code: Some(other), ..
            }) if *other != code => {
                let shape = format!("{other} for {code}");
                found.push(of(Oracle::Code { code }, case, label(), &shape));
            }
            _ => {}
        },
        Owed::Answer | Owed::Anything => {}
    }
}

/// What a target owes for a message.
enum Owed {
    /// An answer, whatever it says.
    Answer,
    /// Nothing that can be told from outside.
    Anything,
    /// An error, or nothing.
    Refusal {
        /// With this code.
        code: i64,
    },
}

/// Whether the message of this label is a request that any server answers.
pub(crate) fn is_owed_an_answer(view: &View<'_>, label: &str) -> bool {
    let message = view.request_named(label);
    message.is_some_and(|message| matches!(owed(view, message), Owed::Answer))
}

/// Whether the answer to a message is worth waiting for: any server owes one, and soon.
pub(crate) fn is_worth_waiting(view: &View<'_>, message: &Message) -> bool {
    // What is listened to goes on.
    let soon = message.is_request() && message.method() != Some("subscriptions/listen");
    soon && matches!(owed(view, message), Owed::Answer)
}

fn owed(view: &View<'_>, message: &Message) -> Owed {
    let rivals = view.ours().filter(|other| other.event != message.event);
    // What is cancelled need not be answered, nor what has an id that is in use.
    if message.is_request() && rivals.into_iter().any(|other| concerns(other, message)) {
        return Owed::Anything;
    }
    let Some(value) = &message.value else {
        // Deeper or larger than we read ourselves is not broken.
        let ours = &view.events[message.event].kind;
        return match ours {
            EventKind::Sent { bytes, .. } if is_broken(&bytes.0) => Owed::Refusal { code: -32700 },
            _ => Owed::Anything,
        };
    };
    if message.batch.is_some()
        || !message.remarks.is_empty()
        || is_extreme(value, 0)
        || has_odd_meta(value)
    {
        return Owed::Anything;
    }
    let Kind::Request { id, .. } = &message.kind else {
        return Owed::Anything;
    };
    let plain = match id {
        Value::String(text) => text.len() < 1_000,
        Value::Number(number) => number
            .as_i64()
            .is_some_and(|number| number.unsigned_abs() < 1 << 53),
        _ => false,
    };
    // Where a line is a message, a line end within makes several of it.
    let sent = match &view.events[message.event].kind {
        EventKind::Sent { bytes, .. } => &*bytes.0,
        _ => &[],
    };
    let broken = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if view.head.transport.has_lines() && sent.iter().any(broken) {
        return Owed::Anything;
    }
    let version = value.get("jsonrpc").and_then(Value::as_str) == Some("2.0");
    // What is not valid in the revision's schema may be refused by a status, or by nothing that has an id.
    let valid = Validator::of(view.head.revision).message(value).is_empty();
    // Further members may make it no request to a strict reader.
    let known = ["jsonrpc", "id", "method", "params"];
    let members = value.as_object().into_iter().flatten();
    let bare = members
        .into_iter()
        .all(|(name, _)| known.contains(&name.as_str()));
    if plain && version && valid && bare {
        Owed::Answer
    } else {
        Owed::Anything
    }
}

/// Whether a message cancels a request, or has the same id.
fn concerns(message: &Message, request: &Message) -> bool {
    let (Some(id), Some(value)) = (request.id(), &message.value) else {
        return false;
    };
    let named = match message.method() {
        Some("notifications/cancelled") => value.pointer("/params/requestId"),
        _ => message.id(),
    };
    named == Some(id)
}

/// Whether no reader could make JSON of it.
pub(crate) fn is_broken(bytes: &[u8]) -> bool {
    use mcp_verdict_wire::message::{Lenient, Malformed};
    let lines = bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
    // A line end makes several messages of it, of which some may be whole.
    !lines && matches!(Lenient::parse(bytes), Err(Malformed::Syntax { .. }))
}

/// Whether a value is so deep or so large that refusing it is right.
fn is_extreme(value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > DEPTH_FAIR => true,
        Value::String(text) => text.len() > BYTES_FAIR,
        Value::Array(items) => {
            items.len() > ITEMS_FAIR || items.iter().any(|item| is_extreme(item, depth + 1))
        }
        Value::Object(members) => members
            .iter()
            .any(|(key, member)| key.len() > 1_000 || is_extreme(member, depth + 1)),
        Value::Number(number) => {
            // An integer beyond 2^53 is none to many readers (RFC 8259, section 6), however short it is written.
            let value = number.as_f64().map_or(f64::INFINITY, f64::abs);
            number.to_string().len() > 15 || value >= 9_007_199_254_740_992.0
        }
        _ => false,
    }
}

/// Whether `_meta` is there and no object: not every method's schema names it, and it is reserved all the same.
fn has_odd_meta(value: &Value) -> bool {
    value
        .pointer("/params/_meta")
        .is_some_and(|meta| !meta.is_object())
}

/// Whether an error without an id came after a request on a channel. It may be about this one: who cannot read a
/// request may say so without its id (JSON-RPC 2.0, section 5).
pub(crate) fn may_be_refused(view: &View<'_>, label: &str) -> bool {
    let request = view.request_named(label);
    view.head.transport.is_channel()
        && request.is_some_and(|request| {
            view.targets().any(|message| {
                message.event > request.event
                    && matches!(message.kind, Kind::Error { .. })
                    && message.id().is_none_or(Value::is_null)
            })
        })
}

/// Answers that hold the mark of a message which is not theirs.
fn foreign(
    view: &View<'_>,
    case_of: &dyn Fn(usize) -> usize,
    last: usize,
    found: &mut Vec<Suspicion>,
) {
    for answer in view.targets().filter(|message| message.is_response()) {
        let Some(request) = view.request_of(answer) else {
            continue;
        };
        let Some(label) = &request.label else {
            continue;
        };
        let marks = |message: &Message| -> Vec<Mark> {
            match (&message.value, &view.events[message.event].kind) {
                // A mark is spelled as it is.
                (Some(_), EventKind::Sent { bytes, .. } | EventKind::Received { bytes, .. })
                    if message.batch.is_none() =>
                {
                    marks_in(&bytes.0)
                }
                (Some(value), _) => marks_in(value.to_string().as_bytes()),
                (None, _) => Vec::new(),
            }
        };
        let own = marks(request);
        if own.is_empty() {
            continue;
        }
        let strange = marks(answer).into_iter().find(|mark| !own.contains(mark));
        if let Some(mark) = strange {
            let case = case_of(request.event).min(last);
            found.push(of(
                Oracle::Foreign { mark },
                case,
                Some(label.clone()),
                "mark",
            ));
        }
    }
}

/// A text without what differs from case to case: numbers, marks, and what is quoted.
pub(crate) fn shape(text: &str) -> String {
    let mut shape = String::new();
    let mut quoted = false;
    for character in text.chars().take(SHAPE_CHARACTERS_MAX) {
        match character {
            '"' | '`' | '\'' => {
                quoted = !quoted;
                shape.push('"');
            }
            _ if quoted => {}
            digit if digit.is_ascii_digit() => {
                if !shape.ends_with('#') {
                    shape.push('#');
                }
            }
            other => shape.push(other),
        }
    }
    shape
}

/// More than this a channel may refuse to carry, in bytes.
const BYTES_CARRIED: usize = 60_000;

/// Deeper than this a reader may refuse: the deepest that vectors ask for is a hundred.
const DEPTH_FAIR: usize = 60;

/// Longer than this a reader may refuse, in bytes of one string.
const BYTES_FAIR: usize = 100_000;

/// More items than this a reader may refuse.
const ITEMS_FAIR: usize = 10_000;

/// Characters of a text that its shape is made of.
const SHAPE_CHARACTERS_MAX: usize = 160;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_reader_may_refuse_is_owed_nothing() {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        for text in [
            "[1e308]",
            "[9007199254740992]",
            "[-1e16]",
            "[1234567890.123456]",
        ] {
            assert!(is_extreme(&read(text), 0), "{text}");
        }
        for text in ["[1e3]", "[9007199254740]", "[-0.5]", "[0]"] {
            assert!(!is_extreme(&read(text), 0), "{text}");
        }
        assert!(has_odd_meta(&json!({"params": {"_meta": "x"}})));
        assert!(!has_odd_meta(&json!({"params": {"_meta": {}}})));
        assert!(!has_odd_meta(&json!({"params": ["_meta"]})));
    }
}
