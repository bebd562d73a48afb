//! Servers made by hand: as wrong as a test wants them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::broadcast,
};

/// A request that came in.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// What to answer it with.
#[derive(Clone, Debug)]
pub(crate) enum Response {
    /// A body and its type.
    Whole(u16, Vec<(&'static str, String)>, String),
    /// An event stream that begins with this text and goes on with what [`Http::push`] gives.
    Stream(String),
}

/// An HTTP server on a free port of the loopback interface.
pub(crate) struct Http {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

pub(crate) type Answer =
    Arc<dyn Fn(&Request, &broadcast::Sender<String>) -> Response + Send + Sync>;

impl Http {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (events, _) = broadcast::channel(64);
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, seen, events) = (answer.clone(), Arc::clone(&seen), events.clone());
                tokio::spawn(async move { serve(stream, answer, seen, events).await });
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: Answer,
    seen: Arc<Mutex<Vec<Request>>>,
    events: broadcast::Sender<String>,
) -> Option<()> {
    let request = read(&mut stream).await?;
    seen.lock().expect("no panic").push(request.clone());
    match answer(&request, &events) {
        Response::Whole(status, headers, body) => {
            let fields: String = headers
                .iter()
                .map(|(name, value)| format!("{name}: {value}\r\n"))
                .collect();
            let text = format!(
                "HTTP/1.1 {status} Status\r\n{fields}content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await.ok()?;
        }
        Response::Stream(start) => {
            let mut events = events.subscribe();
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            stream
                .write_all(format!("{head}{start}").as_bytes())
                .await
                .ok()?;
            while let Ok(event) = events.recv().await {
                stream.write_all(event.as_bytes()).await.ok()?;
            }
        }
    }
    Some(())
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers
        .get("content-length")
        .and_then(|it| it.parse().ok())
        .unwrap_or(0);
    while bytes.len() < head + 4 + length {
        let count = stream
            .read(&mut piece)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        bytes.extend_from_slice(&piece[..count]);
    }
    let body = serde_json::from_slice(&bytes[head + 4..]).unwrap_or(Value::Null);
    Some(Request {
        method,
        path,
        headers,
        body,
    })
}

/// A response that holds JSON.
pub(crate) fn json_body(status: u16, body: &Value) -> Response {
    let headers = vec![("content-type", "application/json".to_owned())];
    Response::Whole(status, headers, body.to_string())
}

/// A response that holds nothing.
pub(crate) fn bare(status: u16) -> Response {
    Response::Whole(status, Vec::new(), String::new())
}

/// What a small server that knows some legacy revisions says to a message; `None` to a notification.
pub(crate) fn legacy_answer(message: &Value, revisions: &[&str]) -> Option<Value> {
    let id = message.get("id")?;
    let result = match message["method"].as_str().unwrap_or_default() {
        "initialize" => {
            let asked = message["params"]["protocolVersion"]
                .as_str()
                .unwrap_or_default();
            let version = revisions
                .iter()
                .find(|it| **it == asked)
                .or(revisions.last());
            json!({
                "protocolVersion": version,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "small", "version": "1"},
            })
        }
        "ping" => json!({}),
        "tools/list" => json!({"tools": [{
            "name": "echo",
            "inputSchema": {
                "type": "object",
                "properties": {"message": {"type": "string"}},
                "required": ["message"],
            },
        }]}),
        method => {
            let error = json!({"code": -32601, "message": format!("Method not found: {method}")});
            return Some(json!({"jsonrpc": "2.0", "id": id, "error": error}));
        }
    };
    Some(json!({"jsonrpc": "2.0", "id": id, "result": result}))
}

/// A Streamable HTTP endpoint of that server, for POST.
pub(crate) fn legacy_post(request: &Request, revisions: &[&str]) -> Response {
    match (
        request.method.as_str(),
        legacy_answer(&request.body, revisions),
    ) {
        ("POST", Some(answer)) => json_body(200, &answer),
        ("POST", None) => bare(202),
        _ => bare(405),
    }
}

/// A stdio server in the words of a shell: `cases` are arms of a `case` over the line.
pub(crate) fn shell_server(before: &str, cases: &str) -> Vec<String> {
    let script = format!(
        r#"{before}
while IFS= read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  say() {{ printf '{{"jsonrpc":"2.0","id":%s,%s}}\n' "$id" "$1"; }}
  case "$line" in
{cases}
    *'"id":'*) say '"error":{{"code":-32601,"message":"Method not found"}}' ;;
  esac
done"#
    );
    ["sh", "-c", &script].map(str::to_owned).to_vec()
}

/// An arm that answers `initialize` with one revision.
pub(crate) fn initialize_as(revision: &str) -> String {
    format!(
        r#"    *'"method":"initialize"'*) say '"result":{{"protocolVersion":"{revision}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"sh","version":"1"}}}}' ;;"#
    )
}
