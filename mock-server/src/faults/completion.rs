//! Faults of completion.

use serde_json::{Value, json};

use super::{
    Fault, Hook,
    edits::{carries, empty_result, fail, is_error, is_result, set, succeed},
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
    Fault {
        name: "completion-total-text",
        about: "The number of completions is given in words",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete") {
                set(message, "/result/completion/total", json!("many"));
            }
        }),
    },
    Fault {
        name: "completion-total-too-low",
        about: "There are completions, and yet none in all",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete") {
                let completion = json!({"values": ["a", "b"], "total": 0});
                set(message, "/result/completion", completion);
            }
        }),
    },
    Fault {
        name: "completion-errors-internal",
        about: "What is wrong with a completion is an internal error",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "completion/complete") {
                set(message, "/error/code", json!(-32603));
            }
        }),
    },
    Fault {
        name: "completion-errors-unanswered",
        about: "Completions that go wrong are not answered",
        hook: Hook::Outgoing(|facts, departure| {
            let wrong = |message: &Value| is_error(facts, message, "completion/complete");
            match carries(&departure, wrong) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "completion-invents",
        about: "References to what does not exist are completed with something",
        hook: Hook::Edit(|facts, message| {
            if is_error(facts, message, "completion/complete") {
                let invented = json!({"completion": {"values": ["a"]}});
                succeed(message, empty_result(facts, invented));
            }
        }),
    },
    Fault {
        name: "completion-context-refused",
        about: "Completions with a context are refused",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "completion/complete")
                && facts.param("/context").is_object()
            {
                fail(message, -32602, "`context` is not known");
            }
        }),
    },
];
