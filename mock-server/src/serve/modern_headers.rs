//! The headers of a modern request, which must say what its body says.

use http::HeaderMap;
use mcp_verdict_wire::header_value;
use serde_json::{Map, Value};

use crate::core::{
    lifecycle::Envelope,
    rpc::{HEADER_MISMATCH, Incoming, Refusal},
    tools,
};

/// MUST: 2026-07-28 basic/transports/streamable-http#server-validation. What is no request is not
/// checked: no header is defined for it.
pub(super) fn check(headers: &HeaderMap, message: &Value) -> Result<(), Refusal> {
    let Incoming::Request { method, params, .. } = Incoming::read(message) else {
        return Ok(());
    };
    // A request without its metadata is refused for that, whatever its headers say.
    let envelope = Envelope::read(&params)?;
    expect(headers, "mcp-protocol-version", &envelope.version)?;
    expect(headers, "mcp-method", &method)?;
    let named = match method.as_str() {
        "tools/call" | "prompts/get" => params.get("name"),
        "resources/read" => params.get("uri"),
        _ => None,
    };
    if let Some(Value::String(name)) = named {
        expect_encoded(headers, "Mcp-Name", &Value::String(name.clone()))?;
    }
    if method == "tools/call" {
        check_parameters(headers, &params)?;
    }
    Ok(())
}

fn check_parameters(headers: &HeaderMap, params: &Map<String, Value>) -> Result<(), Refusal> {
    let tool = params
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    for (suffix, pointer) in tools::mirrored(tool) {
        let name = format!("Mcp-Param-{suffix}");
        let value = params
            .get("arguments")
            .and_then(|arguments| arguments.pointer(&pointer));
        match value {
            None | Some(Value::Null) => {
                if headers.contains_key(&name) {
                    return Err(mismatch(&format!("{name} has no value in the body")));
                }
            }
            Some(value) => expect_encoded(headers, &name, value)?,
        }
    }
    Ok(())
}

fn expect(headers: &HeaderMap, name: &str, body: &str) -> Result<(), Refusal> {
    let value = only(headers, name)?;
    if value.trim_matches([' ', '\t']) == body {
        return Ok(());
    }
    Err(mismatch(&format!(
        "{name} is `{value}`, the body says `{body}`"
    )))
}

fn expect_encoded(headers: &HeaderMap, name: &str, body: &Value) -> Result<(), Refusal> {
    let value = only(headers, name)?;
    let value =
        header_value::decode(value).map_err(|error| mismatch(&format!("{name}: {error}")))?;
    let same = match body {
        Value::String(body) => *body == value,
        Value::Bool(body) => value == body.to_string(),
        // SHOULD: numerically, not as strings.
        Value::Number(body) => {
            value == body.to_string()
                || value.parse::<f64>().ok() == body.as_f64().filter(|number| number.abs() < SAFE)
        }
        // No header can carry it; whether it may be an argument is for the tool's schema to say.
        _ => true,
    };
    same.then_some(())
        .ok_or_else(|| mismatch(&format!("{name} is `{value}`, the body says {body}")))
}

/// The one value of a header.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Err(mismatch(&format!("{name} is missing"))),
        (Some(value), None) => value
            .to_str()
            .map_err(|_| mismatch(&format!("{name} holds what no header may"))),
        (Some(_), Some(_)) => Err(mismatch(&format!("{name} is there more than once"))),
    }
}

fn mismatch(why: &str) -> Refusal {
    Refusal::new(HEADER_MISMATCH, format!("Header mismatch: {why}")).with_status(400)
}

/// Beyond this, different integers become the same floating-point number.
const SAFE: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use serde_json::json;

    use super::*;

    fn refused(headers: &[(&str, &str)], name: &str, arguments: &Value) -> Option<i64> {
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let params = json!({"name": name, "arguments": arguments, "_meta": meta});
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        let standard = [
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
        ];
        let headers = standard.iter().chain(headers).map(|(name, value)| {
            (
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            )
        });
        check(&headers.collect(), &message)
            .err()
            .map(|refusal| refusal.code)
    }

    #[test]
    fn the_name_is_decoded_before_it_is_compared() {
        let none = json!({});
        assert_eq!(refused(&[("mcp-name", "echo")], "echo", &none), None);
        assert_eq!(
            refused(&[("mcp-name", "=?base64?ZWNobw==?=")], "echo", &none),
            None
        );
        assert_eq!(
            refused(&[("mcp-name", "Echo")], "echo", &none),
            Some(HEADER_MISMATCH)
        );
        assert_eq!(
            refused(&[("mcp-name", "=?base64?ZWNobw?=")], "echo", &none),
            Some(HEADER_MISMATCH)
        );
        assert_eq!(refused(&[], "echo", &none), Some(HEADER_MISMATCH));
    }

    #[test]
    fn mirrored_parameters_are_compared_by_value() {
        let tool = "test_header_parameter";
        let check = |headers: &[(&str, &str)], arguments: Value| {
            refused(&[&[("mcp-name", tool)], headers].concat(), tool, &arguments)
        };
        let region = ("mcp-param-region", "a");
        assert_eq!(check(&[region], json!({"region": "a"})), None);
        assert_eq!(
            check(
                &[region, ("mcp-param-count", "42.0")],
                json!({"region": "a", "count": 42})
            ),
            None
        );
        assert_eq!(
            check(
                &[region, ("mcp-param-urgent", "true")],
                json!({"region": "a", "urgent": true})
            ),
            None
        );
        for (headers, arguments) in [
            (vec![], json!({"region": "a"})),
            (vec![region], json!({"region": "b"})),
            (vec![region], json!({"region": "a", "count": 1})),
            (
                vec![region, ("mcp-param-count", "2")],
                json!({"region": "a", "count": 1}),
            ),
            (
                vec![region, ("mcp-param-count", "2")],
                json!({"region": "a"}),
            ),
            (vec![region, region], json!({"region": "a"})),
        ] {
            assert_eq!(
                check(&headers, arguments.clone()),
                Some(HEADER_MISMATCH),
                "{headers:?} {arguments}"
            );
        }
    }
}
