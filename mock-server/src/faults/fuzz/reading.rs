//! Bugs of readers: what ends the process, or its session over HTTP, or makes it deaf or slow.

use mcp_verdict_wire::message::Lenient;
use serde_json::Value;

use super::{
    dies, exit_if,
    scan::{escaped_unit, escapes, scan},
};
use crate::faults::{Fault, Hook, LineIn};

/// A message for which `$fatal` holds ends the process, and over HTTP its session.
macro_rules! kills {
    ($fatal:expr) => {
        Hook::All(&[
            Hook::LineIn(|line| exit_if($fatal(line))),
            Hook::HttpHangs(|request| dies(request, $fatal(&request.body))),
        ])
    };
}

/// A message for which `$stuck` holds, and all after it, is never read.
macro_rules! hangs {
    ($stuck:expr) => {
        Hook::All(&[
            Hook::LineIn(|line| match $stuck(line) {
                true => LineIn::Hang,
                false => LineIn::Take,
            }),
            Hook::HttpHangs(|request| dies(request, $stuck(&request.body))),
        ])
    };
}

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "fuzz-deep-nesting",
        about: "More than 200 levels of nesting end the process",
        hook: kills!(|bytes| scan(bytes).depth > 200),
    },
    Fault {
        name: "fuzz-lone-surrogate",
        about: "A lone surrogate in a string ends the process",
        hook: kills!(|bytes| scan(bytes).strings.iter().any(|it| has_lone_surrogate(it))),
    },
    Fault {
        name: "fuzz-duplicate-key",
        about: "An object with the same key twice ends the process",
        hook: kills!(|bytes| {
            Lenient::parse(bytes).is_ok_and(|message| !message.duplicate_keys.is_empty())
        }),
    },
    Fault {
        name: "fuzz-wide-id",
        about: "An id of 2^63 or above ends the process",
        hook: kills!(|bytes| is_wide(&member(bytes, "id"))),
    },
    Fault {
        name: "fuzz-number-no-double",
        about: "A number that is too large for a double ends the process",
        hook: kills!(|bytes| scan(bytes).tokens.iter().any(|it| is_no_double(it))),
    },
    Fault {
        name: "fuzz-proto-key",
        about: "A member named `__proto__` ends the process",
        hook: kills!(|bytes| {
            let message = serde_json::from_slice(bytes).unwrap_or_default();
            has_key(&message, "__proto__")
        }),
    },
    Fault {
        name: "fuzz-nul",
        about: "U+0000 in a method or an argument ends the process",
        hook: kills!(|bytes| {
            let params = member(bytes, "params");
            has_nul(&member(bytes, "method")) || has_nul(&params["arguments"])
        }),
    },
    Fault {
        name: "fuzz-long-string",
        about: "A string of more than 64 KiB ends the process",
        hook: kills!(|bytes| scan(bytes).strings.iter().any(|it| it.len() > 65_536)),
    },
    Fault {
        name: "fuzz-invalid-utf-8",
        about: "Bytes that are no UTF-8 end the process",
        hook: kills!(|bytes| std::str::from_utf8(bytes).is_err()),
    },
    Fault {
        name: "fuzz-byte-order-mark",
        about: "A byte order mark before a message ends the process",
        hook: kills!(|bytes: &[u8]| bytes.starts_with(b"\xef\xbb\xbf{")),
    },
    Fault {
        name: "fuzz-short-batch",
        about: "A batch of one message or none ends the process",
        hook: kills!(|bytes| {
            let batch = serde_json::from_slice::<Vec<Value>>(bytes);
            batch.is_ok_and(|items| items.len() < 2)
        }),
    },
    Fault {
        name: "fuzz-array-params",
        about: "Params that are an array end the process",
        hook: kills!(|bytes| member(bytes, "params").is_array()),
    },
    Fault {
        name: "fuzz-empty-line",
        about: "Nothing is read any more after an empty line",
        hook: Hook::LineIn(|line| match line.is_empty() {
            true => LineIn::Hang,
            false => LineIn::Take,
        }),
    },
    Fault {
        name: "fuzz-carriage-return",
        about: "Nothing is read any more after a message with a carriage return in it",
        hook: hangs!(|bytes: &[u8]| bytes.contains(&b'\r')),
    },
    Fault {
        name: "fuzz-quadratic-escapes",
        about: "Reading a line takes time that grows with the square of the escapes in it",
        hook: Hook::LineIn(|line| {
            read_slowly(line);
            LineIn::Take
        }),
    },
];

/// A member of a message, or null.
fn member(bytes: &[u8], name: &str) -> Value {
    let message: Value = serde_json::from_slice(bytes).unwrap_or_default();
    message.get(name).cloned().unwrap_or_default()
}

fn has_lone_surrogate(string: &[u8]) -> bool {
    let mut waiting = None;
    for place in escapes(string) {
        let unit = escaped_unit(string, place).unwrap_or_default();
        let joins = waiting == Some(place);
        match unit {
            0xdc00..=0xdfff if joins => waiting = None,
            0xdc00..=0xdfff => return true,
            _ if waiting.is_some() => return true,
            0xd800..=0xdbff => waiting = Some(place + 6),
            _ => {}
        }
    }
    waiting.is_some()
}

fn is_wide(id: &Value) -> bool {
    let text = id.to_string();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    id.is_number() && digits && text.parse::<i64>().is_err()
}

fn is_no_double(token: &[u8]) -> bool {
    let is_number = token
        .first()
        .is_some_and(|byte| matches!(byte, b'-' | b'0'..=b'9'));
    let number = std::str::from_utf8(token).ok();
    let number = number.and_then(|text| text.parse::<f64>().ok());
    is_number && number.is_some_and(f64::is_infinite)
}

fn has_key(value: &Value, name: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_key(item, name)),
        Value::Object(members) => members
            .iter()
            .any(|(key, item)| key == name || has_key(item, name)),
        _ => false,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(members) => members.values().any(has_nul),
        _ => false,
    }
}

/// Goes back to the beginning at each escape.
fn read_slowly(line: &[u8]) {
    let escapes = line.iter().filter(|byte| **byte == b'\\').count();
    let escapes = escapes.min(ESCAPES_SLOW_MAX);
    for escape in 0..escapes {
        for step in 0..escape * STEPS_EACH {
            std::hint::black_box(step);
        }
    }
}

/// What takes a minute is slow enough.
const ESCAPES_SLOW_MAX: usize = 80_000;

/// Makes 60 KB of escapes take seconds.
const STEPS_EACH: usize = 16;
