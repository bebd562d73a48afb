//! HTTP+SSE, the transport of 2024-11-05: a stream for what the server says, and POST beside it.

use std::sync::Arc;

use http::StatusCode;
use mcp_verdict_wire::{Era, TransportKind};
use tokio::sync::mpsc;

use super::{
    exchange::{Conversation, start},
    http::{HttpServer, MESSAGES_PATH},
    http_session::new_id,
    reply::{EndsWith, Reply, Source},
};
use crate::{
    core::{
        outlet::{QUEUE_LENGTH, lock},
        rpc::{PARSE_ERROR, Refusal},
    },
    faults::{Event, HttpRequest},
};

/// Streams at a time.
const SESSIONS_MAX: usize = 1000;
const ID_PARAMETER: &str = "session_id=";

/// A stream that is open.
pub(super) struct SseSession {
    conversation: Conversation,
}

/// GET: opens a stream. Its first event says where to post.
pub(super) fn open(server: &Arc<HttpServer>) -> Reply {
    let Ok(id) = new_id() else {
        return Reply::status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let (core, faults) = (server.core.clone(), server.faults.clone());
    let session = core.session(TransportKind::HttpSse, sender.clone());
    let conversation = Conversation {
        core,
        faults,
        session,
        era: Some(Era::Legacy),
        headers: None,
        sender,
    };
    {
        let mut sessions = lock(&server.sse_sessions);
        if sessions.len() >= SESSIONS_MAX {
            return Reply::status(StatusCode::SERVICE_UNAVAILABLE);
        }
        sessions.insert(
            id.clone(),
            Arc::new(SseSession {
                conversation: conversation.clone(),
            }),
        );
    }
    let endpoint = Event {
        event: Some("endpoint".to_owned()),
        data: Some(format!("{MESSAGES_PATH}?{ID_PARAMETER}{id}").into_bytes()),
        ..Event::default()
    };
    let (core, faults) = (server.core.clone(), server.faults.clone());
    let facts = core.facts(TransportKind::HttpSse, None, None);
    let server = server.clone();
    let guard = EndsWith::new(move || {
        conversation.session.cancel_all();
        lock(&server.sse_sessions).remove(&id);
    });
    let source = Source {
        core,
        faults,
        facts,
        first: Vec::new(),
        receiver,
        guard,
    };
    Reply::events(source.into_events(Some(endpoint)))
}

/// POST: a message. What it leads to comes on the stream.
pub(super) async fn post(server: &Arc<HttpServer>, request: &HttpRequest) -> Reply {
    let id = request
        .query
        .split('&')
        .find_map(|pair| pair.strip_prefix(ID_PARAMETER));
    let Some(id) = id else {
        return Reply::refused(StatusCode::BAD_REQUEST, "session_id is missing", None, None);
    };
    let session = lock(&server.sse_sessions).get(id).cloned();
    let Some(session) = session else {
        return Reply::refused(StatusCode::NOT_FOUND, "Session not found", None, None);
    };
    let conversation = &session.conversation;
    match serde_json::from_slice(&request.body) {
        Ok(message) => {
            conversation.take(message).await.into_iter().for_each(start);
            Reply::status(StatusCode::ACCEPTED)
        }
        Err(error) => {
            let refusal = Refusal::new(PARSE_ERROR, format!("Parse error: {error}"));
            conversation.refuse(&refusal).await;
            Reply::status(StatusCode::BAD_REQUEST)
        }
    }
}
