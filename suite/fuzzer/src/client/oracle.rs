//! What is wrong with a visit: what a client must not do whatever it is sent, or should rather not.
//!
//! An exit code alone says nothing: a client may give up on a server that talks nonsense.

use std::collections::BTreeSet;

use mcp_verdict_results::Verdict;
use mcp_verdict_wire::{
    Era, Revision, TransportKind,
    message::{Lenient, Malformed},
};
use serde_json::Value;

use super::visit::{Ended, Visit};

/// What is looked for in clients: its name, and what should be.
pub const CLIENT_ORACLES: [(&str, &str); 6] = [
    (
        "client/crash",
        "The client ends in good order, whatever it is sent",
    ),
    (
        "client/hang",
        "The client comes to its end when each of its requests was answered",
    ),
    (
        "client/id",
        "The client gives each request an id of its own",
    ),
    ("client/memory", "The client's memory keeps to a bound"),
    (
        "client/message",
        "What the client sends are messages of JSON-RPC",
    ),
    ("client/pages", "The client does not follow pages for ever"),
];

/// Something that looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspicion {
    pub(crate) oracle: &'static str,
    /// What was seen, without what differs from visit to visit.
    pub(crate) shape: String,
    /// What was seen.
    pub(crate) message: String,
    pub(crate) verdict: Verdict,
    /// The statements that are broken.
    pub(crate) requirements: Vec<&'static str>,
}

/// Everything that looks wrong about a visit.
pub(crate) fn suspicions(visit: &Visit, transport: TransportKind) -> Vec<Suspicion> {
    let mut found: Vec<_> = crash(visit).into_iter().collect();
    let warn = |oracle, shape: &str, message: String| Suspicion {
        oracle,
        shape: shape.to_owned(),
        message,
        verdict: Verdict::Warn,
        requirements: vec!["robustness#survival"],
    };
    let seconds = visit.took.as_secs_f64();
    match visit.ended {
        Some(Ended::Time) if visit.log.all_answered() && !visit.log.open.is_empty() => {
            let message = format!(
                "each of its {} requests got its answer, and it was still there after {seconds:.1} s",
                visit.log.open.len()
            );
            found.push(warn("client/hang", "all answered", message));
        }
        Some(Ended::Memory) => {
            let message = format!("it held {} MiB", visit.memory_kib / 1024);
            found.push(warn("client/memory", "too much", message));
        }
        Some(Ended::Pages) => {
            let most = visit.log.asked.iter().max_by_key(|(_, times)| **times);
            if let Some((method, times)) = most {
                let message = format!("it sent {method} {times} times in {seconds:.1} s");
                found.push(warn("client/pages", method, message));
            }
        }
        Some(Ended::Time | Ended::Waiting) | None => {}
    }
    found.extend(messages(visit, transport));
    found
}

/// A crash: by signal, by an exit code that a shell gives for one, or by the words of a language's own handler.
fn crash(visit: &Visit) -> Option<Suspicion> {
    let shape = by_signal(visit).or_else(|| by_words(visit))?;
    let last: Vec<&str> = visit.stderr.lines().rev().take(4).collect();
    let said: Vec<&str> = last.into_iter().rev().collect();
    let how = match (visit.code, visit.signal) {
        (_, Some(signal)) => format!("it was ended by signal {signal}"),
        (Some(code), None) => format!("it ended with exit code {code}"),
        (None, None) => "it did not end by itself".to_owned(),
    };
    Some(Suspicion {
        oracle: "client/crash",
        message: format!("{how}; its standard error ends with: {}", said.join(" / ")),
        shape,
        verdict: Verdict::Warn,
        requirements: vec!["robustness#survival"],
    })
}

fn by_signal(visit: &Visit) -> Option<String> {
    let signal = visit.signal.or(match visit.code {
        Some(code @ 129..=159) => Some(code - 128),
        _ => None,
    })?;
    let name = SIGNALS.iter().find(|(number, _)| *number == signal)?.1;
    let panic = line_with(&visit.stderr, "panicked at").unwrap_or_default();
    Some(format!("{name} {panic}").trim().to_owned())
}

fn by_words(visit: &Visit) -> Option<String> {
    let stderr = &visit.stderr;
    let always = [
        "panicked at",
        "Segmentation fault",
        "UnhandledPromiseRejection",
    ];
    if let Some(line) = always.iter().find_map(|mark| line_with(stderr, mark)) {
        return Some(line);
    }
    // These may be in what a client writes into its log; with an exit code they were the last that it said.
    if visit.code.is_none_or(|code| code == 0) {
        return None;
    }
    if let Some(line) = traceback(stderr) {
        return Some(line);
    }
    let marks = [
        "Unhandled exception",
        "Unhandled 'error' event",
        "goroutine 1 [",
        "Exception in thread ",
    ];
    if let Some(line) = marks.iter().find_map(|mark| line_with(stderr, mark)) {
        return Some(line);
    }
    // Node.js tells its version after an exception that nobody caught.
    let uncaught = stderr.lines().any(|line| line.starts_with("Node.js v"));
    let thrown = |line: &&str| {
        line.split(':')
            .next()
            .is_some_and(|it| it.ends_with("Error"))
    };
    let line = uncaught.then(|| stderr.lines().find(thrown)).flatten()?;
    Some(plain(line))
}

/// An exception of Python that nobody caught, and where it was raised. Its traceback begins with the program itself; one
/// that was caught and put into a log begins where it was caught.
fn traceback(stderr: &str) -> Option<String> {
    let lines: Vec<&str> = stderr.lines().collect();
    let begins = |place: &usize| {
        let next = lines.get(place + 1);
        lines[*place].contains("Traceback (most recent call last)")
            && next.is_some_and(|it| it.ends_with("in <module>") || it.contains("<frozen runpy>"))
    };
    let from = (0..lines.len()).rev().find(begins)?;
    let mut frame = "";
    for line in &lines[from + 1..] {
        // A group of exceptions has its lines behind bars.
        let line = line.trim_start_matches([' ', '|', '+']);
        if line.starts_with("File \"") {
            frame = line.rsplit(" in ").next().unwrap_or_default();
        }
        let name = line.split([':', ' ']).next().unwrap_or_default();
        let is_name = |it: &str| {
            it.chars()
                .all(|it| it.is_alphanumeric() || "._".contains(it))
        };
        if is_name(name) && EXCEPTIONS.iter().any(|end| name.ends_with(end)) {
            return Some(format!("{name} in {}", plain(frame)));
        }
    }
    None
}

fn line_with(text: &str, mark: &str) -> Option<String> {
    text.lines().find(|line| line.contains(mark)).map(plain)
}

/// A line without what differs from run to run.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    for character in line.trim().chars().take(160) {
        match character {
            '0'..='9' if plain.ends_with('#') => {}
            '0'..='9' => plain.push('#'),
            other => plain.push(other),
        }
    }
    plain
}

/// What it sent, by what JSON-RPC says of every message.
fn messages(visit: &Visit, transport: TransportKind) -> Vec<Suspicion> {
    let mut found: Vec<Suspicion> = Vec::new();
    let mut ids = BTreeSet::new();
    let revision = visit.log.revision;
    for bytes in &visit.log.heard {
        let fail = |oracle, shape: &str, requirement| Suspicion {
            oracle,
            shape: shape.to_owned(),
            message: format!(
                "{shape}: {}",
                String::from_utf8_lossy(&bytes[..bytes.len().min(300)])
            ),
            verdict: Verdict::Fail,
            requirements: vec![requirement],
        };
        let read = Lenient::parse(bytes);
        if read.as_ref().is_ok_and(|it| !it.remarks.is_empty()) {
            continue;
        }
        let wrong = match read.map(|it| it.value) {
            // What is more than we read is not for us to judge, and other encodings are not about JSON-RPC.
            Err(why) if why.is_limit() => None,
            Err(Malformed::Empty | Malformed::NotUtf8 { .. }) => None,
            Err(_) => Some(fail("client/message", "not JSON", "json-rpc-2.0#4")),
            Ok(Value::Array(_)) => None,
            Ok(Value::Object(message)) => {
                if message.get("method").and_then(Value::as_str) == Some("initialize") {
                    ids.clear();
                }
                wrong_object(&message, revision, transport, &mut ids)
                    .map(|(oracle, shape, requirement)| fail(oracle, shape, requirement))
            }
            Ok(_) => Some(fail("client/message", "no object", "json-rpc-2.0#4")),
        };
        found.extend(wrong.filter(|it| found.iter().all(|other| other.shape != it.shape)));
    }
    found
}

/// The oracle, what is wrong, and the statement that it breaks.
fn wrong_object(
    message: &serde_json::Map<String, Value>,
    revision: Option<Revision>,
    transport: TransportKind,
    ids: &mut BTreeSet<String>,
) -> Option<(&'static str, &'static str, &'static str)> {
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Some(("client/message", "jsonrpc is not 2.0", "json-rpc-2.0#4"));
    }
    // Before 2025-03-26 the specification says nothing of ids.
    if revision.is_none_or(|it| it < Revision::V2025_03_26) || !message.contains_key("method") {
        return None;
    }
    let id = message.get("id")?;
    if id.is_null() {
        return Some((
            "client/id",
            "a request whose id is null",
            "basic/index#requests.2",
        ));
    }
    // Elsewhere than on a channel nobody knows what is sent once more, and what belongs to which session.
    let is_legacy = revision.is_some_and(|it| it.era() == Era::Legacy);
    let on_channel = matches!(transport, TransportKind::Stdio | TransportKind::Ws);
    if is_legacy && on_channel && !ids.insert(id.to_string()) {
        return Some((
            "client/id",
            "an id that was used before",
            "basic/index#requests.3",
        ));
    }
    None
}

/// How the names of exceptions of Python end.
const EXCEPTIONS: [&str; 5] = ["Error", "Exception", "Group", "Exit", "Interrupt"];

/// Signals that end who made a grave mistake (signal(7)). What others may send it is not among them.
const SIGNALS: [(i32, &str); 7] = [
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (11, "SIGSEGV"),
    (31, "SIGSYS"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const LOGGED: &str = "Error parsing JSON response
Traceback (most recent call last):
  File \"/lib/mcp/client/streamable_http.py\", line 315, in _handle_json_response
    message = JSONRPCMessage.model_validate_json(content)
pydantic_core._pydantic_core.ValidationError: 1 validation error for JSONRPCMessage
  Invalid JSON
";

    #[test]
    fn an_exception_in_a_log_is_no_crash() {
        assert_eq!(traceback(LOGGED), None);
        let uncaught = format!(
            "{LOGGED}Traceback (most recent call last):\n  File \"/x.py\", line 3, in <module>\n    run()\n  \
             File \"/x.py\", line 1, in run\n    x[0]\nIndexError: list index out of range\n"
        );
        assert_eq!(traceback(&uncaught).as_deref(), Some("IndexError in run"));
    }

    #[test]
    fn a_group_of_exceptions_is_named_by_the_group() {
        let group = "  + Exception Group Traceback (most recent call last):
  |   File \"/x.py\", line 3, in <module>
  |     asyncio.run(main())
  |   File \"/lib/anyio.py\", line 7, in __aexit__
  |     raise BaseExceptionGroup(
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File \"/lib/y.py\", line 1, in read
    | KeyError: 'id'
";
        assert_eq!(
            traceback(group).as_deref(),
            Some("ExceptionGroup in __aexit__")
        );
    }

    #[test]
    fn what_is_no_message_breaks_a_must_and_what_is_odd_does_not() {
        let wrong = |text: &str| {
            let Value::Object(message) = Lenient::parse(text.as_bytes()).unwrap().value else {
                panic!("no object");
            };
            let mut ids = BTreeSet::from(["1".to_owned()]);
            let revision = Some(Revision::V2025_11_25);
            wrong_object(&message, revision, TransportKind::Stdio, &mut ids).map(|it| it.2)
        };
        for (text, broken) in [
            (r#"{"id":2,"method":"ping"}"#, Some("json-rpc-2.0#4")),
            (
                r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
                Some("basic/index#requests.2"),
            ),
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#,
                Some("basic/index#requests.3"),
            ),
            (r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, None),
            (r#"{"jsonrpc":"2.0","id":1e400,"result":{}}"#, None),
            (
                r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}}"#,
                None,
            ),
        ] {
            assert_eq!(wrong(text), broken, "{text}");
        }
    }

    #[test]
    fn what_differs_from_run_to_run_is_left_out() {
        let line = "thread 'main' (4711) panicked at src/main.rs:12:5:";
        assert_eq!(
            plain(line),
            "thread 'main' (#) panicked at src/main.rs:#:#:"
        );
    }
}
