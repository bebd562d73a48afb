//! Faults of connections that are lost or slow: of streams that are resumed, and of requests that do not come whole.

use http::StatusCode;

use super::{BodyFault, Fault, Hook, HttpResponse, Replay, SessionEvent};
use crate::core::Departure;

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
    Fault {
        name: "broken-body-stops-service",
        about: "After a request whose body broke off nothing is answered any more",
        hook: Hook::Body(BodyFault::BrokenEndsService),
    },
    Fault {
        name: "broken-body-ends-session",
        about: "A request whose body breaks off ends its session",
        hook: Hook::Body(BodyFault::BrokenEndsSession),
    },
    Fault {
        name: "bodies-read-one-by-one",
        about: "No request is read before the one that came first has come whole",
        hook: Hook::Body(BodyFault::OneByOne),
    },
    Fault {
        name: "repeated-id-500",
        about: "After a call with an id that was used before, everything leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let session = request.header("mcp-session-id").unwrap_or_default();
            let broken = format!("an id came twice in {session}");
            let called = request
                .json()
                .filter(|it| it.get("method").is_some_and(|it| it == "tools/call"));
            let id = called.and_then(|call| call.get("id").cloned());
            let again = id.is_some_and(|id| {
                let name = format!("call {id} in {session}");
                request.memory.count(&name) > 1
            });
            let before = !request.memory.take(&broken).is_empty();
            (again || before).then(|| {
                request.memory.keep(&broken, Departure::raw([]));
                HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR)
            })
        }),
    },
    Fault {
        name: "first-piece-is-body",
        about: "What comes first of a request's body is taken for all of it",
        hook: Hook::Body(BodyFault::FirstPiece),
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
