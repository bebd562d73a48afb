//! gRPC: the tunnel, the protobuf binding beside it, and the health service, on one listener.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Frame;
use mcp_verdict_wire::{
    TransportKind,
    grpc::{SESSION_PATH, native::Call},
    limits::MESSAGE_BYTES_MAX,
};
use tokio::sync::mpsc;
use tonic::{codegen::Service as _, service::Routes};

use super::{MockConfig, StartError, exchange::Conversation, grpc_native, grpc_session};
use crate::{
    core::{Core, Memory},
    faults::{Faults, GrpcCall, GrpcPart},
};

/// The largest message that is read: the largest line, in its message of protobuf.
pub(super) const GRPC_BYTES_MAX: usize = MESSAGE_BYTES_MAX + 1024;

/// One listener's server.
pub(super) struct GrpcServer {
    pub(super) config: MockConfig,
    /// What all calls of the binding have in common. Each call of the tunnel has a server of its own.
    pub(super) core: Arc<Core>,
    faults: Faults,
    /// What faults keep.
    memory: Arc<Memory>,
    /// The health service; everything that does not exist is `UNIMPLEMENTED` there.
    others: Router,
}

impl GrpcServer {
    pub(super) async fn new(config: MockConfig) -> Result<Self, StartError> {
        let (core, faults) = config.start()?;
        let (reporter, health) = tonic_health::server::health_reporter();
        for service in [SESSION_SERVICE, NATIVE_SERVICE] {
            let serving = tonic_health::ServingStatus::Serving;
            reporter.set_service_status(service, serving).await;
        }
        Ok(Self {
            config,
            core,
            faults,
            memory: Arc::default(),
            others: Routes::new(health).into_axum_router(),
        })
    }

    /// Answers one call.
    pub(super) async fn answer(self: Arc<Self>, request: Request) -> Response {
        let (mut head, body) = request.into_parts();
        let mut call = GrpcCall {
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            headers: std::mem::take(&mut head.headers),
            number: self.memory.count("calls"),
            memory: self.memory.clone(),
        };
        if let Some(parts) = self.faults.grpc_call(&mut call) {
            return respond(parts);
        }
        head.headers = call.headers.clone();
        let request = Request::from_parts(head, body);
        let response = if is_grpc(&call.headers) {
            self.carry_out(&call, request).await
        } else {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            response
        };
        self.faulty(call, response)
    }

    async fn carry_out(&self, call: &GrpcCall, request: Request) -> Response {
        if let Some(native) = Call::at_path(&call.path) {
            let response = grpc_native::serve(self, native, request).await;
            return response.map(Body::new);
        }
        match call.path.as_str() {
            SESSION_PATH => grpc_session::serve(self, request).await.map(Body::new),
            _ => match self.others.clone().call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
        }
    }

    /// A conversation of the binding, before anything of it is known.
    pub(super) fn conversation(&self) -> Conversation {
        let (nowhere, _) = mpsc::channel(1);
        Conversation {
            core: self.core.clone(),
            faults: self.faults.clone(),
            session: self
                .core
                .session(TransportKind::GrpcNative, nowhere.clone()),
            era: None,
            headers: None,
            sender: nowhere,
        }
    }

    /// The response with what faults make of it.
    fn faulty(&self, call: GrpcCall, response: Response) -> Response {
        if self.faults.is_empty() {
            return response;
        }
        let (head, body) = response.into_parts();
        let first = GrpcPart::Head {
            status: head.status,
            headers: head.headers,
        };
        let mut ready: VecDeque<GrpcPart> = self.faults.grpc_part(&call, first).into();
        let Some(GrpcPart::Head { status, headers }) = ready.pop_front() else {
            return respond(Vec::new());
        };
        let parts = Parts {
            ready,
            source: Some(body),
            faults: self.faults.clone(),
            call,
        };
        let mut response = Response::new(Body::new(parts));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

/// MUST begin with it: gRPC over HTTP/2, requests.
fn is_grpc(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let rest = value.strip_prefix("application/grpc");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
    })
}

/// A response from its parts.
fn respond(parts: Vec<GrpcPart>) -> Response {
    let mut ready = VecDeque::from(parts);
    let (status, headers) = match ready.pop_front() {
        Some(GrpcPart::Head { status, headers }) => (status, headers),
        first => {
            ready.extend(first);
            let mut headers = HeaderMap::new();
            let kind = HeaderValue::from_static("application/grpc");
            headers.insert(header::CONTENT_TYPE, kind);
            (StatusCode::OK, headers)
        }
    };
    let body = Parts {
        ready,
        source: None,
        faults: Faults::default(),
        call: GrpcCall::default(),
    };
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A body whose frames pass the faults. Dropping it before its end is what a client does that cancels.
struct Parts {
    ready: VecDeque<GrpcPart>,
    source: Option<Body>,
    faults: Faults,
    call: GrpcCall,
}

impl Drop for Parts {
    fn drop(&mut self) {
        if self.source.is_some() {
            self.faults.grpc_cancelled(&self.call);
        }
    }
}

impl http_body::Body for Parts {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        loop {
            match self.ready.pop_front() {
                Some(GrpcPart::Head { .. }) => continue,
                Some(GrpcPart::Data(bytes)) => {
                    return Poll::Ready(Some(Ok(Frame::data(bytes.into()))));
                }
                Some(GrpcPart::Trailers(trailers)) => {
                    // Nothing follows them, whatever was to come.
                    self.source = None;
                    self.ready.clear();
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Some(GrpcPart::Reset) => {
                    self.source = None;
                    let why = std::io::Error::other("a fault resets the stream");
                    return Poll::Ready(Some(Err(axum::Error::new(why))));
                }
                None => {}
            }
            let Some(source) = self.source.as_mut() else {
                return Poll::Ready(None);
            };
            let part = match std::task::ready!(Pin::new(source).poll_frame(context)) {
                None => {
                    self.source = None;
                    continue;
                }
                Some(Err(error)) => {
                    self.source = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => GrpcPart::Data(data.into()),
                    Err(frame) => match frame.into_trailers() {
                        Ok(trailers) => GrpcPart::Trailers(trailers),
                        Err(_) => continue,
                    },
                },
            };
            let changed = self.faults.grpc_part(&self.call, part);
            self.ready.extend(changed);
        }
    }
}

const SESSION_SERVICE: &str = "mcp.transport.v1.Mcp";
const NATIVE_SERVICE: &str = "model_context_protocol.Mcp";
