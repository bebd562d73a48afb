//! Faults of lists: whether there are any, their pages and cursors, what caches are told of them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{empty_result, fail, pass_edited, remove, set, succeed},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "lists-refused",
        about: "There are no lists",
        hook: Hook::Edit(|facts, message| {
            if is_list(facts, message) {
                fail(message, -32601, "Method not found");
            }
        }),
    },
    Fault {
        name: "list-cursor-loops",
        about: "Lists never end: every page leads to the first",
        hook: Hook::Edit(|facts, message| {
            if let (Some(member), Some(_)) = (listed(facts), message.get("result")) {
                let first = URL_SAFE_NO_PAD.encode(format!("{member}:0"));
                set(message, "/result/nextCursor", json!(first));
            }
        }),
    },
    Fault {
        name: "invalid-cursor-accepted",
        about: "An invalid cursor brings an empty page",
        hook: Hook::Edit(|facts, message| {
            if let Some(member) = listed(facts)
                && message.pointer("/error/message") == Some(&json!("Invalid cursor"))
            {
                let page = json!({member: [], "ttlMs": 0, "cacheScope": "public"});
                succeed(message, empty_result(facts, page));
            }
        }),
    },
    Fault {
        name: "next-cursor-null",
        about: "The last page has a null cursor",
        hook: Hook::Edit(|facts, message| {
            if is_list(facts, message) && message.pointer("/result/nextCursor").is_none() {
                set(message, "/result/nextCursor", Value::Null);
            }
        }),
    },
    Fault {
        name: "next-cursor-number",
        about: "Cursors are numbers",
        hook: Hook::Edit(|facts, message| {
            if is_list(facts, message) {
                set(message, "/result/nextCursor", json!(7));
            }
        }),
    },
    Fault {
        name: "invalid-cursor-internal",
        about: "An invalid cursor is an internal error",
        hook: Hook::Edit(|facts, message| {
            if facts.method().ends_with("/list") && message.get("error").is_some() {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "cursor-of-any-type",
        about: "A cursor that is no string is taken for none",
        hook: Hook::Incoming(|_, message| {
            pass_edited(message, |message| {
                if message
                    .pointer("/params/cursor")
                    .is_some_and(|it| !it.is_string())
                {
                    remove(message, "/params/cursor");
                }
            })
        }),
    },
    Fault {
        name: "cursors-used-up",
        about: "A cursor is refused every other time",
        hook: Hook::Incoming(|facts, message| {
            let name = format!(
                "cursors-used-up {:?} {}",
                facts.revision,
                facts.param("/cursor")
            );
            if facts.param("/cursor").is_string() && facts.memory.count(&name) % 2 == 0 {
                return Arrived::answer(Departure::error(facts.id(), -32602, "Invalid cursor"));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "list-changed-with-id",
        about: "Changes of lists carry an id",
        hook: Hook::Edit(|_, message| {
            let method = message
                .get("method")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if method.ends_with("/list_changed") {
                message["id"] = json!("changed");
            }
        }),
    },
    Fault {
        name: "cache-scope-unknown",
        about: "Results can be cached for callers of an unknown kind",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/cacheScope").is_some() {
                set(message, "/result/cacheScope", json!("shared"));
            }
        }),
    },
];

/// The member that holds the items of a list, if that is what is asked for.
fn listed(facts: &Facts) -> Option<&'static str> {
    match facts.method() {
        "prompts/list" => Some("prompts"),
        "resources/list" => Some("resources"),
        "resources/templates/list" => Some("resourceTemplates"),
        "tools/list" => Some("tools"),
        _ => None,
    }
}

/// Whether a message is a page of a list.
fn is_list(facts: &Facts, message: &Value) -> bool {
    facts.method().ends_with("/list") && message.get("result").is_some()
}
