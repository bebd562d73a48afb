//! The tunnel: one bidirectional call that carries JSON-RPC messages both ways.

use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use mcp_verdict_wire::{
    grpc::{Frame, Frames, Line as Message, SESSION_PATH, encode},
    limits::MESSAGE_BYTES_MAX,
    transcript::{Ended, EventKind, Exchange},
};
use tokio::task::JoinHandle;

use super::{
    call::{self, Head, Status},
    line::Line,
    stream::Sink,
};
use crate::{
    HttpCall, OpenError, Options, Outgoing, Recorder, SendError,
    exchanges::{Exchanges, Log},
    lines::Input,
};

/// The session's call, and calls beside it. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Tunnel {
    recorder: Recorder,
    line: Line,
    input: Input,
    /// The task that reads.
    output: JoinHandle<()>,
    /// Calls beside the session's.
    exchanges: Exchanges,
    exit_grace: Duration,
}

impl Tunnel {
    /// Connects and begins the call. The server need not say anything for that.
    pub(crate) async fn open(
        url: &str,
        options: &Options,
        recorder: Recorder,
    ) -> Result<Self, OpenError> {
        let mut line = Line::open(url, options).await?;
        let path = line.path(SESSION_PATH);
        let head = Head::new(&line, "POST", &path, line.metadata());
        let stream = |why: String| OpenError::Stream(why);
        let request = head.request().map_err(|error| stream(error.to_string()))?;
        let sender = line.sender().await.map_err(stream)?;
        let log = Log::new(&recorder);
        record_head(&log, &head, None, false, None);
        let begun =
            tokio::time::timeout(options.connect_timeout, call::begin(sender, request, false));
        let begun = begun
            .await
            .unwrap_or_else(|_| Err("the server does not let a call begin".to_owned()));
        let (response, sink) = match begun {
            Ok(begun) => begun,
            Err(why) => {
                log.end(Ended::Broken(why.clone()));
                return Err(OpenError::Stream(why));
            }
        };
        let output = tokio::spawn(read(log, response, recorder.clone()));
        Ok(Self {
            input: Input::new(Sink::new(sink), recorder.clone()),
            recorder,
            line,
            output,
            exchanges: Exchanges::default(),
            exit_grace: options.exit_grace,
        })
    }

    /// Queues a message.
    pub(crate) async fn send(&mut self, outgoing: Outgoing) -> Result<Exchange, SendError> {
        let place = self.input.place(outgoing.bytes.len()).await?;
        self.recorder.record(EventKind::Sent {
            exchange: 0,
            label: outgoing.label,
            meant: outgoing.meant,
            bytes: outgoing.bytes.clone().into(),
        });
        let framed = encode(&Message::of(&outgoing.bytes));
        self.input.write_framed(framed, &outgoing.delivery, place);
        Ok(0)
    }

    /// Sets or removes a field of every later call.
    pub(crate) fn set_header(&mut self, name: &str, value: Option<String>) {
        self.line.set_header(name, value);
    }

    /// Makes another call on the same connection.
    pub(crate) async fn call(&mut self, call: HttpCall) -> Result<Exchange, SendError> {
        beside(&mut self.line, &mut self.exchanges, &self.recorder, call).await
    }

    /// Ends a call beside the session's that is still open.
    pub(crate) fn drop_exchange(&mut self, exchange: Exchange) {
        self.exchanges.drop_one(exchange);
    }

    /// Half-closes the call, after what was sent before.
    pub(crate) async fn close_input(&mut self) {
        self.input.close(self.exit_grace).await;
    }

    /// Whether it is read.
    pub(crate) fn is_usable(&self) -> bool {
        !self.output.is_finished()
    }

    /// Half-closes the call, and then closes all of the connection.
    pub(crate) async fn shutdown(mut self) {
        self.close_input().await;
        self.exchanges.drop_all().await;
        self.output.abort();
        // An aborted task ends in an error, as it should.
        drop((&mut self.output).await);
        self.line.close().await;
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.output.abort();
    }
}

/// Records what comes of the session's call.
async fn read(log: Log, response: ResponseFuture, recorder: Recorder) {
    let mut frames = Frames::new(MESSAGE_BYTES_MAX);
    let mut room = recorder.hold(0);
    let (mut is_full, call) = (false, log.exchange());
    let mut take = |piece: &[u8]| {
        let pushed = frames.push(piece, &mut |frame| record(&recorder, call, frame));
        if let Err(too_large) = pushed {
            let limit = too_large.to_string();
            recorder.record(EventKind::LimitExceeded { exchange: 0, limit });
            is_full = true;
        }
        is_full |= recorder.is_full() || !room.is_enough_for(frames.held());
        !is_full
    };
    let (how, status) = call::receive(&log, response, &mut take).await;
    let Status { code, message, .. } = status;
    let reason = match &how {
        Ended::Broken(why) => why.clone(),
        Ended::Complete | Ended::Dropped => message,
    };
    log.end(how);
    if is_full {
        return;
    }
    recorder.record(EventKind::Closed {
        exchange: 0,
        code,
        reason,
    });
    let rest = frames.finish().into();
    recorder.record(EventKind::OutputClosed { rest });
}

/// Records one message, and what it is beside a line.
fn record(recorder: &Recorder, call: Exchange, frame: Frame) {
    let as_it_is = |opcode: &str, bytes: Vec<u8>| EventKind::Frame {
        exchange: call,
        sent: false,
        opcode: opcode.to_owned(),
        breaks: None,
        bytes: bytes.into(),
    };
    if frame.flag != 0 {
        // We accept no compression, so nobody may use it.
        let opcode = format!("flag {}", frame.flag);
        return recorder.record(as_it_is(&opcode, frame.bytes));
    }
    match Message::read(&frame.bytes) {
        Ok(message) => {
            if message.says_more() {
                recorder.record(as_it_is("JsonRpcLine", frame.bytes));
            }
            recorder.record(EventKind::Received {
                exchange: 0,
                sse: None,
                bytes: message.line.into(),
            });
        }
        Err(_) => recorder.record(as_it_is("message", frame.bytes)),
    }
}

/// Makes a call that is whole from the beginning, and records what comes of it.
pub(super) async fn beside(
    line: &mut Line,
    exchanges: &mut Exchanges,
    recorder: &Recorder,
    call: HttpCall,
) -> Result<Exchange, SendError> {
    let mut metadata = line.metadata();
    metadata.edit(&call.headers);
    let path = line.path(call.path.as_deref().unwrap_or(SESSION_PATH));
    let head = Head::new(line, &call.method, &path, metadata);
    let request = head.request()?;
    let sender = line.sender().await;
    let log = Log::new(recorder);
    let exchange = log.exchange();
    record_head(&log, &head, call.label, call.meant, call.body.clone());
    exchanges.spawn(
        log.clone(),
        whole(
            log,
            sender,
            request,
            call.body.unwrap_or_default(),
            call.delivery.unterminated,
        ),
    );
    Ok(exchange)
}

async fn whole(
    log: Log,
    sender: Result<SendRequest<Bytes>, String>,
    request: http::Request<()>,
    body: Vec<u8>,
    stays_open: bool,
) {
    let is_last = body.is_empty() && !stays_open;
    let begun = match sender {
        Ok(sender) => call::begin(sender, request, is_last).await,
        Err(why) => Err(why),
    };
    let (response, mut sink) = match begun {
        Ok(begun) => begun,
        Err(why) => return log.end(Ended::Broken(why)),
    };
    if !body.is_empty() {
        // A server that resets the call says so in its response.
        drop(sink.send_data(body.into(), !stays_open));
    }
    let (how, _, bytes) = call::collect(&log, response).await;
    // Until here the call is not half-closed, unless it was.
    drop(sink);
    log.record(EventKind::HttpBody {
        exchange: log.exchange(),
        bytes: bytes.into(),
    });
    log.end(how);
}

/// Records the head of a call.
pub(super) fn record_head(
    log: &Log,
    head: &Head,
    label: Option<String>,
    meant: bool,
    body: Option<Vec<u8>>,
) {
    log.record(EventKind::HttpRequest {
        exchange: log.exchange(),
        label,
        meant,
        method: head.method.clone(),
        url: head.url.clone(),
        headers: head.metadata.recorded(),
        body: body.map(Into::into),
    });
}
