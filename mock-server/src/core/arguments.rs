//! Whether a value is what a JSON Schema asks for, as far as the schemas of this server go.
//!
//! Only our own schemas are ever read here, so a keyword that is not known is a keyword that none of
//! them uses; the tests hold both together.

use serde_json::{Map, Value};

/// Deepest nesting looked into; our schemas nest three deep.
const DEPTH_MAX: usize = 32;

/// Checks `value` against `schema`; the error says what is wrong and where.
pub(crate) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    check_at(schema, schema, value, "", DEPTH_MAX)
}

fn check_at(
    root: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<(), String> {
    let Value::Object(schema) = schema else {
        return Ok(());
    };
    let Some(depth) = depth.checked_sub(1) else {
        return Err(format!("{at}/: nested too deep"));
    };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return check_at(root, target.unwrap_or(&Value::Null), value, at, depth);
    }
    let place = if at.is_empty() { "/" } else { at };
    if let Some(name) = schema.get("type").and_then(Value::as_str)
        && !is_type(name, value)
    {
        return Err(format!("{place} must be of type {name}"));
    }
    if schema
        .get("const")
        .is_some_and(|constant| constant != value)
    {
        return Err(format!("{place} must be {}", schema["const"]));
    }
    let among = schema.get("enum").and_then(Value::as_array);
    if among.is_some_and(|among| !among.contains(value)) {
        return Err(format!("{place} must be one of {}", schema["enum"]));
    }
    check_range(schema, value, place)?;
    check_members(root, schema, value, at, depth)?;
    check_items(root, schema, value, at, depth)?;
    check_composition(root, schema, value, at, depth)
}

fn is_type(name: &str, value: &Value) -> bool {
    match name {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "object" => value.is_object(),
        _ => value.is_string(),
    }
}

fn check_range(schema: &Map<String, Value>, value: &Value, place: &str) -> Result<(), String> {
    let Some(number) = value.as_f64() else {
        return Ok(());
    };
    let bound = |name: &str| schema.get(name).and_then(Value::as_f64);
    if bound("minimum").is_some_and(|minimum| number < minimum) {
        return Err(format!("{place} must not be below {}", schema["minimum"]));
    }
    if bound("maximum").is_some_and(|maximum| number > maximum) {
        return Err(format!("{place} must not be above {}", schema["maximum"]));
    }
    Ok(())
}

fn check_members(
    root: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<(), String> {
    let Value::Object(members) = value else {
        return Ok(());
    };
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    for name in required.filter_map(Value::as_str) {
        if !members.contains_key(name) {
            return Err(format!("{at}/{name} is missing"));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, member) in members {
        match properties.and_then(|properties| properties.get(name)) {
            Some(property) => check_at(root, property, member, &format!("{at}/{name}"), depth)?,
            None if closed => return Err(format!("{at}/{name} is not known")),
            None => {}
        }
    }
    Ok(())
}

fn check_items(
    root: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<(), String> {
    let (Some(items), Value::Array(values)) = (schema.get("items"), value) else {
        return Ok(());
    };
    for (index, value) in values.iter().enumerate() {
        check_at(root, items, value, &format!("{at}/{index}"), depth)?;
    }
    Ok(())
}

fn check_composition(
    root: &Value,
    schema: &Map<String, Value>,
    value: &Value,
    at: &str,
    depth: usize,
) -> Result<(), String> {
    let holds = |schema: &Value| check_at(root, schema, value, at, depth);
    for part in schema
        .get("allOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        holds(part)?;
    }
    for keyword in ["anyOf", "oneOf"] {
        let Some(parts) = schema.get(keyword).and_then(Value::as_array) else {
            continue;
        };
        let matching = parts.iter().filter(|part| holds(part).is_ok()).count();
        if matching == 0 || (keyword == "oneOf" && matching > 1) {
            return Err(format!("{at}/ fits {matching} of the parts of {keyword}"));
        }
    }
    if let Some(condition) = schema.get("if") {
        let branch = if holds(condition).is_ok() {
            "then"
        } else {
            "else"
        };
        schema.get(branch).map_or(Ok(()), holds)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_accepted_and_what_does_not_is_named() {
        let schema = json!({
            "type": "object",
            "$defs": {"age": {"type": "integer", "minimum": 0}},
            "properties": {
                "name": {"type": "string"},
                "age": {"$ref": "#/$defs/age"},
                "tags": {"type": "array", "items": {"enum": ["a", "b"]}},
            },
            "required": ["name"],
            "additionalProperties": false,
            "if": {"required": ["age"]},
            "then": {"required": ["tags"]},
        });
        assert_eq!(check(&schema, &json!({"name": "x"})), Ok(()));
        assert_eq!(
            check(&schema, &json!({"name": "x", "age": 3, "tags": ["a"]})),
            Ok(())
        );
        for (value, place) in [
            (json!([]), "/ must"),
            (json!({}), "/name is missing"),
            (json!({"name": 1}), "/name must"),
            (json!({"name": "x", "other": 1}), "/other is not known"),
            (json!({"name": "x", "age": -1, "tags": []}), "/age must not"),
            (json!({"name": "x", "age": 1.5, "tags": []}), "/age must be"),
            (json!({"name": "x", "tags": ["a", "c"]}), "/tags/1 must"),
            (json!({"name": "x", "age": 1}), "/tags is missing"),
        ] {
            let error = check(&schema, &value).unwrap_err();
            assert!(error.starts_with(place), "{value}: {error}");
        }
    }
}
