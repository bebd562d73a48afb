//! An exchange as a person reads it: one line for each event, long ones cut.

use std::collections::{BTreeMap, BTreeSet};

use mcp_verdict_results::{Entry, Side};
use mcp_verdict_wire::transcript::{Bytes, Ended, Event, EventKind, SseFields};

/// A timeline, and where in it the evidence is.
pub(super) struct Timeline {
    pub(super) entries: Vec<Entry>,
    pub(super) evidence: Vec<usize>,
}

/// Longest text of one entry, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// Most entries of one timeline: more than an honest check has, few enough to look at.
const ENTRIES_MAX: usize = 200;

/// What is shown around a piece of evidence when not everything is.
const AROUND: usize = 4;

/// The timeline of a whole transcript, with its times counted from `begin_us`.
pub(super) fn whole(events: &[Event], begin_us: u64, evidence: &[usize]) -> Timeline {
    if events.len() <= ENTRIES_MAX {
        return of(events, begin_us, evidence, |_| true);
    }
    let near = near(evidence, AROUND);
    let (head, tail) = (ENTRIES_MAX / 4, events.len() - ENTRIES_MAX / 4);
    of(events, begin_us, evidence, |index| {
        index < head || index >= tail || near.contains(&index)
    })
}

/// The timeline of what happened around the evidence.
pub(super) fn around(events: &[Event], begin_us: u64, evidence: &[usize]) -> Timeline {
    let near = near(&evidence[..evidence.len().min(AROUND)], AROUND * 3);
    of(events, begin_us, evidence, |index| near.contains(&index))
}

fn near(evidence: &[usize], reach: usize) -> BTreeSet<usize> {
    let places = evidence
        .iter()
        .flat_map(|at| at.saturating_sub(reach)..=at.saturating_add(reach));
    places.take(ENTRIES_MAX / 2).collect()
}

fn of(
    events: &[Event],
    begin_us: u64,
    evidence: &[usize],
    shown: impl Fn(usize) -> bool,
) -> Timeline {
    let mut entries = Vec::new();
    let mut places = BTreeMap::new();
    let mut hidden = 0;
    for (index, event) in events.iter().enumerate() {
        let Some(mut entry) = (shown(index) && !is_noise(events, index)).then(|| entry(event))
        else {
            hidden += usize::from(!shown(index));
            continue;
        };
        entry.at_us = event.at_us.saturating_sub(begin_us);
        if hidden > 0 {
            entries.push(gap(entry.at_us, std::mem::take(&mut hidden)));
        }
        places.insert(index, entries.len());
        entries.push(entry);
    }
    if hidden > 0 {
        entries.push(gap(entries.last().map_or(0, |last| last.at_us), hidden));
    }
    let evidence = evidence
        .iter()
        .filter_map(|event| places.get(event).copied())
        .collect();
    Timeline { entries, evidence }
}

/// Events that only repeat their neighbours.
fn is_noise(events: &[Event], index: usize) -> bool {
    match &events[index].kind {
        EventKind::HttpEnd {
            how: Ended::Complete,
            ..
        } => true,
        // The mark after the last step, or after the step that ended the check.
        EventKind::Step { .. } => !matches!(
            events.get(index + 1).map(|event| &event.kind),
            Some(next) if !matches!(next, EventKind::Step { .. })
        ),
        EventKind::HttpBody { exchange, bytes } => {
            let near = index.saturating_sub(2)..(index + 3).min(events.len());
            bytes.0.is_empty()
                || events[near].iter().any(|event| {
                    matches!(&event.kind, EventKind::Received { exchange: of, bytes: same, .. }
                        if of == exchange && same == bytes)
                })
        }
        _ => false,
    }
}

fn gap(at_us: u64, hidden: usize) -> Entry {
    let text = format!("{hidden} events are not shown");
    Entry {
        at_us,
        side: Side::Harness,
        what: "…".to_owned(),
        exchange: None,
        text,
        cut: 0,
    }
}

fn entry(event: &Event) -> Entry {
    let (side, what, exchange, text) = told(event);
    let exchange = exchange.filter(|number| *number != 0);
    // What was left out of the bytes is not in the text any more.
    let left_out = bytes_of(&event.kind).map_or(0, |bytes| bytes.0.len() - beginning(bytes).len());
    let (text, cut) = cut(text);
    Entry {
        at_us: event.at_us,
        side,
        what,
        exchange,
        text,
        cut: cut + left_out,
    }
}

fn told(event: &Event) -> (Side, String, Option<u32>, String) {
    match &event.kind {
        EventKind::Step { index } => (
            Side::Harness,
            format!("step {}", index + 1),
            None,
            String::new(),
        ),
        EventKind::TimedOut { after_ms, .. } => (
            Side::Harness,
            "timed out".to_owned(),
            None,
            format!("after {after_ms} ms"),
        ),
        EventKind::Sent {
            exchange,
            label,
            bytes,
            ..
        } => {
            let what = label
                .as_ref()
                .map_or_else(|| "message".to_owned(), |name| format!("message `{name}`"));
            (Side::Us, what, Some(*exchange), text(bytes))
        }
        EventKind::Received {
            exchange,
            sse,
            bytes,
        } => {
            let what = if sse.is_some() {
                "SSE message"
            } else {
                "message"
            };
            let fields = sse.as_ref().map(fields).unwrap_or_default();
            (
                Side::Target,
                what.to_owned(),
                Some(*exchange),
                fields + &text(bytes),
            )
        }
        other => http_entry(other),
    }
}

fn http_entry(kind: &EventKind) -> (Side, String, Option<u32>, String) {
    let of =
        |side, what: &str, exchange: &u32, text| (side, what.to_owned(), Some(*exchange), text);
    match kind {
        EventKind::HttpRequest {
            exchange,
            method,
            url,
            headers,
            body,
            ..
        } => {
            let what = format!("{method} {}", path(url));
            let body = body.as_ref().map(|body| format!("\n{}", text(body)));
            let shown = lines(headers) + &body.unwrap_or_default();
            of(Side::Us, &what, exchange, shown)
        }
        EventKind::HttpResponse {
            exchange,
            status,
            headers,
            ..
        } => {
            let what = format!("HTTP {status}");
            of(Side::Target, &what, exchange, lines(headers))
        }
        EventKind::HttpBody { exchange, bytes } => of(Side::Target, "body", exchange, text(bytes)),
        EventKind::SseEvent {
            exchange,
            fields: own,
            data,
        } => {
            let shown = fields(own) + &text(data);
            of(Side::Target, "SSE event", exchange, shown)
        }
        EventKind::SseComment {
            exchange,
            text: comment,
        } => of(Side::Target, "SSE comment", exchange, text(comment)),
        EventKind::Trailers { exchange, headers } => {
            of(Side::Target, "trailers", exchange, lines(headers))
        }
        EventKind::Frame {
            exchange,
            sent,
            opcode,
            bytes,
            breaks,
        } => {
            let breaks = breaks.as_ref().map(|breaks| format!(" ({breaks})"));
            let what = format!("{opcode} frame{}", breaks.unwrap_or_default());
            let side = if *sent { Side::Us } else { Side::Target };
            of(side, &what, exchange, text(bytes))
        }
        EventKind::HttpEnd { exchange, how } => end(*exchange, how),
        other => process_entry(other),
    }
}

fn end(exchange: u32, how: &Ended) -> (Side, String, Option<u32>, String) {
    match how {
        Ended::Complete => (
            Side::Target,
            "end".to_owned(),
            Some(exchange),
            String::new(),
        ),
        Ended::Broken(reason) => (
            Side::Target,
            "broken".to_owned(),
            Some(exchange),
            reason.clone(),
        ),
        Ended::Dropped => (Side::Us, "closed".to_owned(), Some(exchange), String::new()),
    }
}

fn process_entry(kind: &EventKind) -> (Side, String, Option<u32>, String) {
    let of = |side, what: &str, text: String| (side, what.to_owned(), None, text);
    match kind {
        EventKind::ProcessStarted { command } => of(Side::Us, "started", command.join(" ")),
        EventKind::Stderr { bytes } => of(Side::Target, "stderr", text(bytes)),
        EventKind::InputClosed => of(Side::Us, "closed input", String::new()),
        EventKind::OutputClosed { rest } => of(Side::Target, "closed output", text(rest)),
        EventKind::Closed { code, reason, .. } => {
            let code = code.map(|code| format!("{code} "));
            of(Side::Target, "closed", code.unwrap_or_default() + reason)
        }
        EventKind::Signalled { signal } => of(Side::Us, "signal", signal.clone()),
        EventKind::Exited { code, signal } => of(
            Side::Target,
            "exited",
            super::subject::how_it_ended(*code, *signal),
        ),
        EventKind::Memory { kib } => of(Side::Target, "memory", format!("{kib} KiB")),
        EventKind::LimitExceeded { limit, .. } => of(Side::Harness, "limit", limit.clone()),
        EventKind::Trouble { text } => of(Side::Harness, "trouble", text.clone()),
        _ => of(Side::Harness, "event", String::new()),
    }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8_lossy(beginning(bytes)).into_owned()
}

/// What of the bytes can be in an entry's text.
fn beginning(bytes: &Bytes) -> &[u8] {
    &bytes.0[..bytes.0.len().min(2 * TEXT_BYTES_MAX)]
}

/// The bytes that an entry tells of.
fn bytes_of(kind: &EventKind) -> Option<&Bytes> {
    match kind {
        EventKind::Sent { bytes, .. }
        | EventKind::Received { bytes, .. }
        | EventKind::HttpBody { bytes, .. }
        | EventKind::Stderr { bytes }
        | EventKind::OutputClosed { rest: bytes }
        | EventKind::Frame { bytes, .. }
        | EventKind::SseEvent { data: bytes, .. }
        | EventKind::SseComment { text: bytes, .. } => Some(bytes),
        EventKind::HttpRequest { body, .. } => body.as_ref(),
        _ => None,
    }
}

fn lines(headers: &[(String, String)]) -> String {
    headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn fields(fields: &SseFields) -> String {
    let event = fields
        .event
        .as_ref()
        .map(|event| format!("event: {event}\n"));
    let id = fields.id.as_ref().map(|id| format!("id: {id}\n"));
    let retry = fields.retry.map(|retry| format!("retry: {retry}\n"));
    [event, id, retry].into_iter().flatten().collect()
}

/// A URL without its origin.
fn path(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    url[after..].find('/').map_or("/", |at| &url[after + at..])
}

fn cut(mut text: String) -> (String, usize) {
    if text.len() <= TEXT_BYTES_MAX {
        return (text, 0);
    }
    let mut end = TEXT_BYTES_MAX;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let cut = text.len() - end;
    text.truncate(end);
    text.shrink_to_fit();
    (text, cut)
}
