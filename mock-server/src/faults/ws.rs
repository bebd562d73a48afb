//! Faults of WebSocket: handshakes, frames, and the end.

use http::{HeaderName, HeaderValue, StatusCode};
use mcp_verdict_wire::websocket::{Frame, opcode};
use serde_json::{Value, json};

use super::{Fault, Hook, HttpRequest, HttpResponse};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "ws-accept-wrong",
        about: "A handshake is accepted with the key itself",
        hook: Hook::HttpResponse(|request, response| {
            if let Some(key) = request.header(KEY) {
                switching(response, "sec-websocket-accept", key);
            }
        }),
    },
    Fault {
        name: "ws-protocol-unasked",
        about: "Every handshake is told that the subprotocol is `mcp`",
        hook: Hook::HttpResponse(|_, response| switching(response, PROTOCOL, "mcp")),
    },
    Fault {
        name: "ws-protocol-none",
        about: "No subprotocol is ever chosen",
        hook: Hook::HttpResponse(|_, response| {
            response.headers.remove(PROTOCOL);
        }),
    },
    Fault {
        name: "ws-protocol-first",
        about: "The first subprotocol that is offered is chosen, whatever it is",
        hook: Hook::HttpResponse(|request, response| {
            let offered = request.header(PROTOCOL).unwrap_or_default();
            let first = offered.split(',').next().unwrap_or_default().trim();
            if !first.is_empty() {
                switching(response, PROTOCOL, first);
            }
        }),
    },
    Fault {
        name: "ws-protocol-required",
        about: "A handshake that does not offer `mcp` fails with status 500",
        hook: Hook::HttpRequest(|request| {
            let offered = request.header(PROTOCOL).unwrap_or_default();
            let lacks = !offered.split(',').any(|item| item.trim() == "mcp");
            (request.path == PATH && lacks)
                .then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "ws-extension-unasked",
        about: "A handshake is told of an extension that it did not offer",
        hook: Hook::HttpResponse(|_, response| {
            switching(response, "sec-websocket-extensions", "permessage-deflate");
        }),
    },
    Fault {
        name: "ws-any-version",
        about: "Handshakes of every version are accepted",
        hook: Hook::HttpRequest(|request| ahead(request, "sec-websocket-version", "13")),
    },
    Fault {
        name: "ws-version-not-named",
        about: "A handshake of another version is refused without the right one",
        hook: Hook::HttpResponse(|_, response| {
            response.headers.remove("sec-websocket-version");
        }),
    },
    Fault {
        name: "ws-key-not-needed",
        about: "Handshakes without a key are accepted",
        hook: Hook::HttpRequest(|request| match request.header(KEY) {
            Some(_) => None,
            None => ahead(request, KEY, "dGhlIHNhbXBsZSBub25jZQ=="),
        }),
    },
    Fault {
        name: "ws-frames-masked",
        about: "Frames are masked",
        hook: Hook::FrameOut(|frame| {
            let mask = Some([1, 2, 3, 4]);
            vec![Frame { mask, ..frame }]
        }),
    },
    Fault {
        name: "ws-reserved-bit-set",
        about: "Messages are marked as compressed, though that was not agreed on",
        hook: Hook::FrameOut(|frame| {
            let reserved = if frame.is_control() { 0 } else { 4 };
            vec![Frame { reserved, ..frame }]
        }),
    },
    Fault {
        name: "ws-messages-binary",
        about: "Messages are repeated as binary frames",
        hook: Hook::FrameOut(|frame| {
            let binary = Frame {
                opcode: opcode::BINARY,
                ..frame.clone()
            };
            match frame.opcode == opcode::TEXT {
                true => vec![frame, binary],
                false => vec![frame],
            }
        }),
    },
    Fault {
        name: "ws-two-messages-in-a-frame",
        about: "Responses come with a notification in the same frame",
        hook: Hook::FrameOut(|mut frame| {
            if frame.opcode == opcode::TEXT {
                frame.payload.push(b'\n');
                frame
                    .payload
                    .extend(notification().to_string().into_bytes());
            }
            vec![frame]
        }),
    },
    Fault {
        name: "ws-pong-missing",
        about: "Pings are not answered",
        hook: Hook::FrameOut(|frame| match frame.opcode {
            opcode::PONG => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-pong-empty",
        about: "Pings are answered with nothing of theirs",
        hook: Hook::FrameOut(|frame| match frame.opcode {
            opcode::PONG => vec![Frame::whole(opcode::PONG, "")],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-pong-closes",
        about: "A pong that nobody asked for ends the connection",
        hook: Hook::FrameIn(|frame| closing_if(frame.opcode == opcode::PONG, frame)),
    },
    Fault {
        name: "ws-ping-closes",
        about: "A ping ends the connection",
        hook: Hook::FrameIn(|frame| closing_if(frame.opcode == opcode::PING, frame)),
    },
    Fault {
        name: "ws-fragments-ignored",
        about: "Messages in several frames are not read",
        hook: Hook::FrameIn(|frame| {
            let part = !frame.fin || frame.opcode == opcode::CONTINUATION;
            match part {
                true => vec![],
                false => vec![frame],
            }
        }),
    },
    Fault {
        name: "ws-close-unanswered",
        about: "A close frame is answered with the end of the connection alone",
        hook: Hook::FrameOut(|frame| match frame.opcode {
            opcode::CLOSE => vec![],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-close-code-1006",
        about: "Close frames carry a code that is for no one to send",
        hook: Hook::FrameOut(|frame| match frame.opcode {
            opcode::CLOSE => vec![Frame::close(1006, "")],
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-talks-after-close",
        about: "A message follows the close frame",
        hook: Hook::FrameOut(|frame| match frame.opcode {
            opcode::CLOSE => {
                let late = notification().to_string();
                vec![frame, Frame::whole(opcode::TEXT, late)]
            }
            _ => vec![frame],
        }),
    },
    Fault {
        name: "ws-unmasked-accepted",
        about: "Frames that are not masked are read",
        hook: Hook::FrameIn(|frame| {
            let mask = Some([0; 4]);
            vec![Frame { mask, ..frame }]
        }),
    },
    Fault {
        name: "ws-reserved-bits-accepted",
        about: "Bits that are kept for extensions are passed over",
        hook: Hook::FrameIn(|frame| {
            vec![Frame {
                reserved: 0,
                ..frame
            }]
        }),
    },
    Fault {
        name: "ws-reserved-opcodes-ignored",
        about: "Frames whose opcode has no meaning are passed over",
        hook: Hook::FrameIn(|frame| match frame.opcode == opcode::RESERVED {
            true => vec![],
            false => vec![frame],
        }),
    },
    Fault {
        name: "ws-invalid-utf-8-accepted",
        about: "Text that is no UTF-8 is read as well as may be",
        hook: Hook::FrameIn(|mut frame| {
            if frame.opcode == opcode::TEXT {
                let text = String::from_utf8_lossy(&frame.payload).into_owned();
                frame.payload = text.into_bytes();
            }
            vec![frame]
        }),
    },
    Fault {
        name: "ws-large-message-closes",
        about: "A message of more than a megabyte ends the connection",
        hook: Hook::FrameIn(|frame| closing_if(frame.payload.len() > 1_000_000, frame)),
    },
    Fault {
        name: "ws-empty-text-closes",
        about: "A text frame with nothing in it ends the connection",
        hook: Hook::FrameIn(|frame| {
            let empty = frame.opcode == opcode::TEXT && frame.payload.is_empty();
            closing_if(empty, frame)
        }),
    },
    Fault {
        name: "ws-two-messages-close",
        about: "Two messages in one frame end the connection",
        hook: Hook::FrameIn(|frame| {
            let two = frame.opcode == opcode::TEXT && frame.payload.contains(&b'\n');
            closing_if(two, frame)
        }),
    },
    Fault {
        name: "ws-two-messages-served",
        about: "Each line of a text frame is served as a message",
        hook: Hook::FrameIn(|frame| match frame.opcode {
            opcode::TEXT if frame.fin => {
                let lines = frame.payload.split(|byte| *byte == b'\n');
                let alone = |line: &[u8]| Frame {
                    payload: line.to_vec(),
                    ..frame.clone()
                };
                lines.map(alone).collect()
            }
            _ => vec![frame],
        }),
    },
];

const PATH: &str = "/ws";
const KEY: &str = "sec-websocket-key";
const PROTOCOL: &str = "sec-websocket-protocol";

/// Sets a header of a response that switches protocols.
fn switching(response: &mut HttpResponse, name: &'static str, value: &str) {
    if response.status == StatusCode::SWITCHING_PROTOCOLS
        && let Ok(value) = HeaderValue::from_str(value)
    {
        response
            .headers
            .insert(HeaderName::from_static(name), value);
    }
}

/// Sets a header of a handshake before the server sees it.
fn ahead(request: &mut HttpRequest, name: &'static str, value: &str) -> Option<HttpResponse> {
    if request.path == PATH {
        request.set_header(name, value);
    }
    None
}

/// The client's close frame in place of this one.
fn closing_if(closes: bool, frame: Frame) -> Vec<Frame> {
    let close = Frame {
        mask: Some([0; 4]),
        ..Frame::close(1000, "")
    };
    vec![if closes { close } else { frame }]
}

fn notification() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "late"}})
}
