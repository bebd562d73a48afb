//! A server for the tests of `--start`: this program, started for the one test here. It speaks just enough of
//! 2025-11-25 over Streamable HTTP, and its name says what it cannot take.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

/// The command of the server with this name at this port, as one text.
pub(crate) fn fragile(name: &str, port: u16) -> String {
    let program = env::current_exe().expect("this program is somewhere");
    format!(
        "env {NAME}={name} {PORT}={port} '{}' fragile_server::acts_as_a_server --exact --ignored --nocapture",
        program.display()
    )
}

#[test]
#[ignore = "the server of other tests"]
fn acts_as_a_server() {
    let (Ok(name), Ok(port)) = (env::var(NAME), env::var(PORT)) else {
        return;
    };
    if name == "ends-at-once" {
        eprintln!("there is no database");
        process::exit(7);
    }
    let port = port.parse().expect("a port");
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    for stream in listener.incoming().flatten() {
        let name = name.clone();
        // What breaks one connection is not the server's end.
        thread::spawn(move || drop(serve(&name, &stream)));
    }
}

/// Answers the requests of one connection, one after the other.
fn serve(name: &str, mut stream: &TcpStream) -> Result<(), Box<dyn Error>> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new(stream);
    loop {
        let Some((method, length)) = head(&mut reader)? else {
            return Ok(());
        };
        let mut body = vec![0; length.min(BODY_BYTES_MAX)];
        reader.read_exact(&mut body)?;
        let (status, answer) = match method.as_str() {
            "POST" => answer(name, &body),
            _ => ("405 Method Not Allowed", None),
        };
        let answer = answer.map_or_else(String::new, |answer: Value| answer.to_string());
        let response = format!(
            "HTTP/1.1 {status}\r\nAllow: POST\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(response.as_bytes())?;
    }
}

/// The method of the next request, and how long its body is.
fn head(reader: &mut impl BufRead) -> Result<Option<(String, usize)>, Box<dyn Error>> {
    let mut lines = reader.lines();
    let Some(first) = lines.next().transpose()? else {
        return Ok(None);
    };
    let mut fields = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else {
            break;
        };
        fields.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let method = first.split(' ').next().unwrap_or_default().to_owned();
    let length = fields
        .get("content-length")
        .map_or(Ok(0), |it| it.parse())?;
    Ok(Some((method, length)))
}

fn answer(name: &str, body: &[u8]) -> (&'static str, Option<Value>) {
    let error = |code: i64, id: &Value| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": "no"}});
    let Ok(message) = serde_json::from_slice::<Value>(body) else {
        return ("400 Bad Request", Some(error(-32700, &Value::Null)));
    };
    let method = message["method"].as_str();
    if name == "aborts" && message["params"].is_array() {
        eprintln!("thread 'main' panicked: params are an array");
        process::abort();
    }
    if name == "hangs" && (HANGS.load(Relaxed) || message["params"].is_array()) {
        HANGS.store(true, Relaxed);
        thread::sleep(Duration::from_secs(3600));
    }
    let (Some(id), Some(method)) = (message.get("id"), method) else {
        return match message.is_object() && message.get("id").is_none() {
            true => ("202 Accepted", None),
            false => ("400 Bad Request", Some(error(-32600, &Value::Null))),
        };
    };
    let result = match method {
        "initialize" => json!({"protocolVersion": "2025-11-25", "capabilities": {},
            "serverInfo": {"name": "fragile", "version": "1"}}),
        "ping" => json!({}),
        _ => return ("200 OK", Some(error(-32601, id))),
    };
    (
        "200 OK",
        Some(json!({"jsonrpc": "2.0", "id": id, "result": result})),
    )
}

/// From now on nobody is answered.
static HANGS: AtomicBool = AtomicBool::new(false);

const NAME: &str = "FRAGILE_SERVER";

const PORT: &str = "FRAGILE_PORT";

/// Longer bodies are not read to their end.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
