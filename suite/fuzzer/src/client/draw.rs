//! Plans, drawn from one seed: each is the same whenever its number comes up with the same material.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{
    plan::{Change, ID, Plan, Response, SAME, What},
    stage::{Layer, Seen},
};
use crate::{
    generate::{Taste, bytes, edges, structure},
    json::Json,
    piece::{Piece, Pieces},
    source::{Mark, Source},
};

/// The plan of this number. `seen` is what a client gets that nothing is changed for.
pub(crate) fn plan(seed: u64, number: u64, seen: &[Seen], taste: Taste) -> Plan {
    // Now and then nothing is changed, which tells that the client still works.
    if number % PLAIN_EACH == PLAIN_EACH - 1 {
        return Plan::default();
    }
    let mut source = Source::of(seed, number);
    let count = source.weighted(&[(14, 1), (4, 2), (2, 3)]);
    let mut changes: Vec<Change> = Vec::new();
    while changes.len() < count {
        let Some(change) = change(&mut source, Mark(number + 1), seen, taste) else {
            continue;
        };
        let again = |other: &Change| other.of == change.of && other.nth == change.nth;
        if !changes.iter().any(again) {
            changes.push(change);
        } else if source.one_in(4) {
            break;
        }
    }
    Plan(changes)
}

/// How a change is made.
#[derive(Clone, Copy)]
enum Way {
    Again,
    Between,
    Bytes,
    Drop,
    Event,
    Http,
    List,
    Many,
    Pages,
    Structure,
}

fn change(source: &mut Source, mark: Mark, seen: &[Seen], taste: Taste) -> Option<Change> {
    let has = |layer| seen.iter().any(|it| it.layer == layer);
    let http = if has(Layer::Response) { 8 } else { 0 };
    let event = if has(Layer::Event) { 6 } else { 0 };
    let values = if taste.transport_level { 0 } else { 1 };
    let way = source.weighted(&[
        (20 * values, Way::Structure),
        (5 * values, Way::List),
        (2 * values, Way::Pages),
        (10, Way::Between),
        (8, Way::Bytes),
        (2, Way::Many),
        (3, Way::Again),
        (1, Way::Drop),
        (http, Way::Http),
        (event, Way::Event),
    ]);
    let layer = match way {
        Way::Http => Layer::Response,
        Way::Event => Layer::Event,
        _ => Layer::Message,
    };
    let of: Vec<&Seen> = seen.iter().filter(|it| it.layer == layer).collect();
    if of.is_empty() {
        return None;
    }
    let one = *source.pick(&of);
    let mut nth = one.nth;
    let (kind, what) = match way {
        Way::Structure => structured(source, one, mark)?,
        Way::List => listed(source, one, mark)?,
        Way::Pages => {
            nth = 0;
            paged(one)?
        }
        Way::Between => between(source, mark, &of),
        Way::Bytes => {
            let other = source.pick(&of).bytes.clone();
            let (kind, sending) = bytes::mutate(source, template(&one.bytes).into_bytes(), &other);
            (kind.to_owned(), What::Messages(vec![sending.pieces]))
        }
        Way::Many => {
            let (kind, pieces) = bytes::many(source);
            (kind.to_owned(), What::Messages(vec![pieces]))
        }
        Way::Again => again(source, &of),
        Way::Drop => ("left out".to_owned(), What::Messages(Vec::new())),
        Way::Http => response(source, mark),
        Way::Event => event_around(source, mark),
    };
    let small = match &what {
        What::Messages(messages) => messages.iter().map(Pieces::len).sum::<usize>() <= USUAL_BYTES,
        What::Event(_) | What::Response(_) => true,
    };
    (small || taste.aggressive).then(|| Change {
        of: one.of.clone(),
        nth,
        kind,
        what,
    })
}

/// A message with what stands for its id in place of its id.
fn template(bytes: &[u8]) -> String {
    json_of(bytes).map_or_else(
        || String::from_utf8_lossy(bytes).into_owned(),
        |json| String::from_utf8_lossy(&json.pieces().bytes()).into_owned(),
    )
}

fn json_of(bytes: &[u8]) -> Option<Json> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let mut json = Json::from(&value);
    // A request of the server has an id of its own.
    if value.get("id").is_some() && value.get("method").is_none() {
        json.set("id", Json::Token(ID.to_owned()));
    }
    Some(json)
}

fn structured(source: &mut Source, one: &Seen, mark: Mark) -> Option<(String, What)> {
    let mut json = json_of(&one.bytes)?;
    let mut kind = Cow::from(structure::mutate(source, &mut json, mark));
    if source.one_in(4) {
        let more = structure::mutate(source, &mut json, mark);
        kind = format!("{kind}+{more}").into();
    }
    Some((kind.into_owned(), What::Messages(vec![json.pieces()])))
}

/// A list with something odd in it.
fn listed(source: &mut Source, one: &Seen, mark: Mark) -> Option<(String, What)> {
    let mut json = json_of(&one.bytes)?;
    let count = json.count();
    let lists: Vec<usize> = (0..count)
        .filter(|place| matches!(json.at(*place), Some(Json::List(_))))
        .collect();
    if lists.is_empty() {
        return None;
    }
    // The first is the one that the answer is about.
    let place = match source.one_in(2) {
        true => lists[0],
        false => *source.pick(&lists),
    };
    let Some(Json::List(items)) = json.at(place) else {
        return None;
    };
    let kind = match source.below(5) {
        0 => {
            items.clear();
            "empty list"
        }
        1 => {
            let item = edges::any(source, mark);
            let at = source.below(items.len() + 1);
            items.insert(at, item);
            "odd item"
        }
        2 => {
            let first = items.first()?.clone();
            items.push(first);
            "item twice"
        }
        3 => {
            let first = items.first()?.clone();
            let times = *source.pick(&[100, 1000]);
            items.extend(std::iter::repeat_n(first, times));
            "very long list"
        }
        _ => {
            items.reverse();
            "list reversed"
        }
    };
    Some((kind.to_owned(), What::Messages(vec![json.pieces()])))
}

/// Each answer has another page after it.
fn paged(one: &Seen) -> Option<(String, What)> {
    if !one.of.ends_with("/list") {
        return None;
    }
    let mut json = json_of(&one.bytes)?;
    let mut result = json.member("result")?.clone();
    result.set("nextCursor", Json::text("more"));
    json.set("result", result);
    Some((
        "endless pages".to_owned(),
        What::Messages(vec![json.pieces()]),
    ))
}

/// Something that the server says before or after.
fn between(source: &mut Source, mark: Mark, of: &[&Seen]) -> (String, What) {
    let (kind, pieces) = match source.below(8) {
        0 => ("garbage between".to_owned(), {
            let other = source.pick(of).bytes.clone();
            bytes::mutate(source, other.clone(), &other).1.pieces
        }),
        1 => {
            let mut json = Json::from(&said(source, mark));
            let kind = structure::mutate(source, &mut json, mark);
            (format!("{kind} between"), json.pieces())
        }
        2 => {
            let mut json = Json::from(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
            let id = edges::any(source, mark);
            json.set("id", id);
            ("answer to nothing".to_owned(), json.pieces())
        }
        _ => {
            let message = said(source, mark);
            let method = message["method"].as_str().unwrap_or_default().to_owned();
            (method, Pieces::of(message.to_string()))
        }
    };
    let times = if source.one_in(12) { 200 } else { 1 };
    let mut messages = vec![pieces; times];
    let place = if source.one_in(3) { 0 } else { messages.len() };
    messages.insert(place, Pieces::of(SAME));
    (kind, What::Messages(messages))
}

/// What servers say of their own accord.
fn said(source: &mut Source, mark: Mark) -> Value {
    let mark = mark.to_string();
    let id = source
        .pick(&[
            json!(1),
            json!("s"),
            json!(0),
            json!(-1),
            json!(9_007_199_254_740_993_u64),
        ])
        .clone();
    let sampling = json!({"messages": [{"role": "user", "content": {"type": "text", "text": mark}}], "maxTokens": 1});
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let (method, params) = source
        .pick(&[
            ("ping", json!({})),
            ("roots/list", json!({})),
            ("sampling/createMessage", sampling),
            (
                "elicitation/create",
                json!({"message": mark, "requestedSchema": schema}),
            ),
            ("no/such", json!({"a": mark})),
            ("tools/list", json!({})),
            (
                "notifications/message",
                json!({"level": "info", "data": mark}),
            ),
            (
                "notifications/message",
                json!({"level": "no such", "data": {"a": [null, 1e300]}}),
            ),
            (
                "notifications/progress",
                json!({"progressToken": mark, "progress": 1}),
            ),
            (
                "notifications/progress",
                json!({"progressToken": 1, "progress": -1, "total": 0}),
            ),
            (
                "notifications/cancelled",
                json!({"requestId": 1, "reason": mark}),
            ),
            ("notifications/tools/list_changed", json!({})),
            ("notifications/resources/updated", json!({"uri": "no uri"})),
            ("notifications/none", json!({"a": mark})),
        ])
        .clone();
    let mut message = json!({"jsonrpc": "2.0", "method": method, "params": params});
    if !method.starts_with("notifications/") {
        message["id"] = id;
    }
    message
}

/// A message twice, or an earlier one first.
fn again(source: &mut Source, of: &[&Seen]) -> (String, What) {
    let other = Pieces::of(source.pick(of).bytes.clone());
    let same = Pieces::of(SAME);
    let (kind, messages) = match source.below(3) {
        0 => ("twice", vec![same.clone(), same]),
        1 => ("another answer first", vec![other, same]),
        _ => ("another answer", vec![other]),
    };
    (kind.to_owned(), What::Messages(messages))
}

/// A response of HTTP that is odd.
fn response(source: &mut Source, mark: Mark) -> (String, What) {
    let mut response = Response::default();
    let kind = source.weighted(&[
        (5, "status"),
        (5, "content type"),
        (4, "event stream"),
        (3, "session id"),
        (3, "early close"),
        (2, "header"),
        (2, "huge header"),
        (2, "redirect"),
        (2, "no body"),
        (2, "encoding"),
    ]);
    let mut set = |name: &str, value: &str| {
        response
            .headers
            .push((name.to_owned(), Some(value.to_owned())))
    };
    match kind {
        "status" => response.status = Some(*source.pick(&STATUSES)),
        "content type" if source.one_in(4) => {
            response.headers.push(("content-type".to_owned(), None))
        }
        "content type" => set("content-type", source.pick::<&str>(&TYPES)),
        "event stream" => {
            set("content-type", "text/event-stream");
            response.body = Some(Pieces::of(
                source.pick(&STREAMS).replace("${mark}", &mark.to_string()),
            ));
        }
        "session id" => set(
            "mcp-session-id",
            source.pick::<&str>(&["", " ", "a b", "\u{e9}", "x", "0", "../..", "\"", ";"]),
        ),
        "early close" => response.breaks_after = Some(*source.pick(&[0, 1, 10, 100])),
        "header" => {
            let (name, value) = *source.pick(&HEADERS);
            set(name, value);
        }
        "huge header" => set(
            "x-padding",
            &"a".repeat(*source.pick(&[4_000, 16_500, 70_000])),
        ),
        "redirect" => {
            response.status = Some(*source.pick(&[301, 302, 303, 307, 308]));
            set(
                "location",
                source.pick::<&str>(&[
                    "",
                    "/mcp",
                    "/",
                    "http://",
                    "http://127.0.0.1:1/",
                    "file:///etc/passwd",
                    "//",
                ]),
            );
        }
        "no body" => response.body = Some(Pieces::of("")),
        _ => set(
            "content-encoding",
            source.pick::<&str>(&["gzip", "br", "deflate", "zstd", "x", "identity"]),
        ),
    }
    (kind.to_owned(), What::Response(response))
}

/// An event with something odd around it, or in its place.
fn event_around(source: &mut Source, mark: Mark) -> (String, What) {
    let (kind, text) = *source.pick(&EVENTS);
    let mut pieces = Pieces::of(text.replace("${mark}", &mark.to_string()));
    if kind == "long comment" {
        pieces = Pieces::of(":");
        pieces.push(Piece::repeated(
            b"a",
            *source.pick(&[1_000, 70_000, 300_000]),
        ));
        pieces.push(Piece::repeated(b"\n\n${same}", 1));
    }
    (kind.to_owned(), What::Event(pieces))
}

const STATUSES: [u16; 20] = [
    201, 202, 204, 206, 300, 304, 400, 401, 403, 404, 405, 406, 409, 410, 415, 429, 500, 502, 503,
    599,
];

const TYPES: [&str; 11] = [
    "",
    "text/html",
    "text/plain",
    "text/event-stream",
    "application/json; charset=utf-16",
    "application/json;",
    "APPLICATION/JSON",
    "application/octet-stream",
    "application/json, text/event-stream",
    "json",
    ";",
];

const HEADERS: [(&str, &str); 8] = [
    ("www-authenticate", "Bearer"),
    (
        "www-authenticate",
        "Bearer resource_metadata=\"http://127.0.0.1:1/\"",
    ),
    (
        "www-authenticate",
        "Bearer resource_metadata=\"no url\", scope=",
    ),
    ("retry-after", "-1"),
    ("mcp-protocol-version", "1999-01-01"),
    ("set-cookie", "a=b; Max-Age=x"),
    ("connection", "close"),
    ("location", "/"),
];

/// Event streams with a message in them, or without.
const STREAMS: [&str; 16] = [
    "data: ${same}\n\n",
    "data:${same}\n\n",
    "data: ${same}\r\n\r\n",
    "data: ${same}\r\r",
    "\u{feff}data: ${same}\n\n",
    "data: ${same}",
    "data: ${same}\n",
    "event: message\nid: \ndata: ${same}\n\n",
    "event: ${mark}\ndata: ${same}\n\n",
    "event: ping\ndata: {}\n\ndata: ${same}\n\n",
    "id: a\0b\nretry: -1\ndata: ${same}\n\n",
    "retry: 99999999999999999999\ndata: ${same}\n\n",
    "data\n\ndata: ${same}\n\n",
    "data: {\ndata: ${same}\n\n",
    "",
    ": nothing\n\n",
];

/// Events with something odd around them, or in their place.
const EVENTS: [(&str, &str); 17] = [
    ("comment", ":${mark}\n\n${same}"),
    ("long comment", ""),
    ("event without data", "event: message\n\n${same}"),
    (
        "event of another type",
        "event: ${mark}\ndata: {}\n\n${same}",
    ),
    ("event that is no json", "data: ${mark}\n\n${same}"),
    ("event with empty data", "data:\n\n${same}"),
    ("event id", "id: ${mark}\ndata: \n\n${same}"),
    ("event id", "id: \0\n${same}"),
    ("event id", "id\n${same}"),
    ("retry", "retry: x\n${same}"),
    ("retry", "retry: 99999999999999999999\n${same}"),
    ("unknown field", "${mark}: x\n\n${same}"),
    ("byte order mark", "\u{feff}${same}"),
    ("event twice", "${same}${same}"),
    ("event cut short", "data: {\"jsonrpc\":\n\n"),
    ("event left out", ""),
    ("carriage returns", "data: x\r\r${same}"),
];

/// One of so many plans changes nothing.
const PLAIN_EACH: u64 = 40;

/// Bytes of a change, unless an honest client may fall over it.
const USUAL_BYTES: usize = 300_000;
