//! What can go wrong with gRPC: statuses, trailers, frames, and lines that end a call.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use mcp_verdict_wire::grpc::{Line, SESSION_PATH, encode};

use super::{Act, Fault, GrpcCall, GrpcPart, Hook, HttpResponse, LineIn, Moment};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "grpc-any-content-type",
        about: "Calls are served whatever content type they have",
        hook: Hook::GrpcCall(|call| {
            let grpc = HeaderValue::from_static("application/grpc");
            call.headers.insert(header::CONTENT_TYPE, grpc);
            None
        }),
    },
    Fault {
        name: "grpc-cancelled-ends-others",
        about: "When a call that has a deadline is cancelled, those that are under way fail",
        hook: Hook::All(&[
            Hook::GrpcCancelled(keep_cancelled),
            Hook::GrpcPart(|call, part| match was_cancelled(call) {
                true => vec![GrpcPart::Trailers(status("14"))],
                false => vec![part],
            }),
        ]),
    },
    Fault {
        name: "grpc-cancelled-ends-service",
        about: "Once a call that has a deadline was cancelled, no other is served",
        hook: Hook::All(&[
            Hook::GrpcCancelled(keep_cancelled),
            Hook::GrpcCall(|call| {
                was_cancelled(call).then(|| vec![GrpcPart::Trailers(status("14"))])
            }),
        ]),
    },
    Fault {
        name: "grpc-cancelled-goes-on",
        about: "What was said in a call that has a deadline and is cancelled, is said in others too",
        hook: Hook::All(&[
            Hook::GrpcCancelled(|call| {
                for said in call.memory.take(&said_in(call)) {
                    call.memory.keep("left over", said);
                }
            }),
            Hook::GrpcPart(|call, part| match part {
                GrpcPart::Data(bytes) if has_deadline(call) => {
                    let said = Departure::raw(bytes.clone());
                    call.memory.keep(&said_in(call), said);
                    vec![GrpcPart::Data(bytes)]
                }
                GrpcPart::Data(_) => {
                    let left_over = call.memory.take("left over").into_iter();
                    let more = left_over.map(|said| GrpcPart::Data(said.bytes()));
                    [part].into_iter().chain(more).collect()
                }
                part => vec![part],
            }),
        ]),
    },
    Fault {
        name: "grpc-compressed-unasked",
        about: "With each message comes one that is compressed, which nobody asked for",
        hook: Hook::GrpcPart(|call, part| beside(call, part, vec![1, 0, 0, 0, 2, 0x0a, 0])),
    },
    Fault {
        name: "grpc-content-type-html",
        about: "Responses say that they are text/html",
        hook: Hook::GrpcPart(|_, mut part| {
            if let GrpcPart::Head { headers, .. } = &mut part {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            }
            vec![part]
        }),
    },
    Fault {
        name: "grpc-deadline-ignored",
        about: "The deadline of a call is not looked at",
        hook: Hook::GrpcCall(|call| {
            call.headers.remove("grpc-timeout");
            None
        }),
    },
    Fault {
        name: "grpc-empty-line-ends",
        about: "An empty line ends the call",
        hook: Hook::LineIn(|line| end_if(line.is_empty())),
    },
    Fault {
        name: "grpc-error-ends-call",
        about: "A call ends with the first error of JSON-RPC",
        hook: Hook::GrpcPart(|_, part| match &part {
            GrpcPart::Data(bytes) if holds(bytes, b"\"error\":") => {
                vec![part, GrpcPart::Trailers(status("3"))]
            }
            _ => vec![part],
        }),
    },
    Fault {
        name: "grpc-internal-as-ok",
        about: "A call whose messages cannot be read ends with OK",
        hook: Hook::GrpcPart(|_, part| with_status(part, |code| (code == "13").then_some("0"))),
    },
    Fault {
        name: "grpc-half-close-ends-at-once",
        about: "When the client half-closes, the call ends before its answers have come",
        hook: Hook::Process(|moment| match moment {
            Moment::InputClosed => Act::Exit(0),
            Moment::Started => Act::Nothing,
        }),
    },
    Fault {
        name: "grpc-half-close-fails",
        about: "A call that the client half-closes ends with UNKNOWN",
        hook: Hook::GrpcPart(|_, part| with_status(part, |code| (code == "0").then_some("2"))),
    },
    Fault {
        name: "grpc-health-not-serving",
        about: "The health service says that nothing is served",
        hook: Hook::GrpcPart(|call, part| match part {
            GrpcPart::Data(_) if call.path.starts_with("/grpc.health") => {
                vec![GrpcPart::Data(encode(&[8, 2]))]
            }
            part => vec![part],
        }),
    },
    Fault {
        name: "grpc-large-line-ends",
        about: "A line of more than 64 KiB ends the call",
        hook: Hook::LineIn(|line| end_if(line.len() > 64 * 1024)),
    },
    Fault {
        name: "grpc-no-status",
        about: "Calls end without trailers and without a status",
        hook: Hook::GrpcPart(|_, mut part| match &mut part {
            GrpcPart::Trailers(_) => Vec::new(),
            GrpcPart::Head { headers, .. } => {
                headers.remove(STATUS);
                vec![part]
            }
            _ => vec![part],
        }),
    },
    Fault {
        name: "grpc-no-line",
        about: "With each message comes one that is no message of the tunnel",
        hook: Hook::GrpcPart(|call, part| beside(call, part, encode(&[8, 1]))),
    },
    Fault {
        name: "protobuf-accepted",
        about: "Over HTTP a body of protobuf is taken, and nothing comes of it",
        hook: Hook::HttpRequest(|request| {
            let is_protobuf = request
                .header("content-type")
                .is_some_and(|value| value.contains("protobuf"));
            is_protobuf.then(|| HttpResponse::empty(StatusCode::ACCEPTED))
        }),
    },
    Fault {
        name: "grpc-session-named-fails",
        about: "A call that names a session in its metadata ends with UNKNOWN",
        hook: Hook::GrpcCall(|call| {
            let named = call.headers.contains_key(SESSION_ID);
            named.then(|| vec![GrpcPart::Trailers(status("2"))])
        }),
    },
    Fault {
        name: "grpc-session-unknown-resets",
        about: "A call that names a session which does not exist is reset",
        hook: Hook::All(&[
            Hook::GrpcPart(|call, part| {
                if let GrpcPart::Head { headers, .. } = &part
                    && let Some(id) = headers.get(SESSION_ID)
                {
                    call.memory.keep("sessions", Departure::raw(id.as_bytes()));
                }
                vec![part]
            }),
            Hook::GrpcCall(|call| {
                let named = call.headers.get(SESSION_ID)?;
                let sessions = call.memory.take("sessions");
                let known = sessions.iter().any(|id| id.bytes() == named.as_bytes());
                for id in sessions {
                    call.memory.keep("sessions", id);
                }
                (!known).then(|| vec![GrpcPart::Reset])
            }),
        ]),
    },
    Fault {
        name: "grpc-status-in-words",
        about: "The status of a call is its name, not its number",
        hook: Hook::GrpcPart(|_, part| with_status(part, |_| Some("OK"))),
    },
    Fault {
        name: "grpc-two-lines-end",
        about: "Two messages in one line end the call",
        hook: Hook::LineIn(|line| end_if(line.contains(&b'\n'))),
    },
    Fault {
        name: "grpc-two-in-a-line",
        about: "With each message comes one whose line holds two",
        hook: Hook::GrpcPart(|call, part| {
            let two = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"info\",\"data\":1}}";
            let line = format!("{two}\n{two}");
            beside(call, part, encode(&Line::of(line.as_bytes())))
        }),
    },
    Fault {
        name: "grpc-unknown-encoding-internal",
        about: "A message in an encoding that is not known fails with INTERNAL",
        hook: Hook::GrpcPart(
            |call, part| match call.headers.contains_key("grpc-encoding") {
                true => with_status(part, |code| (code == "12").then_some("13")),
                false => vec![part],
            },
        ),
    },
    Fault {
        name: "grpc-unknown-encoding-ok",
        about: "A message in an encoding that is not known does no harm to its call",
        hook: Hook::GrpcPart(
            |call, part| match call.headers.contains_key("grpc-encoding") {
                true => with_status(part, |code| (code == "12").then_some("0")),
                false => vec![part],
            },
        ),
    },
    Fault {
        name: "grpc-unknown-encoding-unlisted",
        about: "Who uses an encoding that is not known is not told which are",
        hook: Hook::GrpcPart(|_, mut part| {
            match &mut part {
                GrpcPart::Head { headers, .. } | GrpcPart::Trailers(headers) => {
                    headers.remove("grpc-accept-encoding");
                }
                GrpcPart::Data(_) | GrpcPart::Reset => {}
            }
            vec![part]
        }),
    },
    Fault {
        name: "grpc-unknown-method-ok",
        about: "A call of a method that does not exist succeeds without an answer",
        hook: Hook::GrpcPart(|_, part| with_status(part, |code| (code == "12").then_some("0"))),
    },
    Fault {
        name: "grpc-unknown-method-404",
        about: "A call of a method that does not exist is HTTP 404",
        hook: Hook::GrpcCall(|call| {
            let known = call.path == SESSION_PATH || !call.path.starts_with("/mcp.transport");
            (!known).then(|| {
                vec![GrpcPart::Head {
                    status: StatusCode::NOT_FOUND,
                    headers: HeaderMap::new(),
                }]
            })
        }),
    },
];

const STATUS: HeaderName = HeaderName::from_static("grpc-status");

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// A session's own call has no deadline: that it ends in a cancellation is nothing to remember.
fn has_deadline(call: &GrpcCall) -> bool {
    call.path == SESSION_PATH && call.headers.contains_key("grpc-timeout")
}

fn keep_cancelled(call: &GrpcCall) {
    if has_deadline(call) {
        call.memory.keep("cancelled", Departure::raw(b""));
    }
}

fn was_cancelled(call: &GrpcCall) -> bool {
    let cancelled = call.memory.take("cancelled");
    for one in &cancelled {
        call.memory.keep("cancelled", one.clone());
    }
    call.path == SESSION_PATH && !cancelled.is_empty()
}

/// Where it is kept what was said in a call.
fn said_in(call: &GrpcCall) -> String {
    format!("said in call {}", call.number)
}

/// A message of the tunnel, and another frame behind it.
fn beside(call: &GrpcCall, part: GrpcPart, frame: Vec<u8>) -> Vec<GrpcPart> {
    match part {
        GrpcPart::Data(_) if call.path == SESSION_PATH => vec![part, GrpcPart::Data(frame)],
        part => vec![part],
    }
}

/// The same part with another status, where there is one and `change` has another for it.
fn with_status(mut part: GrpcPart, change: impl Fn(&str) -> Option<&'static str>) -> Vec<GrpcPart> {
    if let GrpcPart::Head { headers, .. } | GrpcPart::Trailers(headers) = &mut part
        && let Some(value) = headers.get_mut(STATUS)
        && let Some(other) = value.to_str().ok().and_then(change)
    {
        *value = HeaderValue::from_static(other);
    }
    vec![part]
}

fn status(code: &'static str) -> HeaderMap {
    [(STATUS, HeaderValue::from_static(code))]
        .into_iter()
        .collect()
}

fn end_if(meant: bool) -> LineIn {
    match meant {
        true => LineIn::Exit(1),
        false => LineIn::Take,
    }
}

fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}
