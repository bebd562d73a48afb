//! One JSON-RPC message, or what came in its place, as leniently as it can be understood.

use mcp_verdict_wire::transcript::{Exchange, SseFields};
use serde_json::Value;

/// Who sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The target.
    Target,
    /// The suite.
    Us,
}

/// A message on the wire. Each element of a batch is one.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its event's index.
    pub event: usize,
    /// The event's time.
    pub at_us: u64,
    /// Its channel.
    pub exchange: Exchange,
    /// Who sent it.
    pub direction: Direction,
    /// The vector's name for it.
    pub label: Option<String>,
    /// The vector means it to be as wrong as it is.
    pub meant: bool,
    /// Its place in an event stream.
    pub sse: Option<SseFields>,
    /// Its position within a batch.
    pub batch: Option<usize>,
    /// The JSON; `None` when the bytes hold none.
    pub value: Option<Value>,
    /// What it is.
    pub kind: Kind,
    /// What a lenient reader noticed about its bytes: duplicate keys and the like.
    pub remarks: Vec<String>,
    /// For a request: the index of the message that answers it.
    pub answer: Option<usize>,
    /// For a response: the index of the request that it answers.
    pub answers: Option<usize>,
}

/// What a message is, going by the members that it has.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// It has a method and an id.
    Request {
        /// The id, whatever its type.
        id: Value,
        /// The method.
        method: String,
    },
    /// It has a method and no id.
    Notification {
        /// The method.
        method: String,
    },
    /// It has a result.
    Result {
        /// The id, if there is one.
        id: Option<Value>,
    },
    /// It has an error.
    Error {
        /// The id, if there is one.
        id: Option<Value>,
        /// The code, if it is an integer.
        code: Option<i64>,
    },
    /// None of these.
    Invalid {
        /// What is wrong with it.
        why: String,
        /// The id, if there is one.
        id: Option<Value>,
    },
}

impl Kind {
    /// Classifies a JSON value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let Value::Object(members) = value else {
            return Self::invalid(format!("{} is no message", kind_name(value)), None);
        };
        let id = members.get("id").cloned();
        let (result, error) = (members.contains_key("result"), members.get("error"));
        match members.get("method") {
            Some(_) if result || error.is_some() => {
                Self::invalid("it has a method and a result or an error".to_owned(), id)
            }
            Some(Value::String(method)) => match id {
                Some(id) => Self::Request {
                    id,
                    method: method.clone(),
                },
                None => Self::Notification {
                    method: method.clone(),
                },
            },
            Some(_) => Self::invalid("its method is no string".to_owned(), id),
            None => match (result, error) {
                (true, Some(_)) => Self::invalid("it has a result and an error".to_owned(), id),
                (true, None) => Self::Result { id },
                (false, Some(error)) => Self::Error {
                    id,
                    code: error.get("code").and_then(integer),
                },
                (false, None) => Self::invalid("it has no method, result or error".to_owned(), id),
            },
        }
    }

    pub(super) fn invalid(why: String, id: Option<Value>) -> Self {
        Self::Invalid { why, id }
    }

    /// The id, where there is one.
    #[must_use]
    pub fn id(&self) -> Option<&Value> {
        match self {
            Self::Request { id, .. } => Some(id),
            Self::Notification { .. } => None,
            Self::Result { id } | Self::Error { id, .. } | Self::Invalid { id, .. } => id.as_ref(),
        }
    }
}

impl Message {
    /// The method of a request or notification.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        match &self.kind {
            Kind::Request { method, .. } | Kind::Notification { method } => Some(method),
            _ => None,
        }
    }

    /// The id, where there is one.
    #[must_use]
    pub fn id(&self) -> Option<&Value> {
        self.kind.id()
    }

    /// The error's code.
    #[must_use]
    pub fn code(&self) -> Option<i64> {
        match self.kind {
            Kind::Error { code, .. } => code,
            _ => None,
        }
    }

    /// JSON pointers of the members that its bytes hold more than once.
    pub fn duplicate_keys(&self) -> impl Iterator<Item = &str> {
        self.remarks
            .iter()
            .filter_map(|remark| remark.strip_suffix(TWICE))
    }

    /// The `params` of a request or notification.
    #[must_use]
    pub fn params(&self) -> Option<&Value> {
        self.value.as_ref()?.get("params")
    }

    /// The `result` of a response.
    #[must_use]
    pub fn result(&self) -> Option<&Value> {
        self.value.as_ref()?.get("result")
    }

    /// Whether the target sent it.
    #[must_use]
    pub fn is_targets(&self) -> bool {
        self.direction == Direction::Target
    }

    /// Whether it is a request.
    #[must_use]
    pub fn is_request(&self) -> bool {
        matches!(self.kind, Kind::Request { .. })
    }

    /// Whether it is a notification.
    #[must_use]
    pub fn is_notification(&self) -> bool {
        matches!(self.kind, Kind::Notification { .. })
    }

    /// Whether it is a response: a result, an error, or something with members of both.
    #[must_use]
    pub fn is_response(&self) -> bool {
        match &self.kind {
            Kind::Result { .. } | Kind::Error { .. } => true,
            Kind::Invalid { .. } => self.value.as_ref().is_some_and(|value| {
                value.get("method").is_none()
                    && (value.get("result").is_some() || value.get("error").is_some())
            }),
            _ => false,
        }
    }
}

/// How a remark on a member that came more than once ends.
pub(super) const TWICE: &str = " is there twice";

/// An integer in any spelling (`1`, `1.0`, `1e0`).
pub(crate) fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64()?;
        // Within ±2^53 every integral float is exact.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be an exact integer"
        )]
        (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
    })
}

/// The name of a JSON value's type.
fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
