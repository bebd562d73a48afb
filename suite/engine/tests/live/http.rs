//! Runs over Streamable HTTP, against a server of one page.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use mcp_verdict_engine::plan::Prepared;
use mcp_verdict_results::Verdict;
use mcp_verdict_transport::Address;
use mcp_verdict_wire::TransportKind;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use crate::helper::{assert_verdict, library, options, run, target};

/// How many requests for `crowd` a server leaves without an answer before it answers the rest.
const CROWD: usize = 4;

/// Answers `initialize` and everything else; `die` closes the connection and the server with it, `mute` gets
/// no answer, and `crowd` none at first.
async fn serve() -> (SocketAddr, Prepared) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        let died = Arc::new(Notify::new());
        let crowd = Arc::new(AtomicUsize::new(0));
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (stream, _) = accepted.expect("a connection");
                    tokio::spawn(answer_all(stream, died.clone(), crowd.clone()));
                }
                () = died.notified() => return,
            }
        }
    });
    let url = format!("http://{address}/mcp");
    (
        address,
        target(
            Address::StreamableHttp { url },
            TransportKind::StreamableHttp,
        ),
    )
}

async fn answer_all(stream: TcpStream, died: Arc<Notify>, crowd: Arc<AtomicUsize>) {
    let mut stream = BufReader::new(stream);
    while let Some((method, body)) = read_request(&mut stream).await {
        let message: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let asked = message["method"].as_str().unwrap_or_default();
        if asked == "die" {
            died.notify_one();
            return;
        }
        if asked == "mute" || asked == "crowd" && crowd.fetch_add(1, Ordering::Relaxed) < CROWD {
            continue;
        }
        if asked == "late" {
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
        let reply = match (method.as_str(), message.get("id")) {
            ("POST", Some(id)) => {
                let result = if asked == "initialize" {
                    json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                        "serverInfo": {"name": "page", "version": "0"}})
                } else {
                    json!({})
                };
                let text = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
                format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
                     mcp-session-id: one\r\ncontent-length: {}\r\n\r\n{text}",
                    text.len()
                )
            }
            ("POST", None) => "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_owned(),
            _ => "HTTP/1.1 405 Method Not Allowed\r\nallow: POST\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
        };
        if stream.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut line = String::new();
    stream
        .read_line(&mut line)
        .await
        .ok()
        .filter(|read| *read > 0)?;
    let method = line.split(' ').next()?.to_owned();
    let mut length = 0;
    loop {
        let mut field = String::new();
        stream
            .read_line(&mut field)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        let field = field.trim().to_ascii_lowercase();
        if field.is_empty() {
            break;
        }
        if let Some(value) = field.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((method, body))
}

const PING: &str = "  - request: {method: ping, as: call}
  - expect: {response: call, match: {result: {}}}
  - expect: {http: call, match: {status: 200, headers: {content-type: application/json}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn status_and_message_are_judged() {
    let get = "  - http: {method: GET, headers: {accept: text/event-stream}, as: get}
  - expect: {http: get, match: {status: 405, headers: {allow: POST}}}
  - barrier: {}
";
    let wrong = get.replace("405", "200");
    let library = library(&[
        ("t/get", "", get),
        ("t/ping", "", PING),
        ("t/wrong", "", &wrong),
    ]);
    let (_, target) = serve().await;
    let outcome = run(&library, &target, &options()).await;
    assert_verdict(&outcome, "t/get", Verdict::Pass, "");
    assert_verdict(&outcome, "t/ping", Verdict::Pass, "");
    assert_verdict(&outcome, "t/wrong", Verdict::Fail, "/status");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_barrier_on_another_connection_does_not_cut_off_an_answer() {
    let steps = |subject: &str| {
        format!(
            "  - send: {{json: {{jsonrpc: '2.0', id: late, method: late}}, as: late}}
  - barrier: {{}}
  - expect: {{{subject}: late, match: [{{id: late}}]}}
"
        )
    };
    let (replies, stream) = (steps("replies"), steps("stream"));
    let library = library(&[("t/replies", "", &replies), ("t/stream", "", &stream)]);
    let (_, target) = serve().await;
    let outcome = run(&library, &target, &options()).await;
    assert_verdict(&outcome, "t/replies", Verdict::Pass, "");
    assert_verdict(&outcome, "t/stream", Verdict::Pass, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_that_opens_the_session_keeps_its_id() {
    let steps = "  - request:
      method: initialize
      params: {protocolVersion: '${revision}', capabilities: {}, clientInfo: {name: a, version: '0'}}
      as: open
  - expect: {response: open, match: {result: {}}}
  - notify: {method: notifications/initialized, as: done}
  - expect: {http: done, match: {status: 202, body: null}}
";
    let library = library(&[("t/open", "session: none\n", steps)]);
    let (_, target) = serve().await;
    let outcome = run(&library, &target, &options()).await;
    assert_verdict(&outcome, "t/open", Verdict::Pass, "");
    let text = outcome.transcripts[0].to_json_lines();
    let second = text
        .lines()
        .filter(|line| line.contains("http_request"))
        .nth(1)
        .unwrap();
    assert!(second.contains(r#"["mcp-session-id","one"]"#), "{second}");
    assert!(
        second.contains(r#"["mcp-protocol-version","2025-11-25"]"#),
        "{second}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_dies_leaves_the_rest_inconclusive_with_one_note() {
    let die = "  - request: {method: die, as: call}
  - expect: {response: call, match: {result: {}}}
";
    let library = library(&[
        ("t/a", "", PING),
        ("t/b", "", die),
        ("t/c", "", PING),
        ("t/d", "", PING),
    ]);
    let (_, target) = serve().await;
    let options = mcp_verdict_engine::run::Options {
        jobs: 1,
        ..options()
    };
    let outcome = run(&library, &target, &options).await;
    assert_verdict(&outcome, "t/b", Verdict::Fail, "");
    let summary = outcome.results.summary;
    assert_eq!(summary.error, 0);
    assert_eq!(summary.pass + summary.inconclusive + summary.fail, 4);
    if summary.inconclusive > 0 {
        assert_eq!(
            outcome.results.target.notes.len(),
            1,
            "{:?}",
            outcome.results.target.notes
        );
        assert!(outcome.results.target.notes[0].contains("t/b"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_inconclusive_and_no_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    drop(listener);
    let target = target(
        Address::StreamableHttp { url },
        TransportKind::StreamableHttp,
    );
    let bare = "session: none\n";
    let library = library(&[("t/a", "", PING), ("t/b", bare, PING), ("t/c", "", PING)]);
    let outcome = run(&library, &target, &options()).await;
    let summary = outcome.results.summary;
    assert_eq!(
        (summary.inconclusive, summary.total()),
        (3, 3),
        "{:#?}",
        outcome.results.results
    );
}

/// Vectors that ask for `method`, as many as a server leaves without an answer.
fn asking(method: &str) -> mcp_verdict_vectors::Library {
    let steps = format!(
        "  - request: {{method: {method}, as: call}}\n  - expect: {{response: call, match: {{result: {{}}}}}}\n"
    );
    let ids: Vec<String> = (0..CROWD).map(|number| format!("t/{number}")).collect();
    let vectors: Vec<_> = ids
        .iter()
        .map(|id| (id.as_str(), "", steps.as_str()))
        .collect();
    library(&vectors)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_crowd_did_not_get_is_asked_for_again_alone() {
    let (_, target) = serve().await;
    let outcome = run(&asking("crowd"), &target, &options()).await;
    for number in 0..CROWD {
        assert_verdict(&outcome, &format!("t/{number}"), Verdict::Pass, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_out_alone_fails() {
    let (_, target) = serve().await;
    let outcome = run(&asking("mute"), &target, &options()).await;
    for number in 0..CROWD {
        assert_verdict(&outcome, &format!("t/{number}"), Verdict::Fail, "1500 ms");
    }
}
