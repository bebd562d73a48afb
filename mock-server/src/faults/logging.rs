//! Faults of logging.

use serde_json::json;

use super::{
    Fault, Hook,
    edits::{empty_result, fail, is_error, is_notification, pass_edited, remove, set, succeed},
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
    Fault {
        name: "log-level-refused",
        about: "Log levels cannot be set",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "logging/setLevel" {
                fail(message, -32601, "Method not found");
            }
        }),
    },
    Fault {
        name: "log-level-notice-refused",
        about: "The log level `notice` is not known",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "logging/setLevel" && facts.param("/level") == &json!("notice") {
                fail(message, -32602, "no such log level");
            }
        }),
    },
    Fault {
        name: "log-level-invalid-internal",
        about: "A log level that does not exist is an internal error",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "logging/setLevel") {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "log-level-invalid-dropped",
        about: "A request that names a log level that does not exist is served as if it named none",
        hook: Hook::Incoming(|_, message| {
            pass_edited(message, |message| {
                if message.pointer(LEVEL) == Some(&json!("verbose")) {
                    remove(message, LEVEL);
                }
            })
        }),
    },
    Fault {
        name: "log-unasked",
        about: "Requests that name no log level get everything",
        hook: Hook::Incoming(|_, message| {
            pass_edited(message, |message| {
                if message.pointer(LEVEL).is_none() {
                    set(message, LEVEL, json!("debug"));
                }
            })
        }),
    },
];

const MESSAGE: &str = "notifications/message";
/// Where a modern request names its log level.
const LEVEL: &str = "/params/_meta/io.modelcontextprotocol~1logLevel";
