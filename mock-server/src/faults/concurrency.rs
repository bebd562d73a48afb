//! Faults that only show when several requests are under way.

use std::time::Duration;

use super::{Arrived, Fault, Hook};
use crate::core::{Departure, Facts};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "lists-of-even-ids-unanswered",
        about: "Requests for the tools get no answer if their id is even",
        hook: Hook::Outgoing(|facts, departure| {
            let even = facts.id().as_i64().is_some_and(|id| id % 2 == 0);
            match even && facts.method() == "tools/list" {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
    Fault {
        name: "calls-block-others",
        about: "While a tool is at work nothing else is answered",
        hook: Hook::All(&[
            Hook::Incoming(|facts, message| {
                if facts.method() == "tools/call" {
                    facts.memory.keep(&at_work(facts), Departure::raw([]));
                }
                Arrived::pass(message)
            }),
            Hook::Outgoing(|facts, departure| vec![wait_for_tool(facts, departure)]),
        ]),
    },
];

/// The first answer to something else waits.
fn wait_for_tool(facts: &Facts, departure: Departure) -> Departure {
    let waits = departure.answers
        && facts.method() != "tools/call"
        && !facts.memory.take(&at_work(facts)).is_empty();
    match waits {
        true => Departure {
            after: Duration::from_secs(5),
            ..departure
        },
        false => departure,
    }
}

/// Over HTTP sessions of other revisions may be under way beside this one.
fn at_work(facts: &Facts) -> String {
    match facts.transport.is_channel() {
        true => "at work".to_owned(),
        false => format!("at work in {:?}", facts.revision),
    }
}
