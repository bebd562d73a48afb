//! Smaller forms of steps: fewer of them, with less in each.

use serde_json::{Map, Value, json};

use super::closer;

/// Smaller forms of the steps of one action, those that save most first.
pub(super) fn candidates(steps: &[Value]) -> impl Iterator<Item = Vec<Value>> {
    let with = |place: usize, step: Value| {
        let mut other = steps.to_vec();
        other[place] = step;
        other
    };
    let bare = steps.iter().enumerate().flat_map(move |(place, step)| {
        let forms = bare(step).into_iter();
        forms.map(move |form| with(place, form))
    });
    let fewer = (0..steps.len()).rev().map(|place| {
        let mut other = steps.to_vec();
        other.remove(place);
        other
    });
    let smaller = steps.iter().enumerate().flat_map(move |(place, step)| {
        let forms = smaller_step(step).into_iter();
        forms.map(move |form| with(place, form))
    });
    let all = bare
        .chain(fewer.filter(|fewer| !fewer.is_empty()))
        .chain(smaller);
    all.filter(move |other| *other != steps)
        .take(CANDIDATES_MAX)
}

/// A step, apart: what it does, and with what.
fn apart(step: &Value) -> Option<(&String, &Map<String, Value>)> {
    let (kind, body) = step.as_object()?.iter().next()?;
    Some((kind, body.as_object()?))
}

/// What a step of this kind can go without.
fn optional(kind: &str) -> &'static [&'static str] {
    match kind {
        "http" => &[
            "json", "parts", "text", "base64", "headers", "delivery", "path",
        ],
        "open_stream" => &["headers", "last_event_id"],
        "request" => &["params"],
        _ => &[],
    }
}

/// A step with nothing that it can go without, and with one thing of that alone.
fn bare(step: &Value) -> Vec<Value> {
    let Some((kind, body)) = apart(step) else {
        return Vec::new();
    };
    let mut least = body.clone();
    least.retain(|name, _| !optional(kind).contains(&name.as_str()));
    let mut forms = vec![least.clone()];
    for (name, value) in body {
        if least.contains_key(name) {
            continue;
        }
        let alone = match value {
            Value::Object(members) if is_table(name) => members
                .iter()
                .map(|(key, value)| json!({key: value}))
                .collect(),
            _ => vec![value.clone()],
        };
        forms.extend(alone.into_iter().map(|value| {
            let mut form = least.clone();
            form.insert(name.clone(), value);
            form
        }));
    }
    forms.retain(|form| form.len() <= body.len() && form != body);
    forms.into_iter().map(|form| json!({kind: form})).collect()
}

fn smaller_step(step: &Value) -> Vec<Value> {
    let Some((kind, body)) = apart(step) else {
        return Vec::new();
    };
    let mut forms = Vec::new();
    for name in optional(kind) {
        let Some(value) = body.get(*name) else {
            continue;
        };
        let mut without = body.clone();
        without.shift_remove(*name);
        forms.push(without);
        let smaller = match value {
            Value::Object(members) if is_table(name) => smaller_table(members),
            // Parts have a notation of their own.
            _ if matches!(*name, "parts" | "base64") => Vec::new(),
            _ => smaller_value(value, 0),
        };
        forms.extend(smaller.into_iter().map(|value| {
            let mut form = body.clone();
            form.insert((*name).to_owned(), value);
            form
        }));
    }
    if kind == "http" && body.get("method") != Some(&json!("POST")) {
        let mut form = body.clone();
        form.insert("method".to_owned(), json!("POST"));
        forms.push(form);
    }
    forms.into_iter().map(|form| json!({kind: form})).collect()
}

/// Whether the members are names of HTTP, or of a delivery, not of a message.
fn is_table(name: &str) -> bool {
    matches!(name, "headers" | "delivery")
}

/// Without each of its members, with shorter values, and with shorter names.
fn smaller_table(members: &Map<String, Value>) -> Vec<Value> {
    let mut forms = Vec::new();
    for name in members.keys() {
        let mut without = members.clone();
        without.shift_remove(name);
        forms.push(Value::Object(without));
    }
    for (name, value) in members {
        let Value::String(text) = value else { continue };
        for shorter in shorter(text) {
            let mut form = members.clone();
            form.insert(name.clone(), json!(shorter));
            forms.push(Value::Object(form));
        }
        for length in [1, name.len() / 2] {
            let Some(short) = name.get(..length).filter(|it| !it.is_empty()) else {
                continue;
            };
            if length < name.len() && !members.contains_key(short) {
                let mut form = members.clone();
                form.shift_remove(name);
                form.insert(short.to_owned(), value.clone());
                forms.push(Value::Object(form));
            }
        }
    }
    forms
}

/// Smaller forms of a JSON value.
fn smaller_value(value: &Value, depth: usize) -> Vec<Value> {
    if depth > DEPTH_MAX {
        return vec![Value::Null];
    }
    match value {
        Value::Null => Vec::new(),
        Value::Bool(_) => vec![json!(0)],
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or(i64::MAX);
            let smaller = [0, 1, number / 2].into_iter();
            smaller
                .filter(|it| *it != number)
                .map(Value::from)
                .collect()
        }
        Value::String(text) => shorter(text).into_iter().map(Value::from).collect(),
        Value::Array(items) => {
            let parts: Vec<(String, &Value)> = items.iter().map(|it| (String::new(), it)).collect();
            let made = |parts: Vec<(String, Value)>| parts.into_iter().map(|(_, it)| it).collect();
            smaller_parts(&parts, &made, depth)
        }
        Value::Object(members) => {
            let parts: Vec<_> = members
                .iter()
                .map(|(name, it)| (name.clone(), it))
                .collect();
            let made = |parts: Vec<(String, Value)>| Value::Object(parts.into_iter().collect());
            smaller_parts(&parts, &made, depth)
        }
    }
}

/// Half of the parts, all but one, a nested one in place of all, and each part smaller.
fn smaller_parts(
    parts: &[(String, &Value)],
    made: &dyn Fn(Vec<(String, Value)>) -> Value,
    depth: usize,
) -> Vec<Value> {
    let owned = |of: &[(String, &Value)]| -> Vec<(String, Value)> {
        let owned = of.iter().map(|(name, it)| (name.clone(), (*it).clone()));
        owned.collect()
    };
    let mut forms = Vec::new();
    if parts.len() > 3 {
        let (first, last) = parts.split_at(parts.len() / 2);
        forms.extend([made(owned(first)), made(owned(last))]);
    }
    for place in 0..parts.len() {
        let mut fewer = owned(parts);
        fewer.remove(place);
        forms.push(made(fewer));
    }
    let nested = parts.iter().map(|(_, part)| *part);
    let nested = nested.filter(|part| depth > 0 && (part.is_array() || part.is_object()));
    forms.extend(nested.cloned());
    for (place, (_, part)) in parts.iter().enumerate() {
        for smaller in smaller_value(part, depth + 1) {
            let mut other = owned(parts);
            other[place].1 = smaller;
            forms.push(made(other));
        }
    }
    forms.truncate(CANDIDATES_MAX);
    forms
}

/// The beginnings of a text, its second half, and all but one of its characters where they are few.
fn shorter(text: &str) -> Vec<String> {
    // A reference stays whole.
    if text.is_empty() || text.contains("${") {
        return Vec::new();
    }
    let characters: Vec<char> = text.chars().collect();
    let mut forms = vec![String::new()];
    for length in closer(characters.len()) {
        forms.push(characters[..length].iter().collect());
    }
    forms.push(characters[characters.len() / 2..].iter().collect());
    if characters.len() <= CHARACTERS_FEW {
        for place in 0..characters.len() {
            let mut fewer = characters.clone();
            fewer.remove(place);
            forms.push(fewer.into_iter().collect());
        }
    }
    forms.retain(|form| form != text);
    forms.dedup();
    forms
}

/// Smaller forms that are tried at once.
const CANDIDATES_MAX: usize = 400;

/// Deeper values are not looked into.
const DEPTH_MAX: usize = 24;

/// Each character of a text that is no longer is tried alone.
const CHARACTERS_FEW: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_request_is_made_of_gets_smaller() {
        let steps = [
            json!({"barrier": {}}),
            json!({"http": {"method": "PUT", "as": "a", "path": "/x", "json": {"b": [1, "text", {"c": 1000}]},
                "headers": {"x-long": "v".repeat(9000), "other": null}, "delivery": {"chunked": true}}}),
        ];
        let all: Vec<Vec<Value>> = candidates(&steps).collect();
        let any = |wanted: Value| {
            let found = all.iter().any(|steps| steps.last() == Some(&wanted));
            assert!(found, "{wanted}");
        };
        let with = |name: &str, value: Value| {
            let mut step = steps[1].clone();
            step["http"][name] = value;
            step
        };
        let long = |length: usize| json!({"x-long": "v".repeat(length), "other": null});
        any(json!({"http": {"method": "PUT", "as": "a"}}));
        any(json!({"http": {"method": "PUT", "as": "a", "headers": {"x-long": "v".repeat(9000)}}}));
        any(with("headers", long(4500)));
        any(with("headers", long(8999)));
        any(with(
            "headers",
            json!({"other": null, "x": "v".repeat(9000)}),
        ));
        any(with("json", json!({})));
        any(with("json", json!({"b": [1, "text"]})));
        any(with("json", json!({"b": [1, "te", {"c": 1000}]})));
        any(with("json", json!({"b": [1, "text", {"c": 500}]})));
        any(with("json", json!({"b": {"c": 1000}})));
        any(with("path", json!("/")));
        any(with("method", json!("POST")));
        assert!(all.iter().any(|steps| steps.len() == 1));
        assert!(all.iter().all(|other| other != &steps));
    }

    #[test]
    fn a_reference_stays_whole() {
        assert!(shorter("a ${session} b").is_empty());
        assert!(!shorter("$session").is_empty());
    }
}
