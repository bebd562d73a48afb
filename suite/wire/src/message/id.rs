//! Ids of requests, as they were written.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use serde_json::Value;

use super::decimal::{Decimal, rises};

/// An id that a message carries: a string, a number or null.
///
/// Two ids are equal when JSON type and value are: `1` equals `1.0`, but neither equals `"1"`, and
/// `9007199254740993` is not `9007199254740992`. How it was spelled is kept beside.
#[derive(Clone)]
pub struct Id {
    raw: String,
    value: Comparable,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Comparable {
    Null,
    Number(Decimal),
    /// A number whose exponent has no exact value here; equal to nothing but its own spelling.
    Spelling(String),
    String(String),
}

impl Id {
    /// The id that `value` is, if it can be one. Its spelling is the one that the value keeps.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        Self::new(value, None)
    }

    /// `raw` is the text from which `value` was read.
    pub(super) fn new(value: &Value, raw: Option<&str>) -> Option<Self> {
        let comparable = match value {
            Value::Null => Comparable::Null,
            Value::String(text) => Comparable::String(text.clone()),
            Value::Number(number) => match Decimal::of(number) {
                Some(decimal) => Comparable::Number(decimal),
                None => Comparable::Spelling(number.as_str().to_owned()),
            },
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let raw = raw.map_or_else(|| value.to_string(), str::to_owned);
        Some(Self {
            raw,
            value: comparable,
        })
    }

    /// The text between `"id":` and what follows it.
    #[must_use]
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// Whether both have the same JSON type and value. The same as `==`.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self == other
    }

    /// Whether both are the same and, where they are numbers, are spelled alike: `1.0` is not `1`.
    /// How a string escapes its characters does not count.
    #[must_use]
    pub fn spelled_like(&self, other: &Self) -> bool {
        self == other && (matches!(self.value, Comparable::String(_)) || self.raw == other.raw)
    }

    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.value == Comparable::Null
    }

    /// The text of a string id.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Comparable::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a number id.
    #[must_use]
    pub fn as_decimal(&self) -> Option<&Decimal> {
        match &self.value {
            Comparable::Number(decimal) => Some(decimal),
            _ => None,
        }
    }

    /// Whether a request may carry it in MCP: a string, or a number without fractional part.
    #[must_use]
    pub fn is_string_or_integer(&self) -> bool {
        match &self.value {
            Comparable::String(_) => true,
            Comparable::Number(decimal) => decimal.is_integer(),
            Comparable::Spelling(text) => rises(text),
            Comparable::Null => false,
        }
    }
}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Eq for Id {}

impl Hash for Id {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Id({})", self.raw)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.raw)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn id(json: &str) -> Id {
        let value: Value = serde_json::from_str(json).unwrap();
        Id::new(&value, Some(json)).unwrap()
    }

    #[test]
    fn a_number_is_no_string() {
        assert!(!id("1").same(&id("\"1\"")));
        assert!(!id("null").same(&id("\"null\"")));
        assert!(!id("0").same(&id("null")));
    }

    #[test]
    fn other_spellings_are_the_same_id_but_not_spelled_alike() {
        for spelling in ["1.0", "1e0", "1E+0", "10e-1"] {
            assert!(id(spelling).same(&id("1")), "{spelling}");
            assert!(!id(spelling).spelled_like(&id("1")), "{spelling}");
            assert!(id(spelling).spelled_like(&id(spelling)), "{spelling}");
            assert_eq!(id(spelling).raw(), spelling);
        }
        assert!(id(r#""a\/b""#).spelled_like(&id(r#""a/b""#)));
    }

    #[test]
    fn large_integers_do_not_collapse() {
        let ids = [
            "9007199254740992",
            "9007199254740993",
            "9007199254740994",
            "1e400",
            "1e401",
        ];
        assert_eq!(
            ids.into_iter().map(id).collect::<HashSet<_>>().len(),
            ids.len()
        );
    }

    #[test]
    fn an_exponent_without_end_equals_its_own_spelling_only() {
        let endless = id("1e99999999999999999999999");
        assert!(endless.same(&endless.clone()));
        assert!(!endless.same(&id("1e99999999999999999999998")));
        assert!(endless.is_string_or_integer());
    }

    #[test]
    fn what_a_request_may_carry() {
        for fine in ["0", "-1", "1.0", "1e3", "\"\"", "\"a\""] {
            assert!(id(fine).is_string_or_integer(), "{fine}");
        }
        for wrong in ["null", "0.5", "1e-1"] {
            assert!(!id(wrong).is_string_or_integer(), "{wrong}");
        }
        for none in ["true", "[]", "{}"] {
            assert_eq!(
                Id::from_value(&serde_json::from_str(none).unwrap()),
                None,
                "{none}"
            );
        }
    }
}
