//! `${name.path}` in the strings of a step or a pattern, replaced by what is known.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A reference to something that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing is known as `${{{name}}}`")]
pub struct Unbound {
    /// The reference, without `${` and `}`.
    pub name: String,
}

/// Replaces every reference in a value. A string that is nothing but one reference becomes the value
/// itself; within a longer string, and in a member's name, a value that is no string is written as
/// JSON. `$${` stands for `${`.
///
/// # Errors
///
/// If a reference leads nowhere.
pub fn substitute(value: &Value, known: &BTreeMap<String, Value>) -> Result<Value, Unbound> {
    replace(value, known, Place::Data)
}

/// Replaces every reference in a pattern: like [`substitute`], but a list or object that takes the
/// place of a pattern is to be compared as it is, so that no `$any` in what a peer sent can act as an
/// operator.
///
/// # Errors
///
/// If a reference leads nowhere.
pub fn substitute_pattern(
    value: &Value,
    known: &BTreeMap<String, Value>,
) -> Result<Value, Unbound> {
    replace(value, known, Place::Pattern)
}

/// Every reference in a value, without `${` and `}`, in order and as often as it is there.
#[must_use]
pub fn references(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

/// The references in one text.
pub(crate) fn references_in(text: &str) -> Vec<String> {
    parts(text)
        .into_iter()
        .filter_map(|part| match part {
            Part::Reference(name) => Some(name.to_owned()),
            Part::Text(_) => None,
        })
        .collect()
}

/// A piece of `${…` that is no reference, as a mistake in a file.
pub(crate) fn malformed(text: &str) -> Option<&str> {
    parts(text).into_iter().find_map(|part| match part {
        // Read on from a `${` that no reference took and no `$` before it escapes.
        Part::Text(piece) if piece.starts_with("${") => Some(piece),
        _ => None,
    })
}

/// The name that a reference starts with: a fixture, a captured value.
#[must_use]
pub fn root_of(reference: &str) -> &str {
    reference.split('.').next().unwrap_or(reference)
}

/// Whether a value stands where a pattern is read, or where data is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Data,
    Pattern,
}

/// A piece of a string.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Reference(&'a str),
    Text(&'a str),
}

fn replace(value: &Value, known: &BTreeMap<String, Value>, place: Place) -> Result<Value, Unbound> {
    Ok(match value {
        Value::String(text) => match (parts(text).as_slice(), place) {
            ([Part::Reference(name)], Place::Data) => look_up(name, known)?.clone(),
            ([Part::Reference(name)], Place::Pattern) => as_pattern(look_up(name, known)?),
            _ => Value::String(fill(text, known)?),
        },
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| replace(item, known, place))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(members) => {
            let mut replaced = Map::new();
            for (key, member) in members {
                let below = if place == Place::Pattern && takes_data(members, key) {
                    Place::Data
                } else {
                    place
                };
                replaced.insert(fill(key, known)?, replace(member, known, below)?);
            }
            Value::Object(replaced)
        }
        other => other.clone(),
    })
}

/// Whether this member is an operator whose argument is data rather than a pattern.
fn takes_data(members: &Map<String, Value>, key: &str) -> bool {
    members.len() == 1 && matches!(key, "$exactly" | "$conforms_to" | "$definition" | "$regex")
}

/// A known value as a pattern that matches it.
fn as_pattern(value: &Value) -> Value {
    match value {
        Value::Array(_) | Value::Object(_) => {
            Value::Object(Map::from_iter([("$exactly".to_owned(), value.clone())]))
        }
        scalar => scalar.clone(),
    }
}

/// Replaces the references within a longer string.
fn fill(text: &str, known: &BTreeMap<String, Value>) -> Result<String, Unbound> {
    if !text.contains("${") {
        return Ok(text.to_owned());
    }
    let mut filled = String::new();
    for part in parts(text) {
        match part {
            Part::Text(piece) => filled.push_str(piece),
            Part::Reference(name) => match look_up(name, known)? {
                Value::String(string) => filled.push_str(string),
                other => filled.push_str(&other.to_string()),
            },
        }
    }
    Ok(filled)
}

/// Follows a reference to its value.
fn look_up<'a>(name: &str, known: &'a BTreeMap<String, Value>) -> Result<&'a Value, Unbound> {
    let unbound = || Unbound {
        name: name.to_owned(),
    };
    let mut path = name.split('.');
    let root = path
        .next()
        .and_then(|root| known.get(root))
        .ok_or_else(unbound)?;
    path.try_fold(root, |value, part| match value {
        Value::Array(items) => part.parse().ok().and_then(|index: usize| items.get(index)),
        Value::Object(members) => members.get(part),
        _ => None,
    })
    .ok_or_else(unbound)
}

/// Cuts a string into references and the text between them, with `$${` already read as `${`.
fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            // An escape: the text before it, then `${` itself without the first `$`.
            push_text(&mut parts, &rest[..at - 1]);
            parts.push(Part::Text("$"));
            parts.push(Part::Text("{"));
            rest = &rest[at + 2..];
            continue;
        }
        push_text(&mut parts, &rest[..at]);
        match rest[at + 2..].split_once('}') {
            Some((name, after)) if is_reference(name) => {
                parts.push(Part::Reference(name));
                rest = after;
            }
            _ => {
                parts.push(Part::Text(&rest[at..at + 2]));
                rest = &rest[at + 2..];
            }
        }
    }
    push_text(&mut parts, rest);
    parts
}

/// Adds a piece of text unless it is empty.
fn push_text<'a>(parts: &mut Vec<Part<'a>>, piece: &'a str) {
    if !piece.is_empty() {
        parts.push(Part::Text(piece));
    }
}

/// Whether a text between `${` and `}` is a name, or a path that starts with one.
fn is_reference(text: &str) -> bool {
    let root = root_of(text);
    root.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_')
        && root
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && text
            .split('.')
            .all(|part| !part.is_empty() && !part.contains('{'))
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.extend(references_in(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => {
            for (key, member) in members {
                found.extend(references_in(key));
                collect(member, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn known() -> BTreeMap<String, Value> {
        let fixture = json!({"name": "echo", "arguments": {"n": 1.0}, "tags": ["a", "b"]});
        BTreeMap::from([
            ("tool_any".to_owned(), fixture),
            ("count".to_owned(), json!(3)),
            ("evil".to_owned(), json!({"$any": true})),
        ])
    }

    #[test]
    fn a_string_that_is_one_reference_becomes_the_value() {
        let value = json!({"a": "${tool_any.arguments}", "b": ["${count}"]});
        let expected = json!({"a": {"n": 1.0}, "b": [3]});
        assert_eq!(substitute(&value, &known()).unwrap(), expected);
    }

    #[test]
    fn within_a_longer_string_a_value_is_written_out() {
        let value = json!("${tool_any.name}-${tool_any.tags.1}-${count} ${tool_any.arguments}");
        assert_eq!(
            substitute(&value, &known()).unwrap(),
            json!("echo-b-3 {\"n\":1.0}")
        );
    }

    #[test]
    fn a_members_name_is_filled_in_too() {
        let value = json!({"x-${tool_any.name}": 1});
        assert_eq!(substitute(&value, &known()).unwrap(), json!({"x-echo": 1}));
    }

    #[test]
    fn a_doubled_dollar_is_an_escape() {
        let value = json!(["$${count}", "a$${", "$$${count}", "cost: $5"]);
        let expected = json!(["${count}", "a${", "$${count}", "cost: $5"]);
        assert_eq!(substitute(&value, &known()).unwrap(), expected);
        assert_eq!(references(&value), Vec::<String>::new());
    }

    #[test]
    fn a_reference_that_leads_nowhere_is_named() {
        for name in ["nothing", "tool_any.nothing", "tool_any.tags.7", "count.x"] {
            let value = json!(format!("${{{name}}}"));
            assert_eq!(substitute(&value, &known()).unwrap_err().name, name);
        }
    }

    #[test]
    fn what_a_peer_sent_is_no_operator_in_a_pattern() {
        let pattern = json!({"a": "${evil}", "b": {"$exactly": "${evil}"}, "c": "${count}"});
        assert_eq!(
            substitute_pattern(&pattern, &known()).unwrap(),
            json!({"a": {"$exactly": {"$any": true}}, "b": {"$exactly": {"$any": true}}, "c": 3})
        );
        let schema = json!({"$conforms_to": "${tool_any.arguments}"});
        assert_eq!(
            substitute_pattern(&schema, &known()).unwrap(),
            json!({"$conforms_to": {"n": 1.0}})
        );
    }

    #[test]
    fn references_are_listed_in_order() {
        let value = json!({"a": "${x.y}", "${z}": ["${x} and ${w.0}"]});
        assert_eq!(references(&value), ["x.y", "z", "x", "w.0"]);
        assert_eq!(root_of("x.y"), "x");
    }

    #[test]
    fn a_reference_that_never_ends_is_found() {
        assert!(malformed("a ${x").is_some());
        assert!(malformed("${}").is_some());
        assert!(malformed("${a b}").is_some());
        assert!(malformed("$${x").is_none());
        assert!(malformed("${x} $${y").is_none());
    }

    proptest! {
        #[test]
        fn text_without_references_stays_as_it_is(text in "[^$]*") {
            let value = Value::String(text);
            prop_assert_eq!(substitute(&value, &BTreeMap::new()).unwrap(), value);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[${}.a é]{0,20}") {
            let _ = substitute(&Value::String(text.clone()), &known());
            let _ = malformed(&text);
        }
    }
}
