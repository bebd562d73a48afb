//! Runs over stdio, against a server that is a few lines of shell.

use std::time::{Duration, Instant};

use mcp_verdict_engine::plan::{EmptyPlan, Prepared, Selection};
use mcp_verdict_results::Verdict;
use mcp_verdict_transport::Address;
use mcp_verdict_wire::{TransportKind, transcript::EventKind};

use crate::helper::{assert_verdict, library, options, result, run, target};

/// Answers `initialize` and `ping`; `crash` ends it, `silence` gets nothing, `ask` makes it ask for roots
/// and answer with what it got.
const SERVER: &str = r#"
while IFS= read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"method":"initialize"'*)
      printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"shell","version":"0"}}}\n' "$id" ;;
    *'"method":"crash"'*) exit 3 ;;
    *'"method":"silence"'*) ;;
    *'"method":"ask"'*)
      printf '{"jsonrpc":"2.0","id":77,"method":"roots/list"}\n'
      IFS= read -r answer
      case "$answer" in *'file:///here'*) got=true ;; *) got=false ;; esac
      printf '{"jsonrpc":"2.0","id":%s,"result":{"got":%s}}\n' "$id" "$got" ;;
    *'"method":"notifications/'*) ;;
    *'"method":'*) printf '{"jsonrpc":"2.0","id":%s,"result":{}}\n' "$id" ;;
  esac
done
"#;

fn shell() -> Prepared {
    let address = Address::Command {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), SERVER.to_owned()],
        environment: Default::default(),
        directory: None,
    };
    target(address, TransportKind::Stdio)
}

const PING: &str = "  - request: {method: ping, as: call}
  - expect: {response: call, match: {result: {}}}
";

fn ask(method: &str) -> String {
    PING.replace("method: ping", &format!("method: {method}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn right_and_wrong_are_told_apart() {
    let wrong = PING.replace("result: {}", "error: {}");
    let library = library(&[("t/right", "", PING), ("t/wrong", "", &wrong)]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(&outcome, "t/right", Verdict::Pass, "");
    assert_verdict(&outcome, "t/wrong", Verdict::Fail, "/error");
    assert_eq!(outcome.results.summary.pass, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passed_session_serves_the_next_vector_and_says_which_ids_it_has_seen() {
    let library = library(&[
        ("t/a", "", PING),
        ("t/b", "", PING),
        ("t/c", "session: fresh\n", PING),
    ]);
    let options = mcp_verdict_engine::run::Options {
        jobs: 1,
        ..options()
    };
    let outcome = run(&library, &shell(), &options).await;
    assert_eq!(outcome.results.summary.pass, 3);
    let started = |check: usize| {
        let events = outcome.transcripts[check].events.iter();
        events
            .filter(|event| matches!(event.kind, EventKind::ProcessStarted { .. }))
            .count()
    };
    assert_eq!(
        [started(0), started(1), started(2)],
        [1, 1, 1],
        "the opening is in each transcript"
    );
    let earlier: Vec<usize> = outcome
        .transcripts
        .iter()
        .map(|transcript| transcript.head.earlier_ids.len())
        .collect();
    assert_eq!(
        earlier,
        [0, 2, 0],
        "initialize and the first ping came before the second"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_ends_in_time_and_is_recorded() {
    let library = library(&[("t/silence", "", &ask("silence"))]);
    let begun = Instant::now();
    let outcome = run(&library, &shell(), &options()).await;
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    assert_verdict(
        &outcome,
        "t/silence",
        Verdict::Fail,
        "nothing came within 1500 ms",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_fails_one_vector_and_spares_the_others() {
    let library = library(&[
        ("t/a", "", &ask("crash")),
        ("t/b", "", PING),
        ("t/c", "", PING),
    ]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(&outcome, "t/a", Verdict::Fail, "code 3");
    assert_eq!(outcome.results.summary.pass, 2);
    assert!(outcome.results.target.notes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_asks_meanwhile_is_answered() {
    let client = "client: {capabilities: {roots: {}}, answers: {roots/list: {roots: [{uri: 'file:///here'}]}}}\n";
    let steps = ask("ask").replace("result: {}", "result: {got: true}");
    let library = library(&[("t/ask", client, &steps)]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(&outcome, "t/ask", Verdict::Pass, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vector_may_open_the_session_itself() {
    let steps = "  - request:
      method: initialize
      params: {protocolVersion: '${revision}', capabilities: {}, clientInfo: {name: a, version: '0'}}
      as: open
  - expect: {response: open, match: {result: {protocolVersion: '${revision}'}}}
  - notify: {method: notifications/initialized}
  - barrier: {}
  - expect: {messages: {id: 1}, match: {$length: 1}}
";
    let library = library(&[("t/open", "session: none\n", steps)]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(&outcome, "t/open", Verdict::Pass, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_input_ends_the_child() {
    let steps = "  - close_input: {}
  - expect: {exit: {}, match: {code: 0}}
";
    let library = library(&[("t/exit", "session: fresh\n", steps)]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(&outcome, "t/exit", Verdict::Pass, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_not_there_is_told_once() {
    let library = library(&[("t/a", "", PING), ("t/b", "", PING), ("t/c", "", PING)]);
    let mut target = shell();
    target.ways[0].address = Address::Command {
        program: "no-such-program-anywhere".to_owned(),
        arguments: Vec::new(),
        environment: Default::default(),
        directory: None,
    };
    let outcome = run(&library, &target, &options()).await;
    assert_eq!(
        outcome.results.summary.inconclusive, 3,
        "{:#?}",
        outcome.results.summary
    );
    assert_eq!(
        outcome.results.target.notes.len(),
        1,
        "{:?}",
        outcome.results.target.notes
    );
    assert!(
        result(&outcome, "t/c")
            .message
            .contains("no-such-program-anywhere")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn when_time_is_up_the_rest_is_inconclusive() {
    let library = library(&[("t/a", "", &ask("silence")), ("t/b", "", PING)]);
    let options = mcp_verdict_engine::run::Options {
        jobs: 1,
        cap: Some(Duration::from_millis(700)),
        ..options()
    };
    let outcome = run(&library, &shell(), &options).await;
    assert_verdict(&outcome, "t/a", Verdict::Inconclusive, "stopped");
    assert_verdict(&outcome, "t/b", Verdict::Inconclusive, "time");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_apply_is_told_and_does_not_run() {
    let needs = |needs: &str| format!("needs: {needs}\n");
    let library = library(&[
        ("t/capability", &needs("{capabilities: [prompts]}"), PING),
        ("t/fixture", &needs("{fixtures: [tool-any]}"), PING),
        ("t/http", "transports: [streamable-http]\n", PING),
        ("t/runs", "", PING),
        ("t/session", &needs("{session_id: true}"), PING),
    ]);
    let outcome = run(&library, &shell(), &options()).await;
    assert_verdict(
        &outcome,
        "t/capability",
        Verdict::NotApplicable,
        "`prompts`",
    );
    assert_verdict(
        &outcome,
        "t/fixture",
        Verdict::Inconclusive,
        "[fixtures.tool-any]",
    );
    assert_verdict(&outcome, "t/http", Verdict::NotApplicable, "stdio");
    assert_verdict(&outcome, "t/session", Verdict::NotApplicable, "session id");
    assert_eq!(
        (outcome.results.summary.pass, outcome.transcripts.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_run_of_nothing_is_an_error() {
    let library = library(&[("t/http", "transports: [streamable-http]\n", PING)]);
    let of = |selection: &[&str], target: Prepared| {
        let patterns = selection
            .iter()
            .map(|pattern| (*pattern).to_owned())
            .collect();
        let options = mcp_verdict_engine::run::Options {
            selection: Selection { patterns },
            ..options()
        };
        let library = library.clone();
        async move {
            mcp_verdict_engine::run::run(&library, &target, &options, &|_| {})
                .await
                .unwrap_err()
        }
    };
    assert!(matches!(
        of(&["x/y"], shell()).await,
        EmptyPlan::NoSuchCheck { .. }
    ));
    let nothing = of(&["t/*"], shell()).await;
    assert!(nothing.to_string().contains("not about stdio"), "{nothing}");
    assert_eq!(
        of(
            &[],
            Prepared {
                ways: Vec::new(),
                ..shell()
            }
        )
        .await,
        EmptyPlan::NoWay
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_answers_nothing_is_given_up_on() {
    let names: Vec<String> = (10..50)
        .map(|number| format!("t/silence-{number}"))
        .collect();
    let silence = ask("silence");
    let vectors: Vec<(&str, &str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "", silence.as_str()))
        .collect();
    let mut mute = shell();
    if let Address::Command { arguments, .. } = &mut mute.ways[0].address {
        arguments[1] = SERVER.replace("*'\"method\":\"silence\"'*", "*'silence'* | *'ping'*");
    }
    let options = mcp_verdict_engine::run::Options {
        timeout: Duration::from_millis(400),
        ..options()
    };
    let outcome = run(&library(&vectors), &mute, &options).await;
    let of = outcome.results.summary;
    assert!((4..=12).contains(&of.fail), "{of:?}");
    assert_eq!(of.fail + of.inconclusive, 40, "{of:?}");
    assert_verdict(
        &outcome,
        "t/silence-49",
        Verdict::Inconclusive,
        "does not answer",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_answers_a_ping_is_not_given_up_on() {
    let names: Vec<String> = (10..30)
        .map(|number| format!("t/silence-{number}"))
        .collect();
    let silence = ask("silence");
    let vectors: Vec<(&str, &str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "", silence.as_str()))
        .collect();
    let options = mcp_verdict_engine::run::Options {
        timeout: Duration::from_millis(400),
        ..options()
    };
    let outcome = run(&library(&vectors), &shell(), &options).await;
    assert_eq!(outcome.results.summary.fail, 20);
}
