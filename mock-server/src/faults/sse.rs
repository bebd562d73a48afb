//! Faults of event streams, and of HTTP+SSE.

use http::StatusCode;
use mcp_verdict_wire::TransportKind;

use super::{Event, Fault, Hook, HttpResponse};
use crate::core::Departure;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "endpoint-event-late",
        about: "The stream of HTTP+SSE starts with a message instead of its endpoint",
        hook: Hook::Stream(|_, event| {
            if event.event.as_deref() == Some("endpoint") {
                let early = br#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
                return vec![Event::message(early.to_vec()), event];
            }
            vec![event]
        }),
    },
    Fault {
        name: "messages-as-other-events",
        about: "Messages come as events of a type of their own",
        hook: Hook::Stream(|_, mut event| {
            if event.event.as_deref() == Some("message") {
                event.event = Some("mcp".to_owned());
            }
            vec![event]
        }),
    },
    Fault {
        name: "event-ids-repeat",
        about: "All events have the same id",
        hook: Hook::Stream(|_, mut event| {
            event.id = event.id.map(|_| "1-0".to_owned());
            vec![event]
        }),
    },
    Fault {
        name: "event-cut-off",
        about: "Events end without the empty line that ends them",
        hook: Hook::Stream(|_, event| {
            let mut bytes = event.to_bytes();
            while bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            vec![Event::raw(bytes)]
        }),
    },
    Fault {
        name: "event-data-not-json",
        about: "Events carry what is no JSON",
        hook: Hook::Stream(|_, mut event| {
            if event.event.as_deref() == Some("message") {
                event.data = Some(b"{not json".to_vec());
            }
            vec![event]
        }),
    },
    Fault {
        name: "event-bare-json",
        about: "Streams carry JSON lines instead of events",
        hook: Hook::Stream(|_, event| match event.data {
            Some(mut data) if event.event.as_deref() == Some("message") => {
                data.push(b'\n');
                vec![Event::raw(data)]
            }
            _ => vec![event],
        }),
    },
    Fault {
        name: "sse-post-500",
        about: "HTTP+SSE takes good POSTs with 500, but for those that open a session",
        hook: Hook::HttpResponse(|request, response| {
            let opening = request.body.windows(11).any(|part| part == b"\"initialize");
            let good = response.status == StatusCode::ACCEPTED;
            if request.path == "/messages" && good && !opening {
                response.status = StatusCode::INTERNAL_SERVER_ERROR;
            }
        }),
    },
    Fault {
        name: "sse-answers-dropped",
        about: "HTTP+SSE answers nothing",
        hook: Hook::Outgoing(|facts, departure| match facts.transport {
            TransportKind::HttpSse => vec![],
            _ => vec![departure],
        }),
    },
    Fault {
        name: "priming-event-missing",
        about: "Streams do not open with an event without data",
        hook: Hook::Stream(|_, event| match (&event.event, &event.data) {
            (None, Some(data)) if data.is_empty() => vec![],
            _ => vec![event],
        }),
    },
    Fault {
        name: "retry-missing",
        about: "Streams do not say when to come back",
        hook: Hook::Stream(|_, event| match event.retry {
            Some(_) => vec![],
            None => vec![event],
        }),
    },
    Fault {
        name: "streams-stay-open",
        about: "Streams stay open after their last message",
        hook: Hook::StreamsStayOpen,
    },
    Fault {
        name: "responses-on-get-stream",
        about: "A stream that belongs to no request opens with a response",
        hook: Hook::Stream(|facts, event| {
            let opening = event.data.as_ref().is_some_and(Vec::is_empty);
            if opening && facts.request.is_none() {
                let response = br#"{"jsonrpc":"2.0","id":"nobody-asked","result":{}}"#;
                return vec![event, Event::message(response.to_vec())];
            }
            vec![event]
        }),
    },
    Fault {
        name: "sse-endpoints-alike",
        about: "All clients of HTTP+SSE are told the endpoint of the first",
        hook: Hook::Stream(|facts, mut event| {
            if event.event.as_deref() == Some("endpoint") {
                let first = facts.memory.take("endpoint").pop();
                let own = Departure::raw(event.data.take().unwrap_or_default());
                let told = first.unwrap_or(own);
                event.data = Some(told.bytes());
                facts.memory.keep("endpoint", told);
            }
            vec![event]
        }),
    },
    Fault {
        name: "sse-messages-leak",
        about: "A client of HTTP+SSE hears what was meant for another one before",
        hook: Hook::Stream(|facts, event| {
            let data = event
                .data
                .clone()
                .filter(|_| event.event.as_deref() == Some("message"));
            let Some(data) = data.filter(|_| facts.transport == TransportKind::HttpSse) else {
                return vec![event];
            };
            let before = facts.memory.take("heard");
            facts.memory.keep("heard", Departure::raw(data));
            let leaked = before
                .iter()
                .map(|departure| Event::message(departure.bytes()));
            std::iter::once(event).chain(leaked).collect()
        }),
    },
    Fault {
        name: "sse-unknown-session-202",
        about: "HTTP+SSE takes POSTs that belong to nobody",
        hook: Hook::HttpResponse(|request, response| {
            if request.path == "/messages" && response.status == StatusCode::NOT_FOUND {
                *response = HttpResponse::empty(StatusCode::ACCEPTED);
            }
        }),
    },
    Fault {
        name: "sse-post-to-closed-stream-500",
        about: "HTTP+SSE answers POSTs to a stream that is gone with 500",
        hook: Hook::HttpResponse(|request, response| {
            if request.path == "/messages" && response.status == StatusCode::NOT_FOUND {
                *response = HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }),
    },
    Fault {
        name: "second-endpoint-missing",
        about: "Only the first stream of HTTP+SSE says where to post",
        hook: Hook::Stream(|facts, event| {
            let endpoint = event.event.as_deref() == Some("endpoint");
            if endpoint && facts.memory.count("endpoints") > 1 {
                return vec![];
            }
            vec![event]
        }),
    },
    Fault {
        name: "empty-results-as-other-events",
        about: "Messages without a word come as events of a type of their own",
        hook: Hook::Stream(|_, mut event| {
            let data = event.data.as_deref().unwrap_or_default();
            if data.ends_with(br#""result":{}}"#) {
                event.event = Some("mcp".to_owned());
            }
            vec![event]
        }),
    },
    Fault {
        name: "sse-pings-unanswered",
        about: "HTTP+SSE answers no ping",
        hook: Hook::Outgoing(|facts, departure| {
            match facts.transport == TransportKind::HttpSse && facts.method() == "ping" {
                true => vec![],
                false => vec![departure],
            }
        }),
    },
];
