//! Cases, drawn from one seed: each is the same whenever its number comes up.

pub(crate) mod bytes;
pub(crate) mod edges;
mod http;
pub(crate) mod instance;
mod sequences;
pub(crate) mod structure;

pub(crate) use sequences::answered;

use mcp_verdict_wire::TransportKind;
use serde_json::{Value, json};

use crate::{
    case::{Action, Case, Layer, Sending},
    json::Json,
    material::Material,
    source::{Mark, Source},
};

/// Which cases are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taste {
    /// Only what is about the transport: bytes, framing and HTTP.
    pub transport_level: bool,
    /// Also what an honest server may fall over: very deep, very long, very many.
    pub aggressive: bool,
}

/// Case `number` of the campaign with this seed.
#[must_use]
pub fn case(seed: u64, number: u64, material: &Material, taste: Taste) -> Case {
    let mut source = Source::of(seed, number);
    let mark = Mark((number + 1) << MARK_SHIFT);
    let layer = layer(&mut source, material, taste);
    let source = &mut source;
    match layer {
        Layer::Valid => valid(source, material, mark),
        Layer::Structure => odd_values(source, material, mark, taste),
        Layer::Bytes => odd_bytes(source, material, mark),
        Layer::Http => {
            let (kind, steps) = http::odd_request(source, material, mark);
            let actions = vec![Action::Steps(steps)];
            of(mark, layer, "http", vec![kind], actions)
        }
        Layer::Sequence => {
            let (kind, actions) = sequences::walk(source, material, mark);
            of(mark, layer, "sequence", vec![kind], actions)
        }
    }
}

fn layer(source: &mut Source, material: &Material, taste: Taste) -> Layer {
    let http = match material.transport {
        TransportKind::StreamableHttp => 4,
        _ => 0,
    };
    if taste.transport_level {
        return source.weighted(&[
            (4, Layer::Bytes),
            (3 * http, Layer::Http),
            (1, Layer::Valid),
        ]);
    }
    source.weighted(&[
        (3, Layer::Valid),
        (10, Layer::Structure),
        (5, Layer::Bytes),
        (http, Layer::Http),
        (3, Layer::Sequence),
    ])
}

fn of(
    mark: Mark,
    layer: Layer,
    method: &str,
    mutations: Vec<&'static str>,
    actions: Vec<Action>,
) -> Case {
    Case {
        mark,
        layer,
        method: method.to_owned(),
        mutations,
        actions,
    }
}

fn valid(source: &mut Source, material: &Material, mark: Mark) -> Case {
    let whole = if source.one_in(5) {
        material.notification(source, mark)
    } else {
        let id = match source.below(3) {
            0 => json!(mark.0),
            _ => json!(mark.to_string()),
        };
        material.request(source, mark, id)
    };
    let sending = Sending::of(Json::from(&whole.value).pieces());
    of(
        mark,
        Layer::Valid,
        whole.method,
        Vec::new(),
        vec![Action::Message(sending)],
    )
}

fn odd_values(source: &mut Source, material: &Material, mark: Mark, taste: Taste) -> Case {
    let whole = if source.one_in(6) {
        material.notification(source, mark)
    } else {
        material.request(source, mark, json!(mark.to_string()))
    };
    let mut message = Json::from(&whole.value);
    let mut mutations = Vec::new();
    for _ in 0..source.weighted(&[(6, 1), (2, 2), (1, 3)]) {
        mutations.push(structure::mutate(source, &mut message, mark));
    }
    let mut sending = Sending::of(message.pieces());
    if taste.aggressive && source.one_in(50) {
        let (kind, pieces) = bytes::many(source);
        sending = Sending::of(pieces);
        mutations = vec![kind];
    }
    of(
        mark,
        Layer::Structure,
        whole.method,
        mutations,
        vec![Action::Message(sending)],
    )
}

fn odd_bytes(source: &mut Source, material: &Material, mark: Mark) -> Case {
    let (one, other) = (own_mark(mark, 1), own_mark(mark, 2));
    let whole = material.request(source, one, json!(one.to_string()));
    let beside = material.request(source, other, json!(other.to_string()));
    let (kind, sending) = if source.one_in(40) {
        let (kind, pieces) = bytes::many(source);
        (kind, Sending::of(pieces))
    } else {
        bytes::mutate(
            source,
            message_bytes(&whole.value),
            &message_bytes(&beside.value),
        )
    };
    of(
        mark,
        Layer::Bytes,
        whole.method,
        vec![kind],
        vec![Action::Message(sending)],
    )
}

/// The bytes of a message that is right.
pub(crate) fn message_bytes(message: &Value) -> Vec<u8> {
    message.to_string().into_bytes()
}

/// A mark of one of the messages of a case.
pub(crate) fn own_mark(mark: Mark, place: usize) -> Mark {
    Mark(mark.0 + (1 + place as u64) % (1 << MARK_SHIFT))
}

/// Bits of a mark that tell the messages of one case apart.
const MARK_SHIFT: u32 = 8;
