//! Every operator of the pattern language, both ways.

use mcp_verdict_vectors::{Mismatch, Schemas, matcher::brief, matches};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Knows one definition, and schemas that demand a type.
struct Few;

impl Schemas for Few {
    fn definition(&self, name: &str, instance: &Value) -> Result<(), String> {
        match name {
            "Tool" if instance.get("name").is_some() => Ok(()),
            "Tool" => Err("`name` is missing".to_owned()),
            _ => Err(format!("there is no definition `{name}`")),
        }
    }

    fn conforms(&self, schema: &Value, instance: &Value) -> Result<(), String> {
        if schema["type"] == "object" && !instance.is_object() {
            return Err("no object".to_owned());
        }
        Ok(())
    }
}

fn check(pattern: &Value, value: &Value) -> Result<(), Mismatch> {
    matches(pattern, Some(value), &Few)
}

#[track_caller]
fn holds(pattern: Value, value: Value) {
    if let Err(mismatch) = check(&pattern, &value) {
        panic!("{pattern} against {value}: {mismatch}");
    }
}

#[track_caller]
fn fails_at(pattern: Value, value: Value, at: &str) {
    match check(&pattern, &value) {
        Ok(()) => panic!("{pattern} matches {value}"),
        Err(mismatch) => assert_eq!(mismatch.at, at, "{mismatch}"),
    }
}

/// A value as it is spelled, which `json!` would not keep.
fn spelled(text: &str) -> Value {
    serde_json::from_str(text).expect("the text is JSON")
}

#[test]
fn an_object_may_have_more_members_than_its_pattern() {
    holds(json!({"a": 1}), json!({"a": 1, "b": 2}));
    holds(json!({}), json!({"a": 1}));
    fails_at(json!({"a": {"b": 1}}), json!({"a": {"c": 1}}), "/a/b");
    fails_at(json!({"a": 1}), json!([1]), "");
}

#[test]
fn an_array_is_as_long_as_its_pattern() {
    holds(json!([1, {"a": 1}]), json!([1, {"a": 1, "b": 2}]));
    fails_at(json!([1]), json!([1, 2]), "");
    fails_at(json!([1, 2]), json!([1, 3]), "/1");
}

#[test]
fn numbers_are_equal_by_value() {
    holds(json!(1), spelled("1.0"));
    holds(json!(100), spelled("1e2"));
    holds(
        spelled("123456789012345678901"),
        spelled("123456789012345678901.0"),
    );
    fails_at(spelled("9007199254740993"), spelled("9007199254740992"), "");
    fails_at(json!(1), json!("1"), "");
    fails_at(json!(0), json!(false), "");
    fails_at(json!(null), json!(0), "");
}

#[test]
fn a_mismatch_says_where_and_what() {
    let mismatch = check(&json!({"a": [{"x/y": 1}]}), &json!({"a": [{"x/y": "no"}]})).unwrap_err();
    assert_eq!(mismatch.to_string(), "/a/0/x~1y: expected 1, got \"no\"");
    let mismatch = matches(&json!({"a": 1}), None, &Few).unwrap_err();
    assert_eq!(
        mismatch.to_string(),
        "the value: expected {\"a\":1}, got nothing"
    );
}

#[test]
fn any_and_absent() {
    holds(json!({"a": {"$any": true}}), json!({"a": null}));
    fails_at(json!({"a": {"$any": true}}), json!({}), "/a");
    holds(json!({"a": {"$absent": true}}), json!({}));
    fails_at(json!({"a": {"$absent": true}}), json!({"a": null}), "/a");
    assert!(matches(&json!({"$absent": true}), None, &Few).is_ok());
}

#[test]
fn types() {
    for (name, value) in [
        ("null", "null"),
        ("boolean", "false"),
        ("integer", "7"),
        ("integer", "7.0"),
        ("integer", "123456789012345678901234567890"),
        ("number", "7.5"),
        ("string", "\"\""),
        ("array", "[]"),
        ("object", "{}"),
    ] {
        holds(json!({"$type": name}), spelled(value));
        holds(json!({"$type": ["null", name]}), spelled(value));
    }
    fails_at(json!({"$type": "integer"}), spelled("7.5"), "");
    fails_at(json!({"$type": ["string", "integer"]}), json!(null), "");
    fails_at(json!({"a": {"$type": "string"}}), json!({}), "/a");
}

#[test]
fn one_of_all_of_and_not() {
    holds(json!({"$one_of": [1, 2]}), json!(2));
    fails_at(json!({"$one_of": [1, 2]}), json!(3), "");
    holds(json!({"a": {"$one_of": [{"$absent": true}, 1]}}), json!({}));
    holds(
        json!({"$all_of": [{"a": 1}, {"b": 2}]}),
        json!({"a": 1, "b": 2}),
    );
    fails_at(
        json!({"$all_of": [{"a": 1}, {"b": 2}]}),
        json!({"a": 1, "b": 3}),
        "/b",
    );
    holds(json!({"$not": {"a": 1}}), json!({"a": 2}));
    fails_at(
        json!({"x": {"$not": {"a": 1}}}),
        json!({"x": {"a": 1}}),
        "/x",
    );
    holds(json!({"isError": {"$not": true}}), json!({}));
}

#[test]
fn regular_expressions_search() {
    holds(json!({"$regex": "b+"}), json!("abbc"));
    fails_at(json!({"$regex": "^b"}), json!("abbc"), "");
    fails_at(json!({"$regex": "1"}), json!(1), "");
}

#[test]
fn comparisons() {
    holds(json!({"$gt": 1}), spelled("1.0000000000000000000001"));
    fails_at(json!({"$gt": 1}), json!(1), "");
    holds(json!({"$gte": 1}), json!(1));
    fails_at(json!({"$gte": 1}), spelled("0.9"), "");
    holds(json!({"$lt": 0}), json!(-1));
    fails_at(json!({"$lt": 0}), json!(0), "");
    holds(json!({"$lte": 0}), spelled("-0.0"));
    fails_at(json!({"$lte": 0}), json!("0"), "");
}

#[test]
fn lengths() {
    holds(json!({"$length": 2}), json!([1, 2]));
    holds(json!({"$length": {"$gte": 1}}), json!({"a": 1}));
    holds(json!({"$length": 2}), json!("é€"));
    fails_at(
        json!({"a": {"$length": {"$gt": 2}}}),
        json!({"a": [1, 2]}),
        "/a",
    );
    fails_at(json!({"$length": 0}), json!(0), "");
}

#[test]
fn contains_and_each() {
    holds(
        json!({"$contains": {"a": 1}}),
        json!([{"a": 2}, {"a": 1, "b": 1}]),
    );
    fails_at(json!({"$contains": 3}), json!([1, 2]), "");
    fails_at(json!({"$contains": 3}), json!({"a": 3}), "");
    holds(json!({"$each": {"$type": "string"}}), json!([]));
    fails_at(
        json!({"a": {"$each": {"n": 1}}}),
        json!({"a": [{"n": 1}, {"n": 2}]}),
        "/a/1/n",
    );
    fails_at(json!({"$each": 1}), json!(1), "");
}

#[test]
fn unique_and_increasing() {
    holds(
        json!({"$unique": "/name"}),
        json!([{"name": "a"}, {"name": "b"}, {}, {}]),
    );
    fails_at(
        json!({"$unique": "/name"}),
        json!([{"name": "a"}, {"name": "a"}]),
        "/1/name",
    );
    fails_at(
        json!({"$unique": ""}),
        json!([{"a": 1, "b": [2]}, {"b": [spelled("2.0")], "a": 1}]),
        "/1",
    );
    fails_at(json!({"$unique": ""}), json!({}), "");
    let progress = |numbers: &[&str]| {
        Value::Array(
            numbers
                .iter()
                .map(|number| json!({"p": spelled(number)}))
                .collect(),
        )
    };
    holds(json!({"$increasing": "/p"}), progress(&["0", "0.5", "1e1"]));
    holds(json!({"$increasing": "/p"}), json!([]));
    fails_at(
        json!({"$increasing": "/p"}),
        progress(&["1", "1.0"]),
        "/1/p",
    );
    fails_at(json!({"$increasing": "/p"}), progress(&["2", "1"]), "/1/p");
    fails_at(json!({"$increasing": "/p"}), json!([{"p": "1"}]), "/0/p");
    fails_at(json!({"$increasing": "/p"}), json!([{}]), "/0/p");
}

#[test]
fn exactly_allows_nothing_more_and_nothing_else() {
    holds(
        json!({"$exactly": {"a": [1], "b": 2}}),
        json!({"b": 2, "a": [1]}),
    );
    fails_at(json!({"$exactly": {"a": 1}}), json!({"a": 1, "b": 2}), "");
    fails_at(json!({"$exactly": {"a": 1}}), spelled("{\"a\": 1.0}"), "");
    holds(json!({"$exactly": {"$any": true}}), json!({"$any": true}));
    fails_at(json!({"$exactly": {"$any": true}}), json!({"a": 1}), "");
}

#[test]
fn texts_that_hold_something() {
    holds(json!({"$json": {"a": 1}}), json!("{\"a\": 1, \"b\": 2}"));
    fails_at(json!({"$json": {"a": 1}}), json!("{"), "");
    fails_at(json!({"$json": 1}), json!(1), "");
    holds(json!({"$base64": true}), json!("TQ=="));
    fails_at(json!({"$base64": true}), json!("T"), "");
    holds(json!({"$uri": true}), json!("test://a"));
    fails_at(json!({"$uri": true}), json!("a/b"), "");
}

#[test]
fn schemas_are_asked() {
    holds(json!({"$definition": "Tool"}), json!({"name": "a"}));
    fails_at(
        json!({"t": {"$definition": "Tool"}}),
        json!({"t": {}}),
        "/t",
    );
    fails_at(json!({"$definition": "Tol"}), json!({"name": "a"}), "");
    holds(json!({"$conforms_to": {"type": "object"}}), json!({}));
    fails_at(json!({"$conforms_to": {"type": "object"}}), json!([]), "");
}

#[test]
fn an_unknown_operator_matches_nothing() {
    fails_at(json!({"$frobnicate": 1}), json!(1), "");
    fails_at(json!({"$frobnicate": 1}), json!({"$frobnicate": 1}), "");
}

#[test]
fn deep_nesting_ends_in_a_mismatch() {
    // Built by hand, since no reader would take it.
    let nested = |mut value: Value, levels| {
        for _ in 0..levels {
            value = Value::Array(vec![value]);
        }
        value
    };
    let (pattern, value) = (nested(json!(1), 400), nested(json!(1), 400));
    assert!(check(&pattern, &value).is_err());
    assert!(check(&json!({"$exactly": pattern}), &value).is_err());
    holds(nested(json!(1), 100), nested(json!(1), 100));
}

#[test]
fn a_huge_value_is_cut_for_display() {
    let huge = json!({"a": "é".repeat(100_000)});
    let brief = brief(&huge);
    assert!(brief.len() < 300, "{}", brief.len());
    assert!(
        brief.starts_with("{\"a\":\"éé") && brief.ends_with("é…"),
        "{brief}"
    );
}

/// Any JSON value of modest size.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9_f64).prop_map(Value::from),
        "[$a-c]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]{1,2}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_value_matches_itself(value in any_json()) {
        prop_assert_eq!(check(&value, &value), Ok(()));
        prop_assert_eq!(check(&json!({"$exactly": value.clone()}), &value), Ok(()));
    }

    #[test]
    fn a_pattern_and_its_negation_never_agree(pattern in any_json(), value in any_json()) {
        let plain = check(&pattern, &value).is_ok();
        prop_assert_eq!(check(&json!({"$not": pattern.clone()}), &value).is_err(), plain);
        prop_assert_eq!(check(&json!({"$one_of": [pattern]}), &value).is_ok(), plain);
    }

    #[test]
    fn exactly_is_equality_in_both_directions(one in any_json(), other in any_json()) {
        let there = check(&json!({"$exactly": one.clone()}), &other).is_ok();
        let back = check(&json!({"$exactly": other}), &one).is_ok();
        prop_assert_eq!(there, back);
    }
}
