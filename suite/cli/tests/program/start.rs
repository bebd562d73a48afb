//! Servers at a URL that the program starts itself.

use std::{
    fs,
    net::{TcpListener, TcpStream},
};

use crate::{assert_code, fragile_server::fragile, run, text};

/// A port that nobody listens at.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("it is bound").port()
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/mcp")
}

/// Whether someone listens at a port of this machine.
fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn what_ends_a_server_at_a_url_is_found_and_shown_again() {
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
    let corpus = folder.path().join("found").display().to_string();
    let report = folder.path().join("report.json");
    let to = format!("json={}", report.display());
    let (url, server) = (url(port), fragile("aborts", port));
    let found = run([
        "fuzz", &url, "--start", &server, "--cases", "24", "--corpus", &corpus, "--report", &to,
    ]);
    assert_code(&found, 1);
    let printed = text(&found.stdout);
    assert!(printed.contains("fail  fuzz/exit-"), "{printed}");
    assert!(printed.contains("shows in 3 of 3 trials"), "{printed}");
    // What is told of it is how it ended, what it said last, and how to show it again.
    for part in ["signal 6", "--start"] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    let report = fs::read_to_string(&report).unwrap();
    assert!(report.contains("panicked: params are an array"), "{report}");
    assert!(!listens(port));
    let replay = ["run", "--check", "fuzz/exit-*", "--vectors", &corpus, &url];
    let again = run([replay.as_slice(), &["--start", &server]].concat());
    assert_code(&again, 1);
    assert!(text(&again.stdout).contains("STILL FAILS"));
    let sound = fragile("sound", port);
    let mended = run([replay.as_slice(), &["--start", &sound]].concat());
    assert_code(&mended, 0);
    assert!(text(&mended.stdout).contains("FIXED"));
    assert!(!listens(port));
}

#[test]
fn a_server_that_cannot_be_started_is_told_with_its_words() {
    let port = free_port();
    let (url, server) = (url(port), fragile("ends-at-once", port));
    let output = run(["fuzz", &url, "--start", &server]);
    assert_code(&output, 3);
    let told = text(&output.stderr);
    assert!(told.contains("exit code 7"), "{told}");
    assert!(told.contains("there is no database"), "{told}");
    let output = run(["fuzz", &url, "--start", "no-such-program-here"]);
    assert_code(&output, 3);
    assert!(text(&output.stderr).contains("no-such-program-here"));
}

#[test]
fn what_listens_already_is_not_taken_for_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("it is bound").port();
    let output = run(["run", &url(port), "--start", &fragile("", port)]);
    assert_code(&output, 3);
    let told = text(&output.stderr);
    assert!(told.contains("something else listens there"), "{told}");
}

#[test]
fn a_command_is_started_for_a_url_alone() {
    let mistakes = [
        vec!["fuzz", "--start", "server", "--", "server"],
        vec!["fuzz", "http://127.0.0.1:1/mcp", "--start", "a 'b"],
        vec!["fuzz", "http://127.0.0.1:1/mcp", "--start", ""],
    ];
    for words in mistakes {
        assert_code(&run(&words), 2);
    }
}
