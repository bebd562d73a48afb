//! Faults that only show at the edges: values that are empty, null or odd, and the first and last moments of a
//! session.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderName, HeaderValue, Method};
use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook, HttpResponse, LineIn,
    edits::{fail, is_error, is_notification, is_result, set, succeed},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "line-separators-lost",
        about: "Characters that end lines elsewhere are lost from ids",
        hook: Hook::Edit(|_, message| {
            let id = message.get("id").and_then(Value::as_str);
            let kept = id.map(|id| id.replace(LINE_ENDS, ""));
            if let (Some(kept), None) = (kept, message.get("method")) {
                set(message, "/id", json!(kept));
            }
        }),
    },
    Fault {
        name: "line-separators-end-lines",
        about: "What Unicode calls the end of a line ends a message",
        hook: Hook::LineIn(|line| {
            let text = String::from_utf8_lossy(line);
            match text.split_once(LINE_ENDS) {
                Some((first, _)) => LineIn::Replace(first.as_bytes().to_vec()),
                None => LineIn::Take,
            }
        }),
    },
    Fault {
        name: "ids-once-and-for-all",
        about: "An id that was used before is refused, though its request was answered",
        hook: Hook::Incoming(|facts, message| {
            let again = facts.id().as_str().is_some_and(|id| {
                let name = format!("used {:?} {id}", facts.transport);
                facts.memory.count(&name) > 1
            });
            match again {
                true => Arrived::answer(Departure::error(facts.id(), -32600, "Duplicate id")),
                false => Arrived::pass(message),
            }
        }),
    },
    Fault {
        name: "early-notification-spoils-session",
        about: "After a notification that comes before `notifications/initialized` a request is not answered",
        hook: Hook::Incoming(|facts, message| match facts.method() {
            "notifications/initialized" => {
                facts.memory.keep(READY, Departure::raw([]));
                Arrived::pass(message)
            }
            method if method.starts_with("notifications/") && !is_ready(facts) => {
                facts.memory.keep(SWALLOW, Departure::raw([]));
                Arrived::pass(message)
            }
            _ => swallow(facts, message),
        }),
    },
    Fault {
        name: "initialize-swallows-next",
        about: "What comes right behind `initialize` is not read",
        hook: Hook::Incoming(|facts, message| swallow_behind(facts, message, "initialize")),
    },
    Fault {
        name: "initialized-swallows-next",
        about: "What comes right behind `notifications/initialized` is not read",
        hook: Hook::Incoming(|facts, message| {
            swallow_behind(facts, message, "notifications/initialized")
        }),
    },
    Fault {
        name: "no-session-after-delete",
        about: "When a session has ended no other can be opened",
        hook: Hook::HttpRequest(|request| {
            if request.method == Method::DELETE {
                request.memory.keep(ENDED, Departure::raw([]));
            }
            let opens = request
                .json()
                .is_some_and(|it| it.get("method") == Some(&json!("initialize")));
            let refused = opens && !request.memory.take(ENDED).is_empty();
            refused.then(|| HttpResponse::empty(http::StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "odd-cursors-unanswered",
        about: "Lists are not given to who brings a cursor that is empty or null",
        hook: Hook::Incoming(|facts, message| {
            let cursor = message.pointer("/params/cursor");
            let odd = cursor.is_some_and(|it| it.is_null() || it == &json!(""));
            pass_unless(odd && facts.method().ends_with("/list"), message)
        }),
    },
    Fault {
        name: "completion-empty-refused",
        about: "Completions of an empty value are refused as if there were none",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete")
                && facts.param("/argument/value") == &json!("")
            {
                fail(message, -32602, "`argument.value` is missing");
            }
        }),
    },
    Fault {
        name: "odd-prompt-arguments-unanswered",
        about: "Prompts are not given to who brings an argument that they do not know",
        hook: Hook::Incoming(|facts, message| {
            let odd = facts.method() == "prompts/get" && has_odd_argument(facts);
            pass_unless(odd, message)
        }),
    },
    Fault {
        name: "odd-prompt-arguments-internal",
        about: "Arguments that a prompt does not know are an internal error",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "prompts/get" && has_odd_argument(facts) {
                fail(message, -32603, "unexpected argument");
            }
        }),
    },
    Fault {
        name: "null-arguments-unanswered",
        about: "Calls whose arguments are null are not answered",
        hook: Hook::Incoming(|facts, message| {
            let null = message.pointer("/params/arguments") == Some(&Value::Null);
            pass_unless(null && facts.method() == "tools/call", message)
        }),
    },
    Fault {
        name: "null-arguments-internal",
        about: "Arguments that are null are an internal error",
        hook: Hook::Edit(|facts, message| {
            let request = facts.request.as_ref();
            let arguments = request.and_then(|request| request.pointer("/params/arguments"));
            if facts.method() == "tools/call" && arguments == Some(&Value::Null) {
                fail(message, -32603, "nil map");
            }
        }),
    },
    Fault {
        name: "log-level-remembered",
        about: "The log level that one request names holds for the next as well",
        hook: Hook::Incoming(|facts, mut message| {
            let named = message.pointer(LEVEL).is_some();
            let name = format!("log level over {:?}", facts.transport);
            if named {
                facts.memory.keep(&name, Departure::raw([]));
            } else if facts.method() == "tools/call" && !facts.memory.take(&name).is_empty() {
                set(&mut message, LEVEL, json!("debug"));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "log-level-shared",
        about: "The log level that one session sets to `emergency` holds for all",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                if facts.param("/level") == &json!("emergency") {
                    facts.memory.keep(SILENT, Departure::raw([]));
                }
                Arrived::pass(message)
            }),
            Hook::Outgoing(|facts, departure| {
                let log = departure
                    .json()
                    .is_some_and(|it| is_notification(it, "notifications/message"));
                match log && is_kept(facts, SILENT) {
                    true => vec![],
                    false => vec![departure],
                }
            }),
        ]),
    },
    Fault {
        name: "subscribe-to-nothing",
        about: "Subscriptions that name no resource are accepted",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "resources/subscribe") {
                succeed(message, json!({}));
            }
        }),
    },
    Fault {
        name: "subscribe-errors-internal",
        about: "What is wrong with a subscription is an internal error",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "resources/subscribe") {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "unsubscribe-unanswered",
        about: "The end of a subscription is not answered",
        hook: Hook::Incoming(|facts, message| {
            pass_unless(facts.method() == "resources/unsubscribe", message)
        }),
    },
    Fault {
        name: "unsubscribe-internal",
        about: "The end of a subscription is an internal error",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "resources/unsubscribe" {
                fail(message, -32603, "no such key");
            }
        }),
    },
    Fault {
        name: "encoded-headers-decoded-twice",
        about: "Headers are decoded until nothing is left to decode",
        hook: Hook::HttpRequest(|request| {
            for (name, value) in &mut request.headers {
                let once = value.to_str().ok().and_then(decoded);
                let twice = once.as_deref().and_then(decoded);
                if let (Some(twice), true) = (twice, is_mirrored(name))
                    && let Ok(twice) = HeaderValue::from_str(&twice)
                {
                    *value = twice;
                }
            }
            None
        }),
    },
];

/// What Unicode counts among the ends of a line, and JSON does not.
const LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];
const ENDED: &str = "a session was ended";
/// Where a modern request names its log level.
const LEVEL: &str = "/params/_meta/io.modelcontextprotocol~1logLevel";
const READY: &str = "the client is ready";
const SILENT: &str = "a session wants emergencies only";
const SWALLOW: &str = "the next request is not answered";

fn is_ready(facts: &Facts) -> bool {
    is_kept(facts, READY)
}

/// Whether something is kept under a name; it stays there.
fn is_kept(facts: &Facts, name: &str) -> bool {
    let kept = facts.memory.take(name);
    let found = !kept.is_empty();
    kept.into_iter().for_each(|it| facts.memory.keep(name, it));
    found
}

/// Passes over a request, if an earlier message has left word to do so.
fn swallow(facts: &Facts, message: Value) -> Arrived {
    let swallowed = !facts.id().is_null() && !facts.memory.take(SWALLOW).is_empty();
    pass_unless(swallowed, message)
}

/// Passes over the request that comes first after a message of this method.
fn swallow_behind(facts: &Facts, message: Value, method: &str) -> Arrived {
    if facts.method() == method {
        facts.memory.keep(SWALLOW, Departure::raw([]));
        return Arrived::pass(message);
    }
    match facts.transport.is_channel() {
        true => swallow(facts, message),
        false => Arrived::pass(message),
    }
}

fn pass_unless(dropped: bool, message: Value) -> Arrived {
    match dropped {
        true => Arrived::drop(),
        false => Arrived::pass(message),
    }
}

/// Whether a request brings the argument that no prompt has.
fn has_odd_argument(facts: &Facts) -> bool {
    let arguments = facts.param("/arguments").as_object();
    arguments.is_some_and(|it| it.keys().any(|name| name.starts_with("no_such_argument")))
}

/// Whether a header repeats what the body says.
fn is_mirrored(name: &HeaderName) -> bool {
    name == "mcp-name" || name.as_str().starts_with("mcp-param-")
}

/// What a header's value stands for, if it is encoded.
fn decoded(value: &str) -> Option<String> {
    let encoded = value.strip_prefix("=?base64?")?.strip_suffix("?=")?;
    String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
}
