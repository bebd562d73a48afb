//! Faults of WebSocket by SEP-1288: sessions that messages name, and how connections are closed.

use http::{HeaderValue, StatusCode};
use mcp_verdict_wire::websocket::{Frame, opcode};
use serde_json::Value;

use super::{Fault, Hook, HttpRequest, HttpResponse, LineIn, SessionEvent};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "ws-draft-other-codes",
        about: "Connections are closed with another code than is asked for",
        hook: Hook::FrameOut(|frame| match closing_code(&frame) {
            Some(1000) => vec![Frame::close(1001, "")],
            Some(_) => vec![Frame::close(1000, "")],
            None => vec![frame],
        }),
    },
    Fault {
        name: "ws-draft-binary-ignored",
        about: "Binary frames are passed over",
        hook: Hook::FrameIn(|frame| match frame.opcode {
            opcode::BINARY => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-draft-json-ignored",
        about: "Texts that are no JSON are passed over",
        hook: Hook::LineIn(|text| match serde_json::from_slice::<Value>(text) {
            Ok(_) => LineIn::Take,
            Err(_) => LineIn::Ignore,
        }),
    },
    Fault {
        name: "ws-draft-session-unnamed",
        about: "No message names its session",
        hook: Hook::FrameOut(|mut frame| {
            if frame.opcode == opcode::TEXT
                && let Ok(Value::Object(mut members)) = serde_json::from_slice(&frame.payload)
                && members.remove("sessionId").is_some()
            {
                frame.payload = Value::Object(members).to_string().into_bytes();
            }
            vec![frame]
        }),
    },
    Fault {
        name: "ws-draft-session-named-once",
        about: "No message but the answer to `initialize` names its session",
        hook: Hook::FrameOut(|mut frame| {
            if frame.opcode == opcode::TEXT
                && let Ok(Value::Object(mut members)) = serde_json::from_slice(&frame.payload)
                && members
                    .get("result")
                    .is_none_or(|result| result.get("protocolVersion").is_none())
                && members.remove("sessionId").is_some()
            {
                frame.payload = Value::Object(members).to_string().into_bytes();
            }
            vec![frame]
        }),
    },
    Fault {
        name: "ws-draft-terminate-stays",
        about: "Who ends a session is told so, and then left without a word",
        hook: Hook::FrameOut(|frame| match closing_code(&frame) {
            Some(1000) if frame.payload.ends_with(b"terminated") => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-draft-terminate-unknown",
        about: "The method that ends a session is not known",
        hook: Hook::LineIn(|text| {
            let mut message = serde_json::from_slice::<Value>(text).unwrap_or_default();
            if message["method"] != "terminate" {
                return LineIn::Take;
            }
            message["method"] = "no/such/method".into();
            LineIn::Replace(message.to_string().into_bytes())
        }),
    },
    Fault {
        name: "ws-draft-first-goes-on",
        about: "A session goes on over the first connection too when it goes on over another",
        hook: Hook::Session(|event| {
            if let SessionEvent::Moved { leave } = event {
                **leave = false;
            }
        }),
    },
    Fault {
        name: "ws-draft-requests-unnamed",
        about: "A session that is missing or unknown closes nothing",
        hook: Hook::FrameOut(|frame| match closing_code(&frame) {
            Some(1008) => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-draft-first-stays",
        about: "The first connection of a session is not told that it is over",
        hook: Hook::FrameOut(|frame| match closing_code(&frame) {
            Some(1000) => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-draft-sessions-end",
        about: "No session is taken up again",
        hook: Hook::LineIn(|text| {
            let message = serde_json::from_slice::<Value>(text).unwrap_or_default();
            let again = message["method"] == "initialize" && message["sessionId"].is_string();
            if again { LineIn::Exit(0) } else { LineIn::Take }
        }),
    },
    Fault {
        name: "ws-draft-any-version",
        about: "Handshakes are accepted whatever version they name",
        hook: Hook::HttpRequest(|request| {
            if offers(request.header(PROTOCOL)).any(|item| item.starts_with("mcp.version.1")) {
                request.set_header(PROTOCOL, "mcp");
            }
            None
        }),
    },
    Fault {
        name: "ws-draft-version-unasked",
        about: "Handshakes are accepted under a version that they do not name",
        hook: Hook::HttpResponse(|_, response| choose(response, "mcp.version.2024-01-01")),
    },
    Fault {
        name: "ws-draft-token-any",
        about: "Who names the version first needs a token, and any will do",
        hook: Hook::HttpRequest(|request| guarded(request, None)),
    },
    Fault {
        name: "ws-draft-token-400",
        about: "Who names the version first needs a token, and one that is wrong is a bad request",
        hook: Hook::HttpRequest(|request| guarded(request, Some(StatusCode::BAD_REQUEST))),
    },
    Fault {
        name: "ws-draft-token-returned",
        about: "The token is the subprotocol that is chosen",
        hook: Hook::HttpResponse(|request, response| {
            let token = offers(request.header(PROTOCOL)).find(|item| item.starts_with("mcp.auth."));
            if let Some(token) = token {
                choose(response, token);
            }
        }),
    },
];

/// The code of a close frame.
fn closing_code(frame: &Frame) -> Option<u16> {
    let code = frame.payload.first_chunk().copied();
    (frame.opcode == opcode::CLOSE).then(|| code.map_or(0, u16::from_be_bytes))
}

/// The response to a handshake that needs a token; `wrong` is the status for one that has any. The usual order of
/// subprotocols needs none, so that there is a session beside.
fn guarded(request: &HttpRequest, wrong: Option<StatusCode>) -> Option<HttpResponse> {
    let mut offered = offers(request.header(PROTOCOL)).peekable();
    offered.next_if(|item| item.starts_with("mcp.version."))?;
    let status = match offered.any(|item| item.starts_with("mcp.auth.")) {
        true => wrong?,
        false => StatusCode::UNAUTHORIZED,
    };
    Some(HttpResponse::empty(status))
}

/// The subprotocols in a header.
fn offers(header: Option<&str>) -> impl Iterator<Item = &str> {
    header.unwrap_or_default().split(',').map(str::trim)
}

/// Sets the subprotocol of a response that switches protocols.
fn choose(response: &mut HttpResponse, protocol: &str) {
    if response.status == StatusCode::SWITCHING_PROTOCOLS
        && let Ok(value) = HeaderValue::from_str(protocol)
    {
        response.headers.insert(PROTOCOL, value);
    }
}

const PROTOCOL: &str = "sec-websocket-protocol";
