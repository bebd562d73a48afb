//! Progress: under whose token, how it goes on, and when it ends; and cancellation.

use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{
        alike, brief, has_legacy_session, is_modern, is_one_session, is_resumed, of_method, same,
    },
};
use crate::view::{Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/cancellation/own-requests",
        observe: own_requests,
    },
    Watch {
        id: "rules/progress/ends",
        observe: ends,
    },
    Watch {
        id: "rules/progress/increases",
        observe: increases,
    },
    Watch {
        id: "rules/progress/token",
        observe: token,
    },
];

/// The progress token of a request of ours.
fn given_by(request: &Message) -> Option<&Value> {
    request.params()?.get("_meta")?.get("progressToken")
}

/// The progress token of a notification.
fn token_of(notification: &Message) -> Option<&Value> {
    notification.params()?.get("progressToken")
}

/// Every token that we gave, with its request.
fn tokens<'v>(view: &'v View<'_>) -> Vec<(&'v Value, &'v Message)> {
    let given = view.ours().filter(|message| message.is_request());
    given
        .filter_map(|request| Some((given_by(request)?, request)))
        .collect()
}

fn token(view: &View<'_>, seen: &mut Observation) {
    let given = tokens(view);
    for notification in of_method(view, "notifications/progress") {
        let Some(token) = token_of(notification) else {
            continue;
        };
        seen.exercise();
        let mut before = given
            .iter()
            .filter(|(_, request)| request.event < notification.event);
        if before.clone().any(|(known, _)| same(known, token)) {
            continue;
        }
        // A session that was used before may still work for requests that this transcript does not show.
        if before.any(|(known, _)| alike(known, token)) || view.head.earlier_ids.is_empty() {
            let expected = "a progress token that a request gave, with its type";
            seen.find(
                expected,
                format!("the token {}", brief(token)),
                [notification.event],
            );
        }
    }
}

fn increases(view: &View<'_>, seen: &mut Observation) {
    let given = tokens(view);
    // Token, how often it was given by then, progress, event.
    let mut last: Vec<(&Value, usize, f64, usize)> = Vec::new();
    for notification in of_method(view, "notifications/progress") {
        let progress = notification
            .params()
            .and_then(|params| params.get("progress")?.as_f64());
        let (Some(token), Some(progress)) = (token_of(notification), progress) else {
            continue;
        };
        if is_resumed(view, notification) {
            continue;
        }
        seen.exercise();
        let uses = given
            .iter()
            .filter(|(known, request)| same(known, token) && request.event < notification.event)
            .count();
        let room = last.len() < TOKENS_MAX;
        match last
            .iter_mut()
            .find(|(other, of, ..)| same(other, token) && *of == uses)
        {
            Some((_, _, before, event)) => {
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
            None if room => {
                last.push((token, uses, progress, notification.event));
            }
            None => {}
        }
    }
}

fn ends(view: &View<'_>, seen: &mut Observation) {
    let given = tokens(view);
    for (place, (token, request)) in given.iter().enumerate() {
        let Some(response) = view.response_to(request) else {
            continue;
        };
        // A task goes on, and reports, after the response that names it.
        if response
            .result()
            .is_some_and(|result| result.get("task").is_some())
        {
            continue;
        }
        // Who gives a token again means the other request.
        let again = given
            .iter()
            .enumerate()
            .any(|(other, (known, _))| other != place && same(known, token));
        if again {
            continue;
        }
        seen.exercise();
        let late = of_method(view, "notifications/progress").find(|notification| {
            // Over HTTP one stream may overtake another.
            notification.exchange == response.exchange
                && notification.event > response.event
                && token_of(notification).is_some_and(|of| same(of, token))
        });
        if let Some(late) = late {
            seen.find(
                "no progress after the response",
                "more progress",
                [response.event, late.event],
            );
        }
    }
}

/// A legacy server cancels requests of its own; a modern one has none, and ends subscriptions.
fn own_requests(view: &View<'_>, seen: &mut Observation) {
    let modern = is_modern(view);
    if !is_one_session(view) || (modern && has_legacy_session(view)) {
        return;
    }
    if view.targets().next().is_some() {
        seen.exercise();
    }
    for notification in of_method(view, "notifications/cancelled") {
        let Some(id) = notification
            .params()
            .and_then(|params| params.get("requestId"))
        else {
            continue;
        };
        let names = |message: &Message| {
            message.event < notification.event && message.id().is_some_and(|of| same(of, id))
        };
        let known = if modern {
            view.ours()
                .any(|message| message.method() == Some("subscriptions/listen") && names(message))
        } else {
            view.targets()
                .any(|message| message.is_request() && names(message))
        };
        if !known && view.head.earlier_ids.is_empty() {
            let expected = if modern {
                "the id of a `subscriptions/listen`"
            } else {
                "the id of a request that the server sent"
            };
            seen.find(expected, brief(id), [notification.event]);
        }
    }
}

/// Tokens that are followed: more than anyone gives, and few enough to compare each with all.
const TOKENS_MAX: usize = 1000;
