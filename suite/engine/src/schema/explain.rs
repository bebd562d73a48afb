//! From a validator's errors to violations that a person can act on: where in a value, what was
//! expected, what was found; and always bounded.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::Violation;

/// Violations named for one value. More would not be read.
pub(super) const VIOLATIONS_MAX: usize = 50;

/// The weight (values, and bytes of strings) beyond which errors are not collected: a validator holds all
/// of them in memory, and for every branch of a union a copy of the value.
pub(super) const EXPLAINED_WEIGHT_MAX: usize = 256 * 1024;

/// Longest piece of a value shown in a message, in characters.
const SHOWN_MAX: usize = 60;

/// Longest message, in characters.
const MESSAGE_MAX: usize = 300;

/// A JSON value's type, with its article.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Whether a value weighs more than a limit. Takes no longer than the limit allows.
pub(super) fn weight_exceeds(value: &Value, limit: usize) -> bool {
    let mut left = vec![value];
    let mut weight = 0_usize;
    while let Some(value) = left.pop() {
        weight += 1;
        match value {
            Value::String(text) => weight += text.len(),
            Value::Number(number) => weight += number.as_str().len(),
            Value::Array(items) if items.len() <= limit => left.extend(items),
            Value::Object(members) if members.len() <= limit => {
                weight += members.keys().map(String::len).sum::<usize>();
                left.extend(members.values());
            }
            Value::Array(_) | Value::Object(_) => return true,
            _ => {}
        }
        if weight > limit {
            return true;
        }
    }
    false
}

/// A validator's errors, in order of place.
pub(super) fn violations<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> Vec<Violation> {
    let mut found = Vec::new();
    for error in errors {
        explain(&error, 0, &mut found);
        if found.len() >= VIOLATIONS_MAX {
            break;
        }
    }
    found.truncate(VIOLATIONS_MAX);
    found.sort();
    found.dedup();
    found
}

fn explain(error: &ValidationError<'_>, depth: usize, into: &mut Vec<Violation>) {
    let at = error.instance_path().as_str();
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = error.kind() {
        match meant(context, at) {
            Some(branch) if depth < UNION_DEPTH_MAX => {
                for error in branch.iter().take(VIOLATIONS_MAX) {
                    explain(error, depth + 1, into);
                }
            }
            _ => into.push(Violation::new(at, none_of(context, error, at))),
        }
        return;
    }
    let message = message(error);
    into.push(Violation::new(at, shortened(&message, MESSAGE_MAX)));
}

/// The branch of a union that the value means to be: the one it differs from least, unless it is
/// of another type than that branch asks, or says by a constant that it is something else.
fn meant<'e, 'v>(
    context: &'e [Vec<ValidationError<'v>>],
    at: &str,
) -> Option<&'e [ValidationError<'v>]> {
    let cost = |branch: &[ValidationError<'_>]| -> usize {
        branch
            .iter()
            .map(|error| strangeness(error, at))
            .fold(0, usize::saturating_add)
    };
    let best = context.iter().min_by_key(|branch| cost(branch))?;
    (cost(best) < STRANGER).then_some(best.as_slice())
}

/// How much an error says that the value was not meant for the branch.
fn strangeness(error: &ValidationError<'_>, at: &str) -> usize {
    let here = error.instance_path().as_str();
    let child = here
        .strip_prefix(at)
        .is_some_and(|rest| rest.rfind('/') == Some(0));
    match error.kind() {
        Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. } if here == at => STRANGER,
        Kind::Constant { .. } if child => STRANGER,
        Kind::Required { property } if DISCRIMINATORS.iter().any(|name| property == name) => 5,
        _ => 1,
    }
}

/// What to say when no branch was meant.
fn none_of(context: &[Vec<ValidationError<'_>>], error: &ValidationError<'_>, at: &str) -> String {
    let mut expected: Vec<String> = Vec::new();
    let mut member = None;
    for error in context.iter().flatten() {
        let here = error.instance_path().as_str();
        let add = match error.kind() {
            Kind::Type { kind } if here == at => vec![type_name(kind)],
            Kind::Constant { expected_value } if here != at => {
                member = member.or_else(|| {
                    here.rsplit('/')
                        .next()
                        .map(|name| (name.to_owned(), shown(error.instance())))
                });
                vec![shown(expected_value)]
            }
            Kind::Constant { expected_value } => vec![shown(expected_value)],
            _ => Vec::new(),
        };
        for one in add {
            if !expected.contains(&one) && expected.len() < 20 {
                expected.push(one);
            }
        }
    }
    match member {
        _ if expected.is_empty() => format!("matches none of {} alternatives", context.len()),
        Some((name, found)) => format!(
            "`{name}` is {found}, expected one of {}",
            expected.join(", ")
        ),
        None => format!(
            "expected {}, found {}",
            expected.join(" or "),
            kind_of(error.instance())
        ),
    }
}

fn message(error: &ValidationError<'_>) -> String {
    let found = error.instance();
    match error.kind() {
        Kind::Type { kind } => format!("expected {}, found {}", type_name(kind), kind_of(found)),
        Kind::Required { property } => match property.as_str() {
            Some(name) => format!("member `{}` is missing", shortened(name, SHOWN_MAX)),
            None => "a member is missing".to_owned(),
        },
        Kind::Constant { expected_value } => {
            format!("expected {}, found {}", shown(expected_value), shown(found))
        }
        Kind::Enum { options } => {
            let options = options
                .as_array()
                .map_or(&[][..], Vec::as_slice)
                .iter()
                .take(20);
            let options = options.map(shown).collect::<Vec<_>>().join(", ");
            format!("expected one of {options}; found {}", shown(found))
        }
        Kind::Minimum { limit } => {
            format!("expected at least {}, found {}", shown(limit), shown(found))
        }
        Kind::Maximum { limit } => {
            format!("expected at most {}, found {}", shown(limit), shown(found))
        }
        Kind::MaxItems { limit } => format!("expected at most {limit} items"),
        Kind::MinItems { limit } => format!("expected at least {limit} items"),
        Kind::AdditionalProperties { unexpected } => {
            let names = unexpected
                .iter()
                .take(5)
                .map(|name| format!("`{}`", shortened(name, SHOWN_MAX)));
            format!(
                "has members that are not allowed: {}",
                names.collect::<Vec<_>>().join(", ")
            )
        }
        Kind::Pattern { pattern } => format!(
            "{} does not match {}",
            shown(found),
            shortened(pattern, SHOWN_MAX)
        ),
        Kind::FalseSchema => "nothing is allowed here".to_owned(),
        // The value is left out, whatever its size.
        _ => error.masked().to_string(),
    }
}

fn type_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.as_str().to_owned(),
        TypeKind::Multiple(many) => many
            .iter()
            .map(|one| one.as_str())
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// A value as JSON, if it is short.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", shortened(text, SHOWN_MAX)),
        Value::Array(_) | Value::Object(_) => kind_of(value).to_owned(),
        other => shortened(&other.to_string(), SHOWN_MAX),
    }
}

pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Unions within unions that are looked into.
const UNION_DEPTH_MAX: usize = 16;

/// The cost of a branch that was not meant.
const STRANGER: usize = 1000;

/// Members whose absence says that something else was meant.
const DISCRIMINATORS: [&str; 3] = ["method", "type", "mode"];
