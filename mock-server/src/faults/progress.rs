//! Faults of progress.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    edits::{fail, is_notification, is_result, set, text},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "progress-not-increasing",
        about: "Progress stays where it is",
        hook: Hook::Edit(|_, message| {
            if is_notification(message, PROGRESS) {
                set(message, "/params/progress", json!(1));
            }
        }),
    },
    Fault {
        name: "progress-unknown-token",
        about: "Progress is reported under a token that nobody gave",
        hook: Hook::Edit(|_, message| {
            if is_notification(message, PROGRESS) {
                set(message, "/params/progressToken", json!("nobody-gave-this"));
            }
        }),
    },
    Fault {
        name: "progress-token-as-string",
        about: "Progress tokens are strings, whatever they were",
        hook: Hook::Edit(|_, message| text(message, "/params/progressToken")),
    },
    Fault {
        name: "progress-unasked",
        about: "Progress is reported to those who gave no token",
        hook: Hook::Outgoing(|facts, departure| {
            let asked = facts.param("/_meta/progressToken") != &Value::Null;
            if facts.method() == "tools/call" && departure.answers && !asked {
                let params = json!({"progressToken": facts.id(), "progress": 1});
                let progress = json!({"jsonrpc": "2.0", "method": PROGRESS, "params": params});
                return vec![Departure::message(progress), departure];
            }
            vec![departure]
        }),
    },
    Fault {
        name: "progress-after-the-end",
        about: "Progress is reported after the response",
        hook: Hook::Outgoing(|facts, departure| {
            let token = facts.param("/_meta/progressToken");
            if departure.answers && !token.is_null() {
                let params = json!({"progressToken": token, "progress": 1_000_000});
                let progress = json!({"jsonrpc": "2.0", "method": PROGRESS, "params": params});
                return vec![departure, Departure::message(progress)];
            }
            vec![departure]
        }),
    },
    Fault {
        name: "progress-digits-as-number",
        about: "Progress tokens that are strings of digits come back as numbers",
        hook: Hook::Edit(|_, message| {
            if let Some(token) = message.pointer_mut("/params/progressToken")
                && let Some(number) = token.as_str().and_then(|text| text.parse::<i64>().ok())
            {
                *token = json!(number);
            }
        }),
    },
    Fault {
        name: "progress-token-cut-to-32-bits",
        about: "Progress tokens lose what is beyond 32 bits",
        hook: Hook::Edit(|_, message| {
            if let Some(token) = message.pointer_mut("/params/progressToken")
                && let Some(number) = token.as_i64()
            {
                *token = json!(number & 0xffff_ffff);
            }
        }),
    },
    Fault {
        name: "progress-under-the-last-token",
        about: "Progress is reported under the token that was given last, whoever gave it",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                let token = facts.param("/_meta/progressToken");
                if !token.is_null() {
                    drop(facts.memory.take(LAST));
                    facts.memory.keep(LAST, Departure::message(token.clone()));
                }
                Arrived::pass(message)
            }),
            Hook::Edit(|facts, message| {
                if is_notification(message, PROGRESS) {
                    set_remembered(facts, message);
                }
            }),
        ]),
    },
    Fault {
        name: "progress-under-the-first-token",
        about: "Progress is reported under the first token that anyone gave",
        hook: Hook::Edit(|facts, message| {
            if is_notification(message, PROGRESS) {
                let token = message.pointer("/params/progressToken").cloned();
                let first = facts.memory.take(LAST);
                let keep = first
                    .into_iter()
                    .next()
                    .or_else(|| token.map(Departure::message));
                keep.into_iter()
                    .for_each(|token| facts.memory.keep(LAST, token));
                set_remembered(facts, message);
            }
        }),
    },
    Fault {
        name: "progress-as-text",
        about: "Progress is a text",
        hook: Hook::Edit(|_, message| text(message, "/params/progress")),
    },
    Fault {
        name: "progress-odd-token-unanswered",
        about: "Requests whose progress token is neither string nor integer are not answered",
        hook: Hook::Incoming(|facts, message| {
            let token = facts.param("/_meta/progressToken");
            let sound = token.is_null() || token.is_string() || token.is_i64() || token.is_u64();
            match sound {
                true => Arrived::pass(message),
                false => Arrived::drop(),
            }
        }),
    },
    Fault {
        name: "progress-token-refused-on-lists",
        about: "Requests that have no progress to report are refused for their token",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list")
                && !facts.param("/_meta/progressToken").is_null()
            {
                fail(message, -32602, "unexpected progressToken");
            }
        }),
    },
];

/// The token that was given last, or first.
const LAST: &str = "progress token";

/// Reports under the token that is remembered.
fn set_remembered(facts: &Facts, message: &mut Value) {
    let kept = facts.memory.take(LAST);
    if let Some(token) = kept.first().and_then(Departure::json) {
        set(message, "/params/progressToken", token.clone());
    }
    for token in kept {
        facts.memory.keep(LAST, token);
    }
}

const PROGRESS: &str = "notifications/progress";
