//! The protobuf binding: a unary call for each request, and no session.

use std::{future::Future, pin::Pin, sync::Arc};

use axum::extract::Request;
use bytes::{Buf, BufMut};
use futures_util::future::join_all;
use http::Response;
use mcp_verdict_wire::{
    Era, Revision, TransportKind,
    grpc::native::{self, Call},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::Service,
    metadata::MetadataMap,
};

use super::{
    exchange::Conversation,
    grpc::{GRPC_BYTES_MAX, GrpcServer},
};
use crate::core::{Core, Departure, Payload, outlet::QUEUE_LENGTH};

/// The revision of a call, in the metadata of both sides.
const VERSION: &str = "mcp-protocol-version";

/// The code of an error of JSON-RPC, in the trailing metadata.
const ERROR_CODE: &str = "mcp-error-code";

/// Pages that one list is put together from.
const PAGES_MAX: usize = 100;

/// Serves one call.
pub(super) async fn serve(
    server: &GrpcServer,
    call: Call,
    request: Request,
) -> Response<tonic::body::Body> {
    let binding = Binding {
        core: server.core.clone(),
        conversation: server.conversation(),
        call,
    };
    tonic::server::Grpc::new(Raw)
        .max_decoding_message_size(GRPC_BYTES_MAX)
        .max_encoding_message_size(GRPC_BYTES_MAX)
        .unary(binding, request)
        .await
}

/// What answers one call.
#[derive(Clone)]
struct Binding {
    core: Arc<Core>,
    conversation: Conversation,
    call: Call,
}

type Answering = Pin<Box<dyn Future<Output = Result<tonic::Response<Vec<u8>>, Status>> + Send>>;

impl Service<tonic::Request<Vec<u8>>> for Binding {
    type Response = tonic::Response<Vec<u8>>;
    type Error = Status;
    type Future = Answering;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Status>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: tonic::Request<Vec<u8>>) -> Self::Future {
        let binding = self.clone();
        Box::pin(async move {
            let revision = binding.revision(request.metadata())?;
            let answered = binding.answer(revision, request.get_ref()).await;
            let version = revision.as_str().parse();
            match (answered, version) {
                (Ok(bytes), Ok(version)) => {
                    let mut response = tonic::Response::new(bytes);
                    response.metadata_mut().insert(VERSION, version);
                    Ok(response)
                }
                (Err(mut status), Ok(version)) => {
                    status.metadata_mut().insert(VERSION, version);
                    Err(status)
                }
                (answered, Err(_)) => answered.map(tonic::Response::new),
            }
        })
    }
}

impl Binding {
    /// The revision that a call names.
    fn revision(&self, metadata: &MetadataMap) -> Result<Revision, Status> {
        let named = metadata.get(VERSION).and_then(|value| value.to_str().ok());
        let served = |era| self.core.revisions_of(era);
        let mut all = served(Era::Legacy);
        all.extend(served(Era::Modern));
        all.retain(|revision| TransportKind::GrpcNative.carries(*revision));
        let found = all.iter().find(|revision| Some(revision.as_str()) == named);
        found.copied().ok_or_else(|| {
            let mut status = Status::unimplemented("the revision is missing, or not spoken");
            let newest = all.last().and_then(|newest| newest.as_str().parse().ok());
            if let Some(newest) = newest {
                status.metadata_mut().insert(VERSION, newest);
            }
            status
        })
    }

    async fn answer(&self, revision: Revision, bytes: &[u8]) -> Result<Vec<u8>, Status> {
        let mut params = native::params(self.call, bytes)
            .map_err(|error| Status::internal(format!("decode the request: {error}")))?;
        if revision.era() == Era::Modern {
            complete(&mut params, revision);
        }
        let mut result = self.ask(revision, params.clone()).await?;
        for _ in 0..PAGES_MAX {
            let cursor = result.get_mut("nextCursor").map(Value::take);
            let Some(cursor) = cursor.filter(|cursor| !cursor.is_null()) else {
                break;
            };
            params["cursor"] = cursor;
            let mut page = self.ask(revision, params.clone()).await?;
            gather(&mut result, &mut page);
        }
        native::response(self.call, &result)
            .map_err(|unmapped| Status::internal(format!("say the result: {unmapped}")))
    }

    /// The result of one request.
    async fn ask(&self, revision: Revision, params: Value) -> Result<Value, Status> {
        let (sender, mut receiver) = mpsc::channel(QUEUE_LENGTH);
        let (nowhere, _) = mpsc::channel(1);
        let session = self.core.session(TransportKind::GrpcNative, nowhere);
        if revision.era() == Era::Legacy {
            session.agree(revision, json!({}));
        }
        let conversation = Conversation {
            session,
            era: Some(revision.era()),
            sender,
            ..self.conversation.clone()
        };
        let id = self.core.next_number();
        let request = json!({
            "jsonrpc": "2.0", "id": id, "method": self.call.method(), "params": params,
        });
        let works = conversation.take(request).await;
        drop(conversation);
        let answering = async {
            let mut answer = None;
            while let Some(departure) = receiver.recv().await {
                // What is no answer has no place in a call.
                answer = answer.or_else(|| answer_in(departure));
            }
            answer
        };
        let (_, answer) = tokio::join!(join_all(works), answering);
        let mut answer = answer.ok_or_else(|| Status::internal("there is no answer"))?;
        match answer.get_mut("result").map(Value::take) {
            Some(result) => Ok(result),
            None => Err(refused(&answer["error"])),
        }
    }
}

/// Every modern request carries its metadata; here a part of it is known from the call.
fn complete(params: &mut Value, revision: Revision) {
    let meta = &mut params["_meta"];
    if meta.is_null() {
        *meta = json!({});
    }
    for (name, value) in [
        ("protocolVersion", json!(revision.as_str())),
        ("clientCapabilities", json!({})),
    ] {
        let member = &mut meta[format!("io.modelcontextprotocol/{name}")];
        if member.is_null() {
            *member = value;
        }
    }
}

/// Adds the items of a page to those before it.
fn gather(result: &mut Value, page: &mut Value) {
    let next = page.get_mut("nextCursor").map(Value::take);
    let (Some(result), Some(page)) = (result.as_object_mut(), page.as_object_mut()) else {
        return;
    };
    for (name, items) in page.iter_mut() {
        if let (Some(Value::Array(all)), Value::Array(more)) = (result.get_mut(name), items) {
            all.append(more);
        }
    }
    if let Some(next) = next {
        result.insert("nextCursor".to_owned(), next);
    }
}

fn answer_in(departure: Departure) -> Option<Value> {
    match departure.payload {
        Payload::Json(message) if departure.answers => Some(message),
        Payload::Raw(bytes) => serde_json::from_slice(&bytes).ok(),
        Payload::Json(_) | Payload::HangUp => None,
    }
}

/// An error of JSON-RPC as a status, with its code beside it.
fn refused(error: &Value) -> Status {
    let code = error["code"].as_i64().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let status = match code {
        -32600 | -32602 | -32002 => Code::InvalidArgument,
        -32601 => Code::Unimplemented,
        -32700..=-32000 => Code::Internal,
        _ => Code::Unknown,
    };
    let mut status = Status::new(status, message);
    if let Ok(code) = code.to_string().parse() {
        status.metadata_mut().insert(ERROR_CODE, code);
    }
    status
}

/// Messages as bytes: what they say is read with the call in mind.
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}
