//! Exactly what JSON-RPC 2.0 and MCP allow, and each deviation from it.

use std::fmt;

use serde_json::{Map, Value};

use super::{Decimal, Id, Lenient, Malformed, Remark, shape::Parsed};

/// A message, or a batch of them, without fault. Whether the revision spoken allows batches, or an
/// error without id, is for the caller to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Strict {
    /// The message or messages; none is [`Kind::Invalid`].
    pub parsed: Parsed,
}

/// One thing that JSON-RPC 2.0 and MCP do not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", place(at))]
pub struct Deviation {
    /// JSON pointer to where it is, or should be. The whole text is the empty pointer.
    pub at: String,
    /// What it is.
    pub what: Breach,
}

/// The kinds of deviations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A batch without messages.
    BatchEmpty,
    /// A batch of requests or notifications together with responses.
    BatchMixed,
    /// A byte order mark.
    ByteOrderMark,
    /// A member that comes more than once in its object.
    DuplicateKey,
    /// An error without a code that is an integer.
    ErrorCode,
    /// An error without a message that is a string.
    ErrorMessage,
    /// An error that is no object.
    ErrorType,
    /// A request or result whose id is null.
    IdNull,
    /// An id of another type than string or integer.
    IdType,
    /// `jsonrpc` is missing, or not "2.0".
    JsonRpcVersion,
    /// An escape of half a surrogate pair.
    LoneSurrogate,
    /// No JSON text at all.
    Malformed(Malformed),
    /// A method that is no string.
    MethodType,
    /// A method beside a result or an error.
    MethodWithResponse,
    /// Neither method nor result nor error.
    NoMethodNorResponse,
    /// No object.
    NotAnObject,
    /// An array of params, which JSON-RPC has and MCP has not.
    ParamsByPosition,
    /// Params that are neither object nor array.
    ParamsType,
    /// Both result and error.
    ResultAndError,
    /// A result that is no object, which JSON-RPC allows and MCP does not.
    ResultType,
    /// A result without an id.
    ResultWithoutId,
}

impl Strict {
    /// Reads `bytes`, which must be a message or a batch without any fault.
    ///
    /// # Errors
    /// Lists the deviations: where the bytes are no JSON text only that, else all of them.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Deviation>> {
        let lenient = Lenient::parse(bytes)
            .map_err(|malformed| vec![Deviation::new("", Breach::Malformed(malformed))])?;
        let deviations = Deviation::all(&lenient);
        if deviations.is_empty() {
            Ok(Self {
                parsed: lenient.into_parsed(),
            })
        } else {
            Err(deviations)
        }
    }
}

impl Deviation {
    /// Lists the deviations of a text that was read leniently.
    #[must_use]
    pub fn all(lenient: &Lenient) -> Vec<Self> {
        let mut found = Vec::new();
        for remark in &lenient.remarks {
            found.push(Self::new(
                "",
                match remark {
                    Remark::ByteOrderMark => Breach::ByteOrderMark,
                    Remark::LoneSurrogate { .. } => Breach::LoneSurrogate,
                },
            ));
        }
        found.extend(
            lenient
                .duplicate_keys
                .iter()
                .map(|at| Self::new(at, Breach::DuplicateKey)),
        );
        let Value::Array(items) = &lenient.value else {
            message(&lenient.value, "", &mut found);
            return found;
        };
        if items.is_empty() {
            found.push(Self::new("", Breach::BatchEmpty));
        }
        for (index, item) in items.iter().enumerate() {
            message(item, &format!("/{index}"), &mut found);
            if found.len() >= DEVIATIONS_MAX {
                return found;
            }
        }
        let responses = items
            .iter()
            .filter(|item| item.get("method").is_none())
            .count();
        if responses > 0 && responses < items.len() {
            found.push(Self::new("", Breach::BatchMixed));
        }
        found
    }

    fn new(at: &str, what: Breach) -> Self {
        Self {
            at: at.to_owned(),
            what,
        }
    }
}

fn message(value: &Value, at: &str, found: &mut Vec<Deviation>) {
    let Some(members) = value.as_object() else {
        found.push(Deviation::new(at, Breach::NotAnObject));
        return;
    };
    let mut note = |member: &str, what| found.push(Deviation::new(&format!("{at}{member}"), what));
    if members.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        note("/jsonrpc", Breach::JsonRpcVersion);
    }
    let response = members.contains_key("result") || members.contains_key("error");
    match members.get("method") {
        Some(_) if response => note("", Breach::MethodWithResponse),
        Some(method) => call(method, members, &mut note),
        None if response => answer(members, &mut note),
        None => note("", Breach::NoMethodNorResponse),
    }
}

/// Requests and notifications.
fn call(method: &Value, members: &Map<String, Value>, note: &mut impl FnMut(&str, Breach)) {
    if !method.is_string() {
        note("/method", Breach::MethodType);
    }
    match members.get("params") {
        None | Some(Value::Object(_)) => {}
        Some(Value::Array(_)) => note("/params", Breach::ParamsByPosition),
        Some(_) => note("/params", Breach::ParamsType),
    }
    if let Some(breach) = members.get("id").and_then(id_breach) {
        note("/id", breach);
    }
}

/// Responses.
fn answer(members: &Map<String, Value>, note: &mut impl FnMut(&str, Breach)) {
    let Some(error) = members.get("error") else {
        match members.get("id") {
            None => note("/id", Breach::ResultWithoutId),
            Some(id) => id_breach(id)
                .into_iter()
                .for_each(|breach| note("/id", breach)),
        }
        if !members.get("result").is_some_and(Value::is_object) {
            note("/result", Breach::ResultType);
        }
        return;
    };
    if members.contains_key("result") {
        note("", Breach::ResultAndError);
    }
    // JSON-RPC asks for a null id where the request's is not known, later revisions for none.
    if let Some(breach) = members
        .get("id")
        .filter(|id| !id.is_null())
        .and_then(id_breach)
    {
        note("/id", breach);
    }
    let Some(error) = error.as_object() else {
        note("/error", Breach::ErrorType);
        return;
    };
    let code = error.get("code").and_then(Value::as_number);
    if !code.is_some_and(Decimal::is_whole) {
        note("/error/code", Breach::ErrorCode);
    }
    if !error.get("message").is_some_and(Value::is_string) {
        note("/error/message", Breach::ErrorMessage);
    }
}

fn id_breach(id: &Value) -> Option<Breach> {
    match Id::from_value(id) {
        Some(id) if id.is_null() => Some(Breach::IdNull),
        Some(id) if id.is_string_or_integer() => None,
        _ => Some(Breach::IdType),
    }
}

fn place(at: &str) -> String {
    if at.is_empty() {
        String::new()
    } else {
        format!("`{at}`: ")
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::BatchEmpty => "the batch is empty",
            Self::BatchMixed => "the batch mixes requests or notifications with responses",
            Self::ByteOrderMark => "a byte order mark precedes the text",
            Self::DuplicateKey => "the member comes more than once",
            Self::ErrorCode => "the error's code is not an integer",
            Self::ErrorMessage => "the error's message is not a string",
            Self::ErrorType => "the error is not an object",
            Self::IdNull => "the id is null",
            Self::IdType => "the id is neither a string nor an integer",
            Self::JsonRpcVersion => "it is not \"2.0\"",
            Self::LoneSurrogate => "a string escapes half a surrogate pair",
            Self::Malformed(malformed) => return malformed.fmt(formatter),
            Self::MethodType => "the method is not a string",
            Self::MethodWithResponse => "there is a method beside a result or an error",
            Self::NoMethodNorResponse => "there is neither a method nor a result nor an error",
            Self::NotAnObject => "it is not an object",
            Self::ParamsByPosition => "the params are an array",
            Self::ParamsType => "the params are not an object",
            Self::ResultAndError => "there are both a result and an error",
            Self::ResultType => "the result is not an object",
            Self::ResultWithoutId => "there is a result, but no id",
        })
    }
}

/// Deviations listed for one batch.
const DEVIATIONS_MAX: usize = 200;
