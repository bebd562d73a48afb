//! Subscriptions of 2026-07-28: what comes on them, and in which order.

use serde_json::Value;

use super::{
    Observation, Watch,
    reach::{
        asks_modern, brief, exchange_of, has_legacy_session, is_modern, notifications, ours_in,
        short,
    },
};
use crate::view::{Message, View};

pub(super) const RULES: &[Watch] = &[
    Watch {
        id: "rules/subscriptions/acknowledged-first",
        observe: acknowledged_first,
    },
    Watch {
        id: "rules/subscriptions/named",
        observe: named,
    },
    Watch {
        id: "rules/subscriptions/only-what-was-asked",
        observe: only_what_was_asked,
    },
];

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The key under which a notification names its subscription.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn is_listen(message: &Message) -> bool {
    message.is_request() && message.method() == Some("subscriptions/listen")
}

/// The requests of this revision that opened subscriptions, and were not refused.
fn listens<'v>(view: &'v View<'_>) -> impl Iterator<Item = &'v Message> {
    let modern = is_modern(view) && !has_legacy_session(view);
    view.ours().filter(move |message| {
        modern
            && is_listen(message)
            && asks_modern(view, message)
            && view
                .response_to(message)
                .is_none_or(|response| response.result().is_some())
    })
}

fn subscription_of(message: &Message) -> Option<&Value> {
    message.params()?.get("_meta")?.get(SUBSCRIPTION)
}

/// Notifications that come on subscriptions alone.
fn is_of_subscriptions(message: &Message) -> bool {
    matches!(
        message.method(),
        Some(
            ACKNOWLEDGED
                | "notifications/prompts/list_changed"
                | "notifications/resources/list_changed"
                | "notifications/resources/updated"
                | "notifications/tools/list_changed"
        )
    )
}

/// The notification by which a server ends a subscription names it in its params.
fn ends_one(message: &Message) -> bool {
    message.method() == Some("notifications/cancelled")
}

fn named(view: &View<'_>, seen: &mut Observation) {
    if !is_modern(view) || has_legacy_session(view) {
        return;
    }
    for notification in notifications(view).filter(|message| !ends_one(message)) {
        let on_stream = exchange_of(view, notification)
            .is_some_and(|exchange| ours_in(view, exchange).any(is_listen));
        if !on_stream && !is_of_subscriptions(notification) {
            continue;
        }
        seen.exercise();
        let expected = format!("`{SUBSCRIPTION}` with the id of a `subscriptions/listen`");
        let Some(id) = subscription_of(notification) else {
            seen.find(expected, "none", [notification.event]);
            continue;
        };
        let opened = view
            .ours()
            .any(|message| is_listen(message) && message.id() == Some(id));
        if !opened && !view.head.earlier_ids.contains(id) {
            seen.find(expected, brief(id), [notification.event]);
        }
    }
}

/// The notifications of one subscription, up to the next one under the same id.
fn of<'v>(view: &'v View<'_>, listen: &'v Message) -> impl Iterator<Item = &'v Message> {
    let next = view.ours().find(|message| {
        is_listen(message) && message.event > listen.event && message.id() == listen.id()
    });
    let end = next.map_or(usize::MAX, |next| next.event);
    notifications(view).filter(move |message| {
        (listen.event..end).contains(&message.event)
            && !ends_one(message)
            && subscription_of(message).is_some_and(|id| Some(id) == listen.id())
    })
}

fn acknowledged_first(view: &View<'_>, seen: &mut Observation) {
    for listen in listens(view) {
        let Some(first) = of(view, listen).next() else {
            continue;
        };
        seen.exercise();
        if first.method() != Some(ACKNOWLEDGED) {
            let expected = format!("`{ACKNOWLEDGED}` before anything else");
            let actual = short(first.method().unwrap_or_default());
            seen.find(expected, actual, [listen.event, first.event]);
        }
    }
}

/// Whether a filter asks for notifications of this method; `None` for those that no filter is about.
fn asks_for(filter: Option<&Value>, method: &str) -> Option<bool> {
    let asked = |member: &str| {
        Some(
            filter
                .and_then(|filter| filter.get(member))
                .is_some_and(|value| *value == Value::Bool(true)),
        )
    };
    match method {
        "notifications/prompts/list_changed" => asked("promptsListChanged"),
        "notifications/resources/list_changed" => asked("resourcesListChanged"),
        "notifications/tools/list_changed" => asked("toolsListChanged"),
        // An update may be of a part of what was subscribed to.
        "notifications/resources/updated" => {
            let uris = filter.and_then(|filter| filter.get("resourceSubscriptions"));
            Some(
                uris.and_then(Value::as_array)
                    .is_some_and(|uris| !uris.is_empty()),
            )
        }
        _ => None,
    }
}

fn only_what_was_asked(view: &View<'_>, seen: &mut Observation) {
    for listen in listens(view) {
        let filter = listen
            .params()
            .and_then(|params| params.get("notifications"));
        let odd = filter.and_then(Value::as_object).is_none_or(|filter| {
            filter
                .values()
                .any(|value| !value.is_boolean() && !value.is_array())
        });
        if odd {
            continue;
        }
        for notification in of(view, listen) {
            seen.exercise();
            let method = notification.method().unwrap_or_default();
            if asks_for(filter, method) == Some(false) {
                let events = [listen.event, notification.event];
                seen.find(
                    "only notifications that were asked for",
                    short(method),
                    events,
                );
            }
        }
    }
}
