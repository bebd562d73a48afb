//! A client for the tests of `fuzz --client`: this program, started for the one test here. It opens a session over
//! Streamable HTTP, lists the tools, and leaves; its name says what it cannot take.

use std::{
    env,
    error::Error,
    io::{Read, Write},
    net::TcpStream,
    process,
    time::Duration,
};

use serde_json::{Value, json};

/// The command of the client with this name.
pub(crate) fn fragile(name: &str) -> Vec<String> {
    let program = env::current_exe().expect("this program is somewhere");
    let mut words = ["--", "env"].map(str::to_owned).to_vec();
    words.extend([format!("{NAME}={name}"), format!("{URL}={{url}}")]);
    words.push(program.display().to_string());
    let test = "fragile_client::acts_as_a_client";
    words.extend([test, "--exact", "--ignored", "--nocapture"].map(str::to_owned));
    words
}

#[test]
#[ignore = "the client of other tests"]
fn acts_as_a_client() {
    let (Ok(name), Ok(url)) = (env::var(NAME), env::var(URL)) else {
        return;
    };
    if let Err(error) = visit(&name, &url) {
        eprintln!("gave up: {error}");
        process::exit(1);
    }
}

fn visit(name: &str, url: &str) -> Result<(), Box<dyn Error>> {
    let client = json!({"name": "fragile", "version": "1"});
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let opened = post(url, None, &request(1, "initialize", params))?;
    let session = opened.session.as_deref();
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    post(url, session, &initialized)?;
    let list = request(2, "tools/list", json!({}));
    let answer = post(url, session, &list)?;
    let body: Value = serde_json::from_str(&answer.body)?;
    let tools = body["result"]["tools"].as_array().ok_or("no tools")?;
    if name == "panics" {
        for tool in tools {
            tool["name"].as_str().expect("a tool has a name");
        }
    }
    if name == "aborts" && tools.len() > 90 {
        process::abort();
    }
    if name == "hangs" && answer.head.contains("event-stream") {
        std::thread::sleep(Duration::from_secs(3600));
    }
    Ok(())
}

fn request(id: u64, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

struct Answer {
    head: String,
    session: Option<String>,
    body: String,
}

/// Posts a message on a connection of its own. An event stream is read for the last message in it that is an answer.
fn post(url: &str, session: Option<&str>, message: &Value) -> Result<Answer, Box<dyn Error>> {
    let address = url.trim_start_matches("http://");
    let (host, path) = address.split_once('/').ok_or("no path")?;
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    let body = message.to_string();
    let session = session.map_or_else(String::new, |id| format!("Mcp-Session-Id: {id}\r\n"));
    write!(
        stream,
        "POST /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\n{session}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no head")?;
    let field = |line: &str| line.to_ascii_lowercase().starts_with("mcp-session-id:");
    let line = head.lines().find(|line| field(line));
    let of_stream = |line: &&str| line.starts_with("data:") && line.contains("\"result\"");
    let message = match head.contains("event-stream") {
        true => body.lines().rfind(of_stream).ok_or("no answer")?[5..].to_owned(),
        false => body.to_owned(),
    };
    Ok(Answer {
        session: line.map(|line| line[15..].trim().to_owned()),
        head: head.to_owned(),
        body: message,
    })
}

/// Variables that say which client it is, and where its server is.
const NAME: &str = "FRAGILE_CLIENT";
const URL: &str = "FRAGILE_CLIENT_URL";
