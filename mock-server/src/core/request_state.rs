//! What clients carry for us between the rounds of a multi-round-trip request (`requestState`).
//!
//! It comes back from a client that may have changed it, so it is signed, bound to the request it was
//! made for, and expires.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{call::Call, rpc::Refusal};

/// How long a client may take, in seconds.
const LIFETIME_S: u64 = 600;

/// The state as text, for this request and no other.
pub(crate) fn seal(call: &Call, state: &Value) -> String {
    let payload = json!({"state": state, "for": fingerprint(call), "until": now() + LIFETIME_S});
    let payload = payload.to_string();
    let mac = hmac(&call.core.secret, payload.as_bytes());
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(payload),
        URL_SAFE_NO_PAD.encode(mac)
    )
}

/// The state that this request brings back, if it brings any.
pub(crate) fn open(call: &Call) -> Result<Option<Value>, Refusal> {
    let Some(text) = call.params.get("requestState") else {
        return Ok(None);
    };
    let refusal = || {
        Refusal::invalid_params(
            "`requestState` is not one of this server's, or not for this request",
        )
    };
    let text = text.as_str().ok_or_else(refusal)?;
    let (payload, mac) = text.split_once('.').ok_or_else(refusal)?;
    let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| refusal())?;
    let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| refusal())?;
    if !same(&hmac(&call.core.secret, &payload), &mac) {
        return Err(refusal());
    }
    let payload: Map<String, Value> = serde_json::from_slice(&payload).map_err(|_| refusal())?;
    let fresh = payload
        .get("until")
        .and_then(Value::as_u64)
        .is_some_and(|until| now() <= until);
    if !fresh || payload.get("for") != Some(&json!(fingerprint(call))) {
        return Err(refusal());
    }
    Ok(payload.get("state").cloned())
}

/// What the state is bound to: the method, what it is called on, and with what.
fn fingerprint(call: &Call) -> String {
    let on = ["name", "uri"].map(|name| call.params.get(name));
    let none = json!({});
    let with = call.params.get("arguments").unwrap_or(&none);
    let digest = Sha256::digest(json!([call.method, on, with]).to_string());
    URL_SAFE_NO_PAD.encode(digest)
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// HMAC-SHA-256 (RFC 2104) with a key that is shorter than a block.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block
            .iter_mut()
            .zip(key)
            .for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize()
        .into()
}

/// Compares in a time that does not tell where the difference is.
fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .fold(0, |differences, (l, r)| differences | (l ^ r))
            == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha_256() {
        let mac = hmac(&[0x0b; 32], b"Hi There");
        let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"
        );
    }
}
