//! Requests that a legacy server sends to its client, and that a modern one must not.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;

use super::{
    Observation, Watch,
    messages::{brief, protocol_messages, short},
};
use crate::{
    schema::Validator,
    view::{Message, View, declares},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/requests/none-in-the-modern-era",
        observe: none_in_the_modern_era,
    },
    Watch {
        id: "rules/requests/schema",
        observe: schema,
    },
    Watch {
        id: "rules/requests/ids",
        observe: ids,
    },
    Watch {
        id: "rules/requests/declared",
        observe: declared,
    },
    Watch {
        id: "rules/requests/not-before-initialized",
        observe: not_before_initialized,
    },
];

fn requests<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_request())
}

fn is_modern(view: &View<'_>) -> bool {
    view.head.revision.era() == Era::Modern
}

fn none_in_the_modern_era(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) {
        return;
    }
    if view.targets().next().is_some() {
        seen.exercise();
    }
    for request in requests(view) {
        let actual = format!(
            "a request of {}",
            short(request.method().unwrap_or_default())
        );
        seen.find("no requests from a server", actual, [request.event]);
    }
}

fn schema(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for request in requests(view).filter(|_| !is_modern(view)) {
        let (Some(method), Some(value)) = (request.method(), &request.value) else {
            continue;
        };
        let Some(definition) = validator.request_definition(method) else {
            continue;
        };
        seen.exercise();
        if let Ok(violations) = validator.validate(definition, value)
            && let Some(violation) = violations.first()
        {
            seen.find(
                format!("a {definition}"),
                short(&violation.to_string()),
                [request.event],
            );
        }
    }
}

fn ids(view: &View<'_>, seen: &mut Observation) {
    let mut used: Vec<(&Value, usize)> = Vec::new();
    for request in requests(view) {
        let Some(id) = request.id() else { continue };
        seen.exercise();
        if !(id.is_string() || id.is_i64() || id.is_u64()) {
            seen.find(
                "a string or an integer as the id",
                brief(id),
                [request.event],
            );
        }
        let repeated = used.iter().find(|(other, _)| *other == id);
        // A resumed stream may bring the same request again.
        let resumed = view
            .exchanges
            .get(&request.exchange)
            .is_some_and(|exchange| exchange.request_header("last-event-id").is_some());
        match repeated {
            Some((_, first)) if !resumed => {
                let actual = format!("{} again", brief(id));
                seen.find(
                    "an id that was not used before",
                    actual,
                    [*first, request.event],
                );
            }
            _ => used.push((id, request.event)),
        }
    }
}

/// What the client must have declared before a server may ask for it.
fn capability_of(method: &str) -> Option<&'static str> {
    match method {
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" => Some("elicitation"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

/// Respecting what was negotiated is a SHOULD until 2025-03-26, and a MUST from 2025-06-18 on.
fn declared(view: &View<'_>, seen: &mut Observation) {
    for request in requests(view).filter(|_| !is_modern(view)) {
        let Some(capability) = request.method().and_then(capability_of) else {
            continue;
        };
        seen.exercise();
        let capabilities = view.client_capabilities(request.event);
        if !capabilities.is_some_and(|capabilities| declares(capabilities, capability)) {
            let expected =
                format!("requests only for what the client declared; `{capability}` it did not");
            let actual = request.value.as_ref().map_or_else(String::new, brief);
            let outcome = if view.head.revision < Revision::V2025_06_18 {
                Outcome::Warn
            } else {
                Outcome::Fail
            };
            seen.find_as(outcome, expected, actual, [request.event]);
        }
    }
}

fn not_before_initialized(view: &View<'_>, seen: &mut Observation) {
    if is_modern(view) {
        return;
    }
    let initialized = view
        .ours()
        .find(|message| message.method() == Some("notifications/initialized"))
        .map(|message| message.event);
    for request in requests(view) {
        seen.exercise();
        let early = initialized.is_none_or(|event| request.event < event);
        if early && request.method() != Some("ping") {
            let actual = request.method().map(short).unwrap_or_default();
            seen.find(
                "no request but ping before `notifications/initialized`",
                actual,
                [request.event],
            );
        }
    }
}
