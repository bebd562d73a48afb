//! Notifications: their shape, whether they were declared, progress, logging, cancellation.

use mcp_verdict_vectors::model::Outcome;
use mcp_verdict_wire::{Era, Revision};
use serde_json::Value;

use super::{
    Observation, Watch,
    messages::{brief, protocol_messages, short},
};
use crate::{
    schema::Validator,
    view::{Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/notifications/schema",
        observe: schema,
    },
    Watch {
        id: "rules/notifications/from-servers",
        observe: from_servers,
    },
    Watch {
        id: "rules/notifications/declared",
        observe: declared,
    },
    Watch {
        id: "rules/notifications/logging-declared",
        observe: logging_declared,
    },
    Watch {
        id: "rules/notifications/progress-token",
        observe: progress_token,
    },
    Watch {
        id: "rules/notifications/progress-increases",
        observe: progress_increases,
    },
    Watch {
        id: "rules/notifications/progress-ends",
        observe: progress_ends,
    },
    Watch {
        id: "rules/notifications/cancelled",
        observe: cancelled,
    },
];

fn notifications<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    protocol_messages(view).filter(|message| message.is_notification())
}

fn of_method<'v>(view: &'v View<'_>, method: &'static str) -> impl Iterator<Item = &'v Message> {
    notifications(view).filter(move |message| message.method() == Some(method))
}

fn schema(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for notification in notifications(view) {
        let (Some(method), Some(value)) = (notification.method(), &notification.value) else {
            continue;
        };
        let Some(definition) = validator.notification_definition(method) else {
            continue;
        };
        seen.exercise();
        if let Ok(violations) = validator.validate(definition, value)
            && let Some(violation) = violations.first()
        {
            seen.find(
                format!("a {definition}"),
                short(&violation.to_string()),
                [notification.event],
            );
        }
    }
}

fn from_servers(view: &View<'_>, seen: &mut Observation) {
    const OF_CLIENTS: [&str; 2] = [
        "notifications/initialized",
        "notifications/roots/list_changed",
    ];
    for notification in notifications(view) {
        seen.exercise();
        if let Some(method) = notification
            .method()
            .filter(|method| OF_CLIENTS.contains(method))
        {
            seen.find(
                "notifications that servers send",
                method,
                [notification.event],
            );
        }
    }
}

/// What a server must have declared before it sends a notification.
fn capability_of(method: &str) -> Option<&'static str> {
    match method {
        "notifications/tools/list_changed" => Some("tools.listChanged"),
        "notifications/prompts/list_changed" => Some("prompts.listChanged"),
        "notifications/resources/list_changed" => Some("resources.listChanged"),
        "notifications/resources/updated" => Some("resources.subscribe"),
        _ => None,
    }
}

/// Respecting what was negotiated is a SHOULD until 2025-03-26, and a MUST from 2025-06-18 on.
fn declared(view: &View<'_>, seen: &mut Observation) {
    if view.server_capabilities().is_none() {
        return;
    }
    for notification in notifications(view) {
        let Some(capability) = notification.method().and_then(capability_of) else {
            continue;
        };
        seen.exercise();
        if !view.declares(capability) {
            let actual = format!("{} without it", notification.method().unwrap_or_default());
            let must = view.head.revision >= Revision::V2025_06_18;
            let outcome = if must { Outcome::Fail } else { Outcome::Warn };
            seen.find_as(
                outcome,
                format!("`{capability}` declared"),
                actual,
                [notification.event],
            );
        }
    }
}

fn logging_declared(view: &View<'_>, seen: &mut Observation) {
    if view.server_capabilities().is_none() {
        return;
    }
    for notification in of_method(view, "notifications/message") {
        seen.exercise();
        if !view.declares("logging") {
            seen.find(
                "`logging` declared",
                "log messages without it",
                [notification.event],
            );
        }
    }
}

/// The progress token of a request of ours.
fn token_of(request: &Message) -> Option<&Value> {
    request.params()?.get("_meta")?.get("progressToken")
}

fn token(notification: &Message) -> Option<&Value> {
    notification.params()?.get("progressToken")
}

fn progress_token(view: &View<'_>, seen: &mut Observation) {
    for notification in of_method(view, "notifications/progress") {
        let Some(token) = token(notification) else {
            continue;
        };
        seen.exercise();
        let issued = view
            .ours()
            .take_while(|message| message.event < notification.event)
            .any(|message| token_of(message) == Some(token));
        // A shared session may still work for requests that this transcript does not show.
        if !issued && view.head.earlier_ids.is_empty() {
            let actual = format!("the token {}", brief(token));
            seen.find(
                "a progress token that a request gave, with its type",
                actual,
                [notification.event],
            );
        }
    }
}

fn progress_increases(view: &View<'_>, seen: &mut Observation) {
    let mut last: Vec<(&Value, f64, usize)> = Vec::new();
    for notification in of_method(view, "notifications/progress") {
        let progress = notification
            .params()
            .and_then(|params| params.get("progress"));
        let (Some(token), Some(progress)) = (token(notification), progress.and_then(Value::as_f64))
        else {
            continue;
        };
        let resumed = view
            .exchanges
            .get(&notification.exchange)
            .is_some_and(|exchange| exchange.request_header("last-event-id").is_some());
        if resumed {
            continue;
        }
        seen.exercise();
        match last.iter_mut().find(|(other, ..)| *other == token) {
            Some((_, before, event)) => {
                if progress <= *before {
                    let events = [*event, notification.event];
                    seen.find(
                        format!("progress above {before}"),
                        progress.to_string(),
                        events,
                    );
                }
                (*before, *event) = (progress, notification.event);
            }
            None => last.push((token, progress, notification.event)),
        }
    }
}

fn progress_ends(view: &View<'_>, seen: &mut Observation) {
    for request in view.ours().filter(|message| message.is_request()) {
        let Some(given) = token_of(request) else {
            continue;
        };
        let Some(response) = view.response_to(request) else {
            continue;
        };
        seen.exercise();
        let reused = view
            .ours()
            .any(|other| other.event > request.event && token_of(other) == Some(given));
        let late = of_method(view, "notifications/progress").find(|notification| {
            // Over HTTP two streams may overtake each other.
            notification.exchange == response.exchange
                && notification.event > response.event
                && token(notification) == Some(given)
        });
        if let Some(late) = late.filter(|_| !reused) {
            seen.find(
                "no progress after the response",
                "more progress",
                [response.event, late.event],
            );
        }
    }
}

/// A legacy server cancels only its own requests; a modern one only subscriptions.
fn cancelled(view: &View<'_>, seen: &mut Observation) {
    for notification in of_method(view, "notifications/cancelled") {
        let id = notification
            .params()
            .and_then(|params| params.get("requestId"));
        let Some(id) = id else { continue };
        seen.exercise();
        let before = |message: &&Message| message.event < notification.event;
        let known = if view.head.revision.era() == Era::Modern {
            view.ours().filter(before).any(|message| {
                message.method() == Some("subscriptions/listen") && message.id() == Some(id)
            })
        } else {
            view.targets()
                .filter(before)
                .any(|message| message.is_request() && message.id() == Some(id))
        };
        if !known && view.head.earlier_ids.is_empty() {
            let expected = match view.head.revision.era() {
                Era::Legacy => "the id of a request that the server sent",
                Era::Modern => "the id of a `subscriptions/listen`",
            };
            seen.find(expected, brief(id), [notification.event]);
        }
    }
}
