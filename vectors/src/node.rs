//! YAML as a tree of JSON values that know where they stand in their file.
//!
//! The tree is what JSON would be: numbers keep every digit, and the words that YAML turns into
//! something else behind the author's back are refused.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::Number;
use serde_saphyr::{
    Error, Location, Options, Spanned,
    options::{MergeKeyPolicy, NonFiniteFloatPolicy},
};

use crate::diagnostic::ProblemKind;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// What it is.
    pub(crate) shape: Shape,
    /// Its bytes in the file; for a list or a mapping only where it starts.
    pub(crate) span: Range<usize>,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is spelled.
    Number(Number),
    /// A string.
    String(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in its order. Every key is a string.
    Map(Vec<(Node, Node)>),
}

/// A reason not to take a text, and its place.
pub(crate) type Refusal = (ProblemKind, Range<usize>);

impl Node {
    /// Reads a file's text.
    pub(crate) fn parse(text: &str) -> Result<Self, Refusal> {
        let mut node: Self = serde_saphyr::from_str_with_options(text, options())
            .map_err(|error| refusal(error.without_snippet(), text))?;
        node.settle(text)?;
        Ok(node)
    }

    /// The text of a mapping's key.
    pub(crate) fn key(&self) -> &str {
        match &self.shape {
            Shape::String(text) => text,
            _ => "",
        }
    }

    /// The place of what a JSON pointer leads to, as a person would underline it: a scalar itself, a
    /// list or mapping by the key it stands under. A pointer that leads nowhere ends at the last
    /// place on its way.
    pub(crate) fn place(&self, pointer: &str) -> Range<usize> {
        let (key, node) = self.walk(pointer);
        match (&node.shape, key) {
            (Shape::List(_) | Shape::Map(_), Some(key)) => key.span.clone(),
            _ => node.span.clone(),
        }
    }

    /// The place of the key that a JSON pointer's last part names.
    pub(crate) fn key_place(&self, pointer: &str) -> Range<usize> {
        let (key, node) = self.walk(pointer);
        key.map_or_else(|| node.span.clone(), |key| key.span.clone())
    }

    /// What a JSON pointer leads to.
    pub(crate) fn find(&self, pointer: &str) -> Option<&Self> {
        pointer.split('/').skip(1).try_fold(self, |node, part| {
            let part = part.replace("~1", "/").replace("~0", "~");
            match &node.shape {
                Shape::List(items) => items.get(part.parse::<usize>().ok()?),
                Shape::Map(members) => members
                    .iter()
                    .find(|(key, _)| key.key() == part)
                    .map(|(_, value)| value),
                _ => None,
            }
        })
    }

    /// Follows a pointer as far as it goes: the nearest key above the node, and the node.
    fn walk(&self, pointer: &str) -> (Option<&Self>, &Self) {
        let mut here = (None, self);
        for part in pointer.split('/').skip(1) {
            let part = part.replace("~1", "/").replace("~0", "~");
            let next = match &here.1.shape {
                Shape::List(items) => part
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.get(index))
                    // An item that is a mapping starts with its first key.
                    .map(|item| (item.first_key(), item)),
                Shape::Map(members) => members
                    .iter()
                    .find(|(key, _)| key.key() == part)
                    .map(|(key, value)| (Some(key), value)),
                _ => None,
            };
            let Some(next) = next else { break };
            here = next;
        }
        here
    }

    /// The first key of a mapping.
    fn first_key(&self) -> Option<&Self> {
        match &self.shape {
            Shape::Map(members) => members.first().map(|(key, _)| key),
            _ => None,
        }
    }

    /// Takes numbers as they are spelled and refuses what JSON would not read the same way.
    fn settle(&mut self, text: &str) -> Result<(), Refusal> {
        let raw = text.get(self.span.clone()).unwrap_or_default();
        match &mut self.shape {
            Shape::Null if raw != "null" => return Err(not_json(raw, &self.span)),
            Shape::Bool(_) if raw != "true" && raw != "false" => {
                return Err(not_json(raw, &self.span));
            }
            Shape::Null | Shape::Bool(_) => {}
            Shape::Number(number) => match serde_json::from_str(raw) {
                Ok(spelled) => *number = spelled,
                Err(_) => return Err(not_json(raw, &self.span)),
            },
            Shape::String(string) => {
                let plain = !raw.starts_with(['"', '\'', '|', '>', '!']);
                if plain && AMBIGUOUS_WORDS.contains(&string.to_ascii_lowercase().as_str()) {
                    return Err(not_json(raw, &self.span));
                }
            }
            Shape::List(items) => {
                for item in items {
                    item.settle(text)?;
                }
            }
            Shape::Map(members) => {
                for (key, value) in members {
                    if !matches!(key.shape, Shape::String(_)) {
                        let raw = text.get(key.span.clone()).unwrap_or_default();
                        return Err(not_json(raw, &key.span));
                    }
                    value.settle(text)?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Shape>::deserialize(deserializer)?;
        Ok(Self {
            shape: spanned.value,
            span: bytes_of(&spanned.referenced),
        })
    }
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShapeVisitor)
    }
}

/// Takes whatever there is. Numbers are read again from the text, see [`Node::settle`].
struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
    type Value = Shape;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Shape, E> {
        Ok(Shape::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Shape, E> {
        Ok(Shape::Bool(flag))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
        Ok(Shape::Number(Number::from(0)))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
        Ok(Shape::Number(Number::from(0)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
        Ok(Shape::Number(Number::from(0)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Shape, E> {
        Ok(Shape::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Shape, E> {
        Ok(Shape::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Shape::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Shape::Map(members))
    }
}

/// How YAML is read here: strictly, and without indirection.
pub(crate) fn options() -> Options {
    serde_saphyr::options! {
        strict_booleans: true,
        merge_keys: MergeKeyPolicy::AsOrdinary,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        reject_unsupported_tags: true,
        emit_comments: false,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_anchors: 0,
            max_aliases: 0,
            max_documents: 1,
            max_depth: DEPTH_MAX,
        },
    }
}

/// Where the reader's complaint stands, and what it is.
pub(crate) fn refusal(error: &Error, text: &str) -> Refusal {
    let span = error
        .location()
        .map_or(0..0, |location| bytes_of(&location));
    let span = span.start.min(text.len())..span.end.min(text.len());
    let kind = match error {
        Error::DuplicateMappingKey { key, .. } => ProblemKind::DuplicateKey {
            key: key
                .clone()
                .unwrap_or_else(|| text.get(span.clone()).unwrap_or("?").to_owned()),
        },
        Error::Budget { breach, .. } => ProblemKind::BrokenYaml {
            message: format!("beyond what a file here may hold: {breach:?}"),
        },
        other => {
            let message = other.to_string();
            let line = message.lines().next().unwrap_or_default();
            let cut = line.find(" at line ").unwrap_or(line.len());
            ProblemKind::BrokenYaml {
                message: line[..cut].to_owned(),
            }
        }
    };
    (kind, span)
}

/// The bytes of a place.
fn bytes_of(location: &Location) -> Range<usize> {
    let span = location.span();
    let to_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let start = to_usize(span.byte_offset().unwrap_or_else(|| span.offset()));
    let length = to_usize(span.byte_len().unwrap_or_else(|| span.len()));
    start..start.saturating_add(length)
}

/// A word that YAML and JSON read differently.
fn not_json(raw: &str, span: &Range<usize>) -> Refusal {
    (
        ProblemKind::NotJson {
            text: raw.trim().to_owned(),
        },
        span.clone(),
    )
}

/// Plain words that some YAML readers take for something else than a string.
const AMBIGUOUS_WORDS: [&str; 12] = [
    "yes", "no", "on", "off", "y", "n", "~", "", ".inf", "+.inf", "-.inf", ".nan",
];

/// Deeper nesting than any message needs, and shallow enough for every stack.
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decode;
    use serde_json::{Value, json};

    fn value(text: &str) -> Value {
        decode(&Node::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn json_is_read_as_json() {
        let text = r#"{"a": [1, 1.0, -0.5e3, true, null, "no"], "b\u00e9": {"c": "x\ny"}}"#;
        assert_eq!(value(text), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn every_digit_of_a_number_is_kept() {
        for number in [
            "1.0",
            "9007199254740993",
            "123456789012345678901234567890",
            "1e+400",
            "-1e+2",
        ] {
            let value = value(&format!("a: {number}"));
            assert_eq!(value.to_string(), format!("{{\"a\":{number}}}"));
        }
    }

    #[test]
    fn quoted_words_stay_strings() {
        let value = value("{a: 'no', b: \"1\", c: plain words}");
        assert_eq!(value, json!({"a": "no", "b": "1", "c": "plain words"}));
    }

    #[test]
    fn words_that_yaml_and_json_read_differently_are_refused() {
        for word in [
            "no", "Yes", "~", "True", "0x1f", "1_000", ".inf", "+1", "Null", "off",
        ] {
            let refused = Node::parse(&format!("a: {word}")).unwrap_err();
            assert_eq!(
                refused.0,
                ProblemKind::NotJson {
                    text: word.to_owned()
                },
                "{word}"
            );
            assert_eq!(refused.1, 3..3 + word.len(), "{word}");
        }
        assert!(Node::parse("a:\nb: 1").is_err(), "a key without a value");
        assert!(Node::parse("1: a").is_err(), "a key that is a number");
    }

    #[test]
    fn anchors_second_documents_and_deep_nesting_are_refused() {
        assert!(Node::parse("a: &x 1\nb: *x").is_err());
        assert!(Node::parse("a: 1\n---\nb: 1").is_err());
        assert!(Node::parse(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_err());
    }

    #[test]
    fn a_pointer_leads_to_the_bytes_of_its_value() {
        let text = "steps:\n  - request: {method: ping}\n  - expect: {match: {a: [é, 2]}}\n";
        let node = Node::parse(text).unwrap();
        assert_eq!(&text[node.place("/steps/0/request/method")], "ping");
        assert_eq!(&text[node.key_place("/steps/0/request/method")], "method");
        assert_eq!(&text[node.place("/steps/1/expect")], "expect");
        assert_eq!(&text[node.place("/steps/1")], "expect");
        assert_eq!(&text[node.place("/steps/1/expect/match/a/1")], "2");
    }
}
