//! Faults of streams whose connection is lost, and that are resumed.

use super::{Fault, Hook, Replay, SessionEvent};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "replays-one-too-few",
        about: "A resumed stream leaves out the first event that was missed",
        hook: Hook::Session(|event| {
            with_plan(event, |replay| {
                let after = replay.after.map(|after| after + 1);
                vec![Replay { after, ..replay }]
            });
        }),
    },
    Fault {
        name: "replays-one-twice",
        about: "A resumed stream brings the first event that was missed twice",
        hook: Hook::Session(|event| {
            with_plan(event, |replay| {
                let until = Some(next(replay));
                vec![Replay { until, ..replay }, replay]
            });
        }),
    },
    Fault {
        name: "replays-out-of-order",
        about: "A resumed stream brings the first two events that were missed in reverse",
        hook: Hook::Session(|event| {
            with_plan(event, |replay| {
                let first = next(replay);
                let only = |number: u64| Replay {
                    after: number.checked_sub(1),
                    until: Some(number),
                    ..replay
                };
                let after = Some(first + 1);
                vec![only(first + 1), only(first), Replay { after, ..replay }]
            });
        }),
    },
    Fault {
        name: "replays-with-new-ids",
        about: "Events of a resumed stream have other ids than they had, which nobody knows later",
        hook: Hook::Session(|event| {
            with_plan(event, |replay| {
                vec![Replay {
                    renamed: true,
                    ..replay
                }]
            });
        }),
    },
    Fault {
        name: "replays-what-was-not-sent",
        about: "A resumed stream begins after what was sent, whatever the client has seen",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, given, .. } = event {
                plan.iter_mut().for_each(|replay| replay.after = *given);
            }
        }),
    },
    Fault {
        name: "resumes-once-only",
        about: "A stream that was resumed before brings nothing when it is resumed again",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, before, .. } = event
                && *before > 0
            {
                plan.iter_mut()
                    .for_each(|replay| replay.after = Some(u64::MAX));
            }
        }),
    },
    Fault {
        name: "replays-beginnings-of-others",
        about: "A resumed stream begins with what other streams began with",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, streams, .. } = event {
                let meant = plan.first().map(|replay| replay.stream);
                let others = streams.iter().filter(|stream| Some(**stream) != meant);
                let beginnings = others.map(|stream| Replay {
                    stream: *stream,
                    until: Some(1),
                    ..Replay::default()
                });
                let all = beginnings.chain(plan.iter().copied()).collect();
                **plan = all;
            }
        }),
    },
    Fault {
        name: "answers-lost-with-connection",
        about: "What a stream would still bring is lost with its connection",
        hook: Hook::Session(|event| {
            if let SessionEvent::Lost { forget, .. } = event {
                **forget = true;
            }
        }),
    },
    Fault {
        name: "session-lost-with-connection",
        about: "A session ends when the connection of one of its streams is lost",
        hook: Hook::Session(|event| {
            if let SessionEvent::Lost { end, .. } = event {
                **end = true;
            }
        }),
    },
];

/// The number of the first event that was missed.
fn next(replay: Replay) -> u64 {
    replay.after.map_or(0, |after| after + 1)
}

/// Puts other replays in the place of each that is planned.
fn with_plan(event: &mut SessionEvent<'_>, change: fn(Replay) -> Vec<Replay>) {
    if let SessionEvent::Resumed { plan, .. } = event {
        let changed = plan.iter().copied().flat_map(change).collect();
        **plan = changed;
    }
}
