//! What faults do again and again, by name.

use serde_json::{Map, Value, json};

use super::Arrived;
use crate::core::{Departure, Facts};

/// Removes the member at this pointer.
pub(super) fn remove(message: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = message.pointer_mut(parent)
    {
        members.shift_remove(&unescaped(name));
    }
}

/// Sets the member at this pointer, where there is an object to hold it.
pub(super) fn set(message: &mut Value, pointer: &str, value: Value) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = message.pointer_mut(parent)
    {
        members.insert(unescaped(name), value);
    }
}

/// A member's name as it is written in a pointer (RFC 6901).
fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

/// Turns the value at this pointer into a string, where it is none.
pub(super) fn text(message: &mut Value, pointer: &str) {
    if let Some(value) = message.pointer_mut(pointer)
        && !value.is_string()
        && !value.is_null()
    {
        *value = json!(value.to_string());
    }
}

/// Edits every object of the list at this pointer.
pub(super) fn each(message: &mut Value, pointer: &str, edit: impl Fn(&mut Map<String, Value>)) {
    if let Some(Value::Array(items)) = message.pointer_mut(pointer) {
        items
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(edit);
    }
}

/// Whether a message answers a request for this method with a result.
pub(super) fn is_result(facts: &Facts, message: &Value, method: &str) -> bool {
    facts.method() == method && message.get("result").is_some()
}

/// Whether a message answers a request for this method with an error.
pub(super) fn is_error(facts: &Facts, message: &Value, method: &str) -> bool {
    facts.method() == method && message.get("error").is_some()
}

/// Whether a message is this notification.
pub(super) fn is_notification(message: &Value, method: &str) -> bool {
    message.get("method").and_then(Value::as_str) == Some(method)
}

/// Whether a departure carries a message for which this holds.
pub(super) fn carries(departure: &Departure, holds: impl Fn(&Value) -> bool) -> bool {
    departure.json().is_some_and(holds)
}

/// Makes a response a result.
pub(super) fn succeed(message: &mut Value, result: Value) {
    remove(message, "/error");
    set(message, "/result", result);
}

/// Makes a response an error.
pub(super) fn fail(message: &mut Value, code: i64, text: &str) {
    remove(message, "/result");
    set(message, "/error", json!({"code": code, "message": text}));
}

/// With every call of a tool the last item of a list comes or goes.
pub(super) fn hide_after_call(
    facts: &Facts,
    mut departure: Departure,
    method: &'static str,
    list: &str,
) -> Vec<Departure> {
    if facts.method() == "tools/call" && departure.answers {
        if facts.memory.take(method).is_empty() {
            facts.memory.keep(method, departure.clone());
        }
    } else if facts.method() == method {
        let called = facts.memory.take(method);
        let items = departure.json_mut().and_then(|it| it.pointer_mut(list));
        if let Some(items) = items.and_then(Value::as_array_mut)
            && !called.is_empty()
        {
            items.pop();
        }
        let keep = |it| facts.memory.keep(method, it);
        called.into_iter().for_each(keep);
    }
    vec![departure]
}

/// Lets the message pass, edited.
pub(super) fn pass_edited(mut message: Value, edit: impl FnOnce(&mut Value)) -> Arrived {
    edit(&mut message);
    Arrived::pass(message)
}

/// A result without content that is complete in every revision.
pub(super) fn empty_result(facts: &Facts, mut result: Value) -> Value {
    if facts.era() == mcp_verdict_wire::Era::Modern {
        set(&mut result, "/resultType", json!("complete"));
    }
    result
}
