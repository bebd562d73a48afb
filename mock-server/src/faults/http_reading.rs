//! Faults in how HTTP requests are read: their methods, headers and bodies.

use http::{Method, StatusCode, header};

use super::{Fault, Hook, HttpResponse};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "accept-compared-as-text",
        about: "POSTs whose Accept is spelled in another way than most are refused",
        hook: Hook::HttpRequest(|request| {
            let refused = request.method == Method::POST
                && request
                    .header("accept")
                    .is_some_and(|accept| accept != BOTH);
            refused.then(|| HttpResponse::empty(StatusCode::NOT_ACCEPTABLE))
        }),
    },
    Fault {
        name: "narrow-accept-500",
        about: "POSTs that do not accept both types by name lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let accept = request.header("accept").unwrap_or_default();
            let both = accept.contains("application/json") && accept.contains("text/event-stream");
            let failed = request.method == Method::POST && !both;
            failed.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "content-type-compared-as-text",
        about: "Content types with parameters or in another case are refused",
        hook: Hook::HttpRequest(|request| {
            let content_type = request.header("content-type");
            let refused = content_type.is_some_and(|it| it != "application/json");
            refused.then(|| HttpResponse::empty(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }),
    },
    Fault {
        name: "unknown-content-type-500",
        about: "Content types other than JSON lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let content_type = request.header("content-type");
            let failed = content_type.is_some_and(|it| !it.contains("json"));
            failed.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "leading-white-space-refused",
        about: "Bodies that start with white space are refused",
        hook: Hook::HttpRequest(|request| {
            let refused = request.body.first().is_some_and(u8::is_ascii_whitespace);
            refused.then(|| HttpResponse::empty(StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "large-body-500",
        about: "Bodies of more than a megabyte lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.body.len() > 1_000_000;
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "chunked-body-500",
        about: "Bodies without a stated length lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.headers.contains_key(header::TRANSFER_ENCODING);
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "expect-header-500",
        about: "An Expect header leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.headers.contains_key(header::EXPECT);
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "any-method-posts",
        about: "Methods that do not exist are served like POST",
        hook: Hook::HttpRequest(|request| {
            if !KNOWN.contains(&request.method) {
                request.method = Method::POST;
            }
            None
        }),
    },
    Fault {
        name: "other-methods-500",
        about: "Methods that do not exist lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = !KNOWN.contains(&request.method);
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "absolute-form-404",
        about: "Nothing is found behind a whole URL",
        hook: Hook::HttpRequest(|request| {
            request
                .whole_url
                .then(|| HttpResponse::empty(StatusCode::NOT_FOUND))
        }),
    },
    Fault {
        name: "head-and-options-500",
        about: "HEAD and OPTIONS lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let asked = [Method::HEAD, Method::OPTIONS].contains(&request.method);
            asked.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "repeated-header-500",
        about: "A header that comes twice leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let twice = |name| request.headers.get_all(name).iter().count() > 1;
            let repeated = request.headers.keys().any(twice);
            repeated.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "own-origin-500",
        about: "An Origin of the server's own leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let host = request.header("host")?;
            let own = request.header("origin")?.strip_prefix("http://")? == host;
            own.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "origin-by-prefix",
        about: "Origins that only begin like this machine are trusted",
        hook: Hook::HttpRequest(|request| {
            let trusted = request
                .header("origin")
                .is_some_and(|it| it.starts_with("http://localhost"));
            if trusted {
                request.headers.remove(header::ORIGIN);
            }
            None
        }),
    },
    Fault {
        name: "origin-null-allowed",
        about: "The origin `null` is trusted",
        hook: Hook::HttpRequest(|request| {
            if request.header("origin") == Some("null") {
                request.headers.remove(header::ORIGIN);
            }
            None
        }),
    },
    Fault {
        name: "other-version-500",
        about: "A version header with another revision than was agreed on leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.header("mcp-protocol-version") == Some("2025-03-26");
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "batches-500",
        about: "Batches lead to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.json().is_some_and(|it| it.is_array());
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "last-event-id-400",
        about: "POSTs with a Last-Event-ID are refused",
        hook: Hook::HttpRequest(|request| {
            let refused =
                request.method == Method::POST && request.headers.contains_key("last-event-id");
            refused.then(|| HttpResponse::empty(StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "unknown-event-id-500",
        about: "A Last-Event-ID that nobody knows leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request
                .header("last-event-id")
                .is_some_and(|id| !is_event_id(id));
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "unknown-event-id-replays-all",
        about: "A Last-Event-ID that nobody knows resumes the first stream",
        hook: Hook::HttpRequest(|request| {
            if request
                .header("last-event-id")
                .is_some_and(|id| !is_event_id(id))
            {
                request.set_header("last-event-id", "1-0");
            }
            None
        }),
    },
];

const BOTH: &str = "application/json, text/event-stream";

const KNOWN: [Method; 3] = [Method::POST, Method::GET, Method::DELETE];

/// Whether an event id is one that this server makes.
fn is_event_id(id: &str) -> bool {
    id.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}
