//! Faults in what becomes of requests that lack their params, or bring more than there is.

use http::StatusCode;
use serde_json::{Value, json};

use super::{
    Arrived, Fault, Hook, HttpResponse, LineIn,
    base::{is_call, result_for},
    edits::{fail, is_result, pass_edited, set},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "missing-params-unanswered",
        about: "Requests without the params that they need are not answered",
        hook: Hook::Incoming(|facts, message| match lacks_params(facts) {
            true => Arrived::drop(),
            false => Arrived::pass(message),
        }),
    },
    Fault {
        name: "missing-params-internal",
        about: "The lack of params is an internal error",
        hook: Hook::Edit(|facts, message| {
            if lacks_params(facts) {
                fail(message, -32603, "nil pointer");
            }
        }),
    },
    Fault {
        name: "null-params-kill",
        about: "Params that are null end the process",
        hook: Hook::LineIn(|line| {
            match serde_json::from_slice(line).is_ok_and(|it| null_params(&it)) {
                true => LineIn::Exit(1),
                false => LineIn::Take,
            }
        }),
    },
    Fault {
        name: "null-params-answered-twice",
        about: "Params that are null are refused, and the request is served all the same",
        hook: Hook::Incoming(|facts, message| {
            if !null_params(&message) || !is_call(&message) {
                return Arrived::pass(message);
            }
            let mut arrived = Arrived::answer(result_for(facts, facts.id()));
            let refused = Departure::error(facts.id(), -32600, "`params` is null");
            arrived.answers.push(refused);
            arrived
        }),
    },
    Fault {
        name: "initialize-strict",
        about: "`initialize` is refused if it has params that it does not need",
        hook: Hook::Edit(|facts, message| {
            if is_result(facts, message, "initialize") && !facts.param("/locale").is_null() {
                fail(message, -32602, "unrecognized key `locale`");
            }
        }),
    },
    Fault {
        name: "initialize-version-header-refused",
        about: "`initialize` is refused if it has a version header",
        hook: Hook::HttpRequest(|request| {
            let opens = request
                .json()
                .is_some_and(|it| it.get("method") == Some(&json!("initialize")));
            let refused = opens && request.header("mcp-protocol-version").is_some();
            refused.then(|| HttpResponse::empty(StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "malformed-session-id-500",
        about: "Session ids that cannot be one lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let sound = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let malformed = request
                .header("mcp-session-id")
                .is_some_and(|id| !id.bytes().all(sound));
            malformed.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "subscription-filter-by-presence",
        about: "Subscriptions bring what their filter names, be it with `false`",
        hook: Hook::Incoming(|_, message| {
            pass_edited(message, |message| {
                for list in ["tools", "prompts", "resources"] {
                    let asked = format!("/params/notifications/{list}ListChanged");
                    if message.pointer(&asked) == Some(&json!(false)) {
                        set(message, &asked, json!(true));
                    }
                }
            })
        }),
    },
];

/// Whether a request has no params, and needs some.
fn lacks_params(facts: &Facts) -> bool {
    let needs = [
        "completion/complete",
        "logging/setLevel",
        "prompts/get",
        "resources/read",
        "resources/subscribe",
        "tools/call",
    ];
    let request = facts.request.as_ref();
    needs.contains(&facts.method()) && request.is_some_and(|it| it.get("params").is_none())
}

fn null_params(message: &Value) -> bool {
    message.get("params") == Some(&Value::Null)
}
