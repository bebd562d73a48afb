//! Faults of prompts.

use serde_json::json;

use super::{
    Fault, Hook,
    edits::{each, empty_result, is_error, is_result, remove, succeed},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "unknown-prompt-succeeds",
        about: "Unknown prompts are empty instead of refused",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "prompts/get") {
                succeed(message, empty_result(facts, json!({"messages": []})));
            }
        }),
    },
    Fault {
        name: "prompt-messages-missing",
        about: "Prompts have no messages",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "prompts/get") {
                remove(message, "/result/messages");
            }
        }),
    },
    Fault {
        name: "prompt-role-unknown",
        about: "Prompts speak as `system`",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/messages", |prompt| {
                prompt.insert("role".to_owned(), json!("system"));
            });
        }),
    },
    Fault {
        name: "prompt-content-list",
        about: "The content of a prompt's message is a list",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/messages", |prompt| {
                let content = prompt.get("content").cloned();
                prompt.insert("content".to_owned(), json!([content]));
            });
        }),
    },
    Fault {
        name: "prompts-without-name",
        about: "Prompts have no name",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/prompts", |prompt| {
                prompt.shift_remove("name");
            });
        }),
    },
];
