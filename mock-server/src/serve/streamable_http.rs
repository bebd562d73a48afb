//! Streamable HTTP, of both eras on one endpoint.

use std::sync::Arc;

use futures_util::{StreamExt, future::join_all, stream};
use http::{StatusCode, header};
use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    exchange::Conversation,
    http::{HttpServer, accepts, method_not_allowed},
    http_session::{HttpSession, new_id},
    reply::{EndsWith, Reply, Source, abort_with},
    stream_log::StreamLog,
};
use crate::{
    core::{Departure, Payload, Work, lifecycle::Envelope, outlet::QUEUE_LENGTH},
    faults::{HttpRequest, Replay, SessionEvent},
};

pub(super) const SESSION_ID: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";
const LAST_EVENT_ID: &str = "last-event-id";

/// POST: a message.
pub(super) async fn post(server: &Arc<HttpServer>, request: &HttpRequest) -> Reply {
    if !accepts(request, "application/json") || !accepts(request, "text/event-stream") {
        let why = "Accept must list application/json and text/event-stream";
        return Reply::refused(StatusCode::NOT_ACCEPTABLE, why, None, None);
    }
    if !is_json(request) {
        let why = "Content-Type must be application/json";
        return Reply::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, why, None, None);
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(message) if is_modern(server, request, &message) => {
            post_modern(server, request, message).await
        }
        Ok(message) => post_legacy(server, request, message).await,
        Err(error) => refuse_bytes(server, request, &error.to_string()).await,
    }
}

/// GET: a stream for what belongs to no request, or one that is resumed (legacy).
pub(super) fn get(server: &Arc<HttpServer>, request: &HttpRequest) -> Reply {
    if is_modern_version(request) {
        return method_not_allowed("POST");
    }
    if !accepts(request, "text/event-stream") {
        let why = "Accept must list text/event-stream";
        return Reply::refused(StatusCode::NOT_ACCEPTABLE, why, None, None);
    }
    let session = match find_session(server, request, None) {
        Ok(session) => session,
        Err(reply) => return *reply,
    };
    if let Some(replay) = request.header(LAST_EVENT_ID).and_then(read_event_id)
        && session.stream(replay.stream).is_some()
    {
        return resume(server, &session, replay);
    }
    let log = session.open_standalone(&server.core);
    Reply::events(log.read(&server.core, &server.faults))
}

/// DELETE: the end of a session (legacy).
pub(super) fn delete(server: &Arc<HttpServer>, request: &HttpRequest) -> Reply {
    if is_modern_version(request) {
        return method_not_allowed("POST");
    }
    if let Err(reply) = find_session(server, request, None) {
        return *reply;
    }
    let mut keep = false;
    server
        .faults
        .session(&mut SessionEvent::Ended { keep: &mut keep });
    if let Some(id) = request.header(SESSION_ID).filter(|_| !keep) {
        server.sessions.remove(id);
    }
    Reply::status(StatusCode::NO_CONTENT)
}

/// A request of the modern era says so in its body, or at least in its headers: by its version, or by
/// a header that the legacy era does not have where nothing speaks for the legacy era.
fn is_modern(server: &HttpServer, request: &HttpRequest, message: &Value) -> bool {
    let is_legacy = request.headers.contains_key(SESSION_ID)
        || version(request).is_some()
        || message.get("method").and_then(Value::as_str) == Some("initialize");
    let in_headers =
        is_modern_version(request) || (request.headers.contains_key(METHOD) && !is_legacy);
    let spoken = !server.core.revisions_of(Era::Modern).is_empty();
    spoken && (Envelope::is_on(message) || in_headers)
}

fn is_modern_version(request: &HttpRequest) -> bool {
    version(request).is_some_and(|revision| revision.era() == Era::Modern)
}

fn version(request: &HttpRequest) -> Option<Revision> {
    request.header(VERSION)?.trim().parse().ok()
}

fn is_json(request: &HttpRequest) -> bool {
    let content_type = request
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = content_type
        .and_then(|value| value.split(';').next())
        .unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

async fn post_modern(server: &Arc<HttpServer>, request: &HttpRequest, message: Value) -> Reply {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let conversation = Conversation {
        headers: Some(Arc::new(request.headers.clone())),
        ..one_exchange(server, Some(Era::Modern), sender)
    };
    let works = conversation.take(message.clone()).await;
    drop(conversation);
    if works.is_empty() {
        return at_once(server, receiver, message);
    }
    // SHOULD stop work when the client is gone: MUST be treated as cancellation.
    let guard = abort_with(tokio::spawn(run(works)));
    let facts = server.core.facts(
        TransportKind::StreamableHttp,
        Some(Revision::V2026_07_28),
        Some(message),
    );
    let (core, faults) = (server.core.clone(), server.faults.clone());
    from_messages(Source {
        core,
        faults,
        facts,
        first: Vec::new(),
        receiver,
        guard,
    })
    .await
}

/// A conversation that is over with this exchange.
fn one_exchange(
    server: &HttpServer,
    era: Option<Era>,
    sender: mpsc::Sender<Departure>,
) -> Conversation {
    let (nowhere, _) = mpsc::channel(1);
    let (core, faults) = (server.core.clone(), server.faults.clone());
    let session = core.session(TransportKind::StreamableHttp, nowhere);
    Conversation {
        core,
        faults,
        session,
        era,
        headers: None,
        sender,
    }
}

async fn post_legacy(server: &Arc<HttpServer>, request: &HttpRequest, message: Value) -> Reply {
    let is_initialize = message.get("method").and_then(Value::as_str) == Some("initialize");
    if is_initialize && request.header(SESSION_ID).is_none() {
        return open(server, message).await;
    }
    let session = match find_session(server, request, Some(&message)) {
        Ok(session) => session,
        Err(reply) => return *reply,
    };
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let conversation = Conversation {
        core: server.core.clone(),
        faults: server.faults.clone(),
        session: session.session.clone(),
        era: Some(Era::Legacy),
        headers: None,
        sender,
    };
    let works = conversation.take(message.clone()).await;
    drop(conversation);
    if works.is_empty() {
        return at_once(server, receiver, message);
    }
    // SHOULD NOT be cancelled when the client is gone: it may come back for the answer.
    tokio::spawn(run(works));
    if may_take_long(&message) {
        let log = session.open_stream(&server.core, Some(message));
        tokio::spawn(pump(session, log.clone(), receiver));
        return Reply::events(log.read(&server.core, &server.faults));
    }
    let messages = collect(receiver).await;
    match messages.as_slice() {
        [answer] if answer.answers => Reply::departure(answer),
        _ => {
            let log = session.open_stream(&server.core, Some(message));
            messages.iter().for_each(|message| log.append(message));
            log.finish();
            Reply::events(log.read(&server.core, &server.faults))
        }
    }
}

/// Opens a session, if `initialize` succeeds.
async fn open(server: &Arc<HttpServer>, message: Value) -> Reply {
    let http_session = HttpSession::new(&server.core);
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let conversation = Conversation {
        core: server.core.clone(),
        faults: server.faults.clone(),
        session: http_session.session.clone(),
        era: Some(Era::Legacy),
        headers: None,
        sender,
    };
    let works = conversation.take(message.clone()).await;
    drop(conversation);
    run(works).await;
    let reply = at_once(server, receiver, message);
    if http_session.session.agreed().is_none() {
        return reply;
    }
    let Ok(mut id) = new_id() else {
        return Reply::status(StatusCode::INTERNAL_SERVER_ERROR);
    };
    server
        .faults
        .session(&mut SessionEvent::Opened { id: &mut id });
    let reply = reply.with_header(SESSION_ID, &id);
    server.sessions.add(id, http_session);
    reply
}

/// The session that a request names, if the request may be served in it.
fn find_session(
    server: &HttpServer,
    request: &HttpRequest,
    message: Option<&Value>,
) -> Result<Arc<HttpSession>, Box<Reply>> {
    let id = message
        .and_then(|message| message.get("id"))
        .filter(|id| crate::core::rpc::is_id(id));
    let refused =
        |status, why: &str, revision| Err(Box::new(Reply::refused(status, why, id, revision)));
    let Some(name) = request.headers.get(SESSION_ID) else {
        return refused(
            StatusCode::BAD_REQUEST,
            "Mcp-Session-Id is missing",
            version(request),
        );
    };
    let session = name
        .to_str()
        .ok()
        .and_then(|name| server.sessions.find(name))
        .filter(|session| !session.is_lost());
    let Some(session) = session else {
        return refused(StatusCode::NOT_FOUND, "Session not found", version(request));
    };
    let revision = session.session.revision();
    let checked = revision >= Some(Revision::V2025_06_18) && request.headers.contains_key(VERSION);
    let spoken = version(request)
        .is_some_and(|version| server.core.revisions_of(Era::Legacy).contains(&version));
    if checked && !spoken {
        return refused(
            StatusCode::BAD_REQUEST,
            "Unsupported MCP-Protocol-Version",
            revision,
        );
    }
    Ok(session)
}

fn resume(server: &Arc<HttpServer>, session: &HttpSession, replay: Replay) -> Reply {
    let mut plan = vec![replay];
    let streams = session.stream_numbers();
    let meant = session.stream(replay.stream);
    server.faults.session(&mut SessionEvent::Resumed {
        plan: &mut plan,
        streams: &streams,
        given: meant.as_ref().and_then(|log| log.given()),
        before: meant.map_or(0, |log| log.times_read().saturating_sub(1)),
    });
    let logs: Vec<_> = plan
        .into_iter()
        .filter_map(|replay| Some((session.stream(replay.stream)?, replay)))
        .collect();
    let (core, faults) = (server.core.clone(), server.faults.clone());
    // One after the other: who reads a stream takes it from whoever read it before.
    let events =
        stream::iter(logs).flat_map(move |(log, replay)| log.replay(&core, &faults, replay));
    Reply::events(Box::pin(events))
}

fn read_event_id(id: &str) -> Option<Replay> {
    let (stream, after) = id.split_once('-')?;
    Some(Replay {
        stream: stream.parse().ok()?,
        after: Some(after.parse().ok()?),
        ..Replay::default()
    })
}

/// Requests that can say something before they answer.
fn may_take_long(message: &Value) -> bool {
    message.is_array() || message.get("method").and_then(Value::as_str) == Some("tools/call")
}

async fn refuse_bytes(server: &Arc<HttpServer>, request: &HttpRequest, why: &str) -> Reply {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let session = request
        .header(SESSION_ID)
        .and_then(|id| server.sessions.find(id));
    let era = version(request)
        .map(Revision::era)
        .filter(|era| *era == Era::Modern);
    let exchange = one_exchange(server, era, sender);
    let session = session.map_or(exchange.session.clone(), |found| found.session.clone());
    let conversation = Conversation {
        session,
        ..exchange
    };
    conversation.refuse_bytes(why).await;
    drop(conversation);
    at_once(server, receiver, Value::Null)
}

async fn run(works: Vec<Work>) {
    join_all(works).await;
}

async fn pump(
    session: Arc<HttpSession>,
    log: Arc<StreamLog>,
    mut receiver: mpsc::Receiver<Departure>,
) {
    while let Some(departure) = receiver.recv().await {
        if departure.everywhere {
            session.say(departure.clone());
        }
        log.append(&departure);
    }
    log.finish();
}

async fn collect(mut receiver: mpsc::Receiver<Departure>) -> Vec<Departure> {
    let mut messages = Vec::new();
    while let Some(departure) = receiver.recv().await {
        messages.push(departure);
    }
    messages
}

/// The reply when nothing is under way any more.
fn at_once(server: &HttpServer, mut receiver: mpsc::Receiver<Departure>, message: Value) -> Reply {
    let mut messages = Vec::new();
    while let Ok(departure) = receiver.try_recv() {
        messages.push(departure);
    }
    let asked = message.get("method").is_some() && message.get("id").is_some();
    match messages.as_slice() {
        [] if !asked => Reply::status(StatusCode::ACCEPTED),
        [answer] if answer.answers => Reply::departure(answer),
        _ => {
            let facts = server
                .core
                .facts(TransportKind::StreamableHttp, None, Some(message));
            let (core, faults) = (server.core.clone(), server.faults.clone());
            let guard = EndsWith::new(|| ());
            Reply::events(
                Source {
                    core,
                    faults,
                    facts,
                    first: messages,
                    receiver,
                    guard,
                }
                .into_events(None),
            )
        }
    }
}

/// The reply to a modern request: JSON where the answer is all there is, a stream otherwise.
async fn from_messages<G: Send + 'static>(mut source: Source<G>) -> Reply {
    loop {
        let departure = tokio::select! {
            biased;
            departure = source.receiver.recv() => departure,
            () = source.core.closed() => return Reply::status(StatusCode::SERVICE_UNAVAILABLE),
        };
        match departure {
            Some(departure) if departure.payload == Payload::HangUp => {}
            Some(departure) => {
                let answers = departure.answers;
                source.first.push(departure);
                if !answers {
                    return Reply::events(source.into_events(None));
                }
            }
            None => break,
        }
    }
    match source.first.as_slice() {
        [answer] => Reply::departure(answer),
        _ => Reply::events(source.into_events(None)),
    }
}
