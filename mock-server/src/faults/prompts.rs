//! Faults of prompts.

use serde_json::{Map, Value, json};

use super::{
    Fault, Hook,
    edits::{each, empty_result, hide_after_call, is_error, is_result, remove, set, succeed},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "prompts-hidden-after-call",
        about: "With every call of a tool a prompt comes or goes",
        hook: Hook::Outgoing(|facts, departure| {
            hide_after_call(facts, departure, "prompts/list", "/result/prompts")
        }),
    },
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
    Fault {
        name: "prompts-title-number",
        about: "Titles of prompts are numbers",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/prompts", |it| {
                it.insert("title".to_owned(), json!(7));
            });
        }),
    },
    Fault {
        name: "prompt-arguments-object",
        about: "Prompts describe their arguments in an object",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/prompts", |it| {
                it.insert("arguments".to_owned(), json!({"arg1": {"required": true}}));
            });
        }),
    },
    Fault {
        name: "prompt-errors-internal",
        about: "What is wrong with a request for a prompt is an internal error",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "prompts/get") {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "prompt-image-not-base64",
        about: "Images in prompts are not base64",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content", |it| {
                if it.contains_key("data") {
                    it.insert("data".to_owned(), json!("not base64!"));
                }
            });
        }),
    },
    Fault {
        name: "prompt-image-without-mime-type",
        about: "Images in prompts do not say what they are",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content", |it| {
                it.shift_remove("mimeType");
            });
        }),
    },
    Fault {
        name: "prompt-image-mime-type-malformed",
        about: "Images in prompts name their type in one word",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content", |it| {
                if it.contains_key("data") {
                    it.insert("mimeType".to_owned(), json!("png"));
                }
            });
        }),
    },
    Fault {
        name: "prompt-resource-without-uri",
        about: "Resources in prompts have no URI",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content/resource", |it| {
                it.shift_remove("uri");
            });
        }),
    },
    Fault {
        name: "prompt-resource-without-mime-type",
        about: "Resources in prompts do not say what they are",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content/resource", |it| {
                it.shift_remove("mimeType");
            });
        }),
    },
    Fault {
        name: "prompt-resource-without-contents",
        about: "Resources in prompts hold neither text nor bytes",
        hook: Hook::Edit(|_, message| {
            each_content(message, "/content/resource", |it| {
                it.shift_remove("text");
                it.shift_remove("blob");
            });
        }),
    },
];

/// Edits the object at this pointer within every message of a prompt, where there is one.
fn each_content(message: &mut Value, pointer: &str, edit: impl Fn(&mut Map<String, Value>)) {
    let messages = message
        .pointer_mut("/result/messages")
        .and_then(Value::as_array_mut);
    for message in messages.into_iter().flatten() {
        if let Some(Value::Object(object)) = message.pointer_mut(pointer) {
            edit(object);
        }
    }
}
