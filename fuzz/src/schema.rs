//! Values judged by schemas: ours, and those that a target sends.

use std::sync::LazyLock;

use mcp_verdict_engine::schema::{Validator, Violation, foreign};
use mcp_verdict_vectors::schemas::definition_names;
use mcp_verdict_wire::{Revision, message::Lenient};
use serde_json::Value;

/// Any value by any definition: no panic, twice the same, and what is said points into the value. The first
/// two bytes choose revision and definition.
pub fn schema(bytes: &[u8]) {
    let [revision, definition, text @ ..] = bytes else {
        return;
    };
    let Ok(Lenient { value, .. }) = Lenient::parse(text) else {
        return;
    };
    let revision = Revision::ALL[usize::from(*revision) % Revision::ALL.len()];
    let names = definition_names(revision);
    let name = names[usize::from(*definition) % names.len()];
    let validator = Validator::of(revision);
    let found = validator.validate(name, &value).expect("it is defined");
    point_into(&found, &value);
    assert_eq!(validator.validate(name, &value), Ok(found));
    let found = validator.message(&value);
    point_into(&found, &value);
    assert_eq!(validator.message(&value), found);
    if let Some(method) = value.get("method").and_then(Value::as_str) {
        let result = validator.result(method, &value);
        assert_eq!(
            result.is_some(),
            validator.result_definition(method).is_some()
        );
    }
}

/// Any value by any schema of a target, a line each: refused with a reason, or judged, twice the same.
pub fn foreign_schema(bytes: &[u8]) {
    static DEFAULT: LazyLock<Value> = LazyLock::new(|| serde_json::json!({}));
    let mut lines = bytes.splitn(2, |&byte| byte == b'\n');
    let mut next = || lines.next().and_then(|line| Lenient::parse(line).ok());
    let Some(Lenient { value: schema, .. }) = next() else {
        return;
    };
    let value = next().map_or_else(|| DEFAULT.clone(), |text| text.value);
    match (foreign(&schema), foreign(&schema)) {
        (Ok(one), Ok(other)) => {
            let found = one.violations(&value);
            assert_eq!(other.violations(&value), found);
            if let Ok(found) = found {
                point_into(&found, &value);
            }
        }
        (Err(one), Err(other)) => assert_eq!(one, other),
        _ => panic!("it is a schema only sometimes"),
    }
}

fn point_into(violations: &[Violation], value: &Value) {
    for violation in violations {
        assert!(!violation.message.is_empty());
        // A pointer of many levels may be cut.
        let there = value.pointer(&violation.at).is_some();
        assert!(there || violation.at.contains('…'), "{violation:?}");
    }
}
