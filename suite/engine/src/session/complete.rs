//! What the revision asks every request to carry, added to what a caller wants to say.

use mcp_verdict_transport::HeaderEdits;
use mcp_verdict_wire::{Era, Revision, header_value};
use serde_json::{Map, Value, json};

/// How the suite names itself to a server.
#[must_use]
pub fn client_info() -> Value {
    json!({"name": "mcp-verdict", "version": env!("CARGO_PKG_VERSION")})
}

/// The capabilities that our client declares unless a vector says otherwise: those that `revision` has.
#[must_use]
pub fn default_capabilities(revision: Revision) -> Map<String, Value> {
    let mut capabilities = Map::new();
    let roots = match revision.era() {
        Era::Legacy => json!({"listChanged": true}),
        Era::Modern => json!({}),
    };
    capabilities.insert("roots".to_owned(), roots);
    capabilities.insert("sampling".to_owned(), json!({}));
    if revision >= Revision::V2025_06_18 {
        // Empty means form mode in the revisions that tell modes apart.
        capabilities.insert("elicitation".to_owned(), json!({}));
    }
    capabilities
}

/// A request, completed to what `revision` asks for, and the HTTP headers that go with it.
///
/// In the modern era `params._meta` gets the fields that every request carries. A member of `_meta`
/// that the caller gives wins, and one given as `null` is left out; so is all of `_meta` when it is
/// `null`. Params that are no object are sent as they are. On transports without headers the edits are
/// of no use, and of no harm.
#[must_use]
pub fn complete_request(
    revision: Revision,
    client_capabilities: &Map<String, Value>,
    method: &str,
    params: Option<Value>,
    id: Value,
) -> (Value, HeaderEdits) {
    let params = match revision.era() {
        Era::Legacy => params,
        Era::Modern => Some(with_meta(revision, client_capabilities, params)),
    };
    let headers = headers(revision, method, params.as_ref());
    let mut request = Map::new();
    request.insert("jsonrpc".to_owned(), json!("2.0"));
    request.insert("id".to_owned(), id);
    request.insert("method".to_owned(), json!(method));
    request.extend(params.map(|params| ("params".to_owned(), params)));
    (Value::Object(request), headers)
}

/// The members of `_meta` that every request of `revision` carries; none in the legacy era.
#[must_use]
pub fn request_meta(
    revision: Revision,
    client_capabilities: &Map<String, Value>,
) -> Map<String, Value> {
    let mut meta = Map::new();
    if revision.era() == Era::Modern {
        meta.insert(PROTOCOL_VERSION.to_owned(), json!(revision.as_str()));
        meta.insert(CLIENT_INFO.to_owned(), client_info());
        meta.insert(
            CLIENT_CAPABILITIES.to_owned(),
            Value::Object(client_capabilities.clone()),
        );
    }
    meta
}

/// A notification, and the HTTP headers that go with it. No revision asks notifications to carry `_meta`.
#[must_use]
pub fn complete_notification(
    revision: Revision,
    method: &str,
    params: Option<Value>,
) -> (Value, HeaderEdits) {
    let headers = headers(revision, method, params.as_ref());
    let mut notification = Map::new();
    notification.insert("jsonrpc".to_owned(), json!("2.0"));
    notification.insert("method".to_owned(), json!(method));
    notification.extend(params.map(|params| ("params".to_owned(), params)));
    (Value::Object(notification), headers)
}

/// The `mcp-param-*` headers that a call of a tool with this input schema carries in the modern era.
///
/// Only properties reachable by `properties` alone are looked at, and only sound annotations are followed.
#[must_use]
pub fn tool_headers(input_schema: &Value, arguments: &Value) -> HeaderEdits {
    let mut headers = HeaderEdits::new();
    collect_tool_headers(input_schema, arguments, 0, &mut headers);
    headers
}

fn collect_tool_headers(schema: &Value, value: &Value, depth: usize, headers: &mut HeaderEdits) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return;
    };
    if depth > SCHEMA_DEPTH_MAX {
        return;
    }
    for (name, property) in properties {
        let Some(value) = value.get(name) else {
            continue;
        };
        let annotation = property.get("x-mcp-header").and_then(Value::as_str);
        match (
            annotation.filter(|annotation| is_token(annotation)),
            as_header(value),
        ) {
            (Some(annotation), Some(text)) => {
                let header = format!("mcp-param-{}", annotation.to_ascii_lowercase());
                headers.insert(header, Some(header_value::encode(&text)));
            }
            _ => collect_tool_headers(property, value, depth + 1, headers),
        }
    }
}

fn as_header(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) if number.is_i64() => Some(number.to_string()),
        _ => None,
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_tchar)
}

fn with_meta(
    revision: Revision,
    client_capabilities: &Map<String, Value>,
    params: Option<Value>,
) -> Value {
    let mut params = match params {
        None => Map::new(),
        Some(Value::Object(params)) => params,
        Some(other) => return other,
    };
    let given = match params.remove("_meta") {
        None => Map::new(),
        Some(Value::Object(given)) => given,
        Some(Value::Null) => return Value::Object(params),
        Some(other) => {
            params.insert("_meta".to_owned(), other);
            return Value::Object(params);
        }
    };
    let mut meta = request_meta(revision, client_capabilities);
    meta.extend(given);
    meta.retain(|_, value| !value.is_null());
    params.insert("_meta".to_owned(), Value::Object(meta));
    Value::Object(params)
}

/// The request metadata headers of the modern era; none in the legacy one, whose headers belong to the
/// session.
fn headers(revision: Revision, method: &str, params: Option<&Value>) -> HeaderEdits {
    let mut headers = HeaderEdits::new();
    if revision.era() == Era::Legacy {
        return headers;
    }
    let stated = params
        .and_then(|params| params.get("_meta")?.get(PROTOCOL_VERSION)?.as_str())
        .unwrap_or(revision.as_str());
    headers.insert("mcp-protocol-version".to_owned(), Some(stated.to_owned()));
    headers.insert("mcp-method".to_owned(), Some(header_value::encode(method)));
    let named_by = match method {
        "prompts/get" | "tools/call" => Some("name"),
        "resources/read" => Some("uri"),
        _ => None,
    };
    if let Some(name) = named_by.and_then(|member| params?.get(member)?.as_str()) {
        headers.insert("mcp-name".to_owned(), Some(header_value::encode(name)));
    }
    headers
}

const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// Deeper schemas than this are no honest tool's.
const SCHEMA_DEPTH_MAX: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    const MODERN: Revision = Revision::V2026_07_28;

    fn request(params: Option<Value>) -> (Value, HeaderEdits) {
        complete_request(MODERN, &Map::new(), "tools/call", params, json!(7))
    }

    #[test]
    fn a_legacy_request_is_sent_as_it_is_said() {
        let (request, headers) =
            complete_request(Revision::V2025_11_25, &Map::new(), "ping", None, json!("a"));
        assert_eq!(
            request,
            json!({"jsonrpc": "2.0", "id": "a", "method": "ping"})
        );
        assert!(headers.is_empty());
    }

    #[test]
    fn a_modern_request_carries_its_metadata_twice() {
        let (request, headers) = request(Some(json!({"name": "é"})));
        let meta = &request["params"]["_meta"];
        assert_eq!(meta[PROTOCOL_VERSION], "2026-07-28");
        assert_eq!(meta[CLIENT_CAPABILITIES], json!({}));
        assert_eq!(meta[CLIENT_INFO]["name"], "mcp-verdict");
        assert_eq!(
            headers["mcp-protocol-version"].as_deref(),
            Some("2026-07-28")
        );
        assert_eq!(headers["mcp-method"].as_deref(), Some("tools/call"));
        assert_eq!(headers["mcp-name"].as_deref(), Some("=?base64?w6k=?="));
    }

    #[test]
    fn metadata_given_wins_and_null_leaves_it_out() {
        let meta = json!({PROTOCOL_VERSION: "1999-01-01", CLIENT_INFO: null, "progressToken": 3});
        let (request, headers) = request(Some(json!({"_meta": meta})));
        let meta = request["params"]["_meta"].as_object().expect("an object");
        assert_eq!(meta[PROTOCOL_VERSION], "1999-01-01");
        assert!(!meta.contains_key(CLIENT_INFO));
        assert_eq!(meta["progressToken"], 3);
        assert_eq!(
            headers["mcp-protocol-version"].as_deref(),
            Some("1999-01-01")
        );
        assert!(request_without_meta().get("_meta").is_none());
    }

    fn request_without_meta() -> Value {
        request(Some(json!({"_meta": null}))).0["params"].clone()
    }

    #[test]
    fn annotated_parameters_become_headers() {
        let schema = json!({"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "where": {"properties": {"zone": {"type": "integer", "x-mcp-header": "Zone"}}},
            "bad": {"type": "string", "x-mcp-header": "not a token"},
            "absent": {"type": "string", "x-mcp-header": "Absent"},
        }});
        let arguments = json!({"region": " a", "where": {"zone": 4}, "bad": "x", "absent": null});
        let headers = tool_headers(&schema, &arguments);
        let pairs: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("mcp-param-region", Some("=?base64?IGE=?=")),
                ("mcp-param-zone", Some("4"))
            ]
        );
    }
}
