//! gRPC above its library: frames, statuses, and the messages of both bindings.

use mcp_verdict_wire::{
    Era,
    grpc::{
        FRAME_HEAD_BYTES, Frame, Frames, JsonRpcLine, Line, TooLarge, decode_message,
        encode_message,
        native::{self, Call},
        status,
    },
};
use serde_json::{Value, json};

/// However the bytes are cut, the same messages come out; a message that was framed is read again; a text of
/// a status is kept, and percent signs are read as others read them. The first byte chooses how long the
/// pieces are, the second the limit.
pub fn grpc(bytes: &[u8]) {
    let [step, limit, stream @ ..] = bytes else {
        return;
    };
    let limit = usize::from(*limit) * 8;
    let whole = cut(stream, stream.len().max(1), limit);
    assert_eq!(cut(stream, usize::from(*step).max(1), limit), whole);
    assert_eq!(cut(stream, 1, limit), whole);
    let framed = mcp_verdict_wire::grpc::encode(stream);
    let (frames, rest) = cut(&framed, framed.len(), stream.len());
    let frame = Frame {
        flag: 0,
        bytes: stream.to_vec(),
    };
    assert_eq!((frames, rest), (vec![frame], Ok(Vec::new())));
    line(stream);
    if let Ok(text) = std::str::from_utf8(stream) {
        statuses(text);
    }
}

fn cut(stream: &[u8], step: usize, limit: usize) -> (Vec<Frame>, Result<Vec<u8>, TooLarge>) {
    let mut frames = Frames::new(limit);
    let mut found = Vec::new();
    for piece in stream.chunks(step) {
        if let Err(too_large) = frames.push(piece, &mut |frame| found.push(frame)) {
            assert!(too_large.stated > limit);
            return (found, Err(too_large));
        }
    }
    let rest = frames.finish();
    assert!(rest.len() < FRAME_HEAD_BYTES + limit || rest.len() < FRAME_HEAD_BYTES);
    (found, Ok(rest))
}

/// A message that the strict reader of lines takes is taken by the lenient one, and says the same.
fn line(bytes: &[u8]) {
    let lenient = Line::read(bytes);
    let strict = <JsonRpcLine as prost::Message>::decode(bytes);
    match (lenient, strict) {
        (Ok(lenient), Ok(strict)) => {
            assert_eq!(lenient.line, strict.line.as_bytes());
            let token = strict.resumption_token.as_bytes();
            assert_eq!(lenient.resumption_token, token);
            let related = strict.related_request_id.as_bytes();
            assert_eq!(lenient.related_request_id, related);
        }
        (Ok(lenient), Err(_)) => {
            let fields = [
                &lenient.line,
                &lenient.related_request_id,
                &lenient.resumption_token,
            ];
            // A field that comes twice is read both times, and the last counts.
            let kept = fields.iter().filter(|field| !field.is_empty());
            let repeated = bytes.len() > kept.map(|field| field.len() + 2).sum();
            let wrong = fields
                .iter()
                .any(|field| std::str::from_utf8(field).is_err());
            assert!(wrong || repeated);
        }
        (Err(error), Ok(_)) => {
            panic!("the lenient reader refuses what the strict one takes: {error}")
        }
        (Err(_), Err(_)) => {}
    }
    assert!(Line::read(&Line::of(bytes)).is_ok_and(|read| read.line == bytes));
}

fn statuses(text: &str) {
    let encoded = encode_message(text);
    assert!(encoded.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
    assert_eq!(decode_message(&encoded), text);
    let theirs = percent_encoding::percent_decode_str(text).decode_utf8_lossy();
    assert_eq!(decode_message(text), theirs);
    if let Some(code) = status(text) {
        assert_eq!(code.to_string(), text);
    }
}

/// What a message of the protobuf binding says can be said again, and means the same. The first byte chooses
/// the call, and whether it is a request or a response.
pub fn grpc_native(bytes: &[u8]) {
    let [choice, message @ ..] = bytes else {
        return;
    };
    let call = Call::ALL[usize::from(*choice) % Call::ALL.len()];
    if *choice < 128 {
        if let Ok(params) = native::params(call, message) {
            request(call, &params);
        }
        return;
    }
    for era in [Era::Legacy, Era::Modern] {
        if let Ok(result) = native::result(call, message, era) {
            response(call, &result, era);
        }
    }
}

/// A call may lack what a request needs.
fn request(call: Call, params: &Value) {
    let message = json!({"jsonrpc": "2.0", "id": 1, "method": call.method(), "params": params});
    if let Ok((again, bytes)) = native::request(&message) {
        assert_eq!(again, call);
        assert_eq!(native::params(call, &bytes).as_ref(), Ok(params));
    }
}

fn response(call: Call, result: &Value, era: Era) {
    match native::response(call, result) {
        Ok(bytes) => assert_eq!(native::result(call, &bytes, era).as_ref(), Ok(result)),
        Err(unmapped) => {
            // What JSON-RPC numbers goes through doubles; the binding has integers of 64 bits in places. A block of
            // content that says nothing is an empty object, which is no content to send.
            let known =
                unmapped.0.ends_with("is no double") || unmapped.0 == "there is no content ``";
            assert!(
                known,
                "{result} came from {call:?} and cannot go back: {unmapped}"
            );
        }
    }
}
