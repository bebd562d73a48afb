//! What 2026-07-28 asks of results, subscriptions and HTTP statuses.

use mcp_verdict_wire::Era;
use serde_json::Value;

use super::{
    Observation, Watch,
    messages::{brief, protocol_messages, short},
};
use crate::view::{Message, View, declares};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/modern/result-type",
        observe: result_type,
    },
    Watch {
        id: "rules/modern/server-info",
        observe: server_info,
    },
    Watch {
        id: "rules/modern/input-required-where",
        observe: input_required_where,
    },
    Watch {
        id: "rules/modern/input-required-what",
        observe: input_required_what,
    },
    Watch {
        id: "rules/modern/input-required-declared",
        observe: input_required_declared,
    },
    Watch {
        id: "rules/modern/subscription-id",
        observe: subscription_id,
    },
    Watch {
        id: "rules/modern/acknowledged-first",
        observe: acknowledged_first,
    },
    Watch {
        id: "rules/modern/subscribed-only",
        observe: subscribed_only,
    },
    Watch {
        id: "rules/modern/error-status",
        observe: error_status,
    },
    Watch {
        id: "rules/modern/no-session",
        observe: no_session,
    },
    Watch {
        id: "rules/modern/logging-asked-for",
        observe: logging_asked_for,
    },
];

/// The key under which a notification names its subscription.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn is_modern(view: &View<'_>) -> bool {
    view.head.revision.era() == Era::Modern
}

/// Results of requests of this revision, with the request.
fn results<'v>(view: &'v View<'_>) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    let modern = is_modern(view);
    protocol_messages(view)
        .filter(move |_| modern)
        .filter_map(move |response| {
            let request = view.request_of(response)?;
            let of_this_era = request.method() != Some("initialize");
            Some((
                request,
                response,
                response.result().filter(|_| of_this_era)?,
            ))
        })
}

fn result_type(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in results(view) {
        seen.exercise();
        let events = [request.event, response.event];
        match result.get("resultType") {
            Some(Value::String(_)) => {}
            Some(other) => seen.find("`resultType` as a string", brief(other), events),
            None => seen.find("`resultType` in the result", "none", events),
        }
    }
}

fn server_info(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in results(view) {
        seen.exercise();
        let info = result
            .get("_meta")
            .and_then(|meta| meta.get("io.modelcontextprotocol/serverInfo"));
        if info.is_none() {
            let expected = "`io.modelcontextprotocol/serverInfo` in the result's `_meta`";
            seen.find(expected, "none", [request.event, response.event]);
        }
    }
}

fn input_required<'v>(
    view: &'v View<'_>,
) -> impl Iterator<Item = (&'v Message, &'v Message, &'v Value)> {
    results(view).filter(|(_, _, result)| {
        result
            .get("resultType")
            .is_some_and(|kind| kind == "input_required")
    })
}

fn input_required_where(view: &View<'_>, seen: &mut Observation) {
    for (request, response, _) in input_required(view) {
        seen.exercise();
        let method = request.method().unwrap_or_default();
        if !matches!(method, "tools/call" | "prompts/get" | "resources/read") {
            let expected = "input required only by tools/call, prompts/get and resources/read";
            seen.find(expected, short(method), [request.event, response.event]);
        }
    }
}

fn input_required_what(view: &View<'_>, seen: &mut Observation) {
    for (_, response, result) in input_required(view) {
        seen.exercise();
        let requests = result.get("inputRequests");
        if requests.is_none() && result.get("requestState").is_none() {
            let expected = "`inputRequests` or `requestState`";
            seen.find(expected, brief(result), [response.event]);
        }
        for (key, request) in requests.and_then(Value::as_object).into_iter().flatten() {
            let method = request
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if capability_of(method).is_none() {
                let actual = format!("{}: {}", short(key), brief(request));
                let expected = "elicitation/create, sampling/createMessage or roots/list";
                seen.find(expected, actual, [response.event]);
            }
        }
    }
}

fn capability_of(method: &str) -> Option<&'static str> {
    match method {
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" => Some("elicitation"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

fn input_required_declared(view: &View<'_>, seen: &mut Observation) {
    for (request, response, result) in input_required(view) {
        let wanted = result
            .get("inputRequests")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        let capabilities = request.params().and_then(|params| {
            params
                .get("_meta")?
                .get("io.modelcontextprotocol/clientCapabilities")
        });
        for (_, input) in wanted {
            let method = input.get("method").and_then(Value::as_str);
            let Some(capability) = method.and_then(capability_of) else {
                continue;
            };
            seen.exercise();
            if !capabilities.is_some_and(|capabilities| declares(capabilities, capability)) {
                let expected = format!("no input that the client did not declare (`{capability}`)");
                seen.find(expected, brief(input), [request.event, response.event]);
            }
        }
    }
}

/// The requests that opened subscriptions, and were not refused.
fn listens<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    let modern = is_modern(view);
    view.ours().filter(move |message| {
        modern
            && message.method() == Some("subscriptions/listen")
            && view
                .response_to(message)
                .is_none_or(|response| response.result().is_some())
    })
}

fn subscription_of(message: &Message) -> Option<&Value> {
    message.params()?.get("_meta")?.get(SUBSCRIPTION)
}

fn is_change(message: &Message) -> bool {
    matches!(
        message.method(),
        Some(
            "notifications/tools/list_changed"
                | "notifications/prompts/list_changed"
                | "notifications/resources/list_changed"
                | "notifications/resources/updated"
                | "notifications/subscriptions/acknowledged"
        )
    )
}

fn subscription_id(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) {
        return;
    }
    for notification in
        protocol_messages(view).filter(|message| message.is_notification() && is_change(message))
    {
        seen.exercise();
        let expected = format!("`{SUBSCRIPTION}` with the id of a `subscriptions/listen`");
        match subscription_of(notification) {
            None => seen.find(expected, "none", [notification.event]),
            Some(id) => {
                let opened = view.ours().any(|message| {
                    message.method() == Some("subscriptions/listen") && message.id() == Some(id)
                });
                if !opened && !view.head.earlier_ids.contains(id) {
                    seen.find(expected, brief(id), [notification.event]);
                }
            }
        }
    }
}

fn acknowledged_first(view: &View<'_>, seen: &mut Observation) {
    for listen in listens(view) {
        let first = protocol_messages(view).find(|message| {
            message.event > listen.event
                && message.is_notification()
                && subscription_of(message).is_some_and(|id| Some(id) == listen.id())
        });
        let Some(first) = first else { continue };
        seen.exercise();
        if first.method() != Some("notifications/subscriptions/acknowledged") {
            let expected = "`notifications/subscriptions/acknowledged` before anything else";
            let actual = short(first.method().unwrap_or_default());
            seen.find(expected, actual, [listen.event, first.event]);
        }
    }
}

fn subscribed_only(view: &View<'_>, seen: &mut Observation) {
    for listen in listens(view) {
        let filter = listen
            .params()
            .and_then(|params| params.get("notifications"));
        let asked = |member: &str| {
            filter
                .and_then(|filter| filter.get(member))
                .is_some_and(|value| *value == Value::Bool(true))
        };
        let of_this = protocol_messages(view).filter(|message| {
            message.is_notification()
                && subscription_of(message).is_some_and(|id| Some(id) == listen.id())
        });
        for notification in of_this {
            let allowed = match notification.method() {
                Some("notifications/tools/list_changed") => asked("toolsListChanged"),
                Some("notifications/prompts/list_changed") => asked("promptsListChanged"),
                Some("notifications/resources/list_changed") => asked("resourcesListChanged"),
                Some("notifications/resources/updated") => filter
                    .and_then(|filter| filter.get("resourceSubscriptions"))
                    .and_then(Value::as_array)
                    .is_some_and(|uris| !uris.is_empty()),
                _ => continue,
            };
            seen.exercise();
            if !allowed {
                let actual = short(notification.method().unwrap_or_default());
                seen.find(
                    "only notifications that were asked for",
                    actual,
                    [listen.event, notification.event],
                );
            }
        }
    }
}

/// The HTTP statuses that go with error codes.
fn error_status(view: &View<'_>, seen: &mut Observation) {
    for response in protocol_messages(view).filter(|_| is_modern(view)) {
        let status = view
            .exchanges
            .get(&response.exchange)
            .and_then(|exchange| exchange.status());
        let (Some(code), Some(status)) = (response.code(), status) else {
            continue;
        };
        if view.request_of(response).and_then(Message::method) == Some("initialize") {
            continue;
        }
        let due = match code {
            -32022..=-32020 => 400,
            -32601 => 404,
            _ => continue,
        };
        seen.exercise();
        if status != due {
            let events = view.request_of(response).map(|request| request.event);
            let actual = format!("HTTP {status} with the error {code}");
            seen.find(
                format!("HTTP {due} with the error {code}"),
                actual,
                events.into_iter().chain([response.event]),
            );
        }
    }
}

fn no_session(view: &View<'_>, seen: &mut Observation) {
    for exchange in view.exchanges.values().filter(|_| is_modern(view)) {
        let Some(response) = &exchange.response else {
            continue;
        };
        let messages = exchange.messages.iter().map(|index| &view.messages[*index]);
        let mut ours = messages.filter(|message| !message.is_targets());
        if ours.any(|message| message.method() == Some("initialize")) {
            continue;
        }
        seen.exercise();
        if let Some(id) = exchange.response_header("mcp-session-id") {
            seen.find("no `Mcp-Session-Id`", short(id), [response.event]);
        }
    }
}

/// Log messages only for requests that ask for them.
fn logging_asked_for(view: &View<'_>, seen: &mut Observation) {
    let asks = |message: &Message| {
        message
            .params()
            .and_then(|params| params.get("_meta")?.get("io.modelcontextprotocol/logLevel"))
            .is_some()
    };
    if !is_modern(view) {
        return;
    }
    if view.targets().next().is_some() {
        seen.exercise();
    }
    for log in
        protocol_messages(view).filter(|message| message.method() == Some("notifications/message"))
    {
        let mut candidates = view
            .ours()
            .filter(|message| message.exchange == log.exchange && message.event < log.event);
        if !candidates.any(asks) && view.head.earlier_ids.is_empty() {
            seen.find(
                "log messages only for requests that name a level",
                "a log message",
                [log.event],
            );
        }
    }
}
