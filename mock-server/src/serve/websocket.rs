//! WebSocket: the handshake on the HTTP listener, and one conversation for each connection.

use std::{sync::Arc, time::Duration};

use axum::extract::Request;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use mcp_verdict_wire::{TransportKind, limits::MESSAGE_BYTES_MAX, websocket::accept_key};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use super::{
    exchange::{Conversation, start},
    frame_filter,
    http::HttpServer,
    reply::Reply,
    websocket_draft::{self, DRAFT_BYTES_MAX, Draft, Offer, TERMINATE, TERMINATED},
};
use crate::{
    core::{Departure, Payload, outlet::QUEUE_LENGTH},
    faults::{HttpRequest, LineIn},
};

/// The path of the WebSocket.
pub(super) const WS_PATH: &str = "/ws";

/// The subprotocol of MCP.
const PROTOCOL: &str = "mcp";

/// Why a connection is closed whose session goes on over another, as SEP-1288 says it.
const RECONNECTED: &str = "MCP session reconnected on another connection";

/// How long a client may take to answer a close frame.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// Takes from a request what its connection becomes if its response has status 101.
pub(super) fn upgrade_of(request: &mut Request) -> Option<OnUpgrade> {
    let asks = request.uri().path() == WS_PATH && request.method() == Method::GET;
    asks.then(|| hyper::upgrade::on(request))
}

/// The response to a handshake (RFC 6455, section 4.2).
pub(super) fn handshake(request: &HttpRequest) -> Reply {
    let refused = |why: &str| Reply::refused(StatusCode::BAD_REQUEST, why, None, None);
    if !lists(&request.headers, header::UPGRADE, "websocket")
        || !lists(&request.headers, header::CONNECTION, "upgrade")
    {
        return Reply::status(StatusCode::UPGRADE_REQUIRED)
            .with_header("upgrade", "websocket")
            .with_header("connection", "upgrade");
    }
    if request.header("sec-websocket-version") != Some("13") {
        return Reply::status(StatusCode::UPGRADE_REQUIRED)
            .with_header("sec-websocket-version", "13");
    }
    let Some(key) = request
        .header("sec-websocket-key")
        .filter(|key| is_key(key))
    else {
        return refused("Sec-WebSocket-Key is not the base64 of 16 bytes");
    };
    let reply = Reply::status(StatusCode::SWITCHING_PROTOCOLS)
        .with_header("upgrade", "websocket")
        .with_header("connection", "upgrade")
        .with_header("sec-websocket-accept", &accept_key(key));
    match websocket_draft::offer(&request.headers) {
        Offer::Spoken(version) => return reply.with_header("sec-websocket-protocol", &version),
        Offer::Unspoken => return refused("none of the versions offered is spoken here"),
        Offer::Nothing => {}
    }
    match lists(&request.headers, header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL) {
        true => reply.with_header("sec-websocket-protocol", PROTOCOL),
        // A client that needs one of those that it offered will leave.
        false => reply,
    }
}

/// Serves a connection once its response is out, `draft` by the rules of SEP-1288.
pub(super) async fn serve(server: Arc<HttpServer>, upgrade: OnUpgrade, draft: bool) {
    let connection = match upgrade.await {
        Ok(connection) => TokioIo::new(connection),
        Err(error) => return tracing::debug!(%error, "a connection does not become a WebSocket"),
    };
    let bytes_max = if draft {
        DRAFT_BYTES_MAX
    } else {
        MESSAGE_BYTES_MAX
    };
    let config = WebSocketConfig::default()
        .max_message_size(Some(bytes_max))
        .max_frame_size(Some(bytes_max));
    let (role, config) = (Role::Server, Some(config));
    let draft = draft.then(Draft::new);
    if server.faults.change_frames() {
        let between = frame_filter::between(connection, server.faults.clone());
        converse(
            &server,
            WebSocketStream::from_raw_socket(between, role, config).await,
            draft,
        )
        .await;
    } else {
        converse(
            &server,
            WebSocketStream::from_raw_socket(connection, role, config).await,
            draft,
        )
        .await;
    }
}

async fn converse(
    server: &HttpServer,
    socket: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>,
    draft: Option<Draft>,
) {
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    // Each client gets a server of its own, as a process would be.
    let (core, faults) = match server.config.start() {
        Ok(started) => started,
        Err(error) => return tracing::warn!(%error, "a client is not served"),
    };
    let transport = match draft {
        Some(_) => TransportKind::WsDraft,
        None => TransportKind::Ws,
    };
    let session = core.session(transport, sender.clone());
    let conversation = Conversation {
        core,
        faults,
        session: session.clone(),
        era: None,
        headers: None,
        sender,
    };
    let mut client = Client {
        socket,
        conversation,
        draft,
        receiver,
    };
    let ending = client.talk(server).await;
    client.conversation.core.close();
    session.cancel_all();
    client.end(ending).await;
}

/// One connection.
struct Client<S> {
    socket: WebSocketStream<S>,
    conversation: Conversation,
    /// What is agreed on by SEP-1288, where that is what is spoken.
    draft: Option<Draft>,
    receiver: mpsc::Receiver<Departure>,
}

/// How a conversation ends.
enum Ending {
    /// The client closed it, or is gone.
    Theirs,
    /// We close it, and say why.
    Ours(CloseCode, &'static str),
    /// We just leave.
    Gone,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// Takes messages, and says what is to be said.
    async fn talk(&mut self, server: &HttpServer) -> Ending {
        let mut closed = std::pin::pin!(server.core.closed());
        let left = self.draft.as_ref().map(Draft::left).unwrap_or_default();
        loop {
            tokio::select! {
                biased;
                // We hold a sender, so that this does not end.
                Some(departure) = self.receiver.recv() => {
                    if self.say(departure).await.is_err() {
                        return Ending::Theirs;
                    }
                }
                () = left.notified() => {
                    return Ending::Ours(CloseCode::Normal, RECONNECTED);
                }
                message = self.socket.next() => {
                    if let Some(ending) = self.take(message, server).await {
                        return ending;
                    }
                }
                () = &mut closed => return Ending::Ours(CloseCode::Away, "the server ends"),
            }
        }
    }

    async fn say(&mut self, mut departure: Departure) -> Result<(), Error> {
        if let (Some(draft), Payload::Json(message)) = (&self.draft, &mut departure.payload) {
            draft.name_in(message);
        }
        match departure.payload {
            Payload::HangUp => Ok(()),
            Payload::Json(_) | Payload::Raw(_) => {
                // Not as a text, so that a fault may send what is none.
                let frame = Frame::message(departure.bytes(), OpCode::Data(Data::Text), true);
                self.socket.send(Message::Frame(frame)).await
            }
        }
    }

    async fn take(
        &mut self,
        message: Option<Result<Message, Error>>,
        server: &HttpServer,
    ) -> Option<Ending> {
        match message {
            Some(Ok(Message::Text(text))) => self.take_text(text.as_bytes(), server).await,
            Some(Ok(Message::Binary(_))) => Some(Ending::Ours(
                CloseCode::Unsupported,
                "messages are text frames",
            )),
            // The library answers pings and close frames.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
            Some(Ok(Message::Close(_))) | None => Some(Ending::Theirs),
            Some(Err(Error::Utf8(_))) => Some(Ending::Ours(CloseCode::Invalid, "this is no UTF-8")),
            Some(Err(Error::Capacity(_))) => {
                Some(Ending::Ours(CloseCode::Size, "the message is too long"))
            }
            Some(Err(Error::Protocol(_))) => Some(Ending::Ours(CloseCode::Protocol, "")),
            Some(Err(error)) => {
                tracing::debug!(%error, "a WebSocket breaks off");
                Some(Ending::Gone)
            }
        }
    }

    async fn take_text(&mut self, text: &[u8], server: &HttpServer) -> Option<Ending> {
        let conversation = &self.conversation;
        let replaced = match conversation.faults.line_in(text) {
            LineIn::Exit(_) => return Some(Ending::Gone),
            LineIn::Hang => {
                server.core.closed().await;
                return Some(Ending::Gone);
            }
            LineIn::Ignore => return None,
            LineIn::Replace(text) => Some(text),
            LineIn::Take => None,
        };
        let text = replaced.as_deref().unwrap_or(text);
        if let Some(draft) = &mut self.draft {
            let message = match draft.admit(text, &server.drafts, &server.faults) {
                Ok(message) => message,
                Err((code, why)) => return Some(Ending::Ours(code, why)),
            };
            if message["method"] == TERMINATE && message.get("id").is_some() {
                return Some(self.terminate(&message["id"], server).await);
            }
            conversation.take(message).await.into_iter().for_each(start);
            return None;
        }
        match serde_json::from_slice(text) {
            Ok(value) => conversation.take(value).await.into_iter().for_each(start),
            Err(error) => conversation.refuse_bytes(&error.to_string()).await,
        }
        None
    }

    /// Ends the session, and says so.
    async fn terminate(&mut self, id: &Value, server: &HttpServer) -> Ending {
        let result = json!({"jsonrpc": "2.0", "id": id, "result": {}});
        // A client that is gone need not hear it.
        let _ = self.say(Departure::answer(result)).await;
        if let Some(draft) = &mut self.draft {
            draft.terminate(&server.drafts);
        }
        Ending::Ours(CloseCode::Normal, TERMINATED)
    }

    /// Ends the connection as it should be ended.
    async fn end(mut self, ending: Ending) {
        if let Ending::Gone = ending {
            return;
        }
        if let Ending::Ours(code, reason) = ending {
            let frame = CloseFrame {
                code,
                reason: reason.into(),
            };
            // One that is gone needs no telling.
            let _ = self.socket.close(Some(frame)).await;
        }
        // The closing handshake is over when nothing more comes; then it is our part to hang up.
        let emptied = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(CLOSE_PATIENCE, emptied).await;
    }
}

/// Whether a header that is a list holds this word.
fn lists(headers: &HeaderMap, name: header::HeaderName, word: &str) -> bool {
    let values = headers.get_all(name);
    values.iter().any(|value| {
        let text = value.to_str().unwrap_or_default();
        text.split(',')
            .any(|item| item.trim().eq_ignore_ascii_case(word))
    })
}

fn is_key(key: &str) -> bool {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(key.trim());
    decoded.is_ok_and(|bytes| bytes.len() == 16)
}
