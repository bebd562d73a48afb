//! Tests of the validators.

use serde_json::json;

use super::*;

fn violations(revision: Revision, definition: &str, instance: &Value) -> Vec<String> {
    let found = Validator::of(revision)
        .validate(definition, instance)
        .expect("a known definition");
    found.iter().map(ToString::to_string).collect()
}

fn message(revision: Revision, instance: &Value) -> Vec<String> {
    Validator::of(revision)
        .message(instance)
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn problems(schema: &Value, instance: &Value) -> Vec<String> {
    let schema = foreign(schema).expect("a usable schema");
    schema
        .violations(instance)
        .expect("little work")
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn every_definition_of_every_revision_compiles() {
    for revision in Revision::ALL {
        for name in schemas::definition_names(revision) {
            let found = Validator::of(revision).validate(name, &json!([[]]));
            assert!(found.is_ok(), "{name} in {revision}");
        }
    }
}

#[test]
fn a_tool_is_judged_by_the_revision() {
    let tool = json!({"name": "a", "inputSchema": {"type": "object"}, "annotations": 5});
    assert_eq!(
        violations(Revision::V2024_11_05, "Tool", &tool),
        Vec::<String>::new()
    );
    let found = violations(Revision::V2025_03_26, "Tool", &tool);
    assert_eq!(found, ["/annotations: expected object, found a number"]);
    let tool =
        json!({"name": "a", "inputSchema": {"type": "object"}, "outputSchema": {"type": "string"}});
    assert!(violations(Revision::V2026_07_28, "Tool", &tool).is_empty());
    let found = violations(Revision::V2025_11_25, "Tool", &tool);
    assert_eq!(
        found,
        [r#"/outputSchema/type: expected "object", found "string""#]
    );
}

#[test]
fn an_alternative_is_explained_by_what_the_value_means_to_be() {
    let result = json!({"content": [{"type": "text"}, {"type": "video", "data": ""}, 7]});
    let found = violations(Revision::V2025_11_25, "CallToolResult", &result);
    assert_eq!(
        found,
        [
            "/content/0: member `text` is missing",
            r#"/content/1: `type` is "video", expected one of "text", "image", "audio", "resource_link", "resource""#,
            "/content/2: expected object, found a number",
        ]
    );
    let found = violations(Revision::V2025_11_25, "RequestId", &json!(1.5));
    assert_eq!(found, ["expected integer or string, found a number"]);
}

#[test]
fn integers_are_numbers_without_a_fraction_however_they_are_written() {
    let valid = |text: &str| {
        let value = serde_json::from_str(text).expect("JSON");
        violations(Revision::V2025_11_25, "RequestId", &value).is_empty()
    };
    for text in [
        "0",
        "-7",
        "1.0",
        "1e3",
        "9007199254740993",
        "123456789012345678901234567890",
        "\"a\"",
        "1e300",
    ] {
        assert!(valid(text), "{text}");
    }
    for text in ["1.5", "null", "true", "[1]", "1e-1", "{}"] {
        assert!(!valid(text), "{text}");
    }
}

#[test]
fn an_unknown_definition_is_an_error_with_a_suggestion() {
    let error = Validator::of(Revision::V2024_11_05)
        .validate("ListToolResult", &json!({}))
        .expect_err("unknown");
    assert!(error.closest.contains(&"ListToolsResult"));
    assert!(
        error
            .to_string()
            .contains("unknown definition `ListToolResult` in revision 2024-11-05; did you mean `")
    );
}

#[test]
fn a_message_is_judged_by_its_method_too() {
    for revision in Revision::ALL {
        assert!(
            message(
                revision,
                &json!({"jsonrpc": "2.0", "id": 1, "method": "no/such", "params": {}})
            )
            .is_empty()
        );
        let found = message(
            revision,
            &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"_meta": {}}}),
        );
        assert!(
            found.contains(&"/params: member `name` is missing".to_owned()),
            "{found:?}"
        );
        let found = message(
            revision,
            &json!({"jsonrpc": "2.0", "id": null, "method": "tools/list"}),
        );
        assert!(
            found.contains(&"/id: expected integer or string, found null".to_owned()),
            "{found:?}"
        );
        let found = message(
            revision,
            &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}),
        );
        assert!(
            found.contains(&"/params: member `progress` is missing".to_owned()),
            "{found:?}"
        );
        let found = message(
            revision,
            &json!({"jsonrpc": "1.0", "id": 1, "result": {"resultType": "complete"}}),
        );
        assert_eq!(found, [r#"/jsonrpc: expected "2.0", found "1.0""#]);
        let found = message(
            revision,
            &json!({"jsonrpc": "2.0", "id": 1, "error": {"code": 1.5}}),
        );
        assert_eq!(
            found,
            [
                "/error: member `message` is missing",
                "/error/code: expected integer, found a number"
            ]
        );
        assert!(!message(revision, &json!({"jsonrpc": "2.0", "id": 1})).is_empty());
        assert_eq!(
            message(revision, &json!("text")),
            ["expected an object, found a string"]
        );
    }
}

#[test]
fn an_error_without_an_id_is_a_message_since_2025_11_25() {
    let error = json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "no JSON"}});
    let valid = Revision::ALL.map(|revision| message(revision, &error).is_empty());
    assert_eq!(valid, [false, false, false, true, true]);
}

#[test]
fn only_one_revision_has_batches() {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let valid = Revision::ALL.map(|revision| message(revision, &json!([call, call])).is_empty());
    assert_eq!(valid, [false, true, false, false, false]);
    let batch = Revision::V2025_03_26;
    assert_eq!(
        message(batch, &json!([call, answer])),
        ["a batch holds either calls or answers, not both"]
    );
    assert_eq!(
        message(batch, &json!([call, [call]])),
        ["/1: expected an object, found an array"]
    );
    assert_eq!(
        message(
            batch,
            &json!([answer, {"jsonrpc": "2.0", "id": 1, "result": 5}])
        ),
        ["/1/result: expected object, found a number"]
    );
}

#[test]
fn a_result_is_judged_by_what_it_means_to_be() {
    let modern = Validator::of(Revision::V2026_07_28);
    let found = |result: Value| {
        modern
            .result("tools/call", &result)
            .expect("a request")
            .len()
    };
    assert_eq!(
        found(json!({"resultType": "input_required", "requestState": "x"})),
        0
    );
    assert_eq!(found(json!({"resultType": "complete", "content": []})), 0);
    assert_eq!(
        found(json!({"resultType": "complete"})),
        1,
        "content is missing"
    );
    let tasks = Validator::of(Revision::V2025_11_25);
    let found = tasks
        .result("tools/call", &json!({"task": {}}))
        .expect("a request");
    assert!(found.iter().any(|violation| violation.at == "/task"));
    assert_eq!(tasks.result("notifications/progress", &json!({})), None);
    assert_eq!(tasks.result("no/such", &json!({})), None);
}

#[test]
fn methods_lead_to_their_definitions() {
    for revision in Revision::ALL {
        let validator = Validator::of(revision);
        for method in schemas::methods(revision) {
            let all = method
                .results
                .iter()
                .copied()
                .chain(method.params)
                .chain([method.definition]);
            all.for_each(|name| assert!(validator.defines(name), "{name} in {revision}"));
        }
        assert_eq!(
            validator.result_definition("tools/list"),
            Some("ListToolsResult")
        );
        assert_eq!(
            validator.request_definition("tools/list"),
            Some("ListToolsRequest")
        );
        assert_eq!(validator.notification_definition("tools/list"), None);
        assert_eq!(
            validator.notification_definition("notifications/progress"),
            Some("ProgressNotification")
        );
    }
    let params = Validator::of(Revision::V2025_11_25).params_definition("tools/call");
    assert_eq!(params, Some("CallToolRequestParams"));
}

#[test]
fn a_huge_or_deep_value_is_judged_in_bounded_memory() {
    let huge = json!({"content": vec![json!(1); 300_000]});
    let found = violations(Revision::V2025_11_25, "CallToolResult", &huge);
    assert_eq!(found, ["is no CallToolResult; it is too big to say where"]);
    let many = json!({"content": vec![json!(1); 1000]});
    assert_eq!(
        violations(Revision::V2025_11_25, "CallToolResult", &many).len(),
        explain::VIOLATIONS_MAX
    );
    let deep = (0..120).fold(json!(null), |inner, _| json!({"a": inner}));
    assert!(!violations(Revision::V2026_07_28, "JSONValue", &deep).is_empty());
    let long = json!({"jsonrpc": "x".repeat(100_000)});
    assert!(
        message(Revision::V2025_11_25, &long)
            .iter()
            .all(|text| text.len() < 1000)
    );
}

#[test]
fn a_foreign_schema_judges_values() {
    let schema = json!({
        "type": "object",
        "required": ["city"],
        "properties": {
            "city": {"type": "string", "minLength": 1, "pattern": "^[A-Z]"},
            "days": {"type": "integer", "minimum": 1},
            "next": {"$ref": "#"},
            "unit": {"$ref": "#/$defs/unit%20name"},
        },
        "additionalProperties": false,
        "$defs": {"unit name": {"enum": ["c", "f"]}},
    });
    assert!(
        problems(
            &schema,
            &json!({"city": "Bern", "days": 1, "next": {"city": "Ulm", "unit": "c"}})
        )
        .is_empty()
    );
    let found = problems(
        &schema,
        &json!({"days": 0, "unit": "k", "next": {"city": "ulm"}, "more": 1}),
    );
    assert_eq!(
        found,
        [
            "has members that are not allowed: `more`",
            "member `city` is missing",
            "/days: expected at least 1, found 0",
            r#"/next/city: "ulm" does not match ^[A-Z]"#,
            r#"/unit: expected one of "c", "f"; found "k""#,
        ]
    );
    assert!(
        problems(
            &json!({"format": "uri", "type": "string"}),
            &json!("no uri")
        )
        .is_empty()
    );
    assert!(problems(&json!(true), &json!(1)).is_empty());
}

#[test]
fn a_foreign_schema_is_read_in_its_dialect() {
    let tuple = |dialect: &str| json!({"$schema": dialect, "items": [{"type": "string"}]});
    let draft7 =
        foreign(&tuple("http://json-schema.org/draft-07/schema#")).expect("valid in draft-07");
    assert!(
        !draft7
            .violations(&json!([1]))
            .expect("little work")
            .is_empty()
    );
    let newest = foreign(&tuple("https://json-schema.org/draft/2020-12/schema"));
    assert!(
        matches!(newest, Err(ForeignError::Invalid(_))),
        "{newest:?}"
    );
    let other = foreign(&tuple("https://example.com/dialect"));
    assert!(matches!(other, Err(ForeignError::Dialect(_))), "{other:?}");
}

#[test]
fn a_foreign_schema_that_is_none_is_invalid() {
    let schemas = [
        json!({"type": 5}),
        json!("object"),
        json!(null),
        json!({"required": "a"}),
    ];
    for schema in schemas {
        let found = foreign(&schema);
        assert!(
            matches!(found, Err(ForeignError::Invalid(_))),
            "{schema}: {found:?}"
        );
    }
}

#[test]
fn a_regular_expression_that_is_not_understood_is_not_held_against_the_target() {
    for pattern in ["(", "^(a{1000}){1000}$", "\\p{Script=NoSuch}"] {
        let schema = json!({"pattern": pattern});
        let found = foreign(&schema);
        assert!(
            matches!(found, Err(ForeignError::Unsupported(_))),
            "{schema}: {found:?}"
        );
    }
}

#[test]
fn a_foreign_schema_never_leads_outside() {
    for reference in [
        "https://example.com/a.json",
        "other.json",
        "#/no/such",
        "#nowhere",
        "file:///etc/passwd",
        "#/%ff",
    ] {
        let found = foreign(&json!({"properties": {"a": {"$ref": reference}}}));
        assert!(
            matches!(found, Err(ForeignError::Reference(_))),
            "{reference}: {found:?}"
        );
    }
    let metaschema =
        json!({"properties": {"a": {"$ref": "https://json-schema.org/draft/2020-12/schema"}}});
    assert!(problems(&metaschema, &json!({"a": {"type": "object"}})).is_empty());
    assert!(!problems(&metaschema, &json!({"a": {"type": 5}})).is_empty());
    let anchored = json!({"$ref": "#here", "$defs": {"x": {"$anchor": "here", "type": "string"}}});
    assert_eq!(problems(&anchored, &json!(1)).len(), 1);
}

#[test]
fn a_foreign_schema_that_applies_itself_to_the_same_value_is_refused() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"allOf": [{"$ref": "#"}]}),
        json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
        chain(1000, |next| json!({"$ref": next})),
    ] {
        assert_eq!(foreign(&schema).err(), Some(ForeignError::Recursion));
    }
}

#[test]
fn a_foreign_schema_that_multiplies_work_leaves_a_value_undecided() {
    let doubling = chain(
        25,
        |next| json!({"allOf": [{"$ref": next}, {"$ref": next}]}),
    );
    let schema = foreign(&doubling).expect("small in itself");
    assert_eq!(schema.violations(&json!(1)), Err(Undecided));
    let recursive =
        json!({"type": "object", "properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}});
    let schema = foreign(&recursive).expect("small in itself");
    let nested = |levels| (0..levels).fold(json!({}), |inner, _| json!({"a": inner}));
    assert_eq!(schema.violations(&nested(5)), Ok(Vec::new()));
    assert_eq!(schema.violations(&nested(100)), Err(Undecided));
}

#[test]
fn honest_recursion_is_no_multiplied_work() {
    let json_value = json!({
        "$ref": "#/$defs/value",
        "$defs": {"value": {"anyOf": [
            {"type": ["string", "number", "boolean", "null"]},
            {"type": "array", "items": {"$ref": "#/$defs/value"}},
            {"type": "object", "additionalProperties": {"$ref": "#/$defs/value"}},
        ]}},
    });
    let deep = (0..100).fold(json!(1), |inner, _| json!({"a": [inner]}));
    assert!(problems(&json_value, &deep).is_empty());
    let tree =
        json!({"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
    let deep = (0..60).fold(json!({}), |inner, _| json!({"left": inner, "right": {}}));
    assert!(problems(&tree, &deep).is_empty());
}

#[test]
fn a_long_or_deep_foreign_schema_ends_neither_stack_nor_memory() {
    let properties = (0..30_000)
        .map(|index| (format!("p{index}"), json!({})))
        .collect::<Map<_, _>>();
    assert_eq!(
        foreign(&json!({"properties": properties})).err(),
        Some(ForeignError::Size)
    );
    let long = chain(3000, |next| json!({"properties": {"a": {"$ref": next}}}));
    let schema = foreign(&long).expect("long, and only as deep as the value");
    let deep = (0..120).fold(json!(1), |inner, _| json!({"a": inner}));
    assert_eq!(schema.violations(&deep), Ok(Vec::new()));
    let nested = (0..60).fold(
        json!({"type": "string"}),
        |inner, _| json!({"properties": {"a": inner}}),
    );
    let found = foreign(&nested)
        .expect("valid")
        .violations(&deep)
        .expect("little work");
    assert_eq!(found.len(), 1);
}

#[test]
fn a_regular_expression_cannot_run_for_long() {
    let many = |text: &str, count: usize| json!(vec![json!(text); count]);
    let long = "a".repeat(40) + "b";
    let started = std::time::Instant::now();
    for pattern in [
        "^(a|a)*\\1$",
        "^(?=(a+)+$)(a+)+$",
        "^(a+)+$",
        "^(?:(a+)(?!c))+$",
    ] {
        let schema = foreign(&json!({"items": {"pattern": pattern}})).expect("valid");
        let _whatever_it_finds = schema.violations(&many(&long, 1000));
        let _whatever_it_finds = schema.violations(&many(&long.repeat(1000), 1));
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
    let schema = foreign(&json!({"items": {"pattern": "^(a)(?!c)\\1$"}})).expect("valid");
    assert_eq!(schema.violations(&many("a", 10_000)), Err(Undecided));
    let schema = foreign(&json!({"items": {"pattern": "^a$"}})).expect("valid");
    assert_eq!(schema.violations(&many("a", 10_000)), Ok(Vec::new()));
}

#[test]
fn a_match_that_is_not_carried_to_its_end_decides_nothing() {
    let never = "^(?:(a)\\1|a(?!c))*$";
    let value = json!("a".repeat(60) + "b");
    for schema in [
        json!({"pattern": never}),
        json!({"anyOf": [{"pattern": never}, {"type": "null"}]}),
        json!({"oneOf": [{"pattern": never}, {"type": "null"}]}),
    ] {
        let found = foreign(&schema).expect("valid").violations(&value);
        assert_eq!(found, Err(Undecided), "{schema}");
    }
    let schema = foreign(&json!({"pattern": "^a(?=c)"})).expect("valid");
    assert_eq!(schema.violations(&value).expect("a short match").len(), 1);
}

/// A schema of definitions, each of which refers to the next.
fn chain(length: usize, link: impl Fn(String) -> Value) -> Value {
    let links =
        (0..length).map(|index| (format!("d{index}"), link(format!("#/$defs/d{}", index + 1))));
    let definitions = links
        .chain([(format!("d{length}"), json!({}))])
        .collect::<Map<_, _>>();
    json!({"$ref": "#/$defs/d0", "$defs": definitions})
}
