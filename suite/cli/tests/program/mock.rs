//! The mock server behind the program, in the same words as a target of somebody else's.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::{PROGRAM, assert_code, run, text};

/// A mock server that ends with the test.
struct Mock {
    child: Child,
    url: String,
    /// The file of its certificate, where it has one.
    certificate: Option<String>,
}

impl Mock {
    fn start(faults: &[&str]) -> Self {
        Self::start_on("streamable-http", None, faults)
    }

    fn start_on(transport: &str, listen: Option<&str>, faults: &[&str]) -> Self {
        let listen = listen.into_iter().flat_map(|listen| ["--listen", listen]);
        let what: Vec<&str> = ["--transport", transport]
            .into_iter()
            .chain(listen)
            .collect();
        Self::serve(&what, faults)
    }

    fn serve(what: &[&str], faults: &[&str]) -> Self {
        let flags = faults.iter().flat_map(|fault| ["--fault", fault]);
        let mut child = Command::new(PROGRAM)
            .arg("mock")
            .args(what)
            .args(flags)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mock starts");
        let stdout = child.stdout.take().expect("its output is piped");
        let mut stdout = BufReader::new(stdout).lines();
        let mut line = || stdout.next().expect("it prints a line").expect("a text");
        let url = line();
        let certificate = what.contains(&"--tls").then(line);
        Self {
            child,
            url,
            certificate,
        }
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().expect("it still runs");
        }
        self.child.wait().expect("it is gone");
    }
}

#[test]
fn a_conformant_server_at_a_url_passes() {
    let mock = Mock::start(&[]);
    let output = run(["run", &mock.url, "--check", "base"]);
    assert_code(&output, 0);
    assert!(
        text(&output.stdout).contains("2026-07-28"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_conformant_server_passes_over_tls_where_its_certificate_is_trusted() {
    for (transport, scheme) in [
        ("streamable-http", "https://"),
        ("http+sse", "https://"),
        ("ws", "wss://"),
        ("grpc", "grpcs://"),
        ("grpc-native", "grpcs://"),
    ] {
        let mock = Mock::serve(&["--transport", transport, "--tls"], &[]);
        assert!(mock.url.starts_with(scheme), "{}", mock.url);
        let certificate = mock.certificate.as_deref().expect("it is named");
        let what = ["run", &mock.url, "--transport", transport];
        let check = ["--check", "server/tools/list"];
        let trusted = ["--ca-cert", certificate];
        let output = run(what.into_iter().chain(check).chain(trusted));
        assert_code(&output, 0);
        assert!(
            text(&output.stdout).contains(transport),
            "{}",
            text(&output.stdout)
        );
        if transport == "grpc" {
            assert_code(&run(what.into_iter().chain(check)), 3);
        }
    }
    let output = run(["mock", "--transport", "tcp", "--tls"]);
    assert_code(&output, 2);
}

#[test]
fn a_conformant_server_passes_behind_a_proxy_and_what_is_truncated_does_not() {
    let mock = Mock::start(&[]);
    let proxy = Mock::serve(&["--proxy", &mock.url], &["slow-drip=1..40,ms=0"]);
    assert!(proxy.url.ends_with("/mcp") && proxy.url != mock.url);
    // Among them the guards against foreign names: the proxy's own is none.
    let check = ["--check", "transports/streamable-http/*o*n*"];
    assert_code(&run(["run", &proxy.url].into_iter().chain(check)), 0);
    let faulty = Mock::serve(&["--proxy", &mock.url], &["truncate=1"]);
    assert_code(&run(["run", &faulty.url].into_iter().chain(check)), 3);
}

#[test]
fn a_proxy_ends_when_it_is_told() {
    let mut proxy = Mock::serve(&["--proxy", "http://127.0.0.1:1/mcp"], &[]);
    let told = Command::new("kill")
        .arg(proxy.child.id().to_string())
        .status();
    assert!(told.expect("kill runs").success());
    let status = proxy.child.wait().expect("it is gone");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_url_without_its_path_is_completed() {
    let mock = Mock::start(&[]);
    let root = mock.url.trim_end_matches("mcp");
    let output = run([
        "run",
        root,
        "--transport",
        "streamable-http",
        "--check",
        "base/ping",
    ]);
    assert_code(&output, 0);
    assert!(
        text(&output.stdout).contains("/mcp"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_broken_must_ends_with_1_and_names_the_check() {
    let mock = Mock::start(&["ids-as-strings"]);
    let output = run(["run", &mock.url, "--check", "base/id-negative"]);
    assert_code(&output, 1);
    assert!(
        text(&output.stdout).contains("base/id-negative"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn a_known_failure_is_no_failure_and_one_that_is_gone_is_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let baseline = folder.path().join("known.toml");
    let file = baseline.to_str().expect("a path of UTF-8");
    let faulty = Mock::start(&["ids-as-strings"]);
    let check = ["--check", "base/id-negative"];
    let wrote = run(["run", &faulty.url, "--write-baseline", file]
        .into_iter()
        .chain(check));
    assert_code(&wrote, 1);
    let known = run(["run", &faulty.url, "--baseline", file]
        .into_iter()
        .chain(check));
    assert_code(&known, 0);
    let repaired = Mock::start(&[]);
    let better = run(["run", &repaired.url, "--baseline", file]
        .into_iter()
        .chain(check));
    assert_code(&better, 1);
    assert!(
        text(&better.stdout).contains("no longer fail"),
        "{}",
        text(&better.stdout)
    );
}

#[test]
fn a_credential_reaches_the_server_and_no_file() {
    let mock = Mock::start(&[]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| {
        folder
            .path()
            .join(name)
            .to_str()
            .expect("a path of UTF-8")
            .to_owned()
    };
    let reports = ["json", "junit", "html"].map(|format| format!("{format}={}", path(format)));
    let transcripts = path("transcripts");
    let secret = "correct-horse-battery-staple";
    let header = format!("authorization: Bearer {secret}");
    let mut arguments = vec![
        "run",
        &mock.url,
        "--check",
        "base",
        "--header",
        &header,
        "--transcript",
        &transcripts,
    ];
    reports
        .iter()
        .for_each(|report| arguments.extend(["--report", report]));
    let output = run(arguments);
    assert_code(&output, 0);
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(!printed.contains(secret), "{printed}");
    let mut files: Vec<_> = ["json", "junit", "html"]
        .map(|name| folder.path().join(name))
        .to_vec();
    let saved = std::fs::read_dir(&transcripts).expect("transcripts were saved");
    files.extend(saved.map(|entry| entry.expect("an entry").path()));
    assert!(files.len() > 10, "{files:?}");
    let mut redacted = 0;
    for file in files {
        let content = text(&std::fs::read(&file).expect("a file"));
        assert!(
            !content.contains(secret),
            "{} holds the secret",
            file.display()
        );
        redacted += content.matches("[redacted]").count();
    }
    assert!(redacted > 10, "the header was not sent, or not recorded");
}

#[test]
fn a_server_at_a_socket_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mock.sock");
    let mock = Mock::start_on("unix", Some(&path.display().to_string()), &[]);
    assert_eq!(mock.url, format!("unix:{}", path.display()));
    let output = run(["run", &mock.url, "--check", "base/ping"]);
    assert_code(&output, 0);
    let mock = Mock::start_on("tcp", None, &[]);
    assert!(mock.url.starts_with("tcp://127.0.0.1:"), "{}", mock.url);
    let output = run(["run", &mock.url, "--check", "base/ping"]);
    assert_code(&output, 0);
}
