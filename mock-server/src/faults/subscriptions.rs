//! Faults of what changes: list changes, and `subscriptions/listen`.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{carries, is_notification, is_result, remove, set, text},
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
    Fault {
        name: "subscription-id-as-string",
        about: "Ids of subscriptions are strings, whatever they were",
        hook: Hook::Edit(|_, message| text(message, SUBSCRIPTION_ID)),
    },
    Fault {
        name: "subscription-id-digits-as-number",
        about: "Ids of subscriptions that are strings of digits come back as numbers",
        hook: Hook::Edit(|_, message| {
            if let Some(id) = message.pointer_mut(SUBSCRIPTION_ID)
                && let Some(number) = id.as_str().and_then(|text| text.parse::<i64>().ok())
            {
                *id = json!(number);
            }
        }),
    },
    Fault {
        name: "subscription-ids-mixed",
        about: "Messages of every subscription name the one that was opened last",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                if facts.method() == LISTEN {
                    drop(facts.memory.take(LISTEN));
                    facts
                        .memory
                        .keep(LISTEN, Departure::message(facts.id().clone()));
                }
                Arrived::pass(message)
            }),
            Hook::Edit(|facts, message| {
                let last = facts.memory.take(LISTEN);
                if let Some(id) = last.first().and_then(Departure::json)
                    && message.pointer(SUBSCRIPTION_ID).is_some()
                {
                    set(message, SUBSCRIPTION_ID, id.clone());
                }
                last.into_iter()
                    .for_each(|id| facts.memory.keep(LISTEN, id));
            }),
        ]),
    },
    Fault {
        name: "log-on-listen-stream",
        about: "Log messages come on subscriptions",
        hook: Hook::Outgoing(|facts, departure| {
            let params = json!({"level": "error", "data": "not for here"});
            after_acknowledgement(facts, departure, "notifications/message", params)
        }),
    },
    Fault {
        name: "progress-on-listen-stream",
        about: "Progress comes on subscriptions",
        hook: Hook::Outgoing(|facts, departure| {
            let params = json!({"progressToken": "listening", "progress": 1});
            after_acknowledgement(facts, departure, "notifications/progress", params)
        }),
    },
    Fault {
        name: "resource-updates-missing",
        about: "Resources change without a word to those who watch them",
        hook: Hook::Outgoing(|_, departure| match carries(&departure, is_update) {
            true => vec![],
            false => vec![departure],
        }),
    },
    Fault {
        name: "resource-updates-for-all",
        about: "Subscriptions bring the changes of resources that were not asked for",
        hook: Hook::All(&[
            Hook::Incoming(|facts, mut message| {
                if facts.method() == LISTEN {
                    set(&mut message, WATCHED, json!(["test://watched-resource"]));
                }
                Arrived::pass(message)
            }),
            Hook::Edit(|_, message| {
                if is_notification(message, ACKNOWLEDGED) {
                    remove(message, WATCHED);
                }
            }),
        ]),
    },
    Fault {
        name: "listen-unknown-members-refused",
        about: "Subscriptions that ask for something unknown as well are refused",
        hook: Hook::Incoming(|facts, message| {
            let asked = facts.param("/notifications").as_object();
            let known =
                |name: &String| name.ends_with("ListChanged") || name == "resourceSubscriptions";
            match asked.is_some_and(|asked| !asked.keys().all(known)) {
                true => Arrived::answer(Departure::error(facts.id(), -32602, "unknown member")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "listen-filter-not-required",
        about: "Subscriptions that do not say to what are opened",
        hook: Hook::Incoming(|facts, mut message| {
            if facts.method() == LISTEN && facts.param("/notifications").is_null() {
                set(&mut message, "/params/notifications", json!({}));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "listen-filter-missing-unanswered",
        about: "Subscriptions that do not say to what are passed over",
        hook: Hook::Incoming(|facts, message| {
            match facts.method() == LISTEN && facts.param("/notifications").is_null() {
                true => Arrived::drop(),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "listen-swallows-next",
        about: "The request after that for a subscription is not answered",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == LISTEN {
                facts.memory.keep(NEXT, Departure::message(Value::Null));
            } else if !facts.id().is_null() && !facts.memory.take(NEXT).is_empty() {
                return Arrived::drop();
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "listen-as-json",
        about: "Subscriptions are answered with one JSON object",
        hook: Hook::HttpResponse(|request, response| {
            let message = request.json().unwrap_or_default();
            if message.get("method") == Some(&json!(LISTEN)) && response.is_stream() {
                let meta = json!({"io.modelcontextprotocol/subscriptionId": message.get("id")});
                let result = json!({"resultType": "complete", "_meta": meta});
                let answer = json!({"jsonrpc": "2.0", "id": message.get("id"), "result": result});
                response.body = Some(answer.to_string().into_bytes());
                let json = http::HeaderValue::from_static("application/json");
                response.headers.insert(http::header::CONTENT_TYPE, json);
            }
        }),
    },
    Fault {
        name: "closure-without-subscription-id",
        about: "The result that ends a subscription does not say which",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, LISTEN) {
                remove(
                    message,
                    "/result/_meta/io.modelcontextprotocol~1subscriptionId",
                );
            }
        }),
    },
];

const NEXT: &str = "the request after a subscription";
const LISTEN: &str = "subscriptions/listen";
const SUBSCRIPTION_ID: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";
const WATCHED: &str = "/params/notifications/resourceSubscriptions";

fn is_update(message: &Value) -> bool {
    is_notification(message, "notifications/resources/updated")
}

/// The acknowledgement of a subscription, and behind it another notification on it.
fn after_acknowledgement(
    facts: &Facts,
    departure: Departure,
    method: &str,
    mut params: Value,
) -> Vec<Departure> {
    if !is_acknowledgement(&departure) {
        return vec![departure];
    }
    params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": facts.id()});
    let notification = json!({"jsonrpc": "2.0", "method": method, "params": params});
    vec![departure, Departure::message(notification)]
}

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
