//! Faults of what results of tools hold: blocks, structured content, annotations.

use serde_json::{Map, Value, json};

use super::{
    Fault, Hook,
    edits::{each, is_result, remove, set},
};

pub(super) const FAULTS: &[Fault] = &[
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
        name: "structured-content-list",
        about: "Structured content is a list",
        hook: Hook::Edit(|_, message| {
            if let Some(content) = message.pointer("/result/structuredContent").cloned() {
                set(message, "/result/structuredContent", json!([content]));
            }
        }),
    },
    Fault {
        name: "structured-text-differs",
        about: "The text beside structured content is another",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/structuredContent").is_some() {
                let text = json!([{"type": "text", "text": "It is warm."}]);
                set(message, "/result/content", text);
            }
        }),
    },
    Fault {
        name: "tool-content-object",
        about: "Content is an object instead of a list",
        hook: Hook::Edit(|_, message| {
            if let Some(first) = message.pointer("/result/content/0").cloned() {
                set(message, "/result/content", first);
            }
        }),
    },
    Fault {
        name: "tool-content-type-unknown",
        about: "Content is of a kind that no revision has",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                block.insert("type".to_owned(), json!("video"));
            });
        }),
    },
    Fault {
        name: "image-mime-type-malformed",
        about: "Images and sounds name their type in one word",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                if block.contains_key("data") {
                    block.insert("mimeType".to_owned(), json!("png"));
                }
            });
        }),
    },
    Fault {
        name: "embedded-without-uri",
        about: "Embedded resources have no URI",
        hook: Hook::Edit(|_, message| {
            embedded(message, |resource| {
                resource.shift_remove("uri");
            });
        }),
    },
    Fault {
        name: "embedded-without-contents",
        about: "Embedded resources hold neither text nor bytes",
        hook: Hook::Edit(|_, message| {
            embedded(message, |resource| {
                resource.shift_remove("text");
                resource.shift_remove("blob");
            });
        }),
    },
    Fault {
        name: "embedded-uri-relative",
        about: "Embedded resources have a file name for a URI",
        hook: Hook::Edit(|_, message| {
            embedded(message, |resource| {
                resource.insert("uri".to_owned(), json!("notes.txt"));
            });
        }),
    },
    Fault {
        name: "resource-link-without-name",
        about: "Links to resources have no name",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                block.shift_remove("name");
            });
        }),
    },
    Fault {
        name: "resource-link-without-uri",
        about: "Links to resources lead nowhere",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/content", |block| {
                block.shift_remove("uri");
            });
        }),
    },
    Fault {
        name: "annotation-priority-too-high",
        about: "Content is more than required",
        hook: Hook::Edit(|_, message| annotate(message, &json!({"priority": 2}))),
    },
    Fault {
        name: "annotation-audience-unknown",
        about: "Content is meant for nobody in particular",
        hook: Hook::Edit(|_, message| annotate(message, &json!({"audience": ["everybody"]}))),
    },
    Fault {
        name: "annotation-time-in-words",
        about: "Content changed at a time that is no date",
        hook: Hook::Edit(|_, message| annotate(message, &json!({"lastModified": "yesterday"}))),
    },
];

/// Edits the resources embedded in a result.
fn embedded(message: &mut Value, edit: impl Fn(&mut Map<String, Value>)) {
    each(message, "/result/content", |block| {
        if let Some(Value::Object(resource)) = block.get_mut("resource") {
            edit(resource);
        }
    });
}

/// Gives every block of a result these annotations.
fn annotate(message: &mut Value, annotations: &Value) {
    each(message, "/result/content", |block| {
        block.insert("annotations".to_owned(), annotations.clone());
    });
}
