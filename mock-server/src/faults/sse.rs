//! Faults of event streams, and of HTTP+SSE.

use http::StatusCode;
use mcp_verdict_wire::TransportKind;

use super::{Event, Fault, Hook};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "endpoint-event-missing",
        about: "The stream of HTTP+SSE does not say where to post",
        hook: Hook::Stream(|_, event| match event.event.as_deref() {
            Some("endpoint") => vec![],
            _ => vec![event],
        }),
    },
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
        about: "HTTP+SSE answers good POSTs with 500",
        hook: Hook::HttpResponse(|request, response| {
            if request.path == "/messages" && response.status == StatusCode::ACCEPTED {
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
];
