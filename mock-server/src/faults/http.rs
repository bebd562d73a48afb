//! Faults of Streamable HTTP: statuses, headers, sessions.

use http::{Method, StatusCode, header};

use super::{Fault, Hook, HttpRequest, HttpResponse, Replay, SessionEvent};

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "origin-not-checked",
        about: "Requests of any web page are served",
        hook: Hook::HttpRequest(|request| {
            request.headers.remove(header::ORIGIN);
            None
        }),
    },
    Fault {
        name: "host-not-checked",
        about: "Requests for any host name are served",
        hook: Hook::HttpRequest(|request| {
            request.headers.remove(header::HOST);
            None
        }),
    },
    Fault {
        name: "accepted-with-body",
        about: "Accepted notifications are answered with a body",
        hook: Hook::HttpResponse(|_, response| {
            if response.status == StatusCode::ACCEPTED {
                response.body = Some(b"{}".to_vec());
            }
        }),
    },
    Fault {
        name: "accepted-with-200",
        about: "Accepted notifications are answered with 200",
        hook: Hook::HttpResponse(|_, response| replace(response, 202, 200)),
    },
    Fault {
        name: "wrong-content-type",
        about: "JSON is sent as text",
        hook: Hook::HttpResponse(|_, response| {
            if !response.is_stream() && response.headers.contains_key(header::CONTENT_TYPE) {
                let plain = http::HeaderValue::from_static("text/plain");
                response.headers.insert(header::CONTENT_TYPE, plain);
            }
        }),
    },
    Fault {
        name: "session-id-not-checked",
        about: "Requests of unknown sessions are served in whatever session there is",
        hook: Hook::HttpRequest(|request| {
            let known = request
                .header(SESSION_ID)
                .is_none_or(|id| request.sessions.iter().any(|open| open == id));
            if let (false, Some(id)) = (known, request.sessions.last().cloned()) {
                request.set_header(SESSION_ID, &id);
            }
            None
        }),
    },
    Fault {
        name: "session-id-not-ascii",
        about: "Session ids hold a space",
        hook: Hook::Session(|event| {
            if let SessionEvent::Opened { id } = event {
                id.insert(1, ' ');
            }
        }),
    },
    Fault {
        name: "dead-session-400",
        about: "Requests of a session that is over are answered with 400",
        hook: Hook::HttpResponse(|request, response| {
            if request.headers.contains_key(SESSION_ID) {
                replace(response, 404, 400);
            }
        }),
    },
    Fault {
        name: "delete-ignored",
        about: "Sessions live on after their DELETE",
        hook: Hook::Session(|event| {
            if let SessionEvent::Ended { keep } = event {
                **keep = true;
            }
        }),
    },
    Fault {
        name: "resumption-replays-other-stream",
        about: "A resumed stream brings what belongs to another one",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, streams, .. } = event {
                let meant = plan.first().map(|replay| replay.stream);
                let others = streams.iter().filter(|stream| Some(**stream) != meant);
                **plan = others
                    .map(|stream| Replay {
                        stream: *stream,
                        ..Replay::default()
                    })
                    .collect();
            }
        }),
    },
    Fault {
        name: "resumption-from-the-start",
        about: "A resumed stream brings everything again",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, .. } = event {
                plan.iter_mut().for_each(|replay| replay.after = None);
            }
        }),
    },
    Fault {
        name: "content-type-not-checked",
        about: "Requests of any content type are served",
        hook: Hook::HttpRequest(|request| {
            request.set_header("content-type", "application/json");
            None
        }),
    },
    Fault {
        name: "version-header-not-checked",
        about: "Any MCP-Protocol-Version is accepted in a session",
        hook: Hook::HttpRequest(|request| {
            if request.headers.contains_key(SESSION_ID) {
                request.headers.remove("mcp-protocol-version");
            }
            None
        }),
    },
    Fault {
        name: "version-header-required-exactly",
        about: "Legacy requests without MCP-Protocol-Version are refused",
        hook: Hook::HttpRequest(|request| {
            let refused = request.headers.contains_key(SESSION_ID)
                && !request.headers.contains_key("mcp-protocol-version");
            refused.then(|| HttpResponse::empty(StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "get-404",
        about: "GET is answered with 404",
        hook: Hook::HttpRequest(|request| {
            let refused = request.method == Method::GET && request.path == "/mcp";
            refused.then(|| HttpResponse::empty(StatusCode::NOT_FOUND))
        }),
    },
    Fault {
        name: "parse-error-200",
        about: "What is no JSON is refused with status 200",
        hook: Hook::HttpResponse(|request, response| {
            if request.json().is_none() && request.method == Method::POST {
                replace(response, 400, 200);
            }
        }),
    },
    Fault {
        name: "internal-error-on-bad-json",
        about: "What is no JSON leads to status 500",
        hook: Hook::HttpResponse(|request, response| {
            if request.json().is_none() && request.method == Method::POST {
                *response = HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR);
            }
        }),
    },
    Fault {
        name: "lists-as-text",
        about: "Lists are answered with a content type of plain text",
        hook: Hook::HttpResponse(|request, response| {
            if is_list(request) && !response.is_stream() {
                let plain = http::HeaderValue::from_static("text/plain");
                response.headers.insert(header::CONTENT_TYPE, plain);
            }
        }),
    },
    Fault {
        name: "lists-with-404",
        about: "Lists are answered with status 404",
        hook: Hook::HttpResponse(|request, response| {
            if is_list(request) {
                replace(response, 200, 404);
            }
        }),
    },
    Fault {
        name: "cancellations-refused",
        about: "Notifications of a cancellation are refused",
        hook: Hook::HttpRequest(|request| {
            let refused = is_cancellation(&request.json().unwrap_or_default());
            refused.then(|| HttpResponse::empty(StatusCode::BAD_REQUEST))
        }),
    },
    Fault {
        name: "responses-get-results",
        about: "Responses are answered like requests",
        hook: Hook::HttpRequest(|request| {
            let message = request.json().filter(|it| it.get("result").is_some())?;
            let id = message.get("id");
            let answer = serde_json::json!({"jsonrpc": "2.0", "id": id, "result": {}});
            let mut response =
                HttpResponse::empty(StatusCode::OK).with_header("content-type", "application/json");
            response.body = Some(answer.to_string().into_bytes());
            Some(response)
        }),
    },
    Fault {
        name: "get-answers-json",
        about: "GET is answered with JSON",
        hook: Hook::HttpRequest(|request| {
            let asked = request.method == Method::GET && request.path == "/mcp";
            asked.then(|| HttpResponse {
                body: Some(b"{}".to_vec()),
                ..HttpResponse::empty(StatusCode::OK)
                    .with_header("content-type", "application/json")
            })
        }),
    },
    Fault {
        name: "get-once-only",
        about: "A session opens a stream by GET once",
        hook: Hook::HttpRequest(|request| {
            let session = request
                .header(SESSION_ID)
                .filter(|_| request.method == Method::GET)?;
            let again = request.memory.count(&format!("streams of {session}")) > 1;
            again.then(|| HttpResponse::empty(StatusCode::CONFLICT))
        }),
    },
    Fault {
        name: "delete-500",
        about: "DELETE leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.method == Method::DELETE;
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "origin-gets-400",
        about: "Foreign origins are refused with status 400",
        hook: Hook::HttpResponse(|request, response| {
            if request.headers.contains_key(header::ORIGIN) {
                replace(response, 403, 400);
            }
        }),
    },
    Fault {
        name: "session-id-short",
        about: "Session ids have four characters",
        hook: Hook::Session(|event| {
            if let SessionEvent::Opened { id } = event {
                id.truncate(4);
            }
        }),
    },
    Fault {
        name: "session-ids-alike",
        about: "All sessions have the same id",
        hook: Hook::Session(|event| {
            if let SessionEvent::Opened { id } = event {
                **id = "the-same-for-everybody".to_owned();
            }
        }),
    },
    Fault {
        name: "missing-session-id-404",
        about: "Requests without a session id are answered with 404",
        hook: Hook::HttpResponse(|request, response| {
            if !request.headers.contains_key(SESSION_ID) {
                replace(response, 400, 404);
            }
        }),
    },
    Fault {
        name: "stale-initialize-500",
        about: "`initialize` with a session id leads to status 500",
        hook: Hook::HttpRequest(|request| {
            let refused = request.headers.contains_key(SESSION_ID)
                && request
                    .json()
                    .is_some_and(|it| it.get("method") == Some(&"initialize".into()));
            refused.then(|| HttpResponse::empty(StatusCode::INTERNAL_SERVER_ERROR))
        }),
    },
    Fault {
        name: "version-header-422",
        about: "Wrong version headers are refused with status 422",
        hook: Hook::HttpResponse(|request, response| {
            if request.headers.contains_key("mcp-protocol-version") {
                replace(response, 400, 422);
            }
        }),
    },
    Fault {
        name: "session-id-checked-in-modern",
        about: "Modern requests with a session id are answered with 404",
        hook: Hook::HttpRequest(|request| {
            let refused = request.headers.contains_key(SESSION_ID)
                && request.headers.contains_key("mcp-method");
            refused.then(|| HttpResponse::empty(StatusCode::NOT_FOUND))
        }),
    },
    Fault {
        name: "resumption-brings-nothing",
        about: "A resumed stream brings nothing of what was missed",
        hook: Hook::Session(|event| {
            if let SessionEvent::Resumed { plan, .. } = event {
                plan.iter_mut()
                    .for_each(|replay| replay.after = Some(u64::MAX));
            }
        }),
    },
    Fault {
        name: "notifications-broadcast",
        about: "Notifications about lists go out on every stream of a session",
        hook: Hook::Outgoing(|_, mut departure| {
            departure.everywhere = departure.json().is_some_and(|message| {
                message.get("method").and_then(serde_json::Value::as_str)
                    == Some("notifications/tools/list_changed")
            });
            vec![departure]
        }),
    },
];

const SESSION_ID: &str = "mcp-session-id";

fn is_list(request: &HttpRequest) -> bool {
    let message = request.json().unwrap_or_default();
    let method = message.get("method").and_then(serde_json::Value::as_str);
    method.is_some_and(|method| method.ends_with("/list"))
}

fn is_cancellation(message: &serde_json::Value) -> bool {
    message.get("method") == Some(&"notifications/cancelled".into())
}

fn replace(response: &mut HttpResponse, from: u16, to: u16) {
    if let (true, Ok(to)) = (response.status.as_u16() == from, StatusCode::from_u16(to)) {
        response.status = to;
    }
}
