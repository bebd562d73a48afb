//! Servers that mean harm, or behave as if: the run ends, says what it made of them, and leaves nobody behind.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use serde_json::Value;

use crate::{PROGRAM, assert_code, code, run, text};

/// A server for `sh`. It answers `initialize` with `result`, and any other request by `otherwise`, which finds the
/// request's id in `$id`.
fn server(result: &str, otherwise: &str) -> String {
    format!(
        r#"while read -r line; do
             id=${{line#*'"id":'}}; id=${{id%%[,\}}]*}}
             case $line in
               *'"method":"initialize"'*) printf '{{"jsonrpc":"2.0","id":%s,"result":%s}}\n' "$id" '{result}';;
               *'"method":"notifications/'*) ;;
               *'"id":'*) {otherwise};;
             esac
           done"#
    )
}

const OPENING: &str = r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"h","version":"1"}}"#;

const FLOOD: &str = r#"exec yes '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}'"#;

/// The report of a run against such a server, and the exit code.
fn judged(server: &str, flags: &[&str]) -> (Value, Option<i32>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let report = folder.path().join("report.json");
    let spec = format!("json={}", report.display());
    let mut arguments = vec!["run", "--revision", "2025-11-25", "--report", &spec];
    arguments.extend(flags);
    arguments.extend(["--", "sh", "-c", server]);
    let output = run(arguments);
    let (code, printed) = code(&output);
    assert!(!printed.contains("panicked"), "{printed}");
    let report = fs::read_to_string(report).expect(&printed);
    (serde_json::from_str(&report).expect("JSON"), code)
}

fn verdicts<'r>(report: &'r Value, verdict: &str) -> Vec<&'r Value> {
    let results = report["results"].as_array().expect("results");
    results
        .iter()
        .filter(|result| result["verdict"] == verdict)
        .collect()
}

#[test]
fn a_target_that_floods_again_and_again_is_given_up_on() {
    let (report, code) = judged(&server(OPENING, FLOOD), &["--check", "base"]);
    let notes = report["target"]["notes"].to_string();
    assert!(notes.contains("broke limits of this suite"), "{notes}");
    assert!(verdicts(&report, "error").is_empty());
    // That nothing is said about what was not seen holds for vectors; rules judge what was.
    let fails = verdicts(&report, "fail");
    assert!(
        fails.iter().all(|result| result["kind"] == "rule"),
        "{fails:?}"
    );
    // Never 0: not everything ran.
    let expected = if fails.is_empty() { 3 } else { 1 };
    assert_eq!(code, Some(expected));
}

#[test]
fn a_run_that_is_out_of_time_says_so() {
    let mute = "while read -r line; do :; done";
    let (report, code) = judged(
        &server(OPENING, mute),
        &["--max-time", "1", "--check", "base"],
    );
    let late = verdicts(&report, "inconclusive");
    assert!(
        late.iter().any(|result| result["message"]
            .to_string()
            .contains("time for the whole run")),
        "{report}"
    );
    assert!(matches!(code, Some(1 | 3)), "{code:?}");
}

#[test]
fn what_is_more_than_is_read_is_no_fault() {
    // Deeper, longer and with more values than we look into; as JSON it is all right.
    let deep = r#"printf '{"jsonrpc":"2.0","id":%s,"result":' "$id"; printf '%0200d' 0 | tr 0 '['; printf '%0200d' 0 | tr 0 ']'; echo '}'"#;
    let (report, code) = judged(&server(OPENING, deep), &["--check", "utilities/ping"]);
    assert_eq!(code, Some(0), "{report}");
    let inconclusive = verdicts(&report, "inconclusive");
    let limit = |result: &Value| {
        result["message"]
            .as_str()
            .is_some_and(|message| message.contains("levels"))
    };
    assert!(inconclusive.iter().any(|result| limit(result)), "{report}");
}

#[test]
fn odd_numbers_and_texts_open_a_session() {
    let odd = format!(
        r#"{{"protocolVersion":"2025-11-25","capabilities":{{"x":{{"a":1e400,"b":{}}}}},"serverInfo":{{"name":"\\ud800","version":"1","version":"2"}}}}"#,
        "9".repeat(5000)
    );
    let pong = r#"printf '{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id""#;
    let flags = ["--check", "utilities/ping", "--check", "rules/messages"];
    let (report, _) = judged(&server(&odd, pong), &flags);
    let passed = verdicts(&report, "pass");
    let ping = |result: &Value| result["area"] == "utilities/ping";
    assert!(passed.iter().any(|result| ping(result)), "{report}");
    let twice = verdicts(&report, "warn");
    assert!(
        twice
            .iter()
            .any(|result| result["check"] == "rules/messages/unique-keys"),
        "{report}"
    );
    assert!(verdicts(&report, "error").is_empty());
}

/// Runs the program against a flood, sends it `signal` once the flood goes on, and gives its exit code.
#[cfg(unix)]
fn interrupted(signal: &str) -> Option<i32> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pid = folder.path().join("pid");
    let flood = format!(r#"echo $$ > {}; {FLOOD}"#, pid.display());
    let mut program = Command::new(PROGRAM)
        .args(["run", "--revision", "2025-11-25", "--", "sh", "-c"])
        .arg(server(OPENING, &flood))
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    while !pid.exists() {
        thread::yield_now();
    }
    let kill = |arguments: &[&str]| {
        Command::new("kill")
            .args(arguments)
            .stderr(Stdio::null())
            .status()
            .expect("kill")
            .success()
    };
    assert!(kill(&[signal, &program.id().to_string()]));
    let status = program.wait().expect("it ends");
    let child = fs::read_to_string(&pid).unwrap_or_default();
    assert!(is_gone(child.trim()), "the server is still there");
    status.code()
}

/// Whether there is no such process, or only what is left until its parent asks for it.
#[cfg(unix)]
fn is_gone(pid: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    pid.is_empty() || status.map_or(true, |status| status.contains(") Z "))
}

#[cfg(target_os = "linux")]
#[test]
fn signals_end_a_run_that_is_being_flooded() {
    let mut signals = vec!["-TERM", "-INT"];
    // Under `nohup` it is meant to outlive its terminal.
    if !is_deaf_to_hang_ups() {
        signals.push("-HUP");
    }
    for signal in signals {
        assert_eq!(interrupted(signal), Some(130), "{signal}");
    }
}

/// Whether this process, and so what it starts, was started to ignore SIGHUP.
#[cfg(target_os = "linux")]
fn is_deaf_to_hang_ups() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("Linux has it");
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.expect("a mask") & 1 != 0
}

#[test]
fn a_command_that_cannot_exist_is_wrong_usage() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = folder.path().join("mcp.json");
    fs::write(
        &config,
        r#"{"mcpServers": {"a": {"command": "sh", "args": ["\u0000"]}}}"#,
    )
    .expect("a file");
    let output = run(["run", "--config", &config.to_string_lossy()]);
    assert_code(&output, 2);
}

/// What is said about a server that answers whatever comes with these bytes, and hangs up.
fn answered_with(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream?;
            let mut piece = [0; 4096];
            let _ = stream.read(&mut piece)?;
            stream.write_all(bytes)?;
        }
        Ok::<(), std::io::Error>(())
    });
    let output = run(["run", &format!("http://{address}/mcp")]);
    assert_code(&output, 3);
    text(&output.stderr)
}

#[test]
fn tls_is_suggested_where_it_is_spoken() {
    let said = answered_with(&[21, 3, 1, 0, 2, 2, 40]);
    assert!(said.contains("https://"), "{said}");
    let said = answered_with(b"");
    assert!(!said.contains("TLS"), "{said}");
    let said = answered_with(b"HTTP/1.1 200 \0\r\n\r\n<html>");
    assert!(!said.contains("TLS"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_daemon_does_not_outlive_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pids = folder.path().join("pids");
    let pong = r#"printf '{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id""#;
    // The middle one ends, so that the daemon has no parent left.
    let daemon = format!(
        "(setsid sh -c 'echo $$ >> {}; exec sleep 1000' &) ; {}",
        pids.display(),
        server(OPENING, pong)
    );
    let (report, _) = judged(&daemon, &["--check", "utilities/ping"]);
    assert!(!verdicts(&report, "pass").is_empty(), "{report}");
    let pids = fs::read_to_string(pids).expect("the server was started");
    assert!(pids.lines().count() > 0);
    for pid in pids.lines() {
        assert!(is_gone(pid), "{pid} is still there");
    }
}

#[cfg(unix)]
#[test]
fn who_reads_only_the_beginning_gets_the_same_exit_code() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let no_answer = server(OPENING, "exit 1");
    let program = Command::new(PROGRAM)
        .args([
            "run",
            "--revision",
            "2025-11-25",
            "--check",
            "utilities/ping",
        ])
        .args(["--", "sh", "-c", &no_answer])
        .current_dir(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut program = program.expect("the program starts");
    drop(program.stdout.take());
    assert_eq!(program.wait().expect("it ends").code(), Some(1));
}

#[test]
fn what_a_target_says_of_itself_is_harmless_in_an_error() {
    let refusal = r#"printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"\\u001b[31m\\u202ered"}}\n' "$id""#;
    let server = server("", refusal).replace(r#"*'"method":"initialize"'*)"#, "never)");
    let output = run(["run", "--revision", "2025-11-25", "--", "sh", "-c", &server]);
    assert_code(&output, 3);
    let said = text(&output.stderr);
    assert!(said.contains("red"), "{said}");
    assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said}");
}
