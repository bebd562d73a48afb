//! Faults of tools.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    Fault, Hook,
    edits::{each, is_error, is_result, remove, set, succeed},
};
use crate::core::Facts;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "tools-without-input-schema",
        about: "Tools have no input schema",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.shift_remove("inputSchema");
            });
        }),
    },
    Fault {
        name: "tools-input-schema-null",
        about: "Input schemas are null",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.insert("inputSchema".to_owned(), serde_json::Value::Null);
            });
        }),
    },
    Fault {
        name: "tools-names-repeat",
        about: "All tools have the same name",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.insert("name".to_owned(), json!("echo"));
            });
        }),
    },
    Fault {
        name: "structured-content-missing",
        about: "Tools with an output schema return no structured content",
        hook: Hook::Edit(|_, message| remove(message, "/result/structuredContent")),
    },
    Fault {
        name: "structured-content-wrong",
        about: "Structured content does not conform to the output schema",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/structuredContent").is_some() {
                set(
                    message,
                    "/result/structuredContent",
                    json!({"temperature": "warm"}),
                );
            }
        }),
    },
    Fault {
        name: "structured-content-without-text",
        about: "Structured content comes without the same as text",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/structuredContent").is_some() {
                set(message, "/result/content", json!([]));
            }
        }),
    },
    Fault {
        name: "tool-content-missing",
        about: "Results of tools have no content",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/call") {
                remove(message, "/result/content");
            }
        }),
    },
    Fault {
        name: "image-without-mime-type",
        about: "Images do not say what they are",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                block.shift_remove("mimeType");
            });
        }),
    },
    Fault {
        name: "image-not-base64",
        about: "Images and sounds are not base64",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                if block.contains_key("data") {
                    block.insert("data".to_owned(), json!("not base64!"));
                }
            });
        }),
    },
    Fault {
        name: "unknown-tool-succeeds",
        about: "Calls of unknown tools return an empty result",
        hook: Hook::Edit(|facts, message| {
            let unknown = message
                .pointer("/error/message")
                .and_then(|text| text.as_str());
            if is_error(facts, message, "tools/call")
                && unknown.is_some_and(|text| text.starts_with("Unknown tool"))
            {
                succeed(
                    message,
                    super::edits::empty_result(facts, json!({"content": []})),
                );
            }
        }),
    },
    Fault {
        name: "tool-errors-as-protocol-errors",
        about: "Tools that fail answer with a JSON-RPC error",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/isError") == Some(&json!(true)) {
                super::edits::fail(message, -32603, "the tool failed");
            }
        }),
    },
    Fault {
        name: "tool-errors-unmarked",
        about: "Tools that fail do not say so",
        hook: Hook::Edit(|_, message| remove(message, "/result/isError")),
    },
    Fault {
        name: "invalid-arguments-succeed",
        about: "Arguments are not checked",
        hook: Hook::Edit(|facts, message| {
            let refused = is_error(facts, message, "tools/call")
                && message
                    .pointer("/error/message")
                    .and_then(|it| it.as_str())
                    .is_some_and(|it| it.contains("argument"));
            if refused || message.pointer("/result/isError").is_some() {
                let done = json!({"content": [{"type": "text", "text": "Done."}]});
                succeed(message, super::edits::empty_result(facts, done));
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
                succeed(message, super::edits::empty_result(facts, page));
            }
        }),
    },
    Fault {
        name: "next-cursor-null",
        about: "The last page has a null cursor",
        hook: Hook::Edit(|facts, message| {
            let list = facts.method().ends_with("/list") && message.get("result").is_some();
            if list && message.pointer("/result/nextCursor").is_none() {
                set(message, "/result/nextCursor", serde_json::Value::Null);
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
