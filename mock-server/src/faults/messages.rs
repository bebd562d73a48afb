//! Faults of messages as such: bytes, batches, ids, errors, metadata, and what nobody should send.

use mcp_verdict_wire::Era;
use serde_json::{Value, json};

use super::{
    Act, Event, Fault, Hook, LineIn, Moment,
    edits::{carries, each, is_notification, is_result, remove, set},
};
use crate::core::{Departure, Facts, Payload};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "list-not-json",
        about: "The list of tools has a comma too many for JSON",
        hook: Hook::Outgoing(|facts, departure| {
            rewrite(facts, departure, |text| {
                format!("{},}}", &text[..text.len() - 1]).into_bytes()
            })
        }),
    },
    Fault {
        name: "responses-in-batches",
        about: "The list of tools comes in a batch of one",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                *message = json!([message.take()]);
            }
        }),
    },
    Fault {
        name: "byte-order-mark",
        about: "The list of tools comes behind a byte order mark",
        hook: Hook::Outgoing(|facts, departure| {
            rewrite(facts, departure, |text| {
                format!("\u{feff}{text}").into_bytes()
            })
        }),
    },
    Fault {
        name: "duplicate-keys",
        about: "The list of tools says `jsonrpc` twice",
        hook: Hook::Outgoing(|facts, departure| {
            rewrite(facts, departure, |text| {
                text.replacen('{', r#"{"jsonrpc":"2.0","#, 1).into_bytes()
            })
        }),
    },
    Fault {
        name: "latin-1-in-lists",
        about: "The list of tools holds a byte that is no UTF-8",
        hook: Hook::Outgoing(|facts, departure| {
            rewrite(facts, departure, |text| {
                let (head, tail) = text.split_at(text.find("\"tools\"").unwrap_or_default());
                [head.as_bytes(), b"\"caf\xe9\":1,", tail.as_bytes()].concat()
            })
        }),
    },
    Fault {
        name: "errors-without-id",
        about: "Errors do not say to what request they belong",
        hook: Hook::Edit(|_, message| {
            if message.get("error").is_some() {
                remove(message, "/id");
            }
        }),
    },
    Fault {
        name: "errors-with-stack-traces",
        about: "Errors come with a stack trace",
        hook: Hook::Edit(|_, message| {
            if message.get("error").is_some() {
                set(
                    message,
                    "/error/data",
                    json!("Error: no\n    at handle (server.js:7:3)"),
                );
            }
        }),
    },
    Fault {
        name: "reserved-error-code",
        about: "Unknown methods are refused with a code that is the specification's to give",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/error/code") == Some(&json!(-32601)) {
                set(message, "/error/code", json!(-32050));
            }
        }),
    },
    Fault {
        name: "undefined-error-code",
        about: "Unknown methods are refused with a code that JSON-RPC keeps for itself",
        hook: Hook::Edit(|_, message| {
            if message.pointer("/error/code") == Some(&json!(-32601)) {
                set(message, "/error/code", json!(-32500));
            }
        }),
    },
    Fault {
        name: "extension-without-prefix",
        about: "The server declares an extension by a bare name",
        hook: Hook::Edit(|_, message| {
            set(
                message,
                "/result/capabilities/extensions",
                json!({"tricks": {}}),
            );
        }),
    },
    Fault {
        name: "meta-keys-broken",
        about: "Lists of tools have metadata under a key that may not be",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                let mut meta = message
                    .pointer("/result/_meta")
                    .cloned()
                    .unwrap_or(json!({}));
                set(&mut meta, "/-example.com~1note-", json!(true));
                set(message, "/result/_meta", meta);
            }
        }),
    },
    Fault {
        name: "trace-context-malformed",
        about: "Lists of tools have a trace context that is none",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                let mut meta = message
                    .pointer("/result/_meta")
                    .cloned()
                    .unwrap_or(json!({}));
                set(&mut meta, "/traceparent", json!("00-4bf92f3577b34da6-01"));
                set(message, "/result/_meta", meta);
            }
        }),
    },
    Fault {
        name: "client-notifications",
        about: "Calls are preceded by a notification that only clients send",
        hook: Hook::Outgoing(|facts, departure| {
            let told = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
            before_calls(facts, departure, told)
        }),
    },
    Fault {
        name: "requests-in-modern",
        about: "Modern calls are preceded by a request of the server's own",
        hook: Hook::Outgoing(|facts, departure| match facts.era() {
            Era::Modern => {
                let asked = json!({"jsonrpc": "2.0", "id": "server-1", "method": "roots/list"});
                before_calls(facts, departure, asked)
            }
            Era::Legacy => vec![departure],
        }),
    },
    Fault {
        name: "requests-with-null-ids",
        about: "Requests of the server's own have a null id",
        hook: Hook::Edit(|_, message| {
            if is_request(message) {
                set(message, "/id", Value::Null);
            }
        }),
    },
    Fault {
        name: "request-ids-used-twice",
        about: "Requests of the server's own are followed by a ping under the same id",
        hook: Hook::Outgoing(|_, departure| {
            let id = departure
                .json()
                .filter(|message| is_request(message))
                .and_then(|message| message.get("id"));
            match id.cloned() {
                Some(id) => {
                    let ping = json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
                    vec![departure, Departure::message(ping)]
                }
                None => vec![departure],
            }
        }),
    },
    Fault {
        name: "input-keys-repeat",
        about: "What the client is asked for has a key twice",
        hook: Hook::Outgoing(|_, departure| {
            let first = departure.json().and_then(|message| {
                let inputs = message.pointer("/result/inputRequests")?.as_object()?;
                inputs
                    .iter()
                    .next()
                    .map(|(key, input)| format!("{}:{input},", json!(key)))
            });
            match first {
                Some(first) => bytes(departure, |text| {
                    text.replacen(
                        "\"inputRequests\":{",
                        &format!("\"inputRequests\":{{{first}"),
                        1,
                    )
                    .into_bytes()
                }),
                None => vec![departure],
            }
        }),
    },
    Fault {
        name: "answers-kept-for-the-next",
        about: "Lists of tools are kept back, and come with the answer to the next request",
        hook: Hook::All(&[
            // Else whoever waits for the first answer would be told that it does not come.
            Hook::StreamsStayOpen,
            Hook::Outgoing(|facts, departure| {
                let is_list = carries(&departure, |message| {
                    is_result(facts, message, "tools/list")
                });
                let mut all = match is_list {
                    true => facts.memory.take_or_keep(KEPT, &departure),
                    false => facts.memory.take(KEPT),
                };
                if !(is_list && all.is_empty()) {
                    all.push(departure);
                }
                all
            }),
        ]),
    },
    Fault {
        name: "progress-broadcast",
        about: "Progress goes out on every stream of a session",
        hook: Hook::Outgoing(|_, mut departure| {
            departure.everywhere |= carries(&departure, |message| {
                is_notification(message, "notifications/progress")
            });
            vec![departure]
        }),
    },
    Fault {
        name: "schemas-invalid",
        about: "Schemas of tools are of a type that does not exist",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                each(message, "/result/tools", |tool| {
                    for member in ["inputSchema", "outputSchema"] {
                        if let Some(Value::Object(schema)) = tool.get_mut(member) {
                            schema.insert("properties".to_owned(), json!({"a": {"type": "strng"}}));
                        }
                    }
                });
            }
        }),
    },
    Fault {
        name: "tool-names-with-spaces",
        about: "Names of tools hold a space",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                each(message, "/result/tools", |tool| {
                    let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
                    let spaced = format!("the {name}");
                    tool.insert("name".to_owned(), json!(spaced));
                });
            }
        }),
    },
    Fault {
        name: "responses-beside-notifications",
        about: "News of lists that belong to no request come with a response",
        hook: Hook::Stream(|facts, event| {
            let news = event
                .data
                .as_ref()
                .is_some_and(|data| contains(data, b"/list_changed"));
            if news && facts.request.is_none() {
                let response = br#"{"jsonrpc":"2.0","id":"nobody-asked","result":{}}"#;
                return vec![event, Event::message(response.to_vec())];
            }
            vec![event]
        }),
    },
    Fault {
        name: "allow-missing",
        about: "Status 405 comes without the methods that there are",
        hook: Hook::HttpResponse(|_, response| {
            response.headers.remove(http::header::ALLOW);
        }),
    },
    Fault {
        name: "buffering-not-forbidden",
        about: "Event streams do not ask to be passed on at once",
        hook: Hook::HttpResponse(|_, response| {
            response.headers.remove("x-accel-buffering");
        }),
    },
    Fault {
        name: "list-fatal",
        about: "Who asks for the tools ends the process",
        hook: Hook::LineIn(|line| match contains(line, b"\"tools/list\"") {
            true => LineIn::Exit(3),
            false => LineIn::Take,
        }),
    },
    Fault {
        name: "last-line-open",
        about: "The process takes its leave in a line without an end",
        hook: Hook::All(&[
            Hook::Process(|moment| match moment {
                Moment::InputClosed => Act::Print(GOODBYE),
                Moment::Started => Act::Nothing,
            }),
            Hook::LineOut(|mut line| {
                if line.starts_with(GOODBYE) {
                    line.pop();
                }
                line
            }),
        ]),
    },
];

const GOODBYE: &[u8] = b"goodbye";

/// Answers that are kept back.
const KEPT: &str = "answers for the next";

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn is_request(message: &Value) -> bool {
    message.get("method").is_some() && message.get("id").is_some()
}

/// Bytes in place of a message, made from its text.
fn bytes(departure: Departure, change: impl Fn(&str) -> Vec<u8>) -> Vec<Departure> {
    match &departure.payload {
        Payload::Json(message) => {
            let payload = Payload::Raw(change(&message.to_string()));
            vec![Departure {
                payload,
                ..departure
            }]
        }
        _ => vec![departure],
    }
}

/// The same for the list of tools; everything else passes.
fn rewrite(
    facts: &Facts,
    departure: Departure,
    change: impl Fn(&str) -> Vec<u8>,
) -> Vec<Departure> {
    if carries(&departure, |message| {
        is_result(facts, message, "tools/list")
    }) {
        return bytes(departure, change);
    }
    vec![departure]
}

/// Sends something before the result of a call.
fn before_calls(facts: &Facts, departure: Departure, first: Value) -> Vec<Departure> {
    if carries(&departure, |message| {
        is_result(facts, message, "tools/call")
    }) {
        return vec![Departure::message(first), departure];
    }
    vec![departure]
}
