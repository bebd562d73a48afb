//! Compares a JSON value with a pattern, as `FORMAT.md` describes patterns.
//!
//! The value is a peer's: the work is bounded by the pattern's depth and the value's size, and
//! nothing in it makes this panic.

use std::{
    cmp::Ordering,
    collections::HashSet,
    fmt, io,
    sync::{LazyLock, Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::{
    number::Decimal,
    text_format::{is_base64, is_uri},
};

/// What a pattern needs to know of schemas.
pub trait Schemas {
    /// Whether `instance` is an instance of a named definition of the revision's schema.
    ///
    /// # Errors
    ///
    /// Why it is not, or that there is no such definition.
    fn definition(&self, name: &str, instance: &Value) -> Result<(), String>;

    /// Whether `instance` is an instance of this JSON Schema.
    ///
    /// # Errors
    ///
    /// Why it is not, or that the schema is none.
    fn conforms(&self, schema: &Value, instance: &Value) -> Result<(), String>;
}

/// Where and how a value is not what a pattern says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// A JSON pointer into the value; empty for the whole of it.
    pub at: String,
    /// What the pattern says there.
    pub expected: String,
    /// What is there.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() {
            "the value"
        } else {
            &self.at
        };
        write!(
            formatter,
            "{at}: expected {}, got {}",
            self.expected, self.actual
        )
    }
}

/// Compares a value, or the absence of one, with a pattern whose references have been replaced.
///
/// # Errors
///
/// The first place that does not match.
pub fn matches(
    pattern: &Value,
    value: Option<&Value>,
    schemas: &dyn Schemas,
) -> Result<(), Mismatch> {
    Matcher { schemas }.compare(
        pattern,
        value,
        &At {
            parent: None,
            part: "",
            depth: 0,
        },
    )
}

/// A JSON value in few words, for a person.
#[must_use]
pub fn brief(value: &Value) -> String {
    let mut text = Cut(Vec::new());
    // The writer stops the moment it has enough; that is no failure here.
    let whole = serde_json::to_writer(&mut text, value).is_ok();
    let mut brief = String::from_utf8_lossy(&text.0).into_owned();
    if !whole {
        // The cut may have gone through a character.
        while brief.ends_with(char::REPLACEMENT_CHARACTER) {
            brief.pop();
        }
        brief.push('…');
    }
    brief
}

/// A place in the value, as a chain up to its root: a pointer is only spelled out for a mismatch.
struct At<'a> {
    parent: Option<&'a At<'a>>,
    part: &'a str,
    depth: usize,
}

impl<'a> At<'a> {
    fn below(&'a self, part: &'a str) -> Self {
        Self {
            parent: Some(self),
            part,
            depth: self.depth + 1,
        }
    }

    fn pointer(&self) -> String {
        let Some(parent) = self.parent else {
            return String::new();
        };
        let part = self.part.replace('~', "~0").replace('/', "~1");
        format!("{}/{part}", parent.pointer())
    }

    fn mismatch(&self, expected: impl Into<String>, value: Option<&Value>) -> Mismatch {
        let actual = value.map_or_else(|| "nothing".to_owned(), brief);
        Mismatch {
            at: self.pointer(),
            expected: expected.into(),
            actual,
        }
    }
}

struct Matcher<'a> {
    schemas: &'a dyn Schemas,
}

impl Matcher<'_> {
    fn compare(&self, pattern: &Value, value: Option<&Value>, at: &At<'_>) -> Result<(), Mismatch> {
        if at.depth > DEPTH_MAX {
            return Err(at.mismatch("a value that is not nested so deeply", None));
        }
        if let Some((operator, argument)) = operator_of(pattern) {
            return self.operate(operator, argument, value, at);
        }
        let Some(value) = value else {
            return Err(at.mismatch(brief(pattern), None));
        };
        match (pattern, value) {
            (Value::Object(wanted), Value::Object(members)) => {
                wanted.iter().try_for_each(|(key, pattern)| {
                    self.compare(pattern, members.get(key), &at.below(key))
                })
            }
            (Value::Array(wanted), Value::Array(items)) => {
                if wanted.len() != items.len() {
                    let expected = format!("an array of {} items", wanted.len());
                    return Err(at.mismatch(expected, Some(value)));
                }
                wanted
                    .iter()
                    .zip(items)
                    .enumerate()
                    .try_for_each(|(index, (pattern, item))| {
                        self.compare(pattern, Some(item), &at.below(&index.to_string()))
                    })
            }
            _ if scalars_equal(pattern, value, Numbers::ByValue) => Ok(()),
            _ => Err(at.mismatch(brief(pattern), Some(value))),
        }
    }

    fn operate(
        &self,
        operator: &str,
        argument: &Value,
        value: Option<&Value>,
        at: &At<'_>,
    ) -> Result<(), Mismatch> {
        let here = At {
            parent: at.parent,
            part: at.part,
            depth: at.depth + 1,
        };
        match (operator, value) {
            ("$absent", None) | ("$any", Some(_)) => return Ok(()),
            ("$absent", Some(_)) => return Err(at.mismatch("no value", value)),
            ("$one_of", _) => return self.one_of(argument, value, &here),
            ("$all_of", _) => {
                return list(argument)
                    .iter()
                    .try_for_each(|pattern| self.compare(pattern, value, &here));
            }
            ("$not", _) => {
                return match self.compare(argument, value, &here) {
                    Ok(()) => Err(at.mismatch(format!("anything but {}", brief(argument)), value)),
                    Err(_) => Ok(()),
                };
            }
            _ => {}
        }
        match value {
            Some(present) => self.operate_on(operator, argument, present, at, &here),
            None => Err(at.mismatch(describe(operator, argument), None)),
        }
    }

    /// The operators that look at a value that is there.
    fn operate_on(
        &self,
        operator: &str,
        argument: &Value,
        value: &Value,
        at: &At<'_>,
        here: &At<'_>,
    ) -> Result<(), Mismatch> {
        let wrong = |expected: String, why: String| {
            let actual = format!("{}: {why}", brief(value));
            Mismatch {
                at: at.pointer(),
                expected,
                actual,
            }
        };
        let holds = match operator {
            "$type" => is_of_type(argument, value),
            "$regex" => matches_regex(argument, value),
            "$gt" => ordering(value, argument) == Some(Ordering::Greater),
            "$gte" => ordering(value, argument).is_some_and(Ordering::is_ge),
            "$lt" => ordering(value, argument) == Some(Ordering::Less),
            "$lte" => ordering(value, argument).is_some_and(Ordering::is_le),
            "$contains" => list(value)
                .iter()
                .any(|item| self.compare(argument, Some(item), here).is_ok()),
            "$mentions" => mentions(argument.as_str().unwrap_or_default(), value, 0),
            "$exactly" => exactly(argument, value, 0),
            "$base64" => value.as_str().is_some_and(is_base64),
            "$uri" => value.as_str().is_some_and(is_uri),
            "$length" => return self.length(argument, value, here),
            "$each" => return self.each(argument, value, here),
            "$unique" => return unique(argument, value, here),
            "$increasing" => return increasing(argument, value, here),
            "$json" => return self.json(argument, value, here),
            "$definition" => {
                let name = argument.as_str().unwrap_or_default();
                let result = self.schemas.definition(name, value);
                return result.map_err(|why| wrong(format!("a valid {name}"), why));
            }
            "$conforms_to" => {
                let result = self.schemas.conforms(argument, value);
                let expected = || format!("an instance of the schema {}", brief(argument));
                return result.map_err(|why| wrong(expected(), why));
            }
            // Refused when a file is loaded; an unknown operator matches nothing.
            _ => false,
        };
        if holds {
            Ok(())
        } else {
            Err(at.mismatch(describe(operator, argument), Some(value)))
        }
    }

    fn one_of(&self, patterns: &Value, value: Option<&Value>, at: &At<'_>) -> Result<(), Mismatch> {
        let patterns = list(patterns);
        if patterns
            .iter()
            .any(|pattern| self.compare(pattern, value, at).is_ok())
        {
            return Ok(());
        }
        let all: Vec<String> = patterns.iter().map(brief).collect();
        Err(at.mismatch(format!("one of {}", all.join(", ")), value))
    }

    fn length(&self, pattern: &Value, value: &Value, at: &At<'_>) -> Result<(), Mismatch> {
        let length = match value {
            Value::Array(items) => items.len(),
            Value::Object(members) => members.len(),
            Value::String(text) => text.chars().count(),
            _ => return Err(at.mismatch("something that has a length", Some(value))),
        };
        self.compare(pattern, Some(&Value::from(length)), at)
            .map_err(|inner| Mismatch {
                at: at.pointer(),
                expected: format!("a length of {}", inner.expected),
                actual: format!("a length of {length}: {}", brief(value)),
            })
    }

    fn each(&self, pattern: &Value, value: &Value, at: &At<'_>) -> Result<(), Mismatch> {
        let Value::Array(items) = value else {
            return Err(at.mismatch("an array", Some(value)));
        };
        items.iter().enumerate().try_for_each(|(index, item)| {
            self.compare(pattern, Some(item), &at.below(&index.to_string()))
        })
    }

    fn json(&self, pattern: &Value, value: &Value, at: &At<'_>) -> Result<(), Mismatch> {
        let parsed = value
            .as_str()
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(parsed) = parsed else {
            return Err(at.mismatch("a string that is a JSON text", Some(value)));
        };
        self.compare(pattern, Some(&parsed), at)
    }
}

/// The operator of a pattern that is one, and its argument.
pub(crate) fn operator_of(pattern: &Value) -> Option<(&str, &Value)> {
    let members = pattern.as_object().filter(|members| members.len() == 1)?;
    let (key, argument) = members.iter().next()?;
    key.starts_with('$').then_some((key, argument))
}

/// The items of an array; of anything else, none.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// What an operator asks for, in words.
fn describe(operator: &str, argument: &Value) -> String {
    match operator {
        "$any" => "any value".to_owned(),
        "$type" => match argument {
            Value::String(name) => format!("a value of type {name}"),
            other => format!("a value of one of the types {}", brief(other)),
        },
        "$regex" => format!("a string that matches {}", brief(argument)),
        "$mentions" => format!("a value that has {} in a string", brief(argument)),
        "$gt" => format!("more than {}", brief(argument)),
        "$gte" => format!("{} or more", brief(argument)),
        "$lt" => format!("less than {}", brief(argument)),
        "$lte" => format!("{} or less", brief(argument)),
        "$contains" => format!("an array with an item like {}", brief(argument)),
        "$exactly" => format!("exactly {}", brief(argument)),
        "$base64" => "a base64 string".to_owned(),
        "$uri" => "a URI".to_owned(),
        _ => format!("{{{operator}: {}}}", brief(argument)),
    }
}

/// Whether a value has the type, or one of the types.
fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &Value| match (name.as_str().unwrap_or_default(), value) {
        ("null", Value::Null)
        | ("boolean", Value::Bool(_))
        | ("number", Value::Number(_))
        | ("string", Value::String(_))
        | ("array", Value::Array(_))
        | ("object", Value::Object(_)) => true,
        ("integer", Value::Number(number)) => {
            Decimal::of(number).is_some_and(|number| number.is_integer())
        }
        _ => false,
    };
    match types {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

/// Whether a string holds a match.
fn matches_regex(pattern: &Value, value: &Value) -> bool {
    let both = pattern.as_str().zip(value.as_str());
    both.is_some_and(|(pattern, text)| {
        cached_regex(pattern).is_some_and(|regex| regex.is_match(text))
    })
}

/// How two numbers compare; `None` unless both are numbers.
fn ordering(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            Some(Decimal::of(one)?.cmp(&Decimal::of(other)?))
        }
        _ => None,
    }
}

/// How numbers are taken for equal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbers {
    /// `1` equals `1.0`.
    ByValue,
    /// `1` equals `1`, `1.0` equals `1.00`: an integer stays an integer.
    Strictly,
}

/// Whether two values that hold no others are equal.
fn scalars_equal(one: &Value, other: &Value, numbers: Numbers) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(one), Value::Bool(other)) => one == other,
        (Value::String(one), Value::String(other)) => one == other,
        (Value::Number(number), Value::Number(_)) => {
            ordering(one, other) == Some(Ordering::Equal)
                && (numbers == Numbers::ByValue
                    || looks_integer(&number.to_string()) == looks_integer(&other.to_string()))
        }
        _ => false,
    }
}

/// Whether a number is spelled as an integer.
fn looks_integer(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

/// Whether a string or a member's name holds a text, at any depth.
fn mentions(text: &str, value: &Value, depth: usize) -> bool {
    match value {
        _ if depth > DEPTH_MAX => false,
        Value::String(string) => string.contains(text),
        Value::Array(items) => items.iter().any(|item| mentions(text, item, depth + 1)),
        Value::Object(members) => members
            .iter()
            .any(|(name, member)| name.contains(text) || mentions(text, member, depth + 1)),
        _ => false,
    }
}

/// Whether two values are the same, with no further members.
fn exactly(one: &Value, other: &Value, depth: usize) -> bool {
    match (one, other) {
        _ if depth > DEPTH_MAX => false,
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| exactly(one, other, depth + 1))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, one)| {
                    other
                        .get(key)
                        .is_some_and(|other| exactly(one, other, depth + 1))
                })
        }
        _ => scalars_equal(one, other, Numbers::Strictly),
    }
}

/// Whether no two items have equal values at a pointer. Items without such a value are passed over.
fn unique(pointer: &Value, value: &Value, at: &At<'_>) -> Result<(), Mismatch> {
    let pointer = pointer.as_str().unwrap_or_default();
    let Value::Array(items) = value else {
        return Err(at.mismatch("an array", Some(value)));
    };
    let mut seen = HashSet::new();
    for (index, item) in items.iter().enumerate() {
        let Some(part) = item.pointer(pointer) else {
            continue;
        };
        if !seen.insert(canonical(part, 0)) {
            let index = index.to_string();
            let expected = "a value that no item before it has".to_owned();
            return Err(Mismatch {
                at: format!("{}{pointer}", at.below(&index).pointer()),
                expected,
                actual: brief(part),
            });
        }
    }
    Ok(())
}

/// A text that equal values, and no others, have in common.
fn canonical(value: &Value, depth: usize) -> String {
    match value {
        _ if depth > DEPTH_MAX => String::new(),
        Value::Number(number) => {
            Decimal::of(number).map_or_else(|| number.to_string(), |number| format!("{number:?}"))
        }
        Value::Array(items) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| canonical(item, depth + 1))
                .collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(key, member)| format!("{key:?}:{}", canonical(member, depth + 1)))
                .collect();
            members.sort();
            format!("{{{}}}", members.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// Whether the items' numbers at a pointer rise strictly.
fn increasing(pointer: &Value, value: &Value, at: &At<'_>) -> Result<(), Mismatch> {
    let pointer = pointer.as_str().unwrap_or_default();
    let Value::Array(items) = value else {
        return Err(at.mismatch("an array", Some(value)));
    };
    let mut before: Option<(&Value, Decimal)> = None;
    for (index, item) in items.iter().enumerate() {
        let part = item.pointer(pointer);
        let number = match part {
            Some(Value::Number(number)) => Decimal::of(number),
            _ => None,
        };
        let complaint = match (&number, &before) {
            (None, _) => Some("a number".to_owned()),
            (Some(number), Some((last, decimal))) if number <= decimal => {
                Some(format!("more than {}, the one before", brief(last)))
            }
            _ => None,
        };
        if let Some(expected) = complaint {
            let index = index.to_string();
            return Err(Mismatch {
                at: format!("{}{pointer}", at.below(&index).pointer()),
                expected,
                actual: part.map_or_else(|| "nothing".to_owned(), brief),
            });
        }
        before = part.zip(number);
    }
    Ok(())
}

/// Compiles a regular expression of bounded size.
pub(crate) fn compile_regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX)
        .build()
}

/// A regular expression, compiled once however often it is used; `None` if it is none.
fn cached_regex(pattern: &str) -> Option<Regex> {
    static CACHE: LazyLock<Mutex<Vec<(String, Regex)>>> = LazyLock::new(Mutex::default);
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, regex)) = cache.iter().find(|(known, _)| known == pattern) {
        return Some(regex.clone());
    }
    let regex = compile_regex(pattern).ok()?;
    if cache.len() == REGEXES_MAX {
        cache.clear();
    }
    cache.push((pattern.to_owned(), regex.clone()));
    Some(regex)
}

/// A writer that refuses what goes beyond a few words.
struct Cut(Vec<u8>);

impl io::Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BRIEF_BYTES_MAX
            .saturating_sub(self.0.len())
            .min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.0.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// So much of a value is shown in one line of a report.
const BRIEF_BYTES_MAX: usize = 240;

/// Patterns nest no deeper than files do, with what is put into them; values no deeper than JSON is
/// read. Both stay below this.
const DEPTH_MAX: usize = 256;

/// A compiled regular expression is no larger than this.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// More regular expressions than all vectors together use. A peer's text may end up in one, so there
/// is a bound.
const REGEXES_MAX: usize = 64;
