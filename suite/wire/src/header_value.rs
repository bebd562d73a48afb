//! Values of `Mcp-Name` and `Mcp-Param-*` headers (revision 2026-07-28): plain where a header can hold
//! them, wrapped in base64 where not.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Why a header's value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// What stands between the marks is no base64.
    #[error("what is marked as base64 is none: {0}")]
    Base64(base64::DecodeError),
    /// A plain value holds what a header value cannot.
    #[error("{character:?} cannot stand in a header")]
    Character {
        /// The first such character.
        character: char,
    },
    /// The base64 holds no UTF-8.
    #[error("what the base64 holds is not UTF-8")]
    NotUtf8,
}

/// The header value that stands for `value`.
#[must_use]
pub fn encode(value: &str) -> String {
    if is_safe(value) {
        value.to_owned()
    } else {
        format!("{PREFIX}{}{SUFFIX}", STANDARD.encode(value))
    }
}

/// The value that `header` stands for. Spaces and tabs around it are HTTP's, not the value's.
///
/// # Errors
/// When the header's value holds what none may, or is marked as base64 and is not.
pub fn decode(header: &str) -> Result<String, DecodeError> {
    let header = header.trim_matches([' ', '\t']);
    if let Some(character) = header.chars().find(|&character| !fits(character)) {
        return Err(DecodeError::Character { character });
    }
    let Some(encoded) = header
        .strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix(SUFFIX))
    else {
        return Ok(header.to_owned());
    };
    let bytes = STANDARD.decode(encoded).map_err(DecodeError::Base64)?;
    String::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8)
}

/// Whether `value` can be sent as it is: visible ASCII, spaces and tabs, none of them at either end,
/// and not mistaken for an encoded value.
#[must_use]
pub fn is_safe(value: &str) -> bool {
    value.chars().all(fits)
        && value.trim_matches([' ', '\t']) == value
        && !(value.starts_with(PREFIX) && value.ends_with(SUFFIX))
}

fn fits(character: char) -> bool {
    matches!(character, '\t' | ' '..='~')
}

const PREFIX: &str = "=?base64?";
const SUFFIX: &str = "?=";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_the_specification_hold() {
        let examples = [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ];
        for (value, header) in examples {
            assert_eq!(encode(value), header);
            assert_eq!(decode(header).unwrap(), value);
        }
    }

    #[test]
    fn only_what_a_header_can_hold_is_safe() {
        for safe in [
            "",
            "a b",
            "a\tb",
            "=?base64?",
            "=?BASE64?YQ==?=",
            "file:///a?b=c",
        ] {
            assert!(is_safe(safe), "{safe:?}");
            assert_eq!(decode(safe).unwrap(), safe);
        }
        for unsafe_ in [
            " a",
            "a\t",
            "\r",
            "a\0",
            "\u{7f}",
            "é",
            "=?base64?=",
            "=?base64??=",
        ] {
            assert!(!is_safe(unsafe_), "{unsafe_:?}");
            assert_eq!(decode(&encode(unsafe_)).unwrap(), unsafe_);
        }
    }

    #[test]
    fn broken_values_are_refused() {
        assert!(matches!(
            decode("=?base64?a?="),
            Err(DecodeError::Base64(_))
        ));
        assert!(matches!(
            decode("=?base64?YQ?="),
            Err(DecodeError::Base64(_))
        ));
        assert!(matches!(
            decode("=?base64?_w==?="),
            Err(DecodeError::Base64(_))
        ));
        assert_eq!(decode("=?base64?/w==?="), Err(DecodeError::NotUtf8));
        assert_eq!(
            decode("caf\u{e9}"),
            Err(DecodeError::Character {
                character: '\u{e9}'
            })
        );
        assert_eq!(
            decode("a\rb"),
            Err(DecodeError::Character { character: '\r' })
        );
    }

    #[test]
    fn the_space_around_a_header_is_not_the_values() {
        assert_eq!(decode(" \ta ").unwrap(), "a");
        assert_eq!(decode("=?base64?IGEg?= ").unwrap(), " a ");
    }

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(value: String) {
            let header = encode(&value);
            prop_assert!(header.chars().all(fits));
            prop_assert_eq!(decode(&header).unwrap(), value);
        }

        #[test]
        fn what_looks_encoded_survives_too(inner in "[ -~]{0,12}") {
            let value = format!("=?base64?{inner}?=");
            prop_assert_eq!(decode(&encode(&value)).unwrap(), value);
        }

        #[test]
        fn what_is_decoded_can_be_encoded_again(header in "(=\\?base64\\?[A-Za-z0-9+/=]{0,8}\\?=|[ -~]{0,16})") {
            if let Ok(value) = decode(&header) {
                prop_assert_eq!(decode(&encode(&value)).unwrap(), value);
            }
        }
    }
}
