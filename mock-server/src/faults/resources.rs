//! Faults of resources.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{
        carries, each, empty_result, fail, hide_after_call, is_error, is_notification, set, succeed,
    },
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "traversal-served",
        about: "A path that leads out of the folder is followed",
        hook: Hook::Edit(|facts, message| {
            let uri = facts.param("/uri").as_str().unwrap_or_default();
            if facts.method() == "resources/read" && uri.ends_with("/etc/passwd") {
                let passwd = "root:x:0:0:root:/root:/bin/sh\n";
                let contents = json!([{"uri": uri, "mimeType": "text/plain", "text": passwd}]);
                let result = empty_result(facts, json!({"contents": contents}));
                succeed(message, result);
            }
        }),
    },
    Fault {
        name: "resources-hidden-after-call",
        about: "With every call of a tool a resource comes or goes",
        hook: Hook::Outgoing(|facts, departure| {
            hide_after_call(facts, departure, "resources/list", "/result/resources")
        }),
    },
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
    Fault {
        name: "resources-title-number",
        about: "Titles of resources are numbers",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resources", |it| {
                it.insert("title".to_owned(), json!(7));
            });
        }),
    },
    Fault {
        name: "resource-uris-relative",
        about: "Resources have a file name for a URI",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resources", |it| {
                it.insert("uri".to_owned(), json!("notes.txt"));
            });
        }),
    },
    Fault {
        name: "resource-uris-repeat",
        about: "All resources have the same URI",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resources", |it| {
                it.insert("uri".to_owned(), json!("test://static-text"));
            });
        }),
    },
    Fault {
        name: "resource-mime-type-malformed",
        about: "Resources name their type in one word",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resources", |it| {
                it.insert("mimeType".to_owned(), json!("text"));
            });
        }),
    },
    Fault {
        name: "resource-contents-without-uri",
        about: "Contents do not say of which resource",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/contents", |it| {
                it.shift_remove("uri");
            });
        }),
    },
    Fault {
        name: "resource-contents-empty",
        about: "Contents hold neither text nor bytes",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/contents", |it| {
                it.shift_remove("text");
                it.shift_remove("blob");
            });
        }),
    },
    Fault {
        name: "templates-without-uri-template",
        about: "Templates have no URI template",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resourceTemplates", |it| {
                it.shift_remove("uriTemplate");
            });
        }),
    },
    Fault {
        name: "templates-without-name",
        about: "Templates have no name",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resourceTemplates", |it| {
                it.shift_remove("name");
            });
        }),
    },
    Fault {
        name: "template-braces-open",
        about: "URI templates do not close their braces",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/resourceTemplates", |it| {
                it.insert("uriTemplate".to_owned(), json!("test://template/{id"));
            });
        }),
    },
    Fault {
        name: "unknown-resource-old-code",
        about: "Reading what does not exist is refused with -32002",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "resources/read") {
                set(message, "/error/code", json!(-32002));
            }
        }),
    },
    Fault {
        name: "subscribe-refused",
        about: "Nobody can subscribe",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "resources/subscribe" {
                fail(message, -32601, "Method not found");
            }
        }),
    },
    Fault {
        name: "unsubscribe-refused",
        about: "Subscriptions cannot be ended",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "resources/unsubscribe" {
                fail(message, -32601, "Method not found");
            }
        }),
    },
    Fault {
        name: "unsubscribe-ignored",
        about: "Subscriptions go on when they are ended",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "resources/unsubscribe" {
                let done = json!({"jsonrpc": "2.0", "id": facts.id(), "result": {}});
                return Arrived::answer(Departure::answer(done));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "unknown-subscription-unanswered",
        about: "Subscriptions to what does not exist are not answered",
        hook: Hook::Outgoing(|facts, departure| {
            let refused = |message: &Value| is_error(facts, message, "resources/subscribe");
            match carries(&departure, refused) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
];

const UPDATED: &str = "notifications/resources/updated";

fn is_update(message: &Value) -> bool {
    is_notification(message, UPDATED)
}
