//! Notifications: their shape, whether what they tell was declared, and log messages.

use std::collections::BTreeSet;

use mcp_verdict_vectors::model::Outcome;
use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{
        asks_modern, brief, exchange_of, has_legacy_session, is_modern, is_one_session,
        is_streamable, notifications, of_method, ours_in, requests, short, speaks,
    },
};
use crate::{
    schema::Validator,
    view::{Message, View},
};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/notifications/asked-for-logs",
        observe: asked_for_logs,
    },
    Watch {
        id: "rules/notifications/declared",
        observe: declared,
    },
    Watch {
        id: "rules/notifications/from-servers",
        observe: from_servers,
    },
    Watch {
        id: "rules/notifications/log-level",
        observe: log_level,
    },
    Watch {
        id: "rules/notifications/logging-declared",
        observe: logging_declared,
    },
    Watch {
        id: "rules/notifications/shape",
        observe: shape,
    },
    Watch {
        id: "rules/notifications/subscribed",
        observe: subscribed,
    },
    Watch {
        id: "rules/notifications/without-id",
        observe: without_id,
    },
];

/// With an id it is a request on the wire, of a method that the revision knows as a notification.
fn without_id(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    let known = |method: &str| validator.notification_definition(method).is_some();
    if notifications(view).any(|message| message.method().is_some_and(known)) {
        seen.exercise();
    }
    for request in requests(view) {
        let (Some(method), Some(id)) = (request.method(), request.id()) else {
            continue;
        };
        if known(method) {
            let actual = format!("{} with the id {}", short(method), brief(id));
            seen.find("a notification without an id", actual, [request.event]);
        }
    }
}

fn shape(view: &View<'_>, seen: &mut Observation) {
    let validator = Validator::of(view.head.revision);
    for notification in notifications(view).filter(|message| speaks(view, message)) {
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
                "a notification that servers send",
                method,
                [notification.event],
            );
        }
    }
}

/// What a server declares that sends this notification: the feature, and its detail.
fn capability_of(method: &str) -> Option<(&'static str, &'static str)> {
    match method {
        "notifications/prompts/list_changed" => Some(("prompts", "prompts.listChanged")),
        "notifications/resources/list_changed" => Some(("resources", "resources.listChanged")),
        "notifications/resources/updated" => Some(("resources", "resources.subscribe")),
        "notifications/tools/list_changed" => Some(("tools", "tools.listChanged")),
        _ => None,
    }
}

fn declared(view: &View<'_>, seen: &mut Observation) {
    if view.server_capabilities().is_none() || !is_one_session(view) {
        return;
    }
    for notification in notifications(view).filter(|message| speaks(view, message)) {
        let method = notification.method().unwrap_or_default();
        let Some((feature, detail)) = capability_of(method) else {
            continue;
        };
        seen.exercise();
        let (actual, events) = (format!("{method} without it"), [notification.event]);
        if !view.declares(feature) {
            seen.find(format!("`{feature}` declared"), actual, events);
        } else if !view.declares(detail) {
            // Whether a capability's detail is a capability that has to be negotiated is open.
            seen.find_as(
                Outcome::Warn,
                format!("`{detail}` declared"),
                actual,
                events,
            );
        }
    }
}

fn logging_declared(view: &View<'_>, seen: &mut Observation) {
    if view.server_capabilities().is_none() || !is_one_session(view) {
        return;
    }
    for log in
        of_method(view, "notifications/message").filter(|log| is_modern(view) || speaks(view, log))
    {
        if is_modern(view) && has_legacy_session(view) {
            return;
        }
        seen.exercise();
        if !view.declares("logging") {
            seen.find(
                "`logging` declared",
                "a log message without it",
                [log.event],
            );
        }
    }
}

/// Updates of resources come to those who subscribed to one.
fn subscribed(view: &View<'_>, seen: &mut Observation) {
    if is_modern(view) {
        return;
    }
    let subscribes = |message: &Message| message.method() == Some("resources/subscribe");
    for update in of_method(view, "notifications/resources/updated") {
        seen.exercise();
        let asked = view
            .ours()
            .any(|message| message.event < update.event && subscribes(message));
        if !asked && view.head.earlier_ids.is_empty() {
            let expected = "updates of resources after `resources/subscribe` only";
            seen.find(
                expected,
                "an update that nobody subscribed to",
                [update.event],
            );
        }
    }
}

/// The level that a modern request asks for.
fn level_of(request: &Message) -> Option<&Value> {
    request
        .params()?
        .get("_meta")?
        .get("io.modelcontextprotocol/logLevel")
}

/// In the modern era log messages come only for requests that ask for them, and on their streams.
fn asked_for_logs(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) || has_legacy_session(view) {
        return;
    }
    if view.targets().next().is_some() {
        seen.exercise();
    }
    for log in of_method(view, "notifications/message") {
        let (expected, actual) = (
            "log messages only for a request that names a level",
            "a log message",
        );
        match exchange_of(view, log) {
            Some(exchange) => {
                let mut asked = ours_in(view, exchange);
                let known = exchange.request.is_some() && ours_in(view, exchange).next().is_some();
                let lawful = asked.any(|request| {
                    level_of(request).is_some() && request.method() != Some("subscriptions/listen")
                });
                if known && !lawful {
                    seen.find(expected, actual, [log.event]);
                }
            }
            None => {
                let asks =
                    |request: &Message| request.event < log.event && level_of(request).is_some();
                if !view.ours().any(asks) && view.head.earlier_ids.is_empty() {
                    seen.find(expected, actual, [log.event]);
                }
            }
        }
    }
}

const LEVELS: [&str; 8] = [
    "debug",
    "info",
    "notice",
    "warning",
    "error",
    "critical",
    "alert",
    "emergency",
];

fn rank(level: &Value) -> Option<usize> {
    LEVELS.iter().position(|known| level == known)
}

/// The level below which a log message should not be: that of the last `logging/setLevel` that was
/// taken, or the lowest that the requests on its stream ask for.
fn least_level(view: &View<'_>, log: &Message) -> Option<usize> {
    if is_modern(view) {
        let exchange = exchange_of(view, log);
        let mut ours: Box<dyn Iterator<Item = &Message> + '_> = match exchange {
            Some(exchange) => Box::new(ours_in(view, exchange)),
            None => Box::new(view.ours().filter(|request| request.event < log.event)),
        };
        let levels: Option<BTreeSet<usize>> = ours
            .by_ref()
            .filter(|request| level_of(request).is_some() && asks_modern(view, request))
            .map(|request| level_of(request).and_then(rank))
            .collect();
        return levels?.first().copied();
    }
    let session = |message: &Message| exchange_of(view, message)?.request_header("mcp-session-id");
    let mut set = view
        .ours()
        .filter(|request| request.method() == Some("logging/setLevel"))
        .filter(|request| session(request) == session(log))
        .filter(|request| {
            let answer = view
                .response_to(request)
                .filter(|answer| answer.result().is_some());
            answer.is_some_and(|answer| answer.event < log.event)
        });
    let last = set.next_back()?;
    // While another change is under way, either level may hold.
    let pending = view.ours().any(|request| {
        request.method() == Some("logging/setLevel")
            && request.event > last.event
            && request.event < log.event
    });
    rank(last.params()?.get("level")?).filter(|_| !pending)
}

fn log_level(view: &View<'_>, seen: &mut Observation) {
    let stateless = |log: &Message| {
        !is_modern(view)
            && is_streamable(view)
            && exchange_of(view, log)
                .is_some_and(|exchange| exchange.request_header("mcp-session-id").is_none())
    };
    for log in of_method(view, "notifications/message").filter(|log| speaks(view, log)) {
        let given = log
            .params()
            .and_then(|params| params.get("level"))
            .and_then(rank);
        let (Some(given), Some(least)) = (given, least_level(view, log)) else {
            continue;
        };
        if stateless(log) {
            continue;
        }
        seen.exercise();
        if given < least {
            let expected = format!("log messages at `{}` or above", LEVELS[least]);
            seen.find(expected, format!("one at `{}`", LEVELS[given]), [log.event]);
        }
    }
}
