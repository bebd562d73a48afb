//! What kind of message a JSON value is.

use std::{fmt, ops::Range};

use serde_json::Value;

use super::{Decimal, Id};

/// One message, or several in a batch.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a value that is moved once, and almost always single"
)]
pub enum Parsed {
    /// An array, each item by itself. It may be empty.
    Batch(Vec<Message>),
    /// Anything but an array.
    Single(Message),
}

/// A JSON value that stands where a message should.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// All of it.
    pub value: Value,
    /// Where it stands in the bytes that were read.
    pub span: Range<usize>,
    id: Option<Id>,
}

/// The kinds of messages, read with leniency: whether `jsonrpc` is there, or what `params` are, is for
/// the strict view to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A response with an error.
    Error {
        /// Absent where there is no `id` member; null where it is null.
        id: Option<Id>,
        /// The code, where it is an integer by value.
        code: Option<i64>,
    },
    /// Nothing that JSON-RPC knows.
    Invalid {
        /// Why not.
        why: Why,
    },
    /// A method without an id.
    Notification {
        /// Its method.
        method: String,
    },
    /// A method with an id, which may be null.
    Request {
        /// Its id.
        id: Id,
        /// Its method.
        method: String,
    },
    /// A response with a result.
    Result {
        /// The id, which may be null.
        id: Id,
    },
}

/// Why a value is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Why {
    /// The id is neither string nor number nor null.
    IdType,
    /// The method is no string.
    MethodType,
    /// A method beside a result or an error.
    MethodWithResponse,
    /// Neither method nor result nor error.
    NoMethodNorResponse,
    /// No object at all.
    NotAnObject,
    /// Both result and error.
    ResultAndError,
    /// A result that answers nothing, since it has no id.
    ResultWithoutId,
}

impl Parsed {
    /// The messages, one or many, in order.
    #[must_use]
    pub fn messages(&self) -> &[Message] {
        match self {
            Self::Batch(messages) => messages,
            Self::Single(message) => std::slice::from_ref(message),
        }
    }

    /// The messages, one or many, in order.
    #[must_use]
    pub fn into_messages(self) -> Vec<Message> {
        match self {
            Self::Batch(messages) => messages,
            Self::Single(message) => vec![message],
        }
    }

    /// Whether it is a batch.
    #[must_use]
    pub fn is_batch(&self) -> bool {
        matches!(self, Self::Batch(_))
    }
}

impl Message {
    /// Classifies a value that was not read from bytes here. Its id is spelled as the value keeps it.
    #[must_use]
    pub fn from_value(value: Value) -> Self {
        Self::new(value, None, 0..0)
    }

    /// `raw_id` is the text of the id as written.
    pub(super) fn new(value: Value, raw_id: Option<&str>, span: Range<usize>) -> Self {
        let id = value.get("id").and_then(|id| Id::new(id, raw_id));
        let kind = classify(&value, id.as_ref()).unwrap_or_else(|why| Kind::Invalid { why });
        Self {
            kind,
            value,
            span,
            id,
        }
    }

    /// The id, of an invalid message too. `None` where there is none or it cannot be one.
    #[must_use]
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref()
    }

    /// The method, of an invalid message too.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.value.get("method").and_then(Value::as_str)
    }

    /// The params, whatever they are.
    #[must_use]
    pub fn params(&self) -> Option<&Value> {
        self.value.get("params")
    }

    /// The result, whatever it is.
    #[must_use]
    pub fn result(&self) -> Option<&Value> {
        self.value.get("result")
    }

    /// The error, whatever it is.
    #[must_use]
    pub fn error(&self) -> Option<&Value> {
        self.value.get("error")
    }

    /// The id of the request that this message answers, well or badly: it has no method, but a result
    /// or an error or both.
    #[must_use]
    pub fn answers(&self) -> Option<&Id> {
        let response = self.result().is_some() || self.error().is_some();
        if response && self.value.get("method").is_none() {
            self.id()
        } else {
            None
        }
    }
}

fn classify(value: &Value, id: Option<&Id>) -> Result<Kind, Why> {
    let members = value.as_object().ok_or(Why::NotAnObject)?;
    let (result, error) = (members.get("result"), members.get("error"));
    if members.contains_key("id") && id.is_none() {
        return Err(Why::IdType);
    }
    let Some(method) = members.get("method") else {
        return match (result, error, id) {
            (Some(_), Some(_), _) => Err(Why::ResultAndError),
            (None, None, _) => Err(Why::NoMethodNorResponse),
            (Some(_), None, None) => Err(Why::ResultWithoutId),
            (Some(_), None, Some(id)) => Ok(Kind::Result { id: id.clone() }),
            (None, Some(error), id) => Ok(Kind::Error {
                id: id.cloned(),
                code: error.get("code").and_then(integer),
            }),
        };
    };
    let method = method.as_str().ok_or(Why::MethodType)?.to_owned();
    if result.is_some() || error.is_some() {
        return Err(Why::MethodWithResponse);
    }
    Ok(match id {
        Some(id) => Kind::Request {
            id: id.clone(),
            method,
        },
        None => Kind::Notification { method },
    })
}

fn integer(value: &Value) -> Option<i64> {
    Decimal::of(value.as_number()?)?.to_i64()
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::IdType => "the id is neither a string nor a number nor null",
            Self::MethodType => "the method is not a string",
            Self::MethodWithResponse => "there is a method beside a result or an error",
            Self::NoMethodNorResponse => "there is neither a method nor a result nor an error",
            Self::NotAnObject => "it is not an object",
            Self::ResultAndError => "there are both a result and an error",
            Self::ResultWithoutId => "there is a result, but no id",
        })
    }
}
