//! Faults of tasks, which the mock does not offer (2025-11-25).

use serde_json::json;

use super::{
    Arrived, Fault, Hook,
    edits::{each, is_result, set, succeed},
};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "task-undeclared",
        about: "Calls become tasks, though that is not declared",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/call") && !facts.param("/task").is_null() {
                set(message, "/result", json!({"task": task()}));
            }
        }),
    },
    Fault {
        name: "task-refused",
        about: "Calls that ask for a task are refused",
        hook: Hook::Incoming(|facts, message| match facts.param("/task").is_null() {
            true => Arrived::pass(message),
            false => Arrived::answer(Departure::error(facts.id(), -32602, "no tasks here")),
        }),
    },
    Fault {
        name: "tasks-invented",
        about: "Every task that is asked for exists",
        hook: Hook::Edit(|facts, message| {
            if facts.method() == "tasks/get" {
                succeed(message, task());
            }
        }),
    },
    Fault {
        name: "task-support-unknown",
        about: "Tools support tasks in a way that does not exist",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "tools/list") {
                each(message, "/result/tools", |tool| {
                    tool.insert("execution".to_owned(), json!({"taskSupport": "maybe"}));
                });
            }
        }),
    },
];

fn task() -> serde_json::Value {
    json!({
        "taskId": "786512e2",
        "status": "working",
        "createdAt": "2026-01-01T00:00:00Z",
        "lastUpdatedAt": "2026-01-01T00:00:00Z",
        "ttl": 60000,
    })
}
