//! What a peer's bytes say, even where they are not what they should be.

use serde_json::Value;

use crate::limits::JSON_VALUES_MAX;

use super::{
    shape::{Message, Parsed},
    text::{self, Envelope},
};

/// A JSON text as a judge inspects it: the value, and what readers usually hide.
#[derive(Clone, Debug, PartialEq)]
pub struct Lenient {
    /// The value. Of members with the same name the last counts; the order of members and the digits
    /// of numbers are kept.
    pub value: Value,
    /// JSON pointers of the members that came more than once, as far as they are worth listing. Very
    /// long names are cut.
    pub duplicate_keys: Vec<String>,
    /// What else is remarkable about the bytes.
    pub remarks: Vec<Remark>,
    /// How many values there are in it, itself included.
    pub values: usize,
    envelopes: Vec<Envelope>,
}

/// Why bytes are no JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is nothing, or white space alone.
    #[error("there is no JSON text")]
    Empty,
    /// The bytes are no UTF-8.
    #[error("byte {offset} is not UTF-8")]
    NotUtf8 {
        /// The first wrong byte, from 0.
        offset: usize,
    },
    /// The grammar is broken.
    #[error("byte {offset} is not {expected}")]
    Syntax {
        /// The first wrong byte, from 0.
        offset: usize,
        /// What the grammar asks for there.
        expected: &'static str,
    },
    /// Deeper nesting than [`crate::limits::JSON_DEPTH_MAX`].
    #[error(
        "byte {offset} opens more than {} levels",
        crate::limits::JSON_DEPTH_MAX
    )]
    TooDeep {
        /// The container that is one too deep, from 0.
        offset: usize,
    },
    /// More bytes than [`crate::limits::MESSAGE_BYTES_MAX`].
    #[error("{bytes} bytes are more than {}", crate::limits::MESSAGE_BYTES_MAX)]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// More values than [`crate::limits::JSON_VALUES_MAX`], or than there is room for.
    #[error("byte {offset} begins more than {max} values")]
    TooManyValues {
        /// How many there may be.
        max: usize,
        /// The value that is one too many, from 0.
        offset: usize,
    },
    /// Something follows the JSON text.
    #[error("byte {offset} follows the end of the JSON text")]
    Trailing {
        /// Where it begins, from 0.
        offset: usize,
    },
    /// The text ends before it is complete.
    #[error("the JSON text is cut off")]
    Truncated,
}

/// Something that is not wrong by the grammar of JSON, but not sound either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A byte order mark precedes the text. It is not part of it.
    ByteOrderMark,
    /// An escape that is half of a surrogate pair, which no text in Unicode can hold. It reads as
    /// U+FFFD.
    LoneSurrogate {
        /// Its backslash, from 0.
        offset: usize,
    },
}

impl Malformed {
    /// Whether the text is more than we read, which says nothing about whether it is JSON.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooDeep { .. } | Self::TooLong { .. } | Self::TooManyValues { .. }
        )
    }
}

impl Lenient {
    /// Reads the one JSON text that `bytes` should be, without their framing.
    ///
    /// # Errors
    /// When they are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        Self::parse_within(bytes, JSON_VALUES_MAX)
    }

    /// As [`Lenient::parse`], if it holds at most so many values.
    ///
    /// # Errors
    /// When they are none, or there are more.
    pub fn parse_within(bytes: &[u8], values_max: usize) -> Result<Self, Malformed> {
        let text = text::read(bytes, values_max)?;
        Ok(Self {
            values: text.values,
            value: text.value,
            duplicate_keys: text.duplicate_keys,
            remarks: text.remarks,
            envelopes: text.envelopes,
        })
    }

    /// The message, or the messages of a batch.
    #[must_use]
    pub fn classify(&self) -> Parsed {
        self.clone().into_parsed()
    }

    /// As [`Lenient::classify`], without copying the value.
    #[must_use]
    pub fn into_parsed(self) -> Parsed {
        let mut envelopes = self.envelopes.into_iter();
        let mut message = |value| {
            let envelope = envelopes
                .next()
                .expect("the reader notes an envelope for each message");
            Message::new(value, envelope.id.as_deref(), envelope.span)
        };
        match self.value {
            Value::Array(items) => Parsed::Batch(items.into_iter().map(message).collect()),
            single => Parsed::Single(message(single)),
        }
    }
}

impl std::fmt::Display for Remark {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByteOrderMark => formatter.write_str("a byte order mark precedes the text"),
            Self::LoneSurrogate { offset } => {
                write!(
                    formatter,
                    "byte {offset} begins an escape of half a surrogate pair"
                )
            }
        }
    }
}
