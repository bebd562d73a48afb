//! Faults of logging.

use serde_json::json;

use super::{
    Fault, Hook,
    edits::{empty_result, is_error, is_notification, remove, set, succeed},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "log-level-unknown",
        about: "Log messages have a level that does not exist",
        hook: Hook::Edit(|_, message| {
            if is_notification(message, MESSAGE) {
                set(message, "/params/level", json!("verbose"));
            }
        }),
    },
    Fault {
        name: "log-data-missing",
        about: "Log messages have no data",
        hook: Hook::Edit(|_, message| {
            if is_notification(message, MESSAGE) {
                remove(message, "/params/data");
            }
        }),
    },
    Fault {
        name: "log-level-ignored",
        about: "Everything is logged, whatever level was asked for",
        hook: Hook::Outgoing(|facts, departure| {
            if facts.method() == "tools/call" && departure.answers {
                let params = json!({"level": "debug", "logger": "mock", "data": "by the way"});
                let log = json!({"jsonrpc": "2.0", "method": MESSAGE, "params": params});
                return vec![Departure::message(log), departure];
            }
            vec![departure]
        }),
    },
    Fault {
        name: "log-level-invalid-accepted",
        about: "A log level that does not exist can be set",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "logging/setLevel") {
                succeed(message, empty_result(facts, json!({})));
            }
        }),
    },
];

const MESSAGE: &str = "notifications/message";
