//! Whether a pattern is one, seen when a file is loaded rather than when a peer is judged.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    matcher::compile_regex,
    template::{references, references_in},
};

/// Every operator.
#[rustfmt::skip]
pub const OPERATORS: [&str; 23] = [
    "$absent", "$all_of", "$any", "$base64", "$conforms_to", "$contains", "$definition", "$each",
    "$exactly", "$gt", "$gte", "$increasing", "$json", "$length", "$lt", "$lte", "$mentions", "$not",
    "$one_of", "$regex", "$type", "$unique", "$uri",
];

/// The names that `$type` knows.
pub const TYPES: [&str; 7] = [
    "null", "boolean", "integer", "number", "string", "array", "object",
];

/// Where a pattern makes no sense, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// A JSON pointer into the pattern.
    pub at: String,
    /// The operator, if it is one that is not known.
    pub unknown: Option<String>,
    /// Why it makes no sense.
    pub message: String,
}

impl fmt::Display for PatternError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for PatternError {}

/// Checks a pattern, in which references may still stand.
///
/// # Errors
///
/// The first place that makes no sense.
pub fn check_pattern(pattern: &Value) -> Result<(), PatternError> {
    check(pattern, "")
}

fn check(pattern: &Value, at: &str) -> Result<(), PatternError> {
    match pattern {
        Value::Array(_) => check_items(pattern, at),
        Value::Object(members) => match members.keys().find(|key| is_operator(key)) {
            Some(operator) if members.len() > 1 => {
                let message = format!("the operator `{operator}` stands beside other members");
                Err(error(&format!("{at}/{operator}"), message))
            }
            Some(operator) => check_operator(operator, members, at),
            None => members.iter().try_for_each(|(key, member)| {
                let key = key.replace('~', "~0").replace('/', "~1");
                check(member, &format!("{at}/{key}"))
            }),
        },
        _ => Ok(()),
    }
}

fn check_operator(
    operator: &str,
    members: &Map<String, Value>,
    at: &str,
) -> Result<(), PatternError> {
    let at = format!("{at}/{operator}");
    let argument = members.get(operator).unwrap_or(&Value::Null);
    let needs = |what: &str, fits: bool| {
        if fits {
            Ok(())
        } else {
            Err(error(&at, format!("`{operator}` takes {what}")))
        }
    };
    match operator {
        "$absent" | "$any" | "$base64" | "$uri" => needs("`true`", argument == &Value::Bool(true)),
        "$all_of" | "$one_of" => {
            let fits = argument.as_array().is_some_and(|items| !items.is_empty());
            needs("a list of patterns", fits)?;
            check_items(argument, &at)
        }
        "$contains" | "$each" | "$json" | "$length" | "$not" => check(argument, &at),
        "$conforms_to" => needs(
            "a JSON Schema or a reference to one",
            argument.is_object() || argument.is_boolean() || is_reference(argument),
        ),
        "$definition" => needs("the name of a definition", argument.is_string()),
        "$exactly" => Ok(()),
        "$gt" | "$gte" | "$lt" | "$lte" => {
            needs("a number", argument.is_number() || is_reference(argument))
        }
        "$increasing" | "$unique" => needs(
            "a JSON pointer: `\"\"`, or one that starts with `/`",
            argument
                .as_str()
                .is_some_and(|text| text.is_empty() || text.starts_with('/')),
        ),
        "$mentions" => {
            let fits = argument.as_str().is_some_and(|text| !text.is_empty());
            needs("a text that is not empty", fits)
        }
        "$regex" => check_regex(argument, &at),
        "$type" => needs(
            &format!("one or more of {}", TYPES.join(", ")),
            match argument {
                Value::Array(names) => !names.is_empty() && names.iter().all(is_type),
                name => is_type(name),
            },
        ),
        unknown => Err(PatternError {
            at,
            unknown: Some(unknown.to_owned()),
            message: format!("unknown operator `{unknown}`"),
        }),
    }
}

fn check_items(items: &Value, at: &str) -> Result<(), PatternError> {
    let items = items.as_array().map_or(&[][..], Vec::as_slice);
    items
        .iter()
        .enumerate()
        .try_for_each(|(index, item)| check(item, &format!("{at}/{index}")))
}

fn check_regex(argument: &Value, at: &str) -> Result<(), PatternError> {
    let Some(text) = argument.as_str() else {
        return Err(error(at, "`$regex` takes a regular expression".to_owned()));
    };
    if !references(argument).is_empty() {
        return Ok(());
    }
    match compile_regex(text) {
        Ok(_) => Ok(()),
        Err(why) => {
            let why = why.to_string();
            let why = why.lines().last().unwrap_or_default();
            Err(error(
                at,
                format!(
                    "no regular expression: {}",
                    why.trim_start_matches("error: ")
                ),
            ))
        }
    }
}

/// Whether a member's name is meant as an operator. A reference is not.
fn is_operator(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("${") && !key.starts_with("$$")
}

fn is_type(name: &Value) -> bool {
    name.as_str().is_some_and(|name| TYPES.contains(&name))
}

/// Whether a value is a string that is one reference.
fn is_reference(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        let found = references_in(text);
        found.len() == 1 && found.iter().all(|name| text.len() == name.len() + 3)
    })
}

fn error(at: &str, message: String) -> PatternError {
    PatternError {
        at: at.to_owned(),
        unknown: None,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sound_patterns_are_taken() {
        for pattern in [
            json!({"a": {"$type": ["string", "null"]}, "b": [{"$any": true}], "c": {"$regex": "^a"}}),
            json!({"$one_of": [1, {"$absent": true}]}),
            json!({"$each": {"$length": {"$gte": 1}}}),
            json!({"$gt": "${count}"}),
            json!({"$conforms_to": "${tool.outputSchema}"}),
            json!({"$regex": "${name}["}),
            json!({"$exactly": {"$schema": 1, "$id": 2}}),
            json!({"${name}": 1, "b": 2}),
        ] {
            assert_eq!(check_pattern(&pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn mistakes_are_found_where_they_are() {
        for (pattern, at, message) in [
            (
                json!({"a": [{"$typ": "string"}]}),
                "/a/0/$typ",
                "unknown operator `$typ`",
            ),
            (json!({"$type": "int"}), "/$type", "takes one or more of"),
            (json!({"$any": 1}), "/$any", "takes `true`"),
            (json!({"$one_of": []}), "/$one_of", "takes a list"),
            (
                json!({"$one_of": [{"$gt": "3"}]}),
                "/$one_of/0/$gt",
                "takes a number",
            ),
            (json!({"$regex": "("}), "/$regex", "no regular expression"),
            (
                json!({"$regex": ".{1000}{1000}"}),
                "/$regex",
                "no regular expression",
            ),
            (
                json!({"$any": true, "b": 1}),
                "/$any",
                "beside other members",
            ),
            (json!({"$unique": "name"}), "/$unique", "JSON pointer"),
            (
                json!({"a/b": {"$not": {"$x": 1}}}),
                "/a~1b/$not/$x",
                "unknown operator `$x`",
            ),
        ] {
            let error = check_pattern(&pattern).unwrap_err();
            assert_eq!(error.at, at);
            assert!(error.message.contains(message), "{error}");
        }
    }

    #[test]
    fn the_operators_are_those_of_the_format() {
        let format = include_str!("../FORMAT.md");
        for operator in OPERATORS {
            assert!(format.contains(&format!("`{{{operator}: ")), "{operator}");
        }
        let rows = format.lines().filter(|line| line.starts_with("| `{$"));
        let named: usize = rows.map(|row| row.matches("{$").count()).sum();
        assert_eq!(named, OPERATORS.len());
    }
}
