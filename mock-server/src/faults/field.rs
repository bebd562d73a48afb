//! Faults as they were met in the field, where no other area claims them.

use serde_json::json;

use super::{
    Arrived, Fault, Hook, LineIn,
    edits::{carries, empty_result, succeed},
};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "inherited-names-exist",
        about: "Names that a language gives to every object are taken for known",
        hook: Hook::Outgoing(|facts, mut departure| {
            if is_inherited(facts)
                && carries(&departure, |message| message.get("error").is_some())
                && let Some(message) = departure.json_mut()
            {
                succeed(message, empty_result(facts, json!({})));
                departure.status = None;
            }
            vec![departure]
        }),
    },
    Fault {
        name: "prompt-arguments-demanded",
        about: "Prompts are refused to who leaves out `arguments`",
        hook: Hook::Incoming(|facts, message| {
            if facts.method() == "prompts/get" && facts.param("/arguments").is_null() {
                let why = "`arguments` is missing";
                return Arrived::answer(Departure::error(facts.id(), -32602, why));
            }
            Arrived::pass(message)
        }),
    },
    Fault {
        name: "lone-surrogates-kill",
        about: "A lone surrogate, escaped, ends the process",
        hook: Hook::LineIn(|line| match has(line, br"\ud83dz") {
            true => LineIn::Exit(1),
            false => LineIn::Take,
        }),
    },
    Fault {
        name: "unasked-progress-kills",
        about: "Progress from the client ends the process",
        hook: Hook::LineIn(|line| match has(line, b"\"notifications/progress\"") {
            true => LineIn::Exit(1),
            false => LineIn::Take,
        }),
    },
    Fault {
        name: "ids-shared-by-clients",
        about: "A client is not served while another one uses the same id",
        hook: Hook::Incoming(|facts, message| {
            let under_way = format!("under way: {}", facts.id());
            match facts.method() {
                "tools/call" => facts.memory.keep(&under_way, Departure::raw([])),
                "initialize" if !facts.memory.take(&under_way).is_empty() => {
                    return Arrived::drop();
                }
                _ => {}
            }
            Arrived::pass(message)
        }),
    },
];

/// Whether a request names what is there in every object of some languages.
fn is_inherited(facts: &Facts) -> bool {
    let name = facts.param("/name").as_str().unwrap_or_default();
    let inherited = ["constructor", "__proto__", "__init__"];
    inherited.contains(&facts.method()) || inherited.contains(&name)
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}
