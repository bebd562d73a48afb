//! A client of lines, and one of plain HTTP, that wait for everything and for nothing longer than
//! [`PATIENCE`].

use std::time::Duration;

use mcp_verdict_mock::{MockConfig, Served, serve_lines};
use mcp_verdict_wire::TransportKind;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
pub(crate) const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// A stdio process, without the process.
pub(crate) struct Stdio {
    input: Option<DuplexStream>,
    output: Lines<BufReader<DuplexStream>>,
    exit: JoinHandle<i32>,
    next: u64,
}

impl Stdio {
    pub(crate) fn start(config: &MockConfig) -> Self {
        let (input, reader) = tokio::io::duplex(1 << 16);
        let (writer, output) = tokio::io::duplex(1 << 16);
        let config = config.clone();
        let exit = tokio::spawn(async move {
            serve_lines(&config, TransportKind::Stdio, reader, writer)
                .await
                .unwrap()
        });
        Self {
            input: Some(input),
            output: BufReader::new(output).lines(),
            exit,
            next: 1,
        }
    }

    pub(crate) fn conformant() -> Self {
        Self::start(&MockConfig::default())
    }

    pub(crate) fn with_fault(name: &str) -> Self {
        Self::start(&MockConfig::with_fault(name))
    }

    /// A process that has been initialized.
    pub(crate) async fn legacy(revision: &str) -> Self {
        let mut stdio = Self::conformant();
        stdio.initialize(revision).await;
        stdio
    }

    pub(crate) async fn initialize(&mut self, revision: &str) -> Value {
        let answer = self
            .request("initialize", initialize_params(revision))
            .await;
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        answer
    }

    pub(crate) async fn line(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        input
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.line(&message.to_string()).await;
    }

    /// Sends a request, and returns its id.
    pub(crate) async fn ask(&mut self, method: &str, params: Value) -> u64 {
        let id = self.next;
        self.next += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await;
        id
    }

    /// The next line, or nothing at the end.
    pub(crate) async fn next_line(&mut self) -> Option<String> {
        timeout(PATIENCE, self.output.next_line())
            .await
            .expect("a line in time")
            .unwrap()
    }

    pub(crate) async fn receive(&mut self) -> Value {
        serde_json::from_str(&self.next_line().await.expect("a message")).expect("JSON")
    }

    /// Sends a request, and returns the next message, which must be its answer.
    pub(crate) async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.ask(method, params).await;
        let answer = self.receive().await;
        assert_eq!(answer["id"], json!(id), "{answer}");
        answer
    }

    /// Calls a tool and answers what it asks; returns everything up to its answer.
    pub(crate) async fn call(&mut self, params: Value) -> Vec<Value> {
        let id = self.ask("tools/call", params).await;
        let mut messages = Vec::new();
        loop {
            let message = self.receive().await;
            if let (Some(method), Some(id)) = (message.get("method"), message.get("id")) {
                let result = client_answer(method.as_str().unwrap(), &message["params"]);
                self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))
                    .await;
            }
            let done = message["id"] == json!(id) && message.get("method").is_none();
            messages.push(message);
            if done {
                return messages;
            }
        }
    }

    /// Closes the input, and returns the exit code.
    pub(crate) async fn close(mut self) -> i32 {
        self.input = None;
        timeout(PATIENCE, self.exit)
            .await
            .expect("an exit in time")
            .unwrap()
    }

    /// Closes the input, and goes on reading.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits for it to end by itself.
    pub(crate) async fn exit(self) -> i32 {
        timeout(PATIENCE, self.exit)
            .await
            .expect("an exit in time")
            .unwrap()
    }
}

/// A server on a free port.
pub(crate) async fn http(config: &MockConfig) -> Served {
    Served::http(config, "127.0.0.1:0".parse().unwrap())
        .await
        .unwrap()
}

/// An HTTP response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) async fn body(mut self) -> String {
        let mut body = String::new();
        timeout(PATIENCE, self.stream.read_to_string(&mut body))
            .await
            .expect("an end in time")
            .unwrap();
        body
    }

    pub(crate) async fn json(self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"));
        let body = self.body().await;
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// The fields of the next event, or nothing at the end of the stream.
    pub(crate) async fn event(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await;
            if read.expect("an event in time").unwrap() == 0 {
                return None;
            }
            let line = line.trim_end_matches('\n');
            match line.split_once(": ") {
                Some(("event", value)) => event.event = value.to_owned(),
                Some(("id", value)) => event.id = Some(value.to_owned()),
                Some(("data", value)) => event.data = Some(value.to_owned()),
                Some(("retry", _)) => event.retry = true,
                _ if line.is_empty() => return Some(event),
                _ => {}
            }
        }
    }

    /// The next message of an event stream.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            let event = self.event().await?;
            if let Some(data) = event.data.filter(|data| !data.is_empty()) {
                return Some(serde_json::from_str(&data).unwrap());
            }
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) id: Option<String>,
    pub(crate) data: Option<String>,
    pub(crate) retry: bool,
}

/// Sends a request. HTTP/1.0 makes the response end with its connection, without chunks.
pub(crate) async fn exchange(
    served: &Served,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Response {
    let mut request = format!(
        "{method} {path} HTTP/1.0\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = TcpStream::connect(served.address().unwrap()).await.unwrap();
    stream
        .write_all(format!("{request}\r\n{body}").as_bytes())
        .await
        .unwrap();
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        let read = timeout(PATIENCE, stream.read_line(&mut line)).await;
        assert_ne!(
            read.expect("a head in time").unwrap(),
            0,
            "the connection ended in its head"
        );
        if line == "\r\n" {
            break;
        }
        head.push(line.trim_end().to_owned());
    }
    let status = head[0].split(' ').nth(1).unwrap().parse().unwrap();
    let fields = head[1..].iter().map(|line| line.split_once(": ").unwrap());
    let headers = fields
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    Response {
        status,
        headers,
        stream,
    }
}

pub(crate) const JSON: (&str, &str) = ("content-type", "application/json");
pub(crate) const BOTH: (&str, &str) = ("accept", "application/json, text/event-stream");

/// A session over Streamable HTTP.
pub(crate) struct Session<'a> {
    pub(crate) served: &'a Served,
    pub(crate) id: String,
    revision: &'static str,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(served: &'a Served, revision: &'static str) -> Self {
        let message = request(0, "initialize", initialize_params(revision));
        let response = exchange(served, "POST", "/mcp", &[JSON, BOTH], &message).await;
        assert_eq!(response.status, 200);
        let id = response
            .header("mcp-session-id")
            .expect("a session id")
            .to_owned();
        let session = Self {
            served,
            id,
            revision,
        };
        let initialized = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
        assert_eq!(session.post(initialized).await.status, 202);
        session
    }

    pub(crate) async fn post(&self, body: &str) -> Response {
        self.send("POST", &[JSON, BOTH], body).await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let own = [
            ("mcp-session-id", self.id.as_str()),
            ("mcp-protocol-version", self.revision),
        ];
        exchange(self.served, method, "/mcp", &[&own, headers].concat(), body).await
    }
}

/// POSTs a modern request with the headers that it wants.
pub(crate) async fn post_modern(served: &Served, id: u64, method: &str, params: Value) -> Response {
    let name = params
        .get("name")
        .or(params.get("uri"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let body = request(id, method, modern(params));
    let headers = [
        JSON,
        BOTH,
        VERSION,
        ("mcp-method", method),
        ("mcp-name", &name),
    ];
    exchange(served, "POST", "/mcp", &headers, &body).await
}

pub(crate) const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

pub(crate) fn request(id: u64, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

pub(crate) fn initialize_params(revision: &str) -> Value {
    let mut capabilities = json!({"roots": {}, "sampling": {}});
    if revision >= "2025-06-18" {
        capabilities["elicitation"] = json!({});
    }
    let info = json!({"name": "test", "version": "1"});
    json!({"protocolVersion": revision, "capabilities": capabilities, "clientInfo": info})
}

/// Params with the metadata of a client that can do everything.
pub(crate) fn modern(params: Value) -> Value {
    modern_with(
        params,
        json!({"roots": {}, "sampling": {}, "elicitation": {}}),
    )
}

pub(crate) fn modern_with(mut params: Value, capabilities: Value) -> Value {
    let meta = params
        .as_object_mut()
        .unwrap()
        .entry("_meta")
        .or_insert_with(|| json!({}));
    meta["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    meta["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    params
}

/// What a client that can do everything answers.
pub(crate) fn client_answer(method: &str, params: &Value) -> Value {
    match method {
        "roots/list" => json!({"roots": [{"uri": "file:///home"}]}),
        "sampling/createMessage" => {
            json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "Paris"}})
        }
        "elicitation/create" => {
            let properties = params["requestedSchema"]["properties"].as_object().unwrap();
            let values = properties
                .iter()
                .map(|(name, schema)| (name.clone(), example(schema)));
            json!({"action": "accept", "content": values.collect::<serde_json::Map<_, _>>()})
        }
        _ => json!({}),
    }
}

/// A value that fits a schema of the mock.
pub(crate) fn example(schema: &Value) -> Value {
    if let Some(first) = schema
        .pointer("/enum/0")
        .or(schema.pointer("/oneOf/0/const"))
    {
        return first.clone();
    }
    match schema["type"].as_str().unwrap() {
        "array" => json!([]),
        "boolean" => json!(true),
        "integer" | "number" => json!(1),
        "string" => json!("some text"),
        other => panic!("no example of {other}"),
    }
}

/// Arguments that a tool accepts, from its definition.
pub(crate) fn arguments(tool: &Value) -> Value {
    if tool["name"] == "json_schema_2020_12_tool" {
        return json!({"name": "x", "phone": "1", "contactMethod": "phone"});
    }
    let schema = &tool["inputSchema"];
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let values = required.iter().filter_map(Value::as_str);
    values
        .map(|name| (name.to_owned(), example(&schema["properties"][name])))
        .collect()
}
