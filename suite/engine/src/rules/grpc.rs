//! gRPC: statuses, content types, and what the messages of the tunnel hold.

use mcp_verdict_wire::{
    TransportKind,
    grpc::status as code,
    transcript::{Ended, EventKind},
};
use serde_json::Value;

use super::{Observation, Watch, http::head_of, reach::short};
use crate::view::{HttpExchange, Kind, View, header};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/grpc/content-type",
        observe: content_type,
    },
    Watch {
        id: "rules/grpc/lines",
        observe: lines,
    },
    Watch {
        id: "rules/grpc/plain",
        observe: plain,
    },
    Watch {
        id: "rules/grpc/status",
        observe: status,
    },
];

/// Calls that were answered with HTTP 200. Any other status stands for itself, and so does what comes for a request
/// that is none of gRPC.
fn calls<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v HttpExchange> {
    let is_grpc = matches!(
        view.head.transport,
        TransportKind::Grpc | TransportKind::GrpcNative
    );
    let all = view.exchanges.values().filter(move |_| is_grpc);
    all.filter(|exchange| {
        let asked = exchange.request_header("content-type");
        exchange.status() == Some(200)
            && asked.is_none_or(|asked| asked.starts_with("application/grpc"))
    })
}

fn content_type(view: &View<'_>, seen: &mut Observation) {
    for exchange in calls(view) {
        seen.exercise();
        let given = exchange.response_header("content-type");
        if !given.is_some_and(|given| given.starts_with("application/grpc")) {
            let actual = given.map_or_else(|| "no content type".to_owned(), short);
            seen.find("a content type of gRPC", actual, head_of(exchange));
        }
    }
}

fn status(view: &View<'_>, seen: &mut Observation) {
    for exchange in calls(view) {
        let Some((end, Ended::Complete)) = &exchange.ended else {
            continue;
        };
        seen.exercise();
        let in_trailers = exchange
            .trailers
            .as_ref()
            .and_then(|(_, trailers)| header(trailers, "grpc-status"));
        let given = in_trailers.or_else(|| exchange.response_header("grpc-status"));
        if given.and_then(code).is_none() {
            let actual = given.map_or_else(|| "none".to_owned(), short);
            let event = exchange.trailers.as_ref().map_or(*end, |(event, _)| *event);
            seen.find("a number in `grpc-status`", actual, [event]);
        }
    }
}

/// We accept no encoding, so no message may have one.
fn plain(view: &View<'_>, seen: &mut Observation) {
    let answered = |exchange: &HttpExchange| exchange.response.is_some();
    if calls(view).any(answered) {
        seen.exercise();
    }
    for (event, opcode) in frames(view) {
        if opcode.starts_with("flag ") {
            seen.find("a message that is not compressed", opcode, [event]);
        }
    }
}

fn lines(view: &View<'_>, seen: &mut Observation) {
    if view.head.transport != TransportKind::Grpc {
        return;
    }
    for (event, opcode) in frames(view) {
        if opcode == "message" {
            seen.find("a JsonRpcLine", "a message of another kind", [event]);
        }
    }
    let channel = view.targets().filter(|message| message.exchange == 0);
    for message in channel {
        seen.exercise();
        let EventKind::Received { bytes, .. } = &view.events[message.event].kind else {
            continue;
        };
        if matches!(message.kind, Kind::Invalid { .. }) && texts(&bytes.0) > 1 {
            let actual = short(&bytes.to_text());
            seen.find("one message in a line", actual, [message.event]);
        }
    }
}

/// How many JSON texts follow each other, up to the first that is none.
fn texts(bytes: &[u8]) -> usize {
    let texts = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    texts.take(2).take_while(Result::is_ok).count()
}

/// Messages that are no lines, or not alone.
fn frames<'v>(view: &'v View<'_>) -> impl Iterator<Item = (usize, &'v str)> {
    let is_grpc = view.head.transport == TransportKind::Grpc;
    let events = view.events.iter().enumerate().filter(move |_| is_grpc);
    events.filter_map(|(index, event)| match &event.kind {
        EventKind::Frame {
            sent: false,
            opcode,
            ..
        } => Some((index, opcode.as_str())),
        _ => None,
    })
}
