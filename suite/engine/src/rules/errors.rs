//! Errors: their shape, their codes, and what they give away.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{asks_modern, brief, is_modern, responses, short, speaks},
};
use crate::{
    schema::Validator,
    view::{Kind, Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/errors/data",
        observe: data,
    },
    Watch {
        id: "rules/errors/no-inner-workings",
        observe: no_inner_workings,
    },
    Watch {
        id: "rules/errors/reserved-codes",
        observe: reserved_codes,
    },
    Watch {
        id: "rules/errors/shape",
        observe: shape,
    },
    Watch {
        id: "rules/errors/undefined-codes",
        observe: undefined_codes,
    },
];

fn errors<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Message, &'v Value)> {
    responses(view).filter_map(|response| match response.kind {
        Kind::Error { .. } => Some((response, response.value.as_ref()?.get("error")?)),
        _ => None,
    })
}

fn shape(view: &View<'_>, seen: &mut Observation) {
    for (response, error) in errors(view) {
        seen.exercise();
        let message = error.get("message").is_some_and(Value::is_string);
        if response.code().is_none() || !message {
            let expected = "an error with an integer as `code` and a text as `message`";
            seen.find(expected, brief(error), [response.event]);
        }
    }
}

/// The definition of an error whose code the revision gives a meaning and a shape.
fn definition_of(revision: Revision, code: i64) -> Option<&'static str> {
    match (revision, code) {
        (Revision::V2025_11_25, -32042) => Some("URLElicitationRequiredError"),
        (Revision::V2026_07_28, -32020) => Some("HeaderMismatchError"),
        (Revision::V2026_07_28, -32021) => Some("MissingRequiredClientCapabilityError"),
        (Revision::V2026_07_28, -32022) => Some("UnsupportedProtocolVersionError"),
        _ => None,
    }
}

fn data(view: &View<'_>, seen: &mut Observation) {
    let revision = view.head.revision;
    let validator = Validator::of(revision);
    for (response, error) in errors(view) {
        // The codes of the modern era mean the same to whatever request they come.
        if revision.era() == Era::Legacy && !speaks(view, response) {
            continue;
        }
        seen.exercise();
        let Some(definition) = response
            .code()
            .and_then(|code| definition_of(revision, code))
        else {
            continue;
        };
        // Its id is the business of other rules.
        let alone = serde_json::json!({"jsonrpc": "2.0", "error": error});
        if let Ok(violations) = validator.validate(definition, &alone)
            && let Some(violation) = violations.first()
        {
            seen.find(
                format!("a {definition}"),
                short(&violation.to_string()),
                [response.event],
            );
        }
    }
}

/// Error codes as 2026-07-28 parts them. Who does not ask by this revision may be answered by another.
fn reserved_codes(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) {
        return;
    }
    for (response, _) in errors(view) {
        let Some(code) = response.code() else {
            continue;
        };
        if !view
            .request_of(response)
            .is_some_and(|request| asks_modern(view, request))
        {
            continue;
        }
        seen.exercise();
        match code {
            -32002 | -32042 => {
                let actual = format!("{code}, which earlier revisions used");
                seen.find("an error code of this revision", actual, [response.event]);
            }
            -32022..=-32020 => {}
            -32099..=-32020 => {
                let actual = format!("{code}, from the range reserved for the specification");
                seen.find(
                    "an error code that the specification defines",
                    actual,
                    [response.event],
                );
            }
            -32019..=-32000 => {
                let actual = format!("{code}, from the range left to earlier implementations");
                seen.find_as(
                    Outcome::Warn,
                    "a code outside -32019 to -32000",
                    actual,
                    [response.event],
                );
            }
            _ => {}
        }
    }
}

/// JSON-RPC keeps -32768 to -32000 for itself, and leaves -32099 to -32000 of that to servers.
fn undefined_codes(view: &View<'_>, seen: &mut Observation) {
    for (response, _) in errors(view) {
        let Some(code) = response.code() else {
            continue;
        };
        seen.exercise();
        let defined = matches!(code, -32700 | -32603..=-32600);
        if (-32768..-32099).contains(&code) && !defined {
            let expected = "an error code that JSON-RPC defines, or leaves to others";
            seen.find(expected, code.to_string(), [response.event]);
        }
    }
}

/// Traces of the program that answered, in the words that it answered with.
fn no_inner_workings(view: &View<'_>, seen: &mut Observation) {
    for (response, error) in errors(view) {
        seen.exercise();
        let mut texts = Vec::new();
        strings(error, 0, &mut texts);
        let found = texts.iter().find_map(|text| {
            let trace = TRACES.iter().find_map(|trace| text.find(trace))?;
            text.get(trace..)
        });
        if let Some(trace) = found {
            let actual = format!("a stack trace: {}", short(trace));
            seen.find(
                "an error that keeps the program's insides to itself",
                actual,
                [response.event],
            );
        }
    }
}

/// Every string in `value`.
fn strings<'v>(value: &'v Value, depth: usize, into: &mut Vec<&'v str>) {
    match value {
        _ if depth > DEPTH_MAX => {}
        Value::String(text) => into.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, depth + 1, into)),
        Value::Object(members) => members
            .values()
            .for_each(|item| strings(item, depth + 1, into)),
        _ => {}
    }
}

/// How stack traces look: Python, JavaScript, Java, Rust, Go.
const TRACES: [&str; 5] = [
    "Traceback (most recent call last)",
    "\n    at ",
    "\n\tat ",
    "stack backtrace:",
    "goroutine 1 [",
];

/// Deeper than any error goes.
const DEPTH_MAX: usize = 16;
