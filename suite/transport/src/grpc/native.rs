//! The protobuf binding: a unary call for each request.

use bytes::Bytes;
use h2::client::SendRequest;
use mcp_verdict_wire::{
    Era, Revision,
    grpc::{
        Frames, encode,
        native::{self, Call},
    },
    limits::MESSAGE_BYTES_MAX,
    transcript::{Ended, EventKind, Exchange},
};
use serde_json::{Value, json};

use super::{
    call::{self, Head, Status},
    line::Line,
    tunnel::{beside, record_head},
};
use crate::{
    HttpCall, OpenError, Options, Outgoing, Recorder, SendError,
    exchanges::{Exchanges, Log},
};

/// The revision of a call, in the metadata of both sides.
const VERSION: &str = "mcp-protocol-version";

/// The code of an error of JSON-RPC, in the trailing metadata.
const ERROR_CODE: &str = "mcp-error-code";

/// Makes calls. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Native {
    recorder: Recorder,
    line: Line,
    exchanges: Exchanges,
}

impl Native {
    /// Connects.
    pub(crate) async fn open(
        url: &str,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        Ok(Self {
            line: Line::open(url, options).await?,
            recorder,
            exchanges: Exchanges::default(),
        })
    }

    /// Sets or removes a field of every later call.
    pub(crate) fn set_header(&mut self, name: &str, value: Option<String>) {
        self.line.set_header(name, value);
    }

    /// Makes the call that stands for a request.
    pub(crate) async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        let build = |why: String| SendError::Build(why);
        let message: Value =
            serde_json::from_slice(&outgoing.bytes).map_err(|error| build(error.to_string()))?;
        let (call, request) =
            native::request(&message).map_err(|unmapped| build(unmapped.to_string()))?;
        let mut metadata = self.line.metadata();
        metadata.edit(&outgoing.headers);
        let era = metadata.value(VERSION).and_then(|it| it.parse().ok());
        let asked = Asked {
            call,
            id: message.get("id").cloned().unwrap_or(Value::Null),
            era: era.map_or(Era::Legacy, Revision::era),
        };
        let path = self.line.path(call.path());
        let head = Head::new(&self.line, "POST", &path, metadata);
        let request_head = head.request()?;
        let sender = self.line.sender().await;
        let log = Log::new(&self.recorder);
        let exchange = log.exchange();
        record_head(&log, &head, outgoing.label.clone(), outgoing.meant, None);
        log.record(EventKind::Sent {
            exchange,
            label: outgoing.label,
            meant: outgoing.meant,
            bytes: outgoing.bytes.into(),
        });
        let frame = encode(&request);
        self.exchanges
            .spawn(log.clone(), ask(log, sender, request_head, frame, asked));
        Ok(exchange)
    }

    /// Makes any call.
    pub(crate) async fn call(&mut self, call: HttpCall) -> Result<Exchange, SendError> {
        beside(&mut self.line, &mut self.exchanges, &self.recorder, call).await
    }

    /// Ends a call that is still open.
    pub(crate) fn drop_exchange(&mut self, exchange: Exchange) {
        self.exchanges.drop_one(exchange);
    }

    /// Ends everything.
    pub(crate) async fn shutdown(mut self) {
        self.exchanges.drop_all().await;
        self.line.close().await;
    }
}

/// What a call stands for.
struct Asked {
    call: Call,
    id: Value,
    era: Era,
}

async fn ask(
    log: Log,
    sender: Result<SendRequest<Bytes>, String>,
    request: http::Request<()>,
    frame: Vec<u8>,
    asked: Asked,
) {
    let begun = match sender {
        Ok(sender) => call::begin(sender, request, false).await,
        Err(why) => Err(why),
    };
    let (response, mut sink) = match begun {
        Ok(begun) => begun,
        Err(why) => return log.end(Ended::Broken(why)),
    };
    // A server that resets the call says so in its response.
    drop(sink.send_data(frame.into(), true));
    let (how, status, bytes) = call::collect(&log, response).await;
    let exchange = log.exchange();
    log.record(EventKind::HttpBody {
        exchange,
        bytes: bytes.clone().into(),
    });
    if how == Ended::Complete
        && let Some(answer) = asked.answer(&status, &bytes)
    {
        log.record(EventKind::Received {
            exchange,
            sse: None,
            bytes: answer.to_string().into_bytes().into(),
        });
    }
    log.end(how);
}

impl Asked {
    /// The message that an answer means; `None` where it means none.
    fn answer(&self, status: &Status, bytes: &[u8]) -> Option<Value> {
        match status.code? {
            0 => {
                let result = self.result(bytes)?;
                Some(json!({"jsonrpc": "2.0", "id": self.id, "result": result}))
            }
            code => {
                let stated = status
                    .trailing
                    .iter()
                    .find(|(name, _)| name == ERROR_CODE)
                    .and_then(|(_, value)| value.trim().parse::<i64>().ok());
                let error = json!({
                    "code": stated.unwrap_or_else(|| usual(code)),
                    "message": status.message,
                });
                Some(json!({"jsonrpc": "2.0", "id": self.id, "error": error}))
            }
        }
    }

    /// The result in a body. Older servers of the binding stream what they have to say of a tool's call, and the
    /// result comes last.
    fn result(&self, bytes: &[u8]) -> Option<Value> {
        let mut frames = Frames::new(MESSAGE_BYTES_MAX);
        let mut seen = Vec::new();
        frames.push(bytes, &mut |frame| seen.push(frame)).ok()?;
        let last = seen.last().filter(|_| frames.held() == 0)?;
        let is_whole = seen.len() == 1 || self.call == Call::CallTool;
        (last.flag == 0 && is_whole)
            .then(|| native::result(self.call, &last.bytes, self.era).ok())
            .flatten()
    }
}

/// The code of JSON-RPC that comes nearest to a status of gRPC.
fn usual(status: u32) -> i64 {
    match status {
        // INVALID_ARGUMENT, NOT_FOUND, OUT_OF_RANGE.
        3 | 5 | 11 => -32602,
        // UNIMPLEMENTED.
        12 => -32601,
        _ => -32603,
    }
}
