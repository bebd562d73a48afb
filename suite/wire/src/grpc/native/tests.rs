use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Call, params, request, response, result};
use crate::Era;

fn sent(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params})
}

fn back_and_forth(method: &str, said: Value) {
    let (call, bytes) = request(&sent(method, said.clone())).unwrap();
    assert_eq!(call.method(), method);
    assert_eq!(Call::at_path(call.path()), Some(call));
    assert_eq!(params(call, &bytes).unwrap(), said);
}

#[test]
fn requests_come_back_as_they_were() {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "n": 1, "x": [null, true, 1.5]});
    back_and_forth("tools/list", json!({"_meta": meta}));
    back_and_forth("resources/templates/list", json!({}));
    back_and_forth("resources/read", json!({"uri": "demo://note"}));
    back_and_forth(
        "prompts/get",
        json!({"name": "greet", "arguments": {"name": "é"}}),
    );
    let arguments = json!({"a": 9_007_199_254_740_992_i64, "b": {"c": -0.25}, "d": []});
    back_and_forth(
        "tools/call",
        json!({"name": "add", "arguments": arguments, "requestState": "s"}),
    );
    back_and_forth(
        "completion/complete",
        json!({
            "ref": {"type": "ref/prompt", "name": "greet", "title": "Greet"},
            "argument": {"name": "name", "value": "A"},
            "context": {"arguments": {"b": "c"}},
        }),
    );
    back_and_forth(
        "completion/complete",
        json!({"ref": {"type": "ref/resource", "uri": "a"}, "argument": {"name": "b", "value": ""}}),
    );
}

#[test]
fn what_has_no_field_is_refused() {
    for (method, said) in [
        ("ping", json!({})),
        ("initialize", json!({})),
        ("tools/list", json!({"cursor": "c"})),
        ("tools/list", json!([])),
        ("tools/call", json!({"arguments": {}})),
        ("tools/call", json!({"name": 1})),
        ("tools/call", json!({"name": "a", "arguments": []})),
        (
            "tools/call",
            json!({"name": "a", "arguments": {"n": 9_007_199_254_740_993_i64}}),
        ),
        ("tools/call", json!({"name": "a", "task": {}})),
        ("prompts/get", json!({"name": "a", "arguments": {"n": 1}})),
        ("completion/complete", json!({"ref": {"type": "ref/else"}})),
    ] {
        assert!(
            request(&sent(method, said.clone())).is_err(),
            "{method} {said}"
        );
    }
    let notification = json!({"jsonrpc": "2.0", "method": "tools/list"});
    assert!(request(&notification).is_err());
    assert!(request(&json!({"jsonrpc": "1.0", "id": 1, "method": "tools/list"})).is_err());
    assert!(request(&json!([])).is_err());
}

fn kept(call: Call, said: Value) {
    let bytes = response(call, &said).unwrap();
    assert_eq!(result(call, &bytes, Era::Legacy).unwrap(), said);
}

#[test]
fn results_come_back_as_they_were() {
    let annotations =
        json!({"audience": ["user", "assistant"], "priority": 0.3, "lastModified": "2026"});
    let icons = json!([{"src": "a", "mimeType": "b", "sizes": ["1x1"], "theme": "dark"}]);
    let schema = json!({"type": "object", "properties": {"n": {"type": "number", "minimum": 0.5}}});
    kept(
        Call::ListTools,
        json!({"tools": [{"name": "a", "title": "A", "description": "b", "inputSchema": schema,
            "outputSchema": schema, "annotations": {"title": "c", "readOnlyHint": true}, "icons": icons,
            "_meta": {"k": 1}}], "ttlMs": 1500, "cacheScope": "public", "resultType": "complete"}),
    );
    kept(
        Call::CallTool,
        json!({"content": [
            {"type": "text", "text": "a", "annotations": annotations},
            {"type": "image", "data": "aGk=", "mimeType": "image/png"},
            {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "a", "mimeType": "b", "blob": "aGk="}},
            {"type": "resource_link", "uri": "a", "name": "b", "size": 3},
        ], "structuredContent": {"sum": 5}, "isError": true}),
    );
    kept(
        Call::GetPrompt,
        json!({"description": "a", "messages": [
            {"role": "assistant", "content": {"type": "text", "text": ""}},
            {"role": "user", "content": {"type": "resource", "resource": {"uri": "a", "text": "b"}}},
        ]}),
    );
    kept(
        Call::ListPrompts,
        json!({"prompts": [{"name": "a", "arguments": [{"name": "b", "title": "c", "required": true}]}]}),
    );
    kept(
        Call::ReadResource,
        json!({"contents": [{"uri": "a", "text": ""}]}),
    );
    kept(
        Call::ListResourceTemplates,
        json!({"resourceTemplates": [{"uriTemplate": "a/{b}", "name": "c", "annotations": annotations}]}),
    );
    kept(
        Call::ListResources,
        json!({"resources": [{"uri": "a", "name": "b", "title": "c", "mimeType": "d"}], "_meta": {}}),
    );
    kept(Call::CallTool, json!({"content": [], "resultType": "43"}));
    kept(
        Call::Complete,
        json!({"completion": {"values": ["a", ""], "total": 0, "hasMore": true}}),
    );
}

#[test]
fn what_says_nothing_about_caching_says_the_least_of_it() {
    let modern = result(Call::ListTools, b"", Era::Modern).unwrap();
    assert_eq!(
        modern,
        json!({"tools": [], "ttlMs": 0, "cacheScope": "private"})
    );
    assert_eq!(
        result(Call::ListTools, b"", Era::Legacy).unwrap(),
        json!({"tools": []})
    );
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        for call in Call::ALL {
            drop(params(call, &bytes));
            drop(result(call, &bytes, Era::Modern));
        }
    }

    #[test]
    fn doubles_come_back(number in proptest::num::f64::NORMAL) {
        let said = json!({"name": "a", "arguments": {"n": number}});
        let (call, bytes) = request(&sent("tools/call", said.clone())).unwrap();
        let back = params(call, &bytes).unwrap();
        prop_assert_eq!(back["arguments"]["n"].as_f64(), Some(number));
    }
}
