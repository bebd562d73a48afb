//! Faults of tools.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{
        carries, each, empty_result, fail, hide_after_call, is_error, is_result, pass_edited,
        remove, set, succeed,
    },
};
use crate::core::{Departure, Facts};

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
        name: "url-error-without-list",
        about: "An unknown tool is refused as if a URL had to be visited first",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "tools/call") {
                fail(message, -32042, "visit a page first");
            }
        }),
    },
    Fault {
        name: "schemas-of-draft-7",
        about: "Input schemas are of an older dialect",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                if let Some(Value::Object(schema)) = tool.get_mut("inputSchema") {
                    let dialect = json!("http://json-schema.org/draft-07/schema#");
                    schema.insert("$schema".to_owned(), dialect);
                }
            });
        }),
    },
    Fault {
        name: "tool-names-in-any-case",
        about: "Tools are found under their name in any case",
        hook: Hook::Incoming(|facts, message| match facts.method() {
            "tools/call" => pass_edited(message, |message| {
                let name = message.pointer("/params/name").and_then(Value::as_str);
                if let Some(name) = name.map(str::to_lowercase) {
                    set(message, "/params/name", json!(name));
                }
            }),
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "tools-by-client-name",
        about: "Which tools there are depends on what the client calls itself",
        hook: Hook::Edit(|facts, message| {
            let name = "/_meta/io.modelcontextprotocol~1clientInfo/name";
            if facts.method() == "tools/list"
                && facts.param(name) == &json!("another-client")
                && let Some(Value::Array(tools)) = message.pointer_mut("/result/tools")
            {
                tools.pop();
            }
        }),
    },
    Fault {
        name: "tools-input-schema-null",
        about: "Input schemas are null",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.insert("inputSchema".to_owned(), Value::Null);
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
        name: "unknown-tool-succeeds",
        about: "Calls of unknown tools return an empty result",
        hook: Hook::Edit(|facts, message| {
            let unknown = message
                .pointer("/error/message")
                .and_then(|text| text.as_str());
            if is_error(facts, message, "tools/call")
                && unknown.is_some_and(|text| text.starts_with("Unknown tool"))
            {
                succeed(message, empty_result(facts, json!({"content": []})));
            }
        }),
    },
    Fault {
        name: "tool-errors-as-protocol-errors",
        about: "Tools that fail answer with a JSON-RPC error",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/result/isError") == Some(&json!(true)) {
                fail(message, -32603, "the tool failed");
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
                succeed(message, empty_result(facts, done));
            }
        }),
    },
    Fault {
        name: "tools-input-schema-array",
        about: "Input schemas are for arrays",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.insert("inputSchema".to_owned(), json!({"type": "array"}));
            });
        }),
    },
    Fault {
        name: "tools-title-number",
        about: "Titles of tools are numbers",
        hook: Hook::Edit(|_, message| {
            each(message, "/result/tools", |tool| {
                tool.insert("title".to_owned(), json!(7));
            });
        }),
    },
    Fault {
        name: "tools-order-varies",
        about: "Every other list of tools is in another order",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                let name = format!(
                    "tools-order-varies {:?} {}",
                    facts.revision,
                    facts.param("/cursor")
                );
                let second = facts.memory.count(&name) % 2 == 0;
                let tools = message
                    .pointer_mut("/result/tools")
                    .and_then(Value::as_array_mut);
                if let Some(tools) = tools.filter(|_| second) {
                    tools.reverse();
                }
            }
        }),
    },
    Fault {
        name: "tools-hidden-after-call",
        about: "With every call of a tool another one comes or goes",
        hook: Hook::Outgoing(|facts, departure| {
            hide_after_call(facts, departure, "tools/list", "/result/tools")
        }),
    },
    Fault {
        name: "icon-without-source",
        about: "Tools have icons that are nowhere",
        hook: Hook::Edit(|_, message| icons(message, &json!({"mimeType": "image/png"}))),
    },
    Fault {
        name: "icon-source-no-uri",
        about: "Tools have icons whose source is a file name",
        hook: Hook::Edit(|_, message| icons(message, &json!({"src": "icon.png"}))),
    },
    Fault {
        name: "icon-scheme-unsafe",
        about: "Tools have icons that are scripts",
        hook: Hook::Edit(|_, message| icons(message, &json!({"src": "javascript:alert(1)"}))),
    },
    Fault {
        name: "tool-is-error-text",
        about: "Whether a tool failed is said in words",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/call") {
                set(message, "/result/isError", json!("no"));
            }
        }),
    },
    Fault {
        name: "arguments-demanded",
        about: "Calls without `arguments` are refused",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "tools/call" && facts.param("/arguments").is_null() {
                let why = "`arguments` is missing";
                return Arrived::answer(Departure::error(facts.id(), -32602, why));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "arguments-of-any-type",
        about: "Arguments that are no object are taken for none",
        hook: Hook::Incoming(|_, message| {
            pass_edited(message, |message| {
                if message
                    .pointer("/params/arguments")
                    .is_some_and(|it| !it.is_object())
                {
                    set(message, "/params/arguments", json!({}));
                }
            })
        }),
    },
    Fault {
        name: "unknown-tool-wrong-code",
        about: "Unknown tools are refused with -32000",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "tools/call") {
                set(message, "/error/code", json!(-32000));
            }
        }),
    },
    Fault {
        name: "unknown-tool-as-tool-error",
        about: "Calls of unknown tools fail as tools do",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "tools/call") {
                let content = json!([{"type": "text", "text": "There is no such tool."}]);
                let failure = json!({"content": content, "isError": true});
                succeed(message, empty_result(facts, failure));
            }
        }),
    },
    Fault {
        name: "name-unchecked",
        about: "Calls without a name do something",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "tools/call") && !facts.param("/name").is_string() {
                succeed(message, empty_result(facts, json!({"content": []})));
            }
        }),
    },
    Fault {
        name: "invalid-arguments-unanswered",
        about: "Calls with invalid arguments are not answered",
        hook: Hook::Outgoing(|facts, departure| match failed_call(facts, &departure) {
            true => vec![],
            false => vec![departure],
        }),
    },
    Fault {
        name: "tool-results-stuck",
        about: "Every call brings the result of the first",
        hook: Hook::Outgoing(|facts, mut departure| {
            if carries(&departure, |message| {
                is_result(facts, message, "tools/call")
            }) {
                let name = "tool-results-stuck";
                let mut first = facts.memory.take(name);
                first.truncate(1);
                let first = first.pop().unwrap_or_else(|| departure.clone());
                let result = first.json().map(|message| message["result"].clone());
                if let (Some(message), Some(result)) = (departure.json_mut(), result) {
                    set(message, "/result", result);
                }
                facts.memory.keep(name, first);
            }
            vec![departure]
        }),
    },
];

/// Gives every tool this icon.
fn icons(message: &mut Value, icon: &Value) {
    each(message, "/result/tools", |tool| {
        tool.insert("icons".to_owned(), json!([icon]));
    });
}

/// Whether a departure says that a call went wrong, in either way.
fn failed_call(facts: &Facts, departure: &Departure) -> bool {
    carries(departure, |message| {
        let failed = message.pointer("/result/isError") == Some(&json!(true));
        facts.method() == "tools/call" && (failed || message.get("error").is_some())
    })
}
