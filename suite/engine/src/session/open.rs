//! A conversation with a server, from its opening exchange on.

use std::time::{Duration, Instant};

use mcp_verdict_transport::{
    Address, Connection, HttpCall, Options, Outgoing, Recorder, SendError, Shutdown,
};
use mcp_verdict_vectors::Client;
use mcp_verdict_wire::{
    Era, Revision, TransportKind,
    transcript::{Event, EventKind, Exchange},
};
use serde_json::{Map, Value, json};

use crate::{
    fixtures::modest,
    native::{any_method, is_native},
    view::Reading,
};

use super::{
    Reply, SessionError,
    answer::send_answer,
    client_info, complete_notification, complete_request,
    listen::{Heard, Listener},
};

/// A connection with what was agreed on it.
#[derive(Debug)]
pub struct Session {
    /// The connection.
    pub connection: Connection,
    /// The transport it uses.
    pub transport: TransportKind,
    /// The revision spoken.
    pub revision: Revision,
    /// `serverInfo`, if the server names itself.
    pub server_info: Option<Value>,
    /// What the server declares; `{}` where it declares nothing readable.
    pub capabilities: Value,
    /// The session id, where the server hands one out (Streamable HTTP, legacy).
    pub session_id: Option<String>,
    /// The id of the next request.
    pub next_id: i64,
    /// Ids of all requests sent so far.
    pub issued: Vec<Value>,
    /// What our client declares.
    pub client_capabilities: Map<String, Value>,
    /// The result of `initialize` or `server/discover` without what is large, and without capabilities; `None`
    /// on a bare connection.
    pub opening: Option<Value>,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Index of the first event that was not yet searched for requests of the server's.
    seen: usize,
    /// The event stream of HTTP+SSE.
    stream: Option<Exchange>,
}

impl Session {
    /// Connects and opens a conversation in `revision`: `initialize` and `notifications/initialized` in the
    /// legacy era, `server/discover` in the modern one.
    ///
    /// The result of the opening exchange is taken leniently, so that what is wrong with it is judged and
    /// does not hide everything else. `recorder` holds what happened, also after an error.
    ///
    /// # Errors
    /// When there is no connection, no answer, an error, or another revision than asked for.
    pub async fn open(
        address: &Address,
        options: &Options,
        revision: Revision,
        client_capabilities: &Map<String, Value>,
        recorder: Recorder,
        timeout: Duration,
    ) -> Result<Self, SessionError> {
        let patience = match address.transport() {
            // The program has to start first.
            TransportKind::Stdio => timeout.saturating_mul(START_FACTOR),
            _ => timeout,
        };
        let capabilities = client_capabilities;
        Self::open_within(
            address,
            options,
            revision,
            capabilities,
            recorder,
            timeout,
            patience,
        )
        .await
    }

    /// As [`Session::open`], with a patience of its own for the opening exchange.
    ///
    /// # Errors
    /// As for [`Session::open`].
    pub async fn open_within(
        address: &Address,
        options: &Options,
        revision: Revision,
        client_capabilities: &Map<String, Value>,
        recorder: Recorder,
        timeout: Duration,
        patience: Duration,
    ) -> Result<Self, SessionError> {
        let mut session = Self::bare(
            address,
            options,
            revision,
            client_capabilities,
            recorder,
            timeout,
        )
        .await?;
        let opened = match revision.era() {
            _ if session.transport == TransportKind::GrpcNative => session.greet(patience).await,
            Era::Legacy => session.initialize(patience).await,
            Era::Modern => session.discover(patience).await,
        };
        match opened {
            Ok(()) => Ok(session),
            Err(error) => {
                // What the server opened on its side is not left behind.
                session.end(Shutdown::Now).await;
                Err(error)
            }
        }
    }

    /// Connects, and says nothing.
    ///
    /// # Errors
    /// When there is no connection.
    pub async fn bare(
        address: &Address,
        options: &Options,
        revision: Revision,
        client_capabilities: &Map<String, Value>,
        recorder: Recorder,
        timeout: Duration,
    ) -> Result<Self, SessionError> {
        let options = Options {
            revision: Some(revision),
            ..options.clone()
        };
        let mut connection = match Connection::open(address, &options, recorder.clone()).await {
            Ok(connection) => connection,
            Err(error) => return Err(stream_refusal(&recorder).unwrap_or(error.into())),
        };
        if is_native(address) {
            // Nothing is agreed on beforehand: every call names its revision.
            let version = revision.as_str().to_owned();
            connection.set_header("mcp-protocol-version", Some(version));
        }
        Ok(Self {
            connection,
            transport: address.transport(),
            revision,
            server_info: None,
            capabilities: json!({}),
            session_id: None,
            next_id: 1,
            issued: Vec::new(),
            client_capabilities: client_capabilities.clone(),
            opening: None,
            timeout,
            seen: 0,
            stream: endpoint_stream(&recorder),
        })
    }

    /// Sends a request, completed to what the revision asks for, and waits for its answer; requests that a
    /// legacy server makes meanwhile are answered.
    ///
    /// # Errors
    /// When it cannot be sent, or no answer comes. A JSON-RPC error is an answer.
    pub async fn request(
        &mut self,
        method: &str,
        params: Option<Value>,
    ) -> Result<Reply, SessionError> {
        self.request_within(method, params, self.timeout).await
    }

    /// As [`Session::request`] with a patience of its own.
    ///
    /// # Errors
    /// As for [`Session::request`].
    pub async fn request_within(
        &mut self,
        method: &str,
        params: Option<Value>,
        patience: Duration,
    ) -> Result<Reply, SessionError> {
        let id = json!(self.next_id);
        self.next_id += 1;
        self.issued.push(id.clone());
        let (request, headers) = complete_request(
            self.revision,
            &self.client_capabilities,
            method,
            params,
            id.clone(),
        );
        let bytes = request.to_string().into_bytes();
        let sent = self
            .connection
            .send(Outgoing {
                bytes,
                headers,
                ..Outgoing::default()
            })
            .await;
        let exchange = match sent {
            Ok(exchange) => exchange,
            // The program may have ended; the listener knows more.
            Err(SendError::InputClosed) => 0,
            Err(error) => return Err(error.into()),
        };
        let about = (method, &id, exchange);
        let mut listener = Listener::new(self.transport, self.stream, self.seen, about);
        self.listen(&mut listener, patience).await?.map_or_else(
            || Err(listener.give_up(self.connection.recorder(), patience)),
            Ok,
        )
    }

    /// Sends a notification; on HTTP waits until its exchange is over, so that what follows comes after it.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn notify(
        &mut self,
        method: &str,
        params: Option<Value>,
    ) -> Result<(), SessionError> {
        let (message, headers) = complete_notification(self.revision, method, params);
        let bytes = message.to_string().into_bytes();
        let exchange = self
            .connection
            .send(Outgoing {
                bytes,
                headers,
                ..Outgoing::default()
            })
            .await?;
        if !self.transport.is_channel() {
            // Its status is for rules to judge.
            ended(self.connection.recorder(), exchange, self.timeout).await;
        }
        Ok(())
    }

    /// Whether a limit was broken, so that nothing more is heard on it.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.connection.recorder().is_full() || !self.connection.is_usable()
    }

    /// Begins a new check on this session: see [`Recorder::start`]. Requests of the server's in `prelude`
    /// count as answered.
    pub fn restart(&mut self, prelude: Vec<Event>) -> Vec<Event> {
        self.seen = prelude.len();
        self.connection.recorder().start(prelude)
    }

    /// What opened the session, for the transcripts of later checks on it: at time zero, and without the
    /// requests of the server's that one check has to answer.
    #[must_use]
    pub fn prelude(&self) -> Vec<Event> {
        self.connection.recorder().look(|events| {
            let mut reading = Reading::default();
            reading.extend(events);
            let open: Vec<usize> = reading
                .unanswered_of_target()
                .map(|message| message.event)
                .collect();
            let kept = events
                .iter()
                .enumerate()
                .filter(|(index, _)| !open.contains(index));
            kept.map(|(_, event)| Event {
                at_us: 0,
                kind: event.kind.clone(),
            })
            .collect()
        })
    }

    /// Ends the session as its revision asks, and the connection in good order.
    pub async fn close(self) {
        self.end(Shutdown::Orderly).await;
    }

    async fn end(mut self, how: Shutdown) {
        if self.session_id.is_some() && self.transport == TransportKind::StreamableHttp {
            let call = HttpCall {
                method: "DELETE".to_owned(),
                ..HttpCall::default()
            };
            // A server may refuse (405), and one that is gone has nothing to delete.
            if let Ok(exchange) = self.connection.http(call).await {
                ended(
                    self.connection.recorder(),
                    exchange,
                    self.timeout.min(DELETE_PATIENCE),
                )
                .await;
            }
        }
        self.connection.shutdown(how).await;
    }

    /// Whether a server with which nothing is agreed on beforehand speaks the revision: it shows in what it
    /// answers to any call.
    async fn greet(&mut self, patience: Duration) -> Result<(), SessionError> {
        let asked = self.revision;
        let method = any_method(self.transport, asked.era());
        let reply = self.request_within(method, None, patience).await?;
        let recorder = self.connection.recorder();
        let got = response_header(recorder, reply.exchange, "mcp-protocol-version");
        match got.filter(|got| got != asked.as_str()) {
            Some(got) => {
                let got = super::error::cut(&got, 40);
                Err(SessionError::OtherRevision { asked, got })
            }
            // A server need not have every list.
            None => Ok(()),
        }
    }

    /// What a server can do that declares nothing: what it does not call unknown.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn survey(&mut self) -> Result<(), SessionError> {
        let mut found = Map::new();
        let nobody = json!({"ref": {"type": "ref/prompt", "name": ""}, "argument": {"name": "", "value": ""}});
        for (capability, method, params) in [
            ("tools", "tools/list", None),
            ("resources", "resources/list", None),
            ("prompts", "prompts/list", None),
            ("completions", "completion/complete", Some(nobody)),
        ] {
            let reply = self.request(method, params).await?;
            let code = reply.message.pointer("/error/code");
            if code.and_then(Value::as_i64) != Some(-32601) {
                found.insert(capability.to_owned(), json!({}));
            }
        }
        self.capabilities = Value::Object(found);
        Ok(())
    }

    async fn initialize(&mut self, patience: Duration) -> Result<(), SessionError> {
        let params = json!({
            "protocolVersion": self.revision.as_str(),
            "capabilities": self.client_capabilities,
            "clientInfo": client_info(),
        });
        let reply = self
            .request_within("initialize", Some(params), patience)
            .await?;
        // The tunnel is the first call of its connection.
        let exchange = match self.transport {
            TransportKind::Grpc => 1,
            _ => reply.exchange,
        };
        self.session_id = match self.transport {
            TransportKind::WsDraft => draft_session(&reply.message),
            _ => response_header(self.connection.recorder(), exchange, "mcp-session-id"),
        };
        if let Some(id) = self.session_id.clone() {
            self.connection.set_header("mcp-session-id", Some(id));
        }
        let result = checked(reply)?;
        match result.get("protocolVersion") {
            None => {}
            Some(Value::String(got)) if got == self.revision.as_str() => {}
            Some(got) => {
                let got = got.as_str().map_or_else(|| got.to_string(), str::to_owned);
                return Err(SessionError::OtherRevision {
                    asked: self.revision,
                    got: super::error::cut(&got, 40),
                });
            }
        }
        if self.revision >= Revision::V2025_06_18 {
            let version = self.revision.as_str().to_owned();
            self.connection
                .set_header("mcp-protocol-version", Some(version));
        }
        self.server_info = result.get("serverInfo").map(modest);
        self.opened(result);
        self.notify("notifications/initialized", None).await
    }

    async fn discover(&mut self, patience: Duration) -> Result<(), SessionError> {
        let reply = self
            .request_within("server/discover", None, patience)
            .await?;
        let result = checked(reply)?;
        self.server_info = result
            .get("_meta")
            .and_then(|meta| meta.get(SERVER_INFO))
            .map(modest);
        self.opened(result);
        Ok(())
    }

    fn opened(&mut self, mut result: Value) {
        self.capabilities = result
            .get_mut("capabilities")
            .map(Value::take)
            .filter(Value::is_object)
            .unwrap_or(json!({}));
        // What it says is in the transcript; this is kept for as long as the session.
        let members = result.as_object_mut().into_iter().flatten();
        members.for_each(|(_, member)| *member = modest(member));
        self.opening = Some(result);
    }

    /// Waits for the listener's answer; `None` when none came.
    async fn listen(
        &mut self,
        listener: &mut Listener,
        patience: Duration,
    ) -> Result<Option<Reply>, SessionError> {
        let client = Client {
            capabilities: Some(self.client_capabilities.clone()),
            ..Client::default()
        };
        let recorder = self.connection.recorder().clone();
        let mut deadline = Instant::now() + patience;
        let reply = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let heard = recorder
                .wait(left, |events| listener.hear_or_leave(events))
                .await;
            match heard {
                None | Some(Some(Heard::Over)) => break None,
                Some(None) => deadline = deadline.min(Instant::now() + LEAVING_PATIENCE),
                Some(Some(Heard::Reply(reply))) => break Some(reply),
                Some(Some(Heard::Request(request))) => {
                    if self.revision.era() == Era::Legacy {
                        // An answer that cannot be sent shows in what comes, or does not come, next.
                        let answer =
                            send_answer(&mut self.connection, &request, &client, self.revision);
                        drop(answer.await);
                    }
                }
            }
        };
        self.seen = listener.position();
        Ok(reply)
    }
}

/// The result; a refusal for lack of a credential stays one, whatever message came with it.
fn checked(reply: Reply) -> Result<Value, SessionError> {
    let (status, method) = (reply.status, reply.method.clone());
    match (reply.into_result(), status) {
        (Err(SessionError::Rpc { message, .. }), Some(status @ (401 | 403))) => {
            Err(SessionError::Status {
                status,
                method,
                www_authenticate: None,
                body: message,
            })
        }
        (result, _) => result,
    }
}

/// Waits until an exchange is over.
async fn ended(recorder: &Recorder, exchange: Exchange, patience: Duration) {
    let mut next = 0;
    let over = |event: &Event| matches!(&event.kind, EventKind::HttpEnd { exchange: of, .. } if *of == exchange);
    // Either way, what is recorded is what there is.
    let _: Option<()> = recorder
        .wait(patience, |events| {
            let found = events.get(next..).unwrap_or_default().iter().any(over);
            next = events.len();
            found.then_some(())
        })
        .await;
}

/// The session that an answer of a server names which follows SEP-1288.
pub(crate) fn draft_session(answer: &Value) -> Option<String> {
    let id = answer.get("sessionId").and_then(Value::as_str);
    id.map(str::to_owned)
}

fn response_header(recorder: &Recorder, exchange: Exchange, name: &str) -> Option<String> {
    recorder.look(|events| {
        events.iter().rev().find_map(|event| match &event.kind {
            EventKind::HttpResponse {
                exchange: of,
                headers,
                ..
            } if *of == exchange => headers
                .iter()
                .find(|(field, _)| field == name)
                .map(|(_, value)| value.clone()),
            _ => None,
        })
    })
}

/// The exchange of the stream that brought the `endpoint` event.
fn endpoint_stream(recorder: &Recorder) -> Option<Exchange> {
    recorder.look(|events| {
        events.iter().find_map(|event| match &event.kind {
            EventKind::SseEvent {
                exchange, fields, ..
            } if fields.event.as_deref() == Some("endpoint") => Some(*exchange),
            _ => None,
        })
    })
}

/// What a server said when it did not open its event stream, told as for any other request.
fn stream_refusal(recorder: &Recorder) -> Option<SessionError> {
    let (exchange, events) = recorder.look(|events| {
        let exchange = events.iter().find_map(|event| match &event.kind {
            EventKind::HttpRequest { exchange, .. } => Some(*exchange),
            _ => None,
        })?;
        Some((exchange, events.to_vec()))
    })?;
    let about = ("GET", &Value::Null, exchange);
    let mut listener = Listener::new(TransportKind::StreamableHttp, None, 0, about);
    while listener.hear(&events).is_some() {}
    match listener.give_up(recorder, Duration::ZERO) {
        SessionError::NoAnswer { .. } => None,
        told => Some(told),
    }
}

/// How much longer than an answer the start of a program may take.
pub(crate) const START_FACTOR: u32 = 3;

/// How long a server that leaves may take to have left: its output and its exit come one after the other.
const LEAVING_PATIENCE: Duration = Duration::from_millis(1500);

/// How long the end of a session may take.
const DELETE_PATIENCE: Duration = Duration::from_secs(1);

const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
