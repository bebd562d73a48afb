//! HTTP as far as all paths share it: whole requests in, replies out, the guard, the limits.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{body::Body, extract::Request, response::Response};
use futures_util::{StreamExt, stream};
use http::{Method, StatusCode, header};
use mcp_verdict_wire::TransportKind;

use super::{
    MockConfig,
    guard::Guard,
    http_session::Sessions,
    http_sse::{self, SseSession},
    reply::{Events, Reply},
    request_body::Bodies,
    streamable_http,
    websocket::{self, WS_PATH},
    websocket_draft::{self, DraftSessions},
};
use crate::{
    core::Core,
    faults::{Faults, HttpRequest, HttpResponse},
};

/// The path of the Streamable HTTP endpoint.
pub(super) const MCP_PATH: &str = "/mcp";
/// The path of the event stream of HTTP+SSE.
pub(super) const SSE_PATH: &str = "/sse";
/// Where clients of HTTP+SSE post.
pub(super) const MESSAGES_PATH: &str = "/messages";

/// One listener's server.
pub(super) struct HttpServer {
    pub(super) core: Arc<Core>,
    pub(super) faults: Faults,
    /// What each WebSocket's own server is started with.
    pub(super) config: MockConfig,
    pub(super) sessions: Sessions,
    pub(super) sse_sessions: Mutex<HashMap<String, Arc<SseSession>>>,
    pub(super) drafts: DraftSessions,
    guard: Guard,
    bodies: Bodies,
}

impl HttpServer {
    pub(super) fn new(
        core: Arc<Core>,
        faults: Faults,
        address: SocketAddr,
        config: &MockConfig,
    ) -> Self {
        Self {
            core,
            faults,
            config: config.clone(),
            sessions: Sessions::default(),
            sse_sessions: Mutex::default(),
            drafts: DraftSessions::default(),
            guard: Guard::new(address, &config.allow_hosts),
            bodies: Bodies::default(),
        }
    }

    /// Answers one request.
    pub(super) async fn answer(self: Arc<Self>, mut request: Request) -> Response {
        let upgrade = websocket::upgrade_of(&mut request);
        let (parts, body) = request.into_parts();
        let mut request = HttpRequest {
            method: parts.method,
            whole_url: parts.uri.authority().is_some(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers,
            body: Vec::new(),
            // Only a fault wants to know.
            sessions: if self.faults.is_empty() {
                Vec::new()
            } else {
                self.sessions.ids()
            },
            memory: self
                .core
                .facts(TransportKind::StreamableHttp, None, None)
                .memory,
        };
        let bodies = &self.bodies;
        let body = bodies.read(&self.faults, &self.sessions, &request.headers, body);
        let reply = match body.await {
            Ok(body) => {
                request.body = body;
                self.reply(&mut request).await
            }
            Err(reply) => *reply,
        };
        let Reply { mut head, events } = reply;
        let breaks_after = self.faults.http_response(&request, &mut head);
        if let Some(upgrade) = upgrade
            && head.status == StatusCode::SWITCHING_PROTOCOLS
        {
            let draft = websocket_draft::is_offered(&request.headers);
            tokio::spawn(websocket::serve(self.clone(), upgrade, draft));
        }
        let stay_open = self.faults.streams_stay_open();
        let response = respond(head, events.map(|events| stream_body(events, stay_open)));
        match breaks_after {
            Some(bytes) => response.map(|body| broken_after(body, bytes)),
            None => response,
        }
    }

    async fn reply(self: &Arc<Self>, request: &mut HttpRequest) -> Reply {
        if self.faults.http_hangs(request) {
            self.core.closed().await;
        }
        if let Some(head) = self.faults.http_request(request) {
            return Reply { head, events: None };
        }
        if !self.guard.admits(&request.headers) {
            return Reply::refused(
                StatusCode::FORBIDDEN,
                "this Host or Origin is not allowed",
                None,
                None,
            );
        }
        match (request.path.as_str(), &request.method) {
            (MCP_PATH, &Method::POST) => streamable_http::post(self, request).await,
            (MCP_PATH, &Method::GET) => streamable_http::get(self, request),
            (MCP_PATH, &Method::DELETE) => streamable_http::delete(self, request),
            (MCP_PATH, _) => method_not_allowed("GET, POST, DELETE"),
            (SSE_PATH, &Method::GET) => http_sse::open(self),
            (SSE_PATH, _) => method_not_allowed("GET"),
            (MESSAGES_PATH, &Method::POST) => http_sse::post(self, request).await,
            (MESSAGES_PATH, _) => method_not_allowed("POST"),
            (WS_PATH, &Method::GET) => websocket::handshake(request),
            (WS_PATH, _) => method_not_allowed("GET"),
            _ => Reply::status(StatusCode::NOT_FOUND),
        }
    }
}

/// MUST: RFC 9110 section 15.5.6 wants `Allow`.
pub(super) fn method_not_allowed(allowed: &str) -> Reply {
    Reply::status(StatusCode::METHOD_NOT_ALLOWED).with_header("allow", allowed)
}

/// Whether `Accept` lists this type, or does not restrict types at all.
pub(super) fn accepts(request: &HttpRequest, media_type: &str) -> bool {
    let values: Vec<_> = request.headers.get_all(header::ACCEPT).iter().collect();
    let any_of_kind = media_type
        .split_once('/')
        .map(|(kind, _)| format!("{kind}/*"))
        .unwrap_or_default();
    let lists = |range: &str| {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let refused = parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
        !refused && (name == media_type || name == "*/*" || name == any_of_kind)
    };
    values.is_empty()
        || values.iter().any(|value| {
            value
                .to_str()
                .is_ok_and(|value| value.split(',').any(lists))
        })
}

fn stream_body(events: Events, stay_open: bool) -> Body {
    let events = events.map(Ok::<_, std::io::Error>);
    match stay_open {
        true => Body::from_stream(events.chain(stream::pending())),
        false => Body::from_stream(events),
    }
}

/// The first bytes of a body, after which its connection breaks.
fn broken_after(body: Body, bytes: usize) -> Body {
    let start = (body.into_data_stream(), bytes);
    let pieces = stream::unfold(start, |(mut body, left)| async move {
        let piece = match left {
            0 => None,
            _ => body.next().await.and_then(Result::ok),
        };
        let Some(piece) = piece else {
            // What was written before is sent while the body has nothing to give.
            tokio::task::yield_now().await;
            let broken = std::io::Error::other("the connection breaks here");
            return Some((Err(broken), (body, 0)));
        };
        let piece = piece.slice(..piece.len().min(left));
        let left = left - piece.len();
        Some((Ok(piece), (body, left)))
    });
    Body::from_stream(pieces)
}

fn respond(head: HttpResponse, events: Option<Body>) -> Response {
    let body = match (head.body, events) {
        (Some(body), _) => Body::from(body),
        (None, Some(events)) => events,
        (None, None) => Body::empty(),
    };
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    response
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn accept_is_read_by_the_rules_of_http() {
        let accepts = |accept: Option<&str>, media_type: &str| {
            let headers =
                accept.map(|accept| (header::ACCEPT, HeaderValue::from_str(accept).unwrap()));
            let request = HttpRequest {
                method: Method::POST,
                whole_url: false,
                path: String::new(),
                query: String::new(),
                headers: HeaderMap::from_iter(headers),
                body: Vec::new(),
                sessions: Vec::new(),
                memory: Arc::default(),
            };
            super::accepts(&request, media_type)
        };
        assert!(accepts(None, "application/json"));
        assert!(accepts(
            Some("application/json, text/event-stream"),
            "text/event-stream"
        ));
        assert!(accepts(
            Some("text/event-stream;q=0.5,application/JSON"),
            "application/json"
        ));
        assert!(accepts(Some("*/*"), "text/event-stream"));
        assert!(accepts(Some("text/*"), "text/event-stream"));
        assert!(!accepts(Some("application/json"), "text/event-stream"));
        assert!(!accepts(Some("text/event-stream;q=0"), "text/event-stream"));
    }
}
