//! Faults that only a benchmark has to find: nothing is wrong with any message.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use super::{Fault, Hook};
use crate::core::{Departure, Facts, Memory};

pub(super) const FAULTS: &[Fault] = &[Fault {
    name: "stalls-once",
    about: "After 200 answers nothing is answered for a second",
    hook: Hook::Outgoing(|facts, departure| vec![stall(facts, departure)]),
}];

/// What leaves while the server stalls is held back until that is over.
fn stall(facts: &Facts, departure: Departure) -> Departure {
    let now = EPOCH.elapsed();
    if departure.answers && facts.memory.count(ANSWERS) == ANSWERS_BEFORE {
        keep(&facts.memory, now + STALL);
    }
    let Some(until) = facts.memory.take(STALLED).pop() else {
        return departure;
    };
    let left = until.after.saturating_sub(now);
    if left > Duration::ZERO {
        keep(&facts.memory, until.after);
    }
    Departure {
        after: departure.after + left,
        ..departure
    }
}

/// Remembers a time in the only way that there is: as that of something that leaves then.
fn keep(memory: &Memory, until: Duration) {
    let until = Departure {
        after: until,
        ..Departure::raw([])
    };
    memory.keep(STALLED, until);
}

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

const ANSWERS: &str = "answers before it stalls";
const STALLED: &str = "stalled until";

/// Answers until then.
const ANSWERS_BEFORE: u64 = 200;

/// How long it stalls.
const STALL: Duration = Duration::from_secs(1);
