//! Faults of what changes: list changes, and `subscriptions/listen`.

use serde_json::{Value, json};

use super::{
    Fault, Hook,
    edits::{is_notification, remove, set},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "subscription-id-missing",
        about: "Messages of a subscription do not say of which",
        hook: Hook::Edit(|_, message| {
            remove(
                message,
                "/params/_meta/io.modelcontextprotocol~1subscriptionId",
            );
        }),
    },
    Fault {
        name: "subscription-id-wrong",
        about: "Messages of a subscription name another one",
        hook: Hook::Edit(|_, message| {
            let id = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
            if message.pointer(id).is_some() {
                set(message, id, json!("another"));
            }
        }),
    },
    Fault {
        name: "acknowledged-missing",
        about: "Subscriptions are not acknowledged",
        hook: Hook::Outgoing(|_, departure| match is_acknowledgement(&departure) {
            true => vec![],
            false => vec![departure],
        }),
    },
    Fault {
        name: "acknowledged-late",
        about: "Subscriptions are acknowledged after their first notification",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() != "subscriptions/listen" {
                return vec![departure];
            }
            let name = format!("acknowledged-late {}", facts.id());
            if is_acknowledgement(&departure) {
                facts.memory.keep(&name, departure);
                return vec![];
            }
            let mut departures = vec![departure];
            departures.extend(facts.memory.take(&name));
            departures
        }),
    },
    Fault {
        name: "acknowledged-more-than-asked",
        about: "Acknowledgements name what was not asked for",
        hook: Hook::Edit(|_, message| {
            if is_notification(message, ACKNOWLEDGED) {
                set(
                    message,
                    "/params/notifications/toolsListChanged",
                    json!(true),
                );
                set(
                    message,
                    "/params/notifications/promptsListChanged",
                    json!(true),
                );
            }
        }),
    },
    Fault {
        name: "subscription-filter-ignored",
        about: "Subscriptions bring what was not asked for",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() != "subscriptions/listen" || !is_acknowledgement(&departure) {
                return vec![departure];
            }
            vec![departure, Departure::message(unasked(facts))]
        }),
    },
    Fault {
        name: "list-changed-missing",
        about: "Lists change without a word",
        hook: Hook::Outgoing(|_, departure| {
            let method = departure
                .json()
                .and_then(|message| message.get("method")?.as_str());
            match method.is_some_and(|method| method.ends_with("/list_changed")) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "list-changed-undeclared",
        about: "Lists change with a word, though that is not declared",
        hook: Hook::Edit(|_, message| {
            for list in ["tools", "prompts", "resources"] {
                remove(message, &format!("/result/capabilities/{list}/listChanged"));
            }
        }),
    },
];

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

fn is_acknowledgement(departure: &Departure) -> bool {
    departure
        .json()
        .is_some_and(|message| is_notification(message, ACKNOWLEDGED))
}

/// A change of a list whose changes were not asked for.
fn unasked(facts: &Facts) -> Value {
    let tools = facts.param("/notifications/toolsListChanged") == &json!(true);
    let method = if tools {
        "notifications/prompts/list_changed"
    } else {
        "notifications/tools/list_changed"
    };
    let meta = json!({"io.modelcontextprotocol/subscriptionId": facts.id()});
    json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": meta}})
}
