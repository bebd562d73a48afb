//! What is changed of what a client gets: data, so that a file can hold it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::piece::{Piece, Pieces};

/// What is changed during one visit of a client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan(pub Vec<Change>);

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What it is part of the answer to: a method, of MCP or else of HTTP; nothing for what the server says of its own
    /// accord.
    pub of: String,
    /// Which of those it is, counted from 1; 0 for each.
    pub nth: u64,
    /// How it was made, in a word or two.
    pub kind: String,
    /// What becomes of it.
    pub what: What,
}

/// What becomes of something that is sent. [`ID`] in it stands for the id of the request, and [`SAME`] for what would
/// be sent without the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Bytes in place of an event of an event stream.
    Event(Pieces),
    /// Messages in place of one.
    Messages(Vec<Pieces>),
    /// An HTTP response that is changed.
    Response(Response),
}

/// How an HTTP response is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Another status.
    pub status: Option<u16>,
    /// Headers that are set, or left out.
    pub headers: Vec<(String, Option<String>)>,
    /// Another body.
    pub body: Option<Pieces>,
    /// After how many bytes of the body the connection breaks.
    pub breaks_after: Option<usize>,
}

/// Stands for the id of the request.
pub(crate) const ID: &str = "${id}";

/// Stands for what would be sent.
pub(crate) const SAME: &str = "${same}";

impl Plan {
    /// How many bytes it tells the client, roughly: what shrinking makes less.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.0.iter().map(Change::weight).sum()
    }

    /// What was done, in a few words.
    #[must_use]
    pub fn kinds(&self) -> String {
        let of = |change: &Change| match change.of.as_str() {
            "" => change.kind.clone(),
            of => format!("{} ({of})", change.kind),
        };
        self.0.iter().map(of).collect::<Vec<_>>().join(", ")
    }

    /// As a file has it.
    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(Change::to_json).collect()
    }

    /// From a file.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let changes = value.as_array()?.iter();
        changes
            .map(Change::from_json)
            .collect::<Option<_>>()
            .map(Self)
    }
}

impl Change {
    fn weight(&self) -> usize {
        1 + match &self.what {
            What::Event(pieces) => pieces.len(),
            What::Messages(messages) => messages.iter().map(|it| it.len() + 1).sum(),
            What::Response(response) => {
                let headers = response.headers.iter();
                let of = |value: &Option<String>| value.as_ref().map_or(0, String::len);
                headers
                    .map(|(name, value)| name.len() + of(value))
                    .sum::<usize>()
                    + response.body.as_ref().map_or(0, |body| body.len() + 1)
                    + usize::from(response.status.is_some())
                    + usize::from(response.breaks_after.is_some())
            }
        }
    }

    /// Whether what would be sent reaches the client all the same, as it is.
    pub(crate) fn delivers(&self) -> bool {
        match &self.what {
            What::Messages(messages) => messages.iter().any(|it| *it == Pieces::of(SAME)),
            // What comes before an event must be at its end.
            What::Event(pieces) => match pieces.0.as_slice() {
                [piece] => {
                    let text = String::from_utf8_lossy(&piece.bytes);
                    text.split_once(SAME)
                        .is_some_and(|(before, _)| before.is_empty() || before.ends_with("\n\n"))
                }
                _ => false,
            },
            What::Response(_) => false,
        }
    }

    fn to_json(&self) -> Value {
        let mut change = json!({"of": self.of, "nth": self.nth, "kind": self.kind});
        match &self.what {
            What::Event(pieces) => change["event"] = spelled(pieces),
            What::Messages(messages) => {
                change["messages"] = messages.iter().map(spelled).collect();
            }
            What::Response(response) => {
                let mut told = json!({});
                if let Some(status) = response.status {
                    told["status"] = json!(status);
                }
                if !response.headers.is_empty() {
                    let pair = |(name, value): &(String, Option<String>)| json!([name, value]);
                    told["headers"] = response.headers.iter().map(pair).collect();
                }
                if let Some(body) = &response.body {
                    told["body"] = spelled(body);
                }
                if let Some(bytes) = response.breaks_after {
                    told["breaks_after"] = json!(bytes);
                }
                change["response"] = told;
            }
        }
        change
    }

    fn from_json(value: &Value) -> Option<Self> {
        let members = value.as_object()?;
        let what = if let Some(event) = members.get("event") {
            What::Event(read(event)?)
        } else if let Some(messages) = members.get("messages") {
            What::Messages(
                messages
                    .as_array()?
                    .iter()
                    .map(read)
                    .collect::<Option<_>>()?,
            )
        } else {
            What::Response(response(members.get("response")?.as_object()?)?)
        };
        Some(Self {
            of: members.get("of")?.as_str()?.to_owned(),
            nth: members.get("nth")?.as_u64()?,
            kind: members.get("kind")?.as_str()?.to_owned(),
            what,
        })
    }
}

fn response(members: &Map<String, Value>) -> Option<Response> {
    let mut response = Response::default();
    if let Some(status) = members.get("status") {
        response.status = Some(u16::try_from(status.as_u64()?).ok()?);
    }
    if let Some(headers) = members.get("headers") {
        for pair in headers.as_array()? {
            let name = pair.get(0)?.as_str()?.to_owned();
            let value = pair.get(1)?.as_str().map(str::to_owned);
            response.headers.push((name, value));
        }
    }
    if let Some(body) = members.get("body") {
        response.body = Some(read(body)?);
    }
    if let Some(bytes) = members.get("breaks_after") {
        response.breaks_after = Some(usize::try_from(bytes.as_u64()?).ok()?);
    }
    Some(response)
}

fn spelled(pieces: &Pieces) -> Value {
    let of = |piece: &Piece| {
        let mut told = match std::str::from_utf8(&piece.bytes) {
            Ok(text) => json!({"text": text}),
            Err(_) => json!({"base64": STANDARD.encode(&piece.bytes)}),
        };
        if piece.times != 1 {
            told["times"] = json!(piece.times);
        }
        told
    };
    pieces.0.iter().map(of).collect()
}

fn read(value: &Value) -> Option<Pieces> {
    let of = |told: &Value| {
        let bytes = match told.get("text") {
            Some(text) => text.as_str()?.as_bytes().to_vec(),
            None => STANDARD.decode(told.get("base64")?.as_str()?).ok()?,
        };
        let times = match told.get("times") {
            Some(times) => usize::try_from(times.as_u64()?).ok()?,
            None => 1,
        };
        (bytes.len().saturating_mul(times) <= BYTES_MAX).then_some(Piece { bytes, times })
    };
    let pieces = value.as_array()?.iter().map(of).collect::<Option<_>>();
    pieces.map(Pieces)
}

/// The bytes that pieces stand for.
pub(crate) fn filled(pieces: &Pieces, id: &str, same: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for piece in &pieces.0 {
        let once = replaced(&piece.bytes, id, same);
        for _ in 0..piece.times {
            if bytes.len() + once.len() > BYTES_MAX {
                return bytes;
            }
            bytes.extend_from_slice(&once);
        }
    }
    bytes
}

fn replaced(bytes: &[u8], id: &str, same: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        if let Some(after) = rest.strip_prefix(ID.as_bytes()) {
            replaced.extend_from_slice(id.as_bytes());
            rest = after;
        } else if let Some(after) = rest.strip_prefix(SAME.as_bytes()) {
            replaced.extend_from_slice(same);
            rest = after;
        } else {
            replaced.push(*first);
            rest = &rest[1..];
        }
    }
    replaced
}

/// Bytes that are sent in place of anything, at most.
const BYTES_MAX: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_holds_is_the_plan() {
        let mut many = Pieces::of(*b"\xff${id}");
        many.push(Piece::repeated(b"[", 3));
        let response = Response {
            status: Some(500),
            headers: vec![
                ("a".to_owned(), None),
                ("b".to_owned(), Some("c".to_owned())),
            ],
            body: Some(Pieces::of("x${x}")),
            breaks_after: Some(0),
        };
        let whats = [
            What::Event(Pieces::of(SAME)),
            What::Messages(vec![many, Pieces::of(SAME)]),
            What::Messages(Vec::new()),
            What::Response(response),
        ];
        let change = |what| Change {
            of: "tools/list".to_owned(),
            nth: 2,
            kind: "type".to_owned(),
            what,
        };
        let plan = Plan(whats.into_iter().map(change).collect());
        assert_eq!(Plan::from_json(&plan.to_json()), Some(plan.clone()));
        assert!(plan.0[0].delivers() && plan.0[1].delivers());
        assert!(!plan.0[2].delivers() && !plan.0[3].delivers());
    }

    #[test]
    fn what_stands_for_something_is_replaced_by_it() {
        let mut pieces = Pieces::of("{\"id\":${id},\"x\":\"${x}\"}${same}");
        pieces.push(Piece::repeated(b"ab", 2));
        assert_eq!(
            filled(&pieces, "7", b"{}"),
            b"{\"id\":7,\"x\":\"${x}\"}{}abab"
        );
    }
}
