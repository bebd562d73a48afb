//! Faults of progress.

use serde_json::{Value, json};

use super::{
    Fault, Hook,
    edits::{is_notification, set, text},
};
use crate::core::Departure;

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
];

const PROGRESS: &str = "notifications/progress";
