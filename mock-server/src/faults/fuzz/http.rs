//! Bugs around messages over HTTP: in methods, fields and event streams.

use http::Method;

use super::dies;
use crate::faults::{Event, Fault, Hook, HttpRequest};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "fuzz-session-id",
        about: "A session id that cannot be one ends all sessions",
        hook: Hook::HttpHangs(|request| {
            let id = request.header("mcp-session-id").unwrap_or_default();
            let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            ends_all(request, id.len() > 128 || !id.bytes().all(sound))
        }),
    },
    Fault {
        name: "fuzz-event-id",
        about: "A Last-Event-ID that cannot be one ends the session",
        hook: Hook::HttpHangs(|request| {
            let id = request.header("last-event-id").unwrap_or_default();
            let sound = |byte: u8| byte.is_ascii_digit() || byte == b'-';
            let opens = request.method == Method::GET;
            dies(request, opens && !id.bytes().all(sound))
        }),
    },
    Fault {
        name: "fuzz-large-field",
        about: "A field of more than 8 KiB ends the session",
        hook: Hook::HttpHangs(|request| {
            let large = request.headers.values().any(|value| value.len() > 8_192);
            dies(request, large)
        }),
    },
    Fault {
        name: "fuzz-head",
        about: "HEAD ends the session",
        hook: Hook::HttpHangs(|request| dies(request, request.method == Method::HEAD)),
    },
    Fault {
        name: "fuzz-content-encoding",
        about: "A body that says that it is compressed, and is not, ends the session",
        hook: Hook::HttpHangs(|request| {
            dies(request, request.header("content-encoding") == Some("gzip"))
        }),
    },
    Fault {
        name: "fuzz-stream-injection",
        about: "Line feeds in what tools say are written to event streams as they are",
        hook: Hook::Stream(|_, event| {
            let data = event.data.as_deref().unwrap_or_default();
            let text = String::from_utf8_lossy(data);
            if !text.contains("\\n") {
                return vec![event];
            }
            let id = event.id.as_deref().unwrap_or("0");
            let text = text.replace("\\n", "\n");
            vec![Event::raw(format!(
                "event: message\nid: {id}\ndata: {text}\n\n"
            ))]
        }),
    },
];

/// Whether a request is never answered, since one of any session was fatal after its own session was opened.
fn ends_all(request: &HttpRequest, fatal: bool) -> bool {
    if fatal {
        for session in &request.sessions {
            request.memory.mark(&format!("dead: {session}"));
        }
    }
    dies(request, fatal)
}
