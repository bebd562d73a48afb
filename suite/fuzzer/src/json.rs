//! JSON as it is spelled: with keys that come twice, numbers that no reader keeps, and depth that costs no
//! memory until it is sent.

use serde_json::Value;

use crate::piece::{Piece, Pieces};

/// A JSON text, or something close to one.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// Items between brackets.
    List(Vec<Json>),
    /// A string of one text so many times.
    Long {
        /// The text, escaped.
        unit: String,
        /// How often it stands there.
        times: usize,
    },
    /// Members between braces: each with its key as it is spelled, quotes included.
    Map(Vec<(String, Json)>),
    /// Something within so many brackets or braces.
    Nested {
        /// What opens a level, such as `[` or `{"a":`.
        open: &'static str,
        /// What closes it.
        close: &'static str,
        /// How many there are.
        depth: usize,
        /// What is in the innermost.
        within: Box<Json>,
    },
    /// Anything else, as it is spelled.
    Token(String),
}

impl Json {
    /// A string, escaped as JSON asks.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Token(quoted(text))
    }

    /// A member of a map.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Map(members) = self else {
            return None;
        };
        let key = quoted(name);
        let mut named = members.iter().filter(|(other, _)| *other == key);
        named.next().map(|(_, value)| value)
    }

    /// Sets a member of a map, at its end if it is new.
    pub fn set(&mut self, name: &str, value: Self) {
        let Self::Map(members) = self else { return };
        let key = quoted(name);
        match members.iter_mut().find(|(other, _)| *other == key) {
            Some((_, there)) => *there = value,
            None => members.push((key, value)),
        }
    }

    /// How many values it is made of, itself included.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::List(items) => 1 + items.iter().map(Self::count).sum::<usize>(),
            Self::Map(members) => 1 + members.iter().map(|(_, it)| it.count()).sum::<usize>(),
            Self::Nested { within, .. } => 1 + within.count(),
            Self::Long { .. } | Self::Token(_) => 1,
        }
    }

    /// The value at `place`, counted from the outside in, and in order.
    pub fn at(&mut self, place: usize) -> Option<&mut Self> {
        if place == 0 {
            return Some(self);
        }
        let mut rest = place - 1;
        let children: Vec<&mut Self> = match self {
            Self::List(items) => items.iter_mut().collect(),
            Self::Map(members) => members.iter_mut().map(|(_, it)| it).collect(),
            Self::Nested { within, .. } => vec![within],
            Self::Long { .. } | Self::Token(_) => Vec::new(),
        };
        for child in children {
            let count = child.count();
            if rest < count {
                return child.at(rest);
            }
            rest -= count;
        }
        None
    }

    /// The bytes.
    #[must_use]
    pub fn pieces(&self) -> Pieces {
        let mut pieces = Pieces::default();
        self.write(&mut pieces);
        pieces
    }

    fn write(&self, pieces: &mut Pieces) {
        match self {
            Self::Token(token) => pieces.push_text(token),
            Self::List(items) => {
                pieces.push_text("[");
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        pieces.push_text(",");
                    }
                    item.write(pieces);
                }
                pieces.push_text("]");
            }
            Self::Map(members) => {
                pieces.push_text("{");
                for (index, (key, value)) in members.iter().enumerate() {
                    if index > 0 {
                        pieces.push_text(",");
                    }
                    pieces.push_text(key);
                    pieces.push_text(":");
                    value.write(pieces);
                }
                pieces.push_text("}");
            }
            Self::Long { unit, times } => {
                pieces.push_text("\"");
                pieces.push(Piece::repeated(unit.as_bytes(), *times));
                pieces.push_text("\"");
            }
            Self::Nested {
                open,
                close,
                depth,
                within,
            } => {
                pieces.push(Piece::repeated(open.as_bytes(), *depth));
                within.write(pieces);
                pieces.push(Piece::repeated(close.as_bytes(), *depth));
            }
        }
    }
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Object(members) => Self::Map(
                members
                    .iter()
                    .map(|(key, value)| (quoted(key), Self::from(value)))
                    .collect(),
            ),
            other => Self::Token(other.to_string()),
        }
    }
}

/// A text as a JSON string.
#[must_use]
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_spelled_is_what_was_meant() {
        let value = json!({"a": [1, {"b": "c\n"}], "d": null});
        let mut json = Json::from(&value);
        assert_eq!(json.count(), 6);
        assert_eq!(json.pieces().bytes(), value.to_string().into_bytes());
        *json.at(2).unwrap() = Json::Token("1e400".to_owned());
        json.set(
            "d",
            Json::Nested {
                open: "[",
                close: "]",
                depth: 3,
                within: Box::new(Json::List(vec![])),
            },
        );
        assert_eq!(
            json.pieces().bytes(),
            br#"{"a":[1e400,{"b":"c\n"}],"d":[[[[]]]]}"#
        );
        assert!(json.at(json.count()).is_none());
    }
}
