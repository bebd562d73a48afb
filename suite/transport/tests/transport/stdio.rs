//! Children of `/bin/sh`.

use std::{collections::BTreeMap, time::Duration};

use mcp_verdict_transport::{
    Address, Connection, OpenError, Options, Outgoing, Recorder, Redactor, SendError, Shutdown,
};
use mcp_verdict_wire::{
    Delivery,
    limits::{MESSAGE_BYTES_MAX, STDERR_BYTES_MAX, TRANSCRIPT_EVENTS_MAX},
    transcript::EventKind,
};
use tokio::time::timeout;

use crate::common::{PATIENCE, kinds, message, names, options, recorder, wait, wait_for};

fn shell(script: &str) -> Address {
    Address::Command {
        program: "/bin/sh".to_owned(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        environment: BTreeMap::new(),
        directory: None,
    }
}

async fn start(script: &str) -> Connection {
    start_with(script, &options()).await
}

async fn start_with(script: &str, options: &Options) -> Connection {
    let recorder = Recorder::new(options.redactor.clone());
    Connection::open(&shell(script), options, recorder)
        .await
        .expect("there is a shell")
}

fn with_grace(exit_grace: Duration) -> Options {
    Options {
        exit_grace,
        ..options()
    }
}

fn is_exit(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Exited { .. })
}

#[tokio::test]
async fn a_conversation_is_recorded_in_its_order() {
    let script = r#"read line; echo "$line"; printf 'two\r\n\nrest'; exit 3"#;
    let mut connection = start(script).await;
    let outgoing = Outgoing {
        label: Some("first".into()),
        meant: true,
        ..message(r#"{"id":1}"#)
    };
    assert_eq!(connection.send(outgoing).await.unwrap(), 0);
    wait_for(connection.recorder(), is_exit).await;
    let received = |text: &str| EventKind::Received {
        exchange: 0,
        sse: None,
        bytes: text.into(),
    };
    assert_eq!(
        kinds(connection.recorder()),
        [
            EventKind::ProcessStarted {
                command: vec!["/bin/sh".into(), "-c".into(), script.into()],
            },
            EventKind::Sent {
                exchange: 0,
                label: Some("first".into()),
                meant: true,
                bytes: r#"{"id":1}"#.into(),
            },
            received(r#"{"id":1}"#),
            received("two\r"),
            received(""),
            EventKind::OutputClosed {
                rest: "rest".into()
            },
            EventKind::Exited {
                code: Some(3),
                signal: None
            },
        ]
    );
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn standard_error_is_kept_apart() {
    let connection = start("echo message; printf 'one\\ntwo' >&2").await;
    wait_for(connection.recorder(), is_exit).await;
    let mut errors = Vec::new();
    for kind in kinds(connection.recorder()) {
        if let EventKind::Stderr { bytes } = kind {
            errors.extend_from_slice(&bytes.0);
        }
    }
    assert_eq!(errors, b"one\ntwo");
}

#[tokio::test]
async fn standard_error_beyond_its_limit_is_read_and_forgotten() {
    let connection = start("head -c 2000000 /dev/zero >&2; echo done; exec cat").await;
    wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::Received { .. })
    })
    .await;
    let recorder = connection.recorder().clone();
    connection.shutdown(Shutdown::Orderly).await;
    let kept: usize = kinds(&recorder)
        .iter()
        .map(|kind| match kind {
            EventKind::Stderr { bytes } => bytes.0.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(kept, STDERR_BYTES_MAX);
}

#[tokio::test]
async fn an_endless_line_breaks_a_limit_and_is_not_kept() {
    let connection = start("echo short; exec cat /dev/zero").await;
    let limit = wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::LimitExceeded { .. })
    })
    .await;
    let EventKind::LimitExceeded { exchange: 0, limit } = limit else {
        panic!("{limit:?}")
    };
    assert!(limit.contains(&MESSAGE_BYTES_MAX.to_string()), "{limit}");
    let recorder = connection.recorder().clone();
    connection.shutdown(Shutdown::Now).await;
    let seen = names(&kinds(&recorder));
    assert_eq!(seen[..3], ["started", "received", "limit"]);
    assert!(!seen.contains(&"output closed"));
}

#[tokio::test]
async fn a_flood_of_lines_ends_with_the_transcripts_limit() {
    let connection = start("exec yes").await;
    wait(connection.recorder(), |events| {
        matches!(events.last()?.kind, EventKind::LimitExceeded { .. }).then_some(())
    })
    .await;
    let recorder = connection.recorder().clone();
    assert_eq!(recorder.events().len(), TRANSCRIPT_EVENTS_MAX + 1);
    timeout(PATIENCE, connection.shutdown(Shutdown::Orderly))
        .await
        .expect("it ends all the same");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_an_error() {
    let address = Address::Command {
        program: "mcp-verdict-no-such-program".to_owned(),
        arguments: Vec::new(),
        environment: BTreeMap::new(),
        directory: None,
    };
    let error = Connection::open(&address, &options(), recorder())
        .await
        .unwrap_err();
    let OpenError::Start { program, source } = error else {
        panic!("{error}")
    };
    assert_eq!(program, "mcp-verdict-no-such-program");
    assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
}

#[tokio::test]
async fn directory_and_environment_reach_the_child() {
    let directory = tempfile::tempdir().unwrap();
    let Address::Command {
        program, arguments, ..
    } = shell("pwd -P; echo $WORD")
    else {
        panic!()
    };
    let address = Address::Command {
        program,
        arguments,
        environment: BTreeMap::from([("WORD".to_owned(), "word".to_owned())]),
        directory: Some(directory.path().to_owned()),
    };
    let connection = Connection::open(&address, &options(), recorder())
        .await
        .unwrap();
    wait_for(connection.recorder(), is_exit).await;
    let path = directory.path().canonicalize().unwrap();
    let expected = [path.to_str().unwrap(), "word"].map(|line| EventKind::Received {
        exchange: 0,
        sse: None,
        bytes: line.into(),
    });
    assert_eq!(kinds(connection.recorder())[1..3], expected);
}

#[tokio::test]
async fn a_child_that_exits_at_once_takes_no_more_input() {
    let mut connection = start("exit 7").await;
    let exit = wait_for(connection.recorder(), is_exit).await;
    assert_eq!(
        exit,
        EventKind::Exited {
            code: Some(7),
            signal: None
        }
    );
    // The first message may still find its way into the queue.
    let mut refused = false;
    for _ in 0..1000 {
        match connection.send(message("{}")).await {
            Ok(_) => tokio::task::yield_now().await,
            Err(SendError::InputClosed) => {
                refused = true;
                break;
            }
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused);
    connection.signal("TERM").unwrap();
    let recorder = connection.recorder().clone();
    connection.shutdown(Shutdown::Orderly).await;
    let seen = names(&kinds(&recorder));
    assert_eq!(seen.iter().filter(|name| **name == "exited").count(), 1);
    assert!(!seen.contains(&"signalled"));
}

#[tokio::test]
async fn an_orderly_child_ends_when_its_input_closes() {
    let connection = start("exec cat").await;
    let recorder = connection.recorder().clone();
    connection.shutdown(Shutdown::Orderly).await;
    assert_eq!(
        names(&kinds(&recorder)),
        ["started", "input closed", "output closed", "exited"]
    );
}

#[tokio::test]
async fn what_was_sent_before_the_input_closes_arrives() {
    let mut connection = start("exec cat").await;
    for number in 0..500 {
        connection.send(message(&number.to_string())).await.unwrap();
    }
    connection.close_input().await.unwrap();
    connection.close_input().await.unwrap();
    assert!(matches!(
        connection.send(message("late")).await,
        Err(SendError::InputClosed)
    ));
    wait_for(connection.recorder(), is_exit).await;
    let seen = names(&kinds(connection.recorder()));
    assert_eq!(seen.iter().filter(|name| **name == "received").count(), 500);
    assert_eq!(
        seen.iter().filter(|name| **name == "input closed").count(),
        1
    );
}

#[tokio::test]
async fn a_child_that_stays_is_terminated() {
    let connection = start_with("exec sleep 1000", &with_grace(Duration::from_millis(50))).await;
    let recorder = connection.recorder().clone();
    connection.shutdown(Shutdown::Orderly).await;
    let seen = kinds(&recorder);
    let signals: Vec<_> = seen
        .iter()
        .filter_map(|kind| match kind {
            EventKind::Signalled { signal } => Some(signal.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(signals, ["TERM"]);
    assert_eq!(
        seen.last(),
        Some(&EventKind::Exited {
            code: None,
            signal: Some(15)
        })
    );
}

#[tokio::test]
async fn a_child_that_ignores_term_is_killed() {
    let script = "trap '' TERM; echo ready; while :; do sleep 1000; done";
    let connection = start_with(script, &with_grace(Duration::from_millis(100))).await;
    let recorder = connection.recorder().clone();
    wait_for(&recorder, |kind| matches!(kind, EventKind::Received { .. })).await;
    connection.shutdown(Shutdown::Orderly).await;
    let seen = kinds(&recorder);
    assert_eq!(
        names(&seen),
        [
            "started",
            "received",
            "input closed",
            "signalled",
            "signalled",
            "output closed",
            "exited"
        ]
    );
    assert_eq!(
        seen[4],
        EventKind::Signalled {
            signal: "KILL".into()
        }
    );
    assert_eq!(
        seen[6],
        EventKind::Exited {
            code: None,
            signal: Some(9)
        }
    );
}

#[tokio::test]
async fn a_signal_reaches_the_child() {
    let script = "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done";
    let mut connection = start(script).await;
    wait_for(connection.recorder(), |kind| {
        matches!(kind, EventKind::Received { .. })
    })
    .await;
    connection.signal("INT").unwrap();
    let exit = wait_for(connection.recorder(), is_exit).await;
    assert_eq!(
        exit,
        EventKind::Exited {
            code: Some(5),
            signal: None
        }
    );
    assert!(connection.signal("WINCH").is_err());
}

// The grandchild holds the standard output open: its end shows that the grandchild is gone.

#[tokio::test]
async fn a_grandchild_does_not_outlive_a_leader_that_exits() {
    let connection = start("trap '' HUP; sleep 1000 & exit 0").await;
    wait_for(connection.recorder(), is_exit).await;
    let seen = kinds(connection.recorder());
    assert_eq!(names(&seen), ["started", "output closed", "exited"]);
    assert_eq!(
        seen[2],
        EventKind::Exited {
            code: Some(0),
            signal: None
        }
    );
}

#[tokio::test]
async fn a_grandchild_does_not_outlive_the_shutdown() {
    for how in [Shutdown::Orderly, Shutdown::Now] {
        let connection = start("sleep 1000 & echo ready; exec cat").await;
        let recorder = connection.recorder().clone();
        wait_for(&recorder, |kind| matches!(kind, EventKind::Received { .. })).await;
        connection.shutdown(how).await;
        let seen = names(&kinds(&recorder));
        assert_eq!(
            seen[seen.len() - 2..],
            ["output closed", "exited"],
            "{how:?}"
        );
    }
}

#[tokio::test]
async fn dropping_the_connection_kills_the_whole_group() {
    let connection = start("trap '' TERM HUP; sleep 1000 & echo ready; sleep 1000").await;
    let recorder = connection.recorder().clone();
    wait_for(&recorder, |kind| matches!(kind, EventKind::Received { .. })).await;
    drop(connection);
    let exit = wait_for(&recorder, is_exit).await;
    assert_eq!(
        exit,
        EventKind::Exited {
            code: None,
            signal: Some(9)
        }
    );
    assert!(names(&kinds(&recorder)).contains(&"output closed"));
}

#[tokio::test]
async fn a_child_that_does_not_read_blocks_no_one() {
    let options = with_grace(Duration::from_millis(50));
    let mut connection = start_with("exec sleep 1000", &options).await;
    let large = message(&"x".repeat(1024 * 1024));
    for _ in 0..4 {
        let sent = timeout(PATIENCE, connection.send(large.clone())).await;
        sent.expect("it only queues").unwrap();
    }
    timeout(PATIENCE, connection.close_input())
        .await
        .expect("it does not wait for ever")
        .unwrap();
    let recorder = connection.recorder().clone();
    timeout(PATIENCE, connection.shutdown(Shutdown::Orderly))
        .await
        .expect("it ends");
    let seen = names(&kinds(&recorder));
    assert_eq!(
        seen[seen.len() - 4..],
        ["input closed", "signalled", "output closed", "exited"]
    );
}

#[tokio::test]
async fn both_sides_may_write_much_at_once() {
    let mut connection = start("exec cat").await;
    let large = message(&"x".repeat(1024 * 1024));
    for _ in 0..5 {
        connection.send(large.clone()).await.unwrap();
    }
    wait(connection.recorder(), |events| {
        let received = |kind: &EventKind| matches!(kind, EventKind::Received { .. });
        (events.iter().filter(|event| received(&event.kind)).count() == 5).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_secret_is_in_no_event() {
    let redactor = Redactor::new(["s3cret-token".to_owned()]);
    let options = Options {
        redactor,
        ..options()
    };
    let script = "echo a s3cret-token b; printf '\\377s3cret-token\\n'; echo s3cret-token >&2; \
                  printf s3cret-token";
    let mut connection = start_with(script, &options).await;
    // The child may be gone already.
    drop(connection.send(message("s3cret-token")).await);
    wait_for(connection.recorder(), is_exit).await;
    let shown = format!("{:?}", connection.recorder().events());
    assert!(!shown.contains("s3cret-token"), "{shown}");
    assert!(shown.contains("a [redacted] b"), "{shown}");
}

#[tokio::test]
async fn http_is_unsupported() {
    let mut connection = start("exec cat").await;
    let error = connection.http(Default::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "stdio has no HTTP requests");
    assert_eq!(connection.endpoint(), None);
}

#[tokio::test]
async fn messages_can_be_written_together_or_in_pieces() {
    let mut connection = start("head -c 8 && echo / && cat").await;
    let with = |delivery| Outgoing {
        delivery,
        ..message("[1]")
    };
    let held = Delivery {
        with_next: true,
        ..Delivery::default()
    };
    let pieces = Delivery {
        pieces: 3,
        ..Delivery::default()
    };
    let unterminated = Delivery {
        unterminated: true,
        ..Delivery::default()
    };
    for delivery in [held, pieces, unterminated] {
        connection.send(with(delivery)).await.unwrap();
    }
    connection.close_input().await.unwrap();
    wait_for(connection.recorder(), is_exit).await;
    let lines = kinds(connection.recorder())
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::Received { bytes, .. } | EventKind::OutputClosed { rest: bytes } => {
                Some(bytes.to_text().into_owned())
            }
            _ => None,
        });
    assert_eq!(lines.collect::<Vec<_>>(), ["[1]", "[1]", "/", "[1]"]);
}
