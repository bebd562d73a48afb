//! Faults of completion.

use serde_json::{Value, json};

use super::{
    Fault, Hook,
    edits::{empty_result, is_error, is_result, set, succeed},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "completion-too-many",
        about: "Completions have more than 100 values",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete") {
                let values: Vec<Value> = (0..101).map(|number| json!(number.to_string())).collect();
                set(message, "/result/completion/values", json!(values));
            }
        }),
    },
    Fault {
        name: "completion-values-not-text",
        about: "Completions are numbers",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete") {
                set(message, "/result/completion/values", json!([1, 2]));
            }
        }),
    },
    Fault {
        name: "completion-unknown-succeeds",
        about: "References to what does not exist are completed with nothing",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "completion/complete") {
                succeed(
                    message,
                    empty_result(facts, json!({"completion": {"values": []}})),
                );
            }
        }),
    },
];
