//! Tools as they are listed and called.

use serde_json::{Value, json};

use crate::helper::{LEGACY, MIDDLE, MODERN, OLDEST, Talk, breaks, holds, idles, spares, warns};
use mcp_verdict_wire::{Revision, TransportKind};

fn listed(revision: Revision, tools: Value) -> Talk {
    let talk = Talk::stdio(revision).asks(1, "tools/list", json!({}));
    talk.answers(
        1,
        json!({"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}),
    )
}

fn with_schema(revision: Revision, schema: Value) -> Talk {
    listed(
        revision,
        json!([{"name": "a", "inputSchema": schema, "outputSchema": schema}]),
    )
}

#[test]
fn a_schema_that_is_none() {
    let broken = || json!({"type": "object", "properties": {"a": {"type": "strng"}}});
    for rule in ["tools/input-schemas", "tools/output-schemas"] {
        breaks(rule, &with_schema(LEGACY, broken()), "valid JSON Schema");
        breaks(rule, &with_schema(MODERN, broken()), "valid JSON Schema");
        // No dialect is named by which it could be invalid.
        warns(rule, &with_schema(MIDDLE, broken()), "valid JSON Schema");
        holds(rule, &with_schema(LEGACY, json!({"type": "object"})));
        // What we cannot use is not wrong for that.
        for odd in [
            json!({"type": "object", "properties": {"a": {"$ref": "https://example.com/a.json"}}}),
            json!({"$schema": "https://example.com/dialect", "type": "object", "minimum": "x"}),
            json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"$ref": "#/$defs/a"}}}),
        ] {
            holds(rule, &with_schema(LEGACY, odd));
        }
    }
    warns(
        "tools/input-schemas",
        &with_schema(OLDEST, broken()),
        "anyOf",
    );
}

#[test]
fn the_dialect_of_a_schema() {
    let rule = "tools/schema-dialect";
    let of = |dialect: Value| json!({"$schema": dialect, "type": "object"});
    let with_schema =
        |revision, schema: Value| listed(revision, json!([{"name": "a", "inputSchema": schema}]));
    let old = json!("http://json-schema.org/draft-07/schema#");
    for revision in [LEGACY, MODERN] {
        breaks(rule, &with_schema(revision, of(old.clone())), "draft-07");
        holds(rule, &with_schema(revision, json!({"type": "object"})));
        let new = json!("https://json-schema.org/draft/2020-12/schema");
        holds(rule, &with_schema(revision, of(new)));
    }
    // Nothing is recommended there.
    idles(rule, &with_schema(MIDDLE, of(old)));
}

#[test]
fn resources_within_results() {
    let rule = "tools/embedded-resources";
    let called = |capabilities: Value, content: Value| {
        let talk = Talk::bare(LEGACY, TransportKind::Stdio).opened(capabilities);
        let talk = talk.asks(1, "tools/call", json!({"name": "a"}));
        talk.answers(1, json!({"content": [content]}))
    };
    let resource = json!({"type": "resource", "resource": {"uri": "a:b", "text": "x"}});
    breaks(
        rule,
        &called(json!({"tools": {}}), resource.clone()),
        "`resources` declared",
    );
    let both = json!({"tools": {}, "resources": {}});
    holds(rule, &called(both, resource));
    let text = json!({"type": "text", "text": "x"});
    idles(rule, &called(json!({"tools": {}}), text));
}

#[test]
fn names_of_tools() {
    let of = |name: &str| {
        listed(
            LEGACY,
            json!([{"name": name, "inputSchema": {"type": "object"}}]),
        )
    };
    for name in ["", "a b", "a/b", "é", "a,b"] {
        breaks("tools/names", &of(name), "1 to 128");
    }
    breaks("tools/names", &of(&"a".repeat(129)), "1 to 128");
    holds("tools/names", &of(&"a".repeat(128)));
    holds("tools/names", &of("Aa0_-."));
    idles("tools/names", &listed(MIDDLE, json!([{"name": "a b"}])));
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    breaks(
        "tools/unique-names",
        &listed(LEGACY, json!([tool("a"), tool("b"), tool("a")])),
        "\"a\" twice",
    );
    holds(
        "tools/unique-names",
        &listed(LEGACY, json!([tool("a"), tool("A")])),
    );
}

fn annotated(properties: Value) -> Talk {
    let schema = json!({"type": "object", "properties": properties});
    listed(MODERN, json!([{"name": "a", "inputSchema": schema}]))
}

#[test]
fn parameters_in_headers() {
    let rule = "tools/header-annotations";
    let one = |schema: Value| annotated(json!({"p": schema}));
    breaks(
        rule,
        &one(json!({"type": "string", "x-mcp-header": ""})),
        "header's name",
    );
    breaks(
        rule,
        &one(json!({"type": "string", "x-mcp-header": "a b"})),
        "header's name",
    );
    breaks(
        rule,
        &one(json!({"type": "string", "x-mcp-header": 1})),
        "is no name",
    );
    breaks(
        rule,
        &one(json!({"type": "number", "x-mcp-header": "A"})),
        "the type \"number\"",
    );
    let twice = json!({"a": {"type": "string", "x-mcp-header": "A"}, "b": {"type": "string", "x-mcp-header": "a"}});
    breaks(rule, &annotated(twice), "is there twice");
    let inside = json!({"type": "array", "items": {"type": "string", "x-mcp-header": "A"}});
    breaks(rule, &one(inside), "properties alone");
    let either = json!({"anyOf": [{"type": "string", "x-mcp-header": "A"}]});
    breaks(rule, &one(either), "properties alone");
    warns(rule, &one(json!({"x-mcp-header": "A"})), "no type");
}

#[test]
fn parameters_in_headers_as_they_may_be() {
    let rule = "tools/header-annotations";
    let nested =
        json!({"type": "object", "properties": {"q": {"type": "integer", "x-mcp-header": "Q"}}});
    holds(
        rule,
        &annotated(json!({"p": nested, "r": {"type": "boolean", "x-mcp-header": "R"}})),
    );
    holds(
        rule,
        &annotated(json!({"p": {"type": ["string", "null"], "x-mcp-header": "P"}})),
    );
    // A property may be called like a keyword, and a value may look like a schema.
    let odd = json!({"items": {"type": "string", "x-mcp-header": "I"}, "x-mcp-header": {"type": "string"},
        "d": {"default": {"x-mcp-header": ""}}});
    holds(rule, &annotated(odd));
    idles(rule, &annotated(json!({"p": {"type": "string"}})));
    spares(
        rule,
        &listed(
            LEGACY,
            json!([{"name": "a", "inputSchema": {"x-mcp-header": ""}}]),
        ),
    );
}

fn called(talk: Talk, result: Value) -> Talk {
    talk.asks(2, "tools/call", json!({"name": "a"}))
        .answers(2, result)
}

#[test]
fn structure_that_is_not_as_promised() {
    let rule = "tools/structured-results";
    let schema =
        json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
    let talk = || with_schema(MIDDLE, schema.clone());
    breaks(
        rule,
        &called(
            talk(),
            json!({"content": [], "structuredContent": {"n": "1"}}),
        ),
        "/n",
    );
    breaks(rule, &called(talk(), json!({"content": []})), "none");
    holds(
        rule,
        &called(
            talk(),
            json!({"content": [], "structuredContent": {"n": 1}}),
        ),
    );
    // A failure, or something unfinished, promises nothing.
    idles(
        rule,
        &called(talk(), json!({"content": [], "isError": true})),
    );
    idles(rule, &called(talk(), json!({"task": {}})));
    idles(
        rule,
        &called(
            with_schema(MODERN, schema.clone()),
            json!({"resultType": "input_required"}),
        ),
    );
    // The tool may be known from elsewhere.
    let mut bound = called(
        Talk::stdio(MIDDLE),
        json!({"content": [], "structuredContent": {}}),
    );
    idles(rule, &bound);
    let tool = json!({"name": "a", "arguments": {}, "outputSchema": schema});
    bound.bindings.insert("tool_structured".to_owned(), tool);
    breaks(rule, &bound, "output schema");
}
