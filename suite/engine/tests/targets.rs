//! Finding out what a target speaks, and telling everybody's mistakes apart, against servers made by hand.

mod servers;

use std::{sync::Arc, time::Duration};

use mcp_verdict_engine::{
    inspect::Inspection,
    probe::{Discovery, ProbeError, discover},
    target::{Flags, TargetSpec},
};
use mcp_verdict_wire::{Revision, TransportKind};
use serde_json::json;
use servers::{
    Answer, Http, Response, bare, initialize_as, json_body, legacy_answer, legacy_post,
    shell_server,
};

const NO_VARIABLES: fn(&str) -> Option<String> = |_| None;

fn spec(flags: &Flags) -> TargetSpec {
    let mut spec = TargetSpec::from_flags(flags, &NO_VARIABLES)
        .expect("sound flags")
        .expect("a target");
    spec.timeout = Duration::from_secs(2);
    spec.start_timeout = Duration::from_secs(4);
    spec.options.exit_grace = Duration::from_millis(500);
    spec
}

fn at(url: String) -> TargetSpec {
    spec(&Flags {
        url: Some(url),
        ..Flags::default()
    })
}

fn run(command: Vec<String>) -> TargetSpec {
    spec(&Flags {
        command,
        ..Flags::default()
    })
}

fn revisions(discovery: &Discovery) -> Vec<&'static str> {
    discovery
        .ways
        .iter()
        .map(|way| way.revision.as_str())
        .collect()
}

fn hint(error: &ProbeError) -> String {
    error.hint().unwrap_or_default()
}

/// Answers at one path with what `answer` says, and 404 elsewhere.
fn only_at(path: &'static str, revisions: &'static [&'static str]) -> Answer {
    Arc::new(move |request, _| {
        if request.path == path {
            legacy_post(request, revisions)
        } else {
            bare(404)
        }
    })
}

/// An HTTP+SSE server at `/sse`.
fn sse_answer(
    request: &servers::Request,
    events: &tokio::sync::broadcast::Sender<String>,
) -> Response {
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/sse") => Response::Stream("event: endpoint\ndata: /messages\n\n".to_owned()),
        ("POST", "/messages") => {
            if let Some(answer) = legacy_answer(&request.body, &["2024-11-05"]) {
                events
                    .send(format!("event: message\ndata: {answer}\n\n"))
                    .expect("a stream");
            }
            bare(202)
        }
        (_, "/sse") => bare(405),
        _ => bare(404),
    }
}

#[tokio::test]
async fn every_revision_that_is_really_spoken_is_found_and_no_other() {
    let server = Http::start(only_at("/mcp", &["2025-03-26", "2025-06-18"])).await;
    let discovery = discover(&at(format!("{}/mcp", server.url)))
        .await
        .expect("a way");
    assert_eq!(revisions(&discovery), ["2025-03-26", "2025-06-18"]);
    assert!(
        discovery
            .ways
            .iter()
            .all(|way| way.transport == TransportKind::StreamableHttp)
    );
    assert_eq!(discovery.ways[0].bound.values["tool-any"]["name"], "echo");
    let notes = discovery.notes.join("\n");
    assert!(notes.contains("2025-11-25 is not spoken"), "{notes}");
    assert!(notes.contains("2026-07-28 is not spoken"), "{notes}");
    let called = server
        .requests()
        .iter()
        .any(|it| it.body["method"] == "tools/call");
    assert!(!called, "binding calls no tool");
}

#[tokio::test]
async fn a_url_without_the_path_is_completed_and_said_so() {
    let server = Http::start(only_at("/mcp", &["2025-06-18"])).await;
    let discovery = discover(&at(server.url.clone())).await.expect("a way");
    assert_eq!(revisions(&discovery), ["2025-06-18"]);
    let note = &discovery.notes[0];
    assert!(note.contains("POST: HTTP 404"), "{note}");
    assert!(
        note.contains(&format!("{}/mcp is one (streamable-http)", server.url)),
        "{note}"
    );
}

#[tokio::test]
async fn several_endpoints_are_named_and_none_is_chosen() {
    let answer: Answer = Arc::new(|request, events| match request.path.as_str() {
        "/mcp" => legacy_post(request, &["2025-06-18"]),
        _ => sse_answer(request, events),
    });
    let server = Http::start(answer).await;
    let error = discover(&at(server.url.clone()))
        .await
        .expect_err("no choice");
    assert!(
        matches!(&error, ProbeError::SeveralEndpoints { found, .. } if found.len() == 2),
        "{error}"
    );
    assert!(error.to_string().contains("/sse (http+sse)"), "{error}");
    assert_eq!(
        hint(&error),
        format!("choose one, such as {}/mcp", server.url)
    );
}

#[tokio::test]
async fn an_http_sse_server_is_told_by_its_endpoint_event() {
    let server = Http::start(Arc::new(sse_answer)).await;
    let discovery = discover(&at(format!("{}/sse", server.url)))
        .await
        .expect("a way");
    assert_eq!(revisions(&discovery), ["2024-11-05"]);
    assert_eq!(discovery.ways[0].transport, TransportKind::HttpSse);
}

#[tokio::test]
async fn a_url_of_something_else_lists_what_was_tried() {
    let answer: Answer = Arc::new(|_, _| {
        Response::Whole(
            200,
            vec![("content-type", "text/html".to_owned())],
            "<p>hello".to_owned(),
        )
    });
    let server = Http::start(answer).await;
    let error = discover(&at(format!("{}/page", server.url)))
        .await
        .expect_err("no endpoint");
    let text = error.to_string();
    assert!(matches!(error, ProbeError::NoEndpoint { .. }), "{text}");
    for part in ["/page: POST: HTTP 200 with text/html", "/mcp:", "/sse:"] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(error.exit_code(), 3);
}

#[tokio::test]
async fn a_server_that_wants_a_token_says_so_and_gets_it() {
    let answer: Answer = Arc::new(|request, _| {
        if request.headers.get("authorization").map(String::as_str) == Some("Bearer secret-token") {
            return legacy_post(request, &["2025-06-18"]);
        }
        let challenge = vec![("www-authenticate", "Bearer realm=\"here\"".to_owned())];
        Response::Whole(401, challenge, String::new())
    });
    let server = Http::start(answer).await;
    let url = format!("{}/mcp", server.url);
    let error = discover(&at(url.clone())).await.expect_err("no access");
    let text = error.to_string();
    assert!(
        text.contains("HTTP 401, www-authenticate: Bearer realm=\"here\""),
        "{text}"
    );
    assert!(hint(&error).contains("--bearer-env"), "{}", hint(&error));

    let wrong = vec!["authorization: Bearer wrong-token".to_owned()];
    let flags = Flags {
        url: Some(url.clone()),
        headers: wrong,
        ..Flags::default()
    };
    let error = discover(&spec(&flags)).await.expect_err("no access");
    assert!(hint(&error).contains("is not accepted"), "{}", hint(&error));

    let right = vec!["authorization: Bearer secret-token".to_owned()];
    let flags = Flags {
        url: Some(url),
        headers: right,
        ..Flags::default()
    };
    let discovery = discover(&spec(&flags)).await.expect("a way");
    assert_eq!(revisions(&discovery), ["2025-06-18"]);
}

#[tokio::test]
async fn a_session_is_deleted_and_its_headers_are_sent() {
    let answer: Answer = Arc::new(|request, _| match legacy_post(request, &["2025-06-18"]) {
        Response::Whole(200, mut headers, body) => {
            headers.push(("mcp-session-id", "session-1".to_owned()));
            Response::Whole(200, headers, body)
        }
        other => other,
    });
    let server = Http::start(answer).await;
    let mut spec = at(format!("{}/mcp", server.url));
    spec.declared.revisions = vec![Revision::V2025_06_18];
    let discovery = discover(&spec).await.expect("a way");
    assert!(discovery.ways[0].session_id);
    let requests = server.requests();
    let deleted = requests.iter().any(|request| {
        request.method == "DELETE" && request.headers.contains_key("mcp-session-id")
    });
    assert!(deleted, "{requests:?}");
    let list = requests
        .iter()
        .find(|it| it.body["method"] == "tools/list")
        .expect("a list");
    assert_eq!(list.headers["mcp-protocol-version"], "2025-06-18");
    assert_eq!(list.headers["mcp-session-id"], "session-1");
}

#[tokio::test]
async fn a_modern_server_is_spoken_to_with_metadata_and_headers() {
    let answer: Answer = Arc::new(|request, _| {
        let body = &request.body;
        let is_modern = body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"]
            == "2026-07-28"
            && request.headers.get("mcp-method").map(String::as_str) == body["method"].as_str();
        let result = match body["method"].as_str() {
            Some("server/discover") if is_modern => json!({
                "resultType": "complete",
                "supportedVersions": ["2026-07-28"],
                "capabilities": {"prompts": {}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "modern", "version": "2"}},
            }),
            Some("prompts/list") if is_modern => json!({"resultType": "complete", "prompts": []}),
            _ => {
                let error = json!({"code": -32602, "message": "supported: 2026-07-28"});
                return json_body(
                    400,
                    &json!({"jsonrpc": "2.0", "id": body["id"], "error": error}),
                );
            }
        };
        json_body(
            200,
            &json!({"jsonrpc": "2.0", "id": body["id"], "result": result}),
        )
    });
    let server = Http::start(answer).await;
    let discovery = discover(&at(format!("{}/mcp", server.url)))
        .await
        .expect("a way");
    assert_eq!(revisions(&discovery), ["2026-07-28"]);
    let info = discovery.ways[0].server_info.as_ref().expect("a name");
    assert_eq!(info["name"], "modern");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_host_are_told_apart() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = discover(&at(format!("http://{address}/mcp")))
        .await
        .expect_err("no server");
    assert!(
        error
            .to_string()
            .starts_with(&format!("nothing listens on {address}: ")),
        "{error}"
    );
    let error = discover(&at("http://no..host/mcp".to_owned()))
        .await
        .expect_err("no host");
    assert!(
        matches!(&error, ProbeError::UnknownHost { host, .. } if host == "no..host"),
        "{error}"
    );
}

#[tokio::test]
async fn a_transport_that_cannot_be_is_wrong_usage() {
    let mut spec = at("http://127.0.0.1:1/mcp".to_owned());
    spec.declared.transports = vec![TransportKind::Stdio];
    let error = discover(&spec).await.expect_err("no transport");
    assert_eq!(error.exit_code(), 2);
    assert_eq!(
        error.to_string(),
        "the target is reached by streamable-http, http+sse, not by stdio"
    );
}

#[tokio::test]
async fn a_command_that_does_not_exist_is_named() {
    let error = discover(&run(vec!["no-such-command-here".to_owned()]))
        .await
        .expect_err("no command");
    assert!(
        error
            .to_string()
            .starts_with("start `no-such-command-here`: "),
        "{error}"
    );
    assert!(hint(&error).contains("PATH"), "{}", hint(&error));
}

#[tokio::test]
async fn a_command_that_ends_at_once_shows_its_code_and_its_last_words() {
    let script = "echo 'Usage: server DIRECTORY' >&2; exit 7";
    let error = discover(&run(["sh", "-c", script].map(str::to_owned).to_vec()))
        .await
        .expect_err("no server");
    let text = error.to_string();
    assert!(text.contains("ends (exit code 7)"), "{text}");
    assert!(text.contains("Usage: server DIRECTORY"), "{text}");
}

#[tokio::test]
async fn a_banner_before_messages_is_noted_and_survived() {
    let command = shell_server("echo 'Server starting ...'", &initialize_as("2025-03-26"));
    let discovery = discover(&run(command)).await.expect("a way");
    assert_eq!(revisions(&discovery), ["2025-03-26"]);
    let notes = discovery.notes.join("\n");
    assert!(
        notes.contains("what is no message: `Server starting ...`"),
        "{notes}"
    );
}

#[tokio::test]
async fn a_program_that_only_prints_is_no_server() {
    let mut spec = run(["sh", "-c", "echo hello; cat >/dev/null"]
        .map(str::to_owned)
        .to_vec());
    spec.timeout = Duration::from_millis(100);
    spec.start_timeout = Duration::from_millis(300);
    let error = discover(&spec).await.expect_err("no server");
    assert!(
        matches!(&error, ProbeError::NotMcp { line, .. } if line == "hello"),
        "{error}"
    );
}

#[tokio::test]
async fn a_silent_program_is_not_waited_for_in_every_revision() {
    let mut spec = run(["sh", "-c", "cat >/dev/null"].map(str::to_owned).to_vec());
    spec.timeout = Duration::from_millis(100);
    spec.start_timeout = Duration::from_millis(300);
    let error = discover(&spec).await.expect_err("no server");
    let ProbeError::SpeaksNone { attempts } = &error else {
        panic!("{error}")
    };
    assert_eq!(attempts.len(), 2, "{error}");
    assert!(
        error
            .to_string()
            .contains("no answer to initialize within 300 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_speaks_no_revision_shows_what_each_attempt_brought() {
    let error = discover(&run(shell_server("", "")))
        .await
        .expect_err("no revision");
    let ProbeError::SpeaksNone { attempts } = &error else {
        panic!("{error}")
    };
    assert_eq!(attempts.len(), 5);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.got.contains("-32601")),
        "{error}"
    );
    let command = shell_server("", &initialize_as("1999-01-01"));
    let error = discover(&run(command))
        .await
        .expect_err("no revision")
        .to_string();
    assert!(
        error.contains("asked for 2024-11-05, the server answers with 1999-01-01"),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_repeats_what_it_reads_is_not_talked_to() {
    let error = discover(&run(vec!["cat".to_owned()]))
        .await
        .expect_err("no server");
    let ProbeError::SpeaksNone { attempts } = &error else {
        panic!("{error}")
    };
    assert!(
        attempts
            .iter()
            .all(|it| it.got.contains("the request itself came back")),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_pings_before_it_answers_is_answered() {
    let ping = r#"    *'"method":"initialize"'*)
      echo '{"jsonrpc":"2.0","id":"p","method":"ping"}'; IFS= read -r answer
      case "$answer" in *'"id":"p"'*'"result":{}'*) ;; *) exit 9 ;; esac
      say '"result":{"protocolVersion":"2024-11-05","capabilities":{}}' ;;"#;
    let discovery = discover(&run(shell_server("", ping))).await.expect("a way");
    assert_eq!(revisions(&discovery), ["2024-11-05"]);
}

#[tokio::test]
async fn a_tool_that_is_not_known_to_be_safe_is_never_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let mark = folder.path().join("called");
    let cases = format!(
        "{}\n    *'\"method\":\"tools/list\"'*) say '\"result\":{{\"tools\":[{{\"name\":\"erase\",\"inputSchema\":{{\"type\":\"object\"}}}}]}}' ;;\n    *tools/call*) : > '{}' ;;",
        initialize_as("2025-11-25"),
        mark.display()
    );
    let spec = run(shell_server("", &cases));
    let discovery = discover(&spec).await.expect("a way");
    assert!(!mark.exists());
    let inspection = Inspection::of(&spec, &discovery);
    let way = &inspection.ways[0];
    assert_eq!(
        (way.tools[0].name.as_str(), &way.tools[0].safe),
        ("erase", &None)
    );
    let missing = way
        .missing
        .iter()
        .find(|it| it.fixture == "tool-any")
        .expect("missing");
    assert_eq!(
        missing.snippet.as_deref(),
        Some("[fixtures.tool-any]\nname = \"…\"\narguments = {}")
    );
    let resource = way
        .missing
        .iter()
        .find(|it| it.fixture == "resource-text")
        .expect("missing");
    assert_eq!(
        resource.snippet, None,
        "what is not declared need not be bound"
    );
}

#[tokio::test]
async fn endless_pages_end() {
    let cases = format!(
        "{}\n    *'\"method\":\"tools/list\"'*) n=$((n+1)); say \"\\\"result\\\":{{\\\"tools\\\":[],\\\"nextCursor\\\":\\\"c$n\\\"}}\" ;;",
        initialize_as("2025-11-25"),
    );
    let mut spec = run(shell_server("n=0", &cases));
    spec.declared.revisions = vec![Revision::V2025_11_25];
    let discovery = discover(&spec).await.expect("a way");
    let notes = discovery.ways[0].bound.notes.join("\n");
    assert!(
        notes.contains("only the first 50 pages were read"),
        "{notes}"
    );
}
