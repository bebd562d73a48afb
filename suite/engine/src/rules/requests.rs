//! Requests that a legacy server sends to its client, and that a modern one must not.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{
        brief, capability_for, client_declares, exchange_of, has_legacy_session, is_modern,
        is_one_session, is_resumed, is_streamable, requests, short, speaks,
    },
};
use crate::{
    schema::Validator,
    view::{Message, View, integer},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/requests/declared",
        observe: declared,
    },
    Watch {
        id: "rules/requests/id-form",
        observe: id_form,
    },
    Watch {
        id: "rules/requests/id-once",
        observe: id_once,
    },
    Watch {
        id: "rules/requests/none-in-the-modern-era",
        observe: none_in_the_modern_era,
    },
    Watch {
        id: "rules/requests/not-before-initialized",
        observe: not_before_initialized,
    },
    Watch {
        id: "rules/requests/shape",
        observe: shape,
    },
];

fn none_in_the_modern_era(view: &View<'_>, seen: &mut Observation) {
    // A server of both eras may speak to a legacy session as it did then.
    if !is_modern(view) || has_legacy_session(view) {
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

/// Requests of a legacy server whose session speaks the transcript's revision.
fn legacy<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    requests(view).filter(|request| !is_modern(view) && speaks(view, request))
}

fn shape(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for request in legacy(view) {
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

fn id_form(view: &View<'_>, seen: &mut Observation) {
    for request in requests(view).filter(|_| !is_modern(view)) {
        let Some(id) = request.id() else { continue };
        seen.exercise();
        if !id.is_string() && integer(id).is_none() {
            seen.find(
                "a string or an integer as the id",
                brief(id),
                [request.event],
            );
        }
    }
}

/// The session that a request came in. Over Streamable HTTP without sessions there is none, and each
/// exchange may count from the start.
fn session_of<'v>(view: &'v View<'_>, request: &Message) -> Option<&'v str> {
    match exchange_of(view, request) {
        Some(exchange) if is_streamable(view) => exchange.request_header("mcp-session-id"),
        _ => Some(""),
    }
}

fn id_once(view: &View<'_>, seen: &mut Observation) {
    if is_modern(view) || !is_one_session(view) {
        return;
    }
    let mut used: HashMap<(&str, String), &Message> = HashMap::new();
    for request in requests(view).filter(|request| !is_resumed(view, request)) {
        let (Some(id), Some(session)) = (request.id(), session_of(view, request)) else {
            continue;
        };
        if id.is_null() {
            continue;
        }
        seen.exercise();
        // Numbers are the same by value: `1` is `1.0`.
        let number = integer(id).map(Value::from);
        let key = (session, number.as_ref().unwrap_or(id).to_string());
        match used.get(&key) {
            // The same request on another stream is another rule's.
            Some(other) if other.exchange != request.exchange && other.value == request.value => {}
            Some(other) => {
                let actual = format!("{} again", brief(id));
                seen.find(
                    "an id that was not used before",
                    actual,
                    [other.event, request.event],
                );
            }
            None => drop(used.insert(key, request)),
        }
    }
}

fn declared(view: &View<'_>, seen: &mut Observation) {
    for request in legacy(view) {
        let method = request.method().unwrap_or_default();
        let Some(capability) = capability_for(method, request.params()) else {
            continue;
        };
        seen.exercise();
        let declares = client_declares(view.client_capabilities(request.event), capability);
        if !declares && !is_declared_elsewhere(view, capability) {
            let expected =
                format!("no request for what the client did not declare (`{capability}`)");
            let actual = request.value.as_ref().map_or_else(String::new, brief);
            seen.find(expected, actual, [request.event]);
        }
    }
}

/// Whether one of several openings declares it: which of them counts when they are under way is open.
fn is_declared_elsewhere(view: &View<'_>, capability: &str) -> bool {
    view.openings.iter().any(|index| {
        let params = view.messages[*index].params();
        client_declares(
            params.and_then(|params| params.get("capabilities")),
            capability,
        )
    })
}

fn not_before_initialized(view: &View<'_>, seen: &mut Observation) {
    if is_modern(view) || !is_one_session(view) {
        return;
    }
    let told = |message: &&Message| message.method() == Some("notifications/initialized");
    let initialized = view.ours().find(told).map(|message| message.event);
    for request in requests(view) {
        seen.exercise();
        let early = initialized.is_none_or(|event| request.event < event);
        if early && request.method() != Some("ping") {
            let expected = "no request but a ping before `notifications/initialized`";
            seen.find(
                expected,
                request.method().map(short).unwrap_or_default(),
                [request.event],
            );
        }
    }
}
