//! The tunnel: each call of `mcp.transport.v1.Mcp/Session` serves one client, as a process of its own would.

use std::{
    pin::Pin,
    time::{Duration, Instant},
};

use axum::extract::Request;
use futures_util::{
    Stream,
    future::{Ready, ready},
    stream,
};
use http::{HeaderMap, Response};
use mcp_verdict_wire::{TransportKind, grpc::Line};
use tokio::sync::{mpsc, oneshot};
use tonic::{Status, Streaming, codegen::Service};
use tonic_prost::ProstCodec;

use super::{
    StartError,
    exchange::Conversation,
    grpc::{GRPC_BYTES_MAX, GrpcServer},
    http_session::new_id,
};
use crate::{
    core::{Departure, Payload, outlet::QUEUE_LENGTH},
    faults::{Act, Moment, SessionEvent},
};

/// How long answers may take once the client has half-closed.
const LAST_WORDS: Duration = Duration::from_secs(10);

type Lines = Pin<Box<dyn Stream<Item = Result<Line, Status>> + Send>>;

/// Serves one call.
pub(super) async fn serve(server: &GrpcServer, request: Request) -> Response<tonic::body::Body> {
    tonic::server::Grpc::new(ProstCodec::<Line, Line>::default())
        .max_decoding_message_size(GRPC_BYTES_MAX)
        .max_encoding_message_size(GRPC_BYTES_MAX)
        .streaming(Tunnel { server }, request)
        .await
}

struct Tunnel<'s> {
    server: &'s GrpcServer,
}

impl Service<tonic::Request<Streaming<Line>>> for Tunnel<'_> {
    type Response = tonic::Response<Lines>;
    type Error = Status;
    type Future = Ready<Result<Self::Response, Status>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Status>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Streaming<Line>>) -> Self::Future {
        let opened = open(self.server, request);
        ready(opened.map_err(|error| Status::internal(error.to_string())))
    }
}

fn open(
    server: &GrpcServer,
    request: tonic::Request<Streaming<Line>>,
) -> Result<tonic::Response<Lines>, StartError> {
    let (core, faults) = server.config.start()?;
    let (sender, receiver) = mpsc::channel(QUEUE_LENGTH);
    let session = core.session(TransportKind::Grpc, sender.clone());
    let mut id = new_id().map_err(|error| StartError::Randomness(error.to_string()))?;
    faults.session(&mut SessionEvent::Opened { id: &mut id });
    let conversation = Conversation {
        core,
        faults,
        session,
        era: None,
        headers: None,
        sender,
    };
    let (metadata, _, inbound) = request.into_parts();
    let deadline = deadline(&metadata.into_headers());
    let (over, ended) = oneshot::channel();
    let reading = tokio::spawn(async move {
        let how = converse(&conversation, inbound).await;
        conversation.core.close();
        conversation.session.cancel_all();
        // The client may be gone.
        drop(over.send(how));
    });
    let outbound = Outbound {
        receiver,
        ended,
        deadline,
        reading: reading.abort_handle(),
    };
    let lines: Lines = Box::pin(stream::unfold(Some(outbound), |outbound| async {
        next(outbound?).await
    }));
    let mut response = tonic::Response::new(lines);
    if let Ok(id) = id.parse() {
        response.metadata_mut().insert("mcp-session-id", id);
    }
    Ok(response)
}

/// What still leaves. Dropping it ends the session.
struct Outbound {
    receiver: mpsc::Receiver<Departure>,
    ended: oneshot::Receiver<Result<(), Status>>,
    deadline: Option<tokio::time::Instant>,
    reading: tokio::task::AbortHandle,
}

impl Drop for Outbound {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

async fn next(mut outbound: Outbound) -> Option<(Result<Line, Status>, Option<Outbound>)> {
    loop {
        let departure = tokio::select! {
            biased;
            () = until(outbound.deadline) => {
                let status = Status::deadline_exceeded("the deadline of the call is over");
                return Some((Err(status), None));
            }
            Some(departure) = outbound.receiver.recv() => departure,
            // Whatever is in the queue leaves first.
            how = &mut outbound.ended => match how {
                Ok(Err(status)) => return Some((Err(status), None)),
                Ok(Ok(())) | Err(_) => return None,
            },
        };
        if matches!(departure.payload, Payload::HangUp) {
            continue;
        }
        let line = Line {
            line: departure.bytes(),
            ..Line::default()
        };
        return Some((Ok(line), Some(outbound)));
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// When the call must be over, as `grpc-timeout` says it: at most 8 digits and a unit.
fn deadline(headers: &HeaderMap) -> Option<tokio::time::Instant> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let amount: u64 = digits.parse().ok()?;
    let patience = match unit {
        "H" => Duration::from_secs(amount * 3600),
        "M" => Duration::from_secs(amount * 60),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    };
    tokio::time::Instant::now().checked_add(patience)
}

/// Takes messages until the client half-closes, and then sees to it that all of them are answered.
async fn converse(conversation: &Conversation, mut inbound: Streaming<Line>) -> Result<(), Status> {
    let gone = || Status::unavailable("the server ends");
    for act in conversation.faults.process(Moment::Started) {
        match act {
            Act::Exit(_) | Act::Crash => return Err(gone()),
            Act::Print(bytes) => say(conversation, bytes).await,
            Act::DeafToTerm | Act::Linger | Act::Nothing => {}
        }
    }
    loop {
        let line = match inbound.message().await {
            Ok(None) => break,
            Ok(Some(line)) => line.line,
            Err(status) => return Err(status),
        };
        if conversation.take_line(line).await.is_err() {
            return Err(gone());
        }
    }
    for act in conversation.faults.process(Moment::InputClosed) {
        match act {
            Act::Exit(_) => return Ok(()),
            Act::Crash => return Err(gone()),
            Act::Print(bytes) => say(conversation, bytes).await,
            Act::Linger => std::future::pending().await,
            Act::DeafToTerm | Act::Nothing => {}
        }
    }
    // What would never end by itself ends; the rest is answered.
    conversation.core.close();
    let patience = Instant::now() + LAST_WORDS;
    while !conversation.session.is_idle() && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn say(conversation: &Conversation, bytes: &[u8]) {
    // Nothing can be said to a client that is gone.
    let _ = conversation.sender.send(Departure::raw(bytes)).await;
}
