//! Faults of request ids: their type, their value, and whose they are.

use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook,
    base::{is_call, result_for},
    edits::{set, text},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "ids-as-strings",
        about: "Ids of responses are strings, whatever they were",
        hook: Hook::Edit(|facts, message| {
            if facts.request.is_some() && message.get("method").is_none() {
                text(message, "/id");
            }
        }),
    },
    Fault {
        name: "ids-through-doubles",
        about: "Integer ids lose the digits that a double cannot hold",
        hook: Hook::Edit(|_, message| {
            let big = message
                .get("id")
                .and_then(Value::as_f64)
                .filter(|id| id.abs() > 9e15);
            if let (Some(id), None) = (big, message.get("method")) {
                set(message, "/id", json!(id as i64));
            }
        }),
    },
    Fault {
        name: "null-id-accepted",
        about: "Requests with a null id are answered as if it were one",
        hook: Hook::All(&[
            Hook::Incoming(|_, message| match message.get("id") {
                Some(Value::Null) if message.get("method").is_some() => {
                    super::edits::pass_edited(message, |message| {
                        set(message, "/id", json!(NULL_ID))
                    })
                }
                _ => Arrived::pass(message),
            }),
            Hook::Edit(|_, message| {
                if message.get("id") == Some(&json!(NULL_ID)) {
                    set(message, "/id", Value::Null);
                }
            }),
        ]),
    },
    Fault {
        name: "ids-cut-to-32-bits",
        about: "Integer ids lose what 32 bits cannot hold",
        hook: Hook::Edit(|_, message| {
            let id = message.get("id").and_then(Value::as_i64);
            if let (Some(id), None) = (id, message.get("method")) {
                set(message, "/id", json!(id & 0xffff_ffff));
            }
        }),
    },
    Fault {
        name: "id-zero-as-null",
        about: "The id 0 is taken for none",
        hook: Hook::Edit(|_, message| replace_id(message, &json!(0), Value::Null)),
    },
    Fault {
        name: "id-empty-as-null",
        about: "The empty string is no id",
        hook: Hook::Edit(|_, message| replace_id(message, &json!(""), Value::Null)),
    },
    Fault {
        name: "digit-strings-as-numbers",
        about: "Ids that are strings of digits come back as numbers",
        hook: Hook::Edit(|_, message| {
            let digits = message
                .get("id")
                .and_then(Value::as_str)
                .map(str::parse::<u64>);
            if let (Some(Ok(id)), None) = (digits, message.get("method")) {
                set(message, "/id", json!(id));
            }
        }),
    },
    Fault {
        name: "string-ids-replaced",
        about: "String ids come back as numbers of the server's own",
        hook: Hook::Edit(|_, message| edit_string_id(message, |_| json!(1))),
    },
    Fault {
        name: "string-ids-cut",
        about: "String ids lose what follows their 255th character",
        hook: Hook::Edit(|_, message| {
            edit_string_id(message, |id| {
                json!(id.chars().take(255).collect::<String>())
            });
        }),
    },
    Fault {
        name: "string-ids-cut-at-nul",
        about: "String ids end at a NUL character",
        hook: Hook::Edit(|_, message| {
            edit_string_id(message, |id| json!(id.split('\0').next()));
        }),
    },
    Fault {
        name: "string-ids-of-16-bits",
        about: "String ids lose characters that take more than 16 bits",
        hook: Hook::Edit(|_, message| {
            let narrow = |letter: char| {
                if letter > '\u{ffff}' {
                    '\u{fffd}'
                } else {
                    letter
                }
            };
            edit_string_id(message, |id| {
                json!(id.chars().map(narrow).collect::<String>())
            });
        }),
    },
    Fault {
        name: "odd-ids-accepted",
        about: "Requests are served whatever their id is",
        hook: Hook::Incoming(|facts, message| match message.get("id") {
            Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) if is_call(&message) => {
                Arrived::answer(result_for(facts, facts.id()))
            }
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "fractional-ids-rounded",
        about: "Requests with a fractional id are served under the next integer",
        hook: Hook::Incoming(|facts, message| match message.get("id") {
            Some(Value::Number(id)) if is_call(&message) && id.to_string().contains('.') => {
                Arrived::answer(result_for(facts, &json!(1001)))
            }
            _ => Arrived::pass(message),
        }),
    },
    Fault {
        name: "answers-mixed-up",
        about: "Answers to requests that are in flight together go out under each other's ids",
        hook: Hook::Edit(|_, message| {
            let id = message
                .get("id")
                .and_then(Value::as_i64)
                .filter(|id| *id >= FIRST_IN_FLIGHT);
            if let (Some(id), None) = (id, message.get("method")) {
                set(message, "/id", json!(id ^ 1));
            }
        }),
    },
    Fault {
        name: "quick-requests-lost",
        about: "Of requests that are in flight together some are never answered",
        hook: Hook::Outgoing(|facts, departure| {
            let id = facts.id().as_i64().filter(|id| *id >= FIRST_IN_FLIGHT);
            match departure.answers && id.is_some_and(|id| id % 3 == 0) {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
];

/// Stands for a null id inside the server.
const NULL_ID: &str = "the null id";

/// From here on the ids of requests are those of a vector that sends many together.
const FIRST_IN_FLIGHT: i64 = 1000;

fn replace_id(message: &mut Value, from: &Value, to: Value) {
    if message.get("method").is_none() && message.get("id") == Some(from) {
        set(message, "/id", to);
    }
}

fn edit_string_id(message: &mut Value, edit: impl Fn(&str) -> Value) {
    let edited = message.get("id").and_then(Value::as_str).map(edit);
    if let (Some(id), None) = (edited, message.get("method")) {
        set(message, "/id", id);
    }
}
