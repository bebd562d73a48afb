//! Faults of resources.

use serde_json::{Value, json};

use super::{
    Fault, Hook,
    edits::{each, empty_result, is_error, is_notification, set, succeed},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "unknown-resource-empty",
        about: "Reading what does not exist returns no contents and no error",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "resources/read") {
                let nothing = json!({"contents": [], "ttlMs": 0, "cacheScope": "private"});
                succeed(message, empty_result(facts, nothing));
            }
        }),
    },
    Fault {
        name: "unknown-resource-wrong-code",
        about: "Reading what does not exist is refused with -32603",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "resources/read") {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "resources-without-name",
        about: "Resources have no name",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resources", |resource| {
                resource.shift_remove("name");
            });
        }),
    },
    Fault {
        name: "resource-other-uri",
        about: "Contents carry another URI than was asked for",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/contents", |contents| {
                contents.insert("uri".to_owned(), json!("test://something-else"));
            });
        }),
    },
    Fault {
        name: "resource-blob-not-base64",
        about: "Binary contents are not base64",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/contents", |contents| {
                if contents.contains_key("blob") {
                    contents.insert("blob".to_owned(), json!("not base64!"));
                }
            });
        }),
    },
    Fault {
        name: "resource-contents-object",
        about: "Contents are an object instead of a list",
        hook: Hook::Edit(|_, message| {
            if let Some(first) = message.pointer("/result/contents/0").cloned() {
                set(message, "/result/contents", first);
            }
        }),
    },
    Fault {
        name: "subscribe-ignored",
        about: "Subscribed resources change without a word",
        hook: Hook::Outgoing(
            |_, departure| match departure.json().is_some_and(is_update) {
                true => vec![],
                false => vec![departure],
            },
        ),
    },
    Fault {
        name: "update-without-uri",
        about: "Updates do not say of which resource",
        hook: Hook::Edit(|_, message| {
            if is_update(message) {
                super::edits::remove(message, "/params/uri");
            }
        }),
    },
    Fault {
        name: "update-unasked",
        about: "Updates come for resources that nobody subscribed to",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "tools/call" && departure.answers {
                let params = json!({"uri": "test://static-text"});
                let update = json!({"jsonrpc": "2.0", "method": UPDATED, "params": params});
                return vec![Departure::message(update), departure];
            }
            vec![departure]
        }),
    },
];

const UPDATED: &str = "notifications/resources/updated";

fn is_update(message: &Value) -> bool {
    is_notification(message, UPDATED)
}
