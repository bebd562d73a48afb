//! Our views of a message against `rmcp`'s.

use mcp_verdict_wire::message::{
    Breach, Decimal, Deviation, Kind, Lenient, Message, Parsed, Strict,
};
use rmcp::model::{CustomNotification, CustomRequest, JsonObject, JsonRpcMessage, NumberOrString};
use serde_json::Value;

use crate::support::json::has_private_marker;

type Theirs = JsonRpcMessage<CustomRequest, JsonObject, CustomNotification>;

/// Where both read a message they read the same; what one refuses and the other takes is one of the kinds that
/// `DISAGREEMENTS.md` tells of.
pub fn rmcp_message(bytes: &[u8]) {
    if has_private_marker(bytes) {
        return;
    }
    let theirs = serde_json::from_slice::<Theirs>(bytes);
    match (Strict::parse(bytes), theirs) {
        (Ok(strict), Ok(theirs)) => {
            let Parsed::Single(ours) = strict.parsed else {
                panic!("rmcp reads no batch");
            };
            agree(&ours, &theirs);
        }
        (Ok(strict), Err(error)) => {
            if let Parsed::Single(ours) = strict.parsed {
                assert!(is_refused(&ours), "rmcp refuses {}: {error}", ours.value);
            }
        }
        (Err(deviations), Ok(theirs)) => {
            let lenient = Lenient::parse(bytes).expect("it only deviates");
            for deviation in &deviations {
                let known = is_passed_over(deviation, &lenient.value);
                assert!(known, "rmcp takes {deviation}");
            }
            let read_otherwise = [Breach::DuplicateKey, Breach::IdType];
            if let Parsed::Single(ours) = lenient.into_parsed()
                && !deviations
                    .iter()
                    .any(|it| read_otherwise.contains(&it.what))
            {
                agree(&ours, &theirs);
            }
        }
        (Err(_), Err(_)) => {}
    }
}

fn agree(ours: &Message, theirs: &Theirs) {
    let (id, method, params) = match theirs {
        JsonRpcMessage::Request(it) => {
            assert!(matches!(ours.kind, Kind::Request { .. }));
            let params = it.request.params.clone();
            (Some(&it.id), Some(&it.request.method), params)
        }
        JsonRpcMessage::Notification(it) => {
            assert!(matches!(ours.kind, Kind::Notification { .. }));
            let params = it.notification.params.clone();
            (None, Some(&it.notification.method), params)
        }
        JsonRpcMessage::Response(it) => {
            let result = Value::Object(it.result.clone());
            assert_eq!(ours.result(), Some(&result));
            (Some(&it.id), None, None)
        }
        JsonRpcMessage::Error(it) => {
            let error = ours.error().expect("they read an error");
            assert_eq!(error["message"], it.error.message.as_ref());
            let code = error["code"].as_number().and_then(Decimal::of);
            assert_eq!(code, Decimal::of(&it.error.code.0.into()));
            (it.id.as_ref(), None, None)
        }
    };
    assert_eq!(ours.method(), method.map(String::as_str));
    match (id, ours.value.get("id")) {
        (None, None | Some(Value::Null)) => {}
        (Some(NumberOrString::String(theirs)), Some(Value::String(ours))) => {
            assert_eq!(&**theirs, ours);
        }
        (Some(NumberOrString::Number(theirs)), Some(Value::Number(ours))) => {
            assert_eq!(Decimal::of(&(*theirs).into()), Decimal::of(ours));
        }
        (theirs, ours) => panic!("the id {ours:?} reads {theirs:?}"),
    }
    assert_eq!(said(params.as_ref()), said(ours.params()));
}

/// The members of params without `_meta`, which they keep apart. Where there are none, nothing is said.
fn said(params: Option<&Value>) -> Option<Value> {
    let mut params = params?.clone();
    if let Some(members) = params.as_object_mut() {
        members.shift_remove("_meta");
    }
    Some(params).filter(|it| !it.is_null() && it.as_object().is_none_or(|it| !it.is_empty()))
}

/// Known: sound messages that rmcp refuses.
fn is_refused(ours: &Message) -> bool {
    let meta = ours.params().and_then(|params| params.get("_meta"));
    let error_code = ours.error().and_then(|error| error.get("code"));
    ours.value.get("id").is_some_and(is_id_beyond)
        || error_code.is_some_and(|code| code.to_string().parse::<i32>().is_err())
        || meta.is_some_and(|meta| !meta.is_object() && !meta.is_null())
}

/// Whether an id is an integer that rmcp has no room for: one beyond 64 bits, or one that is spelled with a
/// fraction or an exponent and beyond 2^53.
fn is_id_beyond(id: &Value) -> bool {
    let Value::Number(number) = id else {
        return false;
    };
    let text = number.to_string();
    if text.contains(['.', 'e', 'E']) {
        number
            .as_f64()
            .is_none_or(|double| double.abs() >= 9_007_199_254_740_992.0)
    } else {
        text.parse::<i64>().is_err()
    }
}

/// Known: deviations that rmcp does not look for.
fn is_passed_over(deviation: &Deviation, message: &Value) -> bool {
    match deviation.what {
        Breach::DuplicateKey => !ENVELOPE.contains(&&*deviation.at),
        Breach::IdType => message.get("id").is_some_and(is_integral_as_double),
        Breach::ParamsType => message.get("params").is_some_and(Value::is_null),
        _ => false,
    }
}

/// Whether a number has a fraction that its double has lost.
fn is_integral_as_double(id: &Value) -> bool {
    id.as_f64().is_some_and(|double| double.fract() == 0.0)
}

/// The members that rmcp itself reads.
const ENVELOPE: [&str; 6] = ["/jsonrpc", "/id", "/method", "/params", "/result", "/error"];
